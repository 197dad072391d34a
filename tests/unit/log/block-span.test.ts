import { describe, expect, test } from "bun:test";
import { BlockSpan } from "../../../src/log/block-span.ts";

const bytes = Uint8Array.from({ length: 30 }, (_, index) => index);
const whole = Uint8Array.from({ length: 30 }, (_, index) => (index === 11 ? 88 : 0));

const cut = (source: Uint8Array, ...ends: readonly number[]) =>
  new BlockSpan(
    ends.map((end, index) => ({ bytes: source.subarray(ends[index - 1] ?? 0, end), sources: [] })),
  );

describe("BlockSpan", () => {
  test("gives a view within a piece, none across two, and the parts in order", () => {
    const span = cut(bytes, 10, 14, 30);
    expect(span.length).toBe(30);
    expect(span.view(10, 4)).toEqual(bytes.subarray(10, 14));
    expect(span.view(9, 2)).toBeUndefined();
    expect(span.views(8, 10).map(({ length }) => length)).toEqual([2, 4, 4]);
    expect(span.gathered(8, 10)).toEqual(bytes.subarray(8, 18));
    expect([0, 9, 10, 13, 14, 29].map((at) => span.pieceAt(at))).toEqual([0, 0, 1, 1, 2, 2]);
  });

  test("reads the size of a batch wherever it is cut, unless it is cut off", () => {
    for (let end = 1; end < 30; end++) expect(cut(whole, end, 30).batchBytesAt(0)).toBe(100);
    expect(cut(whole, 12).batchBytesAt(0)).toBe(100);
    expect(cut(whole, 11).batchBytesAt(0)).toBe(Number.POSITIVE_INFINITY);
  });
});
