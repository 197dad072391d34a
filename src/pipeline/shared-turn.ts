/**
 * Many may share a turn, or one has it alone. Turns are given in the order in which they were asked
 * for, so that neither sort waits for ever.
 */
export class SharedTurn {
  #sharing = 0;
  #isTaken = false;
  readonly #waiting: { readonly isAlone: boolean; readonly begin: () => void }[] = [];

  /** Gives what ends the turn. At once, with a turn that is none, when `signal` has aborted. */
  async share(signal: AbortSignal): Promise<() => void> {
    if (signal.aborted) return () => {};
    return this.#turn(false);
  }

  /** Gives what ends the turn. */
  take(): Promise<() => void> {
    return this.#turn(true);
  }

  #turn(isAlone: boolean): Promise<() => void> {
    return new Promise((resolve) => {
      this.#waiting.push({ isAlone, begin: () => resolve(this.#ending(isAlone)) });
      this.#go();
    });
  }

  #ending(isAlone: boolean): () => void {
    let hasEnded = false;
    return () => {
      if (hasEnded) return;
      hasEnded = true;
      if (isAlone) this.#isTaken = false;
      else this.#sharing -= 1;
      this.#go();
    };
  }

  #go(): void {
    for (;;) {
      const [first] = this.#waiting;
      if (first === undefined || this.#isTaken || (first.isAlone && this.#sharing > 0)) return;
      this.#waiting.shift();
      if (first.isAlone) this.#isTaken = true;
      else this.#sharing += 1;
      first.begin();
    }
  }
}
