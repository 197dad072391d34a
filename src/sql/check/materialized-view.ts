/** CREATE MATERIALIZED VIEW: its query's plan, and the entry that stands for its results. */
import { columnOf, makeCalc } from "../plan/calc.ts";
import type { PlanColumn, PlanNode, QueryPlan } from "../plan/plan.ts";
import type { CreateMaterializedView } from "../syntax/statement.ts";
import type { StreamEntry } from "./catalog.ts";
import { CheckContext, type CheckOptions } from "./context.ts";
import { boundQuery, planOf } from "./plan-query.ts";
import { checkOptions, durationMs, idleTimeoutDefaultMs } from "./stream-options.ts";

export interface MaterializedViewPlan {
  readonly plan: QueryPlan;
  readonly entry: StreamEntry;
  /** Columns of the plan that make the key of its records; null: they have none. */
  readonly key: readonly number[] | null;
}

/** Throws an SqlError where the statement is wrong. */
export function checkMaterializedView(
  statement: CreateMaterializedView,
  text: string,
  options: CheckOptions,
): MaterializedViewPlan {
  const context = new CheckContext(text, options);
  const given = checkOptions(context, statement.options);
  const name = statement.name.parts.map((part) => part.text).join(".");
  const { node } = boundQuery(context, statement.query);
  const root = renamed(context, statement, node);
  refuseRepeated(context, statement, root.columns);
  const key = keyOf(context, statement, root);
  const plan = planOf(context, root);
  const rowtime = root.columns.find(({ time }) => time === "rowtime");
  const entry: StreamEntry = {
    kind: "materialized view",
    name,
    topic: name,
    format: "json",
    columns: root.columns.map((column) => ({
      ...{ name: column.name, type: column.type, nullable: column.nullable },
      from: { kind: "value" },
    })),
    primaryKey: (key ?? []).map((index) => root.columns[index]?.name ?? ""),
    changes: root.changes,
    // Results come in the order of their commits; their time attribute waits for nobody.
    watermark: rowtime === undefined ? null : { column: rowtime.name, delayMs: 0 },
    startup: { mode: "earliest" },
    idleTimeoutMs: durationMs(given["idle-timeout"] ?? "") ?? idleTimeoutDefaultMs,
    options: given,
  };
  return { plan, entry, key };
}

function renamed(
  context: CheckContext,
  statement: CreateMaterializedView,
  node: PlanNode,
): PlanNode {
  const { columns: names } = statement;
  if (names.length === 0) return node;
  if (names.length !== node.columns.length) {
    const problem = `the view names ${names.length} columns, its query has ${node.columns.length}`;
    return context.fail(statement.name, problem);
  }
  const columns = node.columns.map((column, index): PlanColumn => {
    return { ...column, name: names[index]?.text ?? column.name };
  });
  const projections = columns.map((_, index) => columnOf(node, index));
  return makeCalc({ input: node, filter: null, projections, columns });
}

function refuseRepeated(
  context: CheckContext,
  statement: CreateMaterializedView,
  columns: readonly PlanColumn[],
): void {
  const seen = new Set<string>();
  for (const { name } of columns) {
    if (seen.has(name)) {
      context.fail(
        statement.query,
        `column "${name}" is there twice: give one another name with AS`,
      );
    }
    seen.add(name);
  }
}

function keyOf(
  context: CheckContext,
  statement: CreateMaterializedView,
  root: PlanNode,
): readonly number[] | null {
  const { primaryKey } = statement;
  if (primaryKey !== null) {
    return primaryKey.columns.map((part) => {
      const index = root.columns.findIndex(({ name }) => name === part.text);
      if (index >= 0) return index;
      const known = root.columns.map(({ name }) => name);
      return context.failUnknown(part, `there is no column "${part.text}"`, part.text, known);
    });
  }
  if (root.changes === "append") return root.key;
  if (root.key !== null && root.key.length > 0) return root.key;
  return context.fail(
    statement.query,
    "the query updates its rows and has no key that they could be found by: " +
      "select the columns of GROUP BY, or name a PRIMARY KEY",
  );
}
