import { expect, test } from "bun:test";
import { walk } from "../../../../bench/support/fetch-load.ts";
import { makeFrame } from "../../../../bench/support/produce-load.ts";
import { makeBatch, platform, setSequence } from "../../../../bench/support/record-batches.ts";
import { checkBatchCrc, readBatchHeader } from "../../../../src/record/batch.ts";

const batch = makeBatch({ recordBytes: 100, batchBytes: 2_000 }, 7);

test("a batch of a load holds as many records as fit", () => {
  expect(batch.bytes.length).toBeLessThanOrEqual(2_000 + 61);
  expect(readBatchHeader(batch.bytes).recordCount).toBe(batch.recordCount);
});

test("a prepared frame's batch takes another sequence with its checksum", () => {
  const frame = makeFrame("orders", 3, batch.bytes);
  setSequence(frame.batch, 4711, platform.crc32c);
  const header = readBatchHeader(frame.batch);
  expect([header.producerId, header.baseSequence]).toEqual([7, 4711]);
  checkBatchCrc(frame.batch, platform.crc32c);
  expect(frame.batch.buffer).toBe(frame.bytes.buffer);
});

test("a walk over fetched batches leaves out a last one that is cut", () => {
  const two = Buffer.concat([batch.bytes, batch.bytes]);
  const { recordCount } = batch;
  expect(walk(two)).toEqual({ nextOffset: recordCount, count: 2 * recordCount });
  expect(walk(two.subarray(0, two.length - 1)).count).toBe(recordCount);
  expect(walk(new Uint8Array(0))).toEqual({ nextOffset: -1, count: 0 });
});
