/** Reading result rows: each accessor checks what the schema promises. */
import type { SqlResult, SqlStatement, SqlValue } from "./sql-database.ts";

type Row = readonly SqlValue[] | undefined;

export function numberAt(row: Row, index: number): number {
  const value = row?.[index];
  if (typeof value !== "number") throw wrong(row, { index, wanted: "a number" });
  return value;
}

export function numberOrNullAt(row: Row, index: number): number | null {
  return row?.[index] === null ? null : numberAt(row, index);
}

export function textAt(row: Row, index: number): string {
  const value = row?.[index];
  if (typeof value !== "string") throw wrong(row, { index, wanted: "text" });
  return value;
}

export function textOrNullAt(row: Row, index: number): string | null {
  return row?.[index] === null ? null : textAt(row, index);
}

/** Rows of the result at `index`; the database answers one result per statement. */
export function rowsOf(
  results: readonly SqlResult[],
  index: number,
): readonly (readonly SqlValue[])[] {
  const result = results[index];
  if (result === undefined) throw new Error(`Broken invariant: no result ${index} in a batch`);
  return result.rows;
}

export function statement(sql: string, ...args: readonly SqlValue[]): SqlStatement {
  return { sql, args };
}

/** Milliseconds since 1970 by the clock of the database, for use inside a statement. */
export const databaseNow = "CAST(unixepoch('subsec') * 1000 AS INTEGER)";

function wrong(row: Row, { index, wanted }: { index: number; wanted: string }): Error {
  const met = row === undefined ? "no row" : String(row[index]);
  return new Error(`Broken invariant: column ${index} of a result is ${met}, not ${wanted}`);
}
