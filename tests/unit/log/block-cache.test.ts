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

  override async read(location: ObjectLocation, signal?: AbortSignal, target?: Uint8Array) {
    this.reads.push(location);
    await Promise.resolve();
    return super.read(location, signal, target);
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
          const isSame = found.every((byte, index) => byte === bytes[position + index]);
          expect(isSame).toBe(true);
        }),
      );
    }
  });
});
