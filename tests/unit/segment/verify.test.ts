import { describe, expect, test } from "bun:test";
import { batchLayout } from "../../../src/record/batch-layout.ts";
import { batchesOf, decodeFooter, footerTailLength } from "../../../src/segment/decode.ts";
import { describeSegment } from "../../../src/segment/inspect.ts";
import { verifySegment } from "../../../src/segment/verify.ts";
import { crc32c, encoded, sampleInput } from "../../support/segments.ts";

const segment = encoded(sampleInput());
const footer = decodeFooter(segment, { crc32c });
const footerStart = segment.length - footerTailLength(segment);

/** Bytes that mean nothing in a segment: base offset and leader epoch of each batch. */
const unspecified = new Set<number>();
for (const entry of footer.entries) {
  for (const { position } of batchesOf(segment, entry)) {
    for (let at = 0; at < 8; at += 1) unspecified.add(position + batchLayout.baseOffset + at);
    for (let at = 0; at < 4; at += 1) {
      unspecified.add(position + batchLayout.partitionLeaderEpoch + at);
    }
  }
}

describe("verifySegment", () => {
  test("finds a good segment whole and counts it", () => {
    const report = verifySegment(segment, crc32c);
    expect(report).toMatchObject({ whole: true, problems: [], batchCount: 5, recordCount: 8 });
  });

  test("finds every flipped byte outside of the fields that are stamped on the way out", () => {
    const broken = segment.slice();
    for (let position = 0; position < segment.length; position += 1) {
      for (const bits of [0x01, 0x80]) {
        broken[position] = (segment[position] ?? 0) ^ bits;
        const report = verifySegment(broken, crc32c);
        if (report.whole && !unspecified.has(position)) {
          throw new Error(`byte ${position} flipped by ${bits} went unnoticed`);
        }
        for (const problem of report.problems) expect(problem.message).not.toBe("");
      }
      broken[position] = segment[position] ?? 0;
    }
  });

  test("finds every cut", () => {
    for (let length = 0; length < segment.length; length += 1) {
      expect(verifySegment(segment.subarray(0, length), crc32c).whole).toBe(false);
    }
  });

  test("finds bytes that follow the segment", () => {
    const longer = new Uint8Array(segment.length + 4096);
    longer.set(segment);
    expect(verifySegment(longer, crc32c).whole).toBe(false);
  });

  test("keeps a hundred problems and counts all", () => {
    const input = sampleInput();
    const [entry] = input.entries;
    if (entry === undefined) throw new Error("no entry");
    const many = encoded({ ...input, entries: Array.from({ length: 150 }, () => entry) });
    for (const { position } of decodeFooter(many, { crc32c }).entries) {
      const at = position + batchLayout.crc;
      many[at] = (many[at] ?? 0) ^ 1;
    }
    const report = verifySegment(many, crc32c);
    expect(report.problems.length).toBe(100);
    expect(report.problemCount).toBe(150);
  });
});

describe("decodeFooter", () => {
  test("gives the same footer or an error for every flipped byte, and an error for those of its own", () => {
    const broken = segment.slice();
    const expected = JSON.stringify(footer);
    for (let position = 0; position < segment.length; position += 1) {
      broken[position] = (segment[position] ?? 0) ^ 0x10;
      let outcome = "refused";
      try {
        outcome = JSON.stringify(decodeFooter(broken, { crc32c }));
      } catch (error) {
        expect(error).toMatchObject({ kind: "corrupt" });
      }
      if (outcome !== (position < footerStart ? expected : "refused")) {
        throw new Error(`byte ${position} changed the footer unnoticed`);
      }
      broken[position] = segment[position] ?? 0;
    }
  });
});

describe("describeSegment", () => {
  test("names topics and verdicts and reads group descriptors", () => {
    const description = describeSegment(footer);
    expect(description.entries.map((entry) => entry.topic)).toEqual([
      "orders",
      "café",
      "orders",
      "orders",
    ]);
    expect(description.groups[1]).toEqual({ guards: [], effects: [] });
    expect(description.receipts[0]?.entries.map((entry) => entry.verdict)).toEqual([
      "ok",
      "sequence_out_of_order",
    ]);
    expect(description.receipts[0]?.groups).toEqual(["ok", "refused"]);
    expect(description).toMatchObject({ recordCount: 8, batchCount: 5 });
  });

  test("lists batches when the whole segment is there", () => {
    const description = describeSegment(footer, segment);
    expect(description.entries[2]?.batches).toMatchObject([
      { recordCount: 3, codec: "none", producerId: 4711, baseSequence: 90 },
    ]);
  });
});
