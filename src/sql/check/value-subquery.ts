/** Subqueries that stand for values: what they may be, and what their answers become. */
import type { QueryPlan } from "../plan/plan.ts";
import type { Scalar } from "../plan/scalar.ts";
import type { Exists, InQuery, Query, ScalarSubquery } from "../syntax/ast.ts";
import { SqlError } from "../syntax/sql-error.ts";
import { booleanType } from "../types/show-type.ts";
import { type Binding, bindKey } from "./binding.ts";
import type { CheckContext } from "./context.ts";
import { literal } from "./literals.ts";
import type { Relation } from "./relation.ts";

type Subquery = InQuery | Exists | ScalarSubquery;

const windowed =
  "IN and EXISTS, alone or between ANDs of WHERE, over the same windows on both sides";

/** @throws SqlError, which names what is supported instead. */
export function bindValueSubquery(binding: Binding, node: Subquery): Scalar {
  const { context, place, relation } = binding;
  const { subqueries } = context.options;
  if (subqueries === undefined) {
    const problem = `a query that goes on takes no subquery in ${place}, whose result would change`;
    return context.refuse(node, `${problem}: it takes ${windowed}`);
  }
  const plan = () => {
    const found = planAlone(context, node.query, relation);
    if (found !== null) return found;
    const problem = "a subquery that uses columns of the query around it is not supported here";
    return context.refuse(node, `${problem}: it stands on its own, or is ${windowed}`);
  };
  if (node.kind === "exists") return only(subqueries.scalarsOf(node.query, "exists", plan));
  const oneColumn = () => {
    const planned = plan();
    const { length } = planned.root.columns;
    if (length === 1) return planned;
    const problem = `this subquery gives ${length} columns where one is compared`;
    return context.refuse(node.query, problem);
  };
  if (node.kind === "subquery") {
    return only(subqueries.scalarsOf(node.query, "value", oneColumn));
  }
  if (node.operand.kind === "row") {
    const problem = "IN (SELECT …) compares one column: rows of several are not supported yet";
    return context.refuse(node.operand, problem);
  }
  const items = subqueries.scalarsOf(node.query, "list", oneColumn);
  return bindIn(binding, node, items);
}

function bindIn(binding: Binding, node: InQuery, items: readonly Scalar[]): Scalar {
  const value = binding.bind(node.operand);
  // Not even NULL is in a list of nothing.
  if (items.length === 0) return literal(node.isNegated ? 1n : 0n, booleanType);
  const test = bindKey(binding, node, "in", [value, ...items], [node.operand]);
  return node.isNegated ? bindKey(binding, node, "not", [test]) : test;
}

function only([scalar]: readonly Scalar[]): Scalar {
  return scalar ?? literal(null, { kind: "null" });
}

/** Whether the subquery needs nothing of the query around it, in a statement that takes such. */
export function standsAlone(context: CheckContext, query: Query, outer: Relation): boolean {
  if (context.options.subqueries === undefined) return false;
  return planAlone(context, query, outer) !== null;
}

/** Null where it names what only the query around it has. */
function planAlone(context: CheckContext, query: Query, outer: Relation): QueryPlan | null {
  try {
    return context.options.planAlone?.(context, query) ?? null;
  } catch (error) {
    if (!(error instanceof SqlError)) throw error;
    const word = context.text.slice(error.at.start, error.at.end).replace(/^[`"]|[`"]$/g, "");
    const isOuter = outer.fields.some(({ name, table }) => name === word || table === word);
    if (error.code === "sql_invalid" && isOuter) return null;
    throw error;
  }
}
