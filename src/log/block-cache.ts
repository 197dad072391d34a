/**
 * Objects read in aligned blocks and kept, bounded in bytes, least recently used first out. What
 * one reader fetched serves the next one, and neighbouring partitions of a segment, whose bytes
 * share blocks. Missing neighbours are fetched by one ranged read, and a read that is under way is
 * joined, not repeated.
 *
 * The bound holds for the buffers themselves, on their way or there: a buffer counts until its last
 * block is dropped and its last reader has copied. Reads beyond the bound wait; reads ahead of
 * anyone's need are left out when much is on its way or lies unread already.
 */

import type { BufferPool } from "../base/buffer-pool.ts";
import { ByteBudget } from "../base/byte-budget.ts";
import type { Counter, Metrics } from "../base/metrics.ts";
import type { ObjectLocation, ObjectStore } from "../store/object-store.ts";

/**
 * Large enough for neighbours to share a read, small enough that a reader of one partition among
 * many does not read them all.
 */
export const blockBytes = 256 * 1024;

/** Neighbouring blocks in one ranged read at most: 8 MiB, a whole segment. */
const blocksPerReadMax = 32;

/** One ranged read: a buffer that its blocks and those who are copying out of them share. */
interface Load {
  bytes: Promise<Uint8Array>;
  /** Of its buffer; 0 until it has one. */
  heldBytes: number;
  /** Position of the buffer's first byte in the object. */
  readonly start: number;
  /** Blocks in the cache and readers under way; at zero the buffer is used again. */
  users: number;
}

interface Block {
  readonly load: Load;
  /** May be shorter than `blockBytes` where the object was not known to go on. */
  readonly length: number;
  /** Read ahead, and nobody has come for it yet. */
  unread: boolean;
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
  /** Reads under way. */
  readonly #loading: ByteBudget;
  #heldBytes = 0;
  #unreadBytes = 0;

  constructor(options: BlockCacheOptions) {
    this.#options = options;
    this.#loading = new ByteBudget(options.capacityBytes);
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
        .set(this.#heldBytes);
    });
  }

  /** Bytes of all buffers, those of blocks that are being read included. */
  get heldBytes(): number {
    return this.#heldBytes;
  }

  /** Copies the range into `target`, which is as long. Errors as the store's `read`. */
  async copy(range: ObjectRange, target: Uint8Array): Promise<void> {
    const end = range.position + range.length;
    const blocks = this.#want(range);
    // All are held before the first await: one that is evicted meanwhile keeps its buffer.
    for (const { load } of blocks) load.users += 1;
    this.#evict();
    let copied = 0;
    try {
      for (const { load, start, length } of blocks) {
        const bytes = await load.bytes;
        const from = Math.max(range.position, start);
        const to = Math.min(end, start + length);
        target.set(bytes.subarray(from - load.start, to - load.start), from - range.position);
        this.#leave(load);
        copied += 1;
      }
    } finally {
      for (const { load } of blocks.slice(copied)) this.#leave(load);
    }
  }

  /**
   * Starts reading what `copy` would need, unless half the cache is on its way, or was read ahead
   * and waits for its readers; failures show when it is asked for. False: it was left out.
   */
  prefetch(range: ObjectRange): boolean {
    const halfBytes = this.#options.capacityBytes / 2;
    if (this.#loading.takenBytes + range.length > halfBytes) return false;
    if (this.#unreadBytes + range.length > halfBytes) return false;
    this.#want(range, true);
    this.#evict();
    return true;
  }

  /** The blocks of a range in order, each held or on its way. */
  #want(range: ObjectRange, isAhead = false): (Block & { readonly start: number })[] {
    const end = range.position + range.length;
    const first = Math.floor(range.position / blockBytes);
    const last = Math.floor((end - 1) / blockBytes);
    const missing: number[] = [];
    const load = () => this.#load(range, missing.splice(0), isAhead);
    for (let index = first; index <= last; index++) {
      const neededBytes = Math.min(end - index * blockBytes, blockBytes);
      if (this.#touch(blockKey(range.key, index), { neededBytes, isAhead })) load();
      else missing.push(index);
      if (missing.length === blocksPerReadMax) load();
    }
    load();
    const wanted: (Block & { readonly start: number })[] = [];
    for (let index = first; index <= last; index++) {
      const block = this.#blocks.get(blockKey(range.key, index)) as Block;
      wanted.push({ ...block, start: index * blockBytes });
    }
    return wanted;
  }

  /** Whether the block is held with at least the needed bytes; it is then the last to go. */
  #touch(
    key: string,
    { neededBytes, isAhead }: { readonly neededBytes: number; readonly isAhead: boolean },
  ): boolean {
    const block = this.#blocks.get(key);
    if (block === undefined || block.length < neededBytes) return false;
    this.#blocks.delete(key);
    this.#blocks.set(key, block);
    this.#hits.add();
    if (!isAhead) this.#claim(block);
    return true;
  }

  /** Reads neighbouring blocks by one request. */
  #load(range: ObjectRange, indexes: readonly number[], isAhead: boolean): void {
    const first = indexes[0];
    if (first === undefined) return;
    const { key } = range;
    const start = first * blockBytes;
    const knownEnd = Math.max(range.knownEnd, range.position + range.length);
    const length = Math.min(start + indexes.length * blockBytes, knownEnd) - start;
    const load: Load = { bytes: noBytes, heldBytes: 0, start, users: 0 };
    load.bytes = this.#read({ key, position: start, length }, load);
    this.#misses.add(indexes.length);
    for (const index of indexes) {
      const left = start + length - index * blockBytes;
      const block = { load, length: Math.min(blockBytes, left), unread: isAhead };
      this.#insert(blockKey(key, index), block);
    }
    load.bytes.catch(() => this.#forget(key, { load, indexes }));
  }

  /** Waits for its turn before it takes a buffer. */
  async #read(location: ObjectLocation, load: Load): Promise<Uint8Array> {
    const { store, pool } = this.#options;
    const { length } = location;
    // Whoever calls evicts once all blocks of its range are held: here that could take one of them.
    const waits = !this.#loading.tryTake(length);
    if (waits) await this.#loading.take(length);
    const target = pool.take(length);
    load.heldBytes = target.buffer.byteLength;
    this.#heldBytes += load.heldBytes;
    if (waits) this.#evict();
    try {
      return await store.read(location, undefined, target);
    } finally {
      this.#loading.give(length);
    }
  }

  #insert(key: string, block: Block): void {
    this.#drop(key);
    this.#blocks.set(key, block);
    if (block.unread) this.#unreadBytes += block.length;
    block.load.users += 1;
  }

  #claim(block: Block): void {
    if (block.unread) this.#unreadBytes -= block.length;
    block.unread = false;
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
    this.#claim(block);
    this.#leave(block.load);
  }

  #leave(load: Load): void {
    load.users -= 1;
    if (load.users > 0) return;
    const gone = () => {
      this.#heldBytes -= load.heldBytes;
      load.heldBytes = 0;
    };
    load.bytes.then((bytes) => {
      gone();
      this.#options.pool.give(bytes);
    }, gone);
  }

  /** Drops blocks used longest ago until the buffers that only blocks hold fit. */
  #evict(): void {
    let leavingBytes = 0;
    for (const [key, { load }] of this.#blocks) {
      if (this.#heldBytes - leavingBytes <= this.#options.capacityBytes) return;
      this.#drop(key);
      if (load.users === 0) leavingBytes += load.heldBytes;
    }
  }
}

const noBytes = Promise.resolve(new Uint8Array(0));

function blockKey(key: string, index: number): string {
  return `${key}#${index}`;
}
