/**
 * Finds interval joins of a stream with the greatest or least value of that same stream by tumbling
 * window, where the two are to be equal (Nexmark q7). Of such a stream only rows that are their
 * window's best so far need be kept.
 *
 * What must hold, so that every row of the stream, unless it is late, is one that the aggregate
 * counts: both read the same node through the same filter, and on the aggregate's way nothing is
 * computed that could fail.
 */
import type { CalcNode, IntervalJoinNode, PlanNode, WindowAggregateNode } from "./plan.ts";
import { planToText } from "./plan-text.ts";
import { scalarKey } from "./scalar-walk.ts";

export interface ExtremeJoin {
  /** Which side of the join is the stream. */
  readonly stream: "left" | "right";
  /** Its columns of the event time, and of the value that is compared. */
  readonly timeColumn: number;
  readonly valueColumn: number;
  readonly extreme: "min" | "max";
  readonly sizeMs: number;
  readonly offsetMs: number;
  /** A row of time t meets windows that end in [t + fromMs, t + toMs]. */
  readonly fromMs: number;
  readonly toMs: number;
}

/** Null where the join is none of those. */
export function extremeJoinOf(node: IntervalJoinNode): ExtremeJoin | null {
  if (node.joinType !== "inner") return null;
  const { left, right, leftTime, rightTime, lowerMs, upperMs, equalities } = node;
  return (
    extremeOf({
      ...{ node: left, time: leftTime, name: "left" },
      ...{ other: right, otherTime: rightTime, earliestMs: -upperMs, latestMs: -lowerMs },
      equal: equalities.map((each) => ({ own: each.left, other: each.right })),
    }) ??
    extremeOf({
      ...{ node: right, time: rightTime, name: "right" },
      ...{ other: left, otherTime: leftTime, earliestMs: lowerMs, latestMs: upperMs },
      equal: equalities.map((each) => ({ own: each.right, other: each.left })),
    })
  );
}

interface Sides {
  readonly node: PlanNode;
  readonly time: number;
  readonly name: ExtremeJoin["stream"];
  readonly other: PlanNode;
  readonly otherTime: number;
  /** The other side's time lies within these of the stream's. */
  readonly earliestMs: number;
  readonly latestMs: number;
  readonly equal: readonly { readonly own: number; readonly other: number }[];
}

function extremeOf(sides: Sides): ExtremeJoin | null {
  const { node, time, name, other, otherTime, earliestMs, latestMs, equal } = sides;
  const aggregate = other.kind === "calc" ? other.input : other;
  if (aggregate.kind !== "windowAggregate" || !isPlainTumble(aggregate)) return null;
  const { spec, timeColumn } = aggregate.window;
  if (spec.kind !== "tumble") return null;
  const lagMs = endLagMs(aggregate, placeBelow(other, otherTime), spec.sizeMs);
  if (lagMs === null || !readsTheSame(node, aggregate.input)) return null;
  if (placeBelow(node, time) !== placeBelow(aggregate.input, timeColumn)) return null;
  for (const { own, other: compared } of equal) {
    const accumulator = aggregate.accumulators[placeBelow(other, compared) ?? -1];
    if (accumulator === undefined || accumulator.column === null) continue;
    const { kind, column, filter } = accumulator;
    if ((kind !== "min" && kind !== "max") || filter !== null) continue;
    const place = placeBelow(node, own);
    if (place === null || place !== placeBelow(aggregate.input, column)) continue;
    return {
      ...{ stream: name, timeColumn: time, valueColumn: own, extreme: kind },
      ...{ sizeMs: spec.sizeMs, offsetMs: spec.offsetMs },
      ...{ fromMs: earliestMs + lagMs, toMs: latestMs + lagMs },
    };
  }
  return null;
}

/** One row per window, once, when event time closes it. */
function isPlainTumble({ keys, window, emit, allowedLatenessMs }: WindowAggregateNode): boolean {
  const { spec, time, timeZone } = window;
  const isTimed = spec.kind === "tumble" && time === "rowtime" && timeZone === null;
  return isTimed && keys.length === 0 && emit.mode === "final" && allowedLatenessMs === 0;
}

/** How far the window's end lies behind the column: start, end or time of the window. */
function endLagMs(
  { accumulators }: WindowAggregateNode,
  place: number | null,
  sizeMs: number,
): number | null {
  if (place === null) return null;
  return [sizeMs, 0, 1][place - accumulators.length] ?? null;
}

/** Whether all rows of one that do not fail are rows of the other, which computes nothing. */
export function readsTheSame(stream: PlanNode, counted: PlanNode): boolean {
  const [above, below] = [calcOf(stream), calcOf(counted)];
  if (planToText(above?.input ?? stream) !== planToText(below?.input ?? counted)) return false;
  if (below === null) return true;
  const isPlain = below.projections.every(({ kind }) => kind === "column" || kind === "literal");
  if (!isPlain) return false;
  if (below.filter === null) return true;
  const filter = above?.filter ?? null;
  return filter !== null && scalarKey(filter) === scalarKey(below.filter);
}

export function calcOf(node: PlanNode): CalcNode | null {
  return node.kind === "calc" ? node : null;
}

/** The column below a Calc that a column of it is; null where it is computed. */
export function placeBelow(node: PlanNode, column: number): number | null {
  if (node.kind !== "calc") return column;
  const scalar = node.projections[column];
  return scalar?.kind === "column" ? scalar.index : null;
}
