/**
 * What an object says to the others of its deployment: that something was published or changed, to
 * the objects of queries, and of a query's results to the shards (ADR 33); and which queries are to
 * run (ADR 59).
 */
import type { Logger } from "../../base/log.ts";
import type { Timers } from "../../base/platform.ts";
import { Bell, type Listener } from "./bell.ts";
import type { Bindings } from "./bindings.ts";
import { firstShard } from "./object-names.ts";
import type { ObjectRole } from "./object-roles.ts";
import { ToldQueries, type ToldQueriesParts } from "./told-queries.ts";

export interface QueryCallsParts extends Pick<ToldQueriesParts, "told" | "keep" | "lookAgain"> {
  readonly log: Logger;
  readonly timers: Timers;
  readonly bindings: Pick<Bindings, "LOG" | "QUERIES">;
  readonly queries: ObjectRole["queries"];
  readonly shards: number;
  /** The query that this object runs. */
  readonly own: string | undefined;
}

export class QueryCalls {
  readonly #parts: QueryCallsParts;
  readonly #bell: Bell;
  readonly #told: ToldQueries | undefined;
  #wanted: ReadonlySet<string> | undefined;
  /** Something was published before it was known who is to hear of it. */
  #owesRing = false;

  constructor(parts: QueryCallsParts) {
    this.#parts = parts;
    const { log, timers, queries, told, lookAgain } = parts;
    this.#bell = new Bell({ log, timers }, () => this.#listeners());
    if (queries !== "rings") return;
    this.#told = new ToldQueries({
      ...{ log, timers, told, lookAgain },
      keep: (queryIds) => parts.keep(queryIds),
      call: (queryId) => this.#call(queryId),
    });
  }

  /** Queries that are to run, as of the last look; undefined before the first. */
  get wanted(): ReadonlySet<string> | undefined {
    return this.#wanted;
  }

  /** The catalog was looked at. */
  noteWanted(queryIds: ReadonlySet<string>): void {
    const before = this.#wanted;
    this.#wanted = queryIds;
    const isTold = this.#told?.note(queryIds) === true;
    if (isTold && before !== undefined) this.#bell.ring(this.#shards());
    // Queries ring each other: each is to know of those that there are.
    if (isTold || this.#owesRing) this.#bell.ring();
    this.#owesRing = false;
  }

  /** Has all look who may be concerned: something was published, or a topic changed. */
  ring(): void {
    if (this.#parts.queries === "none") return;
    if (this.#wanted === undefined) this.#owesRing = true;
    else this.#bell.ring();
  }

  #call(queryId: string): Promise<void> {
    return this.#parts.bindings.QUERIES.getByName(queryId).run(queryId);
  }

  *#listeners(): Iterable<Listener> {
    const { queries, own } = this.#parts;
    for (const queryId of this.#wanted ?? []) {
      if (queryId !== own) yield { name: queryId, hear: () => this.#call(queryId) };
    }
    if (queries !== "runs") return;
    // It passes on what was published (ADR 62).
    const first = this.#parts.bindings.LOG.getByName(firstShard);
    yield { name: "the first shard", hear: async () => void (await first.hear()) };
  }

  *#shards(): Iterable<Listener> {
    const { bindings, queries, shards } = this.#parts;
    // A shard has no other to tell where it is the only one.
    if (queries === "rings" && shards === 1) return;
    for (let shard = Number(firstShard); shard < shards; shard++) {
      const name = String(shard);
      const hear = async () => void (await bindings.LOG.getByName(name).hear());
      yield { name: `shard ${name}`, hear };
    }
  }
}
