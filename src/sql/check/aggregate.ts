/**
 * Aggregates of one SELECT. Each call becomes a placeholder while the expressions around it are
 * bound; afterwards it is what a Calc computes from the accumulators of the aggregate node.
 */
import { functionByKey } from "../functions/catalog.ts";
import { coerce } from "../functions/definition.ts";
import type { Accumulator, AccumulatorKind } from "../plan/plan.ts";
import type { Scalar } from "../plan/scalar.ts";
import { scalarKey } from "../plan/scalar-walk.ts";
import type { Call } from "../syntax/ast.ts";
import { isComparable } from "../types/common-type.ts";
import type { DataType } from "../types/data-type.ts";
import { averageType, decimalType, sumType } from "../types/decimal-type.ts";
import {
  bigintType,
  booleanType,
  doubleType,
  isIntegerKind,
  isNumeric,
  showType,
} from "../types/show-type.ts";
import { unsupportedAggregates } from "./aggregate-names.ts";
import { type Binding, makeCast } from "./binding.ts";
import type { CheckContext } from "./context.ts";
import { bindCondition, bindingOf } from "./expression.ts";
import { literal } from "./literals.ts";

/** An accumulator whose arguments are still expressions. */
export interface AccumulatorDraft {
  readonly kind: AccumulatorKind;
  readonly argument: Scalar | null;
  readonly filter: Scalar | null;
  readonly isDistinct: boolean;
  readonly type: DataType;
  readonly nullable: boolean;
}

interface AggregateCall {
  readonly node: Call;
  readonly type: DataType;
  readonly nullable: boolean;
  /** From scalars of the accumulators, by their place in `drafts`. */
  readonly result: (accumulator: (draft: AccumulatorDraft) => Scalar) => Scalar;
  readonly drafts: readonly AccumulatorDraft[];
}

export class AggregateCollector {
  readonly #context: CheckContext;
  readonly #binding: Binding;
  readonly #calls: AggregateCall[] = [];
  readonly #base: number;

  constructor(binding: Binding) {
    this.#context = binding.context;
    this.#binding = bindingOf(binding.context, binding.relation, "an aggregate");
    this.#base = binding.relation.node.columns.length;
  }

  get isEmpty(): boolean {
    return this.#calls.length === 0;
  }

  /** The placeholder: a column behind those of the input. */
  add(node: Call): Scalar {
    const call = this.#bind(node);
    const index = this.#base + this.#calls.length;
    this.#calls.push(call);
    return { kind: "column", index, type: call.type, nullable: call.nullable };
  }

  /** Every accumulator once, however many calls need it. */
  drafts(): readonly AccumulatorDraft[] {
    const unique = new Map<string, AccumulatorDraft>();
    for (const { drafts } of this.#calls) {
      for (const draft of drafts) unique.set(draftKey(draft), draft);
    }
    return [...unique.values()];
  }

  /** What a placeholder stands for; null: it is none. `first`: the place of accumulator 0. */
  resolve(index: number, first: number): Scalar | null {
    const call = this.#calls[index - this.#base];
    if (call === undefined) return null;
    const places = new Map(this.drafts().map((draft, place) => [draftKey(draft), place]));
    return call.result((draft) => ({
      kind: "column",
      index: first + (places.get(draftKey(draft)) ?? 0),
      type: draft.type,
      nullable: draft.nullable,
    }));
  }

