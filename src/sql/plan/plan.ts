/**
 * What the checker hands to the engine: a tree of operators over typed columns. It names streams
 * and topics but knows no storage; positions, partitions and records come in through the engine's
 * ports.
 * A plan is plain data: it can be shown (EXPLAIN), stored, and sent to another thread.
 *
 * Changes: the output of a node is a bag of rows with weights. An `append` node only adds (+1); an
 * `update` node also takes rows back (−1), and has a key unless `key` is null.
 */
import type { DataType } from "../types/data-type.ts";
import type { Scalar } from "./scalar.ts";

export interface PlanColumn {
  readonly name: string;
  readonly type: DataType;
  readonly nullable: boolean;
  /** A time attribute keeps its meaning as long as it is passed on unchanged. */
  readonly time: "rowtime" | "proctime" | null;
}

interface NodeBase {
  readonly columns: readonly PlanColumn[];
  readonly changes: "append" | "update";
  /** Columns that identify a row of an `update` node's result; null: the whole row does. */
  readonly key: readonly number[] | null;
}

/** Where a column of a source comes from. */
export type SourceOrigin =
  | { readonly from: "value"; readonly path: readonly string[] }
  | {
      readonly from: "metadata";
      readonly field: "topic" | "partition" | "offset" | "timestamp" | "key" | "headers";
    }
  /** PROCTIME(): when the row was published, as the log says. */
  | { readonly from: "proctime" };

export interface SourceNode extends NodeBase {
  readonly kind: "source";
  /** Name in the catalog, and the topic that it stands for. */
  readonly stream: string;
  readonly topic: string;
  readonly format: "json" | "raw";
  /** Of the first columns, only those that the query reads. */
  readonly origins: readonly SourceOrigin[];
  /** The columns behind them, each computed from the columns of `origins`. */
  readonly computed: readonly Scalar[];
  /** The event time: a column of this source, which may be a computed one, and its delay. */
  readonly watermark: SourceWatermark | null;
  readonly startup: StartupMode;
  /** From the stream's WITH: what the watermark rules need. */
  readonly idleTimeoutMs: number;
  readonly options: Readonly<Record<string, string>>;
}

export interface SourceWatermark {
  readonly column: number;
  readonly delayMs: number;
  /** The topic is a query's output: its commits say the watermark, not the rows. */
  readonly isCommitted?: true;
}

export type StartupMode =
  | { readonly mode: "earliest" | "latest" }
  | { readonly mode: "group-offsets"; readonly group: string }
  | { readonly mode: "timestamp"; readonly timestampMs: number };

/** Rows given in the statement: INSERT INTO … VALUES, SELECT without FROM. */
export interface ValuesNode extends NodeBase {
  readonly kind: "values";
  readonly rows: readonly (readonly Scalar[])[];
}

/** Filter and projection. */
export interface CalcNode extends NodeBase {
  readonly kind: "calc";
  readonly input: PlanNode;
  readonly filter: Scalar | null;
  /** One per output column. */
  readonly projections: readonly Scalar[];
}

export type WindowSpec =
  | { readonly kind: "tumble"; readonly sizeMs: number; readonly offsetMs: number }
  | {
      readonly kind: "hop";
      readonly slideMs: number;
      readonly sizeMs: number;
      readonly offsetMs: number;
    }
  | {
      readonly kind: "cumulate";
      readonly stepMs: number;
      readonly sizeMs: number;
      readonly offsetMs: number;
    }
  | { readonly kind: "session"; readonly gapMs: number }
  /**
   * The rows bring their window with them, in these columns: an aggregate over windows that were
   * assigned or aggregated below. `timeColumn` is the column of the window's end.
   */
  | { readonly kind: "assigned"; readonly startColumn: number; readonly endColumn: number };

/** Windows that lie at fixed times, whatever rows there are. */
export type GridSpec = Exclude<WindowSpec, { kind: "session" | "assigned" }>;

export interface WindowOf {
  readonly spec: WindowSpec;
  /** Column of the input that the windows are over. */
  readonly timeColumn: number;
  readonly time: "rowtime" | "proctime";
  /** TIMESTAMP_LTZ: windows begin at local times of this zone; null: UTC, or TIMESTAMP. */
  readonly timeZone: string | null;
}

/** What passes the ends of windows that rows bring with them. */
export type ClosingTime = Pick<WindowOf, "time" | "timeZone">;

/**
 * A window table function whose rows are used one by one: input columns, then window_start,
 * window_end, window_time. HOP and CUMULATE give a row per window. Sessions need `partitionBy` and
 * give their rows when they close.
 */
export interface WindowAssignNode extends NodeBase {
  readonly kind: "windowAssign";
  readonly input: PlanNode;
  readonly window: WindowOf;
  readonly partitionBy: readonly number[];
}

export type AccumulatorKind =
  | "count"
  | "sum"
  | "sumSquares"
  | "min"
  | "max"
  | "first"
  | "last"
  | "approxCountDistinct";

