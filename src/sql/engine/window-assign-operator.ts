/**
 * A window table function whose rows are used one by one: each row comes out once per window that
 * it is in, with the window's start, end and time behind its own columns. Rows whose windows have
 * all ended are late.
 */
import { assignWindows, countWindows } from "../kernel/lateness.ts";
import { RowBuffer } from "../kernel/row-buffer.ts";
import { pickColumns } from "../memory/row-access.ts";
import { RowTable } from "../memory/row-table.ts";
import type { GridSpec, PlanColumn } from "../plan/plan.ts";
import type { SqliteDatabase } from "../sqlite/database.ts";
import { quoteName } from "../sqlite/quote.ts";
import { noTime } from "../time/event-time.ts";
import { LateRows } from "./late-rows.ts";
import { Operator, type OperatorContext, type Rows } from "./operator.ts";
import { hiddenNames, type RowLayout, tableColumns } from "./row-layout.ts";
import { RowReader } from "./row-reader.ts";
import type { WindowTime } from "./window-time.ts";

export interface WindowAssignOptions {
  readonly name: string;
  /** Of the output: the input's, then window_start, window_end, window_time. */
  readonly columns: readonly PlanColumn[];
  readonly spec: GridSpec;
  readonly time: WindowTime;
  readonly allowedLatenessMs: number;
  readonly database: SqliteDatabase;
  readonly context: OperatorContext;
}

const slot = 8;

/** Addresses of a row number and its window's times, side by side. */
interface Places {
  readonly rows: number;
  readonly starts: number;
  readonly ends: number;
  readonly times: number;
}

export class WindowAssignOperator extends Operator {
  readonly layout: RowLayout;
  readonly #options: WindowAssignOptions;
  readonly #late: LateRows;
  readonly #reader: RowReader;
  readonly #output: RowTable;
  /** Of each output column but the windows' its place in the input. */
  readonly #picked: readonly number[];
  readonly #selected: RowTable;
  readonly #rows: RowBuffer;
  readonly #starts: RowBuffer;
  readonly #ends: RowBuffer;
  readonly #times: RowBuffer;

  constructor(input: Operator, options: WindowAssignOptions) {
    super([input]);
    this.#options = options;
    const { database, columns } = options;
    const { host } = database;
    this.layout = { ...input.layout, columns };
    this.#late = new LateRows({ ...options, host, layout: input.layout });
    const inputColumns = tableColumns(input.layout);
    const kinds = inputColumns.map(({ kind }) => kind);
    this.#reader = new RowReader(database, {
      ...{ name: options.name, columns: inputColumns, kinds },
      sql: (table) =>
        `SELECT ${inputColumns.map(({ name }) => quoteName(name)).join(", ")} FROM ${table}`,
    });
    this.#selected = new RowTable(host.memory, kinds);
    this.#output = new RowTable(
      host.memory,
      tableColumns(this.layout).map(({ kind }) => kind),
    );
    const own = input.layout.columns.length;
    const hidden = hiddenNames(input.layout).map((_, index) => own + index);
    const windows = [0, 0, 0];
    this.#picked = [...input.layout.columns.keys(), ...windows, ...hidden];
    const buffer = () => new RowBuffer(host.memory);
    this.#rows = buffer();
    this.#starts = buffer();
    this.#ends = buffer();
    this.#times = buffer();
  }

  push(_input: number, rows: Rows): void {
    const { time, spec, database } = this.#options;
    const { host } = database;
    const table = this.#late.split(rows, this.boundOf(rows.origin));
    if (table.rowCount === 0) return;
    const timed = { table, timeColumn: time.column, window: spec };
    const all = countWindows(host, timed);
    const place = {
      rows: this.#rows.reserve(4 * all),
      starts: this.#starts.reserve(slot * all),
      ends: this.#ends.reserve(slot * all),
      times: this.#times.reserve(slot * all),
    };
    assignWindows(host, timed, place);
    const count = this.#leaveOutEnded(all, place);
    if (count === 0) return;
    if (time.zone !== null) this.#toMoments(count, place);
    this.#selected.pointToAddress(rows.table.address);
    this.#selected.setRows({ rowCount: count, selection: place.rows });
    // Windows stand side by side with rows: those that are chosen or repeated are copied so.
    const isWhole = all === table.rowCount && count === all && table.selection === 0;
    const source = isWhole
      ? rows.table
      : this.#reader.read(this.#selected, (_, error) => {
          throw error;
        });
    pickColumns(this.#output, source.address, this.#picked);
    const first = this.#options.columns.length - 3;
    this.#output.point(first, { values: place.starts });
    this.#output.point(first + 1, { values: place.ends });
    this.#output.point(first + 2, { values: place.times });
    this.emit({ table: this.#output, origin: rows.origin });
  }

  /**
   * A row that is in time for its last window may come too late for others: those have been closed,
   * and must not come out again with this row alone. Gives how many are left.
   */
  #leaveOutEnded(count: number, place: Places): number {
    const { time, spec, allowedLatenessMs, database } = this.#options;
    // A row of TUMBLE has one window, and is late when that is over.
    const hasOne = spec.kind === "tumble";
    if (hasOne || time.isProcessing || this.watermark === noTime) return count;
    const { memory } = database.host;
    const { view } = memory;
    const move = (at: number, from: number, to: number) =>
      memory.bytes.copyWithin(at + slot * to, at + slot * from, at + slot * (from + 1));
    let kept = 0;
    for (let index = 0; index < count; index++) {
      const end = time.momentOf(Number(view.getBigInt64(place.ends + slot * index, true)));
      if (end + allowedLatenessMs <= this.watermark) continue;
      if (kept < index) {
        view.setUint32(place.rows + 4 * kept, view.getUint32(place.rows + 4 * index, true), true);
        for (const at of [place.starts, place.ends, place.times]) move(at, index, kept);
      }
      kept += 1;
    }
    return kept;
  }

  /** window_time is an instant, where windows end at wall times. */
  #toMoments(count: number, place: { readonly ends: number; readonly times: number }): void {
    const { time, database } = this.#options;
    const { view } = database.host.memory;
    for (let index = 0; index < count; index++) {
      const end = Number(view.getBigInt64(place.ends + slot * index, true));
      const moment = BigInt(time.momentOf(end) - 1);
      view.setBigInt64(place.times + slot * index, moment, true);
    }
  }
}
