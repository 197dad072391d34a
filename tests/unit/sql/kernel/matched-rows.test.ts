import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { MatchedRows } from "../../../../src/sql/kernel/matched-rows.ts";
import type { RowTable } from "../../../../src/sql/memory/row-table.ts";
import { Collector } from "../../../../src/sql/sqlite/collector.ts";
import { SqliteDatabase } from "../../../../src/sql/sqlite/database.ts";
import type { SqliteHost } from "../../../../src/sql/sqlite/host.ts";
import { declareTable } from "../../../../src/sql/sqlite/virtual-table.ts";
import { type CellValue, createSqliteHost, fillTable, tableOf } from "../../../support/sqlite.ts";

const kinds = ["integer", "text", "wide", "real"] as const;
const names = kinds.map((_, index) => `c${index}`);
type Row = readonly CellValue[];

const row = fc.tuple(
  fc.option(fc.bigInt({ min: -2n, max: 2n }), { freq: 6 }),
  fc.option(fc.constantFrom("", "a", "ab", "a longer text, of more than sixteen bytes"), {
    freq: 6,
  }),
  fc.option(fc.constantFrom(0n, 1n, 1n << 80n, -(1n << 80n)), { freq: 6 }),
  fc.option(fc.constantFrom(0.5, -1.5), { freq: 6 }),
);
const rows = fc.array(row, { maxLength: 60 });
const pairs = fc.subarray([0, 1, 2], { minLength: 1 });

function joined(host: SqliteHost, equal: readonly number[]): MatchedRows {
  return new MatchedRows(host, {
    ...{ left: kinds, right: kinds, times: [0, 0], seed: -5n },
    equal: equal.map((column) => ({ left: column, right: column })),
  });
}

/** Rows of a table of both sides' columns, as SQLite reads it. */
function cellsOf(database: SqliteDatabase, table: RowTable): unknown[] {
  const columns = [...kinds, ...kinds].map((kind, index) => ({ name: `c${index}`, kind }));
  const shown = declareTable(database, "shown", columns);
  shown.table.pointTo(table);
  const cells = database.query("SELECT * FROM shown");
  shown.drop();
  return [...cells];
}

/** The same join by SQLite. */
function plain(database: SqliteDatabase, sides: readonly (readonly Row[])[], equal: number[]) {
  const tables = sides.map((side, index) => {
    const columns = kinds.map((kind, at) => ({ name: `c${at}`, kind }));
    const declared = declareTable(database, `side${index}`, columns);
    fillTable(declared.table, side);
    return declared;
  });
  const list = ["l", "r"].flatMap((side) => names.map((name) => `${side}.${name}`)).join(", ");
  const matches = equal.map((column) => `l.c${column} = r.c${column}`).join(" AND ");
  const statement = database.prepare(
    `SELECT ${list} FROM side0 l JOIN side1 r ON ${matches} ORDER BY l.rowid, r.rowid`,
  );
  const collector = new Collector(database.host, [...kinds, ...kinds]);
  collector.collect(statement);
  const cells = cellsOf(database, collector.table);
  statement.finalize();
  collector.free();
  for (const each of tables) each.drop();
  return cells;
}

describe("MatchedRows", () => {
  test("joins as SQLite does, in its order, whatever there was before", () => {
    const database = new SqliteDatabase(createSqliteHost());
    const { host } = database;
    fc.assert(
      fc.property(rows, rows, pairs, fc.nat(60), (left, right, equal, cut) => {
        const matched = joined(host, equal);
        matched.add(0, tableOf(host.memory, kinds, [[1n, "old", 1n, 1]]));
        matched.match();
        matched.clear();
        matched.add(0, tableOf(host.memory, kinds, left.slice(0, cut)));
        matched.add(1, tableOf(host.memory, kinds, right));
        matched.add(0, tableOf(host.memory, kinds, left.slice(cut)));
        expect(cellsOf(database, matched.match())).toEqual(plain(database, [left, right], equal));
        matched.free();
      }),
      { numRuns: 150 },
    );
  });

  test("compares no reals, whose NaN and zeros are SQLite's to judge", () => {
    expect(MatchedRows.covers("real", "real")).toBe(false);
    expect(MatchedRows.covers("integer", "text")).toBe(false);
    expect(MatchedRows.covers("text", "text")).toBe(true);
  });

  test("refuses a result that finds no memory", () => {
    const host = createSqliteHost(16 * 1024 * 1024);
    const matched = joined(host, [0]);
    const same = Array.from({ length: 2_000 }, (): Row => [1n, "a", 1n, 1]);
    const table = tableOf(host.memory, kinds, same);
    matched.add(0, table);
    matched.add(1, table);
    const refused = expect.objectContaining({ code: "sql_memory_exceeded" });
    expect(() => matched.match()).toThrow(refused);
  });
});
