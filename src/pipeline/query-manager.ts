/**
 * The queries of the namespace as this worker sees them: takes the leases of those that nobody
 * runs, runs them, and lets go of what is paused, dropped or another's. Two workers that both
 * believe to hold a query do no harm: a commit names its lease.
 */
import type { Logger } from "../base/log.ts";
import type { Platform, TimerHandle } from "../base/platform.ts";
import type { LogService } from "../log/log-types.ts";
import type { WorkerIdentity } from "../log/worker-identity.ts";
import { acquireLease, leasesOfObject, releaseLease } from "../meta/leases.ts";
import { publishTick } from "../meta/publish-order.ts";
import { type WantedQuery, wantedQueries } from "../meta/query-places.ts";
import type { SqlDatabase } from "../meta/sql-database.ts";
import { failQuery, type QueryRow, readSqlCatalog } from "../meta/sql-objects.ts";
import { decodeQueryDefinition, type QueryDefinition } from "./query-definition.ts";
import { QueryPlacement } from "./query-placement.ts";
import { QueryRunner, type QueryRunnerParts, type RunnerEnd } from "./query-runner.ts";
import type { QueryStatus } from "./query-status.ts";

/** Lease kind of queries. */
const queryLeaseKind = "query";

/**
 * Between looks at the catalog: queries of a dead worker are taken over within this and its fall.
 * Also between something that went wrong and the look that makes up for it.
 */
const lookMs = 1_000;

const closeMsDefault = 10_000;

export interface QueryManagerParts extends Pick<QueryRunnerParts, "topics" | "startTask" | "pace"> {
  readonly log: QueryRunnerParts["log"] & Pick<LogService, "cluster">;
  readonly platform: Platform;
  readonly database: SqlDatabase;
  readonly identity: WorkerIdentity;
  /** Which queries this worker takes; default: those that prefer it (QueryPlacement). */
  readonly placement?: Pick<QueryPlacement, "toTake" | "toHandOver">;
  /**
   * The Durable Object that this worker is: leases are marked as its own, so that no process takes
   * them while it sleeps or is moved, and its next activation has them.
   */
  readonly objectName?: string | undefined;
  /** Told of all queries that are to run, and of what they read, at each look. */
  readonly onWanted?: (queries: ReadonlyMap<string, WantedQuery["reads"]>) => void;
  /** It looks when it is told to, and not by the clock: whoever changes the catalog says so. */
  readonly looksWhenTold?: boolean;
  /** So long the end waits for last commits, milliseconds; default 10 s. */
  readonly closeMsMax?: number;
}

interface Running {
  readonly runner: QueryRunner;
  readonly stop: AbortController;
  readonly ended: Promise<void>;
}

export class QueryManager {
  readonly #parts: QueryManagerParts;
  readonly #log: Logger;
  readonly #running = new Map<string, Running>();
  readonly #closing = new AbortController();
  readonly #placement: Pick<QueryPlacement, "toTake" | "toHandOver">;
  /** Queries that this version cannot read, already complained of. */
  readonly #unreadable = new Set<string>();
  /** The epoch in which an object's leases of queries that are not wanted were given back. */
  #tidiedEpoch = -1;
  #looking: Promise<void> = Promise.resolve();
  /** A look by a timer, since something went wrong. */
  #lookingAgain: TimerHandle | undefined;
  #loop: Promise<void> | undefined;

  constructor(parts: QueryManagerParts) {
    this.#parts = parts;
    this.#log = parts.platform.log;
    this.#placement = parts.placement ?? new QueryPlacement(parts.platform.clock);
  }

  start(): void {
    this.#loop ??= this.#run();
  }

