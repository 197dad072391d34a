import { describe, expect, test } from "bun:test";
import { slackBytes } from "../../../../src/sql/memory/column-layout.ts";
import { declareTable, type TableColumn } from "../../../../src/sql/sqlite/virtual-table.ts";
import { fillTable, openSqlite, tableOf, wideBlob } from "../../../support/sqlite.ts";

const columns: readonly TableColumn[] = [
  { name: "i", kind: "integer" },
  { name: "r", kind: "real" },
  { name: "t", kind: "text" },
  { name: "b", kind: "blob" },
  { name: "w", kind: "wide" },
];

const wideMax = 2n ** 127n - 1n;

describe("declareTable", () => {
  test("every kind of value is read, NULLs and empty ones too", () => {
    const database = openSqlite();
    const { table } = declareTable(database, "rows", columns);
    const bytes = new Uint8Array([0, 1, 255]);
    fillTable(table, [
      [-(2n ** 63n), -0.5, "grüße\0x", bytes, wideMax],
      [null, null, null, null, null],
      [7n, 1e300, "", new Uint8Array(0), -1n],
    ]);
    expect(database.query("SELECT * FROM rows")).toEqual([
      [-(2n ** 63n), -0.5, "grüße\0x", bytes, wideBlob(wideMax)],
      [null, null, null, null, null],
      [7n, 1e300, "", new Uint8Array(0), wideBlob(-1n)],
    ]);
  });

  test("a table without rows, and one of 70 000", () => {
    const database = openSqlite();
    const { table } = declareTable(database, "rows", [{ name: "i", kind: "integer" }]);
    const statement = database.prepare("SELECT count(*), min(i), max(i) FROM rows");
    expect(statement.all()).toEqual([[0n, null, null]]);
    fillTable(
      table,
      Array.from({ length: 70_000 }, (_, index) => [BigInt(index)]),
    );
    expect(statement.all()).toEqual([[70_000n, 0n, 69_999n]]);
    expect(database.query("SELECT rowid, i FROM rows WHERE i = 69999")).toEqual([
      [69_999n, 69_999n],
    ]);
  });

  test("wide values compare as the numbers do", () => {
    const database = openSqlite();
    const numbers = [-(2n ** 127n), -(2n ** 64n), -1n, 0n, 1n, 2n ** 64n, wideMax];
    const { table } = declareTable(database, "rows", [{ name: "w", kind: "wide" }]);
    fillTable(
      table,
      numbers.toReversed().map((each) => [each]),
    );
    expect(database.query("SELECT w FROM rows ORDER BY w")).toEqual(
      numbers.map((each) => [wideBlob(each)]),
    );
  });

  test("a statement sees the rows that the table points at when it starts", () => {
    const database = openSqlite();
    const { memory } = database.host;
    const { table } = declareTable(database, "rows", [{ name: "t", kind: "text" }]);
    const statement = database.prepare("SELECT t FROM rows");
    table.pointTo(tableOf(memory, ["text"], [["a"], ["b"]]));
    expect(statement.all()).toEqual([["a"], ["b"]]);
    table.pointTo(tableOf(memory, ["text"], [["c"]]));
    expect(statement.all()).toEqual([["c"]]);
  });

  test("a stride makes the entries of another structure a column", () => {
    const database = openSqlite();
    const { memory } = database.host;
    const entries = memory.allocateZeroed(3 * 24);
    for (let row = 0; row < 3; row++) {
      memory.view.setBigInt64(entries + row * 24 + 8, BigInt(row * 10), true);
      memory.bytes[entries + row * 24 + 16] = row === 1 ? 1 : 0;
    }
    const { table } = declareTable(database, "rows", [{ name: "i", kind: "integer" }]);
    table.point(0, { values: entries + 8, stride: 24, nulls: entries + 16, nullStride: 24 });
    table.setRows({ rowCount: 3 });
    expect(database.query("SELECT i FROM rows")).toEqual([[0n], [null], [20n]]);
    expect(database.query("SELECT i FROM rows WHERE i = 20")).toEqual([[20n]]);
    expect(database.query("SELECT i FROM rows WHERE i = 10")).toEqual([]);
  });

  test("text pointers are relative to the base", () => {
    const database = openSqlite();
    const { memory } = database.host;
    const text = memory.place(new TextEncoder().encode("xxhello"));
    const slots = memory.allocateZeroed(8);
    memory.writeUint32(slots, 2);
    memory.writeUint32(slots + 4, 5);
    const { table } = declareTable(database, "rows", [{ name: "t", kind: "text" }]);
    table.point(0, { values: slots, base: text });
    table.setRows({ rowCount: 1 });
    expect(database.query("SELECT t FROM rows WHERE t = 'hello'")).toEqual([["hello"]]);
  });

  test("a selection chooses rows, in scans and in constraints", () => {
    const database = openSqlite();
    const { memory } = database.host;
    const { table } = declareTable(database, "rows", [{ name: "i", kind: "integer" }]);
    fillTable(
      table,
      Array.from({ length: 10 }, (_, index) => [BigInt(index % 5)]),
    );
    const selection = memory.allocate(4 * 4);
    for (const [index, row] of [1, 3, 6, 8].entries()) {
      memory.writeUint32(selection + 4 * index, row);
    }
    table.setRows({ rowCount: 4, selection });
    expect(database.query("SELECT rowid, i FROM rows")).toEqual([
      [0n, 1n],
      [1n, 3n],
      [2n, 1n],
      [3n, 3n],
    ]);
    expect(database.query("SELECT rowid FROM rows WHERE i = 3")).toEqual([[1n], [3n]]);
    table.first = 2;
    expect(database.query("SELECT rowid FROM rows WHERE i = 3")).toEqual([[3n]]);
  });

  test("the row of an error is named, and a scan goes on behind it", () => {
    const database = openSqlite();
    const { table } = declareTable(database, "rows", [{ name: "i", kind: "integer" }]);
    const lowest = -(2n ** 63n);
    fillTable(table, [[-1n], [lowest], [2n], [lowest], [-3n]]);
    const statement = database.prepare("SELECT abs(i) FROM rows WHERE i <> 0");
    const good: unknown[] = [];
    const bad: number[] = [];
    for (let isDone = false; !isDone; ) {
      try {
        while (statement.step()) good.push(statement.value(0));
        isDone = true;
      } catch {
        bad.push(table.current);
        statement.reset();
        table.first = table.current + 1;
      }
    }
    expect(good).toEqual([1n, 2n, 3n]);
    expect(bad).toEqual([1, 3]);
  });

  test("rows come in order whatever the constraints are", () => {
    const database = openSqlite();
    const { table } = declareTable(database, "rows", [
      { name: "i", kind: "integer" },
      { name: "t", kind: "text" },
    ]);
    fillTable(
      table,
      [3n, 1n, 2n, 1n, 3n, 2n].map((each) => [each, `t${each}`]),
    );
    for (const where of ["i IN (1, 2, 3)", "i = 2 OR i = 1 OR i = 3", "t IN ('t1', 't3', 't2')"]) {
      expect(database.query(`SELECT rowid FROM rows WHERE ${where}`).flat()).toEqual([
        0n,
        1n,
        2n,
        3n,
        4n,
        5n,
      ]);
    }
  });

  test("a constraint of another type or collation is SQLite's to judge", () => {
    const database = openSqlite();
    const { table } = declareTable(database, "rows", columns);
    fillTable(table, [[5n, 5, "Abc", null, null]]);
    const counts = [
      ["i = 5.0", 1n],
      ["i = '5'", 1n],
      ["i > 4.5", 1n],
      ["i < 4.5", 0n],
      ["i = NULL", 0n],
      ["i IS NULL", 0n],
      ["t = 'abc' COLLATE NOCASE", 1n],
      ["t = 'abc'", 0n],
      ["t = x'416263'", 0n],
      ["r = 5", 1n],
      ["b IS NULL", 1n],
    ] as const;
    for (const [where, count] of counts) {
      const rows = database.query(`SELECT count(*) FROM rows WHERE ${where}`);
      expect([where, rows[0]?.[0]]).toEqual([where, count]);
    }
  });

  test("several scans of one table at once", () => {
    const database = openSqlite();
    const { table } = declareTable(database, "rows", [
      { name: "id", kind: "integer" },
      { name: "parent", kind: "text" },
      { name: "name", kind: "text" },
    ]);
    fillTable(table, [
      [1n, null, "root"],
      [2n, "root", "left"],
      [3n, "root", "right"],
      [4n, "left", "leaf"],
    ]);
    const sql =
      "SELECT child.id, parent.id FROM rows AS child LEFT JOIN rows AS parent " +
      "ON child.parent = parent.name ORDER BY child.id";
    expect(database.query(sql)).toEqual([
      [1n, null],
      [2n, 1n],
      [3n, 1n],
      [4n, 2n],
    ]);
  });

  test("the inner side of a join is looked up, not scanned, and gives its rows in order", () => {
    const database = openSqlite();
    const column = [{ name: "i", kind: "integer" }] as const;
    const outer = declareTable(database, "outside", column).table;
    const inner = declareTable(database, "inside", column).table;
    // 20 000 × 20 000 pairs would take minutes if each were looked at by SQLite.
    const rows = Array.from({ length: 20_000 }, (_, index) => [BigInt(index % 10_000)]);
    fillTable(outer, rows);
    fillTable(inner, rows);
    const sql = "FROM outside CROSS JOIN inside ON outside.i = inside.i";
    expect(database.query(`SELECT count(*) ${sql}`)).toEqual([[40_000n]]);
    expect(database.query(`SELECT inside.rowid ${sql} WHERE outside.i = 7`)).toEqual([
      [7n],
      [10_007n],
      [7n],
      [10_007n],
    ]);
  });

  test("all equalities of a join are looked up together", () => {
    const database = openSqlite();
    const columns = [
      { name: "start", kind: "integer" },
      { name: "k", kind: "text" },
    ] as const;
    const outer = declareTable(database, "outside", columns).table;
    const inner = declareTable(database, "inside", columns).table;
    // As windows have it: the first equality is true of all rows.
    const rows = Array.from({ length: 10_000 }, (_, index) => [0n, `key ${index}`]);
    fillTable(outer, rows);
    fillTable(inner, rows);
    const sql = "SELECT count(*) FROM outside CROSS JOIN inside USING (start, k)";
    expect(database.query(sql)).toEqual([[10_000n]]);
  });

  test("constraints are pushed down also by what is prepared before there are rows", () => {
    const database = openSqlite();
    declareTable(database, "outside", [{ name: "i", kind: "integer" }]);
    declareTable(database, "inside", [
      { name: "i", kind: "integer" },
      { name: "t", kind: "text" },
    ]);
    const plan = (sql: string) =>
      database.query(`EXPLAIN QUERY PLAN ${sql}`).map((row) => String(row[3]));
    expect(plan("SELECT * FROM outside CROSS JOIN inside USING (i) WHERE t = 'x'")).toEqual([
      "SCAN outside VIRTUAL TABLE INDEX 0:",
      "SCAN inside VIRTUAL TABLE INDEX 2:=0001=0000",
    ]);
    expect(plan("SELECT * FROM inside WHERE i >= 3 AND i < 9")).toEqual([
      "SCAN inside VIRTUAL TABLE INDEX 2:[0000<0000",
    ]);
  });

  test("names are any text", () => {
    const database = openSqlite();
    const { table } = declareTable(database, 'a "b"', [{ name: 'x "y"', kind: "integer" }]);
    fillTable(table, [[1n]]);
    expect(database.query('SELECT "x ""y""" FROM "a ""b"""')).toEqual([[1n]]);
  });

  test("more than 255 columns, the last one constrained", () => {
    const database = openSqlite();
    const many = Array.from({ length: 300 }, (_, index) => ({
      name: `c${index}`,
      kind: "integer" as const,
    }));
    const { table } = declareTable(database, "rows", many);
    fillTable(table, [
      many.map((_, index) => BigInt(index)),
      many.map((_, index) => BigInt(-index)),
    ]);
    expect(database.query("SELECT c1 FROM rows WHERE c299 = -299")).toEqual([[-1n]]);
  });

  test("a dropped table is gone, and its name can be given again", () => {
    const database = openSqlite();
    declareTable(database, "rows", [{ name: "i", kind: "integer" }]).drop();
    expect(() => database.query("SELECT * FROM rows")).toThrow("no such table");
    const { table } = declareTable(database, "rows", [{ name: "t", kind: "text" }]);
    fillTable(table, [["x".repeat(slackBytes * 3)]]);
    expect(database.query("SELECT length(t) FROM rows")).toEqual([[48n]]);
  });
});
