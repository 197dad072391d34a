/**
 * SELECTs over materialized views: pulls, which answer with the view's rows as they are, and
 * pushes, which go on with what changes. Planned once per text and catalog: the same question comes
 * again and again.
 */
import { StreamError } from "../base/stream-error.ts";
import type { TopicService } from "../log/log-types.ts";
import type { TopicInfo } from "../meta/catalog.ts";
import type { Catalog, CatalogEntry, StreamEntry } from "../sql/check/catalog.ts";
import { planQuery } from "../sql/check/plan-query.ts";
import type { SubqueryAnswers } from "../sql/check/subquery-answers.ts";
import type { QueryPlan } from "../sql/plan/plan.ts";
import type { Query } from "../sql/syntax/ast.ts";
import { SqlError } from "../sql/syntax/sql-error.ts";
import { abortable } from "./abortable.ts";
import { valuesOf } from "./bounded-query.ts";
import type { KnownCatalog } from "./catalog-cache.ts";
import { withDistinctNames } from "./distinct-names.ts";
import { sourcesOf } from "./query-maker.ts";
import type {
  ChangeEvent,
  ResultColumn,
  RowsChunk,
  RowsResult,
  StatementResult,
} from "./sql-result.ts";
import { gone } from "./view-feed.ts";
import type { Pages } from "./view-pages.ts";
import { checkCursor, type PushQuery, parseCursor, pushEvents } from "./view-push.ts";
import {
  allRowsStatement,
  type PushStatements,
  pullStatement,
  pushStatements,
} from "./view-statement.ts";
import { resultBytesMax, type ViewStatement } from "./view-table.ts";
import type { ViewRef, ViewTables } from "./view-tables.ts";

export interface ViewQueriesParts {
  readonly tables: ViewTables;
  readonly topics: Pick<TopicService, "byName" | "byId">;
}

export interface SelectText {
  readonly query: Query;
  readonly text: string;
  readonly timeZone: string;
  readonly known: KnownCatalog;
  /** Of a SELECT that ends. */
  readonly subqueries?: SubqueryAnswers;
}

/** How a SELECT that ends is answered. */
export type SelectPlan =
  | {
      readonly kind: "pull";
      readonly entry: StreamEntry;
      readonly statement: ViewStatement;
      readonly columns: readonly ResultColumn[];
    }
  /** It runs as a query, fed with the rows of `views` where it names one of them. */
  | {
      readonly kind: "query";
      readonly plan: QueryPlan;
      readonly views: ReadonlyMap<string, StreamEntry>;
    };

export type PushPlan =
  | {
      readonly kind: "push";
      readonly entry: StreamEntry;
      readonly statements: PushStatements;
      readonly columns: readonly ResultColumn[];
    }
  | { readonly kind: "query"; readonly plan: QueryPlan };

/** Plans that are kept for the next time. */
const plansMax = 1_000;

export class ViewQueries {
  readonly #parts: ViewQueriesParts;
  readonly #plans = new Map<string, { readonly known: KnownCatalog; readonly plan: SelectPlan }>();

  constructor(parts: ViewQueriesParts) {
    this.#parts = parts;
  }

