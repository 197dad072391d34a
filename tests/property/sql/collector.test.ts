import { expect, test } from "bun:test";
import fc from "fast-check";
import { Collector } from "../../../src/sql/sqlite/collector.ts";
import { declareTable } from "../../../src/sql/sqlite/virtual-table.ts";
import { typedRows } from "../../support/sql-rows.ts";
import { fillTable, openSqlite, readTable } from "../../support/sqlite.ts";

test("rows that go through SQLite from columns to columns stay what they are", () => {
  const database = openSqlite();
  const property = fc.property(typedRows, fc.integer({ min: 1, max: 20 }), (input, rowsMax) => {
    const { kinds, rows } = input;
    const columns = kinds.map((kind, index) => ({ name: `c${index}`, kind }));
    const virtual = declareTable(database, "input", columns);
    fillTable(virtual.table, rows);
    const statement = database.prepare("SELECT * FROM input");
    const collector = new Collector(database.host, kinds);
    const seen: unknown[] = [];
    for (let isDone = false; !isDone; ) {
      isDone = collector.collect(statement, { rowsMax }).kind === "done";
      seen.push(...readTable(collector.table));
      collector.clear();
    }
    // SQLite keeps −0 as 0.
    const wanted = rows.map((row) => row.map((cell) => (cell === 0 ? 0 : cell)));
    expect(seen.map((row) => (row as unknown[]).map((c) => (c === 0 ? 0 : c)))).toEqual(wanted);
    statement.finalize();
    collector.free();
    virtual.drop();
  });
  fc.assert(property, { numRuns: 200 });
});
