/** CREATE VIEW, a query that is kept as its text, and CREATE MATERIALIZED VIEW, one that runs. */

import { columnOf, makeCalc } from "../plan/calc.ts";
import type { PlanColumn, QueryPlan } from "../plan/plan.ts";
import { counted } from "../syntax/complaint.ts";
import type { AstNode, Identifier } from "../syntax/node.ts";
import type { CreateMaterializedView, CreateView } from "../syntax/statement.ts";
import { showType } from "../types/show-type.ts";
import type { StreamColumn, StreamEntry, ViewEntry } from "./catalog.ts";
import { CheckContext, type CheckOptions } from "./context.ts";
import { boundQuery, planOf } from "./plan-query.ts";
import type { Relation } from "./relation.ts";
import { checkOptions, durationMs, idleTimeoutDefaultMs, startupOf } from "./stream-options.ts";

/** `text` is the whole statement: the view's spans point into it for as long as it lives. */
export function checkCreateView(
  statement: CreateView,
  text: string,
  options: CheckOptions,
): ViewEntry {
  const context = new CheckContext(text, options);
  const { query } = statement;
  if (query.emit !== null) {
    return context.fail(query.emit, "EMIT belongs to the query that runs, not to a view");
  }
  namesOf(context, statement.name, statement.columns, boundQuery(context, query));
  return {
    kind: "view",
    name: nameOf(statement.name.parts),
    columns: statement.columns.map((column) => column.text),
    query,
    text,
  };
}

export interface MaterializedViewPlan {
  readonly plan: QueryPlan;
  /** The topic that it writes, as others read it. */
  readonly entry: StreamEntry;
}

export function planMaterializedView(
  statement: CreateMaterializedView,
  text: string,
  options: CheckOptions,
): MaterializedViewPlan {
  const context = new CheckContext(text, options);
  const given = checkOptions(context, statement.options);
  const relation = boundQuery(context, statement.query);
  const names = namesOf(context, statement.name, statement.columns, relation);
  const columns = names.map((name, index): PlanColumn => {
    const column = relation.node.columns[index];
    if (column === undefined) throw new RangeError("A column lost its place");
    if (["null", "intervalDay", "intervalYear"].includes(column.type.kind)) {
      return context.fail(
        statement.query,
        `column "${name}" is ${showType(column.type)}, which a record cannot hold: CAST it`,
      );
    }
    return { ...column, name };
  });
  const root = makeCalc({
    input: relation.node,
    filter: null,
    projections: columns.map((_, index) => columnOf(relation.node, index)),
    columns,
  });
  const name = nameOf(statement.name.parts);
  const rowtime = columns.find(({ time }) => time === "rowtime");
  return {
    plan: planOf(context, root),
    entry: {
      kind: "materialized view",
      name,
      topic: given["topic"] ?? name,
      format: "json",
      columns: columns.map(
        ({ name, type, nullable }): StreamColumn => ({
          name,
          type,
          nullable,
          from: { kind: "value" },
        }),
      ),
      primaryKey: keyOf(context, statement, names, root),
      changes: root.changes,
      watermark: rowtime === undefined ? null : { column: rowtime.name, delayMs: 0 },
      startup: startupOf(context, given, statement.options),
      idleTimeoutMs: durationMs(given["idle-timeout"] ?? "") ?? idleTimeoutDefaultMs,
      options: given,
    },
  };
}

function nameOf(parts: readonly Identifier[]): string {
  return parts.map(({ text }) => text).join(".");
}

/** The columns' names: as given, else the query's own; each must be there once. */
function namesOf(
  context: CheckContext,
  at: AstNode,
  given: readonly Identifier[],
  relation: Relation,
): readonly string[] {
  const own = relation.fields.map(({ name }) => name);
  if (given.length > 0 && given.length !== own.length) {
    return context.fail(
      given[0] ?? at,
      `it names ${counted(given.length, "column")}, the query has ${own.length}`,
    );
  }
  const names = given.length > 0 ? given.map(({ text }) => text) : own;
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) {
    return context.fail(
      at,
      `column "${twice}" is there twice: give one of them another name with AS`,
    );
  }
  return names;
}

/** Given, or what tells the rows of an updating query apart; where nothing does, it is refused. */
function keyOf(
  context: CheckContext,
  statement: CreateMaterializedView,
  names: readonly string[],
  root: Pick<Relation["node"], "changes" | "key">,
): readonly string[] {
  const given = statement.primaryKey?.columns ?? null;
  if (given === null) {
    if (root.changes === "append") return [];
    if (root.key !== null) return root.key.flatMap((index) => names[index] ?? []);
    return context.fail(
      statement.query,
      "the query updates its rows, and nothing tells them apart: select the columns of GROUP BY too",
    );
  }
  for (const part of given) {
    if (!names.includes(part.text)) {
      context.failUnknown(part, `there is no column "${part.text}"`, part.text, names);
    }
  }
  const chosen = given.map(({ text }) => text);
  const needed = root.key?.map((index) => names[index] ?? "") ?? [];
  const missing = needed.find((name) => !chosen.includes(name));
  if (root.changes === "update" && (root.key === null || missing !== undefined)) {
    context.fail(
      statement.primaryKey ?? statement,
      missing === undefined
        ? "nothing tells the query's rows apart: select the columns of GROUP BY too"
        : `rows are told apart by "${missing}" too: add it to the PRIMARY KEY`,
    );
  }
  return chosen;
}
