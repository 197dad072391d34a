/** A ceiling on what costs money: `rate` tokens a second, up to `burst` saved up. */
export class TokenBucket {
  readonly #ratePerSecond: number;
  readonly #burst: number;
  #tokens: number;
  #updatedAt: number;

  /** `ratePerSecond` 0: no ceiling. `now` in monotonic milliseconds, here and below. */
  constructor(options: { ratePerSecond: number; burst: number; now: number }) {
    this.#ratePerSecond = options.ratePerSecond;
    this.#burst = options.burst;
    this.#tokens = options.burst;
    this.#updatedAt = options.now;
  }

  /** Milliseconds until `tokens` (0 to 1) are there; 0 when they are there now. */
  waitMs(now: number, tokens = 1): number {
    if (this.#ratePerSecond === 0 || tokens === 0) return 0;
    this.#refill(now);
    return Math.max(0, Math.ceil(((tokens - this.#tokens) / this.#ratePerSecond) * 1000));
  }

  /** Takes them, into debt if need be: what must go counts against what may wait. */
  take(now: number, tokens = 1): void {
    if (this.#ratePerSecond === 0) return;
    this.#refill(now);
    this.#tokens = Math.max(this.#tokens - tokens, -this.#burst);
  }

  #refill(now: number): void {
    const earned = ((now - this.#updatedAt) / 1000) * this.#ratePerSecond;
    this.#tokens = Math.min(this.#burst, this.#tokens + earned);
    this.#updatedAt = now;
  }
}
