import { describe, expect, test } from "bun:test";
import { Collector } from "../../../../src/sql/sqlite/collector.ts";
import { declareTable } from "../../../../src/sql/sqlite/virtual-table.ts";
import { fillTable, openSqlite, readTable, wideBlob } from "../../../support/sqlite.ts";

const mebibyte = 1024 * 1024;

describe("Collector", () => {
  test("rows of every kind, NULLs and empty ones too", () => {
    const database = openSqlite();
    const collector = new Collector(database.host, ["integer", "real", "text", "blob", "wide"]);
    const wide = -(2n ** 127n);
    const bytes = new Uint8Array([0, 255]);
    const sql = "VALUES (?, ?, ?, ?, ?), (NULL, NULL, NULL, NULL, NULL), (?, ?, ?, ?, ?)";
    const statement = database.prepare(sql);
    statement.bind(2n ** 63n - 1n, 0.1, "ü\0", bytes, wideBlob(wide));
    const second = [-5n, 4n, "", new Uint8Array(0), -7n] as const;
    statement.bind(2n ** 63n - 1n, 0.1, "ü\0", bytes, wideBlob(wide), ...second);
    expect(collector.collect(statement)).toEqual({ kind: "done" });
    expect(readTable(collector.table)).toEqual([
      [2n ** 63n - 1n, 0.1, "ü\0", bytes, wide],
      [null, null, null, null, null],
      [-5n, 4, "", new Uint8Array(0), -7n],
    ]);
  });

  test("a statement without rows", () => {
    const database = openSqlite();
    const collector = new Collector(database.host, ["integer"]);
    expect(collector.collect(database.prepare("SELECT 1 WHERE 0"))).toEqual({ kind: "done" });
    expect(collector.table.rowCount).toBe(0);
  });

  test("stops at its limits and goes on where it stopped", () => {
    const database = openSqlite();
    const collector = new Collector(database.host, ["integer", "text"]);
    const { table } = declareTable(database, "rows", [{ name: "i", kind: "integer" }]);
    fillTable(
      table,
      Array.from({ length: 1000 }, (_, index) => [BigInt(index)]),
    );
    const statement = database.prepare("SELECT i, 'text ' || i FROM rows");
    const seen: unknown[] = [];
    for (let isDone = false; !isDone; ) {
      const outcome = collector.collect(statement, { rowsMax: 7, bytesMax: 40 });
      expect(outcome.kind === "done" || collector.table.rowCount > 0).toBe(true);
      expect(collector.table.rowCount).toBeLessThanOrEqual(7);
      seen.push(...readTable(collector.table));
      collector.clear();
      isDone = outcome.kind === "done";
    }
    expect(seen).toEqual(
      Array.from({ length: 1000 }, (_, index) => [BigInt(index), `text ${index}`]),
    );
  });

  test("70 000 rows with long texts, while the memory grows", () => {
    const database = openSqlite();
    const { host } = database;
    const before = host.memory.bytes.length;
    const collector = new Collector(host, ["integer", "text", "integer"]);
    const { table } = declareTable(database, "rows", [{ name: "i", kind: "integer" }]);
    fillTable(
      table,
      Array.from({ length: 70_000 }, (_, index) => [BigInt(index)]),
    );
    const long = "x".repeat(300);
    const sql = "SELECT i, ? || i, nullif(i % 3, 0) FROM rows";
    const statement = database.prepare(sql).bind(long);
    expect(collector.collect(statement)).toEqual({ kind: "done" });
    expect(host.memory.bytes.length).toBeGreaterThan(before);
    const rows = readTable(collector.table);
    expect(rows.length).toBe(70_000);
    const wrong = rows.findIndex(
      ([i, text, rest], index) =>
        i !== BigInt(index) ||
        text !== `${long}${index}` ||
        rest !== (index % 3 === 0 ? null : BigInt(index % 3)),
    );
    expect(wrong).toBe(-1);
  });

  test("a row of several megabytes", () => {
    const database = openSqlite();
    const collector = new Collector(database.host, ["text"]);
    const text = "é".repeat(5 * mebibyte);
    collector.collect(database.prepare("VALUES ('a'), (?), ('b')").bind(text));
    expect(readTable(collector.table).map(([each]) => String(each).length)).toEqual([
      1,
      5 * mebibyte,
      1,
    ]);
  });

  test("what was collected is the input of another statement", () => {
    const database = openSqlite();
    const first = new Collector(database.host, ["integer", "text"]);
    first.collect(database.prepare("VALUES (1, 'a'), (2, NULL), (3, 'c')"));
    const { table } = declareTable(database, "stage", [
      { name: "i", kind: "integer" },
      { name: "t", kind: "text" },
    ]);
    table.pointTo(first.table);
    expect(database.query("SELECT i FROM stage WHERE t IS NULL OR t = 'c'")).toEqual([[2n], [3n]]);
  });

  test("rows that fail are named with SQLite's reason, all others are collected", () => {
    const database = openSqlite();
    const lowest = -(2n ** 63n);
    const { table } = declareTable(database, "rows", [{ name: "i", kind: "integer" }]);
    const statement = database.prepare("SELECT abs(i) FROM rows");
    for (const rows of [
      [],
      [lowest],
      [lowest, lowest, 1n],
      [1n, lowest],
      [4n, lowest, -5n, lowest, lowest, 6n],
    ]) {
      fillTable(
        table,
        rows.map((each) => [each]),
      );
      const collector = new Collector(database.host, ["integer"]);
      const failed: number[] = [];
      collector.collectEach(statement, table, (row, error) => {
        expect(error.details["reason"]).toBe("integer overflow");
        failed.push(row);
      });
      const indexes = rows.map((_, index) => index);
      expect(failed).toEqual(indexes.filter((index) => rows[index] === lowest));
      expect(readTable(collector.table)).toEqual(
        rows.filter((each) => each !== lowest).map((each) => [each < 0n ? -each : each]),
      );
      expect(table.first).toBe(0);
      collector.free();
    }
  });

  test("placed values lie at their rows, which the selection names", () => {
    const database = openSqlite();
    const { memory } = database.host;
    const lowest = -(2n ** 63n);
    const values = [1n, 2n, lowest, null, 5n, 6n, 7n, 8n];
    const { table } = declareTable(database, "rows", [{ name: "i", kind: "integer" }]);
    fillTable(
      table,
      values.map((each) => [each]),
    );
    const sql = "SELECT rowid, abs(i), 'text ' || i FROM rows WHERE i IS NULL OR i <> 6";
    const statement = database.prepare(sql);
    const collector = new Collector(database.host, ["integer", "text"]);
    const failed: number[] = [];
    collector.placeEach(statement, table, (row) => failed.push(row));
    expect(failed).toEqual([2]);
    const places = Array.from({ length: collector.table.rowCount }, (_, index) =>
      memory.readUint32(collector.table.selection + 4 * index),
    );
    expect(places).toEqual([0, 1, 3, 4, 6, 7]);
    expect(readTable(collector.table)).toEqual([
      [1n, "text 1"],
      [2n, "text 2"],
      [null, null],
      [5n, "text 5"],
      [7n, "text 7"],
      [8n, "text 8"],
    ]);

    // An input that selects rows itself: places are those of the columns.
    const selection = memory.allocate(12);
    for (const [index, row] of [7, 5, 1].toReversed().entries()) {
      memory.writeUint32(selection + 4 * index, row);
    }
    table.setRows({ rowCount: 3, selection });
    collector.clear();
    collector.placeEach(statement, table, () => {});
    expect(memory.readUint32(collector.table.selection)).toBe(1);
    expect(readTable(collector.table)).toEqual([
      [2n, "text 2"],
      [8n, "text 8"],
    ]);
  });

  test("placed values of all rows need no selection", () => {
    const database = openSqlite();
    const { table } = declareTable(database, "rows", [{ name: "i", kind: "integer" }]);
    const rows = Array.from({ length: 1000 }, (_, index) => [BigInt(index)]);
    fillTable(table, rows);
    const collector = new Collector(database.host, ["integer"]);
    const statement = database.prepare("SELECT rowid, i * 2 FROM rows");
    for (let round = 0; round < 2; round++) {
      collector.clear();
      collector.placeEach(statement, table, () => {});
      expect(collector.table.selection).toBe(0);
      expect(readTable(collector.table)).toEqual(rows.map(([each]) => [(each ?? 0n) * 2n]));
    }
  });

  test("a value of another kind than planned is our own mistake", () => {
    const database = openSqlite();
    for (const [kind, sql] of [
      ["integer", "SELECT 1.5"],
      ["integer", "SELECT 'text'"],
      ["real", "SELECT 'text'"],
      ["text", "SELECT 1"],
      ["blob", "SELECT 'text'"],
      ["wide", "SELECT x'0011'"],
    ] as const) {
      const collector = new Collector(database.host, [kind]);
      expect(() => collector.collect(database.prepare(sql))).toThrow(`column 0 is ${kind}`);
    }
  });

  test("more than the memory bound allows fails, and freeing gives the memory back", () => {
    const database = openSqlite(24 * mebibyte);
    const statement = database.prepare(
      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i, 'x' || i FROM n",
    );
    for (let round = 0; round < 5; round++) {
      const collector = new Collector(database.host, ["integer", "text"]);
      expect(() => collector.collect(statement)).toThrow(
        expect.objectContaining({ code: "sql_memory_exceeded" }),
      );
      statement.reset();
      expect(collector.table.rowCount).toBeGreaterThan(100_000);
      collector.free();
    }
  });
});
