import { describe, expect, test } from "bun:test";
import type { SqlValue } from "../../../../src/sql/plan/scalar.ts";
import { Collector } from "../../../../src/sql/sqlite/collector.ts";
import { registerFunctions } from "../../../../src/sql/sqlite/functions.ts";
import { declareTable } from "../../../../src/sql/sqlite/virtual-table.ts";
import { fillTable, openSqlite, readTable } from "../../../support/sqlite.ts";

describe("registerFunctions", () => {
  test("values go in and come out as they are", () => {
    const database = openSqlite();
    const seen: SqlValue[][] = [];
    registerFunctions(database, [
      {
        name: "same",
        argumentCount: -1,
        call: (args) => {
          seen.push([...args]);
          return args[0] ?? null;
        },
      },
    ]);
    const values = [null, -(2n ** 63n), 0.5, "a\0ü", "", new Uint8Array([0, 9]), new Uint8Array(0)];
    for (const value of values) expect(database.query("SELECT same(?)", value)).toEqual([[value]]);
    expect(database.query("SELECT same()")).toEqual([[null]]);
    expect(seen).toEqual([...values.map((each) => [each]), []]);
  });

  test("what a function throws fails the row with that reason", () => {
    const database = openSqlite();
    const { table } = declareTable(database, "rows", [{ name: "i", kind: "integer" }]);
    registerFunctions(database, [
      {
        name: "odd_only",
        argumentCount: 1,
        call: ([value]) => {
          if (typeof value === "bigint" && value % 2n === 0n) throw new Error(`${value} is even`);
          return value ?? null;
        },
      },
    ]);
    fillTable(
      table,
      [1n, 2n, 3n, 4n].map((each) => [each]),
    );
    const collector = new Collector(database.host, ["integer"]);
    const failed: unknown[] = [];
    collector.collectEach(database.prepare("SELECT odd_only(i) FROM rows"), table, (row, error) =>
      failed.push([row, error.details["reason"]]),
    );
    expect(failed).toEqual([
      [1, "2 is even"],
      [3, "4 is even"],
    ]);
    expect(readTable(collector.table)).toEqual([[1n], [3n]]);
  });

  test("an error in an expression of constants is one of each row that meets it", () => {
    const database = openSqlite();
    const { table } = declareTable(database, "rows", [{ name: "i", kind: "integer" }]);
    registerFunctions(database, [
      {
        name: "fails",
        argumentCount: 0,
        call: () => {
          throw new Error("always");
        },
      },
    ]);
    const statement = database.prepare("SELECT fails() FROM rows WHERE i > 1");
    for (const [rows, wanted] of [
      [[], []],
      [[0n, 1n], []],
      [
        [2n, 1n, 3n],
        [0, 2],
      ],
    ] as const) {
      fillTable(
        table,
        rows.map((each) => [each]),
      );
      const failed: number[] = [];
      const collector = new Collector(database.host, ["integer"]);
      collector.collectEach(statement, table, (row) => failed.push(row));
      expect(failed).toEqual([...wanted]);
    }
  });

  test("a bigint of more than 64 bits is an error, not a wrong number", () => {
    const database = openSqlite();
    registerFunctions(database, [{ name: "big", argumentCount: 0, call: () => 2n ** 63n }]);
    expect(() => database.query("SELECT big()")).toThrow("9223372036854775808 does not fit");
  });

  test("a function that runs out of memory fails its statement only", () => {
    const database = openSqlite(16 * 1024 * 1024);
    registerFunctions(database, [
      { name: "huge", argumentCount: 1, call: ([n]) => "x".repeat(Number(n)) },
    ]);
    expect(() => database.query("SELECT huge(30000000)")).toThrow("bytes of memory");
    expect(database.query("SELECT length(huge(3))")).toEqual([[3n]]);
  });

  test("databases of one host have functions of their own", () => {
    const database = openSqlite();
    registerFunctions(database, [{ name: "one", argumentCount: 0, call: () => 1n }]);
    registerFunctions(database, [{ name: "two", argumentCount: 0, call: () => 2n }]);
    expect(database.query("SELECT one(), two()")).toEqual([[1n, 2n]]);
    expect(() => openSqlite().query("SELECT one()")).toThrow("no such function: one");
  });
});
