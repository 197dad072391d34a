import { describe, expect, test } from "bun:test";
import { encodeBatch } from "../../../src/record/batch-encode.ts";
import {
  batchesOfStretch,
  joinedParts,
  partsFrom,
  type StoredStretch,
} from "../../../src/segment/stored-stretch.ts";
import { codecs, crc32c } from "../../support/record-tools.ts";

function batch(count: number, name: string): Uint8Array {
  const records = Array.from({ length: count }, (_, index) => ({
    ...{ timestamp: 1_000, key: null, value: new TextEncoder().encode(`${name} ${index}`) },
  }));
  return encodeBatch({ records, codec: "none" }, { crc32c, codecs });
}

const first = batch(3, "first");
const second = batch(2, "second");
const both = Uint8Array.from([...first, ...second]);

function stretchOf(pieces: readonly Uint8Array[], lastOffset = 14): StoredStretch {
  return { key: "segments/one", position: 8192, pieces, baseOffset: 10, lastOffset };
}

describe("batchesOfStretch", () => {
  test("gives batches with their offsets, wherever pieces end, without a copy of records", () => {
    for (let cut = 0; cut <= both.length; cut++) {
      const pieces = [both.subarray(0, cut), both.subarray(cut)];
      const found = batchesOfStretch(stretchOf(pieces));
      expect(found.map(({ baseOffset }) => baseOffset)).toEqual([10, 13]);
      expect(found.map(({ header }) => header.recordCount)).toEqual([3, 2]);
      expect(found.map(({ parts }) => joinedParts(parts))).toEqual([first, second]);
      for (const { parts } of found) {
        expect(parts.every(({ buffer }) => buffer === both.buffer)).toBe(true);
      }
    }
  });

  test("refuses one that is cut anywhere, with object and position", () => {
    for (let length = 1; length < both.length; length++) {
      if (length === first.length) continue;
      expect(() => batchesOfStretch(stretchOf([both.subarray(0, length)]))).toThrow(
        /^Cannot read segments\/one at 8192: its batch at offset 1[03] is cut; run `streamctl/,
      );
    }
  });

  test("refuses more or fewer offsets than the index names", () => {
    for (const [pieces, lastOffset] of [
      [[first], 14],
      [[both], 12],
      [[], 10],
    ] as const) {
      expect(() => batchesOfStretch(stretchOf(pieces, lastOffset))).toThrow(
        expect.objectContaining({
          code: "corrupt_segment",
          details: { key: "segments/one", position: 8192 },
        }),
      );
    }
  });

  test("refuses what is no batch", () => {
    const wrong = both.slice();
    wrong[first.length + 16] = 1;
    expect(() => batchesOfStretch(stretchOf([wrong]))).toThrow("its batch at offset 13 is none");
    wrong.set([0, 0, 0, 5], 8);
    expect(() => batchesOfStretch(stretchOf([wrong]))).toThrow("its batch at offset 10 is cut");
  });
});

describe("partsFrom", () => {
  test("leaves out the first bytes, wherever they lie", () => {
    const bytes = Uint8Array.of(1, 2, 3, 4, 5);
    for (let cut = 0; cut <= 5; cut++) {
      const parts = [bytes.subarray(0, cut), bytes.subarray(cut)];
      for (let length = 0; length < 5; length++) {
        expect([...joinedParts(partsFrom(parts, length))]).toEqual([...bytes].slice(length));
      }
    }
  });
});
