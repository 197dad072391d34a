/**
 * When a query may publish a tick. Time passes for it by the clock of the database, which is not
 * ours: by a clock that is ahead of it, each tick would come too early, do nothing, and be followed
 * by the next one at once.
 */
import type { Clock } from "../base/platform.ts";
import type { PublishOrderReader } from "../log/publish-order-reader.ts";

/** Between two ticks of one query, however soon the next would be of use. */
const tickMsMin = 100;

export class TickTimer {
  readonly #clock: Pick<Clock, "monotonic">;
  readonly #reader: Pick<PublishOrderReader, "databaseNow">;
  #publishedAt = Number.NEGATIVE_INFINITY;

  constructor(clock: Pick<Clock, "monotonic">, reader: Pick<PublishOrderReader, "databaseNow">) {
    this.#clock = clock;
    this.#reader = reader;
  }

  /** Until a tick for the time `dueAt` may go, milliseconds; 0 and less: now. */
  delayMs(dueAt: number): number {
    const sinceLast = this.#clock.monotonic() - this.#publishedAt;
    return Math.max(dueAt - this.#reader.databaseNow(), tickMsMin - sinceLast);
  }

  /** A tick is on its way. */
  published(): void {
    this.#publishedAt = this.#clock.monotonic();
  }
}
