/**
 * How a group's object hears of records while a poll waits (ADR 74): it asks the first shard to be
 * told of publishes to the topics that are awaited. It is dropped there when it is told and nobody
 * has waited for a while, as shards are (ADR 62).
 */
import type { Logger } from "../../base/log.ts";
import type { Clock } from "../../base/platform.ts";
import { lingerMs } from "./shard-news.ts";

export interface GroupNewsParts {
  readonly log: Logger;
  readonly clock: Pick<Clock, "monotonic">;
  /** Asks the first shard for it: all topics of which the object is to hear. */
  readonly ask: (topicNumbers: readonly number[]) => Promise<void>;
  readonly isAwaited: () => boolean;
  /** Looks for what was published before the first shard was asked. */
  readonly look: () => Promise<void>;
}

export class GroupNews {
  readonly #parts: GroupNewsParts;
  #topics = new Set<number>();
  #awaitedAt = Number.NEGATIVE_INFINITY;

  constructor(parts: GroupNewsParts) {
    this.#parts = parts;
  }

  /** Somebody waits for records of these topics. */
  listen(topicNumbers: ReadonlySet<number>): void {
    const { log, clock } = this.#parts;
    this.#awaitedAt = clock.monotonic();
    if (topicNumbers.isSubsetOf(this.#topics)) return;
    this.#topics = this.#topics.union(topicNumbers);
    void this.#ask(this.#topics).catch((error: unknown) => {
      this.#topics = new Set();
      log.debug("The first shard cannot be asked for news", { error: String(error) });
    });
  }

  /** It was told of a publish; whether it wants to be told again. */
  heard(): boolean {
    const { clock, isAwaited } = this.#parts;
    if (isAwaited()) this.#awaitedAt = clock.monotonic();
    const wants = clock.monotonic() - this.#awaitedAt < lingerMs;
    if (!wants) this.#topics = new Set();
    return wants;
  }

  async #ask(topics: ReadonlySet<number>): Promise<void> {
    const { ask, look } = this.#parts;
    await ask([...topics]);
    await look();
  }
}
