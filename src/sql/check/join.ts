/**
 * Joins. Conditions of ON, and for inner joins of WHERE, are sorted into what concerns one side
 * (filtered there), equal columns, windows that are the same, bounds on event time, and the rest.
 */
import { columnOf, filterNode, makeCalc } from "../plan/calc.ts";
import { mayFail } from "../plan/may-fail.ts";
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
import type { AstNode } from "../syntax/node.ts";
import type { CheckContext } from "./context.ts";
import { type Field, fieldsAtClose, type Relation } from "./relation.ts";
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
  const { node: at } = tree;
  const shape = { at, leftAt: at.left, rightAt: at.right, joinType: plainType(joinType) };
  const node = joinNodes(context, shape, left, right, both);
  const isClosed = (node.kind === "calc" ? node.input : node).kind === "windowJoin";
  const { fields } = tree.relation;
  const relation = { node, fields: isClosed ? fieldsAtClose(fields) : fields };
  const filter = conjunction(after);
  return filter === null ? relation : { ...relation, node: filterNode(node, filter) };
}

function plainType(joinType: Join["joinType"]): JoinKind["joinType"] {
  return joinType === "cross" ? "inner" : joinType;
}

/** Which columns a condition is over: those of the left side stand first. */
export function sideOf(condition: Scalar, width: number): "left" | "right" | "both" | "none" {
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

/** What is joined, and where it was written. */
export interface JoinKind {
  readonly joinType: WindowJoinNode["joinType"];
  readonly at: AstNode;
  readonly leftAt: AstNode;
  readonly rightAt: AstNode;
}

/** Conditions are over the columns of the left side, then the right's. */
export function joinNodes(
  context: CheckContext,
  join: JoinKind,
  left: Relation,
  right: Relation,
  conditions: readonly Scalar[],
): PlanNode {
  for (const [side, reference] of [
    [left, join.leftAt],
    [right, join.rightAt],
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
  const shape = { joinType: join.joinType, leftSide, rightSide, sorted, width };
  if (window === null && !hasBothSides(join.joinType)) {
    return context.refuse(
      join.at,
      "IN and EXISTS are supported over the same windows on both sides: let window_start and " +
        "window_end of the subquery equal those outside; in a SELECT that ends, also where the " +
        "subquery uses no column of the query around it",
    );
  }
  const bounds = window === null ? timeBoundsOf(sorted.rest, left, right) : null;
  if (window === null && bounds === null) {
    return context.refuse(
      join.at,
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

/** Whether rows of the result have columns of the right side too. */
function hasBothSides(joinType: JoinKind["joinType"]): boolean {
  return joinType !== "semi" && joinType !== "anti";
}

interface JoinShape {
  readonly joinType: JoinKind["joinType"];
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
  const { joinType, leftSide, rightSide, sorted, width } = shape;
  const left = withExtra(leftSide);
  const right = withExtra(rightSide);
  const moved = (index: number) => (index < width ? index : index - width + left.columns.length);
  // What may fail is asked of pairs that an inner join has found already: there it is an error of
  // the pair. Within a join nobody could go on behind it.
  const rest = (bounds?.rest ?? sorted.rest).map((each) => moveColumns(each, moved));
  const isAfter = (each: Scalar) => joinType === "inner" && mayFail(each);
  const residual = conjunction(rest.filter((each) => !isAfter(each)));
  const filter = conjunction(rest.filter(isAfter));
  const rightColumns = hasBothSides(joinType) ? right.columns : [];
  const columns = [
    ...left.columns.map((c) => optional(c, joinType === "right" || joinType === "full")),
    ...rightColumns.map((c) => optional(c, joinType === "left" || joinType === "full")),
  ];
  const changes = { changes: "append", key: null } as const;
  const base = { left, right, equalities: sorted.equalities, residual, columns, ...changes };
  const node = joinNode(joinType, base, window, bounds);
  if (filter === null && leftSide.extra.length + rightSide.extra.length === 0) return node;
  const shown = hasBothSides(joinType) ? rightSide.node.columns : [];
  const kept = [...Array(width).keys(), ...shown.map((_, i) => width + i)];
  const projections = kept.map((index) => columnOf(node, moved(index)));
  return makeCalc({
    input: node,
    filter,
    projections,
    columns: kept.map((index) => node.columns[moved(index)] as PlanColumn),
  });
}

function joinNode(
  joinType: JoinKind["joinType"],
  base: Omit<WindowJoinNode, "kind" | "joinType" | "leftWindow" | "rightWindow" | "windowTime">,
  window: WindowPair | null,
  bounds: TimeBounds | null,
): WindowJoinNode | IntervalJoinNode {
  if (window !== null) {
    const places = { leftWindow: window.left, rightWindow: window.right };
    return { kind: "windowJoin", joinType, ...base, ...places, windowTime: window.time };
  }
  if (bounds === null || joinType === "semi" || joinType === "anti") {
    throw new RangeError("An interval join has bounds");
  }
  const { rest: _, ...interval } = bounds;
  return { kind: "intervalJoin", joinType, ...base, ...interval };
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
