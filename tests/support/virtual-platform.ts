/**
 * A Platform that owns time. Nothing happens unless a test moves the clock, and the same seed gives
 * the same run: timers fire in order of their due time, then of their making; randomness comes from
 * one generator. Between two timers all promises settle, since the event loop turns once.
 */
import { assert } from "../../src/base/assert.ts";
import type { Codecs } from "../../src/base/codecs.ts";
import type { Crc32c } from "../../src/base/crc32c.ts";
import { type Logger, silentLogger } from "../../src/base/log.ts";
import type { Platform, TimerHandle } from "../../src/base/platform.ts";
import { StreamError } from "../../src/base/stream-error.ts";

export interface VirtualPlatformOptions {
  readonly seed: number;
  /** Wall clock at the start; default 2026-01-01. The monotonic clock starts at 0. */
  readonly startMs?: number;
  readonly codecs?: Codecs;
  readonly crc32c?: Crc32c;
  readonly log?: Logger;
}

export interface VirtualPlatform extends Platform {
  /** Moves both clocks on by `durationMs`, firing what falls due, in order. */
  advance(durationMs: number): Promise<void>;
  /**
   * Jumps from timer to timer until none is left. Throws after `timersMax` (default 100 000): a
   * periodic timer never lets go.
   */
  runUntilIdle(timersMax?: number): Promise<void>;
  /** Lets promises settle at the present time; fires no timer that is due later. */
  settle(): Promise<void>;
  /** Moves both clocks on without firing anything: a process that was stopped and goes on. */
  stall(durationMs: number): void;
  /** Makes the wall clock jump; the monotonic clock does not notice. */
  skewWallClock(byMs: number): void;
  /** Timers that wait. */
  readonly timerCount: number;
}

interface VirtualTimer {
  readonly dueMs: number;
  readonly order: number;
  readonly callback: () => void;
  cancelled: boolean;
}

export function createVirtualPlatform(options: VirtualPlatformOptions): VirtualPlatform {
  const random = createRandom(options.seed);
  const heap = new TimerHeap();
  let monotonicMs = 0;
  let wallOffsetMs = options.startMs ?? Date.UTC(2026, 0, 1);
  let order = 0;

  const after = (delayMs: number, callback: () => void): TimerHandle => {
    const dueMs = monotonicMs + Math.max(0, delayMs);
    const timer: VirtualTimer = { dueMs, order: order++, callback, cancelled: false };
    heap.push(timer);
    return {
      cancel() {
        timer.cancelled = true;
      },
    };
  };
  /** Fires the earliest timer due by `untilMs`; false when there is none. */
  const fireNext = async (untilMs: number): Promise<boolean> => {
    const timer = heap.popDue(untilMs);
    if (timer === undefined) return false;
    monotonicMs = Math.max(monotonicMs, timer.dueMs);
    timer.callback();
    await turn();
    return true;
  };

  return {
    clock: { now: () => wallOffsetMs + monotonicMs, monotonic: () => monotonicMs },
    timers: { after, sleep: (delayMs, signal) => sleep(after, delayMs, signal) },
    random,
    codecs: options.codecs ?? plainCodecs,
    crc32c: options.crc32c ?? bytewiseCrc32c,
    log: options.log ?? silentLogger,
    async advance(durationMs) {
      const untilMs = monotonicMs + durationMs;
      await turn();
      while (await fireNext(untilMs));
      monotonicMs = untilMs;
    },
    async runUntilIdle(timersMax = 100_000) {
      await turn();
      for (let fired = 0; await fireNext(Number.POSITIVE_INFINITY); fired++) {
        assert(fired < timersMax, `virtual time comes to rest within ${timersMax} timers`);
      }
    },
    async settle() {
      await turn();
      while (await fireNext(monotonicMs));
    },
    stall(durationMs) {
      monotonicMs += durationMs;
    },
    skewWallClock(byMs) {
      wallOffsetMs += byMs;
    },
    get timerCount() {
      return heap.liveCount();
    },
  };
}

/** One turn of the real event loop: every promise reaction that can run has run. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function sleep(
  after: (delayMs: number, callback: () => void) => TimerHandle,
  delayMs: number,
  signal?: AbortSignal,
): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) {
      resolve();
      return;
    }
    const onAbort = () => {
      timer.cancel();
      resolve();
    };
    const timer = after(delayMs, () => {
      signal?.removeEventListener("abort", onAbort);
      resolve();
    });
    signal?.addEventListener("abort", onAbort, { once: true });
  });
}

/** Mulberry32: 32 bits of state, good enough to explore interleavings. */
export function createRandom(seed: number): Platform["random"] {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return (mixed ^ (mixed >>> 14)) >>> 0;
  };
  return {
    uniform: () => next() / 2 ** 32,
    bytes: (length) => Uint8Array.from({ length }, () => next() >>> 24),
  };
}

/** A binary heap by due time, then by order of making. */
class TimerHeap {
  readonly #timers: VirtualTimer[] = [];

  push(timer: VirtualTimer): void {
    const timers = this.#timers;
    let index = timers.push(timer) - 1;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (!this.#before(index, parent)) return;
      this.#swap(index, parent);
      index = parent;
    }
  }

  /** Takes the first timer due by `untilMs`, dropping cancelled ones on the way. */
  popDue(untilMs: number): VirtualTimer | undefined {
    for (;;) {
      const first = this.#timers[0];
      if (first === undefined) return undefined;
      if (!first.cancelled && first.dueMs > untilMs) return undefined;
      this.#removeFirst();
      if (!first.cancelled) return first;
    }
  }

  liveCount(): number {
    return this.#timers.reduce((count, timer) => count + (timer.cancelled ? 0 : 1), 0);
  }

  #removeFirst(): void {
    const timers = this.#timers;
    const last = timers.pop();
    if (last === undefined || timers.length === 0) return;
    timers[0] = last;
    for (let index = 0; ; ) {
      const left = 2 * index + 1;
      if (left >= timers.length) return;
      const right = left + 1;
      const child = right < timers.length && this.#before(right, left) ? right : left;
      if (!this.#before(child, index)) return;
      this.#swap(index, child);
      index = child;
    }
  }

  #before(a: number, b: number): boolean {
    const left = this.#timers[a] as VirtualTimer;
    const right = this.#timers[b] as VirtualTimer;
    return left.dueMs < right.dueMs || (left.dueMs === right.dueMs && left.order < right.order);
  }

  #swap(a: number, b: number): void {
    const held = this.#timers[a] as VirtualTimer;
    this.#timers[a] = this.#timers[b] as VirtualTimer;
    this.#timers[b] = held;
  }
}

/** Only `none`: a test that compresses passes the real codecs. */
const plainCodecs: Codecs = {
  compress(codec, input) {
    if (codec === "none") return input.slice();
    throw new StreamError("unsupported_compression", `No ${codec} in this virtual platform`);
  },
  decompress(codec, input) {
    if (codec === "none") return input.slice();
    throw new StreamError("unsupported_compression", `No ${codec} in this virtual platform`);
  },
};

/** The checksum by its definition (reflected polynomial 0x82f63b78), bit by bit. */
const bytewiseCrc32c: Crc32c = {
  of(bytes, previous = 0) {
    let crc = ~previous;
    for (const byte of bytes) {
      crc ^= byte;
      for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0x82f63b78 : 0);
    }
    return ~crc >>> 0;
  },
};
