import type { Backoff } from "./backoff.ts";
import { hasEnded } from "./follow.ts";
import { asMillraceError, type MillraceError } from "./millrace-error.ts";

export interface AnsweredOptions {
  readonly signal?: AbortSignal;
  /** An attempt failed, and there will be another. */
  readonly onTrouble?: (error: MillraceError) => void;
}

/**
 * The answer of the first attempt that has one; undefined when `signal` aborted before.
 * @throws MillraceError for what another attempt does not mend.
 */
export async function answered<T>(
  attempt: () => Promise<T>,
  backoff: Backoff,
  { signal, onTrouble }: AnsweredOptions,
): Promise<T | undefined> {
  while (!hasEnded(signal)) {
    try {
      const answer = await attempt();
      backoff.reset();
      return answer;
    } catch (error) {
      if (hasEnded(signal)) return undefined;
      const failure = asMillraceError(error);
      if (!failure.retriable) throw failure;
      onTrouble?.(failure);
      await backoff.wait(signal, failure.retryAfterMs);
    }
  }
  return undefined;
}
