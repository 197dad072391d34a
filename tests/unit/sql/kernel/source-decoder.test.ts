import { describe, expect, test } from "bun:test";
import { encodeBatch, type RecordInput } from "../../../../src/record/batch-encode.ts";
import { sourceBatchesOf } from "../../../../src/sql/kernel/source-batch.ts";
import { SourceDecoder } from "../../../../src/sql/kernel/source-decoder.ts";
import type { SourceOrigin } from "../../../../src/sql/plan/plan.ts";
import { SqliteDatabase } from "../../../../src/sql/sqlite/database.ts";
import { declareTable } from "../../../../src/sql/sqlite/virtual-table.ts";
import type { DataType } from "../../../../src/sql/types/data-type.ts";
import { valueKindOf } from "../../../../src/sql/types/data-type.ts";
import { codecs, crc32c } from "../../../support/record-tools.ts";
import { sourceBatch, valueRecords } from "../../../support/source-batches.ts";
import { createSqliteHost } from "../../../support/sqlite.ts";

const encoder = new TextEncoder();
const string: DataType = { kind: "varchar", length: null };
const bigint: DataType = { kind: "bigint" };
const timestamp: DataType = { kind: "timestampLtz" };

interface Declared {
  readonly name: string;
  readonly type: DataType;
  readonly origin: SourceOrigin;
  readonly nullable?: boolean;
}

function value(name: string, type: DataType, nullable = true): Declared {
  return { name, type, nullable, origin: { from: "value", path: name.split(".") } };
}

function metadata(
  field: Extract<SourceOrigin, { from: "metadata" }>["field"],
  type: DataType,
  nullable = true,
): Declared {
  return { name: field, type, nullable, origin: { from: "metadata", field } };
}

/** A decoder, and its rows as SQLite reads them: all columns, then the hidden ones. */
function decoderOf(declared: readonly Declared[], format: "json" | "raw" = "json") {
  const host = createSqliteHost();
  const database = new SqliteDatabase(host);
  const decoder = new SourceDecoder({
    host,
    topic: "bids",
    format,
    columns: declared.map(({ name, type, nullable = true }) => ({ name, type, nullable })),
    origins: declared.map(({ origin }) => origin),
  });
  const columns = declared.map(({ name, type }) => ({ name, kind: valueKindOf(type) }));
  const hidden = [
    { name: "$partition", kind: "integer" },
    { name: "$offset", kind: "integer" },
    { name: "$raw", kind: "blob" },
  ] as const;
  const { table } = declareTable(database, "rows", [...columns, ...hidden]);
  const rows = (sql = "SELECT * FROM rows") => {
    table.pointTo(decoder.table);
    return database.query(sql);
  };
  return { decoder, rows, host };
}

