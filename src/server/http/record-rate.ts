/** What a token may write: so many records a second, and ten seconds' worth of them saved up. */
const burstSeconds = 10;

export class RecordRate {
  readonly #perSecond: number;
  /** As many records as may come at once. */
  readonly burst: number;
  #saved: number;
  #countedAt: number;

  /** `now` in monotonic milliseconds, here and below. */
  constructor(perSecond: number, now: number) {
    this.#perSecond = perSecond;
    this.burst = Math.max(1, perSecond * burstSeconds);
    this.#saved = this.burst;
    this.#countedAt = now;
  }

  /** Milliseconds until `count` records may come; 0: now. */
  waitMs(count: number, now: number): number {
    const earned = ((now - this.#countedAt) / 1000) * this.#perSecond;
    this.#saved = Math.min(this.burst, this.#saved + earned);
    this.#countedAt = now;
    return Math.max(0, ((count - this.#saved) / this.#perSecond) * 1000);
  }

  take(count: number): void {
    this.#saved -= count;
  }
}
