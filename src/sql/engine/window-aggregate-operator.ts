/**
 * GROUP BY over TUMBLE, HOP and CUMULATE windows that come out once, when the watermark passes
 * their end. Rows go into panes; a window that closes is its panes merged. Windows close in the
 * order of their ends, their groups stand in the order in which they first appeared, and a window
 * without rows never comes out, so that results depend on the log alone.
 */
import { AggregateState, paneSpecOf } from "../kernel/aggregate.ts";
import type { SpillSpace } from "../kernel/spill-space.ts";
import type { RowTable } from "../memory/row-table.ts";
import type { GridSpec, WindowAggregateNode } from "../plan/plan.ts";
import type { SqliteDatabase } from "../sqlite/database.ts";
import type { SqliteHost } from "../sqlite/host.ts";
import { noTime } from "../time/event-time.ts";
import { ChangedRows } from "./changed-rows.ts";
import { LateRows } from "./late-rows.ts";
import { Operator, type OperatorContext, type Rows, type StatePart } from "./operator.ts";
import { type RowLayout, tableColumns } from "./row-layout.ts";
import { kernelPart, numberPart } from "./state-part.ts";
import { refuseOverflow } from "./sum-overflow.ts";
import { lastEndOf, neededFrom, type WindowBounds, windowEndingAfter } from "./window-grid.ts";
import type { WindowTime } from "./window-time.ts";

export interface WindowAggregateOptions {
  readonly name: string;
  readonly node: WindowAggregateNode;
  readonly spec: GridSpec;
  readonly time: WindowTime;
  readonly database: SqliteDatabase;
  readonly host: SqliteHost;
  readonly context: OperatorContext;
  readonly seed: bigint;
  readonly stateBytesMax: number;
  readonly spill?: SpillSpace;
}

export class WindowAggregateOperator extends Operator {
  readonly layout: RowLayout;
  readonly #spec: GridSpec;
  readonly #time: WindowTime;
  readonly #late: LateRows;
  readonly #state: AggregateState;
  readonly #rows: ChangedRows;
  /** A slot for the window_time of the window that closes. */
  readonly #windowTime: number;
  readonly #part: StatePart;
  /** Processing time up to which windows have come out. */
  #passed = noTime;

  constructor(input: Operator, options: WindowAggregateOptions) {
    super([input]);
    const { node, host, spec, time } = options;
    this.layout = { columns: node.columns, hasOrigin: false, hasWeight: false };
    this.#spec = spec;
    this.#time = time;
    const { allowedLatenessMs } = node;
    this.#late = new LateRows({ ...options, layout: input.layout, allowedLatenessMs });
    this.#state = new AggregateState(host, {
      spec: {
        input: [...tableColumns(input.layout).map(({ kind }) => kind)],
        keys: node.keys,
        accumulators: node.accumulators,
        isRetractable: false,
        tracksChanges: false,
      },
      panes: paneSpecOf(spec),
      seed: options.seed,
      bytesMax: options.stateBytesMax,
      spill: options.spill,
      cold: options,
    });
    this.#rows = new ChangedRows(host.memory, this.layout);
    this.#windowTime = host.memory.allocateZeroed(8);
    this.#part = kernelPart(options.name, this.#state);
  }

  push(_input: number, rows: Rows): void {
    const table = this.#late.split(rows, this.boundOf(rows.origin));
    if (table.rowCount === 0) return;
    this.#state.add({ table, timeColumn: this.#time.column });
  }

  override onTime(publishedAt: number): void {
    if (!this.#time.isProcessing) return;
    this.#closeBetween(this.#passed, publishedAt);
    this.#passed = publishedAt;
  }

  protected override onWatermark(before: number): void {
    if (this.#time.isProcessing && !this.hasEnded) return;
    this.#closeBetween(this.#time.isProcessing ? this.#passed : before, this.watermark);
  }

  /** Closes, one by one, the windows with rows that end after `before` and by `until`. */
  #closeBetween(before: number, until: number): void {
    let closed = noTime;
    for (;;) {
      const oldest = this.#state.paneStart(0);
      if (oldest === undefined) return;
      const window = windowEndingAfter(this.#spec, Math.max(oldest, closed));
      const end = this.#time.momentOf(window.endMs);
      if (end > until) return;
      // One that ended before was closed then: its panes are there for later windows only.
      if (end > before) this.#close(window);
      this.#state.dropBefore(neededFrom(this.#spec, window));
      closed = window.endMs;
    }
  }

  #close(window: WindowBounds): void {
    this.#state.close(window, (result) => {
      refuseOverflow(result);
      const table = this.#rows.show(result, 1);
      if (this.#time.zone !== null) this.#pointWindowTime(table, window);
      this.emit({ table, origin: null });
    });
  }

  /** window_time is an instant, where start and end are times on the wall. */
  #pointWindowTime(table: RowTable, { endMs }: WindowBounds): void {
    const time = this.#time.momentOf(endMs) - 1;
    table.memory.view.setBigInt64(this.#windowTime, BigInt(time), true);
    table.point(this.layout.columns.length - 1, { values: this.#windowTime, stride: 0 });
  }

  override get lastWindowEnd(): number {
    const starts = this.#state.paneStarts();
    const last = starts.at(-1);
    if (last === undefined || this.#time.isProcessing) return noTime;
    return this.#time.momentOf(lastEndOf(this.#spec, last));
  }

  override get nextTickAt(): number | undefined {
    const oldest = this.#state.paneStart(0);
    if (oldest === undefined || !this.#time.isProcessing) return undefined;
    const { endMs } = windowEndingAfter(this.#spec, oldest);
    return this.#time.momentOf(endMs);
  }

  override get state(): readonly StatePart[] {
    if (!this.#time.isProcessing) return [this.#part];
    const passed = numberPart(`${this.#part.name}.passed`, {
      get: () => this.#passed,
      set: (value) => {
        this.#passed = value;
      },
    });
    return [this.#part, passed];
  }
}
