import { describe, expect, test } from "bun:test";
import { FreshWindows } from "../../../../src/sql/engine/fresh-windows.ts";
import { integerAt } from "../../../../src/sql/memory/row-access.ts";
import { RowTable } from "../../../../src/sql/memory/row-table.ts";
import type { SqliteHost } from "../../../../src/sql/sqlite/host.ts";
import { createSqliteHost, tableOf } from "../../../support/sqlite.ts";

const kinds = ["integer", "integer"] as const;

function freshWindows(host: SqliteHost): FreshWindows {
  return new FreshWindows(host, {
    ...{ kinds: [kinds, kinds], ends: [1, 1], seed: 1n, equal: [{ left: 0, right: 0 }] },
  });
}

/** Rows of some keys, all of the window that ends at `end`. */
function windowOf(host: SqliteHost, end: bigint, keys: readonly bigint[]): RowTable {
  const table = new RowTable(host.memory, kinds);
  const source = tableOf(
    host.memory,
    kinds,
    keys.map((key) => [key, end]),
  );
  table.pointTo(source);
  const values = host.memory.allocate(8);
  host.memory.view.setBigInt64(values, end, true);
  table.point(1, { values, stride: 0 });
  return table;
}

function keysOf(table: RowTable): bigint[] {
  return Array.from({ length: table.rowCount }, (_, index) => integerAt(table, 0, index));
}

describe("FreshWindows", () => {
  test("joins the windows that have ended, in the order of their ends", () => {
    const host = createSqliteHost();
    const fresh = freshWindows(host);
    expect(fresh.take(0, windowOf(host, 20n, [1n, 2n, 3n]))).toBe(true);
    expect(fresh.take(0, windowOf(host, 10n, [5n, 6n]))).toBe(true);
    expect(fresh.take(1, windowOf(host, 10n, [6n, 5n, 6n]))).toBe(true);
    expect(fresh.take(1, windowOf(host, 20n, [3n, 9n]))).toBe(true);
    expect([fresh.firstEnd, fresh.lastEnd]).toEqual([10n, 20n]);
    const given: bigint[][] = [];
    fresh.close(
      (end) => end <= 10n,
      (table) => given.push(keysOf(table)),
    );
    expect(given).toEqual([[5n, 6n, 6n]]);
    fresh.close(
      () => true,
      (table) => given.push(keysOf(table)),
    );
    expect(given).toEqual([[5n, 6n, 6n], [3n]]);
    expect([fresh.hasRows, fresh.lastEnd]).toEqual([false, null]);
  });

  test("gives back what has not ended, each side in its order", () => {
    const host = createSqliteHost();
    const fresh = freshWindows(host);
    fresh.take(1, windowOf(host, 10n, [1n]));
    fresh.take(0, windowOf(host, 10n, [3n, 2n]));
    fresh.take(1, windowOf(host, 10n, [4n]));
    const given: [number, bigint[]][] = [];
    fresh.leave((side, table) => given.push([side, keysOf(table)]));
    expect(given).toEqual([
      [0, [3n, 2n]],
      [1, [1n, 4n]],
    ]);
    expect(fresh.hasRows).toBe(false);
  });

  test("takes a window that comes in parts as long as there is room", () => {
    const host = createSqliteHost();
    const fresh = freshWindows(host);
    const keys = Array.from({ length: 100_000 }, (_, key) => BigInt(key));
    const part = windowOf(host, 10n, keys);
    let parts = 0;
    while (fresh.take(0, part)) parts++;
    expect(parts).toBeGreaterThan(2);
    expect(parts).toBeLessThan(30);
    let rowCount = 0;
    fresh.leave((_side, table) => {
      rowCount += table.rowCount;
    });
    expect(rowCount).toBe(parts * 100_000);
  });

  test("takes neither rows of several windows nor windows without end", () => {
    const host = createSqliteHost();
    const fresh = freshWindows(host);
    expect(fresh.take(0, tableOf(host.memory, kinds, [[1n, 10n]]))).toBe(false);
    for (let end = 1n; end <= 8n; end++) {
      expect(fresh.take(0, windowOf(host, end, [1n]))).toBe(true);
    }
    expect(fresh.take(0, windowOf(host, 9n, [1n]))).toBe(false);
    expect(fresh.take(1, windowOf(host, 8n, [1n]))).toBe(true);
  });
});
