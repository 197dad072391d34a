/**
 * Asks the engine to collect garbage before it would by itself. Engines let garbage grow to a
 * multiple of what lives, by the size of the machine: under load that outgrows every bound that the
 * settings set. What lives is bounded by budgets; this bounds what is dead.
 */
import type { Timers } from "../../base/platform.ts";

const lookMs = 100;
/** A collection takes a tenth of a second when much lives: it must be worth that. */
const growthBytesMin = 96 * 1024 * 1024;
/** Above the limit it is tried again after so many looks, however little has come since. */
const looksBetween = 50;

export interface MemoryWatchOptions {
  readonly timers: Timers;
  readonly signal: AbortSignal;
  /** Below that nothing is done. */
  readonly limitBytes: number;
  /** Resident bytes of the process. */
  readonly resident: () => number;
  readonly collect: () => void;
}

/** Resolves when `signal` aborts. */
export async function watchMemory(options: MemoryWatchOptions): Promise<void> {
  const { timers, signal, limitBytes, resident, collect } = options;
  let collectAtBytes = limitBytes;
  let looks = 0;
  while (!signal.aborted) {
    await timers.sleep(lookMs, signal);
    const before = resident();
    // What the last collection left may have gone since.
    collectAtBytes = Math.max(limitBytes, Math.min(collectAtBytes, before + growthBytesMin));
    looks += 1;
    const isLate = looks >= looksBetween && before >= limitBytes;
    if ((before < collectAtBytes && !isLate) || signal.aborted) continue;
    collect();
    looks = 0;
    collectAtBytes = Math.max(limitBytes, resident() + growthBytesMin);
  }
}
