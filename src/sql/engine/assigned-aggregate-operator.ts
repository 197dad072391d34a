/**
 * GROUP BY over windows that the rows bring with them: aggregates over a window aggregate, or over
 * a window table function. A window is a pane of one millisecond at its end.
 */
import { AggregateState } from "../kernel/aggregate.ts";
import type { SpillSpace } from "../kernel/spill-space.ts";
import type { WindowAggregateNode } from "../plan/plan.ts";
import type { SqliteDatabase } from "../sqlite/database.ts";
import { noTime } from "../time/event-time.ts";
import { AssignedReader } from "./assigned-reader.ts";
import { Operator, type OperatorContext, type Rows, type StatePart } from "./operator.ts";
import { type RowLayout, tableColumns } from "./row-layout.ts";
import { kernelPart } from "./state-part.ts";
import { refuseOverflow } from "./sum-overflow.ts";
import type { WindowTime } from "./window-time.ts";

export interface AssignedAggregateOptions {
  readonly name: string;
  readonly node: WindowAggregateNode;
  readonly startColumn: number;
  readonly endColumn: number;
  readonly time: WindowTime;
  readonly database: SqliteDatabase;
  readonly context: OperatorContext;
  readonly seed: bigint;
  readonly stateBytesMax: number;
  readonly spill?: SpillSpace;
}

export class AssignedAggregateOperator extends Operator {
  readonly layout: RowLayout;
  readonly #endColumn: number;
  readonly #time: WindowTime;
  readonly #state: AggregateState;
  readonly #reader: AssignedReader;
  readonly #part: StatePart;

  constructor(input: Operator, options: AssignedAggregateOptions) {
    super([input]);
    const { node, database, startColumn, endColumn } = options;
    this.layout = { columns: node.columns, hasOrigin: false, hasWeight: false };
    this.#endColumn = endColumn;
    this.#time = options.time;
    this.#state = new AggregateState(database.host, {
      spec: {
        input: tableColumns(input.layout).map(({ kind }) => kind),
        // Windows that end together may begin apart: CUMULATE over another CUMULATE's rows.
        keys: [...node.keys, startColumn],
        accumulators: node.accumulators,
        isRetractable: false,
        tracksChanges: false,
      },
      panes: { sizeMs: 1, offsetMs: 0 },
      seed: options.seed,
      bytesMax: options.stateBytesMax,
      spill: options.spill,
      cold: options,
    });
    this.#reader = new AssignedReader(database, {
      name: options.name,
      keyCount: node.keys.length,
      accumulatorCount: node.accumulators.length,
      resultKinds: this.#state.resultKinds,
      outputKinds: tableColumns(this.layout).map(({ kind }) => kind),
    });
    this.#part = kernelPart(options.name, this.#state);
  }

  push(_input: number, { table }: Rows): void {
    this.#state.add({ table, timeColumn: this.#endColumn });
  }

  override onTime(publishedAt: number): void {
    if (this.#time.isProcessing) this.#closeUntil(publishedAt);
  }

  protected override onWatermark(): void {
    if (this.#time.isProcessing && !this.hasEnded) return;
    this.#closeUntil(this.watermark);
  }

  #closeUntil(until: number): void {
    for (;;) {
      const end = this.#state.paneStart(0);
      if (end === undefined || this.#time.momentOf(end) > until) return;
      this.#state.close({ startMs: end, endMs: end + 1 }, (result) => {
        refuseOverflow(result);
        this.emit({ table: this.#reader.read(result), origin: null });
      });
      this.#state.dropBefore(end + 1);
    }
  }

  override get lastWindowEnd(): number {
    const last = this.#state.paneStarts().at(-1);
    return last === undefined || this.#time.isProcessing ? noTime : this.#time.momentOf(last);
  }

  override get nextTickAt(): number | undefined {
    return this.#time.isProcessing ? this.#state.paneStart(0) : undefined;
  }

  override get state(): readonly StatePart[] {
    return [this.#part];
  }
}
