/** SHOW, DESCRIBE and EXPLAIN. */

import { nearest } from "../base/near.ts";
import { StreamError } from "../base/stream-error.ts";
import type { Catalog } from "../sql/check/catalog.ts";
import { planMaterializedView } from "../sql/check/create-view.ts";
import { planInsert } from "../sql/check/insert.ts";
import { planQuery } from "../sql/check/plan-query.ts";
import { SubqueryAnswers } from "../sql/check/subquery-answers.ts";
import { functionCatalog } from "../sql/functions/catalog.ts";
import { explain } from "../sql/plan/explain.ts";
import type { QueryPlan } from "../sql/plan/plan.ts";
import { formatStatement } from "../sql/syntax/format-statement.ts";
import { parseStatement } from "../sql/syntax/parse-statement.ts";
import type { Describe, Explain, Show } from "../sql/syntax/statement.ts";
import type { DataType } from "../sql/types/data-type.ts";
import { showType } from "../sql/types/show-type.ts";
import type { ReadSize } from "./bounded-query.ts";
import type { QueryManager } from "./query-manager.ts";
import { catalogOf, type SqlCatalogState } from "./sql-catalog.ts";
import { type ResultColumn, rowsResult, type StatementResult } from "./sql-result.ts";
import { type SqlSession, sessionOptions } from "./sql-session.ts";

const text: DataType = { kind: "varchar", length: null };
const bool: DataType = { kind: "boolean" };
const column = (name: string, type: DataType = text): ResultColumn => ({ name, type });

interface ShowContext {
  readonly state: SqlCatalogState;
  readonly session: SqlSession;
  readonly manager: QueryManager;
  readonly text: string;
}

export function showObjects(statement: Show, context: ShowContext): StatementResult {
  const { state, session } = context;
  const likes = likePattern(statement.like?.value ?? null);
  const objects = [...state.objects.values()].filter(({ name }) => likes(name));
  const named = (kinds: readonly string[], head: string) =>
    rowsResult(
      [column(head), column("kind")],
      objects
        .filter(({ kind }) => kinds.includes(kind))
        .map(({ name, kind }) => [name, kind.replace("_", " ")]),
    );
  switch (statement.what) {
    case "tables":
      return named(["stream", "table", "view", "materialized_view"], "table name");
    case "streams":
      return named(["stream", "table"], "stream name");
    case "views":
      return named(["view", "materialized_view"], "view name");
    case "materialized views":
      return named(["materialized_view"], "view name");
    case "functions":
      return rowsResult(
        [column("function name"), column("syntax"), column("description")],
        functionCatalog
          .filter(({ sqlNames }) => sqlNames.some(likes))
          .map(({ sqlNames, syntax, doc }) => [sqlNames[0] ?? "", syntax, doc]),
      );
    case "options":
      return rowsResult(
        [column("key"), column("value"), column("description")],
        Object.entries(sessionOptions).map(([key, { doc }]) => [key, session.get(key), doc]),
      );
    case "queries":
      return showQueries(context, likes);
    case "create":
      return showCreate(statement, state);
  }
}

function showQueries(
  { state, manager }: ShowContext,
  likes: (name: string) => boolean,
): StatementResult {
  return rowsResult(
    [column("query"), column("target"), column("state"), column("here", bool), column("failure")],
    state.queries
      .filter(({ queryId }) => likes(queryId))
      .map(({ queryId, target, desired, failure }) => [
        ...[queryId, target, failure === null ? desired : "failed"],
        ...[manager.statusOf(queryId) !== undefined, failure],
      ]),
  );
}

function showCreate({ name: path }: Show, state: SqlCatalogState): StatementResult {
  const name = (path?.parts ?? []).map((part) => part.text).join(".");
  const object = state.objects.get(name);
  if (object === undefined) throw unknownObject(name, state);
  // In the form in which every statement is written out, whatever way it was typed.
  const statement = formatStatement(parseStatement(object.statement));
  return rowsResult([column("statement")], [[statement]]);
}

