import { describe, expect, test } from "bun:test";
import { StretchReads, slotBytes, slotCount } from "../../../src/pipeline/stretch-reads.ts";
import type { StoredPlace } from "../../../src/segment/stored-stretch.ts";
import type { ObjectLocation } from "../../../src/store/object-store.ts";
import { missingObject } from "../../../src/store/store-errors.ts";
import { createVirtualPlatform } from "../../support/virtual-platform.ts";

const closeMs = 1_000;

/** Its objects hold what their name and the position say; it answers when it is told to. */
class SlowStore {
  readonly reads: ObjectLocation[] = [];
  isClosed = false;
  missing: string | null = null;
  #waiting: (() => void)[] = [];
  isHeld = false;

  async readInto({ key, position, length }: ObjectLocation, targets: readonly Uint8Array[]) {
    this.reads.push({ key, position, length });
    if (this.isHeld) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else await Promise.resolve();
    if (key === this.missing) throw missingObject(key, "a test");
    const [target] = targets;
    const skipped = (512 - (position % 512)) % 512;
    for (let at = skipped; at < length; at += 512) target?.set([byteAt(key, position + at)], at);
  }

  /** The last that was asked for answers first. */
  async answer(count = 1): Promise<void> {
    for (let left = count; left > 0; left--) this.#waiting.pop()?.();
    for (let turn = 0; turn < 10; turn++) await Promise.resolve();
  }

  async close(): Promise<void> {
    this.isClosed = true;
  }
}

function byteAt(key: string, position: number): number {
  return (key.charCodeAt(0) * 31 + position / 512) & 0xff;
}

function placeOf(key: string, position: number, length: number): StoredPlace {
  return { key, position, length, baseOffset: 0, lastOffset: 0 };
}

function opened(store = new SlowStore()) {
  const platform = createVirtualPlatform({ seed: 1 });
  const allocate = () => new Uint8Array(slotBytes * slotCount);
  const stores: SlowStore[] = [];
  const openStore = () => {
    stores.push(store);
    store.isClosed = false;
    return store;
  };
  return { reads: new StretchReads({ platform, allocate, openStore }), store, stores, platform };
}

function expectRight(reads: StretchReads, place: StoredPlace): void {
  const { key, position, pieces } = reads.take(place);
  expect(pieces.reduce((sum, { length }) => sum + length, 0)).toBe(place.length);
  let at = position;
  for (const piece of pieces) {
    const skipped = (512 - (at % 512)) % 512;
    for (let next = skipped; next < piece.length; next += 512) {
      if (piece[next] !== byteAt(key, at + next)) throw new Error(`wrong at ${at + next}`);
    }
    at += piece.length;
  }
}

async function takeAll(reads: StretchReads, publishes: readonly (readonly StoredPlace[])[]) {
  for (const places of publishes) {
    await reads.arrival(places);
    for (const place of places) expectRight(reads, place);
    for (const place of places) reads.give(place);
  }
}

describe("StretchReads", () => {
  test("reads neighbours at once, at positions and lengths of whole pages", async () => {
    const { reads, store } = opened();
    const publishes = [
      [placeOf("a", 5_000, 3_000), placeOf("a", 8_000, 100)],
      [placeOf("a", 12_288, 100_000)],
      [placeOf("b", 0, 512)],
    ];
    reads.expect(publishes);
    await takeAll(reads, publishes);
    expect(store.reads).toEqual([
      { key: "a", position: 4_096, length: 110_592 },
      { key: "b", position: 0, length: 4_096 },
    ]);
  });

  test("a stretch longer than a slot comes in pieces", async () => {
    const { reads, store } = opened();
    const long = placeOf("a", 1_000, 2 * slotBytes);
    reads.expect([[long]]);
    await reads.arrival([long]);
    expectRight(reads, long);
    expect(reads.take(long).pieces).toHaveLength(3);
    reads.give(long);
    expect(store.reads).toHaveLength(3);
  });

  test("random publishes over random objects come whole, whichever read ends first", async () => {
    let state = 7;
    const random = (below: number) => {
      state = (state * 48_271) % 2_147_483_647;
      return state % below;
    };
    for (let round = 0; round < 60; round++) {
      const { reads, store } = opened();
      store.isHeld = true;
      const ends = new Map<string, number>();
      const objects = 1 + random(12);
      const publishes = Array.from({ length: 1 + random(80) }, () =>
        Array.from({ length: 1 + random(6) }, () => {
          const key = String.fromCharCode(97 + random(objects));
          const position = (ends.get(key) ?? 0) + (random(3) === 0 ? 4_096 * random(40) : 0);
          const size = random(20) === 0 ? 3 * slotBytes : 200_000;
          const length = 1 + random(random(3) === 0 ? size : 2_000);
          ends.set(key, position + length);
          return placeOf(key, position, length);
        }),
      );
      reads.expect(publishes.slice(0, 20));
      reads.expect(publishes.slice(20));
      let isDone = false;
      const taking = takeAll(reads, publishes).finally(() => {
        isDone = true;
      });
      for (let turn = 0; !isDone && turn < 5_000; turn++) await store.answer(1 + random(4));
      expect(isDone).toBe(true);
      await taking;
    }
  });

  test("tells a failed read where its bytes are taken, and others have theirs", async () => {
    const { reads, store } = opened();
    const [good, bad] = [placeOf("a", 0, 5_000), placeOf("b", 0, 5_000)];
    store.missing = "b";
    reads.expect([[good], [bad]]);
    await reads.arrival([good]);
    expectRight(reads, good);
    reads.give(good);
    await reads.arrival([bad]);
    expect(() => reads.take(bad)).toThrow("Cannot read b: no such object");
  });

  test("closes the store and lets its memory go when nothing was read for a while", async () => {
    const { reads, store, stores, platform } = opened();
    const first = placeOf("a", 0, 5_000);
    reads.expect([[first]]);
    await takeAll(reads, [[first]]);
    await platform.advance(closeMs - 1);
    expect([store.isClosed, reads.memoryBytes]).toEqual([false, slotBytes * slotCount]);
    const second = placeOf("a", 5_000, 5_000);
    reads.expect([[second]]);
    await platform.advance(closeMs);
    expect(store.isClosed).toBe(false);
    await takeAll(reads, [[second]]);
    await platform.advance(closeMs);
    expect([store.isClosed, stores.length, reads.memoryBytes]).toEqual([true, 1, 0]);
    const third = placeOf("a", 10_000, 5_000);
    reads.expect([[third]]);
    await takeAll(reads, [[third]]);
    expect(stores).toHaveLength(2);
  });

  test("counts the time in which somebody waited, and no other", async () => {
    const { reads, store, platform } = opened();
    store.isHeld = true;
    const place = placeOf("a", 0, 5_000);
    reads.expect([[place]]);
    await platform.advance(500);
    const arriving = reads.arrival([place]);
    await platform.advance(70);
    expect(reads.waitedMs).toBe(70);
    await store.answer();
    await arriving;
    await platform.advance(500);
    expect(reads.waitedMs).toBe(70);
  });
});
