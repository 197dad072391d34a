/**
 * What WHERE says of the place and time of records, for reads that end: what lies outside is not
 * fetched at all. WHERE itself is still evaluated, so a bound that is not found here, or is too
 * wide, costs bytes and changes nothing.
 *
 * Only where rows alone matter: windows and joins over time look at the watermark, which rows move
 * that WHERE leaves out.
 */
import { inputsOf } from "../sql/plan/inputs-of.ts";
import type { PlanNode, QueryPlan, SourceNode } from "../sql/plan/plan.ts";
import type { Scalar } from "../sql/plan/scalar.ts";

export interface ScanBounds {
  /** Null: any. */
  readonly partition: number | null;
  /** Offsets from here on … */
  readonly offsetFrom: number;
  /** … and below this one. */
  readonly offsetTo: number;
  /** Records are not older, milliseconds since 1970. */
  readonly timestampFrom: number;
  /** … nor younger. */
  readonly timestampTo: number;
}

const everything: ScanBounds = {
  ...{ partition: null, offsetFrom: 0, offsetTo: Number.POSITIVE_INFINITY },
  timestampFrom: Number.NEGATIVE_INFINITY,
  timestampTo: Number.POSITIVE_INFINITY,
};

const timeless: ReadonlySet<PlanNode["kind"]> = new Set([
  ...(["source", "values", "calc", "groupAggregate", "sort", "union"] as const),
]);

/** Bounds by topic; none for a topic that is read as a whole. */
export function scanBoundsOf({ root, timeZone }: QueryPlan): ReadonlyMap<string, ScanBounds> {
  const found = new Map<string, ScanBounds | null>();
  const isTimeless = (node: PlanNode): boolean =>
    timeless.has(node.kind) && inputsOf(node).every(isTimeless);
  if (!isTimeless(root)) return new Map();
  const visit = (node: PlanNode, filter: Scalar | null) => {
    if (node.kind !== "source") {
      const below = node.kind === "calc" ? node.filter : null;
      for (const input of inputsOf(node)) visit(input, below);
      return;
    }
    // What one reader of a topic leaves out, another may want.
    const isShared = found.has(node.topic);
    found.set(node.topic, isShared || filter === null ? null : boundsOf(node, filter, timeZone));
  };
  visit(root, null);
  return new Map([...found].flatMap(([topic, each]) => (each === null ? [] : [[topic, each]])));
}

function boundsOf(source: SourceNode, filter: Scalar, timeZone: string): ScanBounds {
  if (filter.kind !== "call") return everything;
  if (filter.name === "and") {
    return filter.args.map((each) => boundsOf(source, each, timeZone)).reduce(both, everything);
  }
  const [left, right] = filter.args;
  if (left === undefined || right === undefined) return everything;
  const isTurned = left.kind !== "column";
  const column = isTurned ? right : left;
  const value = numberOf(isTurned ? left : right, timeZone);
  const name = isTurned ? (turned[filter.name] ?? "") : filter.name;
  if (column.kind !== "column" || value === null) return everything;
  const origin = source.origins[column.index];
  if (origin?.from !== "metadata") return everything;
  return boundOf(origin.field, name, value);
}

const turned: Readonly<Record<string, string>> = {
  ...{ eq: "eq", lt: "gt", le: "ge", gt: "lt", ge: "le" },
};

function boundOf(field: string, comparison: string, value: number): ScanBounds {
  const isFrom = comparison === "ge" || comparison === "gt" || comparison === "eq";
  const isTo = comparison === "le" || comparison === "lt" || comparison === "eq";
  switch (field) {
    case "partition":
      return comparison === "eq" ? { ...everything, partition: value } : everything;
    case "offset":
      return {
        ...everything,
        ...(isFrom && { offsetFrom: comparison === "gt" ? value + 1 : value }),
        ...(isTo && { offsetTo: comparison === "lt" ? value : value + 1 }),
      };
    case "timestamp":
      return {
        ...everything,
        ...(isFrom && { timestampFrom: value }),
        ...(isTo && { timestampTo: value }),
      };
    default:
      return everything;
  }
}

function both(a: ScanBounds, b: ScanBounds): ScanBounds {
  const isNowhere = a.partition !== null && b.partition !== null && a.partition !== b.partition;
  return {
    partition: a.partition ?? b.partition,
    offsetFrom: Math.max(a.offsetFrom, b.offsetFrom),
    offsetTo: isNowhere ? 0 : Math.min(a.offsetTo, b.offsetTo),
    timestampFrom: Math.max(a.timestampFrom, b.timestampFrom),
    timestampTo: Math.min(a.timestampTo, b.timestampTo),
  };
}

/** A number, or an instant in milliseconds, that can be told without evaluating anything. */
function numberOf(scalar: Scalar, timeZone: string): number | null {
  switch (scalar.kind) {
    case "literal":
      return typeof scalar.value === "bigint" ? Number(scalar.value) : null;
    case "cast": {
      const { input, type } = scalar;
      const isInstant = type.kind === "timestampLtz" && input.type.kind === "timestamp";
      if (input.kind !== "literal" || !isInstant || timeZone !== "UTC") return null;
      return numberOf(input, timeZone);
    }
    case "call": {
      const [value, unit] = scalar.args;
      if (scalar.name !== "to_timestamp_ltz" || value?.kind !== "literal") return null;
      if (unit?.kind !== "literal" || unit.value !== 3n) return null;
      return numberOf(value, timeZone);
    }
    default:
      return null;
  }
}
