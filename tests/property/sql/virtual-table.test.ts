import { expect, test } from "bun:test";
import fc from "fast-check";
import { declareTable } from "../../../src/sql/sqlite/virtual-table.ts";
import { fillTable, openSqlite } from "../../support/sqlite.ts";

const integer = fc.oneof(
  fc.bigInt({ min: -3n, max: 3n }),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
);
const text = fc.oneof(fc.constantFrom("", "a", "ab", "b", "5"), fc.string({ maxLength: 40 }));
const row = fc.tuple(
  fc.option(integer),
  fc.option(integer),
  fc.option(text),
  fc.option(fc.double({ noNaN: true })),
);
const constraint = fc.oneof(
  fc.tuple(fc.constantFrom("i", "j"), fc.constantFrom("=", "<", "<=", ">", ">=", "<>"), integer),
  fc.tuple(fc.constant("t"), fc.constantFrom("=", "<", ">="), text),
  fc.tuple(fc.constantFrom("i", "t", "r"), fc.constantFrom("=", "<", "IS"), fc.constant(null)),
  fc.tuple(fc.constantFrom("i", "r"), fc.constantFrom("=", "<", ">="), fc.double({ noNaN: true })),
  fc.tuple(fc.constantFrom("i", "t"), fc.constantFrom("=", ">"), text),
);

test("a virtual table gives the rows that an ordinary one would, in order", () => {
  const database = openSqlite();
  const columns = [
    { name: "i", kind: "integer" },
    { name: "j", kind: "integer" },
    { name: "t", kind: "text" },
    { name: "r", kind: "real" },
  ] as const;
  const { table } = declareTable(database, "virtual", columns);
  database.run("CREATE TABLE ordinary(i INTEGER, j INTEGER, t TEXT, r REAL)");
  const insert = database.prepare("INSERT INTO ordinary VALUES (?, ?, ?, ?)");
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
