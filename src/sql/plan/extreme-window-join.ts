/**
 * Finds window joins of the rows of an aggregate with the greatest or least of one of its values in
 * the same window (Nexmark q5). Of the rows only those that no other row of their window beats need
 * be kept, ties among them.
 */
import { calcOf, placeBelow, readsTheSame } from "./extreme-join.ts";
import type { PlanNode, WindowAggregateNode, WindowJoinNode } from "./plan.ts";
import type { Scalar } from "./scalar.ts";

export interface ExtremeWindowJoin {
  /** Which side of the join has the rows. */
  readonly stream: "left" | "right";
  /** Its columns of the window's end, and of the value that is compared. */
  readonly endColumn: number;
  readonly valueColumn: number;
  readonly extreme: "min" | "max";
}

/** Null where the join is none of those. */
export function extremeWindowJoinOf(node: WindowJoinNode): ExtremeWindowJoin | null {
  if (node.joinType !== "inner") return null;
  const comparison = comparisonOf(node);
  if (comparison === null) return null;
  const { left, right, leftWindow, rightWindow } = node;
  const [leftSide, rightSide] = [
    { node: left, window: leftWindow, value: comparison.left },
    { node: right, window: rightWindow, value: comparison.right },
  ];
  // Rows that are not below the greatest are left.value >= right.value, where the left has them.
  if (comparison.order !== "atMost") {
    const found =
      extremeOf({ rows: leftSide, summary: rightSide, extreme: "max", stream: "left" }) ??
      extremeOf({ rows: rightSide, summary: leftSide, extreme: "min", stream: "right" });
    if (found !== null || comparison.order === "atLeast") return found;
  }
  return (
    extremeOf({ rows: leftSide, summary: rightSide, extreme: "min", stream: "left" }) ??
    extremeOf({ rows: rightSide, summary: leftSide, extreme: "max", stream: "right" })
  );
}

interface Comparison {
  readonly left: number;
  readonly right: number;
  /** What the left value is of the right one. */
  readonly order: "equal" | "atLeast" | "atMost";
}

/** The only condition of the join: another could fail for a row that is not kept. */
function comparisonOf({ equalities, residual, left }: WindowJoinNode): Comparison | null {
  const [equality, ...others] = equalities;
  if (residual === null) {
    if (equality === undefined || others.length > 0) return null;
    return { ...equality, order: "equal" };
  }
  if (equality !== undefined || residual.kind !== "call") return null;
  const order = orders.get(residual.name);
  const [first, second] = residual.args.map(columnOf);
  if (order === undefined || first == null || second == null) return null;
  const width = left.columns.length;
  if (first < width && second >= width) return { left: first, right: second - width, order };
  if (second >= width || first < width) return null;
  return { left: second, right: first - width, order: turned[order] };
}

const orders: ReadonlyMap<string, Comparison["order"]> = new Map([
  ["eq", "equal"],
  ["ge", "atLeast"],
  ["le", "atMost"],
]);

const turned = { equal: "equal", atLeast: "atMost", atMost: "atLeast" } as const;

function columnOf(scalar: Scalar): number | null {
  return scalar.kind === "column" ? scalar.index : null;
}

interface JoinSide {
  readonly node: PlanNode;
  readonly window: readonly [start: number, end: number];
  readonly value: number;
}

function extremeOf(join: {
  readonly rows: JoinSide;
  readonly summary: JoinSide;
  readonly extreme: "min" | "max";
  readonly stream: ExtremeWindowJoin["stream"];
}): ExtremeWindowJoin | null {
  const { rows, summary, extreme, stream } = join;
  const aggregate = calcOf(summary.node)?.input ?? summary.node;
  if (aggregate.kind !== "windowAggregate" || !isGlobal(aggregate)) return null;
  const { spec } = aggregate.window;
  if (spec.kind !== "assigned" || !readsTheSame(rows.node, aggregate.input)) return null;
  if (!hasWindowsByEnd(calcOf(rows.node)?.input ?? rows.node)) return null;
  const { accumulators, input } = aggregate;
  const starts = accumulators.length;
  const isSummaryWindow =
    placeBelow(summary.node, summary.window[0]) === starts &&
    placeBelow(summary.node, summary.window[1]) === starts + 1;
  const isRowsWindow =
    isSamePlace(rows.node, rows.window[0], input, spec.startColumn) &&
    isSamePlace(rows.node, rows.window[1], input, spec.endColumn);
  if (!isSummaryWindow || !isRowsWindow) return null;
  const accumulator = accumulators[placeBelow(summary.node, summary.value) ?? -1];
  if (accumulator === undefined || accumulator.column === null) return null;
  if (accumulator.kind !== extreme || accumulator.filter !== null) return null;
  if (!isSamePlace(rows.node, rows.value, input, accumulator.column)) return null;
  return { stream, extreme, endColumn: rows.window[1], valueColumn: rows.value };
}

/** One row per window, once. */
function isGlobal({ keys, emit, allowedLatenessMs }: WindowAggregateNode): boolean {
  return keys.length === 0 && emit.mode === "final" && allowedLatenessMs === 0;
}

/** Whether two windows that end together begin together. */
function hasWindowsByEnd(node: PlanNode): boolean {
  if (node.kind !== "windowAggregate" || node.emit.mode !== "final") return false;
  const { kind } = node.window.spec;
  return node.allowedLatenessMs === 0 && kind !== "session" && kind !== "assigned";
}

/** Whether both are the same column, uncomputed, of what the two nodes read. */
function isSamePlace(node: PlanNode, column: number, other: PlanNode, place: number): boolean {
  const below = placeBelow(node, column);
  return below !== null && below === placeBelow(other, place);
}
