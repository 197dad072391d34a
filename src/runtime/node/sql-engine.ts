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
import type { StartTask } from "../../pipeline/task-protocol.ts";
import type { StartViews } from "../../pipeline/view-protocol.ts";
import { watchQueries } from "../query-metrics.ts";
import type { NodePlatform } from "./platform.ts";
import { startTaskThread } from "./task-thread.ts";
import { startViewThread } from "./view-thread.ts";

export interface SqlEngineParts {
  readonly platform: NodePlatform;
  readonly metrics: Metrics;
  readonly database: SqlDatabase;
  readonly log: Log;
  /** Where tasks run; absent: each in a thread of its own. */
  readonly startTask?: StartTask;
  /** Where tables of views live; absent: in one thread of their own. */
  readonly startViews?: StartViews;
}

export class SqlEngine {
  readonly manager: QueryManager;
  readonly service: SqlService;
  readonly reading: SqlReading;
  readonly queries: QueryAdmin;

  constructor(parts: SqlEngineParts) {
    const { platform, metrics, database, log } = parts;
    const { startTask = startTaskThread, startViews = startViewThread } = parts;
    const common = { platform, database, log, topics: log.topics };
    const maker = new QueryMaker(common);
    const manager = new QueryManager({ ...common, identity: log.session, startTask });
    const bounded = new BoundedQueries({ ...common, maker, startTask });
    this.manager = manager;
    this.reading = new SqlReading({ ...common, maker, bounded, startTask, startViews });
    const { reading } = this;
    this.service = new SqlService({ ...common, manager, maker, bounded, reading });
    this.queries = new QueryAdmin({
      ...common,
      manager,
      identity: log.session,
      statusOf: (queryId) => manager.statusOf(queryId),
    });
    watchQueries({ metrics, clock: platform.clock, running: () => manager.running() });
  }
}
