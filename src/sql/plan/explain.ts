/**
 * EXPLAIN: the operators as a tree, result first; under each what it computes, as SQL, and what
 * state it keeps and what bounds that; at the end a warning for each state that nothing bounds.
 */

import { showDuration } from "../types/interval-text.ts";
import { showType } from "../types/show-type.ts";
import { inputsOf } from "./inputs-of.ts";
import type {
  Accumulator,
  EmitMode,
  GroupAggregateNode,
  IntervalJoinNode,
  PlanNode,
  QueryPlan,
  SortKey,
  SourceNode,
  SourceOrigin,
  SourceWatermark,
  WindowAggregateNode,
  WindowJoinNode,
  WindowOf,
  WindowRankNode,
  WindowSpec,
} from "./plan.ts";
import type { Scalar } from "./scalar.ts";
import { conjunctsOf } from "./scalar-walk.ts";
import { hasPlainName, showScalar } from "./show-scalar.ts";

/** `ends`: of a query that ends nothing is kept longer, and nothing goes on growing. */
export function explain(plan: QueryPlan, { ends = false } = {}): string {
  const lines: string[] = [];
  const warnings: string[] = [];
  describe(plan.root, 0, { lines, warnings, ends });
  const notes = [...new Set(ends ? [] : warnings)].map((warning) => `Warning: ${warning}`);
  return `${[...lines, ...notes].join("\n")}\n`;
}

interface Explanation {
  readonly lines: string[];
  readonly warnings: string[];
  readonly ends: boolean;
}

/** One operator: its head, what stands under it, its state. */
interface Description {
  readonly head: string;
  readonly details: readonly string[];
  readonly warning?: string;
}

function describe(node: PlanNode, depth: number, to: Explanation): void {
  const { head, details, warning } = descriptionOf(node);
  const { lines, warnings, ends } = to;
  const indent = "  ".repeat(depth);
  lines.push(`${indent}${head}${ends ? "" : changesText(node)}`);
  for (const detail of details) {
    const isOfGoingOn = /^(?:emit |no watermark)/.test(detail);
    if (!ends) lines.push(`${indent}    ${detail}`);
    else if (!isOfGoingOn) lines.push(`${indent}    ${detail.replace(", kept for ever", "")}`);
  }
  if (warning !== undefined) warnings.push(warning);
  for (const input of inputsOf(node)) describe(input, depth + 1, to);
}

function changesText(node: PlanNode): string {
  if (node.changes === "append") return "";
  const key = node.key?.map((index) => nameOf(node, index));
  return key === undefined ? " [updating]" : ` [updating, key (${key.join(", ")})]`;
}

function nameOf(node: PlanNode, index: number): string {
  const name = node.columns[index]?.name ?? "?";
  return hasPlainName(name) ? name : `\`${name}\``;
}

function descriptionOf(node: PlanNode): Description {
  switch (node.kind) {
    case "source":
      return sourceText(node);
    case "values":
      return { head: `Values ${node.rows.length} rows`, details: [] };
    case "calc":
      return {
        head: node.filter === null ? "Project" : "Filter",
        details: [
          ...(node.filter === null
            ? []
            : conjunctsOf(node.filter).map((each) => `where ${show(each, node.input)}`)),
          ...node.projections.map((each, index) => projectionText(node, each, index)),
        ],
      };
    case "windowAssign":
      return {
        head: windowHead("Window", node.window, node.input, node.partitionBy),
        details:
          node.window.spec.kind === "session"
            ? ["state: rows of open sessions, until the watermark closes them"]
            : [],
      };
    case "windowAggregate":
      return windowAggregateText(node);
    case "groupAggregate":
      return groupAggregateText(node);
    case "windowJoin":
      return joinText(node, "both sides of open windows, until the watermark closes them");
    case "intervalJoin":
      return intervalJoinText(node);
    case "windowRank":
      return rankText(node);
    case "union":
      return { head: "Union all", details: [] };
    case "sort": {
      const parts = [sortText(node.orderBy, node.input)];
      if (node.limit !== null) parts.push(`limit ${node.limit}`);
      if (node.skip > 0) parts.push(`offset ${node.skip}`);
      return { head: `Sort ${parts.filter((part) => part !== "").join(", ")}`, details: [] };
    }
  }
}

