/**
 * Objects read in aligned blocks and kept. What one reader fetched serves the next one, and
 * neighbouring partitions of a segment, whose bytes share blocks. Missing neighbours are fetched by
 * one ranged read, and a read that is under way is joined, not repeated.
 *
 * All blocks lie in an arena, which is the bound; inside the memory of the CRC kernel their batches
 * are summed where they are. Readers look at blocks in one synchronous step, during which these are
 * pinned; what they take along is a copy, or lent (base/lent-bytes.ts). Only readers in other
 * threads hold blocks for longer (ADR 22). Pins, holds and reads ahead are budgeted so that an
 * eighth of the slots is always to be had: nobody waits for a slow reader.
 */
import type { BufferPool } from "../base/buffer-pool.ts";
import { ByteBudget } from "../base/byte-budget.ts";
import { Lendable, type LentBytes } from "../base/lent-bytes.ts";
import type { Counter, Metrics } from "../base/metrics.ts";
import type { ObjectStore } from "../store/object-store.ts";
import { BlockArena, type Tenant } from "./block-arena.ts";

/**
 * Large enough for neighbours to share a read, small enough that a reader of one partition among
 * many does not read them all.
 */
export const blockBytes = 256 * 1024;

/** Neighbouring blocks in one ranged read: 8 MiB, a whole segment, if the store wants no less. */
const readBytesMaxDefault = 8 * 1024 * 1024;

/** A store that reads side by side gets targets of this size: one system call each in a folder. */
const targetBytesMax = 1024 * 1024;

export interface ObjectRange {
  readonly key: string;
  readonly position: number;
  readonly length: number;
  /** The object is known to reach at least this far: blocks are read up to here. */
  readonly knownEnd: number;
}

/** Bytes of a range that lie side by side in memory. */
export interface Piece {
  readonly bytes: Uint8Array;
  /** What the bytes lie in; empty where they are gone when the reader returns. */
  readonly sources: readonly Lendable[];
}

export interface BlockCacheOptions {
  readonly store: ObjectStore;
  readonly pool: BufferPool;
  readonly lent: LentBytes;
  /** The arena; see LogOptions. */
  readonly memory: readonly Uint8Array[];
  readonly metrics: Metrics;
}

class Block extends Lendable implements Tenant {
  readonly name: string;
  readonly slot: number;
  /** May be shorter than `blockBytes` where the object was not known to go on. */
  readonly length: number;
  /** Settles when it is filled or has failed; never rejects. */
  loaded: Promise<void> | undefined;
  failure: unknown;
  /** Readers that look at it or wait for it. */
  users = 0;
  /** Of these users, views that other threads read. */
  holds = 0;
  usedAgain = false;
  /** Read ahead, and nobody has come for it yet. */
  unread: boolean;
  /** Not to be found any more: its slot is free as soon as nobody uses it. */
  dropped = false;

  constructor(name: string, place: { slot: number; length: number; unread: boolean }) {
    super();
    this.name = name;
    this.slot = place.slot;
    this.length = place.length;
    this.unread = place.unread;
  }

  get isPinned(): boolean {
    return this.users > 0 || this.loaded !== undefined;
  }
}

/** Blocks of an object, one behind the other, to be read by one request. */
interface BlockRun {
  readonly key: string;
  readonly first: number;
  count: number;
  knownEnd: number;
}

export class BlockCache {
  readonly #options: BlockCacheOptions;
  readonly #arena: BlockArena<Block>;
  readonly #blocks = new Map<string, Block>();
  /** Of blocks that readers use. */
  readonly #pins: ByteBudget;
  /** Views that other threads read, with what they lie in. */
  readonly #held = new Map<Uint8Array, readonly Block[]>();
  readonly #heldCountMax: number;
  #heldCount = 0;
  readonly #aheadBytesMax: number;
  readonly #blocksPerReadMax: number;
  readonly #hits: Counter;
  readonly #misses: Counter;
  /** Being read ahead. */
  #aheadBytes = 0;
  #unreadBytes = 0;

