/**
 * Objects read in aligned blocks and kept, bounded in bytes, least recently used first out. What
 * one reader fetched serves the next one, and neighbouring partitions of a segment, whose bytes
 * share blocks. Missing neighbours are fetched by one ranged read, and a read that is under way is
 * joined, not repeated.
 *
 * The bound holds for the buffers themselves, on their way or there: a buffer counts until its
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

/**
 * A block and its buffer, which is of one size for all, so that any may serve for any other again.
 */
interface Block {
  /** Its buffer once it is filled, as long as the block. */
  bytes: Promise<Uint8Array>;
  /** Of its buffer; 0 until it has one. */
  heldBytes: number;
  /** May be shorter than `blockBytes` where the object was not known to go on. */
  readonly length: number;
  /** The cache and readers under way; at zero the buffer is used again. */
  users: number;
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
    for (const block of blocks) block.users += 1;
    this.#evict();
    let start = range.position - (range.position % blockBytes);
    let copied = 0;
    try {
      for (const block of blocks) {
        const bytes = await block.bytes;
        const from = Math.max(range.position, start);
        const to = Math.min(end, start + block.length);
        target.set(bytes.subarray(from - start, to - start), from - range.position);
        this.#leave(block);
        copied += 1;
        start += blockBytes;
      }
    } finally {
      for (const block of blocks.slice(copied)) this.#leave(block);
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
  #want(range: ObjectRange, isAhead = false): Block[] {
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
    const wanted: Block[] = [];
    for (let index = first; index <= last; index++) {
      wanted.push(this.#blocks.get(blockKey(range.key, index)) as Block);
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
    this.#misses.add(indexes.length);
    const blocks = indexes.map((index): Block => {
      const left = start + length - index * blockBytes;
      const blockLength = Math.min(blockBytes, left);
      return { bytes: noBytes, heldBytes: 0, length: blockLength, users: 0, unread: isAhead };
    });
    const all = this.#read({ key, position: start, length }, blocks);
    indexes.forEach((index, at) => {
      const block = blocks[at] as Block;
      block.bytes = all.then((buffers) => buffers[at] as Uint8Array);
      this.#insert(blockKey(key, index), block);
      block.bytes.catch(() => this.#forget(blockKey(key, index), block));
    });
  }

  /** Waits for its turn before it takes buffers. */
  async #read(location: ObjectLocation, blocks: readonly Block[]): Promise<Uint8Array[]> {
    const { store, pool } = this.#options;
    const { length } = location;
    // Whoever calls evicts once all blocks of its range are held: here that could take one of them.
    const waits = !this.#loading.tryTake(length);
    if (waits) await this.#loading.take(length);
    const buffers = blocks.map((block) => {
      const whole = pool.take(blockBytes);
      block.heldBytes = whole.buffer.byteLength;
      this.#heldBytes += block.heldBytes;
      return whole.subarray(0, block.length);
    });
    if (waits) this.#evict();
    try {
      await store.readInto(location, buffers);
      return buffers;
    } catch (error) {
      for (const buffer of buffers) pool.give(buffer);
      throw error;
    } finally {
      this.#loading.give(length);
    }
  }

  #insert(key: string, block: Block): void {
    this.#drop(key);
    this.#blocks.set(key, block);
    if (block.unread) this.#unreadBytes += block.length;
    block.users += 1;
  }

  #claim(block: Block): void {
    if (block.unread) this.#unreadBytes -= block.length;
    block.unread = false;
  }

  /** A read failed: whoever asks next asks the store again. */
  #forget(key: string, failed: Block): void {
    if (this.#blocks.get(key) === failed) this.#drop(key);
  }

  #drop(key: string): void {
    const block = this.#blocks.get(key);
    if (block === undefined) return;
    this.#blocks.delete(key);
    this.#claim(block);
    this.#leave(block);
  }

  #leave(block: Block): void {
    block.users -= 1;
    if (block.users > 0) return;
    const gone = () => {
      this.#heldBytes -= block.heldBytes;
      block.heldBytes = 0;
    };
    block.bytes.then((bytes) => {
      gone();
      this.#options.pool.give(bytes);
    }, gone);
  }

  /** Drops blocks used longest ago until the buffers that only blocks hold fit. */
  #evict(): void {
    let leavingBytes = 0;
    for (const [key, block] of this.#blocks) {
      if (this.#heldBytes - leavingBytes <= this.#options.capacityBytes) return;
      this.#drop(key);
      if (block.users === 0) leavingBytes += block.heldBytes;
    }
  }
}

const noBytes = Promise.resolve(new Uint8Array(0));

function blockKey(key: string, index: number): string {
  return `${key}#${index}`;
}
