/**
 * What an object says to the others of its deployment: that something was published or changed, to
 * the objects of the queries that read it, and of a query's results to the shards (ADR 33, 74); and
 * which queries are to run (ADR 59).
 */
import type { Logger } from "../../base/log.ts";
import type { Timers } from "../../base/platform.ts";
import { Bell, type Listener } from "./bell.ts";
import type { Bindings } from "./bindings.ts";
import type { ObjectRole } from "./object-roles.ts";
import { firstListener, type OtherObjects } from "./shard-news.ts";
import { ToldQueries, type ToldQueriesParts } from "./told-queries.ts";

export interface QueryCallsParts extends Pick<ToldQueriesParts, "told" | "keep" | "lookAgain"> {
  readonly log: Logger;
  readonly timers: Timers;
  readonly bindings: {
    readonly LOG: OtherObjects<"hear">;
    readonly QUERIES: Bindings["QUERIES"];
  };
  readonly queries: ObjectRole["queries"];
  /** The query that this object runs. */
  readonly own: string | undefined;
}

/** Queries with the numbers of the topics that they read; null: not known. */
type Reads = ReadonlyMap<string, readonly number[] | null>;

export class QueryCalls {
  readonly #parts: QueryCallsParts;
  readonly #bell: Bell;
  readonly #toFirst: (topics: Iterable<number>) => Listener;
  readonly #told: ToldQueries | undefined;
  #wanted: Reads | undefined;
  /**
   * What whoever is not known yet may have to hear of: what was published before the first look,
   * and the few topics that a query writes. A shard calls whom it learns of in any case.
   */
  readonly #written = new Set<number>();

  constructor(parts: QueryCallsParts) {
    this.#parts = parts;
    const { log, timers, queries, told, lookAgain } = parts;
    this.#bell = new Bell({ log, timers });
    this.#toFirst = firstListener(parts.bindings.LOG);
    if (queries !== "rings") return;
    this.#told = new ToldQueries({
      ...{ log, timers, told, lookAgain },
      keep: (queryIds) => parts.keep(queryIds),
      call: (queryId) => this.#call(queryId),
    });
  }

  /** Whether the query is to run, as of the last look; undefined before the first. */
  isWanted(queryId: string): boolean | undefined {
    return this.#wanted?.has(queryId);
  }

  /** The catalog was looked at. */
  noteWanted(wanted: Reads): void {
    const before = this.#wanted;
    this.#wanted = wanted;
    this.#told?.note(new Set(wanted.keys()));
    if (this.#written.size === 0) return;
    this.#bell.ring(this.#readersOf(this.#written, (queryId) => before?.has(queryId) !== true));
  }

  /** Something was published to these topics, or they have changed: whom it concerns looks. */
  ring(topicNumbers: Iterable<number>): void {
    const { queries } = this.#parts;
    if (queries === "none") return;
    const topics = new Set(topicNumbers);
    if (this.#wanted === undefined || queries === "runs") {
      for (const topic of topics) this.#written.add(topic);
    }
    this.#bell.ring(this.#readersOf(topics));
    if (queries !== "runs") return;
    // It passes on what was published (ADR 62).
    this.#bell.ring([this.#toFirst(topics)]);
  }

  /** Has the objects of all queries look. */
  ringAll(): void {
    this.#bell.ring(this.#readersOf(undefined));
  }

  #call(queryId: string): Promise<void> {
    return this.#parts.bindings.QUERIES.getByName(queryId).run(queryId);
  }

  /** Undefined: of anything. */
  *#readersOf(
    topics: ReadonlySet<number> | undefined,
    isMeant: (queryId: string) => boolean = () => true,
  ): Iterable<Listener> {
    for (const [queryId, reads] of this.#wanted ?? []) {
      const isReader = topics === undefined || (reads?.some((topic) => topics.has(topic)) ?? true);
      if (!isReader || queryId === this.#parts.own || !isMeant(queryId)) continue;
      yield { name: queryId, hear: () => this.#call(queryId) };
    }
  }
}
