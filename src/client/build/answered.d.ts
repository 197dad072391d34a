import type { Backoff } from "./backoff.ts";
import { type MillraceError } from "./millrace-error.ts";
export interface AnsweredOptions {
    readonly signal?: AbortSignal;
    /** An attempt failed, and there will be another. */
    readonly onTrouble?: (error: MillraceError) => void;
}
/**
 * The answer of the first attempt that has one; undefined when `signal` aborted before.
 * @throws MillraceError for what another attempt does not mend.
 */
export declare function answered<T>(attempt: () => Promise<T>, backoff: Backoff, { signal, onTrouble }: AnsweredOptions): Promise<T | undefined>;
