/** Nexmark's table and views, as the goldens over its events have them. */
import { readFileSync } from "node:fs";

export const nexmarkSchema = readFileSync(
  new URL("../golden/sql/inputs/nexmark.sql", import.meta.url),
  "utf8",
);