  #bind(node: Call): AggregateCall {
    const context = this.#context;
    const name = node.name.text.toUpperCase();
    if (unsupportedAggregates.includes(name)) {
      return context.refuse(node.name, `${name} is not supported yet`);
    }
    if (name === "ROW_NUMBER") {
      return context.fail(node, "ROW_NUMBER needs OVER (PARTITION BY window_start, window_end, …)");
    }
    if (node.withinGroup.length > 0) {
      return context.refuse(node, "WITHIN GROUP is not supported yet");
    }
    if (node.nulls === "respect") return context.refuse(node, "RESPECT NULLS is not supported yet");
    const filter =
      node.filter === null
        ? null
        : bindCondition({ ...this.#binding, place: "FILTER" }, node.filter);
    if (name === "COUNT" && (node.isStar || node.args.length === 0)) {
      if (!node.isStar) return context.fail(node, "COUNT takes * or an argument");
      return this.#single(node, { kind: "count", argument: null, filter, type: bigintType });
    }
    const [arg] = node.args;
    if (arg === undefined || node.args.length !== 1) {
      const problem = `${name} takes 1 argument, not ${node.args.length}`;
      return name === "COUNT" && node.isDistinct
        ? context.refuse(node, "COUNT(DISTINCT a, b) is not supported yet")
        : context.fail(node, problem);
    }
    const argument = this.#binding.bind(arg);
    return this.#named(node, name, argument, filter);
  }

  #named(node: Call, name: string, argument: Scalar, filter: Scalar | null): AggregateCall {
    const context = this.#context;
    const { type } = argument;
    switch (name) {
      case "COUNT":
        return this.#single(node, { kind: "count", argument, filter, type: bigintType });
      case "APPROX_COUNT_DISTINCT":
        return this.#single(node, {
          kind: "approxCountDistinct",
          argument,
          filter,
          type: bigintType,
        });
      case "MIN":
      case "MAX":
        if (!isComparable(type)) {
          return context.fail(node, `${name} does not compare values of type ${showType(type)}`);
        }
        return this.#single(node, { kind: name === "MIN" ? "min" : "max", argument, filter, type });
      case "FIRST_VALUE":
      case "LAST_VALUE": {
        const kind = name === "FIRST_VALUE" ? "first" : "last";
        return this.#single(node, { kind, argument, filter, type });
      }
      default:
        if (!isNumeric(type) && type.kind !== "null") {
          return context.fail(node, `${name} takes a number, not ${showType(type)}`);
        }
        if (name === "SUM") return this.#sum(node, argument, filter);
        if (name === "AVG") return this.#average(node, argument, filter);
        return this.#spread(node, name, argument, filter);
    }
  }

  #draft(
    node: Call,
    draft: Pick<AccumulatorDraft, "kind" | "argument" | "filter" | "type">,
  ): AccumulatorDraft {
    const isCount = draft.kind === "count" || draft.kind === "approxCountDistinct";
    const ignoresDistinct = draft.kind === "min" || draft.kind === "max";
    return { ...draft, isDistinct: node.isDistinct && !ignoresDistinct, nullable: !isCount };
  }

  #single(
    node: Call,
    draft: Pick<AccumulatorDraft, "kind" | "argument" | "filter" | "type">,
  ): AggregateCall {
    const made = this.#draft(node, draft);
    return {
      node,
      type: made.type,
      nullable: made.nullable,
      drafts: [made],
      result: (accumulator) => accumulator(made),
    };
  }

  /** Exact sums are kept in 128 bits and brought back to their type, which may fail. */
  #sum(node: Call, argument: Scalar, filter: Scalar | null): AggregateCall {
    const { type } = argument;
    const sum = this.#draft(node, { kind: "sum", argument, filter, type: accumulatedType(type) });
    const shown = type.kind === "decimal" ? sumType(type) : type;
    return {
      node,
      type: shown,
      nullable: true,
      drafts: [sum],
      result: (accumulator) => coerce(accumulator(sum), shown),
    };
  }

  #average(node: Call, argument: Scalar, filter: Scalar | null): AggregateCall {
    const { type } = argument;
    const sum = this.#draft(node, { kind: "sum", argument, filter, type: accumulatedType(type) });
    const count = this.#draft(node, { kind: "count", argument, filter, type: bigintType });
    const shown = type.kind === "decimal" ? averageType(type) : type;
    const computed = isIntegerKind(type.kind) ? bigintType : sum.type;
    return {
      node,
      type: shown,
      nullable: true,
      drafts: [sum, count],
      result: (accumulator) => {
        const quotient = functionByKey("divide").bind([
          coerce(accumulator(sum), computed),
          accumulator(count),
        ]);
        return coerce(quotient, shown);
      },
    };
  }

  /** Variances from count, sum and sum of squares over DOUBLE. */
  #spread(node: Call, name: string, argument: Scalar, filter: Scalar | null): AggregateCall {
    const isDeviation = name.startsWith("STDDEV");
    const isSample = !name.endsWith("_POP");
    const value = makeCast(this.#context, node, argument, doubleType, false);
    const parts = { argument: value, filter } as const;
    const count = this.#draft(node, { kind: "count", ...parts, type: bigintType });
    const sum = this.#draft(node, { kind: "sum", ...parts, type: doubleType });
    const squares = this.#draft(node, { kind: "sumSquares", ...parts, type: doubleType });
    return {
      node,
      type: doubleType,
      nullable: true,
      drafts: [count, sum, squares],
      result: (accumulator) => {
        const n = accumulator(count);
        const variance = varianceOf(n, accumulator(sum), accumulator(squares), isSample);
        return {
          kind: "case",
          branches: [
            {
              when: call("gt", n, literal(isSample ? 1n : 0n, bigintType)),
              result: isDeviation ? call("sqrt", variance) : variance,
            },
          ],
          otherwise: literal(null, doubleType),
          type: doubleType,
          nullable: true,
        };
      },
    };
  }
}

/** Rounding may leave a little less than nothing, of which there is no root. */
function varianceOf(count: Scalar, sum: Scalar, squares: Scalar, isSample: boolean): Scalar {
  const n = coerce(count, doubleType);
  const spread = call("minus", squares, call("divide", call("times", sum, sum), n));
  const freedom = isSample ? call("minus", n, literal(1, doubleType)) : n;
  return call("divide", call("greatest", spread, literal(0, doubleType)), freedom);
}

function call(key: string, ...args: Scalar[]): Scalar {
  return functionByKey(key).bind(args);
}

/** What a sum is kept in. */
function accumulatedType(type: DataType): DataType {
  if (type.kind === "decimal") return sumType(type);
  return isIntegerKind(type.kind) || type.kind === "null" ? decimalType(38, 0) : doubleType;
}

function draftKey(draft: AccumulatorDraft): string {
  const part = (scalar: Scalar | null) => (scalar === null ? "" : scalarKey(scalar));
  return [draft.kind, part(draft.argument), part(draft.filter), draft.isDistinct].join("|");
}

/** The accumulators over columns of a Calc: `placeOf` gives the column of an expression. */
export function accumulatorOf(
  draft: AccumulatorDraft,
  placeOf: (scalar: Scalar) => number,
): Accumulator {
  return {
    kind: draft.kind,
    column: draft.argument === null ? null : placeOf(draft.argument),
    filter: draft.filter === null ? null : placeOf(coerce(draft.filter, booleanType)),
    isDistinct: draft.isDistinct,
  };
}
