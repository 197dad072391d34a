import type { Timers } from "../../base/platform.ts";

/** About two milliseconds of work. */
const piecesPerTurn = 8;

/**
 * Spreads the making of text over turns of the event loop. Hundreds of streams that all have
 * something to write would else take one turn together: seconds in which nobody else is answered
 * and in which garbage piles up.
 */
export class PieceTurns {
  readonly #timers: Timers;
  readonly #waiting: (() => void)[] = [];
  #left = piecesPerTurn;
  #isNextDue = false;

  constructor(timers: Timers) {
    this.#timers = timers;
  }

  /** Resolves when one more piece may be made; first come, first served. */
  async take(): Promise<void> {
    if (!this.#isNextDue) {
      this.#isNextDue = true;
      this.#timers.after(0, () => this.#next());
    }
    if (this.#left > 0) this.#left -= 1;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  #next(): void {
    const next = this.#waiting.splice(0, piecesPerTurn);
    this.#left = piecesPerTurn - next.length;
    this.#isNextDue = next.length > 0;
    if (this.#isNextDue) this.#timers.after(0, () => this.#next());
    for (const resolve of next) resolve();
  }
}
