/** Random specifications and rows for the state kernels, and ways to read what they give. */
import fc from "fast-check";
import type { KernelTable } from "../../src/sql/kernel/state.ts";
import { RowTable } from "../../src/sql/memory/row-table.ts";
import type { Accumulator, AccumulatorKind } from "../../src/sql/plan/plan.ts";
import type { SqliteMemory } from "../../src/sql/sqlite/memory.ts";
import type { ValueKind } from "../../src/sql/types/data-type.ts";
import type { PlainRow } from "./sql-groups.ts";
import { type CellValue, readTable, tableOf } from "./sqlite.ts";

/** Time, weight, boolean, then two columns of each kind. */
export const stateInput = [
  "integer",
  "integer",
  "integer",
  ...(["integer", "real", "text", "blob", "wide"] as const).flatMap((kind) => [kind, kind]),
] as const satisfies readonly ValueKind[];
export const timeColumn = 0;
export const weightColumn = 1;
const filterColumn = 2;
const firstValueColumn = 3;

const numeric = new Set<ValueKind>(["integer", "real", "wide"]);

const valueColumn = fc.integer({ min: firstValueColumn, max: stateInput.length - 1 });

function fits(kind: AccumulatorKind, column: number): boolean {
  const input = stateInput[column] ?? "text";
  // Squares of large integers are no exact doubles, so that taking them back is not exact.
  if (kind === "sumSquares") return input === "real";
  return kind !== "sum" || numeric.has(input);
}

/** Any accumulator; estimates only where `approximate`, for they are no exact counts. */
export function accumulatorOf(approximate: boolean): fc.Arbitrary<Accumulator> {
  return fc
    .record({
      kind: fc.constantFrom<AccumulatorKind>(
        ...(["count", "sum", "sumSquares", "min", "max", "first", "last"] as const),
        ...(approximate ? (["approxCountDistinct"] as const) : []),
      ),
      column: fc.option(valueColumn, { freq: 6 }),
      filter: fc.option(fc.constant(filterColumn), { freq: 1 }),
      isDistinct: fc.boolean(),
    })
    .map((each) => {
      if (each.column === null) return { ...each, kind: "count" as const, isDistinct: false };
      return fits(each.kind, each.column) ? each : { ...each, kind: "count" as const };
    });
}

export const keyColumns = fc.uniqueArray(valueColumn, { maxLength: 3 });

/** Few values, so that they meet again; sums of reals are exact; −0 is another 0. */
const cells: Readonly<Record<ValueKind, fc.Arbitrary<CellValue>>> = {
  integer: fc.oneof(
    fc.bigInt({ min: -3n, max: 3n }),
    fc.constantFrom(2n ** 63n - 1n, -(2n ** 63n), 2n ** 53n + 1n),
  ),
  real: fc.constantFrom(0, -0, 1, -1.5, 2.25, 1024, -0.5),
  text: fc.constantFrom("", "a", "ab", "abcdefgh", "abcdefghi", "🚀é", "z".repeat(40)),
  blob: fc.constantFrom(new Uint8Array(), new Uint8Array([0]), new Uint8Array([0, 255, 7, 1])),
  wide: fc.constantFrom(0n, 1n, -1n, 2n ** 64n, -(2n ** 64n), 2n ** 120n, -(2n ** 120n) + 1n),
};

export const valueCells = fc.tuple(
  fc.bigInt({ min: 0n, max: 1n }),
  ...stateInput.slice(firstValueColumn).map((kind) => fc.option(cells[kind], { freq: 5 })),
);

export function rowOf(
  row: { readonly time: number; readonly weight: 1 | -1 },
  values: readonly CellValue[],
): PlainRow {
  return { weight: row.weight, cells: [BigInt(row.time), BigInt(row.weight), ...values] };
}

/**
 * Rows with weights: `pick` takes back, now and then, a row that was there. Times lie around 1970,
 * in no order.
 */
export function rowsOf(isRetractable: boolean, maxLength = 60): fc.Arbitrary<PlainRow[]> {
  const each = fc.record({
    time: fc.integer({ min: -40, max: 60 }),
    cells: valueCells,
    pick: fc.option(fc.nat(1000), { freq: 2 }),
  });
  return fc.array(each, { maxLength, size: "max" }).map((all) => {
    const rows: PlainRow[] = [];
    const live: PlainRow[] = [];
    for (const { time, cells: values, pick } of all) {
      const taken = pick === null ? undefined : live[pick % Math.max(1, live.length)];
      if (!isRetractable || taken === undefined) {
        const row = rowOf({ time, weight: 1 }, values);
        rows.push(row);
        live.push(row);
      } else {
        live.splice(live.indexOf(taken), 1);
        rows.push(rowOf({ time: Number(taken.cells[0]), weight: -1 }, taken.cells.slice(2)));
      }
    }
    return rows;
  });
}

export function tableOfRows(memory: SqliteMemory, rows: readonly PlainRow[]): RowTable {
  return tableOf(
    memory,
    stateInput,
    rows.map(({ cells: values }) => values),
  );
}

/** Cuts rows into tables of `size`. */
export function batchesOf<Row>(rows: readonly Row[], size: number): Row[][] {
  const batches: Row[][] = [];
  for (let from = 0; from < rows.length; from += size) batches.push(rows.slice(from, from + size));
  return batches;
}

/** Rows of a table that a kernel wrote. */
export function readResult(memory: SqliteMemory, result: KernelTable): CellValue[][] {
  const table = new RowTable(memory, result.kinds);
  table.pointToAddress(result.address);
  const rows = readTable(table);
  table.free();
  return rows;
}

/** As they stand, save that −0 is 0 as anywhere in SQL. */
export function plainZeros(rows: readonly (readonly CellValue[])[]): CellValue[][] {
  return rows.map((row) => row.map((value) => (value === 0 ? 0 : value)));
}
