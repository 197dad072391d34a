import { expect, test } from "bun:test";
import { decodeReceiptObject, encodeReceiptObject } from "../../../src/segment/receipt-object.ts";
import { verdictName, verdictNumber } from "../../../src/segment/verdict.ts";
import { crc32c, sampleInput } from "../../support/segments.ts";

const object = { workerEpoch: 17, createdAt: 1_790_000_000_000, receipts: sampleInput().receipts };
const bytes = encodeReceiptObject(object, crc32c);

test("decodeReceiptObject gives back what encodeReceiptObject was given", () => {
  expect(decodeReceiptObject(bytes, crc32c)).toEqual(object);
  const empty = { ...object, receipts: [] };
  expect(decodeReceiptObject(encodeReceiptObject(empty, crc32c), crc32c)).toEqual(empty);
});

test("decodeReceiptObject refuses every flipped byte and every cut", () => {
  for (let position = 0; position < bytes.length; position += 1) {
    const flipped = bytes.slice();
    flipped[position] = (bytes[position] ?? 0) ^ 0x20;
    for (const broken of [flipped, bytes.subarray(0, position)]) {
      let caught: unknown;
      try {
        decodeReceiptObject(broken, crc32c);
      } catch (error) {
        caught = error;
      }
      expect(caught).toMatchObject({ code: "corrupt_segment" });
    }
  }
});

test("decodeReceiptObject calls a later version unsupported", () => {
  const later = bytes.slice();
  const view = new DataView(later.buffer);
  view.setUint16(8, 2);
  view.setUint32(later.length - 4, crc32c.of(later.subarray(0, later.length - 4)));
  expect(() => decodeReceiptObject(later, crc32c)).toThrow("version 2");
});

test("verdicts keep their numbers", () => {
  expect(verdictNumber("ok")).toBe(0);
  expect(verdictNumber("guard_failed")).toBe(7);
  expect(verdictNumber("queue_full")).toBe(255);
  expect(verdictName(1)).toBe("sequence_out_of_order");
  expect(verdictName(255)).toBe("refused");
  expect(verdictName(77)).toBe("refused");
});
