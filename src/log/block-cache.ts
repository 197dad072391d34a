/**
 * Objects read in aligned blocks and kept, bounded in bytes, least recently used first out. What
 * one reader fetched serves the next one, and neighbouring partitions of a segment, whose bytes
 * share blocks. Missing neighbours are fetched by one ranged read, and a read that is under way is
 * joined, not repeated.
 */
import type { BufferPool } from "../base/buffer-pool.ts";
import type { Counter, Metrics } from "../base/metrics.ts";
import type { ObjectStore } from "../store/object-store.ts";

/**
 * Large enough for neighbours to share a read, small enough that a reader of one partition among
 * many does not read them all.
 */
export const blockBytes = 256 * 1024;

/** Neighbouring blocks in one ranged read at most: 8 MiB, a whole segment. */
const blocksPerReadMax = 32;

/** One ranged read: a buffer that its blocks and those who are copying out of them share. */
interface Load {
  readonly bytes: Promise<Uint8Array>;
  /** Position of the buffer's first byte in the object. */
  readonly start: number;
  /** Blocks in the cache and readers under way; at zero the buffer is used again. */
  users: number;
}

interface Block {
  readonly load: Load;
  /** May be shorter than `blockBytes` where the object was not known to go on. */
  readonly length: number;
}

export interface ObjectRange {
  readonly key: string;
  readonly position: number;
  readonly length: number;
  /** The object is known to reach at least this far: blocks are read up to here. */
  readonly knownEnd: number;
}

export interface BlockCacheOptions {
  readonly store: ObjectStore;
  readonly pool: BufferPool;
  readonly capacityBytes: number;
  readonly metrics: Metrics;
}

export class BlockCache {
  readonly #options: BlockCacheOptions;
  readonly #blocks = new Map<string, Block>();
  readonly #hits: Counter;
  readonly #misses: Counter;
  #bytes = 0;

  constructor(options: BlockCacheOptions) {
    this.#options = options;
    const { metrics } = options;
    this.#hits = metrics.counter({
      name: "millrace_block_cache_hits_total",
      help: "Blocks found in memory by reads of stored segments.",
    });
    this.#misses = metrics.counter({
      name: "millrace_block_cache_misses_total",
      help: "Blocks read from the store.",
    });
    metrics.beforePrint(() => {
      metrics
        .gauge({ name: "millrace_block_cache_bytes", help: "Bytes of blocks held." })
        .set(this.#bytes);
    });
  }

  /** Copies the range into `target`, which is as long. Errors as the store's `read`. */
  async copy(range: ObjectRange, target: Uint8Array): Promise<void> {
    const end = range.position + range.length;
    const blocks = this.#want(range);
    // All are held before the first await: one that is evicted meanwhile keeps its buffer.
    for (const { load } of blocks) load.users += 1;
    this.#evict();
    try {
      for (const { load, start, length } of blocks) {
        const bytes = await load.bytes;
        const from = Math.max(range.position, start);
        const to = Math.min(end, start + length);
        target.set(bytes.subarray(from - load.start, to - load.start), from - range.position);
      }
    } finally {
      for (const { load } of blocks) this.#leave(load);
    }
  }

  /** Starts reading what `copy` would need; failures show when it is asked for. */
  prefetch(range: ObjectRange): void {
    this.#want(range);
    this.#evict();
  }

  /** The blocks of a range in order, each held or on its way. */
  #want(range: ObjectRange): (Block & { readonly start: number })[] {
    const end = range.position + range.length;
    const first = Math.floor(range.position / blockBytes);
    const last = Math.floor((end - 1) / blockBytes);
    const missing: number[] = [];
    for (let index = first; index <= last; index++) {
      const needed = Math.min(end - index * blockBytes, blockBytes);
      if (this.#touch(blockKey(range.key, index), needed)) this.#load(range, missing.splice(0));
      else missing.push(index);
      if (missing.length === blocksPerReadMax) this.#load(range, missing.splice(0));
    }
    this.#load(range, missing);
    const wanted: (Block & { readonly start: number })[] = [];
    for (let index = first; index <= last; index++) {
      const block = this.#blocks.get(blockKey(range.key, index)) as Block;
      wanted.push({ ...block, start: index * blockBytes });
    }
    return wanted;
  }

  /** Whether the block is held with at least `needed` bytes; it is then the last to go. */
  #touch(key: string, needed: number): boolean {
    const block = this.#blocks.get(key);
    if (block === undefined || block.length < needed) return false;
    this.#blocks.delete(key);
    this.#blocks.set(key, block);
    this.#hits.add();
    return true;
  }

  /** Reads neighbouring blocks by one request. */
  #load(range: ObjectRange, indexes: readonly number[]): void {
    const first = indexes[0];
    if (first === undefined) return;
    const { store, pool } = this.#options;
    const start = first * blockBytes;
    const knownEnd = Math.max(range.knownEnd, range.position + range.length);
    const length = Math.min(start + indexes.length * blockBytes, knownEnd) - start;
    const bytes = store.read(
      { key: range.key, position: start, length },
      undefined,
      pool.take(length),
    );
    const load: Load = { bytes, start, users: 0 };
    this.#misses.add(indexes.length);
    for (const index of indexes) {
      const left = start + length - index * blockBytes;
      this.#insert(blockKey(range.key, index), { load, length: Math.min(blockBytes, left) });
    }
    bytes.catch(() => this.#forget(range.key, { load, indexes }));
  }

  #insert(key: string, block: Block): void {
    this.#drop(key);
    this.#blocks.set(key, block);
    this.#bytes += block.length;
    block.load.users += 1;
  }

  /** A read failed: whoever asks next asks the store again. */
  #forget(key: string, failed: { load: Load; indexes: readonly number[] }): void {
    for (const index of failed.indexes) {
      const name = blockKey(key, index);
      if (this.#blocks.get(name)?.load === failed.load) this.#drop(name);
    }
  }

  #drop(key: string): void {
    const block = this.#blocks.get(key);
    if (block === undefined) return;
    this.#blocks.delete(key);
    this.#bytes -= block.length;
    this.#leave(block.load);
  }

  #leave(load: Load): void {
    load.users -= 1;
    if (load.users > 0) return;
    load.bytes.then(
      (bytes) => this.#options.pool.give(bytes),
      () => {},
    );
  }

  #evict(): void {
    for (const key of this.#blocks.keys()) {
      if (this.#bytes <= this.#options.capacityBytes) return;
      this.#drop(key);
    }
  }
}

function blockKey(key: string, index: number): string {
  return `${key}#${index}`;
}
