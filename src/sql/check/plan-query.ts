/** The way from a parsed query to a plan: bound, its emit mode applied, pruned. */
import { inputsOf } from "../plan/inputs-of.ts";
import { mapInputs } from "../plan/map-inputs.ts";
import { optimize } from "../plan/optimize.ts";
import type {
  EmitMode,
  PlanNode,
  QueryPlan,
  WindowAggregateNode,
  WindowRankNode,
} from "../plan/plan.ts";
import type { Query } from "../syntax/ast.ts";
import { CheckContext, type CheckOptions } from "./context.ts";
import { bindQuery, withoutHidden } from "./query.ts";
import type { Relation } from "./relation.ts";

/** Throws an SqlError that points into `text` where the query is wrong or not supported. */
export function planQuery(query: Query, text: string, options: CheckOptions): QueryPlan {
  const context = new CheckContext(text, { ...options, planAlone });
  return planAlone(context, query);
}

function planAlone(context: CheckContext, query: Query): QueryPlan {
  const { node } = boundQuery(context, query);
  return planOf(context, context.options.isBounded ? withoutIdleTime(node) : node);
}

const timeless: ReadonlySet<PlanNode["kind"]> = new Set([
  ...(["source", "values", "calc", "groupAggregate", "sort", "union"] as const),
]);

/** A query that ends and has neither windows nor joins over time reads no event times for them. */
function withoutIdleTime(root: PlanNode): PlanNode {
  const isTimeless = (node: PlanNode): boolean =>
    timeless.has(node.kind) && inputsOf(node).every(isTimeless);
  const without = (node: PlanNode): PlanNode =>
    node.kind === "source" ? { ...node, watermark: null } : mapInputs(node, without);
  return isTimeless(root) ? without(root) : root;
}

export function planOf(context: CheckContext, node: PlanNode): QueryPlan {
  return { root: optimize(node), text: context.text, timeZone: context.options.timeZone };
}

/** The query's relation with emit mode, lateness and ranks settled, before it is optimized. */
export function boundQuery(context: CheckContext, query: Query): Relation {
  const relation = withoutHidden(bindQuery(context, query));
  return { ...relation, node: withEmit(context, query, withRanks(context, relation.node)) };
}

function withRanks(context: CheckContext, node: PlanNode): PlanNode {
  const settled = mapInputs(node, (input) => withRanks(context, input));
  if (node.kind !== "windowRank" || settled.kind !== "windowRank") return settled;
  return settleRank(context, node, settled);
}

function settleRank(context: CheckContext, key: WindowRankNode, node: WindowRankNode): PlanNode {
  const bounds = context.ranks.get(key);
  if (bounds === undefined) throw new RangeError("A ROW_NUMBER() lost its bounds");
  if (bounds.to === Number.MAX_SAFE_INTEGER) {
    return bounds.context.refuse(
      bounds,
      "ROW_NUMBER() needs a bound in the query around it: WHERE rownum <= n",
    );
  }
  return { ...node, from: bounds.from, to: bounds.to };
}

/** EMIT and ALLOWED LATENESS are for the last aggregate: what comes before it is final. */
function withEmit(context: CheckContext, query: Query, node: PlanNode): PlanNode {
  const { emit, allowedLateness } = query;
  const asked = askedOf(context, query);
  if (asked.mode === null && allowedLateness === null) return node;
  let last: PlanNode["kind"] | null = null;
  const apply = (each: PlanNode): PlanNode => {
    switch (each.kind) {
      case "calc":
      case "union":
      case "sort":
        return mapInputs(each, apply);
      case "windowAggregate":
        last = each.kind;
        return emitting(each, asked);
      case "groupAggregate":
        last = each.kind;
        if (asked.mode?.mode === "final" && !context.options.isBounded) {
          const problem = "a GROUP BY without a window is never final: EMIT FINAL has no end";
          return context.fail(emit ?? query, problem);
        }
        return { ...each, emit: asked.mode ?? each.emit };
      default:
        return each;
    }
  };
  const applied = apply(node);
  if (allowedLateness !== null && last !== "windowAggregate") {
    const problem = "ALLOWED LATENESS needs a window aggregate as the last step";
    return context.refuse(allowedLateness, problem);
  }
  const isPlain = emit?.mode === "changes" && !hasWindow(node);
  if (emit !== null && emit.mode !== "final" && last === null && !isPlain) {
    const problem = `EMIT ${emit.mode.toUpperCase()} needs an aggregate as the last step`;
    return context.refuse(emit, problem);
  }
  return applied;
}

interface AskedEmit {
  readonly mode: EmitMode | null;
  readonly latenessMs: number;
}

function askedOf(context: CheckContext, { emit, allowedLateness }: Query): AskedEmit {
  const latenessMs = allowedLateness?.value ?? 0;
  if (allowedLateness !== null && (latenessMs < 0 || isMonths(allowedLateness.from))) {
    return context.fail(allowedLateness, "the lateness is a fixed time that is not negative");
  }
  if (emit?.mode !== "periodic") {
    return { mode: emit === null ? null : { mode: emit.mode }, latenessMs };
  }
  if (emit.every.value <= 0 || isMonths(emit.every.from)) {
    return context.fail(emit.every, "the period is a fixed time that is longer than nothing");
  }
  return { mode: { mode: "periodic", everyMs: emit.every.value }, latenessMs };
}

function isMonths(unit: string): boolean {
  return unit === "YEAR" || unit === "QUARTER" || unit === "MONTH";
}

/** What is said before the end, or corrected after it, updates. */
function emitting(node: WindowAggregateNode, { mode, latenessMs }: AskedEmit): WindowAggregateNode {
  const emit = mode ?? node.emit;
  const isUpdating = emit.mode !== "final" || latenessMs > 0;
  const bounds = node.columns.length - 3;
  return {
    ...node,
    emit,
    allowedLatenessMs: latenessMs,
    changes: isUpdating ? "update" : "append",
    key: isUpdating ? [...node.keys.map((_, index) => index), bounds, bounds + 1] : null,
  };
}

function hasWindow(node: PlanNode): boolean {
  if (/^window|^interval/.test(node.kind)) return true;
  let found = false;
  mapInputs(node, (input) => {
    found ||= hasWindow(input);
    return input;
  });
  return found;
}