export function describeObject(
  { name: path }: Describe,
  state: SqlCatalogState,
  _text: string,
): StatementResult {
  const name = path.parts.map((part) => part.text).join(".");
  const catalog = catalogOf(state);
  const entry = catalog.lookup(name);
  if (entry === undefined) throw unknownObject(name, state);
  const head = [
    column("name"),
    column("type"),
    column("null", bool),
    column("key"),
    column("extras"),
    column("watermark"),
  ];
  if (entry.kind === "view") {
    const options = { catalog, timeZone: "UTC", isBounded: false };
    const { columns } = planQuery(entry.query, entry.text, options).root;
    return rowsResult(
      head,
      columns.map((each, index) => [
        ...[
          entry.columns[index] ?? each.name,
          showType(each.type),
          each.nullable,
          null,
          null,
          null,
        ],
      ]),
    );
  }
  return rowsResult(
    head,
    entry.columns.map((each) => [
      ...[each.name, showType(each.type), each.nullable],
      entry.primaryKey.includes(each.name) ? `PRI(${entry.primaryKey.join(", ")})` : null,
      extrasOf(each.from),
      entry.watermark?.column === each.name ? watermarkText(entry.watermark) : null,
    ]),
  );
}

function extrasOf(from: { readonly kind: string; readonly field?: string }): string | null {
  switch (from.kind) {
    case "metadata":
      return `METADATA FROM '${from.field ?? ""}'`;
    case "proctime":
      return "AS PROCTIME()";
    case "computed":
      return "AS (computed)";
    default:
      return null;
  }
}

function watermarkText({ column: name, delayMs }: { column: string; delayMs: number }): string {
  return delayMs === 0 ? name : `${name} - INTERVAL '${delayMs / 1000}' SECOND`;
}

export interface Explained {
  readonly plan: QueryPlan;
  readonly isRead: boolean;
  /** What is run first. */
  readonly subqueries?: SubqueryAnswers;
}

/** The plan of a statement; `isRead`: of a SELECT that ends, which reads what is there now. */
export function explainedPlan(
  { statement }: Explain,
  context: {
    readonly catalog: Catalog;
    readonly session: SqlSession;
    readonly text: string;
  },
): Explained {
  const { catalog, session, text: whole } = context;
  const options = (isBounded: boolean) => ({ catalog, timeZone: session.timeZone, isBounded });
  switch (statement.kind) {
    case "query": {
      const isRead = statement.query.emit?.mode !== "changes";
      const subqueries = new SubqueryAnswers();
      const checked = { ...options(isRead), ...(isRead && { subqueries }) };
      return { plan: planQuery(statement.query, whole, checked), isRead, subqueries };
    }
    case "insert":
      return { ...planInsert(statement, whole, options(false)), isRead: false };
    case "createView":
      return { plan: planQuery(statement.query, whole, options(false)), isRead: false };
    case "createMaterializedView":
      return { ...planMaterializedView(statement, whole, options(false)), isRead: false };
  }
}

/**
 * The plan's lines, and of a read that ends how much of the log it reads: objects and bytes; or
 * how it finds its rows in a view's table.
 */
export function explainResult(
  { plan, isRead, subqueries }: Explained,
  size: ReadSize | null,
  notes: readonly string[] = [],
): StatementResult {
  const textOf = (each: QueryPlan) => explain(each, { ends: isRead }).trimEnd().split("\n");
  const first = (subqueries?.pending ?? []).flatMap((each, index) => [
    `Subquery ${index + 1}, run first`,
    ...textOf(each.plan).map((line) => `  ${line}`),
  ]);
  const lines = [...first, ...textOf(plan), ...notes];
  if (size !== null) {
    const { within, whole } = size;
    const objects = `${within.objectCount} of ${whole.objectCount} objects`;
    lines.push(`Reads ${objects}, ${within.bytes} of ${whole.bytes} bytes`);
  }
  return rowsResult(
    [column("plan")],
    lines.map((line) => [line]),
  );
}

function unknownObject(name: string, state: SqlCatalogState): StreamError {
  const near = nearest(name, state.objects.keys());
  const hint = near === null ? "; see SHOW TABLES" : `; did you mean "${near}"?`;
  return new StreamError(
    "sql_object_unknown",
    `There is no stream, table or view "${name}"${hint}`,
  );
}

/** LIKE with % and _; null: everything. */
function likePattern(pattern: string | null): (name: string) => boolean {
  if (pattern === null) return () => true;
  const source = [...pattern].map((letter) =>
    letter === "%" ? ".*" : letter === "_" ? "." : RegExp.escape(letter),
  );
  const expression = new RegExp(`^${source.join("")}$`, "su");
  return (name) => expression.test(name);
}