/**
 * One accumulator. AVG is a sum and a count that a Calc above divides; STDDEV and VAR are count,
 * sum and sumSquares over DOUBLE. Arguments and filters are columns: a Calc below computes them.
 * Sums of integers and decimals are exact in 128 bits (kind wide); a Calc above narrows them.
 */
export interface Accumulator {
  readonly kind: AccumulatorKind;
  /** Input column; null only for COUNT(*). Rows that are NULL there do not count. */
  readonly column: number | null;
  /** BOOLEAN input column of FILTER (WHERE …); null: every row. */
  readonly filter: number | null;
  readonly isDistinct: boolean;
}

export type EmitMode =
  | { readonly mode: "final" }
  | { readonly mode: "changes" }
  | { readonly mode: "periodic"; readonly everyMs: number };

/**
 * GROUP BY over windows. Output columns: keys, then accumulators, then window_start, window_end,
 * window_time (the last a time attribute).
 */
export interface WindowAggregateNode extends NodeBase {
  readonly kind: "windowAggregate";
  readonly input: PlanNode;
  readonly window: WindowOf;
  readonly keys: readonly number[];
  readonly accumulators: readonly Accumulator[];
  readonly emit: EmitMode;
  readonly allowedLatenessMs: number;
}

/** GROUP BY without windows: updating. Output columns: keys, then accumulators. */
export interface GroupAggregateNode extends NodeBase {
  readonly kind: "groupAggregate";
  readonly input: PlanNode;
  readonly keys: readonly number[];
  readonly accumulators: readonly Accumulator[];
  readonly emit: EmitMode;
}

/**
 * Join of two windowed inputs on equal window_start and window_end and further equalities. Output:
 * left columns, right columns. Emits when the window closes.
 */
export interface WindowJoinNode extends NodeBase {
  readonly kind: "windowJoin";
  readonly left: PlanNode;
  readonly right: PlanNode;
  readonly joinType: "inner" | "left" | "right" | "full" | "semi" | "anti";
  /** window_start and window_end on both sides. */
  readonly leftWindow: readonly [start: number, end: number];
  readonly rightWindow: readonly [start: number, end: number];
  readonly windowTime: ClosingTime;
  readonly equalities: readonly { readonly left: number; readonly right: number }[];
  /** Over left columns, then right columns; null: none. */
  readonly residual: Scalar | null;
}

/**
 * Inner join with bounds on event time: left.time is within [right.time + lowerMs,
 * right.time + upperMs]. State is dropped when the watermark has passed what could still match.
 */
export interface IntervalJoinNode extends NodeBase {
  readonly kind: "intervalJoin";
  readonly left: PlanNode;
  readonly right: PlanNode;
  readonly joinType: "inner" | "left" | "right" | "full";
  readonly leftTime: number;
  readonly rightTime: number;
  /**
   * How far a row's time may lie behind the watermark before which it came: 0 for an event time,
   * the window's length where the time is a window_start.
   */
  readonly leftLagMs: number;
  readonly rightLagMs: number;
  readonly lowerMs: number;
  readonly upperMs: number;
  readonly equalities: readonly { readonly left: number; readonly right: number }[];
  readonly residual: Scalar | null;
}

/**
 * ROW_NUMBER() OVER (PARTITION BY window_start, window_end, keys ORDER BY …) ≤ limit: window Top-N,
 * and deduplication with limit 1. Output: input columns, then rank if it is selected.
 */
export interface WindowRankNode extends NodeBase {
  readonly kind: "windowRank";
  readonly input: PlanNode;
  readonly window: readonly [start: number, end: number];
  readonly windowTime: ClosingTime;
  readonly partitionBy: readonly number[];
  readonly orderBy: readonly SortKey[];
  /** Ranks kept, both inclusive, from 1. */
  readonly from: number;
  readonly to: number;
  readonly withRank: boolean;
}

export interface SortKey {
  readonly column: number;
  readonly descending: boolean;
  readonly nullsFirst: boolean;
}

export interface UnionNode extends NodeBase {
  readonly kind: "union";
  readonly inputs: readonly PlanNode[];
}

/** ORDER BY and LIMIT of a bounded query; a continuous query has none on top. */
export interface SortNode extends NodeBase {
  readonly kind: "sort";
  readonly input: PlanNode;
  readonly orderBy: readonly SortKey[];
  readonly limit: number | null;
  readonly skip: number;
}

export type PlanNode =
  | SourceNode
  | ValuesNode
  | CalcNode
  | WindowAssignNode
  | WindowAggregateNode
  | GroupAggregateNode
  | WindowJoinNode
  | IntervalJoinNode
  | WindowRankNode
  | UnionNode
  | SortNode;

/** A query with where its rows go. */
export interface QueryPlan {
  readonly root: PlanNode;
  /** Statement text as it was given, for EXPLAIN and the catalog. */
  readonly text: string;
  readonly timeZone: string;
}
