/**
 * How bytes of the caches become chunks of an answer: copied, lent to a reader that sends them at
 * once, or held or copied where another thread can read them. What is small is always copied: a
 * view of it costs more than its bytes.
 */
import type { BufferPool } from "../base/buffer-pool.ts";
import type { Lendable, LentBytes } from "../base/lent-bytes.ts";
import type { BlockCache } from "./block-cache.ts";

const lentBytesMinDefault = 64 * 1024;

/** Where the reader of an answer wants its bytes. */
export interface ChunkWishes {
  /** Views of caches, read through `LentBytes` by a reader that sends them. */
  readonly lends: boolean;
  /** Memory that other threads may read, where there is such. */
  readonly shares: boolean;
}

export interface AnswerChunksParts {
  readonly pool: BufferPool;
  /** Of shared memory; absent where no thread reads answers. */
  readonly sharedPool?: BufferPool | undefined;
  readonly lent: LentBytes;
  /** Whose bytes other threads may read where they lie; absent: none. */
  readonly blocks?: Pick<BlockCache, "hold" | "letGo"> | undefined;
  readonly lentBytesMin?: number | undefined;
}

export class AnswerChunks {
  readonly #pool: BufferPool;
  readonly #sharedPool: BufferPool | undefined;
  readonly #lent: LentBytes;
  readonly #blocks: AnswerChunksParts["blocks"];
  readonly #lentBytesMin: number;

  constructor(parts: AnswerChunksParts) {
    const { pool, sharedPool, lent, blocks, lentBytesMin = lentBytesMinDefault } = parts;
    this.#blocks = blocks;
    this.#pool = pool;
    this.#sharedPool = sharedPool;
    this.#lent = lent;
    this.#lentBytesMin = lentBytesMin;
  }

  /** Whether so many views of so many bytes together are worth lending each on its own. */
  areWorthLending(viewCount: number, bytes: number): boolean {
    return bytes >= viewCount * this.#lentBytesMin;
  }

  /** A copy of the views, one after the other. */
  copy(views: readonly Uint8Array[], shares = false): Uint8Array {
    let length = 0;
    for (const view of views) length += view.length;
    const pool = (shares ? this.#sharedPool : undefined) ?? this.#pool;
    const chunk = pool.take(length);
    let position = 0;
    for (const view of views) {
      chunk.set(view, position);
      position += view.length;
    }
    return chunk;
  }

  /** `view` itself where that is worth it, else a copy. Without sources there is only the copy. */
  lend(view: Uint8Array, sources: readonly Lendable[]): Uint8Array {
    if (view.length < this.#lentBytesMin || sources.length === 0) return this.copy([view]);
    this.#lent.lend(view, sources);
    return view;
  }

  /** `view` itself, held for another thread, where that is worth it; else a copy for it. */
  share(view: Uint8Array, sources: readonly Lendable[]): Uint8Array {
    const isHeld = view.length >= this.#lentBytesMin && this.#blocks?.hold(view, sources);
    return isHeld === true ? view : this.copy([view], true);
  }

  /** The answer has left, or never will. */
  give(chunks: readonly Uint8Array[]): void {
    for (const chunk of chunks) {
      if (this.#lent.giveBack(chunk) || this.#blocks?.letGo(chunk)) continue;
      // Each pool leaves alone what is not of its kind.
      this.#pool.give(chunk);
      this.#sharedPool?.give(chunk);
    }
  }
}
