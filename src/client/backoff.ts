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
export class Backoff {
  readonly #platform: ClientPlatform;
  readonly #minMs: number;
  readonly #maxMs: number;
  #nextMs: number;

  constructor(platform: ClientPlatform, { minMs = 200, maxMs = 15_000 }: BackoffOptions = {}) {
    this.#platform = platform;
    this.#minMs = minMs;
    this.#maxMs = maxMs;
    this.#nextMs = minMs;
  }

  /** The last attempt went well. */
  reset(): void {
    this.#nextMs = this.#minMs;
  }

  /** Waits, as long as the server asked for at least; sooner back when `signal` aborts. */
  async wait(signal: AbortSignal | undefined, askedMs = 0): Promise<void> {
    const ms = this.#nextMs * (1 - this.#platform.random() / 2);
    this.#nextMs = Math.min(this.#nextMs * 2, this.#maxMs);
    await this.#platform.pause(Math.max(ms, askedMs), signal);
  }
}
