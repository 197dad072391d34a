/**
 * Asks a second time when the first answer is slow, and takes whichever comes first. For reads
 * only: they change nothing, and one slow node of an object store is why a percent of them is late.
 */
import type { Timers } from "../base/platform.ts";

export interface HedgeOptions {
  readonly timers: Timers;
  /** 0: never. */
  readonly afterMs: number;
  readonly signal: AbortSignal;
}

/**
 * Runs `ask`, and once more after `afterMs` without an answer; the loser's signal is aborted. Fails
 * when all that was asked failed, with the first failure.
 */
export async function hedged<T>(
  options: HedgeOptions,
  ask: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  if (options.afterMs === 0) return await ask(options.signal);
  const over = new AbortController();
  const signal = AbortSignal.any([options.signal, over.signal]);
  const late = Promise.withResolvers<"late">();
  const timer = options.timers.after(options.afterMs, () => late.resolve("late"));
  try {
    const first = ask(signal);
    const early = await Promise.race([first.then(() => "answered" as const), late.promise]);
    if (early === "answered") return await first;
    return await Promise.any([first, ask(signal)]);
  } catch (error) {
    throw error instanceof AggregateError ? error.errors[0] : error;
  } finally {
    timer.cancel();
    over.abort();
  }
}
