/**
 * How a query works and rests in a Durable Object (ADR 59, 60). Work comes in steps, between which
 * the object answers others; workerd's clock stands still within one, so a step's time is known
 * only after it, and says how many bytes the next one is given. The processor time that Cloudflare
 * allows is counted anew with each event: when an event has had its share, the query waits for the
 * next, which the object asks for by its alarm. A query that rests leaves no timer behind, which
 * would keep its object awake.
 */
import type { Clock, Timers } from "../../base/platform.ts";
import type { Breath } from "../../pipeline/local-task.ts";
import type { QueryPace } from "../../pipeline/query-pace.ts";

const KiB = 1024;

/** What a step is to take; others wait for so long. */
const stepMs = 100;
const sliceBytesMin = 64 * KiB;
/** Rows between two commits stay in memory: a commit that is due must not wait for many. */
const sliceBytesMax = 512 * KiB;
/** Before anything is known of the query. */
const sliceBytesFirst = 256 * KiB;
/** A publish may be larger than a slice: then there are pauses within it. */
const pieceRecordsMin = 100;
const pieceRecordsMax = 16_384;
const pieceRecordsFirst = 1_000;
/** Smaller slices say little of the time that larger ones take. */
const tellingShare = 0.5;

/** Of the 30 s that Cloudflare allows an event, and steps in case that time is not to be had. */
const eventMsMax = 5_000;
const eventStepsMax = 64;

/** A longer wait is the alarm's: an object that has a timer is not put to sleep. */
const timerMsMax = 10_000;
/** Between looks for what nobody rings for. */
const restlessMsMax = 1_000;

export interface ObjectPaceParts {
  readonly clock: Clock;
  readonly timers: Timers;
  /** Has the object's alarm go off at this time, or before. */
  readonly wakeAt: (time: number) => void;
  /** All who publish ring, so that it may rest without looking. */
  readonly mayRest: boolean;
}

export class ObjectPace implements QueryPace, Breath {
  readonly #parts: ObjectPaceParts;
  #sliceBytes = sliceBytesFirst;
  #pieceRecords = pieceRecordsFirst;
  /** When the step began, or its last pause ended. */
  #breathAt = 0;
  #eventMs = 0;
  #eventSteps = 0;
  #nextEvent: PromiseWithResolvers<void> | undefined;

  constructor(parts: ObjectPaceParts) {
    this.#parts = parts;
  }

  get sliceBytes(): number {
    return this.#sliceBytes;
  }

  /** An event has begun. True when the query has waited for it. */
  renew(): boolean {
    const { resolve } = this.#nextEvent ?? {};
    this.#eventMs = 0;
    this.#eventSteps = 0;
    this.#nextEvent = undefined;
    resolve?.();
    return resolve !== undefined;
  }

  async turn(signal: AbortSignal): Promise<void> {
    if (this.#eventMs < eventMsMax && this.#eventSteps < eventStepsMax) return;
    const { clock, wakeAt } = this.#parts;
    this.#nextEvent ??= Promise.withResolvers();
    const { promise } = this.#nextEvent;
    wakeAt(clock.now());
    if (signal.aborted) return;
    await new Promise<void>((resolve) => {
      signal.addEventListener("abort", () => resolve(), { once: true });
      void promise.then(resolve);
    });
  }

  async step<T>(work: () => Promise<T>, bytes: number): Promise<T> {
    const { clock, timers } = this.#parts;
    const began = clock.monotonic();
    this.#breathAt = began;
    this.#eventSteps += 1;
    try {
      return await work();
    } finally {
      await timers.sleep(0);
      const tookMs = clock.monotonic() - began;
      this.#eventMs += tookMs;
      this.#adapt(bytes, tookMs);
    }
  }

  get pieceRecords(): number {
    return this.#pieceRecords;
  }

  async take(records: number): Promise<void> {
    const { clock, timers } = this.#parts;
    await timers.sleep(0);
    const now = clock.monotonic();
    const fitting = Math.floor((records * stepMs) / Math.max(1, now - this.#breathAt));
    const next = Math.min(2 * this.#pieceRecords, fitting);
    this.#pieceRecords = Math.max(pieceRecordsMin, Math.min(next, pieceRecordsMax));
    this.#breathAt = now;
  }

  rest(waitMs: number): number {
    const { clock, wakeAt, mayRest } = this.#parts;
    if (!mayRest) return Math.min(waitMs, restlessMsMax);
    if (waitMs <= timerMsMax) return waitMs;
    if (Number.isFinite(waitMs)) wakeAt(clock.now() + waitMs);
    return Number.POSITIVE_INFINITY;
  }

  /** Down at once, up by doubling: one slow step says that others may be. */
  #adapt(bytes: number, tookMs: number): void {
    if (bytes < tellingShare * this.#sliceBytes && tookMs < stepMs) return;
    if (bytes === 0) return;
    const fitting = (bytes * stepMs) / Math.max(1, tookMs);
    const next = Math.min(2 * this.#sliceBytes, Math.floor(fitting));
    this.#sliceBytes = Math.max(sliceBytesMin, Math.min(next, sliceBytesMax));
  }
}
