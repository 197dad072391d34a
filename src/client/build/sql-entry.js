export { liveRows, view } from "./live-view.js";
export { rows, rowsOf, sql } from "./sql.js";
