/** The way from a parsed query to a plan: bound, its emit mode applied, pruned. */
import { makeCalc } from "../plan/calc.ts";
import { optimize } from "../plan/optimize.ts";
import type { EmitMode, PlanNode, QueryPlan, WindowRankNode } from "../plan/plan.ts";
import type { Query } from "../syntax/ast.ts";
import { CheckContext, type CheckOptions } from "./context.ts";
import { bindQuery, withoutHidden } from "./query.ts";
import type { Relation } from "./relation.ts";

/** Throws an SqlError that points into `text` where the query is wrong or not supported. */
export function planQuery(query: Query, text: string, options: CheckOptions): QueryPlan {
  const context = new CheckContext(text, options);
  const relation = boundQuery(context, query);
  return planOf(context, relation.node);
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

/** The same node over other inputs; what follows from its inputs is worked out anew. */
export function mapInputs(node: PlanNode, map: (input: PlanNode) => PlanNode): PlanNode {
  switch (node.kind) {
    case "source":
    case "values":
      return node;
    case "calc":
      return makeCalc({ ...node, input: map(node.input) });
    case "union": {
      const inputs = node.inputs.map(map);
      const isUpdate = inputs.some(({ changes }) => changes === "update");
      return { ...node, inputs, changes: isUpdate ? "update" : "append" };
    }
    case "windowJoin":
    case "intervalJoin":
      return { ...node, left: map(node.left), right: map(node.right) };
    case "sort": {
      const input = map(node.input);
      return { ...node, input, changes: input.changes, key: input.key };
    }
    default:
      return { ...node, input: map(node.input) };
  }
}

/** EMIT and ALLOWED LATENESS are for the last aggregate: what comes before it is final. */
function withEmit(context: CheckContext, query: Query, node: PlanNode): PlanNode {
  const { emit, allowedLateness } = query;
  const mode: EmitMode | null =
    emit === null
      ? null
      : emit.mode === "periodic"
        ? { mode: "periodic", everyMs: emit.every.value }
        : { mode: emit.mode };
  const latenessMs = allowedLateness?.value ?? 0;
  if (allowedLateness !== null && latenessMs < 0) {
    return context.fail(allowedLateness, "the lateness cannot be negative");
  }
  if (mode?.mode === "periodic" && mode.everyMs <= 0) {
    return context.fail(emit ?? query, "the period must be longer than nothing");
  }
  if (mode === null && latenessMs === 0) return node;
  let isUsed = false;
  const apply = (each: PlanNode): PlanNode => {
    switch (each.kind) {
      case "calc":
      case "union":
      case "sort":
        return mapInputs(each, apply);
      case "windowAggregate": {
        isUsed = true;
        const emits = mode ?? each.emit;
        const isUpdating = emits.mode !== "final" || latenessMs > 0;
        const bounds = each.columns.length - 3;
        return {
          ...each,
          emit: emits,
          allowedLatenessMs: latenessMs,
          changes: isUpdating ? "update" : "append",
          key: isUpdating ? [...each.keys.map((_, index) => index), bounds, bounds + 1] : null,
        };
      }
      case "groupAggregate":
        if (mode?.mode === "final" && !context.options.isBounded) {
          return context.fail(
            emit ?? query,
            "EMIT FINAL has no end to wait for: a GROUP BY without a window is never final",
          );
        }
        isUsed ||= latenessMs === 0;
        return { ...each, emit: mode ?? each.emit };
      default:
        return each;
    }
  };
  const applied = apply(node);
  if (!isUsed && allowedLateness !== null) {
    return context.refuse(
      allowedLateness,
      "ALLOWED LATENESS needs a window aggregate as the last step",
    );
  }
  const isStateful = hasWindow(node);
  if (!isUsed && emit !== null && mode?.mode !== "final" && isStateful) {
    return context.refuse(
      emit,
      `EMIT ${emit.mode.toUpperCase()} needs an aggregate as the last step`,
    );
  }
  if (!isUsed && mode?.mode === "periodic") {
    return context.refuse(emit ?? query, "EMIT PERIODIC needs an aggregate as the last step");
  }
  return applied;
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
