/**
 * IN (SELECT …) and EXISTS (SELECT …) of a WHERE, as joins that keep rows of the query around: semi
 * joins, and anti joins where they are negated. Each stands alone or between ANDs.
 *
 * What must hold of NOT IN: a row stays only where every comparison is FALSE. One that is NULL,
 * because either side is, counts as a match, so that the row goes.
 */

import { columnOf, filterNode, makeCalc } from "../plan/calc.ts";
import type { PlanColumn } from "../plan/plan.ts";
import type { Scalar } from "../plan/scalar.ts";
import { conjunction, moveColumns, scalarNullable } from "../plan/scalar-walk.ts";
import type { Exists, Expression, InQuery, Query } from "../syntax/ast.ts";
import { counted } from "../syntax/complaint.ts";
import { bindKey } from "./binding.ts";
import type { CheckContext } from "./context.ts";
import { bindExpression, bindingOf, compare } from "./expression.ts";
import { joinNodes, sideOf } from "./join.ts";
import { type Field, fieldsAtClose, type Relation } from "./relation.ts";
import { plainField } from "./scope.ts";

/** A conjunct of WHERE that asks a subquery. */
export interface SubqueryTest {
  readonly node: InQuery | Exists;
  readonly isNegated: boolean;
}

export interface SplitWhere {
  readonly plain: readonly Expression[];
  readonly tests: readonly SubqueryTest[];
}

/** `isValue`: the subquery stands for a value, and its test is a condition like any. */
export function splitWhere(
  where: Expression | null,
  isValue: (query: Query) => boolean,
): SplitWhere {
  if (where === null) return { plain: [], tests: [] };
  const plain: Expression[] = [];
  const tests: SubqueryTest[] = [];
  for (const each of chainOf(where)) {
    const test = testOf(each, false);
    if (test === null || isValue(test.node.query)) plain.push(each);
    else tests.push(test);
  }
  // A condition without subqueries is bound, and complained of, as it was written.
  return tests.length === 0 ? { plain: [where], tests } : { plain, tests };
}

/** A loop, since a chain may be as long as a statement. */
function chainOf(where: Expression): readonly Expression[] {
  const found: Expression[] = [];
  const open = [where];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (next.kind === "binary" && next.operator === "AND") open.push(next.right, next.left);
    else found.push(next);
  }
  return found;
}

function testOf(node: Expression, isNegated: boolean): SubqueryTest | null {
  switch (node.kind) {
    case "unary":
      return node.operator === "NOT" ? testOf(node.operand, !isNegated) : null;
    case "inQuery":
      return { node, isNegated: node.isNegated !== isNegated };
    case "exists":
      return { node, isNegated };
    default:
      return null;
  }
}

/** A subquery as it was bound, scalars over the columns outside and then its own. */
export interface BoundSubquery {
  readonly relation: Relation;
  readonly conditions: readonly Scalar[];
  readonly items: readonly Scalar[];
}

/** Where expressions of a subquery are bound: the columns outside, then its own. */
export function correlatedScope(outer: Relation, inner: Relation): Relation {
  const shown = (field: Field): Field => (field.isHidden ? { ...field, name: "" } : field);
  return {
    node: {
      ...{ kind: "values", rows: [], changes: "append", key: null },
      columns: [...outer.node.columns, ...inner.node.columns],
    },
    fields: [
      ...outer.fields.map((field): Field => ({ ...shown(field), isOuter: true })),
      ...inner.fields.map(shown),
    ],
  };
}

/** The rows outside that pass the test. */
export function joinSubquery(
  context: CheckContext,
  outer: Relation,
  { node, isNegated }: SubqueryTest,
  { relation, conditions, items }: BoundSubquery,
): Relation {
  const compared =
    node.kind === "exists" ? [] : comparisonsOf(context, outer, { node, isNegated, items });
  const width = outer.node.columns.length;
  // What asks only for the row outside is settled before, unless its failing lets the row stay.
  const isEarly = (each: Scalar) => !isNegated && sideOf(each, width) === "left";
  const early = conjunction(conditions.filter(isEarly));
  const left = early === null ? outer : { ...outer, node: filterNode(outer.node, early) };
  const inside = conjunction(compared.filter((each) => sideOf(each, width) === "right"));
  const right =
    inside === null
      ? relation
      : {
          ...relation,
          node: filterNode(
            relation.node,
            moveColumns(inside, (index) => index - width),
          ),
        };
  const rest = [
    ...compared.filter((each) => sideOf(each, width) !== "right"),
    ...conditions.filter((each) => !isEarly(each)),
  ];
  const joinType = isNegated ? "anti" : "semi";
  const join = { joinType, at: node, leftAt: node, rightAt: node.query } as const;
  const lifted = liftCompared({ left, right, conditions: rest });
  const fields = fieldsAtClose(lifted.left.fields);
  return { node: joinNodes(context, join, lifted.left, lifted.right, lifted.conditions), fields };
}

