/**
 * All of one group's traffic with the store, in the order asked, one at a time. That order is what
 * makes a generation's end sharp: a commit accepted in generation n is written before the snapshot
 * of n + 1, and read by every OffsetFetch that came later. Commits that wait together are written
 * together, the later one of a partition winning.
 */
import { assert, present } from "../base/assert.ts";
import { type ErrorCode, isStreamError, StreamError } from "../base/stream-error.ts";
import type { GroupGuard, GroupStore, StoredOffset } from "./group-store.ts";
import { queuedOffsetsMax, writtenOffsetsMax } from "./limits.ts";
import { offsetKeyText } from "./types.ts";

type Verdicts = readonly (ErrorCode | null)[];

interface Work {
  /** Never rejects. */
  run(): Promise<void>;
  fail(error: StreamError): void;
  readonly commits: CommitBatch | null;
}

export class GroupWriter {
  readonly #store: GroupStore;
  readonly #guard: GroupGuard;
  readonly #onLost: (error: StreamError) => void;
  readonly #queue: Work[] = [];
  #queuedOffsets = 0;
  #running: Promise<void> | null = null;
  #closedBy: StreamError | null = null;

  /** `onLost` is told when the store says that the lease is somebody else's. */
  constructor(store: GroupStore, guard: GroupGuard, onLost: (error: StreamError) => void) {
    this.#store = store;
    this.#guard = guard;
    this.#onLost = onLost;
  }

  /** Nothing runs and nothing waits. */
  get isIdle(): boolean {
    return this.#running === null;
  }

  /** Nothing waits behind what runs now. */
  get isLast(): boolean {
    return this.#queue.length === 0;
  }

  /** A verdict per offset, in order. `queue_full` when too many wait already. */
  commit(offsets: readonly StoredOffset[]): Promise<Verdicts> {
    if (this.#closedBy !== null) return Promise.reject(this.#closedBy);
    if (this.#queuedOffsets + offsets.length > queuedOffsetsMax) {
      return Promise.reject(
        new StreamError(
          "queue_full",
          `Cannot commit offsets of group "${this.#guard.groupId}": ${this.#queuedOffsets} wait`,
        ),
      );
    }
    this.#queuedOffsets += offsets.length;
    const waiting = this.#queue.at(-1)?.commits ?? null;
    if (waiting?.hasRoom(offsets.length) === true) return waiting.add(offsets);
    const batch = new CommitBatch();
    const verdicts = batch.add(offsets);
    this.#push({
      run: async () => {
        this.#queuedOffsets -= batch.addedCount;
        try {
          batch.resolve(await this.#store.commitOffsets(this.#guard, batch.offsets));
        } catch (error) {
          batch.fail(this.#failure(error));
        }
      },
      fail: (error) => batch.fail(error),
      commits: batch,
    });
    return verdicts;
  }

  /** Runs `work` when all that was asked before is done. */
  run<T>(work: (store: GroupStore, guard: GroupGuard) => Promise<T>): Promise<T> {
    if (this.#closedBy !== null) return Promise.reject(this.#closedBy);
    return new Promise<T>((resolve, reject) => {
      this.#push({
        run: async () => {
          try {
            resolve(await work(this.#store, this.#guard));
          } catch (error) {
            reject(this.#failure(error));
          }
        },
        fail: reject,
        commits: null,
      });
    });
  }

  /** Resolves when all that was asked so far is done or has failed. */
  async settled(): Promise<void> {
    while (this.#running !== null) await this.#running;
  }

  /** Fails what waits and all that comes; what runs is let run. */
  close(error: StreamError): void {
    this.#closedBy ??= error;
    for (const work of this.#queue.splice(0)) work.fail(error);
    this.#queuedOffsets = 0;
  }

  #push(work: Work): void {
    this.#queue.push(work);
    this.#running ??= this.#drain();
  }

  async #drain(): Promise<void> {
    // Begins in a later turn, so that commits of one turn are written together.
    await null;
    for (let work = this.#queue.shift(); work !== undefined; work = this.#queue.shift()) {
      await work.run();
    }
    this.#running = null;
  }

  #failure(error: unknown): StreamError {
    const failure = isStreamError(error)
      ? error
      : new StreamError(
          "coordinator_unavailable",
          `Cannot reach the state of group "${this.#guard.groupId}"`,
          { cause: error },
        );
    if (failure.code === "coordinator_elsewhere") this.#onLost(failure);
    return failure;
  }
}

/** Commits of several requests that become one write. */
class CommitBatch {
  readonly offsets: StoredOffset[] = [];
  /** Offsets asked, those that a later one replaced included. */
  addedCount = 0;
  readonly #indexes = new Map<string, number>();
  readonly #parts: {
    readonly indexes: readonly number[];
    readonly resolve: (verdicts: Verdicts) => void;
    readonly reject: (error: StreamError) => void;
  }[] = [];

  hasRoom(count: number): boolean {
    return this.addedCount + count <= writtenOffsetsMax;
  }

  add(offsets: readonly StoredOffset[]): Promise<Verdicts> {
    this.addedCount += offsets.length;
    const indexes = offsets.map((offset) => this.#place(offset));
    return new Promise((resolve, reject) => this.#parts.push({ indexes, resolve, reject }));
  }

  resolve(verdicts: Verdicts): void {
    assert(verdicts.length === this.offsets.length, "the store gives a verdict per offset");
    for (const { indexes, resolve } of this.#parts) {
      resolve(indexes.map((index) => verdicts[index] ?? null));
    }
  }

  fail(error: StreamError): void {
    for (const { reject } of this.#parts) reject(error);
  }

  #place(offset: StoredOffset): number {
    const key = offsetKeyText(offset);
    if (!this.#indexes.has(key)) this.#indexes.set(key, this.offsets.length);
    const index = present(this.#indexes.get(key), "index of an offset");
    this.offsets[index] = offset;
    return index;
  }
}
