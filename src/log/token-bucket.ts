/** A ceiling on requests that costs money: `rate` tokens a second, up to `burst` saved up. */
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

  /** Milliseconds until a token is there; 0 when there is one now. */
  waitMs(now: number): number {
    if (this.#ratePerSecond === 0) return 0;
    this.#refill(now);
    return this.#tokens >= 1 ? 0 : Math.ceil(((1 - this.#tokens) / this.#ratePerSecond) * 1000);
  }

  /** Takes one, into debt if need be: what must go counts against what may wait. */
  take(now: number): void {
    if (this.#ratePerSecond === 0) return;
    this.#refill(now);
    this.#tokens = Math.max(this.#tokens - 1, -this.#burst);
  }

  #refill(now: number): void {
    const earned = ((now - this.#updatedAt) / 1000) * this.#ratePerSecond;
    this.#tokens = Math.min(this.#burst, this.#tokens + earned);
    this.#updatedAt = now;
  }
}
