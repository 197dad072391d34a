/** The plain path of the state kernels: groups of rows aggregated in JavaScript, values as bigints. */
import type { Accumulator } from "../../src/sql/plan/plan.ts";
import type { ValueKind } from "../../src/sql/types/data-type.ts";
import type { CellValue } from "./sqlite.ts";

export interface PlainRow {
  readonly cells: readonly CellValue[];
  readonly weight: 1 | -1;
  /** Rows are taken back within their pane. */
  readonly pane?: number;
}

/** A value as text, the same for values that SQL calls equal. */
export function sameText(value: CellValue): string {
  if (typeof value === "number") return `r${value === 0 ? 0 : value}`;
  if (value instanceof Uint8Array) return `b${[...value]}`;
  return `${typeof value}${value}`;
}

/** Order of SQL values: text and blobs by their bytes. */
function compareCells(a: CellValue, b: CellValue): number {
  const bytesOf = (value: CellValue) =>
    typeof value === "string" ? new TextEncoder().encode(value) : value;
  const [x, y] = [bytesOf(a), bytesOf(b)];
  if (x instanceof Uint8Array && y instanceof Uint8Array) return Buffer.compare(x, y);
  return (x as bigint) < (y as bigint) ? -1 : (x as bigint) > (y as bigint) ? 1 : 0;
}

/** Rows left of `rows` when those taken back are gone: each takes the oldest of its value. */
function settled(rows: readonly PlainRow[], column: number | null): PlainRow[] {
  const left: PlainRow[] = [];
  for (const row of rows) {
    if (row.weight === 1) left.push(row);
    else {
      const text = (each: PlainRow) =>
        column === null ? "" : sameText(each.cells[column] ?? null);
      const index = left.findIndex((each) => each.pane === row.pane && text(each) === text(row));
      if (index >= 0) left.splice(index, 1);
    }
  }
  return left;
}

/** Value of one accumulator over the rows of a group in order of arrival. */
export function plainAccumulator(
  accumulator: Accumulator,
  rows: readonly PlainRow[],
  kind: ValueKind,
): CellValue {
  const { column, filter } = accumulator;
  const counted = rows.filter(
    ({ cells }) =>
      (filter === null || (cells[filter] ?? 0n) !== 0n) &&
      (column === null || (cells[column] ?? null) !== null),
  );
  const values = settled(counted, column).map(({ cells }) =>
    column === null ? 1n : (cells[column] ?? null),
  );
  const distinct = [...new Map(values.map((value) => [sameText(value), value])).values()];
  const used = accumulator.isDistinct ? distinct : values;
  switch (accumulator.kind) {
    case "count":
      return BigInt(used.length);
    case "approxCountDistinct":
      return BigInt(distinct.length);
    case "sum":
      if (used.length === 0) return null;
      return kind === "real"
        ? (used as number[]).reduce((sum, value) => sum + value, 0)
        : (used as bigint[]).reduce((sum, value) => sum + value, 0n);
    case "sumSquares":
      if (used.length === 0) return null;
      return used.map(Number).reduce((sum, value) => sum + value * value, 0);
    case "min":
    case "max": {
      const sign = accumulator.kind === "min" ? 1 : -1;
      return values.reduce<CellValue>(
        (best, value) => (best === null || sign * compareCells(value, best) < 0 ? value : best),
        null,
      );
    }
    case "first":
      return values[0] ?? null;
    case "last":
      return values.at(-1) ?? null;
  }
}

export interface PlainSpec {
  readonly input: readonly ValueKind[];
  readonly keys: readonly number[];
  readonly accumulators: readonly Accumulator[];
}

/** Rows of all groups that have rows left, in order of their first row; key then accumulators. */
export function plainGroups(spec: PlainSpec, rows: readonly PlainRow[]): CellValue[][] {
  const groups = new Map<string, PlainRow[]>();
  for (const row of rows) {
    const key = JSON.stringify(spec.keys.map((column) => sameText(row.cells[column] ?? null)));
    const group = groups.get(key) ?? [];
    group.push(row);
    groups.set(key, group);
    // A group whose rows are all gone is a new one when rows come again.
    if (group.reduce((sum, { weight }) => sum + weight, 0) === 0) groups.delete(key);
  }
  return [...groups.values()].map((group) => [
    ...spec.keys.map((column) => canonical(group[0]?.cells[column] ?? null)),
    ...spec.accumulators.map((each) =>
      plainAccumulator(
        each,
        group,
        each.column === null ? "integer" : (spec.input[each.column] ?? "integer"),
      ),
    ),
  ]);
}

/** A group has one zero. */
function canonical(value: CellValue): CellValue {
  return value === 0 ? 0 : value;
}
