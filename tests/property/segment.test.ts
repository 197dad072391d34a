import { expect, test } from "bun:test";
import fc from "fast-check";
import { topicIdFromBytes } from "../../src/record/types.ts";
import { batchesOf, decodeFooter } from "../../src/segment/decode.ts";
import { decodeReceiptObject, encodeReceiptObject } from "../../src/segment/receipt-object.ts";
import type { EntryInput, Receipt, SegmentInput } from "../../src/segment/segment.ts";
import { verifySegment } from "../../src/segment/verify.ts";
import { crc32c, encoded, makeBatch } from "../support/segments.ts";

const offset = fc.maxSafeInteger();
const position = fc.maxSafeNat();
const count = fc.nat(0xffff_ffff);

const receipt: fc.Arbitrary<Receipt> = fc.record({
  sequence: position,
  publishPosition: position,
  publishedAt: offset,
  entries: fc.array(
    fc.record({
      verdict: fc.nat(255),
      baseOffset: offset,
      leaderEpoch: fc.integer({ min: -1 }),
      appendedCount: count,
      skippedCount: count,
    }),
    { maxLength: 5 },
  ),
  groups: fc.array(fc.nat(255), { maxLength: 4 }),
});

const topic = fc.record({
  topicId: fc.uint8Array({ minLength: 16, maxLength: 16 }).map(topicIdFromBytes),
  name: fc.string({ unit: "grapheme", maxLength: 20 }),
  partitionCount: count,
});

const batch = fc
  .record({
    timestamp: fc.integer({ min: 0, max: 4_000_000_000_000 }),
    values: fc.array(fc.string({ maxLength: 40 }), { minLength: 1, maxLength: 4 }),
  })
  .map(makeBatch);

function entry(topicCount: number, groupCount: number): fc.Arbitrary<EntryInput> {
  return fc.record({
    topicIndex: fc.nat(topicCount - 1),
    partition: fc.nat(4),
    groupIndex: fc.integer({ min: -1, max: groupCount - 1 }),
    batches: fc.array(batch, { minLength: 1, maxLength: 4 }),
    producerId: fc.constant(-1),
    producerEpoch: fc.constant(-1),
    firstSequence: fc.integer({ min: -1 }),
    lastSequence: fc.integer({ min: -1 }),
  });
}

const input: fc.Arbitrary<SegmentInput> = fc
  .tuple(
    fc.array(topic, { minLength: 1, maxLength: 4 }),
    fc.array(fc.uint8Array({ maxLength: 60 }), { maxLength: 3 }),
  )
  .chain(([topics, groups]) =>
    fc.record({
      workerEpoch: position,
      sequence: position,
      createdAt: offset,
      topics: fc.constant(topics),
      groups: fc.constant(groups),
      entries: fc.array(entry(topics.length, groups.length), { maxLength: 12 }),
      receipts: fc.array(receipt, { maxLength: 4 }),
    }),
  );

test("a segment decodes to what was encoded and verifies", () => {
  fc.assert(
    fc.property(input, (segmentInput) => {
      const bytes = encoded(segmentInput);
      const footer = decodeFooter(bytes, { crc32c });
      const { workerEpoch, sequence, createdAt, topics, receipts } = segmentInput;
      expect(footer).toMatchObject({ workerEpoch, sequence, createdAt, topics, receipts });
      expect(footer.groups.map((group) => group.toHex())).toEqual(
        segmentInput.groups.map((group) => group.toHex()),
      );
      segmentInput.entries.forEach((sent, index) => {
        const found = footer.entries[index];
        if (found === undefined) throw new Error("an entry is missing");
        const { batches, ...fields } = sent;
        expect(found).toMatchObject(fields);
        expect([...batchesOf(bytes, found)].map((b) => b.bytes.toHex())).toEqual(
          batches.map((b) => b.bytes.toHex()),
        );
      });
      expect(verifySegment(bytes, crc32c).problems).toEqual([]);
    }),
    { numRuns: 150 },
  );
});

test("entries of one partition lie side by side in their order", () => {
  fc.assert(
    fc.property(input, (segmentInput) => {
      const { entries } = decodeFooter(encoded(segmentInput), { crc32c });
      const byPosition = entries.toSorted((a, b) => a.position - b.position);
      const seen: string[] = [];
      for (const found of byPosition) {
        const key = `${found.topicIndex}/${found.partition}`;
        if (seen.at(-1) !== key) expect(seen).not.toContain(key);
        seen.push(key);
      }
      const orders = Map.groupBy(entries, (e) => `${e.topicIndex}/${e.partition}`);
      for (const group of orders.values()) {
        const positions = group.map((e) => e.position);
        expect(positions).toEqual(positions.toSorted((a, b) => a - b));
      }
    }),
    { numRuns: 100 },
  );
});

test("a receipt object decodes to what was encoded", () => {
  const object = fc.record({
    workerEpoch: position,
    createdAt: offset,
    receipts: fc.array(receipt, { maxLength: 5 }),
  });
  fc.assert(
    fc.property(object, (value) => {
      expect(decodeReceiptObject(encodeReceiptObject(value, crc32c), crc32c)).toEqual(value);
    }),
  );
});
