/**
 * GROUP BY over session windows: per key, a session takes every row that is at most a gap away, and
 * comes out when the watermark has passed its end. With an allowed lateness it still takes rows
 * then: what came out is taken back, and comes out anew.
 */
import { lowerCast } from "../functions/cast.ts";
import { SessionState } from "../kernel/session.ts";
import type { SpillSpace } from "../kernel/spill-space.ts";
import type { StateResult } from "../kernel/state.ts";
import { RowTable } from "../memory/row-table.ts";
import type { WindowAggregateNode } from "../plan/plan.ts";
import type { SqliteDatabase } from "../sqlite/database.ts";
import type { SqliteHost } from "../sqlite/host.ts";
import { endOfTime, noTime } from "../time/event-time.ts";
import { ChangedRows } from "./changed-rows.ts";
import {
  Operator,
  type OperatorContext,
  type Rows,
  type StatePart,
  sideRowOf,
} from "./operator.ts";
import {
  boundColumn,
  columnName,
  hiddenIndex,
  type RowLayout,
  tableColumns,
} from "./row-layout.ts";
import { RowReader } from "./row-reader.ts";
import { kernelPart, numberPart } from "./state-part.ts";
import { refuseOverflow } from "./sum-overflow.ts";
import type { WindowTime } from "./window-time.ts";

export interface SessionAggregateOptions {
  readonly name: string;
  readonly node: WindowAggregateNode;
  readonly gapMs: number;
  readonly time: WindowTime;
  readonly host: SqliteHost;
  readonly database: SqliteDatabase;
  readonly context: OperatorContext;
  readonly seed: bigint;
  readonly stateBytesMax: number;
  readonly spill?: SpillSpace;
}

export class SessionAggregateOperator extends Operator {
  readonly layout: RowLayout;
  readonly #options: SessionAggregateOptions;
  readonly #input: RowLayout;
  readonly #state: SessionState;
  readonly #rows: ChangedRows;
  readonly #result: RowTable;
  /** Shows start and end as the wall of the time zone did; null: as they are. */
  readonly #walls: RowReader | null;
  readonly #boundIndex: number;
  readonly #part: StatePart;
  /** Greatest end of a session that a row made: an upper bound while one is open. */
  #lastEnd = noTime;

  constructor(input: Operator, options: SessionAggregateOptions) {
    super([input]);
    const { node, host } = options;
    this.#options = options;
    this.#input = input.layout;
    this.layout = {
      ...{ columns: node.columns, hasOrigin: false },
      hasWeight: node.allowedLatenessMs > 0,
    };
    this.#boundIndex = hiddenIndex(input.layout, boundColumn);
    this.#state = new SessionState(host, {
      spec: {
        input: tableColumns(input.layout).map(({ kind }) => kind),
        keys: node.keys,
        accumulators: node.accumulators,
      },
      gapMs: options.gapMs,
      allowedLatenessMs: node.allowedLatenessMs,
      seed: options.seed,
      bytesMax: options.stateBytesMax,
      spill: options.spill,
    });
    this.#rows = new ChangedRows(host.memory, this.layout);
    this.#result = new RowTable(host.memory, this.#state.resultKinds);
    this.#walls = options.time.zone === null ? null : this.#wallReader(options.time.zone);
    this.#part = kernelPart(options.name, this.#state);
  }

  #wallReader(timeZone: string): RowReader {
    const { database, name } = this.#options;
    const kinds = this.#state.resultKinds;
    const count = kinds.length - 3;
    const wall = (index: number) =>
      lowerCast(columnName(index), {
        ...{ from: { kind: "timestampLtz" }, to: { kind: "timestamp" }, isTry: false, timeZone },
      });
    const own = Array.from({ length: count }, (_, index) => columnName(index));
    const columns = [...own, wall(count), wall(count + 1), columnName(count + 2)];
    return new RowReader(database, {
      ...{ name, kinds },
      columns: kinds.map((kind, index) => ({ name: columnName(index), kind })),
      sql: (table) => `SELECT ${columns.join(", ")} FROM ${table}`,
    });
  }

  push(_input: number, rows: Rows): void {
    const { time, host, context } = this.#options;
    const { floor, ceiling } = this.boundOf(rows.origin);
    const hasBound =
      !time.isProcessing && this.#boundIndex >= 0 && rows.origin !== null && ceiling === endOfTime;
    const late = this.#state.add({
      ...{ table: rows.table, timeColumn: time.column },
      watermarkMs: time.isProcessing ? Number.NEGATIVE_INFINITY : floor,
      ...(hasBound && { boundColumn: this.#boundIndex }),
    });
    for (let index = 0; index < late.rowCount; index++) {
      const row = host.memory.readUint32(late.selection + 4 * index);
      const reason = "late: the session that it belongs to has ended";
      context.onLate(sideRowOf(this.#input, rows, row, reason));
    }
    const seen = time.isProcessing ? context.now() : (rows.origin?.greatest ?? floor);
    this.#lastEnd = Math.max(this.#lastEnd, seen + this.#options.gapMs);
  }

  /** Sessions that a late row has made longer come out anew, at the latest with the commit. */
  override flush(): void {
    if (this.#options.node.allowedLatenessMs > 0) this.#closeUntil(this.watermark);
  }

  override onTime(publishedAt: number): void {
    if (this.#options.time.isProcessing) this.#closeUntil(publishedAt);
  }

  protected override onWatermark(): void {
    if (this.#options.time.isProcessing && !this.hasEnded) return;
    this.#closeUntil(this.watermark);
  }

  #closeUntil(until: number): void {
    const { closed, taken } = this.#state.close(until);
    refuseOverflow(closed);
    this.#show(taken, -1);
    this.#show(closed, 1);
    this.#state.settle();
    if (this.#lastEnd <= until) this.#lastEnd = noTime;
  }

  #show(result: StateResult, weight: 1 | -1): void {
    if (result.rowCount === 0) return;
    if (this.#walls === null) {
      this.emit({ table: this.#rows.show(result, weight), origin: null });
      return;
    }
    this.#result.pointToAddress(result.address);
    const rows = this.#walls.read(this.#result, (_, error) => {
      throw error;
    });
    this.emit({ table: this.#rows.show(rows, weight), origin: null });
  }

  override get lastWindowEnd(): number {
    return this.#options.time.isProcessing ? noTime : this.#lastEnd;
  }

  override get nextTickAt(): number | undefined {
    const { time } = this.#options;
    return time.isProcessing && this.#lastEnd !== noTime ? this.#lastEnd : undefined;
  }

  override get state(): readonly StatePart[] {
    return [
      this.#part,
      numberPart(`${this.#part.name}.end`, {
        get: () => this.#lastEnd,
        set: (value) => {
          this.#lastEnd = value;
        },
      }),
    ];
  }
}