interface Sides {
  readonly left: Relation;
  readonly right: Relation;
  /** Over columns of the left side, then the right's. */
  readonly conditions: readonly Scalar[];
}

/**
 * What NOT IN compares becomes columns of its side, so that an index finds it and a row of which it
 * cannot be computed is that side's error row.
 */
function liftCompared({ left, right, conditions }: Sides): Sides {
  const width = left.node.columns.length;
  const added = { left: [] as Scalar[], right: [] as Scalar[] };
  const places: { readonly side: "left" | "right"; readonly place: number }[] = [];
  // Columns to come stand behind all there are, until both sides are known.
  const all = width + right.node.columns.length;
  const lift = (scalar: Scalar): Scalar => {
    const side = sideOf(scalar, width);
    if (scalar.kind === "column" || (side !== "left" && side !== "right")) return scalar;
    const own = moveColumns(scalar, (index) => (side === "left" ? index : index - width));
    const place = added[side].push(own) - 1;
    const index = all + places.push({ side, place }) - 1;
    return { kind: "column", index, type: scalar.type, nullable: scalarNullable(scalar) };
  };
  const compared = conditions.map((each) => {
    const [equal] = each.kind === "call" && each.name === "isNotFalse" ? each.args : [];
    if (each.kind !== "call" || equal?.kind !== "call" || equal.name !== "eq") return each;
    return { ...each, args: [{ ...equal, args: equal.args.map(lift) }] };
  });
  if (places.length === 0) return { left, right, conditions };
  const newWidth = width + added.left.length;
  const moved = (index: number): number => {
    const lifted = places[index - all];
    if (lifted?.side === "left") return width + lifted.place;
    if (lifted?.side === "right") return newWidth + right.node.columns.length + lifted.place;
    return index < width ? index : index - width + newWidth;
  };
  return {
    left: withColumns(left, added.left),
    right: withColumns(right, added.right),
    conditions: compared.map((each) => moveColumns(each, moved)),
  };
}

/** The relation with computed columns behind its own, which no name reaches. */
export function withColumns({ node, fields }: Relation, added: readonly Scalar[]): Relation {
  const own = node.columns.map((_, index) => columnOf(node, index));
  const columns = added.map((scalar): PlanColumn => {
    return { name: "$in", type: scalar.type, nullable: scalarNullable(scalar), time: null };
  });
  const hidden = added.map((): Field => ({ ...plainField(null, "$in"), isHidden: true }));
  return {
    node: makeCalc({
      input: node,
      filter: null,
      projections: [...own, ...added],
      columns: [...node.columns, ...columns],
    }),
    fields: [...fields, ...hidden],
  };
}

function comparisonsOf(
  context: CheckContext,
  outer: Relation,
  {
    node,
    isNegated,
    items,
  }: { readonly node: InQuery; readonly isNegated: boolean; readonly items: readonly Scalar[] },
): readonly Scalar[] {
  const binding = bindingOf(context, outer, "IN");
  const operands = node.operand.kind === "row" ? node.operand.items : [node.operand];
  if (operands.length !== items.length) {
    const values = counted(operands.length, "value");
    const columns = counted(items.length, "column");
    return context.fail(node.query, `IN compares ${values} with ${columns}`);
  }
  return items.map((item, index) => {
    const operand = operands[index] ?? node.operand;
    const equal = compare(binding, operand, "eq", bindExpression(binding, operand), item);
    if (!isNegated || !scalarNullable(equal)) return equal;
    return bindKey(binding, operand, "isNotFalse", [equal]);
  });
}
