/**
 * GROUP BY over windows that the rows bring with them: aggregates over a window aggregate, or over a
 * window table function. A window is a pane of one millisecond at its end.
 */
import { AggregateState } from "../kernel/aggregate.ts";
import { RowTable } from "../memory/row-table.ts";
import type { WindowAggregateNode } from "../plan/plan.ts";
import type { SqliteDatabase } from "../sqlite/database.ts";
import { noTime } from "../time/event-time.ts";
import { Operator, type OperatorContext, type Rows, type StatePart } from "./operator.ts";
import { columnName, type RowLayout, tableColumns } from "./row-layout.ts";
import { RowReader } from "./row-reader.ts";
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
}

export class AssignedAggregateOperator extends Operator {
  readonly layout: RowLayout;
  readonly #endColumn: number;
  readonly #time: WindowTime;
  readonly #state: AggregateState;
  readonly #result: RowTable;
  readonly #reader: RowReader;
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
    });
    const kinds = this.#state.resultKinds;
    this.#result = new RowTable(database.host.memory, kinds);
    const keyCount = node.keys.length;
    const column = (index: number) => columnName(index);
    const values = [
      ...node.keys.map((_, index) => column(index)),
      ...node.accumulators.map((_, index) => column(keyCount + 1 + index)),
    ];
    const end = column(keyCount + 1 + node.accumulators.length);
    const windows = [column(keyCount), end, `${end} - 1`];
    this.#reader = new RowReader(database, {
      name: options.name,
      columns: kinds.map((kind, index) => ({ name: column(index), kind })),
      sql: (table) => `SELECT ${[...values, ...windows].join(", ")} FROM ${table}`,
      kinds: tableColumns(this.layout).map(({ kind }) => kind),
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
      const result = this.#state.merge({ startMs: end, endMs: end + 1 });
      try {
        refuseOverflow(result);
        this.#result.pointToAddress(result.address);
        const table = this.#reader.read(this.#result, (_, error) => {
          throw error;
        });
        this.emit({ table, origin: null });
      } finally {
        result.free();
      }
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
