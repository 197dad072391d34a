import type { ClientPlatform } from "./platform.ts";
export interface BackoffOptions {
    /** Before the second attempt, in milliseconds. Default 200. */
    readonly minMs?: number;
    /** Between attempts at most, in milliseconds. Default 15 000. */
    readonly maxMs?: number;
}
/**
 * Pauses between attempts: each twice the last, and by chance up to half shorter, so that clients
 * that a restart cut off at one moment do not come back at one moment.
 */
export declare class Backoff {
    #private;
    constructor(platform: ClientPlatform, { minMs, maxMs }?: BackoffOptions);
    /** The last attempt went well. */
    reset(): void;
    /** Waits, as long as the server asked for at least; sooner back when `signal` aborts. */
    wait(signal: AbortSignal | undefined, askedMs?: number): Promise<void>;
}
