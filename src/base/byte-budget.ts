/**
 * A bound in bytes on what a queue may hold. Whoever puts bytes in takes them here first and gives
 * them back when they have left: overload is answered at the door and never piles up behind it.
 */
interface Waiter {
  readonly bytes: number;
  resolve(): void;
}

export class ByteBudget {
  readonly capacityBytes: number;
  #takenBytes = 0;
  #waiters: Waiter[] = [];

  constructor(capacityBytes: number) {
    this.capacityBytes = capacityBytes;
  }

  get takenBytes(): number {
    return this.#takenBytes;
  }

  /** Takes `bytes` if they fit now. A request larger than the whole budget fits an empty one. */
  tryTake(bytes: number): boolean {
    if (this.#waiters.length > 0 || !this.#fits(bytes)) return false;
    this.#takenBytes += bytes;
    return true;
  }

  /**
   * Takes `bytes` as soon as they fit, first come first served. Resolves false when `signal` aborts
   * before that; then nothing was taken.
   */
  take(bytes: number, signal?: AbortSignal): Promise<boolean> {
    if (signal?.aborted) return Promise.resolve(false);
    if (this.tryTake(bytes)) return Promise.resolve(true);
    return new Promise((resolve) => {
      const abort = () => {
        this.#waiters = this.#waiters.filter((other) => other !== waiter);
        resolve(false);
        this.#wake();
      };
      const waiter: Waiter = {
        bytes,
        resolve: () => {
          signal?.removeEventListener("abort", abort);
          resolve(true);
        },
      };
      signal?.addEventListener("abort", abort, { once: true });
      this.#waiters.push(waiter);
    });
  }

  /** Counts bytes that are there already, whether they fit or not. */
  takeAnyway(bytes: number): void {
    this.#takenBytes += bytes;
  }

  /** Returns bytes taken earlier. */
  give(bytes: number): void {
    this.#takenBytes -= bytes;
    this.#wake();
  }

  #fits(bytes: number): boolean {
    return this.#takenBytes === 0 || this.#takenBytes + bytes <= this.capacityBytes;
  }

  #wake(): void {
    for (let first = this.#waiters[0]; first && this.#fits(first.bytes); first = this.#waiters[0]) {
      this.#waiters.shift();
      this.#takenBytes += first.bytes;
      first.resolve();
    }
  }
}