  constructor(options: BlockCacheOptions) {
    this.#options = options;
    this.#arena = new BlockArena(options.memory, blockBytes);
    const { slotCount } = this.#arena;
    const { readBytesMax = readBytesMaxDefault } = options.store;
    this.#blocksPerReadMax = Math.floor(Math.min(readBytesMax, readBytesMaxDefault) / blockBytes);
    this.#pins = new ByteBudget(Math.floor(slotCount / 4) * blockBytes);
    this.#heldCountMax = Math.floor(slotCount / 4);
    this.#aheadBytesMax = Math.floor((slotCount * 3) / 8) * blockBytes;
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
        .set(this.heldBytes);
      metrics
        .gauge({
          name: "millrace_block_cache_lent_bytes",
          help: "Of these, blocks that the threads of queries read where they lie.",
        })
        .set(this.#heldCount * blockBytes);
    });
  }

  /** Bytes of all slots in use, those of blocks that are being read included. */
  get heldBytes(): number {
    return this.#arena.tenantCount * blockBytes;
  }

  /**
   * Calls `use` with the bytes of the range as soon as they are there. They are valid until it
   * returns, unless it lends them; it may write what no checksum covers. Errors as the store's
   * `read`, and those of `use`.
   */
  async read<T>(range: ObjectRange, use: (pieces: readonly Piece[]) => T): Promise<T> {
    const { first, last } = blocksOf(range);
    const bytes = (last - first + 1) * blockBytes;
    // It would wait for itself.
    if (bytes > this.#pins.capacityBytes) return this.#readPast(range, use);
    if (!this.#pins.tryTake(bytes)) await this.#pins.take(bytes);
    const blocks = this.#pinned(range);
    try {
      for (const { loaded } of blocks) if (loaded !== undefined) await loaded;
      for (const { failure } of blocks) if (failure !== undefined) throw failure;
      return use(this.#pieces(range, blocks));
    } finally {
      for (const block of blocks) this.#unpin(block);
      this.#pins.give(bytes);
    }
  }

  /**
   * Keeps `view`, all of which lies in `sources`, as it is until `letGo`: another thread reads it
   * there. False: its memory is not shared, or a quarter of the slots is held already.
   */
  hold(view: Uint8Array, sources: readonly Lendable[]): boolean {
    if (sources.length === 0 || view.buffer instanceof ArrayBuffer) return false;
    const blocks = sources.filter((each) => each instanceof Block);
    const fresh = blocks.filter(({ holds }) => holds === 0).length;
    if (this.#heldCount + fresh > this.#heldCountMax) return false;
    this.#heldCount += fresh;
    for (const block of blocks) {
      block.holds += 1;
      block.users += 1;
    }
    this.#held.set(view, blocks);
    return true;
  }

  /** The other thread is done with `view`. False: it was not held. */
  letGo(view: Uint8Array): boolean {
    const blocks = this.#held.get(view);
    if (blocks === undefined) return false;
    this.#held.delete(view);
    for (const block of blocks) {
      block.holds -= 1;
      if (block.holds === 0) this.#heldCount -= 1;
      this.#unpin(block);
    }
    return true;
  }

  /**
   * Starts reading what will be wanted, neighbours of all ranges together. False: some of it was
   * left out, since as much as may be is on its way, or was read ahead and waits for its readers.
   * Failures show when it is asked for.
   */
  readAhead(ranges: readonly ObjectRange[]): boolean {
    let run: BlockRun | undefined;
    let isWhole = true;
    for (const range of ranges.toSorted(byPlace)) {
      const { first, last } = blocksOf(range);
      const end = range.position + range.length;
      for (let index = first; index <= last; index++) {
        if (run?.key === range.key && index < run.first + run.count) continue;
        const neededBytes = Math.min(end - index * blockBytes, blockBytes);
        if (this.#find(blockName(range.key, index), neededBytes) !== undefined) continue;
        const knownEnd = Math.max(range.knownEnd, end);
        if (run !== undefined && this.#follows(run, range.key, index)) {
          run.count += 1;
          run.knownEnd = Math.max(run.knownEnd, knownEnd);
          continue;
        }
        if (run !== undefined) isWhole = this.#loadAhead(run) && isWhole;
        run = { key: range.key, first: index, count: 1, knownEnd };
      }
    }
    if (run !== undefined) isWhole = this.#loadAhead(run) && isWhole;
    return isWhole;
  }

  #follows(run: BlockRun, key: string, index: number): boolean {
    return run.key === key && run.first + run.count === index && run.count < this.#blocksPerReadMax;
  }

  #loadAhead(run: BlockRun): boolean {
    const bytes = run.count * blockBytes;
    if (this.#aheadBytes + bytes > this.#aheadBytesMax) return false;
    if (this.#unreadBytes + bytes > this.#aheadBytesMax) return false;
    const [block] = this.#load(run, true);
    this.#aheadBytes += bytes;
    void block?.loaded?.then(() => {
      this.#aheadBytes -= bytes;
    });
    return true;
  }

  /** The blocks of a range in order, each there or on its way, none of which can go. */
  #pinned(range: ObjectRange): readonly Block[] {
    const { first, last } = blocksOf(range);
    const end = range.position + range.length;
    const blocks: (Block | undefined)[] = [];
    // Those that are there first: room for the others must not be taken from them.
    for (let index = first; index <= last; index++) {
      const neededBytes = Math.min(end - index * blockBytes, blockBytes);
      const block = this.#find(blockName(range.key, index), neededBytes);
      if (block !== undefined) this.#use(block);
      blocks.push(block);
    }
    for (let at = 0; at < blocks.length; at++) {
      let count = 0;
      while (at + count < blocks.length && blocks[at + count] === undefined) count++;
      count = Math.min(count, this.#blocksPerReadMax);
      if (count === 0) continue;
      const knownEnd = Math.max(range.knownEnd, end);
      const loading = this.#load({ key: range.key, first: first + at, count, knownEnd }, false);
      for (const block of loading) block.users += 1;
      blocks.splice(at, count, ...loading);
    }
    return blocks as Block[];
  }

  #find(name: string, neededBytes: number): Block | undefined {
    const block = this.#blocks.get(name);
    return block !== undefined && block.length >= neededBytes ? block : undefined;
  }

  #use(block: Block): void {
    this.#hits.add();
    block.users += 1;
    if (block.unread) this.#claim(block);
    else block.usedAgain = true;
  }

  /** Starts one ranged read. There are slots for it: the budgets see to that. */
  #load({ key, first, count, knownEnd }: BlockRun, isAhead: boolean): readonly Block[] {
    const position = first * blockBytes;
    const length = Math.min(position + count * blockBytes, knownEnd) - position;
    this.#misses.add(count);
    const blocks: Block[] = [];
    const targets: Uint8Array[] = [];
    while (blocks.length < count) {
      const run = this.#arena.take(count - blocks.length, (block) => this.#drop(block));
      const start = blocks.length * blockBytes;
      const runBytes = Math.min(run.count * blockBytes, length - start);
      for (let at = 0; at < runBytes; at += targetBytesMax) {
        targets.push(this.#arena.view(run.first, at, Math.min(targetBytesMax, runBytes - at)));
      }
      for (let slot = run.first; slot < run.first + run.count; slot++) {
        const left = length - blocks.length * blockBytes;
        const place = { slot, length: Math.min(blockBytes, left), unread: isAhead };
        const block = new Block(blockName(key, first + blocks.length), place);
        // Until its read is under way: room for its neighbours must not be taken from it.
        block.users += 1;
        this.#arena.occupy(slot, block);
        blocks.push(block);
      }
    }
    const loaded = this.#fill({ key, position, length }, targets, blocks);
    for (const block of blocks) {
      block.loaded = loaded;
      block.users -= 1;
      const before = this.#blocks.get(block.name);
      if (before !== undefined) this.#drop(before);
      this.#blocks.set(block.name, block);
      if (block.unread) this.#unreadBytes += block.length;
    }
    return blocks;
  }

  async #fill(
    location: { readonly key: string; readonly position: number; readonly length: number },
    targets: readonly Uint8Array[],
    blocks: readonly Block[],
  ): Promise<void> {
    let failure: unknown;
    try {
      await this.#options.store.readInto(location, targets);
    } catch (error) {
      failure = error;
    }
    for (const block of blocks) {
      block.loaded = undefined;
      block.failure = failure;
      // Whoever asks next asks the store again.
      if (failure !== undefined && !block.dropped) this.#drop(block);
      else this.#freeIfDone(block);
    }
  }

  #pieces(range: ObjectRange, blocks: readonly Block[]): readonly Piece[] {
    const pieces: Piece[] = [];
    let left = range.length;
    let from = range.position % blockBytes;
    for (let at = 0; at < blocks.length; ) {
      const { slot } = blocks[at] as Block;
      const sources: Lendable[] = [];
      let bytes = -from;
      do {
        sources.push(blocks[at++] as Block);
        bytes += blockBytes;
      } while (at < blocks.length && this.#adjoin(blocks[at - 1], blocks[at]));
      const length = Math.min(bytes, left);
      pieces.push({ bytes: this.#arena.view(slot, from, length), sources });
      left -= length;
      from = 0;
    }
    return pieces;
  }

  #adjoin(here: Block | undefined, there: Block | undefined): boolean {
    if (here === undefined || there === undefined || there.slot !== here.slot + 1) return false;
    return this.#arena.adjoins(here.slot, there.slot);
  }

  /** Reads what the arena is too small for into a buffer that only this reader sees. */
  async #readPast<T>(range: ObjectRange, use: (pieces: readonly Piece[]) => T): Promise<T> {
    const { store, pool } = this.#options;
    const { key, position, length } = range;
    const bytes = pool.take(length);
    await store.readInto({ key, position, length }, [bytes]);
    const result = use([{ bytes, sources: [] }]);
    pool.give(bytes);
    return result;
  }

  #unpin(block: Block): void {
    block.users -= 1;
    this.#freeIfDone(block);
  }

  #claim(block: Block): void {
    if (block.unread) this.#unreadBytes -= block.length;
    block.unread = false;
  }

  #drop(block: Block): void {
    if (block.dropped) return;
    block.dropped = true;
    if (this.#blocks.get(block.name) === block) this.#blocks.delete(block.name);
    this.#claim(block);
    this.#freeIfDone(block);
  }

  #freeIfDone(block: Block): void {
    if (!block.dropped || block.isPinned) return;
    this.#options.lent.recall(block);
    this.#arena.leave(block.slot);
  }
}

function blocksOf({ position, length }: ObjectRange): { first: number; last: number } {
  const first = Math.floor(position / blockBytes);
  return { first, last: Math.max(first, Math.floor((position + length - 1) / blockBytes)) };
}

function byPlace(left: ObjectRange, right: ObjectRange): number {
  if (left.key !== right.key) return left.key < right.key ? -1 : 1;
  return left.position - right.position;
}

function blockName(key: string, index: number): string {
  return `${key}#${index}`;
}
