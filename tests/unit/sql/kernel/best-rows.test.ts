import { describe, expect, test } from "bun:test";
import { BestRows, type BestRowsOptions } from "../../../../src/sql/kernel/best-rows.ts";
import { createSqliteHost, tableOf } from "../../../support/sqlite.ts";

type Row = readonly [time: bigint | null, value: bigint | null, bound?: bigint];

const never = -(2n ** 60n);

/** Windows of ten; a row of time t meets those that end in [t, t + 10]. */
function bestRows(options: Partial<BestRowsOptions> = {}) {
  const host = createSqliteHost();
  const best = new BestRows(host, {
    ...{ timeColumn: 0, valueColumn: 1, extreme: "max", sizeMs: 10, offsetMs: 0 },
    ...{ fromMs: 0, toMs: 10, ...options },
  });
  return (rows: readonly Row[], watermark = Number.NEGATIVE_INFINITY) => {
    const cells = rows.map(([time, value, bound = never]) => [time, value, bound]);
    const table = tableOf(host.memory, ["integer", "integer", "integer"], cells);
    const { rowCount, selection } = best.pick(table, { watermark, boundColumn: 2 });
    return Array.from({ length: rowCount }, (_, row) => {
      return host.memory.readUint32(selection + 4 * row);
    });
  };
}

describe("BestRows", () => {
  test("keeps a window's best, those that equal it, and what cannot be compared", () => {
    const pick = bestRows();
    const rows: Row[] = [
      [11n, 5n],
      [12n, 7n],
      [13n, 7n],
      [14n, 6n],
      [null, 1n],
      [15n, null],
    ];
    expect(pick(rows)).toEqual([1, 2, 4, 5]);
    expect(
      pick([
        [16n, 6n],
        [17n, 7n],
        [18n, 8n],
      ]),
    ).toEqual([2]);
    expect(
      pick([
        [21n, 1n],
        [19n, 7n],
        [-1n, 3n],
        [-9n, 2n],
      ]),
    ).toEqual([0, 2]);
  });

  test("keeps a row that another window may meet too", () => {
    // One at 20 meets the window that ended then, beside its own.
    expect(
      bestRows()([
        [20n, 1n],
        [21n, 5n],
        [22n, 1n],
      ]),
    ).toEqual([0, 1]);
    expect(
      bestRows({ toMs: 25 })([
        [21n, 5n],
        [22n, 1n],
      ]),
    ).toEqual([0, 1]);
    expect(
      bestRows({ offsetMs: 3 })([
        [20n, 1n],
        [21n, 5n],
        [23n, 2n],
      ]),
    ).toEqual([1, 2]);
  });

  test("least values are best where the least is asked for", () => {
    expect(
      bestRows({ extreme: "min" })([
        [1n, 5n],
        [2n, 3n],
        [3n, 4n],
        [4n, -9n],
      ]),
    ).toEqual([3]);
  });

  test("a row that is late for its window, by its bound or the watermark, beats no other", () => {
    const pick = bestRows();
    expect(
      pick([
        [11n, 9n, 20n],
        [12n, 5n, 19n],
        [13n, 4n],
      ]),
    ).toEqual([0, 1]);
    expect(pick([[21n, 9n]], 30)).toEqual([0]);
    expect(pick([[22n, 5n]], 29)).toEqual([0]);
  });

  test("of more windows than it remembers it keeps more, never less", () => {
    const pick = bestRows();
    const later = Array.from({ length: 100 }, (_, index): Row => [BigInt(10 * index + 1), 5n]);
    expect(pick(later)).toHaveLength(100);
    // Of the newest it knows what was best; of the oldest no more.
    expect(
      pick([
        [993n, 4n],
        [3n, 4n],
      ]),
    ).toEqual([1]);
  });
});
