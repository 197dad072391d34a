/** INSERT INTO: the query's columns brought to those of the target. */

import { columnOf, makeCalc } from "../plan/calc.ts";
import type { PlanColumn, PlanNode, QueryPlan } from "../plan/plan.ts";
import type { Scalar } from "../plan/scalar.ts";
import { counted } from "../syntax/complaint.ts";
import type { AstNode } from "../syntax/node.ts";
import type { Insert } from "../syntax/statement.ts";
import { isAssignable } from "../types/common-type.ts";
import { showType } from "../types/show-type.ts";
import { coerceTo } from "./binding.ts";
import type { StreamColumn, StreamEntry } from "./catalog.ts";
import { CheckContext, type CheckOptions } from "./context.ts";
import { literal } from "./literals.ts";
import { boundQuery, planOf } from "./plan-query.ts";

export interface InsertPlan {
  /** Its columns are those of the target that a record has, in their order. */
  readonly plan: QueryPlan;
  readonly target: StreamEntry;
}

export function planInsert(insert: Insert, text: string, options: CheckOptions): InsertPlan {
  const context = new CheckContext(text, options);
  const target = targetOf(context, insert);
  const { node, fields } = boundQuery(context, insert.query);
  const writable = target.columns.filter(isWritable);
  const named = insert.columns.length === 0 ? writable : namedColumns(context, insert, writable);
  if (named.length !== fields.length) {
    const wanted = `"${target.name}" wants ${counted(named.length, "column")}`;
    const problem = `${wanted}, the query has ${fields.length}`;
    return context.fail(insert.query, problem);
  }
  const at: AstNode = insert.query;
  const projections = writable.map((column): Scalar => {
    const place = named.indexOf(column);
    if (place < 0) return missing(context, insert, column);
    return assigned(context, at, columnOf(node, place), column, place);
  });
  const columns = writable.map(
    ({ name, type, nullable }): PlanColumn => ({ name, type, nullable, time: null }),
  );
  if (node.changes === "update" && target.primaryKey.length === 0) {
    const problem = `the query updates its rows: "${target.name}" needs a PRIMARY KEY to take that`;
    return context.fail(insert.target, problem);
  }
  if (node.changes === "update") refuseSharedKeys(context, insert, { node, named, target });
  const root = makeCalc({ input: node, filter: null, projections, columns });
  return { plan: planOf(context, root), target };
}

/** Rows that share a key would take each other back. */
function refuseSharedKeys(
  context: CheckContext,
  insert: Insert,
  parts: {
    readonly node: PlanNode;
    readonly named: readonly StreamColumn[];
    readonly target: StreamEntry;
  },
): void {
  const { node, named, target } = parts;
  const problem = "the query updates its rows, and nothing tells them apart";
  if (node.key === null)
    context.fail(insert.query, `${problem}: select the columns of GROUP BY too`);
  const stray = node.key.map((index) => named[index]?.name ?? "");
  const missing = stray.find((name) => !target.primaryKey.includes(name));
  if (missing === undefined) return;
  context.fail(
    insert.target,
    `rows of the query are told apart by "${missing}", which is not in the PRIMARY KEY of ` +
      `"${target.name}"`,
  );
}

function isWritable({ from }: StreamColumn): boolean {
  return from.kind === "value" || (from.kind === "metadata" && !from.isVirtual);
}

function targetOf(context: CheckContext, insert: Insert): StreamEntry {
  const name = insert.target.parts.map(({ text }) => text).join(".");
  const { catalog } = context.options;
  const entry = catalog.lookup(name);
  if (entry === undefined) {
    const problem = `there is no stream or table "${name}"`;
    return context.failUnknown(insert.target, problem, name, catalog.names());
  }
  if (entry.kind === "view" || entry.kind === "materialized view") {
    return context.fail(
      insert.target,
      `"${name}" is a ${entry.kind}: its query alone writes to it`,
    );
  }
  return entry;
}

function namedColumns(
  context: CheckContext,
  insert: Insert,
  writable: readonly StreamColumn[],
): readonly StreamColumn[] {
  const seen = new Set<string>();
  return insert.columns.map((part) => {
    const column = writable.find(({ name }) => name === part.text);
    if (column === undefined) {
      const known = writable.map(({ name }) => name);
      return context.failUnknown(
        part,
        `there is no column "${part.text}" to write`,
        part.text,
        known,
      );
    }
    if (seen.has(part.text)) return context.fail(part, `column "${part.text}" is there twice`);
    seen.add(part.text);
    return column;
  });
}

function missing(context: CheckContext, insert: Insert, column: StreamColumn): Scalar {
  if (column.nullable) return literal(null, column.type);
  return context.fail(insert.target, `column "${column.name}" is NOT NULL: it needs a value`);
}

function assigned(
  context: CheckContext,
  at: AstNode,
  scalar: Scalar,
  column: StreamColumn,
  place: number,
): Scalar {
  if (!isAssignable(scalar.type, column.type)) {
    const given = `column ${place + 1} is a ${showType(scalar.type)}`;
    const wanted = `"${column.name}" ${showType(column.type)}`;
    const problem = `${given}, which does not go into ${wanted}: CAST it`;
    return context.fail(at, problem);
  }
  return coerceTo(context, at, scalar, column.type);
}
