/**
 * Parts the rows of a push into those whose windows are still open, if only the last of them, and
 * late ones, which leave the query on the side (DESIGN, "Late"). Where windows begin at wall times
 * it also gives the time column as the wall shows it; zones have no kernel.
 */
import { lateSplit } from "../kernel/lateness.ts";
import { RowBuffer } from "../kernel/row-buffer.ts";
import { integerAt, rowAt } from "../memory/row-access.ts";
import { RowTable } from "../memory/row-table.ts";
import type { GridSpec } from "../plan/plan.ts";
import type { SqliteHost } from "../sqlite/host.ts";
import { endOfTime } from "../time/event-time.ts";
import { type OperatorContext, type Rows, sideRowOf } from "./operator.ts";
import { boundColumn, hiddenIndex, type RowLayout, tableColumns } from "./row-layout.ts";
import { lastEndOf } from "./window-grid.ts";
import type { WindowTime } from "./window-time.ts";

export interface LateRowsOptions {
  readonly host: SqliteHost;
  readonly layout: RowLayout;
  readonly spec: GridSpec;
  readonly time: WindowTime;
  readonly context: OperatorContext;
  readonly allowedLatenessMs: number;
}

/** What bounds lateness beside a row's own `$bound`: see `Operator.boundOf`. */
export interface LateBound {
  readonly floor: number;
  readonly ceiling: number;
}

export class LateRows {
  readonly #options: LateRowsOptions;
  readonly #boundIndex: number;
  readonly #kept: RowTable;
  readonly #selection: RowBuffer;
  readonly #late: RowBuffer;
  readonly #wallTimes: RowBuffer;

  constructor(options: LateRowsOptions) {
    this.#options = options;
    const { memory } = options.host;
    this.#boundIndex = hiddenIndex(options.layout, boundColumn);
    this.#kept = new RowTable(
      memory,
      tableColumns(options.layout).map(({ kind }) => kind),
    );
    this.#selection = new RowBuffer(memory);
    this.#late = new RowBuffer(memory);
    this.#wallTimes = new RowBuffer(memory);
  }

  /** The rows that are in time; valid until the next call, and as long as `rows` are. */
  split(rows: Rows, bound: LateBound): RowTable {
    const { time } = this.#options;
    if (time.isProcessing) return rows.table;
    this.#kept.pointToAddress(rows.table.address);
    if (time.zone !== null) this.#showWallTimes(rows.table);
    if (time.zone === null && bound.ceiling === endOfTime) this.#selectByKernel(rows, bound);
    else this.#selectPlainly(rows, bound);
    return this.#kept;
  }

  #selectByKernel(rows: Rows, { floor }: LateBound): void {
    const { time, spec, allowedLatenessMs, host } = this.#options;
    const kept = this.#kept;
    const keep = this.#selection.reserve(4 * kept.rowCount);
    const late = this.#late.reserve(4 * kept.rowCount);
    const hasBound = this.#boundIndex >= 0 && rows.origin !== null;
    const { keptCount, lateCount } = lateSplit(host, {
      ...{ table: kept, timeColumn: time.column, window: spec, allowedLatenessMs, keep, late },
      watermarkMs: floor,
      ...(hasBound && { boundColumn: this.#boundIndex }),
    });
    if (lateCount === 0) return;
    for (let index = 0; index < lateCount; index++) {
      const row = host.memory.readUint32(late + 4 * index);
      this.#tell(rows, row);
    }
    kept.setRows({ rowCount: keptCount, selection: keep });
  }

  #selectPlainly(rows: Rows, { floor, ceiling }: LateBound): void {
    const { time, spec, allowedLatenessMs } = this.#options;
    const kept = this.#kept;
    const { rowCount, memory } = kept;
    const selection = this.#selection.reserve(4 * rowCount);
    const hasBound = this.#boundIndex >= 0 && rows.origin !== null;
    let count = 0;
    for (let index = 0; index < rowCount; index++) {
      const timeMs = Number(integerAt(kept, time.column, index));
      const own = hasBound ? Number(integerAt(kept, this.#boundIndex, index)) : floor;
      const until = Math.max(floor, Math.min(own, ceiling));
      const end = time.momentOf(lastEndOf(spec, timeMs));
      if (until === endOfTime || end + allowedLatenessMs > until) {
        memory.writeUint32(selection + 4 * count++, rowAt(rows.table, index));
      } else this.#tell(rows, rowAt(rows.table, index));
    }
    kept.setRows({ rowCount: count, selection });
  }

  #tell(rows: Rows, row: number): void {
    const { layout, context } = this.#options;
    context.onLate(sideRowOf(layout, rows, row, "late: all of its windows have ended"));
  }

  #showWallTimes(table: RowTable): void {
    const { time } = this.#options;
    const { memory, rowCount } = table;
    let rowMax = -1;
    for (let index = 0; index < rowCount; index++) rowMax = Math.max(rowMax, rowAt(table, index));
    const values = this.#wallTimes.reserve(8 * (rowMax + 1));
    for (let index = 0; index < rowCount; index++) {
      const wall = time.wallOf(Number(integerAt(table, time.column, index)));
      memory.view.setBigInt64(values + 8 * rowAt(table, index), BigInt(wall), true);
    }
    this.#kept.point(time.column, { values });
  }
}
