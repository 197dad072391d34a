/**
 * Decompresses in a thread of its own what several queries read: once for all of them, and never on
 * the event loop. The thread begins with the first need.
 */
import { BufferPool } from "../../base/buffer-pool.ts";
import type { Inflater } from "../../log/shared-fetches.ts";
import type { InflateAnswer, InflateRequest } from "./inflate-messages.ts";
import { isSharedBytes, SharedNames } from "./shared-names.ts";
import { threadFile } from "./thread-files.ts";

const idleBytesMax = 32 * 1024 * 1024;
/** Decompressed by compressed bytes, before anything is known of it. */
const ratioGuess = 4;

interface Waiting {
  readonly target: Uint8Array;
  readonly resolve: (bytes: Uint8Array | null) => void;
}

export class InflateThread implements Inflater {
  readonly #pool = new BufferPool(idleBytesMax, true);
  /** Requests are answered in order. */
  readonly #waiting: Waiting[] = [];
  #names = new SharedNames();
  #thread: Worker | undefined;
  #ratio = ratioGuess;
  #isClosed = false;

  inflate(chunks: readonly Uint8Array[], bytesMax: number): Promise<Uint8Array | null> {
    if (this.#isClosed || !chunks.every(isSharedBytes)) return Promise.resolve(null);
    this.#thread ??= this.#begin();
    const packedBytes = chunks.reduce((sum, { length }) => sum + length, 0);
    const target = this.#pool.take(Math.min(bytesMax, Math.ceil(packedBytes * this.#ratio * 1.1)));
    if (!isSharedBytes(target)) throw new Error("Broken invariant: the pool is of shared memory");
    const { made, news } = this.#names.inMessage((placeOf) => ({
      ...{ chunks: chunks.map(placeOf), target: placeOf(target) },
    }));
    const request: InflateRequest = { ...made, bytesMax, shared: news };
    return new Promise((resolve) => {
      const note = (bytes: Uint8Array | null) => {
        if (bytes !== null && packedBytes > 0) this.#ratio = bytes.length / packedBytes;
        resolve(bytes);
      };
      this.#waiting.push({ target, resolve: note });
      this.#thread?.postMessage(request);
    });
  }

  giveBack(bytes: Uint8Array): void {
    this.#pool.give(bytes);
  }

  close(): void {
    this.#isClosed = true;
    this.#lose();
  }

  #begin(): Worker {
    const thread = new Worker(threadFile("inflate-worker"), { type: "module" });
    thread.onmessage = ({ data }: MessageEvent<InflateAnswer>) => this.#settle(data);
    thread.onerror = (event) => {
      event.preventDefault();
      this.#lose();
    };
    thread.onmessageerror = () => this.#lose();
    return thread;
  }

  #settle({ length, elsewhere }: InflateAnswer): void {
    const waiting = this.#waiting.shift();
    if (waiting === undefined) return;
    const { target, resolve } = waiting;
    const isTarget = length !== null && length > 0 && elsewhere === null;
    if (!isTarget) this.#pool.give(target);
    resolve(isTarget ? target.subarray(0, length) : elsewhere);
  }

  /** Queries do without: they decompress for themselves. */
  #lose(): void {
    this.#thread?.terminate();
    this.#thread = undefined;
    this.#names = new SharedNames();
    for (const { resolve } of this.#waiting.splice(0)) resolve(null);
  }
}
