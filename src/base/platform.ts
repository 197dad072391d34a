/**
 * Everything the core takes from its runtime, in one value. No file below `runtime/` reads a clock,
 * draws a random number, sets a timer or loads WebAssembly by itself: that is what lets one core
 * run on Bun, Deno and workerd, and lets the simulator own time.
 */
import type { Codecs } from "./codecs.ts";
import type { Crc32c } from "./crc32c.ts";
import type { Logger } from "./log.ts";

export interface Clock {
  /** Wall clock, milliseconds since 1970, UTC. May jump. */
  now(): number;
  /** Milliseconds, never goes back; origin unspecified. */
  monotonic(): number;
}

export interface TimerHandle {
  cancel(): void;
}

export interface Timers {
  /** Calls `callback` once after `delayMs`; 0 means the next turn of the event loop. */
  after(delayMs: number, callback: () => void): TimerHandle;
  /** Resolves after `delayMs`, or at once (without an error) when `signal` aborts. */
  sleep(delayMs: number, signal?: AbortSignal): Promise<void>;
}

export interface Random {
  /** Uniform in [0, 1). */
  uniform(): number;
  /** Fresh random bytes, cryptographically strong outside of simulation. */
  bytes(length: number): Uint8Array;
}

export interface Platform {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly codecs: Codecs;
  readonly crc32c: Crc32c;
  readonly log: Logger;
}
