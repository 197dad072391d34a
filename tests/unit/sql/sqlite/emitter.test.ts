import { describe, expect, test } from "bun:test";
import { encloseRecords } from "../../../../src/record/batch-encode.ts";
import { Collector } from "../../../../src/sql/sqlite/collector.ts";
import {
  type EmitField,
  type EmitOptions,
  Emitter,
  type RecordChunk,
} from "../../../../src/sql/sqlite/emitter.ts";
import { declareTable } from "../../../../src/sql/sqlite/virtual-table.ts";
import type { DataType } from "../../../../src/sql/types/data-type.ts";
import { type EmittedRecord, emitAll, recordsOf } from "../../../support/emitted-records.ts";
import { codecs, crc32c } from "../../../support/record-tools.ts";
import { fillTable, openSqlite, tableOf, wideBlob } from "../../../support/sqlite.ts";

/** The JSON that one value becomes. */
function emitted(
  type: DataType,
  sql: string,
  ...values: (bigint | number | string | Uint8Array)[]
) {
  const database = openSqlite();
  const emitter = new Emitter(database.host, { value: [field("v", type, 0)], key: [] });
  emitter.startStatement(database.prepare(`SELECT ${sql}`).bind(...values));
  const value = emitAll(emitter)[0]?.value ?? "";
  return value.slice('{"v":'.length, -1);
}

function field(name: string, type: DataType, column: number): EmitField {
  return { name, type, column };
}

