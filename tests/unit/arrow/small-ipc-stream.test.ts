/**
 * Our own Arrow beside apache-arrow's, and its bytes beside those that pyarrow 26 was seen to read:
 * `python tests/golden/generate/read-arrow.py tests/golden/fixtures/arrow/all-types.arrow` (with
 * `pip install pyarrow`) prints all-types.json.
 */
import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { tableFromIPC } from "apache-arrow";
import fc from "fast-check";
import type { ArrowColumn } from "../../../src/arrow/arrow-column.ts";
import { IpcStream } from "../../../src/arrow/ipc-stream.ts";
import { IpcStream as SmallIpcStream } from "../../../src/arrow/small-ipc-stream.ts";

const columns: readonly ArrowColumn[] = [
  { name: "bool", type: { kind: "bool" } },
  { name: "tiny", type: { kind: "int", bits: 8 } },
  { name: "small", type: { kind: "int", bits: 16 } },
  { name: "int", type: { kind: "int", bits: 32 } },
  { name: "long", type: { kind: "int", bits: 64 } },
  { name: "float", type: { kind: "float", bits: 32 } },
  { name: "double", type: { kind: "float", bits: 64 } },
  { name: "decimal", type: { kind: "decimal", precision: 20, scale: 2 } },
  { name: "text, and no ASCII: ä", type: { kind: "text" } },
  { name: "bytes", type: { kind: "binary" } },
  { name: "date", type: { kind: "date" } },
  { name: "time", type: { kind: "time" } },
  { name: "timestamp", type: { kind: "timestamp", isUtc: false } },
  { name: "utc", type: { kind: "timestamp", isUtc: true } },
  { name: "json", type: { kind: "json" } },
];

const json = (value: unknown) => JSON.stringify(value);
const digits = (min: bigint, max: bigint) => fc.bigInt({ min, max }).map(String);
const iso = (moment: Date) => moment.toISOString();
const moments = fc.date({ min: new Date(0), max: new Date(4e12), noInvalidDate: true }).map(iso);

/** JSON of a value of each column. */
const cells: readonly fc.Arbitrary<string>[] = [
  fc.boolean().map(String),
  digits(-128n, 127n),
  digits(-32_768n, 32_767n),
  digits(-(2n ** 31n), 2n ** 31n - 1n),
  digits(-(2n ** 63n), 2n ** 63n - 1n),
  fc.float({ noNaN: true, noDefaultInfinity: true }).map(json),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map(json),
  digits(-(10n ** 17n), 10n ** 17n).map((whole) => `${whole}.25`),
  fc.string({ unit: "grapheme" }).map(json),
  fc.uint8Array().map((bytes) => json(bytes.toBase64())),
  moments.map((moment) => json(moment.slice(0, 10))),
  moments.map((moment) => json(moment.slice(11, 23))),
  moments.map((moment) => json(moment.slice(0, 23).replace("T", " "))),
  moments.map((moment) => json(moment.replace("T", " "))),
  fc.jsonValue().map(json),
];

const row = fc
  .tuple(...cells.map((cell) => fc.option(cell, { nil: "null", freq: 4 })))
  .map((values) => {
    const members = columns.map(({ name }, index) => `${json(name)}:${values[index]}`);
    return `{${members.join(",")}}`;
  });

function bytesOf(
  Stream: typeof IpcStream | typeof SmallIpcStream,
  batches: readonly (readonly string[])[],
): Uint8Array {
  const stream = new Stream(columns);
  const utf8 = new TextEncoder();
  const parts = batches.map((rows) => stream.batch(rows.map((each) => utf8.encode(each))));
  return Buffer.concat([stream.head(), ...parts, stream.end()]);
}

function readBack(bytes: Uint8Array) {
  const { schema, batches } = tableFromIPC(bytes);
  return {
    fields: schema.fields.map(String),
    batches: batches.map((batch) =>
      schema.fields.map((_, index) => {
        const column = batch.getChildAt(index);
        return { nullCount: column?.nullCount, values: [...(column ?? [])] };
      }),
    ),
  };
}

test("apache-arrow reads the same out of ours as out of its own, whatever the rows are", () => {
  fc.assert(
    fc.property(
      fc.array(fc.array(row, { minLength: 1, maxLength: 20 }), { maxLength: 3 }),
      (batches) => {
        const own = readBack(bytesOf(SmallIpcStream, batches));
        expect(own).toEqual(readBack(bytesOf(IpcStream, batches)));
        // A table without batches has one without rows.
        expect(own.batches).toHaveLength(Math.max(1, batches.length));
      },
    ),
    { numRuns: 100 },
  );
});

test("its bytes are those that pyarrow was seen to read", () => {
  const fixture = (name: string) =>
    readFileSync(join(import.meta.dir, "../../golden/fixtures/arrow", name));
  const text = fixture("all-types.ndjson").toString().trimEnd().split("\n");
  const bytes = bytesOf(SmallIpcStream, [text.slice(0, 2), text.slice(2)]);
  expect(Buffer.from(bytes).toString("hex")).toBe(fixture("all-types.arrow").toString("hex"));
});
