import { describe, expect, test } from "bun:test";
import { BufferPool } from "../../../src/base/buffer-pool.ts";
import { Metrics } from "../../../src/base/metrics.ts";
import { isStreamError } from "../../../src/base/stream-error.ts";
import { BlockCache, blockBytes } from "../../../src/log/block-cache.ts";
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

async function fixture(sizeBytes: number, capacityBytes: number) {
  const store = new CountingStore();
  const bytes = new Uint8Array(sizeBytes).map((_, index) => (index * 31 + (index >>> 8)) & 255);
  await store.create("segments/o", bytes);
  const pool = new BufferPool(4 * blockBytes);
  const cache = new BlockCache({ store, pool, capacityBytes, metrics: new Metrics() });
  const read = async (position: number, length: number, knownEnd = sizeBytes) => {
    const target = new Uint8Array(length);
    await cache.copy({ key: "segments/o", position, length, knownEnd }, target);
    return target;
  };
  return { store, bytes, cache, read };
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
    const { store, bytes, read } = await fixture(4 * blockBytes, 16 * blockBytes);
    expect(await read(10, 3 * blockBytes)).toEqual(bytes.subarray(10, 10 + 3 * blockBytes));
    expect(store.reads).toHaveLength(1);
    await read(blockBytes, blockBytes);
    expect(store.reads).toHaveLength(1);
  });

  test("a read under way is joined", async () => {
    const { store, read } = await fixture(blockBytes, 4 * blockBytes);
    await Promise.all([read(0, 100), read(50, 100), read(0, blockBytes)]);
    expect(store.reads).toHaveLength(1);
  });

  test("a block that was read short is read again when more of it is known", async () => {
    const { store, bytes, read } = await fixture(blockBytes, 4 * blockBytes);
    expect(await read(0, 100, 4096)).toEqual(bytes.subarray(0, 100));
    expect(await read(4000, 5000, blockBytes)).toEqual(bytes.subarray(4000, 9000));
    expect(store.reads.map(({ length }) => length)).toEqual([4096, blockBytes]);
  });

  test("a failed read is not remembered", async () => {
    const { store, cache } = await fixture(10, blockBytes);
    const range = { key: "segments/late", position: 0, length: 10, knownEnd: 10 };
    const error = await cache.copy(range, new Uint8Array(10)).catch((caught: unknown) => caught);
    expect(isStreamError(error, "object_missing")).toBe(true);
    await store.create("segments/late", new Uint8Array(10).fill(7));
    const target = new Uint8Array(10);
    await cache.copy(range, target);
    expect(target).toEqual(new Uint8Array(10).fill(7));
  });

  test("concurrent readers of a cache that is too small get their own bytes", async () => {
    const sizeBytes = 12 * blockBytes;
    const { bytes, cache, read } = await fixture(sizeBytes, 2 * blockBytes);
    const random = createRandom(5);
    for (let round = 0; round < 20; round++) {
      await Promise.all(
        Array.from({ length: 6 }, async () => {
          const position = Math.floor(random.uniform() * (sizeBytes - 1));
          const length = 1 + Math.floor(random.uniform() * (sizeBytes - position - 1));
          cache.prefetch({ key: "segments/o", position, length: 1, knownEnd: sizeBytes });
          const found = await read(position, length);
          expect(Buffer.compare(found, bytes.subarray(position, position + length))).toBe(0);
        }),
      );
    }
  });

  test("holds no more than its bound, however many read and however few blocks are wanted", async () => {
    const store = new GatedStore();
    await store.create("segments/o", new Uint8Array(64 * blockBytes));
    const capacityBytes = 8 * blockBytes;
    const pool = new BufferPool(capacityBytes);
    const cache = new BlockCache({ store, pool, capacityBytes, metrics: new Metrics() });
    const knownEnd = 64 * blockBytes;
    const readers = Array.from({ length: 32 }, (_, index) => {
      const position = index * 2 * blockBytes;
      const range = { key: "segments/o", position, length: 2 * blockBytes, knownEnd };
      return cache.copy(range, new Uint8Array(2 * blockBytes));
    });
    let most = 0;
    for (let opened = 0; opened < 32; opened++) {
      await settle();
      most = Math.max(most, cache.heldBytes);
      expect(store.gates.length).toBeGreaterThan(opened);
      store.gates[opened]?.();
    }
    await Promise.all(readers);
    await settle();
    expect(most).toBeLessThanOrEqual(capacityBytes + 4 * blockBytes);
    expect(cache.heldBytes).toBeLessThanOrEqual(capacityBytes);
  });

  test("a buffer counts whole while one of its blocks is kept", async () => {
    const { cache, read } = await fixture(12 * blockBytes, 6 * blockBytes);
    await read(0, 4 * blockBytes);
    for (let index = 4; index < 12; index++) {
      await read(0, 1);
      await read(index * blockBytes, blockBytes);
    }
    await settle();
    expect(cache.heldBytes).toBeLessThanOrEqual(6 * blockBytes);
  });

  test("reads ahead for half of its bound, and again once readers came", async () => {
    const { cache, read } = await fixture(32 * blockBytes, 8 * blockBytes);
    const ahead = (index: number) =>
      cache.prefetch({
        key: "segments/o",
        position: index * blockBytes,
        length: 2 * blockBytes,
        knownEnd: 32 * blockBytes,
      });
    expect([0, 2, 4, 6].map(ahead)).toEqual([true, true, false, false]);
    await settle();
    expect(ahead(4)).toBe(false);
    await read(0, 2 * blockBytes);
    expect(ahead(4)).toBe(true);
  });
});
