import { expect, test } from "bun:test";
import fc from "fast-check";
import { Emitter } from "../../../src/sql/sqlite/emitter.ts";
import { declareTable } from "../../../src/sql/sqlite/virtual-table.ts";
import { type DataType, valueKindOf } from "../../../src/sql/types/data-type.ts";
import { emitAll } from "../../support/emitted-records.ts";
import { jsonObject } from "../../support/json-encoder.ts";
import { blobCell, integerCell, realCell, textCell, wideCell } from "../../support/sql-rows.ts";
import { type CellValue, fillTable, openSqlite } from "../../support/sqlite.ts";

/** Types with the values that they can have. */
const typedCells: readonly (readonly [fc.Arbitrary<DataType>, fc.Arbitrary<CellValue>])[] = [
  [fc.constant({ kind: "bigint" }), integerCell],
  [fc.constant({ kind: "boolean" }), fc.bigInt({ min: 0n, max: 1n })],
  [fc.constant({ kind: "double" }), realCell],
  [fc.constant({ kind: "varchar", length: null }), textCell],
  [fc.constant({ kind: "bytes" }), blobCell],
  [fc.constant({ kind: "json" }), fc.json()],
  [
    fc.record({
      kind: fc.constant("decimal" as const),
      precision: fc.constant(18),
      scale: fc.integer({ min: 0, max: 18 }),
    }),
    fc.bigInt({ min: 1n - 10n ** 18n, max: 10n ** 18n - 1n }),
  ],
  [
    fc.record({
      kind: fc.constant("decimal" as const),
      precision: fc.constant(38),
      scale: fc.integer({ min: 0, max: 38 }),
    }),
    wideCell,
  ],
  [fc.constant({ kind: "date" }), fc.bigInt({ min: -1_000_000n, max: 4_000_000n })],
  [fc.constant({ kind: "time" }), fc.bigInt({ min: 0n, max: 86_399_999n })],
  [
    fc.constant({ kind: "timestamp" }),
    fc.bigInt({ min: -(8n * 10n ** 15n), max: 8n * 10n ** 15n }),
  ],
  [fc.constant({ kind: "timestampLtz" }), fc.bigInt({ min: -(10n ** 13n), max: 10n ** 13n })],
];

const column = fc
  .constantFrom(...typedCells)
  .chain(([type, cell]) => fc.record({ type, cells: fc.array(fc.option(cell, { freq: 5 })) }));

const input = fc.record({
  columns: fc.array(column, { minLength: 1, maxLength: 6 }),
  keyCount: fc.integer({ min: 1, max: 3 }),
  chunkBytes: fc.constantFrom(50, 500, 100_000),
  timestamp: fc.integer({ min: -1, max: 2 ** 45 }),
});

test("records are what a plain encoder writes, from statements and from tables", () => {
  const database = openSqlite();
  const property = fc.property(input, ({ columns, keyCount, chunkBytes, timestamp }) => {
    const rowCount = Math.max(...columns.map(({ cells }) => cells.length));
    const rows = Array.from({ length: rowCount }, (_, row) =>
      columns.map(({ cells }) => cells[row] ?? null),
    );
    const fields = columns.map(({ type }, index) => ({
      name: `"c" ${index}`,
      type,
      column: index,
    }));
    const key = fields.slice(0, keyCount);
    const virtual = declareTable(
      database,
      "input",
      fields.map(({ type }, index) => ({ name: `c${index}`, kind: valueKindOf(type) })),
    );
    fillTable(virtual.table, rows);
    const emitter = new Emitter(database.host, { value: fields, key, chunkBytes });
    const wanted = rows.map((row) => ({
      key: jsonObject(key, row),
      value: jsonObject(fields, row),
      timestamp,
    }));
    const statement = database.prepare("SELECT * FROM input");
    emitter.startStatement(statement, timestamp);
    expect(emitAll(emitter)).toEqual(wanted);
    emitter.startTable(virtual.table, timestamp);
    expect(emitAll(emitter)).toEqual(wanted);
    statement.finalize();
    emitter.free();
    virtual.drop();
  });
  fc.assert(property, { numRuns: 300 });
});

test("a FLOAT's text reads back as the same FLOAT", () => {
  const database = openSqlite();
  const { table } = declareTable(database, "input", [{ name: "r", kind: "real" }]);
  const emitter = new Emitter(database.host, {
    value: [{ name: "r", type: { kind: "float" }, column: 0 }],
    key: [],
  });
  const property = fc.property(
    fc.array(fc.float({ noNaN: true, noDefaultInfinity: true })),
    (values) => {
      fillTable(
        table,
        values.map((each) => [each]),
      );
      emitter.startTable(table);
      const read = emitAll(emitter).map(({ value }) => Math.fround(JSON.parse(value ?? "").r));
      expect(read.map((each) => each + 0)).toEqual(values.map((each) => each + 0));
    },
  );
  fc.assert(property, { numRuns: 300 });
});
