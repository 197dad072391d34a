/** Pages of a read of a view: one side adds them as they come, the other takes them in its time. */
import type { Platform } from "../base/platform.ts";
import type { ViewReply } from "./view-protocol.ts";
import type { ViewState } from "./view-table.ts";

/** A reader may leave so many bytes of rows waiting before the read waits for it … */
export const waitingBytesMax = 64 * 1024 * 1024;
/** … and all in all as long as this: the view's table stands still meanwhile. */
const heldMsMax = 30_000;

export class Pages {
  readonly #waiting: ViewReply[];
  #wake: (() => void) | null = null;
  #onTaken: (() => void) | null = null;
  #heldMs = 0;
  #isEnded: boolean;
  #failure: unknown = null;
  /** Of the table while it is read. */
  readonly state: ViewState;
  /** What asks for the next one; null: the last one is here. */
  read: number | null;

  constructor(first: ViewReply, ...more: readonly ViewReply[]) {
    this.#waiting = [first, ...more];
    this.state = first.state;
    this.read = (more.at(-1) ?? first).rows?.read ?? null;
    this.#isEnded = this.read === null;
  }

  add(page: ViewReply): void {
    this.#waiting.push(page);
    this.read = page.rows?.read ?? null;
    this.#wake?.();
  }

  /**
   * Resolves when fewer than `bytesMax` bytes wait to be taken, or `signal` aborts; with false when
   * the reader has had all the time that there is.
   */
  async room(
    { clock, timers }: Pick<Platform, "clock" | "timers">,
    signal: AbortSignal,
    bytesMax = waitingBytesMax,
  ): Promise<boolean> {
    while (this.#waitingBytes >= bytesMax && !signal.aborted) {
      if (this.#heldMs >= heldMsMax) return false;
      const began = clock.monotonic();
      const over = new AbortController();
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#onTaken = resolve;
      const ends = AbortSignal.any([signal, over.signal]);
      await Promise.race([promise, timers.sleep(heldMsMax - this.#heldMs, ends)]);
      over.abort();
      this.#heldMs += clock.monotonic() - began;
    }
    return true;
  }

  get #waitingBytes(): number {
    let bytes = 0;
    for (const { rows } of this.#waiting) {
      for (const batch of rows?.batches ?? []) bytes += batch.length;
    }
    return bytes;
  }

  /** No more will come; `failure`, if any, is what the taker hears behind the last page. */
  end(failure: unknown): void {
    this.#isEnded = true;
    this.#failure = failure;
    this.#wake?.();
  }

  /** @throws what the read failed with. */
  async *taken(): AsyncGenerator<ViewReply, void> {
    for (;;) {
      const page = this.#waiting.shift();
      if (page !== undefined) {
        this.#onTaken?.();
        yield page;
      } else if (this.#isEnded) break;
      else await this.#more();
    }
    if (this.#failure !== null) throw this.#failure;
  }

  async #more(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#wake = resolve;
    await promise;
    this.#wake = null;
  }
}
