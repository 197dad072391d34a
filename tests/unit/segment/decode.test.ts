import { describe, expect, test } from "bun:test";
import { isStreamError, type StreamError } from "../../../src/base/stream-error.ts";
import {
  batchesOf,
  decodeFooter,
  decodeHeader,
  footerTailLength,
} from "../../../src/segment/decode.ts";
import { planSegment } from "../../../src/segment/encode.ts";
import { pointAtRecord } from "../../../src/segment/sparse-index.ts";
import { verifySegment } from "../../../src/segment/verify.ts";
import { crc32c, encoded, makeBatch, makeEntry, sampleInput } from "../../support/segments.ts";

const input = sampleInput();
const segment = encoded(input);

describe("decodeFooter", () => {
  test("gives back topics, groups, receipts and the header's fields", () => {
    const footer = decodeFooter(segment, { crc32c });
    expect(footer).toMatchObject({
      version: 1,
      workerEpoch: input.workerEpoch,
      sequence: input.sequence,
      createdAt: input.createdAt,
      length: segment.length,
      topics: input.topics,
      receipts: input.receipts,
    });
    expect(footer.groups.map((group) => [...group])).toEqual(input.groups.map((g) => [...g]));
    expect(decodeHeader(segment, crc32c)).toEqual({
      version: footer.version,
      workerEpoch: footer.workerEpoch,
      sequence: footer.sequence,
      createdAt: footer.createdAt,
      length: footer.length,
      bodyLength: footer.bodyLength,
    });
  });

  test("gives entries in the order of the input, as the plan placed them", () => {
    expect(decodeFooter(segment, { crc32c }).entries).toEqual([...planSegment(input).entries]);
  });

  test("needs the footer's bytes only", () => {
    const needed = footerTailLength(segment.subarray(-20));
    const tail = segment.slice(-needed);
    const footer = decodeFooter(tail, { crc32c, tailPosition: segment.length - needed });
    expect(footer).toEqual(decodeFooter(segment, { crc32c }));
  });

  test("rejects a footer one byte short, and says how much it takes", () => {
    const needed = footerTailLength(segment);
    const tail = segment.slice(1 - needed);
    expect(() => decodeFooter(tail, { crc32c })).toThrow(`it takes ${needed} bytes`);
  });

  test("calls a version from the future unsupported, not corrupt", () => {
    const later = segment.slice();
    const view = new DataView(later.buffer);
    const footerStart = later.length - footerTailLength(later);
    view.setUint16(later.length - 16, 9);
    view.setUint32(later.length - 12, crc32c.of(later.subarray(footerStart, later.length - 12)));
    view.setUint16(8, 9);
    view.setUint32(60, crc32c.of(later.subarray(0, 60)));
    for (const decode of [
      () => decodeFooter(later, { crc32c }),
      () => decodeHeader(later, crc32c),
    ]) {
      expect(decode).toThrow("version 9: this program knows 1");
    }
  });

  test("refuses bytes that are no segment at all", () => {
    for (const bytes of [new Uint8Array(0), new Uint8Array(4096), segment.subarray(0, 64)]) {
      expect(refusal(() => decodeFooter(bytes, { crc32c }))).toBe("corrupt_segment");
    }
    expect(refusal(() => decodeHeader(new Uint8Array(4096), crc32c))).toBe("corrupt_segment");
    expect(refusal(() => decodeHeader(new Uint8Array(3), crc32c))).toBe("corrupt_segment");
  });
});

describe("batchesOf", () => {
  test("walks each entry's batches, byte for byte as they came", () => {
    const { entries } = decodeFooter(segment, { crc32c });
    entries.forEach((entry, index) => {
      const batches = [...batchesOf(segment, entry)];
      const sent = input.entries[index]?.batches ?? [];
      expect(batches.map((batch) => batch.bytes.toHex())).toEqual(
        sent.map((batch) => batch.bytes.toHex()),
      );
      expect(batches[0]?.position).toBe(entry.position);
    });
  });

  test("puts the bytes of one partition side by side", () => {
    const [first, , third] = decodeFooter(segment, { crc32c }).entries;
    expect(third?.position).toBe((first?.position ?? 0) + (first?.length ?? 0));
  });

  test("names the place of a batch whose length lies", () => {
    const broken = segment.slice();
    broken[64 + 8] = 0x7f;
    const [entry] = decodeFooter(broken, { crc32c }).entries;
    if (entry === undefined) throw new Error("no entry");
    expect(() => [...batchesOf(broken, entry)]).toThrow("(at byte 64)");
  });
});

describe("the sparse index", () => {
  const values = ["x".repeat(30_000)];
  const batches = Array.from({ length: 10 }, (_, index) =>
    makeBatch({ timestamp: 1000 * (index + 1), values }),
  );
  const large = encoded({
    ...input,
    entries: [makeEntry({ topicIndex: 0, partition: 0 }, batches)],
  });
  const [entry] = decodeFooter(large, { crc32c }).entries;
  if (entry === undefined) throw new Error("no entry");

  test("takes a batch about every 64 KiB", () => {
    expect(entry.points.map((point) => point.recordsBefore)).toEqual([3, 6, 9]);
    expect(verifySegment(large, crc32c).problems).toEqual([]);
  });

  test("finds the last point at or before a record", () => {
    expect(pointAtRecord(entry, 0).position).toBe(entry.position);
    expect(pointAtRecord(entry, 2).recordsBefore).toBe(0);
    expect(pointAtRecord(entry, 3).recordsBefore).toBe(3);
    expect(pointAtRecord(entry, 99).recordsBefore).toBe(9);
  });

  test("says of each point the greatest timestamp before it", () => {
    expect(entry.points.map((point) => point.maxTimestampBefore)).toEqual([3000, 6000, 9000]);
  });
});

function refusal(act: () => unknown): string | undefined {
  try {
    act();
    return undefined;
  } catch (error) {
    return isStreamError(error) ? (error as StreamError).code : String(error);
  }
}
