import { expect, test } from "bun:test";
import fc from "fast-check";
import { declareTable } from "../../../src/sql/sqlite/virtual-table.ts";
import { fillTable, openSqlite } from "../../support/sqlite.ts";

const integer = fc.oneof(
  fc.bigInt({ min: -3n, max: 3n }),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
);
const text = fc.oneof(fc.constantFrom("", "a", "ab", "b", "5"), fc.string({ maxLength: 40 }));
const blob = fc.oneof(fc.constant(new Uint8Array(0)), fc.uint8Array({ maxLength: 2, max: 2 }));
const row = fc.tuple(
  fc.option(integer),
  fc.option(integer),
  fc.option(text),
  // An ordinary table stores −0 as 0.
  fc.option(fc.double({ noNaN: true }).map((each) => each + 0)),
  fc.option(blob),
);
const constraint = fc.oneof(
  fc.tuple(fc.constantFrom("i", "j"), fc.constantFrom("=", "<", "<=", ">", ">=", "<>"), integer),
  fc.tuple(fc.constant("t"), fc.constantFrom("=", "<", ">="), text),
  fc.tuple(fc.constantFrom("i", "t", "r"), fc.constantFrom("=", "<", "IS"), fc.constant(null)),
  fc.tuple(fc.constantFrom("i", "r"), fc.constantFrom("=", "<", ">="), fc.double({ noNaN: true })),
  fc.tuple(fc.constantFrom("i", "t", "b"), fc.constantFrom("=", ">"), text),
  fc.tuple(fc.constantFrom("b", "t"), fc.constantFrom("=", "<"), blob),
);

test("a virtual table gives the rows that an ordinary one would, in order", () => {
  const database = openSqlite();
  const columns = [
    { name: "i", kind: "integer" },
    { name: "j", kind: "integer" },
    { name: "t", kind: "text" },
    { name: "r", kind: "real" },
    { name: "b", kind: "blob" },
  ] as const;
  const { table } = declareTable(database, "virtual", columns);
  database.run("CREATE TABLE ordinary(i INTEGER, j INTEGER, t TEXT, r REAL, b BLOB)");
  const insert = database.prepare("INSERT INTO ordinary VALUES (?, ?, ?, ?, ?)");
  const property = fc.property(
    fc.array(row, { maxLength: 60 }),
    fc.array(constraint, { minLength: 1, maxLength: 8 }),
    fc.constantFrom("AND", "OR"),
    (rows, constraints, operator) => {
      database.run("DELETE FROM ordinary");
      for (const each of rows) insert.all(...each);
      fillTable(table, rows);
      const where = constraints.map(([name, sign]) => `${name} ${sign} ?`).join(` ${operator} `);
      const values = constraints.map(([, , value]) => value);
      const select = (name: string) =>
        database.query(
          `SELECT rowid - (SELECT min(rowid) FROM ${name}), * FROM ${name} WHERE ${where}`,
          ...values,
        );
      expect(select("virtual")).toEqual(select("ordinary"));
    },
  );
  fc.assert(property, { numRuns: 200 });
});

test("a join of virtual tables gives what one of ordinary tables would, in order", () => {
  const database = openSqlite();
  const columns = [
    { name: "i", kind: "integer" },
    { name: "t", kind: "text" },
  ] as const;
  const names = ["a", "b"] as const;
  const tables = names.map((name) => declareTable(database, `virtual_${name}`, columns).table);
  for (const name of names) database.run(`CREATE TABLE ordinary_${name}(i INTEGER, t TEXT)`);
  const few = fc.tuple(
    fc.option(fc.oneof(fc.bigInt({ min: 0n, max: 20n }), integer), { freq: 8 }),
    fc.option(fc.oneof(fc.constantFrom("", "x", "xyz", "long enough to hash twice"), text)),
  );
  const property = fc.property(
    fc.array(few, { maxLength: 20 }),
    fc.array(few, { minLength: 30, maxLength: 90 }),
    fc.constantFrom("a.i = b.i", "a.t = b.t", "a.t = b.t AND a.i = b.i", "b.i = a.i AND b.t > 'x'"),
    fc.constantFrom("CROSS JOIN", "LEFT JOIN"),
    fc.nat({ max: 5 }),
    (left, right, condition, join, first) => {
      for (const [index, rows] of [left, right].entries()) {
        const name = names[index] ?? "a";
        database.run(`DELETE FROM ordinary_${name}`);
        const used = index === 1 ? rows.slice(first) : rows;
        for (const row of used) database.run(`INSERT INTO ordinary_${name} VALUES (?, ?)`, ...row);
        const table = tables[index];
        if (table !== undefined) fillTable(table, rows);
        if (index === 1) table?.setRows({ rowCount: rows.length, first });
      }
      const select = (sort: string) =>
        database.query(
          `SELECT a.*, b.* FROM ${sort}_a AS a ${join} ${sort}_b AS b ON ${condition} ` +
            "ORDER BY a.rowid, b.rowid",
        );
      expect(select("virtual")).toEqual(select("ordinary"));
    },
  );
  fc.assert(property, { numRuns: 100 });
});