  /** @throws SqlError */
  planSelect(select: SelectText): SelectPlan {
    const { text, timeZone, known } = select;
    const name = `${timeZone} ${text}`;
    const kept = this.#plans.get(name);
    if (kept?.known === known) return kept.plan;
    const plan = plannedSelect(select);
    // What subqueries gave holds this time only.
    if (select.subqueries?.isUsed) return plan;
    this.#plans.delete(name);
    this.#plans.set(name, { known, plan });
    if (this.#plans.size > plansMax) this.#plans.delete(this.#plans.keys().next().value ?? "");
    return plan;
  }

  /** @throws SqlError */
  planPush({ query, text, timeZone, known }: SelectText): PushPlan {
    const { catalog } = known;
    const plan = withDistinctNames(planQuery(query, text, { catalog, timeZone, isBounded: false }));
    const sources = sourcesOf(plan.root);
    const [source] = sources;
    const entry = source && viewOf(catalog.lookup(source.stream));
    if (entry !== null && entry !== undefined && sources.length === 1) {
      const statements = pushStatements(plan, entry);
      const { columns } = plan.root;
      if (statements !== null) return { kind: "push", entry, statements, columns };
    }
    const updating = sources.find(({ changes }) => changes === "update");
    if (updating !== undefined) {
      throw new SqlError({
        code: "sql_unsupported",
        text,
        at: query.at,
        problem:
          `EMIT CHANGES over the updating "${updating.stream}" takes a filter and a projection ` +
          "only: make a materialized view of the rest",
      });
    }
    return { kind: "query", plan };
  }

  /** The rows of a pull, everything published before the call among them. */
  async pull(
    { entry, statement, columns }: Extract<SelectPlan, { kind: "pull" }>,
    signal: AbortSignal,
  ): Promise<RowsResult> {
    const { tables } = this.#parts;
    const left = new AbortController();
    const ends = AbortSignal.any([signal, left.signal]);
    const pages = await tables.read(await this.#refOf(entry), statement, ends);
    return { kind: "rows", columns, rows: this.#rowsOf(pages, left) };
  }

  /** Where the rows of a pull are, and how they are found there. */
  async explainPull(pull: Extract<SelectPlan, { kind: "pull" }>): Promise<readonly string[]> {
    const { entry } = pull;
    const { topic } = await this.#refOf(entry);
    const place = this.#parts.tables.holds(topic)
      ? "which this worker holds"
      : "which this worker makes when it is first read";
    return [
      `Reads the table of ${entry.name}, ${place}, from topic ${topic.name}`,
      `    ${accessOf(pull)}`,
    ];
  }

  /** @throws StreamError `invalid_request`, `topic_recreated`, `offset_out_of_range` */
  async push(
    { entry, statements, columns }: Extract<PushPlan, { kind: "push" }>,
    options: { readonly cursor: string | null } & Pick<PushQuery, "signal" | "onStill">,
  ): Promise<StatementResult> {
    const { tables } = this.#parts;
    const ref = await this.#refOf(entry);
    const cursor = options.cursor === null ? null : parseCursor(options.cursor);
    if (cursor !== null) await checkCursor(tables, ref, cursor);
    const { onStill } = options;
    const events = abortable<ChangeEvent>(options.signal, (signal) =>
      pushEvents({ tables, ref, statements, cursor, signal, onStill }),
    );
    return { kind: "changes", columns, events };
  }

  /** Whether nothing is known here to be published behind the cursor; false where it is gone. */
  async isStill(text: string): Promise<boolean> {
    const { topicId, nextOffset } = parseCursor(text);
    const topic = await this.#parts.topics.byId(topicId as TopicInfo["topicId"]);
    const end = topic && (await this.#parts.tables.knownEnd(topic));
    return end !== undefined && end <= nextOffset;
  }

  /** Record batches with all rows of a view. */
  async batchesOf(entry: StreamEntry, signal: AbortSignal): Promise<readonly Uint8Array[]> {
    const ref = await this.#refOf(entry);
    const left = new AbortController();
    const ends = AbortSignal.any([signal, left.signal]);
    const pages = await this.#parts.tables.read(ref, allRowsStatement(entry), ends);
    const batches: Uint8Array[] = [];
    let bytes = 0;
    for await (const { rows } of pages.taken()) {
      for (const batch of rows?.batches ?? []) {
        bytes += batch.length;
        batches.push(batch);
      }
      if (bytes <= resultBytesMax) continue;
      left.abort();
      throw tooLarge(entry.name);
    }
    return batches;
  }

  async #refOf(entry: StreamEntry): Promise<ViewRef> {
    const topic = await this.#parts.topics.byName(entry.topic);
    if (topic === undefined) throw gone(entry.name);
    return { entry, topic };
  }

  /** Aborts `left` at its end, so that a view does not wait for who wants no more. */
  async *#rowsOf(pages: Pages, left: AbortController): AsyncGenerator<RowsChunk, void> {
    try {
      for await (const { rows } of pages.taken()) {
        const values = this.#values(rows?.batches ?? []);
        if (values.length > 0) yield { rows: values, progress: null };
      }
    } finally {
      left.abort();
    }
  }

  #values(batches: readonly Uint8Array[]): readonly Uint8Array[] {
    const common = { kind: "result" as const, partition: 0, recordCount: 0 };
    const outputs = batches.map((bytes) => ({ ...common, bytes }));
    return valuesOf(outputs, this.#parts.tables.platform);
  }
}

function plannedSelect({ query, text, timeZone, known, subqueries }: SelectText): SelectPlan {
  const catalog = asItIs(known.catalog);
  const options = { catalog, timeZone, isBounded: true, ...(subqueries && { subqueries }) };
  return selectPlanOf(withDistinctNames(planQuery(query, text, options)), known);
}

/** Where the rows of a plan over `known` are found. */
export function selectPlanOf(plan: QueryPlan, known: KnownCatalog): SelectPlan {
  const sources = sourcesOf(plan.root);
  const views = new Map<string, StreamEntry>();
  for (const { stream } of sources) {
    const entry = viewOf(known.catalog.lookup(stream));
    if (entry !== null) views.set(stream, entry);
  }
  const [entry] = views.values();
  if (sources.length === 1 && entry !== undefined) {
    const statement = pullStatement(plan, entry);
    const { columns } = plan.root;
    if (statement !== null) return { kind: "pull", entry, statement, columns };
  }
  for (const [stream, { changes }] of views) if (changes === "append") views.delete(stream);
  return { kind: "query", plan, views };
}

/** What `ViewTable` does: it has an index of the key, and makes others as they are asked for. */
function accessOf({ entry, statement }: Extract<SelectPlan, { kind: "pull" }>): string {
  const nameAt = (place: number) => entry.columns[place]?.name ?? "";
  const names = statement.lookups.map(nameAt);
  const known = new Set(names);
  const end = entry.primaryKey.findIndex((name) => !known.has(name));
  const key = entry.primaryKey.slice(0, end < 0 ? undefined : end);
  if (entry.changes === "update" && key.length > 0) {
    const which = end < 0 ? "the primary key" : "the first columns of the primary key";
    return `lookup by ${which} (${key.join(", ")})`;
  }
  return names.length === 0
    ? "scan of all its rows"
    : `lookup by ${names.join(", ")}: a scan at first, by an index when it is asked for again`;
}

/** What a query over a view is fed with lies in memory. */
function tooLarge(view: string): StreamError {
  const message =
    `Cannot query the view "${view}" so: its rows have more than ${resultBytesMax} bytes. Ask for ` +
    "less with a plain SELECT and WHERE, or make a materialized view of the query";
  return new StreamError("sql_too_large", message, { details: { view, resultBytesMax } });
}

function viewOf(entry: CatalogEntry | undefined): StreamEntry | null {
  return entry?.kind === "materialized view" ? entry : null;
}

/** To a query that ends a view's rows are rows like any: they are read as they are, once. */
function asItIs(catalog: Catalog): Catalog {
  return {
    names: () => catalog.names(),
    lookup(name) {
      const entry = catalog.lookup(name);
      const view = viewOf(entry);
      if (view === null || view.changes === "append") return entry;
      return { ...view, changes: "append", watermark: null };
    },
  };
}
