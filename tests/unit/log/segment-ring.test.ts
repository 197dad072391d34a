import { describe, expect, test } from "bun:test";
import { present } from "../../../src/base/assert.ts";
import { type RingSlot, SegmentRing } from "../../../src/log/segment-ring.ts";
import { createRandom } from "../../support/virtual-platform.ts";

const page = 4096;

function allocated(ring: SegmentRing, pages: number): RingSlot {
  return present(ring.allocate(pages * page), "room in the ring");
}

describe("SegmentRing", () => {
  test("slots lie one behind the other, and the oldest gives way", () => {
    const ring = new SegmentRing(new Uint8Array(4 * page));
    const slots = [allocated(ring, 1), allocated(ring, 2), allocated(ring, 1)];
    expect(slots.map(({ position }) => position / page)).toEqual([0, 1, 3]);
    for (const slot of slots) slot.unpin();
    expect(allocated(ring, 1).position).toBe(0);
    expect(slots.map(({ evicted }) => evicted)).toEqual([true, false, false]);
  });

  test("a pinned slot in the way refuses the allocation and keeps its bytes", () => {
    const ring = new SegmentRing(new Uint8Array(2 * page));
    const first = allocated(ring, 2);
    expect(ring.allocate(page)).toBeUndefined();
    first.unpin();
    expect(ring.allocate(page)).toBeDefined();
    expect(first.evicted).toBe(true);
  });

  test("a slot that does not fit before the end begins at the start", () => {
    const ring = new SegmentRing(new Uint8Array(5 * page));
    const first = allocated(ring, 3);
    first.unpin();
    const second = allocated(ring, 3);
    expect(second.position).toBe(0);
    expect(first.evicted).toBe(true);
  });

  test("eviction is told once", () => {
    const ring = new SegmentRing(new Uint8Array(page));
    const slot = allocated(ring, 1);
    let told = 0;
    slot.onEvict(() => {
      told += 1;
    });
    slot.unpin();
    allocated(ring, 1).unpin();
    allocated(ring, 1);
    expect(told).toBe(1);
  });

  test("live slots never overlap, whatever the sizes and pins", () => {
    const random = createRandom(11);
    const ring = new SegmentRing(new Uint8Array(16 * page));
    let live: RingSlot[] = [];
    for (let step = 0; step < 5_000; step++) {
      const slot = ring.allocate((1 + Math.floor(random.uniform() * 6)) * page);
      if (slot !== undefined) live.push(slot);
      for (const each of live) if (random.uniform() < 0.3) each.unpin();
      live = live.filter(({ evicted }) => !evicted);
      const sorted = live.toSorted((left, right) => left.position - right.position);
      sorted.forEach((each, index) => {
        const next = sorted[index + 1]?.position ?? 16 * page;
        expect(each.position + each.bytes.length).toBeLessThanOrEqual(next);
      });
    }
  });
});
