import type { ServerLink } from "./connection.ts";

/** Says so when nothing was heard for too long. */
export class SilenceWatch {
  readonly #link: ServerLink;
  readonly #onSilence: (reason: Error) => void;
  #timer: AbortController | undefined;

  constructor(link: ServerLink, onSilence: (reason: Error) => void) {
    this.#link = link;
    this.#onSilence = onSilence;
  }

  expectWithin(ms: number): void {
    this.stop();
    const timer = new AbortController();
    this.#timer = timer;
    void this.#link.platform.sleep(ms, timer.signal).then(() => {
      if (!timer.signal.aborted) this.#onSilence(new Error(`Nothing was heard for ${ms} ms`));
    });
  }

  stop(): void {
    this.#timer?.abort();
  }
}
