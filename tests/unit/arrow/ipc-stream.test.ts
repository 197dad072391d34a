import { describe, expect, test } from "bun:test";
import { tableFromIPC } from "apache-arrow";
import type { ArrowColumn } from "../../../src/arrow/arrow-column.ts";
import { IpcStream } from "../../../src/arrow/ipc-stream.ts";
import { IpcStream as SmallIpcStream } from "../../../src/arrow/small-ipc-stream.ts";

const utf8 = new TextEncoder();

for (const Stream of [IpcStream, SmallIpcStream]) {
  const of = Stream === IpcStream ? "apache-arrow" : "our own writer";

  const bytesOf = (columns: readonly ArrowColumn[], batches: readonly (readonly string[])[]) => {
    const stream = new Stream(columns);
    const parts = batches.map((rows) => stream.batch(rows.map((row) => utf8.encode(row))));
    return Buffer.concat([stream.head(), ...parts, stream.end()]);
  };

  /** The values of one column whose rows are these JSON texts. */
  const valuesOf = (type: ArrowColumn["type"], values: readonly string[]): unknown[] => {
    const rows = values.map((value) => `{"a":${value}}`);
    const table = tableFromIPC(bytesOf([{ name: "a", type }], [rows]));
    return [...(table.getChild("a") ?? [])];
  };

  describe(`IpcStream of ${of}`, () => {
    test("keeps all digits of integers, and NULLs", () => {
      const bigint = { kind: "int", bits: 64 } as const;
      const values = ["9223372036854775807", "-9223372036854775808", "null", "0"];
      expect(valuesOf(bigint, values)).toEqual([2n ** 63n - 1n, -(2n ** 63n), null, 0n]);
      expect(valuesOf({ kind: "int", bits: 8 }, ["-128", "127"])).toEqual([-128, 127]);
      expect(valuesOf({ kind: "int", bits: 16 }, ["-32768"])).toEqual([-32768]);
      expect(valuesOf({ kind: "int", bits: 32 }, ["2147483647", "null"])).toEqual([
        2147483647,
        null,
      ]);
    });

    test("keeps all digits of decimals", () => {
      const type = { kind: "decimal", precision: 38, scale: 2 } as const;
      const found = valuesOf(type, ["123456789012345678901234567890123456.78", "-0.01", "5.00"]);
      const unscaled = found.map((value) => {
        const words = new Uint32Array(value as Uint32Array);
        return words.reduceRight((sum, word) => (sum << 32n) | BigInt(word), 0n);
      });
      expect(unscaled.map((value) => BigInt.asIntN(128, value))).toEqual([
        12345678901234567890123456789012345678n,
        -1n,
        500n,
      ]);
    });

    test("knows booleans, floats, texts, bytes and JSON", () => {
      expect(valuesOf({ kind: "bool" }, ["true", "null", "false", "true"])).toEqual([
        ...[true, null, false, true],
      ]);
      expect(valuesOf({ kind: "float", bits: 64 }, ["1.5", '"NaN"', "-1e300"])).toEqual([
        ...[1.5, Number.NaN, -1e300],
      ]);
      expect(valuesOf({ kind: "text" }, ['"a\\n\\"é\\u00e9"', '""', "null"])).toEqual([
        ...['a\n"éé', "", null],
      ]);
      expect(valuesOf({ kind: "binary" }, ['"AP8="', '""'])).toEqual([
        new Uint8Array([0, 255]),
        new Uint8Array(0),
      ]);
      expect(valuesOf({ kind: "json" }, ['{"b": 1.0}', '"x"', "[1]", "null"])).toEqual([
        ...['{"b": 1.0}', '"x"', "[1]", null],
      ]);
    });

    test("counts dates and times from 1970, before and after", () => {
      const type = { kind: "timestamp", isUtc: false } as const;
      expect(valuesOf(type, ['"1969-12-31 23:59:59.999"', '"9999-12-31 00:00:00.000"'])).toEqual([
        ...[-1, Date.UTC(9999, 11, 31)],
      ]);
      const utc = { kind: "timestamp", isUtc: true } as const;
      expect(valuesOf(utc, ['"2026-01-01 00:00:10.250Z"'])).toEqual([
        Date.UTC(2026, 0, 1, 0, 0, 10, 250),
      ]);
      const days = valuesOf({ kind: "date" }, ['"1970-01-02"', '"0001-01-01"']);
      expect(days.map((day) => new Date(day as number).toISOString())).toEqual([
        "1970-01-02T00:00:00.000Z",
        "0001-01-01T00:00:00.000Z",
      ]);
      expect(valuesOf({ kind: "time" }, ['"00:00:01"', '"23:59:59.999"'])).toEqual([
        1000, 86_399_999,
      ]);
    });

    test("writes several batches behind one schema, columns in its order", () => {
      const columns: ArrowColumn[] = [
        { name: "b", type: { kind: "int", bits: 32 } },
        { name: "a", type: { kind: "text" } },
      ];
      const bytes = bytesOf(columns, [['{"a":"x","b":1}'], ['{"b":2}', '{"c":0,"a":"z","b":3}']]);
      const table = tableFromIPC(bytes);
      expect(table.batches.length).toBe(2);
      expect(table.toArray().map((row) => row.toJSON())).toEqual([
        { b: 1, a: "x" },
        { b: 2, a: null },
        { b: 3, a: "z" },
      ]);
    });

    test("is a whole stream without batches, and without columns", () => {
      const columns: ArrowColumn[] = [{ name: "a", type: { kind: "bool" } }];
      expect(tableFromIPC(bytesOf(columns, [])).schema.names).toEqual(["a"]);
      expect(tableFromIPC(bytesOf([], [])).numRows).toBe(0);
    });
  });
}
