/** Bounds between the event times of two inputs, read out of comparisons. */
import type { Scalar } from "../plan/scalar.ts";
import type { Relation } from "./relation.ts";

/** left time − right time is within [lowerMs, upperMs]. */
export interface TimeBounds {
  readonly leftTime: number;
  readonly rightTime: number;
  readonly leftLagMs: number;
  readonly rightLagMs: number;
  readonly lowerMs: number;
  readonly upperMs: number;
  /** Conditions that say something else. */
  readonly rest: readonly Scalar[];
}

interface Bound {
  readonly left: number;
  readonly right: number;
  readonly lowerMs: number;
  readonly upperMs: number;
}

export function timeBoundsOf(
  conditions: readonly Scalar[],
  left: Relation,
  right: Relation,
): TimeBounds | null {
  const rest: Scalar[] = [];
  const bounds: Bound[] = [];
  for (const condition of conditions) {
    const bound = boundOf(condition, left, right);
    const [first = bound] = bounds;
    const isSame = bound?.left === first?.left && bound?.right === first?.right;
    if (bound === null || !isSame) rest.push(condition);
    else bounds.push(bound);
  }
  const [first] = bounds;
  if (first === undefined) return null;
  const found: Bound = {
    ...first,
    lowerMs: Math.max(...bounds.map(({ lowerMs }) => lowerMs)),
    upperMs: Math.min(...bounds.map(({ upperMs }) => upperMs)),
  };
  if (!Number.isFinite(found.lowerMs) || !Number.isFinite(found.upperMs)) {
    return null;
  }
  return {
    leftTime: found.left,
    rightTime: found.right,
    leftLagMs: lagOf(left, found.left) ?? 0,
    rightLagMs: lagOf(right, found.right) ?? 0,
    lowerMs: found.lowerMs,
    upperMs: found.upperMs,
    rest,
  };
}

/** How far the column may lie behind the watermark when its row comes; null: no event time. */
function lagOf(relation: Relation, index: number): number | null {
  const column = relation.node.columns[index];
  const field = relation.fields[index];
  if (field?.isPast) return null;
  const role = field?.role ?? null;
  if (role === null) return column?.time === "rowtime" ? 0 : null;
  if (!role.isClosed || role.window.time === "proctime") {
    return role.part === "time" && role.window.time === "rowtime" && role.isClosed ? 0 : null;
  }
  if (role.part !== "start") return 0;
  const { spec } = role.window;
  return "sizeMs" in spec ? spec.sizeMs : null;
}

interface MovedColumn {
  readonly index: number;
  readonly offsetMs: number;
}

/** A column, or one with an interval added or taken off. */
function movedColumn(scalar: Scalar | undefined): MovedColumn | null {
  if (scalar?.kind === "column") return { index: scalar.index, offsetMs: 0 };
  if (scalar?.kind !== "call" || !/^time(Plus|Minus)$/.test(scalar.name)) return null;
  const [time, length] = scalar.args;
  const inner = movedColumn(time);
  if (inner === null || length?.kind !== "literal" || length.type.kind !== "intervalDay") {
    return null;
  }
  const lengthMs = Number(length.value) * (scalar.name === "timePlus" ? 1 : -1);
  return { index: inner.index, offsetMs: inner.offsetMs + lengthMs };
}

const mirrored: Readonly<Record<string, string>> = {
  lt: "gt",
  le: "ge",
  gt: "lt",
  ge: "le",
  eq: "eq",
};

function boundOf(condition: Scalar, left: Relation, right: Relation): Bound | null {
  if (condition.kind !== "call") return null;
  const turned = mirrored[condition.name];
  const first = movedColumn(condition.args[0]);
  const second = movedColumn(condition.args[1]);
  if (turned === undefined || first === null || second === null) return null;
  const width = left.node.columns.length;
  const isStraight = first.index < width && second.index >= width;
  if (!isStraight && !(first.index >= width && second.index < width)) return null;
  const operator = isStraight ? condition.name : turned;
  const mine = isStraight ? first : second;
  const other = isStraight ? second : first;
  const place = other.index - width;
  if (lagOf(left, mine.index) === null || lagOf(right, place) === null) return null;
  // mine + its offset ∘ other + its offset, so mine − other ∘ the difference.
  const differenceMs = other.offsetMs - mine.offsetMs;
  const base = { left: mine.index, right: place };
  const none = { lowerMs: Number.NEGATIVE_INFINITY, upperMs: Number.POSITIVE_INFINITY };
  switch (operator) {
    case "eq":
      return { ...base, lowerMs: differenceMs, upperMs: differenceMs };
    case "ge":
    case "gt":
      return { ...base, ...none, lowerMs: differenceMs + (operator === "gt" ? 1 : 0) };
    default:
      return { ...base, ...none, upperMs: differenceMs - (operator === "lt" ? 1 : 0) };
  }
}
