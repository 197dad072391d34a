import { describe, expect, test } from "bun:test";
import { present } from "../../../src/base/assert.ts";
import { BufferPool } from "../../../src/base/buffer-pool.ts";
import { LentBytes } from "../../../src/base/lent-bytes.ts";
import { Metrics } from "../../../src/base/metrics.ts";
import { isStreamError } from "../../../src/base/stream-error.ts";
import { BlockCache, blockBytes, type ObjectRange } from "../../../src/log/block-cache.ts";
import { MemoryStore } from "../../../src/store/memory-store.ts";
import type { ObjectLocation } from "../../../src/store/object-store.ts";
import { createRandom } from "../../support/virtual-platform.ts";

/** A memory store that remembers what was read, and answers on a later turn. */
class CountingStore extends MemoryStore {
  readonly reads: ObjectLocation[] = [];

  override async readInto(location: ObjectLocation, targets: readonly Uint8Array[]) {
    this.reads.push(location);
    await Promise.resolve();
    return super.readInto(location, targets);
  }
}

function cacheOf(store: CountingStore, slots: number, isShared = false) {
  const pool = new BufferPool(4 * blockBytes);
  const lent = new LentBytes(pool);
  const bytes = slots * blockBytes;
  const memory = [new Uint8Array(isShared ? new SharedArrayBuffer(bytes) : new ArrayBuffer(bytes))];
  const cache = new BlockCache({ store, pool, lent, memory, metrics: new Metrics() });
  return { cache, lent };
}

/** What a reader takes along as a copy. */
function copyOf(cache: BlockCache, range: ObjectRange): Promise<Uint8Array> {
  return cache.read(range, (pieces) => {
    const target = new Uint8Array(range.length);
    let position = 0;
    for (const { bytes } of pieces) {
      target.set(bytes, position);
      position += bytes.length;
    }
    expect(position).toBe(range.length);
    return target;
  });
}

async function fixture(sizeBytes: number, slots: number, isShared = false) {
  const store = new CountingStore();
  const bytes = new Uint8Array(sizeBytes).map(
    (_, index) => (index * 31 + (index >>> 8) + (index >>> 16) * 7) & 255,
  );
  await store.create("segments/o", bytes);
  const { cache, lent } = cacheOf(store, slots, isShared);
  const rangeOf = (position: number, length: number, knownEnd = sizeBytes) => ({
    key: "segments/o",
    position,
    length,
    knownEnd,
  });
  const read = (position: number, length: number, knownEnd = sizeBytes) =>
    copyOf(cache, rangeOf(position, length, knownEnd));
  return { store, bytes, cache, lent, rangeOf, read };
}

/** A store whose reads end when the test says so. */
class GatedStore extends CountingStore {
  readonly gates: (() => void)[] = [];

  override async readInto(location: ObjectLocation, targets: readonly Uint8Array[]) {
    await new Promise<void>((resolve) => this.gates.push(resolve));
    return super.readInto(location, targets);
  }
}

async function settle() {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
}

