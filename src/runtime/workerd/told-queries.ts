/**
 * Which queries' objects know that they are to run. A log object calls those of queries that were
 * made, resumed, paused or dropped, and remembers over its own activations whom it has told: what
 * was not told when it ended is told when it looks again, which its alarm sees to (ADR 59).
 */
import type { Logger } from "../../base/log.ts";
import type { Timers } from "../../base/platform.ts";
import { answeredInTime } from "./bell.ts";

const attemptsMax = 3;
const againMs = 500;

export interface ToldQueriesParts {
  readonly log: Logger;
  readonly timers: Timers;
  /** As `keep` was given them last. */
  readonly told: Iterable<string>;
  keep(queryIds: readonly string[]): Promise<void>;
  /** Has the query's object look at the catalog. */
  call(queryId: string): Promise<void>;
  /** Has this object look again before long. */
  readonly lookAgain: () => void;
}

export class ToldQueries {
  readonly #parts: ToldQueriesParts;
  /** Those whose objects run them, as far as is known. */
  readonly #told: Set<string>;
  readonly #calling = new Set<string>();
  #wanted: ReadonlySet<string> = new Set();

  constructor(parts: ToldQueriesParts) {
    this.#parts = parts;
    this.#told = new Set(parts.told);
  }

  /** These are to run and no others; whether that is news to anybody. */
  note(wanted: ReadonlySet<string>): boolean {
    this.#wanted = wanted;
    const news = [...new Set([...wanted, ...this.#told])].filter((queryId) =>
      this.#isNews(queryId),
    );
    if (news.length === 0) return false;
    this.#parts.lookAgain();
    for (const queryId of news) if (!this.#calling.has(queryId)) void this.#tell(queryId);
    return true;
  }

  #isNews(queryId: string): boolean {
    return this.#told.has(queryId) !== this.#wanted.has(queryId);
  }

  async #tell(queryId: string): Promise<void> {
    const { log, timers, keep, call } = this.#parts;
    this.#calling.add(queryId);
    try {
      for (let attempt = 0; attempt < attemptsMax && this.#isNews(queryId); attempt++) {
        if (attempt > 0) await timers.sleep(againMs);
        const isWanted = this.#wanted.has(queryId);
        try {
          await answeredInTime(call(queryId), timers);
          if (isWanted) this.#told.add(queryId);
          else this.#told.delete(queryId);
          await keep([...this.#told]);
        } catch (error) {
          log.warn("The object of a query was not told; it is again", { queryId, error });
        }
      }
    } finally {
      this.#calling.delete(queryId);
    }
  }
}
