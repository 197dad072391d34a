/** The SQL of a worker, wired: what makes queries, runs them, and answers statements. */
import type { Metrics } from "../base/metrics.ts";
import type { Platform } from "../base/platform.ts";
import type { Log } from "../log/log.ts";
import type { SqlDatabase } from "../meta/sql-database.ts";
import { BoundedQueries } from "../pipeline/bounded-query.ts";
import { QueryAdmin } from "../pipeline/query-admin.ts";
import { QueryMaker } from "../pipeline/query-maker.ts";
import { QueryManager, type QueryManagerParts } from "../pipeline/query-manager.ts";
import { SqlReading } from "../pipeline/sql-reading.ts";
import { SqlService } from "../pipeline/sql-service.ts";
import { limitTasks } from "../pipeline/task-limit.ts";
import type { StartTask } from "../pipeline/task-protocol.ts";
import type { StartViews } from "../pipeline/view-protocol.ts";
import type { ViewSettings } from "../pipeline/view-tables.ts";
import { watchQueries } from "./query-metrics.ts";

export interface SqlEngineParts {
  readonly platform: Platform;
  readonly metrics: Metrics;
  readonly database: SqlDatabase;
  readonly log: Log;
  /** Where tasks run. */
  readonly startTask: StartTask;
  /** Called when a task is likely to be wanted soon. */
  readonly prepareTask?: () => void;
  /** What holds the tables of views. */
  readonly startViews: StartViews;
  readonly viewSettings?: Partial<ViewSettings>;
  /** Which queries run here, and who else is told of them; absent: as processes do. */
  readonly queries?: Pick<
    QueryManagerParts,
    "placement" | "onWanted" | "objectName" | "looksWhenTold" | "pace"
  >;
  /** Scans and queries without a view that run at a time for clients. */
  readonly statementTasksMax: number;
}

export class SqlEngine {
  readonly manager: QueryManager;
  readonly service: SqlService;
  readonly queries: QueryAdmin;
  readonly #reading: SqlReading;

  constructor(parts: SqlEngineParts) {
    const { platform, metrics, database, log } = parts;
    const { startTask, startViews, viewSettings = {}, statementTasksMax } = parts;
    const common = { platform, database, log, topics: log.topics };
    const maker = new QueryMaker(common);
    const manager = new QueryManager({
      ...{ ...common, identity: log.session, startTask },
      ...parts.queries,
    });
    const statements = { ...common, maker, startTask: limitTasks(startTask, statementTasksMax) };
    const bounded = new BoundedQueries(statements);
    this.manager = manager;
    this.#reading = new SqlReading({ ...statements, bounded, startViews, viewSettings });
    const reading = this.#reading;
    const onDefinition = () => parts.prepareTask?.();
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
  }
}