describe("BlockCache", () => {
  test("missing neighbours come by one read, held ones by none", async () => {
    const { store, bytes, read } = await fixture(4 * blockBytes, 16);
    expect(await read(10, 3 * blockBytes)).toEqual(bytes.subarray(10, 10 + 3 * blockBytes));
    expect(store.reads).toHaveLength(1);
    await read(blockBytes, blockBytes);
    expect(store.reads).toHaveLength(1);
  });

  test("a store that gains nothing from long reads gets several", async () => {
    class ShortReads extends CountingStore {
      readonly readBytesMax = 2 * blockBytes;
    }
    const store = new ShortReads();
    await store.create("segments/o", new Uint8Array(5 * blockBytes));
    const { cache } = cacheOf(store, 16);
    const range = { key: "segments/o", position: 0, length: 5 * blockBytes };
    expect(cache.readAhead([{ ...range, knownEnd: range.length }])).toBe(true);
    expect(store.reads.map(({ length }) => length / blockBytes)).toEqual([2, 2, 1]);
  });

  test("a run that goes round a small arena does not take its own blocks", async () => {
    const { bytes, cache, rangeOf, read } = await fixture(5 * blockBytes, 4);
    for (const block of [0, 1, 2, 0, 1, 2]) await read(block * blockBytes, 100);
    // The last slot and, once those in use have lost their marks, one of theirs.
    cache.readAhead([rangeOf(3 * blockBytes, 2 * blockBytes)]);
    for (const block of [3, 4, 3, 4]) {
      const position = block * blockBytes + 7;
      expect(await read(position, 100)).toEqual(bytes.subarray(position, position + 100));
    }
    for (const block of [0, 1, 2, 3, 4]) {
      const position = block * blockBytes;
      expect(await read(position, 100)).toEqual(bytes.subarray(position, position + 100));
    }
    expect(cache.heldBytes).toBeLessThanOrEqual(4 * blockBytes);
  });

  test("neighbours that come together are one piece", async () => {
    const { cache, rangeOf } = await fixture(4 * blockBytes, 16);
    const range = rangeOf(10, 3 * blockBytes);
    const [piece, ...others] = await cache.read(range, (pieces) => pieces);
    expect(piece?.bytes.length).toBe(range.length);
    expect(piece?.sources).toHaveLength(4);
    expect(others).toEqual([]);
  });

  test("a read under way is joined", async () => {
    const { store, read } = await fixture(blockBytes, 12);
    await Promise.all([read(0, 100), read(50, 100), read(0, blockBytes)]);
    expect(store.reads).toHaveLength(1);
  });

  test("a block that was read short is read again when more of it is known", async () => {
    const { store, bytes, read } = await fixture(blockBytes, 4);
    expect(await read(0, 100, 4096)).toEqual(bytes.subarray(0, 100));
    expect(await read(4000, 5000, blockBytes)).toEqual(bytes.subarray(4000, 9000));
    expect(store.reads.map(({ length }) => length)).toEqual([4096, blockBytes]);
  });

  test("a failed read is not remembered", async () => {
    const { store, cache } = await fixture(10, 4);
    const range = { key: "segments/late", position: 0, length: 10, knownEnd: 10 };
    const error = await copyOf(cache, range).catch((caught: unknown) => caught);
    expect(isStreamError(error, "object_missing")).toBe(true);
    expect(cache.heldBytes).toBe(0);
    await store.create("segments/late", new Uint8Array(10).fill(7));
    expect(await copyOf(cache, range)).toEqual(new Uint8Array(10).fill(7));
  });

  for (const slots of [2, 8, 12]) {
    test(`concurrent readers of ${slots} slots get their own bytes`, async () => {
      const sizeBytes = 12 * blockBytes;
      const { bytes, cache, rangeOf, read } = await fixture(sizeBytes, slots);
      const random = createRandom(5);
      const upTo = (length: number) => Math.floor(random.uniform() * length);
      for (let round = 0; round < 20; round++) {
        await Promise.all(
          Array.from({ length: 6 }, async () => {
            const position = upTo(sizeBytes - 1);
            const length = 1 + upTo(Math.min(2 ** upTo(22), sizeBytes - position - 1));
            cache.readAhead([rangeOf(upTo(sizeBytes - blockBytes), blockBytes)]);
            const found = await read(position, length);
            expect(Buffer.compare(found, bytes.subarray(position, position + length))).toBe(0);
            expect(cache.heldBytes).toBeLessThanOrEqual(slots * blockBytes);
          }),
        );
      }
    });
  }

  test("reads beyond a quarter of its slots wait for those before them", async () => {
    const store = new GatedStore();
    await store.create("segments/o", new Uint8Array(64 * blockBytes));
    const { cache } = cacheOf(store, 16);
    const knownEnd = 64 * blockBytes;
    const readers = Array.from({ length: 32 }, (_, index) => {
      const position = index * 2 * blockBytes;
      return copyOf(cache, { key: "segments/o", position, length: 2 * blockBytes, knownEnd });
    });
    let opened = 0;
    for (; opened < 32; opened++) {
      await settle();
      expect(store.gates.length - opened).toBeWithin(1, 3);
      store.gates[opened]?.();
    }
    await Promise.all(readers);
  });

  test("what was read once goes before what was used again", async () => {
    const { store, read } = await fixture(16 * blockBytes, 8);
    await read(0, 1);
    await read(0, 1);
    for (let index = 1; index < 9; index++) await read(index * blockBytes, 1);
    expect(store.reads).toHaveLength(9);
    await read(0, 1);
    expect(store.reads).toHaveLength(9);
    await read(blockBytes, 1);
    expect(store.reads).toHaveLength(10);
  });

  test("a read that finds its slots one by one keeps those that it has taken", async () => {
    const { bytes, read } = await fixture(10 * blockBytes, 8);
    // The last slot is free, and all before it were used again: the hand passes them over once.
    for (let index = 0; index < 7; index++) await read(index * blockBytes, blockBytes);
    for (let index = 0; index < 7; index++) await read(index * blockBytes, blockBytes);
    const start = 8 * blockBytes;
    expect(await read(start, 2 * blockBytes)).toEqual(
      bytes.subarray(start, start + 2 * blockBytes),
    );
  });

  test("a block that was replaced while it was read leaves its slot also when that fails", async () => {
    const gates: ((fails: boolean) => void)[] = [];
    class Store extends CountingStore {
      override async readInto(location: ObjectLocation, targets: readonly Uint8Array[]) {
        if (await new Promise<boolean>((resolve) => gates.push(resolve))) throw new Error("EIO");
        return super.readInto(location, targets);
      }
    }
    const store = new Store();
    await store.create("segments/o", new Uint8Array(blockBytes));
    const { cache } = cacheOf(store, 8);
    const shorter = { key: "segments/o", position: 0, length: 100, knownEnd: 100 };
    cache.readAhead([shorter]);
    cache.readAhead([{ ...shorter, length: 200, knownEnd: 200 }]);
    expect(cache.heldBytes).toBe(2 * blockBytes);
    for (const open of gates) open(open === gates[0]);
    await settle();
    expect(cache.heldBytes).toBe(blockBytes);
  });

  test("reads ahead for three eighths of its slots, and again once readers came", async () => {
    const { cache, rangeOf, read } = await fixture(32 * blockBytes, 12);
    const ahead = (index: number) => cache.readAhead([rangeOf(index * blockBytes, 2 * blockBytes)]);
    expect([0, 2, 4, 6].map(ahead)).toEqual([true, true, false, false]);
    await settle();
    expect(ahead(4)).toBe(false);
    await read(0, 2 * blockBytes);
    expect(ahead(4)).toBe(true);
  });

  test("reads ahead by one read for neighbours of several ranges", async () => {
    const { store, cache, rangeOf } = await fixture(16 * blockBytes, 32);
    const ranges = [3, 0, 1, 2].map((index) => rangeOf(index * 2 * blockBytes, 2 * blockBytes));
    expect(cache.readAhead([...ranges, rangeOf(12 * blockBytes, 10)])).toBe(true);
    await settle();
    expect(store.reads.map(({ position, length }) => [position, length])).toEqual([
      [0, 8 * blockBytes],
      [12 * blockBytes, blockBytes],
    ]);
  });

  test("what another thread holds stays as it is until it is let go", async () => {
    const { store, bytes, cache, rangeOf, read } = await fixture(32 * blockBytes, 8, true);
    const hold = (index: number) =>
      cache.read(rangeOf(index * blockBytes, blockBytes), ([piece]) => {
        const { bytes: found, sources } = present(piece, "piece");
        return { view: found, isHeld: cache.hold(found, sources) };
      });
    const first = await hold(0);
    const again = await hold(0);
    const second = await hold(1);
    expect([first, again, second].map(({ isHeld }) => isHeld)).toEqual([true, true, true]);
    // A quarter of the slots, and no more.
    expect((await hold(2)).isHeld).toBe(false);
    for (let index = 3; index < 32; index++) await read(index * blockBytes, blockBytes);
    expect(Buffer.compare(first.view, bytes.subarray(0, blockBytes))).toBe(0);
    const before = store.reads.length;
    await read(0, 2 * blockBytes);
    expect(store.reads).toHaveLength(before);
    expect([first, again, second].map(({ view }) => cache.letGo(view))).toEqual([true, true, true]);
    expect(cache.letGo(first.view)).toBe(false);
    for (let index = 3; index < 32; index++) await read(index * blockBytes, blockBytes);
    await read(0, blockBytes);
    expect(store.reads.length).toBeGreaterThan(before + 29);
    expect((await hold(4)).isHeld).toBe(true);
  });

  test("holds nothing in memory that other threads do not see", async () => {
    const { cache, rangeOf } = await fixture(blockBytes, 8);
    const isHeld = await cache.read(rangeOf(0, blockBytes), ([piece]) => {
      const { bytes, sources } = present(piece, "piece");
      return cache.hold(bytes, sources);
    });
    expect(isHeld).toBe(false);
  });

  test("a view that was lent shows its bytes after its slot was used for others", async () => {
    const { bytes, cache, lent, rangeOf, read } = await fixture(16 * blockBytes, 4);
    const view = await cache.read(rangeOf(0, blockBytes), ([piece]) => {
      const { bytes: found, sources } = present(piece, "piece");
      lent.lend(found, sources);
      return found;
    });
    for (let index = 1; index < 16; index++) await read(index * blockBytes, blockBytes);
    expect(view).not.toEqual(bytes.subarray(0, blockBytes));
    expect(lent.current(view)).toEqual(bytes.subarray(0, blockBytes));
  });
});
