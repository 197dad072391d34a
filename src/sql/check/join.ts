/**
 * Joins. Conditions of ON, and for inner joins of WHERE, are sorted into what concerns one side
 * (filtered there), equal columns, windows that are the same, bounds on event time, and the rest.
 */
import { columnOf, filterNode, makeCalc } from "../plan/calc.ts";
import type {
  ClosingTime,
  IntervalJoinNode,
  PlanColumn,
  PlanNode,
  WindowJoinNode,
} from "../plan/plan.ts";
import type { Scalar } from "../plan/scalar.ts";
import {
  columnsOf,
  conjunction,
  conjunctsOf,
  moveColumns,
  scalarNullable,
} from "../plan/scalar-walk.ts";
import type { Join } from "../syntax/ast.ts";
import type { CheckContext } from "./context.ts";
import type { Field, Relation } from "./relation.ts";
import { type TimeBounds, timeBoundsOf } from "./time-bounds.ts";
import { windowKey } from "./window-function.ts";

export type FromTree =
  | { readonly kind: "leaf"; readonly relation: Relation }
  | {
      readonly kind: "join";
      readonly node: Join;
      readonly left: FromTree;
      readonly right: FromTree;
      readonly relation: Relation;
      /** ON, over the relation's columns. */
      readonly on: readonly Scalar[];
    };

/** The columns of both sides, as a place to bind conditions in. */
export function joinedRelation(
  left: Relation,
  right: Relation,
  joinType: Join["joinType"],
): Relation {
  const columns = [
    ...left.node.columns.map((c) => optional(c, joinType === "right" || joinType === "full")),
    ...right.node.columns.map((c) => optional(c, joinType === "left" || joinType === "full")),
  ];
  const shown = (field: Field): Field => (field.isHidden ? { ...field, name: "" } : field);
  return {
    node: { kind: "values", rows: [], columns, changes: "append", key: null },
    fields: [...left.fields, ...right.fields].map(shown),
  };
}

function optional(column: PlanColumn, isOptional: boolean): PlanColumn {
  return isOptional ? { ...column, nullable: true, time: null } : column;
}

export function planFrom(
  context: CheckContext,
  tree: FromTree,
  conditions: readonly Scalar[],
): Relation {
  if (tree.kind === "leaf") {
    const filter = conjunction(conditions);
    return filter === null
      ? tree.relation
      : { ...tree.relation, node: filterNode(tree.relation.node, filter) };
  }
  const width = tree.left.relation.node.columns.length;
  const { joinType } = tree.node;
  const isInner = joinType === "inner" || joinType === "cross";
  const all = isInner ? [...tree.on, ...conditions] : tree.on;
  const leftOnly: Scalar[] = [];
  const rightOnly: Scalar[] = [];
  const both: Scalar[] = [];
  for (const condition of all) {
    const side = sideOf(condition, width);
    if (side === "left" && (isInner || joinType === "right")) leftOnly.push(condition);
    else if (side === "right" && (isInner || joinType === "left")) {
      rightOnly.push(moveColumns(condition, (index) => index - width));
    } else both.push(condition);
  }
  // Of an outer join, conditions of WHERE on the side that is kept whole may come before it.
  const after: Scalar[] = [];
  for (const condition of isInner ? [] : conditions) {
    const side = sideOf(condition, width);
    if (side === "left" && joinType === "left") leftOnly.push(condition);
    else if (side === "right" && joinType === "right") {
      rightOnly.push(moveColumns(condition, (index) => index - width));
    } else after.push(condition);
  }
  const left = planFrom(context, tree.left, leftOnly);
  const right = planFrom(context, tree.right, rightOnly);
  const node = joinNodes(context, tree.node, left, right, both);
  const relation = { node, fields: tree.relation.fields };
  const filter = conjunction(after);
  return filter === null ? relation : { ...relation, node: filterNode(node, filter) };
}

function sideOf(condition: Scalar, width: number): "left" | "right" | "both" | "none" {
  const columns = [...columnsOf(condition)];
  if (columns.length === 0) return "none";
  if (columns.every((index) => index < width)) return "left";
  return columns.every((index) => index >= width) ? "right" : "both";
}

interface Side {
  node: PlanNode;
  readonly fields: readonly Field[];
  readonly extra: Scalar[];
}

interface SortedConditions {
  readonly equalities: { readonly left: number; readonly right: number }[];
  readonly rest: Scalar[];
}

function joinNodes(
  context: CheckContext,
  join: Join,
  left: Relation,
  right: Relation,
  conditions: readonly Scalar[],
): PlanNode {
  for (const [side, reference] of [
    [left, join.left],
    [right, join.right],
  ] as const) {
    if (side.node.changes === "update") {
      context.refuse(reference, "a join over updating rows is not supported yet");
    }
  }
  const width = left.node.columns.length;
  const leftSide: Side = { node: left.node, fields: left.fields, extra: [] };
  const rightSide: Side = { node: right.node, fields: right.fields, extra: [] };
  const sorted = sortConditions(conditions, width, leftSide, rightSide);
  const window = takeWindow(sorted, left, right);
  const shape = { context, join, leftSide, rightSide, sorted, width };
  const bounds = window === null ? timeBoundsOf(sorted.rest, left, right) : null;
  if (window === null && bounds === null) {
    return context.refuse(
      join,
      "joins without a bound are not supported yet: let window_start and window_end be equal on both sides, or bound the event times (a.ts BETWEEN b.ts - INTERVAL … AND b.ts)",
    );
  }
  return finishJoin(shape, window, bounds);
}

