/**
 * A plan as running operators. Equal parts of a plan, such as the two sides of a self-join, become
 * one operator that feeds both, so that a topic is decoded and grouped once. A projection at the
 * top is left to the sink.
 */
import { assert, unreachable } from "../../base/assert.ts";
import type { SpillSpace } from "../kernel/spill-space.ts";
import type {
  GridSpec,
  PlanNode,
  SourceNode,
  WindowAggregateNode,
  WindowAssignNode,
} from "../plan/plan.ts";
import { planToText } from "../plan/plan-text.ts";
import type { SqliteDatabase } from "../sqlite/database.ts";
import { AssignedAggregateOperator } from "./assigned-aggregate-operator.ts";
import { CalcOperator } from "./calc-operator.ts";
import type { DirectChanges } from "./direct-changes.ts";
import { GroupAggregateOperator } from "./group-aggregate-operator.ts";
import { IntervalJoinOperator } from "./interval-join-operator.ts";
import type { Operator, OperatorContext } from "./operator.ts";
import { isSmallSide, ScanJoinOperator } from "./scan-join-operator.ts";
import { SessionAggregateOperator } from "./session-aggregate-operator.ts";
import { SessionAssignOperator } from "./session-assign-operator.ts";
import { SortOperator } from "./sort-operator.ts";
import { SourceOperator } from "./source-operator.ts";
import { UnionOperator } from "./union-operator.ts";
import { UpsertSource } from "./upsert-source.ts";
import { ValuesSource } from "./values-source.ts";
import { WindowAggregateOperator } from "./window-aggregate-operator.ts";
import { WindowAssignOperator } from "./window-assign-operator.ts";
import { WindowChangesOperator } from "./window-changes-operator.ts";
import { WindowJoinOperator } from "./window-join-operator.ts";
import { WindowRankOperator } from "./window-rank-operator.ts";
import { WindowTime } from "./window-time.ts";

export interface GraphOptions {
  readonly database: SqliteDatabase;
  readonly timeZone: string;
  readonly context: OperatorContext;
  readonly seed: bigint;
  readonly stateBytesMax: number;
  readonly spill?: SpillSpace;
  /** The query ends: what groups are comes out then. */
  readonly isBounded: boolean;
  /** Of the aggregate right below the sink, where there is one that may go without taking back. */
  readonly direct?: DirectChanges;
  /** Hears of each source's node, in the order of `Graph.sources`. */
  readonly onSource: (node: SourceNode) => void;
}

export interface Graph {
  readonly sources: readonly (SourceOperator | UpsertSource)[];
  readonly values: readonly ValuesSource[];
  /** Each behind its inputs. */
  readonly operators: readonly Operator[];
  readonly root: Operator;
}

export function buildGraph(root: PlanNode, options: GraphOptions): Graph {
  const builder = new GraphBuilder(options);
  const operator = builder.build(root);
  const { sources, values, operators } = builder;
  return { sources, values, operators, root: operator };
}

class GraphBuilder {
  readonly sources: (SourceOperator | UpsertSource)[] = [];
  readonly values: ValuesSource[] = [];
  readonly operators: Operator[] = [];
  readonly #options: GraphOptions;
  readonly #byText = new Map<string, Operator>();

  constructor(options: GraphOptions) {
    this.#options = options;
  }

  build(node: PlanNode): Operator {
    const text = planToText(node);
    const known = this.#byText.get(text);
    if (known !== undefined) return known;
    const operator = this.#make(node);
    this.#byText.set(text, operator);
    this.operators.push(operator);
    return operator;
  }

