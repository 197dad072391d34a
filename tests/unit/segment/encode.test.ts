import { expect, test } from "bun:test";
import { encodeSegment, planSegment } from "../../../src/segment/encode.ts";
import { verifySegment } from "../../../src/segment/verify.ts";
import { crc32c, encoded, makeBatch, makeEntry, sampleInput } from "../../support/segments.ts";

test("encodeSegment makes whole segments of a multiple of 4096 bytes", () => {
  for (const size of [1, 3000, 3500, 3800, 4096, 9000]) {
    const batch = makeBatch({ timestamp: 1, values: ["v".repeat(size)] });
    const entries = [makeEntry({ topicIndex: 0, partition: 0 }, [batch])];
    const bytes = encoded({ ...sampleInput(), groups: [], receipts: [], entries });
    expect(bytes.length % 4096).toBe(0);
    expect(verifySegment(bytes, crc32c).problems).toEqual([]);
  }
});

test("encodeSegment says where each entry lies", () => {
  const input = sampleInput();
  const plan = planSegment(input);
  const target = new Uint8Array(plan.length);
  const { entries, length } = encodeSegment(plan, target, crc32c);
  expect(length).toBe(target.length);
  entries.forEach((entry, index) => {
    const sent = input.entries[index]?.batches ?? [];
    const joined = sent.map((batch) => batch.bytes.toHex()).join("");
    expect(target.subarray(entry.position, entry.position + entry.length).toHex()).toBe(joined);
  });
});

test("encodeSegment takes a view in the middle of a larger memory and touches nothing beside it", () => {
  const plan = planSegment(sampleInput());
  const memory = new Uint8Array(plan.length + 8192).fill(0x5a);
  encodeSegment(plan, memory.subarray(4096, 4096 + plan.length), crc32c);
  expect(memory.subarray(0, 4096).every((byte) => byte === 0x5a)).toBe(true);
  expect(memory.subarray(4096 + plan.length).every((byte) => byte === 0x5a)).toBe(true);
  expect(verifySegment(memory.slice(4096, 4096 + plan.length), crc32c).whole).toBe(true);
});

test("encodeSegment makes a segment of receipts alone", () => {
  const input = { ...sampleInput(), topics: [], entries: [], groups: [] };
  const report = verifySegment(encoded(input), crc32c);
  expect(report.problems).toEqual([]);
  expect(report.footer?.receipts).toEqual(input.receipts);
});

test("encodeSegment refuses a target of another length", () => {
  const plan = planSegment(sampleInput());
  expect(() => encodeSegment(plan, new Uint8Array(plan.length + 1), crc32c)).toThrow("target");
});
