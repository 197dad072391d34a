/**
 * ROW_NUMBER() OVER (PARTITION BY window_start, window_end, … ORDER BY …): window Top-N and
 * deduplication. The query around it says how many ranks are kept.
 */
import { columnOf, makeCalc } from "../plan/calc.ts";
import type { PlanColumn, SortKey, WindowOf, WindowRankNode } from "../plan/plan.ts";
import type { Scalar } from "../plan/scalar.ts";
import { scalarKey, scalarNullable } from "../plan/scalar-walk.ts";
import type { Call, OverWindow, Select } from "../syntax/ast.ts";
import type { AstNode } from "../syntax/node.ts";
import { isComparable } from "../types/common-type.ts";
import { bigintType, showType } from "../types/show-type.ts";
import type { CheckContext } from "./context.ts";
import { bindExpression, bindingOf } from "./expression.ts";
import { fieldsAtClose, type Relation } from "./relation.ts";
import { plainField } from "./scope.ts";

/** The input with the rank as its last column. */
export function rankRows(
  context: CheckContext,
  select: Select,
  input: Relation,
  call: Call,
): Relation {
  const over = windowOf(context, select, call);
  if (over.frame !== null) return context.fail(over.frame, "ROW_NUMBER takes no frame");
  if (input.node.changes === "update") {
    return context.refuse(call, "ROW_NUMBER over updating rows is not supported yet");
  }
  const binding = bindingOf(context, input, "OVER");
  const extra: Scalar[] = [];
  const width = input.node.columns.length;
  const placeOf = (scalar: Scalar): number => {
    if (scalar.kind === "column") return scalar.index;
    const known = extra.findIndex((each) => scalarKey(each) === scalarKey(scalar));
    return width + (known >= 0 ? known : extra.push(scalar) - 1);
  };
  const partition = over.partitionBy.map((each) => placeOf(bindExpression(binding, each)));
  const orderBy = over.orderBy.map((item): SortKey => {
    const scalar = bindExpression(binding, item.expression);
    if (!isComparable(scalar.type)) {
      return context.fail(item.expression, `cannot order by a ${showType(scalar.type)}`);
    }
    const nullsFirst = item.nulls === null ? !item.isDescending : item.nulls === "first";
    return { column: placeOf(scalar), descending: item.isDescending, nullsFirst };
  });
  if (orderBy.length === 0) return context.fail(call, "ROW_NUMBER needs ORDER BY in its OVER");
  const roleAt = (part: "start" | "end") =>
    partition.find((column) => input.fields[column]?.role?.part === part);
  const start = roleAt("start");
  const end = roleAt("end");
  if (start === undefined || end === undefined) {
    return context.refuse(
      call,
      "Top-N outside windows is not supported yet: PARTITION BY window_start, window_end",
    );
  }
  const window = input.fields[start]?.role?.window;
  if (window === undefined) throw new RangeError("A window bound has its window");
  return rankNode(context, call, input, { extra, partition, orderBy, start, end, window });
}

function windowOf(context: CheckContext, select: Select, call: Call): OverWindow {
  const { over } = call;
  if (over === null) return context.fail(call, "ROW_NUMBER needs OVER (…)");
  if ("kind" in over) return over;
  const named = select.windows.find(({ name }) => name.text === over.text);
  if (named !== undefined) return named.window;
  const known = select.windows.map(({ name }) => name.text);
  return context.failUnknown(over, `there is no window "${over.text}"`, over.text, known);
}

interface RankShape {
  readonly extra: readonly Scalar[];
  readonly partition: readonly number[];
  readonly orderBy: readonly SortKey[];
  readonly start: number;
  readonly end: number;
  readonly window: WindowOf;
}

function rankNode(
  context: CheckContext,
  call: AstNode,
  input: Relation,
  { extra, partition, orderBy, start, end, window }: RankShape,
): Relation {
  const kept = input.node.columns.map((_, index) => columnOf(input.node, index));
  const added = extra.map(
    (scalar, index): PlanColumn => ({
      name: `$${index}`,
      type: scalar.type,
      nullable: scalarNullable(scalar),
      time: null,
    }),
  );
  const below = makeCalc({
    input: input.node,
    filter: null,
    projections: [...kept, ...extra],
    columns: [...input.node.columns, ...added],
  });
  const rank: PlanColumn = { name: "$rank", type: bigintType, nullable: false, time: null };
  const node: WindowRankNode = {
    kind: "windowRank",
    input: below,
    window: [start, end],
    windowTime: { time: window.time, timeZone: window.timeZone },
    partitionBy: partition.filter((column) => column !== start && column !== end),
    orderBy,
    from: 1,
    to: Number.MAX_SAFE_INTEGER,
    withRank: true,
    columns: [...below.columns, rank],
    changes: "append",
    key: null,
  };
  context.ranks.set(node, { from: 1, to: Number.MAX_SAFE_INTEGER, at: call.at, context });
  const fields = [
    ...fieldsAtClose(input.fields).map((field) =>
      field.role === null ? field : { ...field, role: { ...field.role, isClosed: true } },
    ),
    ...added.map(({ name }) => ({ ...plainField(null, name), isHidden: true })),
    { ...plainField(null, "$rank"), isRank: true },
  ];
  return { node, fields };
}

/** Takes `rank <= 3` and its like out of the conditions and tells the rank node. */
export function takeRankBounds(
  context: CheckContext,
  relation: Relation,
  conditions: readonly Scalar[],
): readonly Scalar[] {
  const rankColumn = relation.fields.findIndex(({ isRank }) => isRank);
  const node = rankColumn < 0 ? null : rankNodeBelow(relation);
  const bounds = node === null ? undefined : context.ranks.get(node);
  if (bounds === undefined) return conditions;
  return conditions.filter((condition) => {
    const range = rangeOf(condition, rankColumn);
    if (range === null) return true;
    bounds.from = Math.max(bounds.from, range.from);
    bounds.to = Math.min(bounds.to, range.to);
    return false;
  });
}

function rankNodeBelow({ node }: Relation): WindowRankNode | null {
  let below = node;
  while (below.kind === "calc") below = below.input;
  return below.kind === "windowRank" ? below : null;
}

const mirrored: Readonly<Record<string, string>> = {
  lt: "gt",
  le: "ge",
  gt: "lt",
  ge: "le",
  eq: "eq",
};

function rangeOf(condition: Scalar, rank: number): { from: number; to: number } | null {
  if (condition.kind !== "call") return null;
  const [first, second] = condition.args;
  const isStraight = isRank(first, rank);
  const other = isStraight ? second : isRank(second, rank) ? first : undefined;
  const operator = isStraight ? condition.name : mirrored[condition.name];
  if (other?.kind !== "literal" || typeof other.value !== "bigint") return null;
  const limit = Number(other.value);
  switch (operator) {
    case "eq":
      return { from: limit, to: limit };
    case "le":
      return { from: 1, to: limit };
    case "lt":
      return { from: 1, to: limit - 1 };
    case "ge":
      return { from: limit, to: Number.MAX_SAFE_INTEGER };
    case "gt":
      return { from: limit + 1, to: Number.MAX_SAFE_INTEGER };
    default:
      return null;
  }
}

function isRank(scalar: Scalar | undefined, rank: number): boolean {
  return scalar?.kind === "column" && scalar.index === rank;
}
