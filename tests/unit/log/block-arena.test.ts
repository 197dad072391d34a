import { describe, expect, test } from "bun:test";
import { BlockArena, type Tenant } from "../../../src/log/block-arena.ts";

const slotBytes = 16;

interface Guest extends Tenant {
  readonly slot: number;
  isPinned: boolean;
}

function fixture(...slotCounts: readonly number[]) {
  const memories = slotCounts.map((count) => new Uint8Array(count * slotBytes + 7));
  const arena = new BlockArena<Guest>(memories, slotBytes);
  const evicted: number[] = [];
  const guests: Guest[] = [];
  const take = (countMax: number) => {
    const run = arena.take(countMax, ({ slot }) => {
      evicted.push(slot);
      arena.leave(slot);
    });
    for (let slot = run.first; slot < run.first + run.count; slot++) {
      const guest = { slot, usedAgain: false, isPinned: false };
      guests[slot] = guest;
      arena.occupy(slot, guest);
    }
    return [run.first, run.count];
  };
  return { arena, evicted, guests, take };
}

describe("BlockArena", () => {
  test("gives neighbours together, those used longest ago first", () => {
    const { arena, evicted, take } = fixture(8);
    expect([take(3), take(5), take(2)]).toEqual([
      [0, 3],
      [3, 5],
      [0, 2],
    ]);
    expect(evicted).toEqual([0, 1]);
    expect(arena.tenantCount).toBe(8);
  });

  test("a run ends with its memory and before a pinned slot", () => {
    const { guests, take } = fixture(3, 3);
    expect([take(8), take(8)]).toEqual([
      [0, 3],
      [3, 3],
    ]);
    (guests[1] as Guest).isPinned = true;
    expect([take(8), take(8), take(8)]).toEqual([
      [0, 1],
      [2, 1],
      [3, 3],
    ]);
  });

  test("passes once over what was used again", () => {
    const { evicted, guests, take } = fixture(4);
    take(4);
    (guests[0] as Guest).usedAgain = true;
    take(3);
    expect(evicted).toEqual([1, 2, 3]);
    take(1);
    expect(evicted).toEqual([1, 2, 3, 0]);
  });

  test("finds a slot where all were used again, and says so when all are pinned", () => {
    const { guests, take } = fixture(4);
    take(4);
    for (const guest of guests) guest.usedAgain = true;
    expect(take(1)).toEqual([0, 1]);
    for (const guest of guests) guest.isPinned = true;
    expect(() => take(1)).toThrow("some slot is not pinned");
  });

  test("neighbours of a memory adjoin, and a view spans them", () => {
    const { arena } = fixture(2, 2);
    expect([arena.adjoins(0, 1), arena.adjoins(1, 2), arena.adjoins(3, 4)]).toEqual([
      true,
      false,
      false,
    ]);
    arena.view(0, 10, 20).fill(9);
    expect(arena.view(1, 0, slotBytes).filter((byte) => byte === 9)).toHaveLength(14);
  });
});