describe("Emitter", () => {
  test("values are written as Flink's JSON format has them", () => {
    const ms = BigInt(Date.UTC(2026, 0, 1, 0, 0, 10));
    expect(emitted({ kind: "timestamp" }, "?", ms)).toBe('"2026-01-01 00:00:10.000"');
    expect(emitted({ kind: "timestampLtz" }, "?", ms + 7n)).toBe('"2026-01-01 00:00:10.007Z"');
    expect(emitted({ kind: "timestamp" }, "?", -1n)).toBe('"1969-12-31 23:59:59.999"');
    expect(emitted({ kind: "date" }, "?", 20_454n)).toBe('"2026-01-01"');
    expect(emitted({ kind: "date" }, "?", -719_528n)).toBe('"0000-01-01"');
    expect(emitted({ kind: "date" }, "?", 2_932_897n)).toBe('"+10000-01-01"');
    expect(emitted({ kind: "date" }, "?", -719_529n)).toBe('"-0001-12-31"');
    expect(emitted({ kind: "time" }, "?", 3_661_000n)).toBe('"01:01:01"');
    expect(emitted({ kind: "time" }, "?", 86_399_999n)).toBe('"23:59:59.999"');
    expect(emitted({ kind: "boolean" }, "?", 1n)).toBe("true");
    expect(emitted({ kind: "boolean" }, "?", 0n)).toBe("false");
    expect(emitted({ kind: "bigint" }, "?", -(2n ** 63n))).toBe("-9223372036854775808");
    expect(emitted({ kind: "bytes" }, "?", new Uint8Array([1, 2, 255]))).toBe('"AQL/"');
    expect(emitted({ kind: "row", fields: [] }, "?", '{"a":[1]}')).toBe('{"a":[1]}');
    expect(emitted({ kind: "varchar", length: null }, "?", 'a"\\\n\0é')).toBe(
      '"a\\"\\\\\\n\\u0000é"',
    );
    expect(emitted({ kind: "bigint" }, "NULL")).toBe("null");
  });

  test("decimals are exact, narrow and wide", () => {
    const narrow: DataType = { kind: "decimal", precision: 10, scale: 2 };
    const wide: DataType = { kind: "decimal", precision: 38, scale: 10 };
    expect(emitted(narrow, "?", 150n)).toBe("1.50");
    expect(emitted(narrow, "?", -5n)).toBe("-0.05");
    expect(emitted(narrow, "?", 0n)).toBe("0.00");
    expect(emitted(wide, "?", wideBlob(10n ** 38n - 1n))).toBe(
      `${"9".repeat(28)}.${"9".repeat(10)}`,
    );
    expect(emitted(wide, "?", wideBlob(-(2n ** 127n)))).toBe(
      "-17014118346046923173168730371.5884105728",
    );
    expect(emitted({ ...wide, scale: 38 }, "?", wideBlob(1n))).toBe(`0.${"0".repeat(37)}1`);
    expect(emitted({ ...wide, scale: 0 }, "?", 10n ** 18n)).toBe("1000000000000000000");
  });

  test("DOUBLE and FLOAT have their shortest text, infinities their names", () => {
    for (const value of [0.1, 1 / 3, 100, 1e15, 1e21, 1.5e-7, 5e-324, 123456789.123, -0.75]) {
      expect(emitted({ kind: "double" }, "?", value)).toBe(String(value));
    }
    expect(emitted({ kind: "float" }, "?", Math.fround(0.1))).toBe("0.1");
    expect(emitted({ kind: "float" }, "?", Math.fround(3.4e38))).toBe("3.4e+38");
    expect(emitted({ kind: "double" }, "1e999")).toBe('"Infinity"');
    expect(emitted({ kind: "double" }, "-1e999")).toBe('"-Infinity"');
  });

  test("bytes that are no UTF-8 become U+FFFD, as TextDecoder has it", () => {
    const cases = [
      "ff",
      "c3",
      "c3c3a9",
      "e282",
      "e28241",
      "eda080",
      "f09f9a",
      "f4908080",
      "c0af80",
    ];
    for (const hex of cases) {
      const bytes = Uint8Array.fromHex(`61${hex}62`);
      const wanted = JSON.stringify(new TextDecoder().decode(bytes));
      expect([hex, emitted({ kind: "varchar", length: null }, "CAST(? AS TEXT)", bytes)]).toEqual([
        hex,
        wanted,
      ]);
    }
  });

  test("keys, timestamps and tombstones", () => {
    const database = openSqlite();
    const emitter = new Emitter(database.host, {
      value: [field("k", { kind: "int" }, 0), field("v", { kind: "int" }, 1)],
      key: [field("k", { kind: "int" }, 0)],
      timestampColumn: 2,
      weightColumn: 3,
    });
    const rows =
      "VALUES (1, 10, 5000, 1), (1, 10, 4000, -1), (2, 20, NULL, 1), (3, 3, -9, 1), (4, 4, 1, 0)";
    emitter.startStatement(database.prepare(rows), 777);
    const records: EmittedRecord[] = emitAll(emitter);
    expect(records).toEqual([
      { key: '{"k":1}', value: '{"k":1,"v":10}', timestamp: 5000 },
      { key: '{"k":1}', value: null, timestamp: 4000 },
      { key: '{"k":2}', value: '{"k":2,"v":20}', timestamp: 777 },
      { key: '{"k":3}', value: '{"k":3,"v":3}', timestamp: 0 },
    ]);
  });

  test("names are any text, and one timestamp serves all", () => {
    const database = openSqlite();
    const name = 'a "b"\\\né';
    const emitter = new Emitter(database.host, {
      value: [field(name, { kind: "int" }, 0)],
      key: [],
    });
    emitter.startStatement(database.prepare("SELECT 1"), 1234);
    expect(emitAll(emitter)).toEqual([
      { key: null, value: `{${JSON.stringify(name)}:1}`, timestamp: 1234 },
    ]);
  });

  test("no rows are no chunk", () => {
    const database = openSqlite();
    const emitter = new Emitter(database.host, oneText());
    emitter.startStatement(database.prepare("SELECT 'x' WHERE 0"));
    expect(emitter.next()).toEqual({ kind: "done", chunk: null });
  });

  test("rows of a table are written without SQLite, by its selection and from its first row", () => {
    const database = openSqlite();
    const { memory } = database.host;
    const rows = ["a", "b", "c", "d", "e"].map((each) => [each]);
    const table = tableOf(memory, ["text"], rows);
    const selection = memory.allocate(12);
    for (const [index, row] of [0, 2, 4].entries()) memory.writeUint32(selection + 4 * index, row);
    table.setRows({ rowCount: 3, selection, first: 1 });
    const emitter = new Emitter(database.host, oneText());
    emitter.startTable(table);
    expect(emitAll(emitter).map(({ value }) => value)).toEqual(['{"t":"c"}', '{"t":"e"}']);
  });

  test("chunks are bounded; a record larger than a chunk comes alone", () => {
    const database = openSqlite();
    const emitter = new Emitter(database.host, oneText({ chunkBytes: 300 }));
    const lengths = [10, 100, 150, 5000, 20, 100_000, 30];
    const table = tableOf(
      database.host.memory,
      ["text"],
      lengths.map((length) => ["x".repeat(length)]),
    );
    emitter.startTable(table);
    const sizes: number[] = [];
    const records: EmittedRecord[] = [];
    for (let isDone = false; !isDone; ) {
      const outcome = emitter.next();
      if (outcome.chunk !== null) {
        sizes.push(outcome.chunk.records.length);
        records.push(...recordsOf(outcome.chunk));
      }
      isDone = outcome.kind === "done";
    }
    expect(records.map(({ value }) => (value ?? "").length - '{"t":""}'.length)).toEqual(lengths);
    expect(sizes.filter((size) => size > 300).length).toBe(2);
    emitter.free();
  });

  test("records whose lengths take more or fewer bytes than those before are whole", () => {
    const database = openSqlite();
    const fields = [field("t", { kind: "varchar", length: null }, 0)];
    const emitter = new Emitter(database.host, { value: fields, key: fields, chunkBytes: 40_000 });
    const lengths = [0, 54, 55, 56, 57, 0, 8_100, 8_180, 8_190, 10, 20_000, 3, 60_000, 0, 56];
    const texts = lengths.map((length, index) => String(index % 10).repeat(length));
    emitter.startTable(
      tableOf(
        database.host.memory,
        ["text"],
        texts.map((each) => [each]),
      ),
    );
    const wanted = texts.map((each) => JSON.stringify({ t: each }));
    expect(emitAll(emitter).map(({ key, value }) => [key, value])).toEqual(
      wanted.map((each) => [each, each]),
    );
  });

  test("a text that grows six times while it is written, and growth of the memory", () => {
    const database = openSqlite();
    const text = "\u0001".repeat(3 * 1024 * 1024);
    const emitter = new Emitter(database.host, oneText());
    emitter.startTable(tableOf(database.host.memory, ["text"], [["a"], [text], ["b"]]));
    const values = emitAll(emitter).map(({ value }) => value);
    expect(values).toEqual(['{"t":"a"}', `{"t":${JSON.stringify(text)}}`, '{"t":"b"}']);
  });

  test("a row that fails leaves the records before it, and writing goes on behind it", () => {
    const database = openSqlite();
    const { table } = declareTable(database, "rows", [{ name: "i", kind: "integer" }]);
    fillTable(table, [[1n], [-(2n ** 63n)], [3n]]);
    const statement = database.prepare("SELECT abs(i) FROM rows");
    const emitter = new Emitter(database.host, {
      value: [field("i", { kind: "bigint" }, 0)],
      key: [],
    });
    emitter.startStatement(statement);
    const failed = emitter.next();
    expect(failed).toMatchObject({ kind: "failed", error: { code: "sql_evaluation_failed" } });
    expect(recordsOf(failed.chunk as RecordChunk)).toEqual([
      { key: null, value: '{"i":1}', timestamp: -1 },
    ]);
    expect(table.current).toBe(1);
    statement.reset();
    table.first = 2;
    expect(emitAll(emitter)).toEqual([{ key: null, value: '{"i":3}', timestamp: -1 }]);
  });

  test("a chunk that is held open goes on with the rows of later tables, up to its size", () => {
    const database = openSqlite();
    const { host } = database;
    const emitter = new Emitter(host, {
      ...{ value: [field("v", { kind: "bigint" }, 0)], key: [] },
      ...{ chunkBytes: 200, isHeldOpen: true },
    });
    const chunks: EmittedRecord[][] = [];
    for (let first = 0; first < 40; first += 4) {
      const rows = [0, 1, 2, 3].map((more) => [BigInt(first + more)]);
      emitter.startTable(tableOf(host.memory, ["integer"], rows), 1000 - first);
      for (let isDone = false; !isDone; ) {
        const { kind, chunk } = emitter.next();
        if (chunk !== null) chunks.push(recordsOf(chunk));
        isDone = kind === "done";
      }
    }
    expect(emitter.heldBytes).toBeGreaterThan(0);
    const last = emitter.take();
    chunks.push(recordsOf(last as RecordChunk));
    expect(emitter.take()).toBeNull();
    expect(emitter.heldBytes).toBe(0);
    expect(chunks.flat()).toEqual(
      Array.from({ length: 40 }, (_, index) => {
        return { key: null, value: `{"v":${index}}`, timestamp: 1000 - (index - (index % 4)) };
      }),
    );
    // Full ones of some fourteen records, whatever the tables were.
    expect(chunks.length).toBe(3);
  });

  test("a batch around the records is one that readers take, compressed too", () => {
    const database = openSqlite();
    const collector = new Collector(database.host, ["text"]);
    collector.collect(database.prepare("VALUES ('one'), ('two')"));
    const emitter = new Emitter(database.host, oneText());
    for (const codec of ["none", "zstd"] as const) {
      emitter.startTable(collector.table, 77);
      const { chunk } = emitter.next();
      const batch = encloseRecords(chunk as RecordChunk, { codec }, { codecs, crc32c });
      expect(recordsOf(batch).map(({ value }) => value)).toEqual(['{"t":"one"}', '{"t":"two"}']);
    }
  });

  test("a value of another kind than planned is our own mistake", () => {
    const database = openSqlite();
    const emitter = new Emitter(database.host, oneText());
    emitter.startStatement(database.prepare("SELECT 1"));
    expect(() => emitter.next()).toThrow("column 0 has the kind that was planned");
  });
});

function oneText(more: Partial<EmitOptions> = {}): EmitOptions {
  return { value: [field("t", { kind: "varchar", length: null }, 0)], key: [], ...more };
}
