/**
 * Bytes of fetched records that wait for their readers, over all of them. A fetch reserves what it
 * may read before it reads, counts what it really holds afterwards, and gives that back when it
 * has left. So the bound holds however many fetches come at the same instant.
 *
 * Shares shrink as answers pile up (an eighth of the rest), so slow readers leave room for fast
 * ones, and answers get smaller before anybody waits.
 */
import { pooledBytes } from "./buffer-pool.ts";
import { ByteBudget } from "./byte-budget.ts";
import type { Timers } from "./platform.ts";

/** A fetch may ask for so much however many answers wait for slow readers. */
const shareBytesMin = 64 * 1024;
/** Of the capacity; so much at most is reserved for one batch. */
const batchShare = 1 / 4;

/** Part of an answer: buffers that are kept for it. */
export interface HeldBuffers {
  readonly chunks: readonly Uint8Array[];
  /** Some are views of memory that is kept for others too, or copies as long as those. */
  readonly isLent?: boolean;
}

export interface ReserveOptions {
  /** Of the answer, as the client asked. */
  readonly bytesMax: number;
  /** Of one batch, which is read however little is asked for. */
  readonly batchBytesMax: number;
  readonly waitMsMax: number;
  readonly timers: Timers;
  readonly signal: AbortSignal | undefined;
}

/** Room for one read; settled once. */
export interface AnswerRoom {
  /** The answer may have so many bytes, save that it may always have one batch. */
  readonly bytesMax: number;
  /** Bytes counted until it is settled. */
  readonly reservedBytes: number;
}

export class AnswerMemory {
  readonly #budget: ByteBudget;
  readonly #held = new WeakMap<object, number>();

  constructor(capacityBytes: number) {
    this.#budget = new ByteBudget(capacityBytes);
  }

  get capacityBytes(): number {
    return this.#budget.capacityBytes;
  }

  /** Bytes reserved or held. */
  get waitingBytes(): number {
    return this.#budget.takenBytes;
  }

  /** Room for one read as soon as there is some; undefined when there was none in time. */
  async reserve(options: ReserveOptions): Promise<AnswerRoom | undefined> {
    const share = Math.max(shareBytesMin, (this.capacityBytes - this.waitingBytes) / 8);
    const bytesMax = Math.min(options.bytesMax, Math.floor(share));
    const batchBytes = Math.min(options.batchBytesMax, this.capacityBytes * batchShare);
    const reservedBytes = Math.ceil(Math.max(bytesMax, batchBytes));
    if (!(await this.#take(reservedBytes, options))) return undefined;
    return { bytesMax, reservedBytes };
  }

  /** The read is done: what its answers hold counts from now on, until they are released. */
  settle(room: AnswerRoom, answers: readonly HeldBuffers[]): void {
    this.#budget.give(room.reservedBytes);
    for (const answer of answers) {
      let bytes = 0;
      // What is lent counts as the copy that it becomes when its reader is slow.
      for (const { length, buffer } of answer.chunks) {
        bytes += answer.isLent ? pooledBytes(length) : buffer.byteLength;
      }
      this.hold(answer, bytes);
    }
  }

  /** False while no more should be made of what is held. */
  get hasRoom(): boolean {
    return this.waitingBytes < this.capacityBytes;
  }

  /** Counts bytes that are there already, whether they fit or not, until `owner` is released. */
  hold(owner: object, bytes: number): void {
    if (bytes === 0) return;
    this.#budget.takeAnyway(bytes);
    this.#held.set(owner, (this.#held.get(owner) ?? 0) + bytes);
  }

  /** The answers have left, or never will. Idempotent. */
  release(owners: readonly object[]): void {
    for (const owner of owners) {
      const bytes = this.#held.get(owner);
      if (bytes === undefined) continue;
      this.#held.delete(owner);
      this.#budget.give(bytes);
    }
  }

  async #take(bytes: number, { waitMsMax, timers, signal }: ReserveOptions): Promise<boolean> {
    if (this.#budget.tryTake(bytes)) return true;
    if (waitMsMax <= 0 || signal?.aborted) return false;
    const over = new AbortController();
    const end = () => over.abort();
    signal?.addEventListener("abort", end, { once: true });
    const timer = timers.after(waitMsMax, end);
    const taken = await this.#budget.take(bytes, over.signal);
    timer.cancel();
    signal?.removeEventListener("abort", end);
    return taken;
  }
}
