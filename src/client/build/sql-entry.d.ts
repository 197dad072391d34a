/** The entry `millrace/client/sql`. */
export type { Change, ViewOptions } from "./live-view.ts";
export { liveRows, view } from "./live-view.ts";
export type { SqlColumn, SqlOptions, SqlResult, SqlRow } from "./sql.ts";
export { rows, rowsOf, sql } from "./sql.ts";
