/**
 * Everything that answers with rows: pulls of views, scans that end, and what goes on with
 * EMIT CHANGES. `SqlService` hands every query here.
 */
import type { Platform } from "../base/platform.ts";
import type { Log } from "../log/log.ts";
import { publishTick } from "../meta/publish-order.ts";
import type { SqlDatabase } from "../meta/sql-database.ts";
import { SubqueryAnswers } from "../sql/check/subquery-answers.ts";
import type { Query } from "../sql/syntax/ast.ts";
import type { BoundedQueries, ReadMoment } from "./bounded-query.ts";
import { CatalogCache } from "./catalog-cache.ts";
import { LiveQueries } from "./live-query.ts";
import type { QueryMaker } from "./query-maker.ts";
import type { RowsResult, StatementResult } from "./sql-result.ts";
import type { SqlSession } from "./sql-session.ts";
import { planOfValues, subqueryValues } from "./subquery-values.ts";
import type { StartTask } from "./task-protocol.ts";
import type { StartViews } from "./view-protocol.ts";
import type { PushQuery } from "./view-push.ts";
import { type SelectPlan, type SelectText, selectPlanOf, ViewQueries } from "./view-queries.ts";
import { type ViewSettings, ViewTables } from "./view-tables.ts";

export interface SqlReadingParts {
  readonly platform: Platform;
  readonly database: SqlDatabase;
  readonly log: Pick<
    Log,
    | "fetch"
    | "release"
    | "status"
    | "sync"
    | "endOffset"
    | "epochEnd"
    | "follow"
    | "onCatalogChange"
    | "topics"
  >;
  readonly maker: QueryMaker;
  readonly bounded: BoundedQueries;
  readonly startTask: StartTask;
  /** Starts what holds the tables of views; called when the first is read. */
  readonly startViews: StartViews;
  readonly viewSettings?: Partial<ViewSettings>;
}

export interface QueryRun {
  readonly text: string;
  readonly session: SqlSession;
  readonly signal: AbortSignal;
  /** EMIT CHANGES over a view goes on behind this event; absent: it begins with a snapshot. */
  readonly cursor?: string | undefined;
  readonly onStill?: PushQuery["onStill"];
}

interface ReadRun {
  readonly session: SqlSession;
  readonly signal: AbortSignal;
  readonly moment: ReadMoment;
}

export class SqlReading {
  /** For metrics. */
  readonly tables: ViewTables;
  readonly #bounded: BoundedQueries;
  readonly #catalog: CatalogCache;
  readonly #live: LiveQueries;
  readonly #views: ViewQueries;

  constructor(parts: SqlReadingParts) {
    const { platform, database, log, maker, bounded, startTask, startViews } = parts;
    const settings = parts.viewSettings ?? {};
    this.tables = new ViewTables({ platform, log, startViews, settings });
    this.#bounded = bounded;
    this.#catalog = new CatalogCache({ database, log });
    this.#views = new ViewQueries({ tables: this.tables, topics: log.topics });
    this.#live = new LiveQueries({
      ...{ platform, log, maker, startTask },
      publishTick: (topicNumbers) => publishTick(database, topicNumbers),
    });
  }

  /** A statement of this worker has changed the catalog. */
  forgetCatalog(): void {
    this.#catalog.forget();
  }

  /** @throws SqlError, StreamError: see `SqlService.execute`. */
  async query(query: Query, run: QueryRun): Promise<StatementResult> {
    const { text, session, signal, cursor, onStill } = run;
    const known = await this.#catalog.get();
    const select = { query, text, timeZone: session.timeZone, known };
    if (query.emit?.mode === "changes") {
      const push = this.#views.planPush(select);
      if (push.kind === "query") return this.#live.run(push.plan, session, signal);
      return this.#views.push(push, { cursor: cursor ?? null, signal, onStill });
    }
    const subqueries = new SubqueryAnswers();
    const moment: ReadMoment = { publishPosition: null };
    const planned = await this.#planned({ ...select, subqueries }, { session, signal, moment });
    return this.#rowsOf(planned, { session, signal, moment });
  }

  /** See `ViewQueries.isStill`. */
  isStill(cursor: string): Promise<boolean> {
    return this.#views.isStill(cursor);
  }

  /** Runs subqueries until none is left that stands for a value. */
  async #planned(
    select: SelectText & { readonly subqueries: SubqueryAnswers },
    run: ReadRun,
  ): Promise<SelectPlan> {
    const { known, subqueries } = select;
    for (;;) {
      const planned = this.#views.planSelect(select);
      const pending = subqueries.takePending();
      if (pending.length === 0) return planned;
      for (const each of pending) {
        const { rows } = await this.#rowsOf(selectPlanOf(planOfValues(each.plan), known), run);
        subqueries.give(each, await subqueryValues(each, rows));
      }
    }
  }

  async #rowsOf(planned: SelectPlan, { session, signal, moment }: ReadRun): Promise<RowsResult> {
    if (planned.kind === "pull") return this.#views.pull(planned, signal);
    const { plan } = planned;
    const fed = new Map<string, readonly Uint8Array[]>();
    for (const [stream, entry] of planned.views) {
      fed.set(stream, await this.#views.batchesOf(entry, signal));
    }
    const columns = plan.root.columns.map(({ name, type }) => ({ name, type }));
    const rows = this.#bounded.rows({ plan, session, signal, fed, moment });
    return { kind: "rows", columns, rows };
  }

  /** How a SELECT over a view finds its rows; null: it is more than a view's table answers. */
  async explainPull(
    query: Query,
    { text, session }: Pick<QueryRun, "text" | "session">,
  ): Promise<readonly string[] | null> {
    const known = await this.#catalog.get();
    const subqueries = new SubqueryAnswers();
    const { timeZone } = session;
    const plan = this.#views.planSelect({ query, text, timeZone, known, subqueries });
    return plan.kind === "pull" ? this.#views.explainPull(plan) : null;
  }

  /** Ends the tables of views and whoever follows them. */
  close(): Promise<void> {
    return this.tables.close();
  }
}
