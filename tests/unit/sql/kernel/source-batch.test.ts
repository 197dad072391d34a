import { describe, expect, test } from "bun:test";
import type { CodecName } from "../../../../src/base/codecs.ts";
import { setLogAppendTime } from "../../../../src/record/batch.ts";
import { encodeBatch } from "../../../../src/record/batch-encode.ts";
import {
  freeRecords,
  sourceBatchesOf,
  sourceBatchOf,
} from "../../../../src/sql/kernel/source-batch.ts";
import { codecs, crc32c } from "../../../support/record-tools.ts";
import { valueRecords } from "../../../support/source-batches.ts";

const parts = { partition: 3, codecs, crc32c };

function batch(codec: CodecName, ...values: readonly string[]): Uint8Array {
  return encodeBatch({ records: valueRecords(values), codec }, { crc32c, codecs });
}

function stretchOf(bytes: Uint8Array, count: number) {
  const where = { key: "segments/one", position: 4096, baseOffset: 7, lastOffset: 6 + count };
  return { ...where, pieces: [bytes.subarray(0, 100), bytes.subarray(100)] };
}

describe("sourceBatchesOf", () => {
  test("leaves the sum of what is not compressed to whoever copies it", () => {
    const bytes = batch("none", '{"n":1}', '{"n":2}');
    const [made] = sourceBatchesOf(stretchOf(bytes, 2), parts);
    expect(made).toMatchObject({ partition: 3, baseOffset: 7, recordCount: 2 });
    const summed = (made?.unsummed?.parts ?? []).flatMap((part) => [...part]);
    expect(summed).toEqual([...bytes.subarray(21)]);
    expect(crc32c.of(Uint8Array.from(summed))).toBe(made?.unsummed?.crc ?? -1);
  });

  for (const codec of ["zstd", "lz4"] as const) {
    test(`${codec}: sums it, then decompresses, as a batch that the log has summed`, () => {
      const bytes = batch(codec, "a".repeat(300), "b".repeat(300));
      const [made] = sourceBatchesOf(stretchOf(bytes, 2), parts);
      const [expected] = sourceBatchOf(bytes, parts);
      expect(made).toEqual({ ...(expected as NonNullable<typeof made>), baseOffset: 7 });
      bytes[bytes.length - 20] = (bytes.at(-20) ?? 0) ^ 1;
      expect(() => sourceBatchesOf(stretchOf(bytes, 2), parts)).toThrow(
        expect.objectContaining({
          code: "corrupt_segment",
          details: { key: "segments/one", position: 4096 },
        }),
      );
    });
  }

  test("takes the time of the log where the batch says so", () => {
    const bytes = batch("none", "x".repeat(200));
    setLogAppendTime(bytes, 77, crc32c);
    expect(sourceBatchesOf(stretchOf(bytes, 1), parts)).toMatchObject([
      { timestamp: 77, isLogAppendTime: true },
    ]);
  });
});

describe("freeRecords", () => {
  test("frees what was decompressed for a batch alone, and nothing else", () => {
    const large = "a".repeat(100_000);
    const stored = batch("none", large);
    const [plain] = sourceBatchOf(stored, parts);
    const [packed] = sourceBatchOf(batch("zstd", large), parts);
    const [small] = sourceBatchOf(batch("zstd", "b"), parts);
    const [lying] = sourceBatchesOf(stretchOf(stored, 1), parts);
    const all = [plain, packed, small, lying].flatMap((each) => (each === undefined ? [] : each));
    expect(packed?.records.length).toBeGreaterThan(100_000);
    freeRecords(all);
    expect(packed?.records.length).toBe(0);
    expect(small?.records.length).toBeGreaterThan(0);
    expect(plain?.records.length).toBeGreaterThan(100_000);
    expect(stored.length).toBeGreaterThan(100_000);
    freeRecords(all);
  });
});