describe("SourceDecoder", () => {
  test("values, metadata and hidden columns of two batches become one table", () => {
    const { decoder, rows } = decoderOf([
      value("a.b", bigint),
      metadata("topic", string),
      metadata("partition", { kind: "int" }),
      metadata("offset", bigint),
      metadata("timestamp", timestamp),
      metadata("key", string),
    ]);
    const record = (timestamp: number, key: string | null, json: string): RecordInput => ({
      timestamp,
      key: key === null ? null : encoder.encode(key),
      value: encoder.encode(json),
    });
    const first = '{"a":{"b":7}}';
    const second = '{"a":null,"c":1}';
    const third = '{"a":{"b":-1}}';
    const result = decoder.decode([
      sourceBatch([record(1000, "k", first), record(500, null, second)], { baseOffset: 40 }),
      sourceBatch([record(2000, "ü", third)], { partition: 3, baseOffset: 2 ** 40 }),
    ]);
    expect(result).toMatchObject({ recordCount: 3, rowCount: 3, tombstoneCount: 0, errors: [] });
    expect(rows()).toEqual([
      [7n, "bids", 0n, 40n, 1000n, "k", 0n, 40n, encoder.encode(first)],
      [null, "bids", 0n, 41n, 500n, null, 0n, 41n, encoder.encode(second)],
      [-1n, "bids", 3n, 2n ** 40n, 2000n, "ü", 3n, 2n ** 40n, encoder.encode(third)],
    ]);
  });

  test("wrong records are told with their reason, and are no rows; nor are tombstones", () => {
    const { decoder, rows } = decoderOf([value("n", { kind: "tinyint" }, false)]);
    const values = ['{"n":1}', '{"n":"x"}', null, '{"n":300}', "{}", '{"n":2', '{"n":"4"}'];
    const result = decoder.decode([sourceBatch(valueRecords(values), { baseOffset: 10 })]);
    expect(rows('SELECT n, "$offset" FROM rows')).toEqual([
      [1n, 10n],
      [4n, 16n],
    ]);
    expect(result).toMatchObject({ recordCount: 7, rowCount: 2, tombstoneCount: 1 });
    expect(
      result.errors.map((each) => [decoder.offsetOf(each.row), decoder.describe(each)]),
    ).toEqual([
      [11, 'Cannot decode "n" as TINYINT: expected a number, at byte 5: found "\\"x\\"}"'],
      [13, 'Cannot decode "n" as TINYINT: the number is out of range, at byte 5: found "300}"'],
      [14, 'Cannot decode "n" as TINYINT: it is NOT NULL, and has no value'],
      [15, "Cannot decode the value: it ends inside of its JSON object, at byte 6"],
    ]);
    expect(decoder.rawOf(1)).toEqual(encoder.encode('{"n":"x"}'));
    expect(decoder.rawOf(2)).toBeNull();
  });

  test("a nested ROW that gets something else is blamed itself", () => {
    const int: DataType = { kind: "int" };
    const { decoder } = decoderOf([value("r.n.a", int), value("r.n.b", int), value("n.a", int)]);
    const values = ['{"r":{"n":[1]}}', '{"n":"x"}', '{"n":{"a":[]}}', '{"r":{"n":null},"n":{}}'];
    const { errors } = decoder.decode([sourceBatch(valueRecords(values))]);
    expect(errors.map((each) => decoder.describe(each))).toEqual([
      'Cannot decode "r.n": expected an object, at byte 10: found "[1]}}"',
      'Cannot decode "n": expected an object, at byte 5: found "\\"x\\"}"',
      'Cannot decode "n.a" as INT: expected a number, at byte 10: found "[]}}"',
    ]);
  });

  test("the same decoder takes batch after batch, large and small", () => {
    const { decoder, rows } = decoderOf([value("t", string), value("n", bigint)]);
    const large = "é\\n".repeat(1_000_000);
    for (const size of [3, 5000, 1, 700]) {
      const values = Array.from(
        { length: size },
        (_, index) => `{"t":"t\\t${index}","n":${index}}`,
      );
      decoder.decode([sourceBatch(valueRecords(values))]);
      const sum = (size * (size - 1)) / 2;
      expect(rows("SELECT count(*), sum(n), max(n) FROM rows WHERE t = 't\t' || n")).toEqual([
        [BigInt(size), BigInt(sum), BigInt(size - 1)],
      ]);
      decoder.decode([sourceBatch(valueRecords([`{"t":"${large}","n":1}`]))]);
      expect(rows("SELECT length(t), n FROM rows")).toEqual([[2_000_000n, 1n]]);
    }
  });

  test("raw: the value is one column of bytes, or of text that is checked", () => {
    const records = valueRecords(["grüße", null, new Uint8Array([0x61, 0xff]), ""]);
    const bytes = decoderOf([value("value", { kind: "bytes" })], "raw");
    const taken = bytes.decoder.decode([sourceBatch(records)]);
    expect(taken).toMatchObject({ rowCount: 4, tombstoneCount: 0, errors: [] });
    expect(bytes.rows("SELECT value FROM rows")).toEqual(
      [encoder.encode("grüße"), null, new Uint8Array([0x61, 0xff]), new Uint8Array()].map(
        (each) => [each],
      ),
    );
    const text = decoderOf([value("value", string, false)], "raw");
    const { errors } = text.decoder.decode([sourceBatch(records)]);
    expect(text.rows('SELECT value, "$offset" FROM rows')).toEqual([
      ["grüße", 0n],
      ["", 3n],
    ]);
    expect(errors.map((each) => text.decoder.describe(each))).toEqual([
      'Cannot decode "value" as STRING: it is NOT NULL, and has no value',
      'Cannot decode "value" as STRING: it is not UTF-8, at byte 1: found "�"',
    ]);
  });

  test("a key that is no text, and a missing one, are errors of their column", () => {
    const { decoder, rows } = decoderOf([value("n", bigint), metadata("key", string, false)]);
    const keys = [encoder.encode("a"), new Uint8Array([0xc0, 0x80]), null];
    const records = keys.map((key) => ({ timestamp: 0, key, value: encoder.encode('{"n":1}') }));
    const { errors } = decoder.decode([sourceBatch(records)]);
    expect(rows("SELECT n, key FROM rows")).toEqual([[1n, "a"]]);
    expect(errors).toEqual([
      { row: 1, fault: "invalidUtf8", column: 1, position: 0 },
      { row: 2, fault: "missing", column: 1, position: 0 },
    ]);
    expect(errors.map((each) => decoder.describe(each))[0]).toContain('"key" as STRING');
  });

  test("headers come as the record has them, and log append time counts for all records", () => {
    const { decoder, rows } = decoderOf([
      metadata("headers", { kind: "bytes" }),
      metadata("timestamp", timestamp),
    ]);
    const headers = [{ key: "h", value: encoder.encode("v") }];
    const batch = sourceBatch([
      { timestamp: 5, key: null, value: encoder.encode("{}"), headers },
      { timestamp: 9, key: null, value: encoder.encode("{}") },
    ]);
    decoder.decode([{ ...batch, isLogAppendTime: true, timestamp: 77 }]);
    expect(rows("SELECT headers, timestamp FROM rows")).toEqual([
      [new Uint8Array([2, 2, 0x68, 2, 0x76]), 77n],
      [new Uint8Array([0]), 77n],
    ]);
  });

  test("records that are not what the batch says are refused, at every cut", () => {
    const { decoder } = decoderOf([value("n", bigint)]);
    const batch = sourceBatch(valueRecords(['{"n":1}', '{"n":2}']), { baseOffset: 8 });
    for (let length = 0; length < batch.records.length; length++) {
      const cut = { ...batch, records: batch.records.subarray(0, length) };
      expect(() => decoder.decode([cut])).toThrow(
        "Cannot read the batch at offset 8 of partition 0",
      );
    }
    expect(() => decoder.decode([{ ...batch, recordCount: 1 }])).toThrow(
      "bytes follow its 1 records",
    );
    expect(() => decoder.decode([{ ...batch, recordCount: 3 }])).toThrow("record 2 of 3");
    for (const at of batch.records.keys()) {
      for (const byte of [0x01, 0x7f, 0x80, 0xff]) {
        const records = batch.records.slice();
        records[at] = byte;
        try {
          decoder.decode([{ ...batch, records }]);
        } catch (error) {
          expect(error).toMatchObject({ code: "corrupt_record" });
        }
      }
    }
    expect(decoder.decode([batch]).rowCount).toBe(2);
    expect(decoder.decode([]).rowCount).toBe(0);
  });

  test("a column of a type that its origin does not have is refused", () => {
    const columns = [metadata("key", bigint), metadata("offset", string)];
    for (const each of columns) {
      expect(() => decoderOf([each])).toThrow(`the metadata ${each.name} cannot be read as`);
    }
    expect(() => decoderOf([value("v", bigint)], "raw")).toThrow("in the format raw");
    expect(() => decoderOf([value("v", { kind: "intervalDay" })])).toThrow("no form of its type");
  });

  test("batches that nobody has summed are summed where they were copied to", () => {
    const { decoder, rows } = decoderOf([value("n", bigint)]);
    const records = valueRecords(['{"n":1}', `{"n":2,"x":"${"y".repeat(900)}"}`]);
    const bytes = encodeBatch({ records, codec: "none" }, { crc32c, codecs });
    for (let cut = 0; cut < bytes.length; cut += 31) {
      const pieces = [bytes.subarray(0, cut), bytes.subarray(cut)];
      const where = { key: "segments/one", position: 0, pieces, baseOffset: 5, lastOffset: 6 };
      const decode = () => decoder.decode(sourceBatchesOf(where, { partition: 0, codecs, crc32c }));
      decode();
      expect(rows('SELECT n, "$offset" FROM rows')).toEqual([
        [1n, 5n],
        [2n, 6n],
      ]);
      // Offset and leader epoch, in front of it, are not summed.
      const place = Math.max(21, bytes.length - 1 - cut);
      bytes[place] = (bytes[place] ?? 0) ^ 8;
      expect(decode).toThrow(expect.objectContaining({ code: "corrupt_segment" }));
      bytes[place] = (bytes[place] ?? 0) ^ 8;
    }
  });
});
