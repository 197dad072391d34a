/**
 * Objects of version 1, written once and kept: whatever the program becomes, it reads these. The
 * expectations are spelled out here and not computed by the code that wrote the files.
 */
import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { batchesOf, decodeFooter, decodeHeader } from "../../../src/segment/decode.ts";
import { decodeReceiptObject } from "../../../src/segment/receipt-object.ts";
import type { SegmentEntry } from "../../../src/segment/segment.ts";
import { verifySegment } from "../../../src/segment/verify.ts";
import { crc32c } from "../../support/segments.ts";

const fixtures = join(import.meta.dirname, "../fixtures/segment");
const segment = new Uint8Array(readFileSync(join(fixtures, "v1.segment")));
const receiptObject = new Uint8Array(readFileSync(join(fixtures, "v1.receipts")));

const receipts = [
  {
    sequence: 123_456_789_010,
    publishPosition: 5_000_000_000,
    publishedAt: 1_789_999_999_999,
    entries: [
      { verdict: 0, baseOffset: 7_000_000_000, leaderEpoch: 3, appendedCount: 2, skippedCount: 1 },
      { verdict: 1, baseOffset: -1, leaderEpoch: -1, appendedCount: 0, skippedCount: 0 },
    ],
    groups: [0, 255],
  },
  {
    sequence: 123_456_789_011,
    publishPosition: 5_000_000_002,
    publishedAt: 1_790_000_000_000,
    entries: [],
    groups: [],
  },
];

test("a version 1 header reads as written", () => {
  expect(decodeHeader(segment, crc32c)).toEqual({
    version: 1,
    workerEpoch: 17,
    sequence: 123_456_789_012,
    createdAt: 1_790_000_000_123,
    length: 151_552,
    bodyLength: 150_753,
  });
});

test("a version 1 footer reads as written", () => {
  const footer = decodeFooter(segment, { crc32c });
  expect(footer.topics).toEqual([
    { topicId: "AQIDBAUGBwgJCgsMDQ4PEA" as never, name: "orders", partitionCount: 3 },
    { topicId: "ZWZnaGlqa2xtbm9wcXJzdA" as never, name: "café", partitionCount: 1 },
  ]);
  const decoder = new TextDecoder();
  expect(footer.groups.map((group) => decoder.decode(group))).toEqual([
    '{"guards":[],"effects":[{"kind":"httpProducer"}]}',
    '{"guards":[],"effects":[]}',
  ]);
  expect(footer.receipts).toEqual(receipts);
  expect(footer.entries.map(placeOf)).toEqual([
    "topic 0 partition 2 group -1: 3 records in 2 batches at 64 + 154, until 1790000000001",
    "topic 1 partition 0 group 1: 1 records in 1 batches at 312 + 72, until 1790000000007",
    "topic 0 partition 2 group 0: 3 records in 1 batches at 218 + 94, until 1790000000011",
    "topic 0 partition 0 group -1: 1 records in 1 batches at 384 + 73, until -1",
    "topic 0 partition 1 group -1: 5 records in 5 batches at 457 + 150360, until 1790000104000",
  ]);
  expect(footer.entries[2]).toMatchObject({
    producerId: 4711,
    producerEpoch: 2,
    firstSequence: 90,
    lastSequence: 92,
  });
  expect(footer.entries[4]?.points).toEqual([
    { recordsBefore: 3, position: 90_673, maxTimestampBefore: 1_790_000_102_000 },
  ]);
});

test("the batches of a version 1 segment hold what was sent", () => {
  const { entries } = decodeFooter(segment, { crc32c });
  const first = entries[0];
  if (first === undefined) throw new Error("no entry");
  const bytes = [...batchesOf(segment, first)].map((batch) => batch.bytes);
  const text = bytes.map((batch) => new TextDecoder("latin1").decode(batch)).join("");
  expect(text).toContain("one");
  expect(text).toContain("two");
  expect(text).toContain("three");
  expect(verifySegment(segment, crc32c)).toMatchObject({ whole: true, batchCount: 10 });
});

test("a version 1 receipt object reads as written", () => {
  expect(decodeReceiptObject(receiptObject, crc32c)).toEqual({
    workerEpoch: 17,
    createdAt: 1_790_000_000_000,
    receipts,
  });
});

function placeOf(entry: SegmentEntry): string {
  const { topicIndex, partition, groupIndex, recordCount, batchCount } = entry;
  return (
    `topic ${topicIndex} partition ${partition} group ${groupIndex}: ${recordCount} records ` +
    `in ${batchCount} batches at ${entry.position} + ${entry.length}, until ${entry.maxTimestamp}`
  );
}
