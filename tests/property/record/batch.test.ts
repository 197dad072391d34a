import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { codecNames } from "../../../src/base/codecs.ts";
import { isStreamError } from "../../../src/base/stream-error.ts";
import { batchesIn, readBatchHeader, stampBatch } from "../../../src/record/batch.ts";
import { encodeBatch, type RecordInput } from "../../../src/record/batch-encode.ts";
import { decodeRecords } from "../../../src/record/batch-records.ts";
import { validateBatch } from "../../../src/record/batch-validate.ts";
import { codecs, crc32c } from "../../support/record-tools.ts";

const runs = { seed: 20_260_101, numRuns: 200 };
const sizeMax = 1 << 22;
const validation = { crc32c, codecs, decompressedBytesMax: sizeMax };

const bytes = fc.oneof(
  { weight: 4, arbitrary: fc.uint8Array({ maxLength: 40 }) },
  fc.nat(3000).map((length) => new Uint8Array(length).fill(length)),
);
const nullable = fc.option(bytes);
const record: fc.Arbitrary<RecordInput> = fc.record({
  timestamp: fc.oneof(
    fc.constant(-1),
    fc.integer({ min: 0, max: 2 ** 52 }),
    fc.integer({ min: 1_700_000_000_000, max: 1_700_000_100_000 }),
  ),
  key: nullable,
  value: nullable,
  headers: fc.array(fc.record({ key: fc.string({ unit: "binary" }), value: nullable }), {
    maxLength: 4,
  }),
});
const records = fc.array(record, { minLength: 1, maxLength: 60 });
const codec = fc.constantFrom(...codecNames);
const producer = fc.oneof(
  fc.constant({}),
  fc.record({
    producerId: fc.maxSafeNat(),
    producerEpoch: fc.nat(32767),
    baseSequence: fc.nat(2 ** 31 - 1),
    isTransactional: fc.boolean(),
  }),
);
const tools = { codecs, crc32c };

describe("record batches", () => {
  test("are accepted as encoded and give their records back", () => {
    fc.assert(
      fc.property(records, codec, producer, fc.maxSafeNat(), (inputs, name, fields, offset) => {
        const batch = encodeBatch({ records: inputs, codec: name, ...fields }, tools);
        const copy = batch.slice();
        expect(validateBatch(batch, validation)).toEqual({
          header: readBatchHeader(copy),
          minTimestamp: Math.min(...inputs.map(({ timestamp }) => timestamp)),
        });
        expect(batch).toEqual(copy);
        const baseOffset = Math.min(offset, Number.MAX_SAFE_INTEGER - inputs.length);
        stampBatch(batch, 0, { baseOffset, leaderEpoch: 3 });
        const decoded = [...decodeRecords(batch, { codecs, sizeMax })];
        expect(decoded).toEqual(
          inputs.map((input, index) => ({
            ...input,
            headers: input.headers ?? [],
            offset: baseOffset + index,
          })),
        );
      }),
      runs,
    );
  });

  test("that lie end to end come apart at their edges", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(records, codec), { maxLength: 5 }), (batches) => {
        const encoded = batches.map(([inputs, name]) =>
          encodeBatch({ records: inputs, codec: name }, tools),
        );
        const joined = Buffer.concat(encoded);
        const found = [...batchesIn(joined)].map((slice) => new Uint8Array(slice.bytes));
        expect(found).toEqual(encoded.map((batch) => new Uint8Array(batch)));
      }),
      runs,
    );
  });

  test("of arbitrary record bytes are refused, or read back as counted", () => {
    const noise = fc.uint8Array({ minLength: 1, maxLength: 80 });
    fc.assert(
      fc.property(noise, fc.integer({ min: 1, max: 5 }), fc.nat(4), (packed, count, number) => {
        const batch = new Uint8Array(61 + packed.length);
        batch.set(encodeBatch({ records: [emptyRecord], codec: "none" }, tools).slice(0, 61));
        batch.set(packed, 61);
        const view = new DataView(batch.buffer);
        view.setInt32(8, batch.length - 12);
        view.setUint16(21, number);
        view.setInt32(23, count - 1);
        view.setInt32(57, count);
        view.setUint32(17, crc32c.of(batch.subarray(21)));
        try {
          validateBatch(batch, validation);
        } catch (error) {
          expect(isStreamError(error)).toBe(true);
          return;
        }
        expect([...decodeRecords(batch, { codecs, sizeMax })]).toHaveLength(count);
      }),
      { ...runs, numRuns: 2000 },
    );
  });
});

const emptyRecord: RecordInput = { timestamp: 0, key: null, value: null };
