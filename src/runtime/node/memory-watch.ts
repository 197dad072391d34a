/**
 * Asks the engine to collect garbage before it would by itself. Engines let garbage grow to a
 * multiple of what lives, by the size of the machine: under load that outgrows every bound that the
 * settings set. What lives is bounded by budgets; this bounds what is dead.
 */
import type { Timers } from "../../base/platform.ts";

/** A look costs 25 µs. Buffers come at up to a gigabyte a second. */
const lookMs = 25;
/** A collection takes a tenth of a second when much lives: it must be worth that. */
const growthBytes = 96 * 1024 * 1024;
/** Near the bound it must be worth so much at least. */
const growthBytesMin = 24 * 1024 * 1024;
/** So much may come between two looks. */
const marginBytes = 64 * 1024 * 1024;
/** Above the limit it is tried again after so many looks, however little has come since. */
const looksBetween = 200;

/** Whoever receives so much in one turn of the event loop leaves no time for a look between. */
const receivedBytesMax = 8 * 1024 * 1024;

export interface MemoryWatchOptions {
  /** Below that nothing is done. */
  readonly limitBytes: number;
  /** What the process may take at most: garbage has what lives leaves of it. */
  readonly boundBytes: number;
  /** Resident bytes of the process. */
  readonly resident: () => number;
  readonly collect: () => void;
}

export class MemoryWatch {
  readonly #options: MemoryWatchOptions;
  #collectAtBytes: number;
  #looks = 0;
  #receivedBytes = 0;

  constructor(options: MemoryWatchOptions) {
    this.#options = options;
    this.#collectAtBytes = options.limitBytes;
  }

  /** Resolves when `signal` aborts. */
  async run(timers: Timers, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await timers.sleep(lookMs, signal);
      this.#looks += 1;
      if (!signal.aborted) this.#look();
    }
  }

  /** So many bytes came in buffers that will soon be garbage. */
  received(bytes: number): void {
    this.#receivedBytes += bytes;
    if (this.#receivedBytes >= receivedBytesMax) this.#look();
  }

  #look(): void {
    const { limitBytes, resident, collect } = this.#options;
    this.#receivedBytes = 0;
    const before = resident();
    // What the last collection left may have gone since.
    this.#collectAtBytes = Math.min(this.#collectAtBytes, this.#next(before));
    const isLate = this.#looks >= looksBetween && before >= limitBytes;
    if (before < this.#collectAtBytes && !isLate) return;
    collect();
    this.#looks = 0;
    this.#collectAtBytes = this.#next(resident());
  }

  /** When to collect again, if that much is left. */
  #next(nowBytes: number): number {
    const { limitBytes, boundBytes } = this.#options;
    const leftBytes = boundBytes - marginBytes - nowBytes;
    const growth = Math.max(growthBytesMin, Math.min(growthBytes, leftBytes));
    return Math.max(limitBytes, nowBytes + growth);
  }
}
