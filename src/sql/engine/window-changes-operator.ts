/**
 * GROUP BY over windows whose results change after they came out: EMIT CHANGES and PERIODIC show
 * windows that are still open, ALLOWED LATENESS corrects windows that have closed. Rows bring their
 * windows with them; a group that changed is taken back as it was and added as it is.
 */
import { AggregateState } from "../kernel/aggregate.ts";
import type { SpillSpace } from "../kernel/spill-space.ts";
import type { StateResult } from "../kernel/state.ts";
import type { WindowAggregateNode } from "../plan/plan.ts";
import type { SqliteDatabase } from "../sqlite/database.ts";
import { noTime } from "../time/event-time.ts";
import { AssignedReader } from "./assigned-reader.ts";
import { ChangedRows } from "./changed-rows.ts";
import { Operator, type OperatorContext, type Rows, type StatePart } from "./operator.ts";
import { type RowLayout, tableColumns } from "./row-layout.ts";
import { kernelPart } from "./state-part.ts";
import { refuseOverflow } from "./sum-overflow.ts";
import type { WindowTime } from "./window-time.ts";

export interface WindowChangesOptions {
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

export class WindowChangesOperator extends Operator {
  readonly layout: RowLayout;
  readonly #options: WindowChangesOptions;
  readonly #state: AggregateState;
  readonly #reader: AssignedReader;
  readonly #rows: ChangedRows;
  readonly #part: StatePart;
  /** Windows that end by it have come out: their changes are corrections. */
  #closed = noTime;

  constructor(input: Operator, options: WindowChangesOptions) {
    super([input]);
    const { node, database, startColumn } = options;
    this.#options = options;
    this.layout = { columns: node.columns, hasOrigin: false, hasWeight: true };
    this.#state = new AggregateState(database.host, {
      spec: {
        input: tableColumns(input.layout).map(({ kind }) => kind),
        keys: [...node.keys, startColumn],
        accumulators: node.accumulators,
        isRetractable: false,
        tracksChanges: true,
      },
      panes: { sizeMs: 1, offsetMs: 0 },
      seed: options.seed,
      bytesMax: options.stateBytesMax,
      spill: options.spill,
    });
    this.#reader = new AssignedReader(database, {
      name: options.name,
      keyCount: node.keys.length,
      accumulatorCount: node.accumulators.length,
      resultKinds: this.#state.resultKinds,
      outputKinds: tableColumns({ ...this.layout, hasWeight: false }).map(({ kind }) => kind),
    });
    this.#rows = new ChangedRows(database.host.memory, this.layout);
    this.#part = kernelPart(options.name, this.#state);
  }

  push(_input: number, { table }: Rows): void {
    this.#state.add({ table, timeColumn: this.#options.endColumn });
  }

  override flush(): void {
    this.#showChanges();
  }

  protected override onWatermark(): void {
    if (this.#options.time.isProcessing && !this.hasEnded) return;
    this.#closeUntil(this.watermark);
  }

  override onTime(publishedAt: number): void {
    if (this.#options.time.isProcessing) this.#closeUntil(publishedAt);
  }

  get #isFinal(): boolean {
    return this.#options.node.emit.mode === "final";
  }

  /** Shows what changed: of all windows, or (EMIT FINAL) of those that came out before. */
  #showChanges(): void {
    const starts = this.#state.paneStarts();
    for (const [pane, end] of starts.entries()) {
      if (this.#isFinal && this.#options.time.momentOf(end) > this.#closed) break;
      const changes = this.#state.changes(pane);
      if (changes === null) continue;
      this.#show(changes.before, -1);
      this.#show(changes.after, 1);
    }
    this.#state.settle();
  }

  /** Windows that end by `until` come out; those whose lateness has passed too are forgotten. */
  #closeUntil(until: number): void {
    const ends = this.#state.paneStarts();
    const isNews = ends.some((end) => this.#closesNow(end, until));
    if (isNews || ends.some((end) => this.#isOver(end, until))) this.#showChanges();
    if (this.#isFinal) {
      for (const end of ends.filter((each) => this.#closesNow(each, until))) {
        const result = this.#state.merge({ startMs: end, endMs: end + 1 });
        try {
          refuseOverflow(result);
          this.#show(result, 1);
        } finally {
          result.free();
        }
      }
    }
    this.#closed = Math.max(this.#closed, until);
    const over = ends.filter((end) => this.#isOver(end, until)).at(-1);
    if (over !== undefined) this.#state.dropBefore(over + 1);
  }

  #closesNow(end: number, until: number): boolean {
    const moment = this.#options.time.momentOf(end);
    return moment <= until && moment > this.#closed;
  }

  #isOver(end: number, until: number): boolean {
    const { time, node } = this.#options;
    return time.momentOf(end) + node.allowedLatenessMs <= until;
  }

  #show(result: StateResult, weight: 1 | -1): void {
    if (result.rowCount === 0) return;
    const rows = this.#reader.read(result);
    const table = this.#rows.show({ address: rows.address, kinds: rows.kinds }, weight);
    this.emit({ table, origin: null });
  }

  override get lastWindowEnd(): number {
    const { time } = this.#options;
    const last = this.#state.paneStarts().at(-1);
    return last === undefined || time.isProcessing ? noTime : time.momentOf(last);
  }

  override get nextTickAt(): number | undefined {
    return this.#options.time.isProcessing ? this.#state.paneStart(0) : undefined;
  }

  override resume(watermarkOf: (operator: Operator) => number): void {
    super.resume(watermarkOf);
    this.#closed = this.watermark;
  }

  override get state(): readonly StatePart[] {
    return [this.#part];
  }
}