  #make(node: PlanNode): Operator {
    switch (node.kind) {
      case "source": {
        const source = this.sources.length;
        const options = { ...this.#common("source"), node, source };
        const operator =
          node.changes === "update" ? new UpsertSource(options) : new SourceOperator(options);
        this.sources.push(operator);
        this.#options.onSource(node);
        return operator;
      }
      case "values": {
        const operator = new ValuesSource({ ...this.#options, node });
        this.values.push(operator);
        return operator;
      }
      case "calc":
        return new CalcOperator(this.build(node.input), { ...this.#common("calc"), node });
      case "windowAggregate":
        return this.#windowAggregate(node, this.build(node.input));
      case "groupAggregate": {
        // Below first: names count what has been built.
        const input = this.build(node.input);
        const { direct, ...common } = this.#common("groups");
        const isDirect = direct?.node === node;
        return new GroupAggregateOperator(input, {
          ...{ ...common, node },
          ...(isDirect && { direct }),
        });
      }
      case "windowJoin":
        return new WindowJoinOperator([this.build(node.left), this.build(node.right)], {
          ...this.#common("join"),
          node,
        });
      case "intervalJoin": {
        const inputs = [this.build(node.left), this.build(node.right)] as const;
        const options = { ...this.#common("join"), node };
        const isScanned =
          node.joinType === "inner" && (isSmallSide(node.left) || isSmallSide(node.right));
        return isScanned
          ? new ScanJoinOperator(inputs, options)
          : new IntervalJoinOperator(inputs, options);
      }
      case "windowRank":
        return new WindowRankOperator(this.build(node.input), { ...this.#common("rank"), node });
      case "union":
        return new UnionOperator(
          node.inputs.map((input) => this.build(input)),
          { node, memory: this.#options.database.host.memory },
        );
      case "sort":
        return new SortOperator(this.build(node.input), { ...this.#common("sort"), node });
      case "windowAssign":
        return this.#windowAssign(node, this.build(node.input));
      default:
        return unreachable(node);
    }
  }

  #windowAggregate(node: WindowAggregateNode, input: Operator): Operator {
    const common = { ...this.#common("windows"), node, time: new WindowTime(node.window) };
    const { spec } = node.window;
    const changes = node.emit.mode !== "final" || node.allowedLatenessMs > 0;
    switch (spec.kind) {
      case "assigned":
        return changes
          ? new WindowChangesOperator(input, { ...common, ...spec })
          : new AssignedAggregateOperator(input, { ...common, ...spec });
      case "session":
        return new SessionAggregateOperator(input, { ...common, ...spec });
      default: {
        if (!changes) return new WindowAggregateOperator(input, { ...common, spec });
        const assigned = this.#assigned(input, { ...common, spec });
        const startColumn = assigned.layout.columns.length - 3;
        const places = { startColumn, endColumn: startColumn + 1 };
        return new WindowChangesOperator(assigned, { ...common, ...places });
      }
    }
  }

  /** Rows with their windows, for an aggregate that shows windows more than once. */
  #assigned(
    input: Operator,
    options: {
      readonly name: string;
      readonly node: WindowAggregateNode;
      readonly spec: GridSpec;
      readonly time: WindowTime;
    },
  ): Operator {
    const { name, node, spec, time } = options;
    const columns = [...input.layout.columns, ...node.columns.slice(-3)];
    const { allowedLatenessMs } = node;
    const operator = new WindowAssignOperator(input, {
      ...{ ...this.#options, name: `${name}_assign`, columns, spec, time, allowedLatenessMs },
    });
    this.operators.push(operator);
    return operator;
  }

  #windowAssign(node: WindowAssignNode, input: Operator): Operator {
    const { spec } = node.window;
    assert(spec.kind !== "assigned", "a window table function assigns windows of its own");
    if (spec.kind === "session") {
      const options = { ...this.#common("session"), node, gapMs: spec.gapMs };
      return new SessionAssignOperator(input, { ...options, time: new WindowTime(node.window) });
    }
    return new WindowAssignOperator(input, {
      ...{ ...this.#common("assign"), columns: node.columns, spec, allowedLatenessMs: 0 },
      time: new WindowTime(node.window),
    });
  }

  /** Names are the same in every run of a plan: state is found by them. */
  #common(what: string) {
    const { database } = this.#options;
    const name = `${what}${this.operators.length}`;
    return { ...this.#options, name, host: database.host };
  }
}