  /**
   * Commits what runs here, gives the leases back, and ends. Where the metadata do not answer, a
   * commit ends only with the log, which is closed next: it is not waited for without end.
   */
  async close(): Promise<void> {
    const { platform, closeMsMax = closeMsDefault } = this.#parts;
    this.#closing.abort();
    this.#lookingAgain?.cancel();
    for (const { stop } of this.#running.values()) stop.abort();
    const late = new AbortController();
    await Promise.race([this.#allEnded(), platform.timers.sleep(closeMsMax, late.signal)]);
    late.abort();
  }

  async #allEnded(): Promise<void> {
    await this.#loop;
    await this.#looking;
    const running = [...this.#running.values()];
    await Promise.allSettled(running.map(({ ended }) => ended));
  }

  /**
   * This worker has lost its epoch, and its leases with it: what runs here can commit nothing any
   * more. The next look takes what is free under the new epoch.
   */
  fence(): void {
    for (const { stop } of this.#running.values()) stop.abort();
  }

  /** What runs here now, by query id. */
  running(): ReadonlyMap<string, QueryStatus> {
    return new Map([...this.#running].map(([queryId, { runner }]) => [queryId, runner.status]));
  }

  /** How a query goes, if it runs here. */
  statusOf(queryId: string): QueryStatus | undefined {
    return this.#running.get(queryId)?.runner.status;
  }

  /** Looks at the catalog now: something was made, dropped or paused. */
  look(): Promise<void> {
    this.#looking = this.#looking
      .then(() => this.#look())
      .catch((error: unknown) => {
        this.#log.warn("Cannot look for queries; the next look will", { error });
        this.#lookAgain();
      });
    return this.#looking;
  }

  #lookAgain(): void {
    const { looksWhenTold = false, platform } = this.#parts;
    if (!looksWhenTold || this.#closing.signal.aborted || this.#lookingAgain !== undefined) return;
    this.#lookingAgain = platform.timers.after(lookMs, () => {
      this.#lookingAgain = undefined;
      void this.look();
    });
  }

  async #run(): Promise<void> {
    const { platform, looksWhenTold = false } = this.#parts;
    const { timers } = platform;
    const { signal } = this.#closing;
    while (!signal.aborted) {
      await this.look();
      if (looksWhenTold) return;
      await timers.sleep(lookMs, signal);
    }
  }

  async #look(): Promise<void> {
    if (this.#closing.signal.aborted) return;
    const { database, identity, log } = this.#parts;
    const { onWanted } = this.#parts;
    const queries = await wantedQueries(database, { withReads: onWanted !== undefined });
    const wanted = new Set(queries.map(({ queryId }) => queryId));
    onWanted?.(new Map(queries.map(({ queryId, reads }) => [queryId, reads])));
    const unwanted = [...this.#running].filter(([queryId]) => !wanted.has(queryId));
    for (const [, { stop }] of unwanted) stop.abort();
    const { workerEpoch } = identity.current();
    const idle = queries.filter(({ queryId }) => !this.#running.has(queryId));
    const free = idle.filter(({ heldBy }) => heldBy === null).map(({ queryId }) => queryId);
    // Where giving a lease back went unanswered, it is this worker's still.
    const kept = idle.filter(({ heldBy }) => heldBy === workerEpoch).map(({ queryId }) => queryId);
    const own = await this.#giveBackOthers(wanted, kept);
    await this.#takeAll([...own, ...this.#placement.toTake(free, log.cluster())]);
    const moving = this.#placement.toHandOver([...this.#running.keys()], log.cluster());
    if (moving !== undefined) this.#handOver(moving);
    // Last: a commit that takes long keeps no other query from being taken.
    await Promise.all(unwanted.map(([, { ended }]) => ended));
  }

  /**
   * An object has the leases of its last activation, also of queries that were paused while nothing
   * of it ran, and of those that it is to run no more. `held`: wanted ones of this epoch that do
   * not run. Gives those of them that it is to run.
   */
  async #giveBackOthers(
    wanted: ReadonlySet<string>,
    held: readonly string[],
  ): Promise<readonly string[]> {
    const { database, identity, log, objectName } = this.#parts;
    if (objectName === undefined) return held;
    const { workerEpoch } = identity.current();
    const own = this.#placement.toTake(held, log.cluster());
    if (this.#tidiedEpoch === workerEpoch && own.length === held.length) return own;
    const others = new Set(held.filter((name) => !own.includes(name)));
    for (const lease of await leasesOfObject(database, { kind: queryLeaseKind, objectName })) {
      const isOurs = this.#running.has(lease.name) || wanted.has(lease.name);
      if (!isOurs || others.has(lease.name)) await releaseLease(database, lease);
    }
    this.#tidiedEpoch = workerEpoch;
    return own;
  }

  async #takeAll(queryIds: readonly string[]): Promise<void> {
    if (queryIds.length === 0) return;
    const { queries } = await readSqlCatalog(this.#parts.database);
    for (const query of queries) {
      if (queryIds.includes(query.queryId)) await this.#take(query);
    }
  }

  /** It commits and gives its lease back, which the worker that it prefers will take. */
  #handOver(queryId: string): void {
    this.#log.info("A query moves to the worker that it prefers", { query: queryId });
    this.#running.get(queryId)?.stop.abort();
  }

  async #take(query: QueryRow): Promise<void> {
    const { database, identity, objectName } = this.#parts;
    const name = query.queryId;
    const definition = this.#definitionOf(query);
    if (definition === undefined) return;
    const { workerEpoch } = identity.current();
    const taker = { workerEpoch, objectName };
    const lease = await acquireLease(database, { kind: queryLeaseKind, name, ...taker });
    if (lease.workerEpoch !== workerEpoch || this.#closing.signal.aborted) return;
    const { leaseEpoch } = lease;
    const stop = new AbortController();
    const runner = this.#runnerOf(name, { definition, leaseEpoch });
    const ended = runner
      .run(stop.signal)
      .then((end) => this.#ended(query, { leaseEpoch, end }))
      .catch((error: unknown) => {
        this.#log.error("A query ended in an unforeseen way", { query: name, error });
      })
      .finally(() => {
        this.#running.delete(name);
        // Its lease went to another, or with the epoch; it may be free by now.
        this.#lookAgain();
      });
    this.#running.set(name, { runner, stop, ended });
  }

  /** One that a newer version has written is left to workers that can read it. */
  #definitionOf({ queryId, definition }: QueryRow): QueryDefinition | undefined {
    try {
      return decodeQueryDefinition(definition);
    } catch (error) {
      if (!this.#unreadable.has(queryId)) {
        this.#log.error("Cannot run a query on this worker", { query: queryId, error });
      }
      this.#unreadable.add(queryId);
      return undefined;
    }
  }

  #runnerOf(
    queryId: string,
    options: { readonly definition: QueryDefinition; readonly leaseEpoch: number },
  ): QueryRunner {
    const { definition, leaseEpoch } = options;
    const { platform, log, topics, startTask, pace, database } = this.#parts;
    return new QueryRunner({
      ...{ platform, log, topics, startTask, pace, queryId, definition },
      guard: { kind: "lease", leaseKind: queryLeaseKind, name: queryId, leaseEpoch },
      publishTick: (topicNumbers) => publishTick(database, topicNumbers),
    });
  }

  async #ended(
    { queryId }: QueryRow,
    { leaseEpoch, end }: { readonly leaseEpoch: number; readonly end: RunnerEnd },
  ): Promise<void> {
    const { database } = this.#parts;
    if (end.kind === "failed") {
      this.#log.error("A query stopped", { query: queryId, reason: end.reason });
      await failQuery(database, { queryId, leaseEpoch, reason: end.reason });
    }
    await releaseLease(database, { kind: queryLeaseKind, name: queryId, leaseEpoch });
  }
}