function show(scalar: Scalar, input: PlanNode): string {
  return showScalar(scalar, (index) => nameOf(input, index));
}

function projectionText(node: PlanNode, scalar: Scalar, index: number): string {
  if (node.kind !== "calc") return "";
  const text = show(scalar, node.input);
  const name = nameOf(node, index);
  return text === name ? name : `${text} AS ${name}`;
}

function sourceText(node: SourceNode): Description {
  const decoded = node.origins.map((origin, index) => {
    const type = node.columns[index]?.type;
    return `${originText(origin)} ${type === undefined ? "" : showType(type)}`.trimEnd();
  });
  const computed = node.computed.map(
    (scalar, index) => `${show(scalar, node)} AS ${nameOf(node, node.origins.length + index)}`,
  );
  const { watermark } = node;
  return {
    head: `Scan ${node.stream} (topic ${node.topic}, ${node.format})`,
    details: [
      ...decoded.map((each) => `decode ${each}`),
      ...computed.map((each) => `compute ${each}`),
      ...(watermark === null
        ? ["no watermark: event-time windows cannot be used"]
        : [`watermark ${nameOf(node, watermark.column)}${behindText(watermark)}`]),
    ],
  };
}

function behindText({ delayMs, isCommitted }: SourceWatermark): string {
  if (isCommitted) return ", as its query's commits say";
  return delayMs === 0 ? "" : ` - ${showDuration(delayMs)}`;
}

function originText(origin: SourceOrigin): string {
  if (origin.from === "value") return origin.path.join(".");
  return origin.from === "proctime" ? "PROCTIME()" : `METADATA ${origin.field}`;
}

function specText(spec: WindowSpec): string {
  const offset =
    "offsetMs" in spec && spec.offsetMs !== 0 ? `, offset ${showDuration(spec.offsetMs)}` : "";
  switch (spec.kind) {
    case "tumble":
      return `tumble ${showDuration(spec.sizeMs)}${offset}`;
    case "hop":
      return `hop ${showDuration(spec.slideMs)}, size ${showDuration(spec.sizeMs)}${offset}`;
    case "cumulate":
      return `cumulate ${showDuration(spec.stepMs)}, size ${showDuration(spec.sizeMs)}${offset}`;
    case "session":
      return `session gap ${showDuration(spec.gapMs)}`;
    case "assigned":
      return "of the rows";
  }
}

function windowText(window: WindowOf, input: PlanNode): string {
  const zone = window.timeZone === null ? "" : ` in ${window.timeZone}`;
  const time = window.time === "proctime" ? " (processing time)" : "";
  return `${specText(window.spec)} on ${nameOf(input, window.timeColumn)}${time}${zone}`;
}

function windowHead(
  name: string,
  window: WindowOf,
  input: PlanNode,
  keys: readonly number[],
): string {
  return `${name} ${windowText(window, input)}${keysText(keys, input)}`;
}

function keysText(keys: readonly number[], input: PlanNode): string {
  return keys.length === 0 ? "" : ` by ${keys.map((key) => nameOf(input, key)).join(", ")}`;
}

function accumulatorText(accumulator: Accumulator, input: PlanNode): string {
  const { kind, column, filter, isDistinct } = accumulator;
  const argument = column === null ? "*" : nameOf(input, column);
  const where = filter === null ? "" : ` filter ${nameOf(input, filter)}`;
  return `${kind}(${isDistinct ? "distinct " : ""}${argument})${where}`;
}

function emitText(emit: EmitMode): string {
  if (emit.mode === "periodic") return `emit every ${showDuration(emit.everyMs)}`;
  return emit.mode === "final" ? "emit final" : "emit changes";
}