/** Sides of an equality that are no plain columns become columns of their side. */
function sortConditions(
  conditions: readonly Scalar[],
  width: number,
  left: Side,
  right: Side,
): SortedConditions {
  const equalities: { left: number; right: number }[] = [];
  const rest: Scalar[] = [];
  for (const condition of conditions.flatMap(conjunctsOf)) {
    const [first, second] =
      condition.kind === "call" && condition.name === "eq" ? condition.args : [];
    if (first === undefined || second === undefined) {
      rest.push(condition);
      continue;
    }
    const sides = [sideOf(first, width), sideOf(second, width)].join();
    if (sides === "left,right") {
      equalities.push({ left: placeOn(left, first, 0), right: placeOn(right, second, width) });
    } else if (sides === "right,left") {
      equalities.push({ left: placeOn(left, second, 0), right: placeOn(right, first, width) });
    } else rest.push(condition);
  }
  return { equalities, rest };
}

function placeOn(side: Side, scalar: Scalar, shift: number): number {
  if (scalar.kind === "column") return scalar.index - shift;
  side.extra.push(moveColumns(scalar, (index) => index - shift));
  return side.node.columns.length + side.extra.length - 1;
}

interface WindowPair {
  readonly left: readonly [number, number];
  readonly right: readonly [number, number];
  readonly time: ClosingTime;
}

/** Takes out the equalities of both window bounds, where both sides have the same windows. */
function takeWindow(sorted: SortedConditions, left: Relation, right: Relation): WindowPair | null {
  const found = (part: "start" | "end") =>
    sorted.equalities.find((pair) => {
      const first = left.fields[pair.left]?.role;
      const second = right.fields[pair.right]?.role;
      return (
        first?.part === part &&
        second?.part === part &&
        windowKey(first.window) === windowKey(second.window)
      );
    });
  const start = found("start");
  const end = found("end");
  const window = left.fields[start?.left ?? -1]?.role?.window;
  if (start === undefined || end === undefined || window === undefined) return null;
  const kept = sorted.equalities.filter((pair) => pair !== start && pair !== end);
  sorted.equalities.splice(0, sorted.equalities.length, ...kept);
  return {
    left: [start.left, end.left],
    right: [start.right, end.right],
    time: { time: window.time, timeZone: window.timeZone },
  };
}

interface JoinShape {
  readonly context: CheckContext;
  readonly join: Join;
  readonly leftSide: Side;
  readonly rightSide: Side;
  readonly sorted: SortedConditions;
  readonly width: number;
}

function finishJoin(
  shape: JoinShape,
  window: WindowPair | null,
  bounds: TimeBounds | null,
): PlanNode {
  const { join, leftSide, rightSide, sorted, width } = shape;
  const left = withExtra(leftSide);
  const right = withExtra(rightSide);
  const moved = (index: number) => (index < width ? index : index - width + left.columns.length);
  const residual = conjunction(
    (bounds?.rest ?? sorted.rest).map((each) => moveColumns(each, moved)),
  );
  const joinType = join.joinType === "cross" ? "inner" : join.joinType;
  const columns = [
    ...left.columns.map((c) => optional(c, joinType === "right" || joinType === "full")),
    ...right.columns.map((c) => optional(c, joinType === "left" || joinType === "full")),
  ];
  const base = {
    left,
    right,
    joinType,
    equalities: sorted.equalities,
    residual,
    columns,
    changes: "append",
    key: null,
  } as const;
  const node: WindowJoinNode | IntervalJoinNode =
    window !== null
      ? {
          ...{ kind: "windowJoin", ...base },
          ...{ leftWindow: window.left, rightWindow: window.right, windowTime: window.time },
        }
      : { kind: "intervalJoin", ...base, ...intervalOf(bounds) };
  if (leftSide.extra.length + rightSide.extra.length === 0) return node;
  const kept = [...Array(width).keys(), ...rightSide.node.columns.map((_, i) => width + i)];
  const projections = kept.map((index) => columnOf(node, moved(index)));
  return makeCalc({
    input: node,
    filter: null,
    projections,
    columns: kept.map((index) => node.columns[moved(index)] as PlanColumn),
  });
}

function intervalOf(bounds: TimeBounds | null) {
  if (bounds === null) throw new RangeError("An interval join has bounds");
  const { rest: _, ...interval } = bounds;
  return interval;
}

function withExtra(side: Side): PlanNode {
  if (side.extra.length === 0) return side.node;
  const kept = side.node.columns.map((_, index) => columnOf(side.node, index));
  const added = side.extra.map(
    (scalar, index): PlanColumn => ({
      name: `$${index}`,
      type: scalar.type,
      nullable: scalarNullable(scalar),
      time: null,
    }),
  );
  return makeCalc({
    input: side.node,
    filter: null,
    projections: [...kept, ...side.extra],
    columns: [...side.node.columns, ...added],
  });
}
