/**
 * Objects read in aligned blocks and kept, bounded in bytes, least recently used first out. What
 * one reader fetched serves the next one, and neighbouring partitions of a segment, whose bytes
 * share blocks. Missing neighbours are fetched by one ranged read, and a read that is under way is
 * joined, not repeated.
 */
import { present } from "../base/assert.ts";
import type { Counter, Metrics } from "../base/metrics.ts";
import type { ObjectStore } from "../store/object-store.ts";

/**
 * Large enough for neighbours to share a read, small enough that a reader of one partition among
 * many does not read them all.
 */
export const blockBytes = 256 * 1024;

/** Neighbouring blocks in one ranged read at most: 8 MiB, a whole segment. */
const blocksPerReadMax = 32;

interface Block {
  /** May be shorter than `blockBytes` where the object was not known to go on. */
  readonly bytes: Promise<Uint8Array>;
  readonly length: number;
}

export interface ObjectRange {
  readonly key: string;
  readonly position: number;
  readonly length: number;
  /** The object is known to reach at least this far: blocks are read up to here. */
  readonly knownEnd: number;
}

export class BlockCache {
  readonly #store: ObjectStore;
  readonly #capacityBytes: number;
  readonly #blocks = new Map<string, Block>();
  readonly #hits: Counter;
  readonly #misses: Counter;
  #bytes = 0;

  constructor(options: { store: ObjectStore; capacityBytes: number; metrics: Metrics }) {
    this.#store = options.store;
    this.#capacityBytes = options.capacityBytes;
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

  /**
   * Views that hold the range, in order; they are lent and must not be changed. Errors as the
   * store's `read`.
   */
  async read(range: ObjectRange): Promise<Uint8Array[]> {
    const end = range.position + range.length;
    const views: Uint8Array[] = [];
    const promises = this.#want(range);
    for (const { start, bytes } of promises) {
      const block = await bytes;
      views.push(block.subarray(Math.max(range.position - start, 0), end - start));
    }
    return views;
  }

  /** Starts reading what `read` would need; failures show when it is asked for. */
  prefetch(range: ObjectRange): void {
    for (const { bytes } of this.#want(range)) bytes.catch(() => {});
  }

  #want(range: ObjectRange): { start: number; bytes: Promise<Uint8Array> }[] {
    const first = Math.floor(range.position / blockBytes);
    const last = Math.floor((range.position + range.length - 1) / blockBytes);
    const end = range.position + range.length;
    let missing: number[] = [];
    for (let index = first; index <= last; index++) {
      const start = index * blockBytes;
      const block = this.#touch(blockKey(range.key, index));
      if (block !== undefined && block.length >= Math.min(end - start, blockBytes)) {
        this.#hits.add();
        this.#load(range, missing);
        missing = [];
      } else {
        missing.push(index);
        if (missing.length === blocksPerReadMax) {
          this.#load(range, missing);
          missing = [];
        }
      }
    }
    this.#load(range, missing);
    const wanted: { start: number; bytes: Promise<Uint8Array> }[] = [];
    for (let index = first; index <= last; index++) {
      const block = present(this.#blocks.get(blockKey(range.key, index)), "block");
      wanted.push({ start: index * blockBytes, bytes: block.bytes });
    }
    this.#evict();
    return wanted;
  }

  #touch(key: string): Block | undefined {
    const block = this.#blocks.get(key);
    if (block === undefined) return undefined;
    this.#blocks.delete(key);
    this.#blocks.set(key, block);
    return block;
  }

  #load(range: ObjectRange, indexes: readonly number[]): void {
    const first = indexes[0];
    if (first === undefined) return;
    const position = first * blockBytes;
    const knownEnd = Math.max(range.knownEnd, range.position + range.length);
    const end = Math.min((first + indexes.length) * blockBytes, knownEnd);
    const whole = this.#store.read({ key: range.key, position, length: end - position });
    this.#misses.add(indexes.length);
    for (const index of indexes) {
      const from = index * blockBytes - position;
      const length = Math.min(blockBytes, end - position - from);
      const bytes = whole.then((all) => all.subarray(from, from + length));
      this.#insert(blockKey(range.key, index), { bytes, length });
    }
  }

  #insert(key: string, block: Block): void {
    const old = this.#blocks.get(key);
    if (old !== undefined) this.#drop(key, old);
    this.#blocks.set(key, block);
    this.#bytes += block.length;
    block.bytes.catch(() => {
      if (this.#blocks.get(key) === block) this.#drop(key, block);
    });
  }

  #drop(key: string, block: Block): void {
    this.#blocks.delete(key);
    this.#bytes -= block.length;
  }

  #evict(): void {
    for (const [key, block] of this.#blocks) {
      if (this.#bytes <= this.#capacityBytes) return;
      this.#drop(key, block);
    }
  }
}

function blockKey(key: string, index: number): string {
  return `${key}#${index}`;
}
