/**
 * Bounded retries with full jitter: before attempt n + 1 a wait drawn from [0, base · 2^n), capped.
 * Drawing from zero spreads clients that failed together better than any fixed backoff does.
 */
import { assert } from "../base/assert.ts";
import type { Platform } from "../base/platform.ts";

export interface RetryPolicy {
  /** Attempts in all, the first included. */
  readonly attemptsMax: number;
  readonly delayBaseMs: number;
  readonly delayMaxMs: number;
  /** An attempt that takes longer is aborted, which counts as a failure that may pass. */
  readonly attemptTimeoutMs: number;
}

/** The cause of an attempt's abort by its own time limit. */
export class AttemptTimeout extends Error {
  constructor(timeoutMs: number) {
    super(`no answer within ${timeoutMs} ms`);
    this.name = "AttemptTimeout";
  }
}

export interface RetryOptions {
  readonly platform: Pick<Platform, "timers" | "random">;
  readonly policy: RetryPolicy;
  /** Ends the whole; its reason is thrown. */
  readonly signal?: AbortSignal | undefined;
  /** Whether another attempt may fare better. */
  readonly mayPass: (error: unknown) => boolean;
}

/**
 * Runs `attempt` until it resolves, fails for good, or attempts are used up; then
 * throws the last error. The signal it gets is aborted by the time limit and by the caller's
 * signal.
 */
export async function withRetries<T>(
  options: RetryOptions,
  attempt: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const { platform, policy, signal } = options;
  assert(policy.attemptsMax >= 1, "at least one attempt");
  for (let number = 1; ; number += 1) {
    signal?.throwIfAborted();
    try {
      return await timed(options, attempt);
    } catch (error) {
      signal?.throwIfAborted();
      if (number >= policy.attemptsMax || !options.mayPass(error)) throw error;
    }
    const ceilingMs = Math.min(policy.delayMaxMs, policy.delayBaseMs * 2 ** (number - 1));
    await platform.timers.sleep(platform.random.uniform() * ceilingMs, signal);
  }
}

/**
 * One attempt under its time limit, which holds even if the attempt ignores its signal. Without a
 * caller's signal nothing is listened to: that costs workerd as much as the attempt's own request.
 */
async function timed<T>(
  { platform, policy, signal: callers }: RetryOptions,
  attempt: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const limit = new AbortController();
  const aborted = Promise.withResolvers<never>();
  const { attemptTimeoutMs } = policy;
  const timer = platform.timers.after(attemptTimeoutMs, () => {
    const late = new AttemptTimeout(attemptTimeoutMs);
    limit.abort(late);
    aborted.reject(late);
  });
  const onAbort = () => aborted.reject(callers?.reason);
  callers?.addEventListener("abort", onAbort, { once: true });
  const signal = callers === undefined ? limit.signal : AbortSignal.any([limit.signal, callers]);
  try {
    return await Promise.race([attempt(signal), aborted.promise]);
  } finally {
    timer.cancel();
    callers?.removeEventListener("abort", onAbort);
  }
}
