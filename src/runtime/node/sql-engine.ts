/** The SQL of a worker, wired: what makes queries, runs them, and answers statements. */
import type { Metrics } from "../../base/metrics.ts";
import type { Log } from "../../log/log.ts";
import type { SqlDatabase } from "../../meta/sql-database.ts";
import { BoundedQueries } from "../../pipeline/bounded-query.ts";
import { QueryAdmin } from "../../pipeline/query-admin.ts";
import { QueryMaker } from "../../pipeline/query-maker.ts";
import { QueryManager } from "../../pipeline/query-manager.ts";
import { SqlReading } from "../../pipeline/sql-reading.ts";
import { SqlService } from "../../pipeline/sql-service.ts";
import { limitTasks } from "../../pipeline/task-limit.ts";
import type { StartTask } from "../../pipeline/task-protocol.ts";
import type { StartViews } from "../../pipeline/view-protocol.ts";
import { watchQueries } from "../query-metrics.ts";
import type { NodePlatform } from "./platform.ts";
import { TaskThreads } from "./task-threads.ts";
import { startViewThread } from "./view-thread.ts";

export interface SqlEngineParts {
  readonly platform: NodePlatform;
  readonly metrics: Metrics;
  readonly database: SqlDatabase;
  readonly log: Log;
  /** Where tasks run; absent: each in a thread of its own. */
  readonly startTask?: StartTask;
  /** What holds the tables of views; absent: a thread of theirs. */
  readonly startViews?: StartViews;
}

/** Scans and queries without a view that run at a time for clients. */
const statementTasksMax = 32;

export class SqlEngine {
  readonly manager: QueryManager;
  readonly service: SqlService;
  readonly queries: QueryAdmin;
  readonly #reading: SqlReading;
  readonly #threads: TaskThreads;

  constructor(parts: SqlEngineParts) {
    const { platform, metrics, database, log } = parts;
    const threads = new TaskThreads(platform.timers);
    const { startTask = threads.start, startViews = startViewThread } = parts;
    this.#threads = threads;
    const common = { platform, database, log, topics: log.topics };
    const maker = new QueryMaker(common);
    const manager = new QueryManager({ ...common, identity: log.session, startTask });
    const statements = { ...common, maker, startTask: limitTasks(startTask, statementTasksMax) };
    const bounded = new BoundedQueries(statements);
    this.manager = manager;
    this.#reading = new SqlReading({ ...statements, bounded, startViews });
    const reading = this.#reading;
    const onDefinition = () => threads.prepare();
    this.service = new SqlService({ ...common, manager, maker, bounded, reading, onDefinition });
    this.queries = new QueryAdmin({
      ...common,
      manager,
      identity: log.session,
      statusOf: (queryId) => manager.statusOf(queryId),
    });
    watchQueries({ metrics, clock: platform.clock, running: () => manager.running() });
  }

  /** Commits what runs here, gives its leases back, and lets go of the tables of views. */
  async close(): Promise<void> {
    await Promise.all([this.manager.close(), this.#reading.close()]);
    this.#threads.close();
  }
}
