import { describe, expect, test } from "bun:test";
import type { Random } from "../../../src/base/platform.ts";
import { StickyPartitioner } from "../../../src/record/partitioner.ts";

/** Draws these numbers in turn. */
function drawing(...numbers: number[]): Random {
  return {
    uniform: () => numbers.shift() ?? 0,
    bytes: (length) => new Uint8Array(length),
  };
}

describe("StickyPartitioner", () => {
  test("keeps a partition until it was given stickyBytes", () => {
    const partitioner = new StickyPartitioner(drawing(0.5, 0.99, 0), { stickyBytes: 100 });
    const next = (bytes: number) => partitioner.next({ partitionCount: 8, bytes });
    expect([next(60), next(30), next(10), next(5), next(95), next(1)]).toEqual([4, 4, 4, 7, 7, 0]);
  });

  test("draws anew when its partition is gone", () => {
    const partitioner = new StickyPartitioner(drawing(0.9, 0.9));
    expect(partitioner.next({ partitionCount: 10, bytes: 1 })).toBe(9);
    expect(partitioner.next({ partitionCount: 2, bytes: 1 })).toBe(1);
  });
});