function windowAggregateText(node: WindowAggregateNode): Description {
  const { spec } = node.window;
  const held = spec.kind === "session" ? "open sessions" : "open windows";
  const distinct = node.accumulators.some(({ isDistinct }) => isDistinct);
  const lateness =
    node.allowedLatenessMs === 0
      ? []
      : [`allowed lateness ${showDuration(node.allowedLatenessMs)}`];
  return {
    head: windowHead("Aggregate window", node.window, node.input, node.keys),
    details: [
      ...node.accumulators.map((each) => accumulatorText(each, node.input)),
      emitText(node.emit),
      ...lateness,
      `state: an entry per key of ${held}${distinct ? ", and each distinct value" : ""}, until the watermark closes them`,
    ],
  };
}

/** Whether values are kept one by one: MIN needs the next one when the least is taken back. */
function keepsValues({ kind, isDistinct }: Accumulator, input: PlanNode): boolean {
  if (isDistinct) return true;
  return input.changes === "update" && kind !== "count" && !kind.startsWith("sum");
}

function groupAggregateText(node: GroupAggregateNode): Description {
  const isDistinct = node.accumulators.length === 0;
  const keys = node.keys.map((key) => nameOf(node.input, key)).join(", ");
  const state = keys === "" ? "one entry" : "an entry per key, kept for ever";
  const distinct = node.accumulators.some((each) => keepsValues(each, node.input))
    ? ", and each distinct value"
    : "";
  const clause = isDistinct ? "DISTINCT" : "GROUP BY";
  const warning =
    keys === "" && distinct === ""
      ? {}
      : {
          warning: `the state of ${clause} (${keys}) grows with its keys: nothing bounds it`,
        };
  return {
    head: `${isDistinct ? "Distinct" : "Aggregate"}${keysText(node.keys, node.input)}`,
    details: [
      ...node.accumulators.map((each) => accumulatorText(each, node.input)),
      emitText(node.emit),
      `state: ${state}${distinct}`,
    ],
    ...warning,
  };
}

function joinText(node: WindowJoinNode | IntervalJoinNode, state: string): Description {
  const equalities = node.equalities.map(
    ({ left, right }) => `on left.${nameOf(node.left, left)} = right.${nameOf(node.right, right)}`,
  );
  const width = node.left.columns.length;
  const isShown = node.joinType !== "semi" && node.joinType !== "anti";
  const sided = (index: number) => {
    if (index < width) return `left.${nameOf(node, index)}`;
    return `right.${isShown ? nameOf(node, index) : nameOf(node.right, index - width)}`;
  };
  const residual =
    node.residual === null
      ? []
      : conjunctsOf(node.residual).map((each) => `on ${showScalar(each, sided)}`);
  const name = node.kind === "windowJoin" ? "Window join" : "Interval join";
  return {
    head: `${name}, ${node.joinType}`,
    details: [...equalities, ...residual, `state: ${state}`],
  };
}

function intervalJoinText(node: IntervalJoinNode): Description {
  const base = joinText(
    node,
    `rows of both sides for ${showDuration(Math.abs(node.upperMs - node.lowerMs))}, until the watermark passes`,
  );
  const left = `left.${nameOf(node.left, node.leftTime)}`;
  const right = `right.${nameOf(node.right, node.rightTime)}`;
  const bound = (ms: number) =>
    ms === 0 ? right : `${right} ${ms < 0 ? "-" : "+"} ${showDuration(Math.abs(ms))}`;
  const range = `on ${left} between ${bound(node.lowerMs)} and ${bound(node.upperMs)}`;
  return { ...base, details: [range, ...base.details] };
}

function rankText(node: WindowRankNode): Description {
  const ranks = node.from === node.to ? `rank ${node.from}` : `ranks ${node.from} to ${node.to}`;
  return {
    head: `Rank in window${keysText(node.partitionBy, node.input)}: ${ranks}`,
    details: [
      `order by ${sortText(node.orderBy, node.input)}`,
      "state: all rows of open windows, until the watermark closes them",
    ],
  };
}

function sortText(orderBy: readonly SortKey[], input: PlanNode): string {
  return orderBy
    .map(({ column, descending, nullsFirst }) => {
      const nulls = nullsFirst === descending ? ` nulls ${nullsFirst ? "first" : "last"}` : "";
      return `${nameOf(input, column)}${descending ? " desc" : ""}${nulls}`;
    })
    .join(", ");
}
