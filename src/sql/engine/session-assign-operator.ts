/**
 * SESSION as a table: rows used one by one, each with the session that it came to be in. Rows are
 * kept until their session closes, since one that comes between two makes them one; they come out
 * by the ends of their sessions, and within one as they came.
 *
 * The kernel knows the sessions and which rows are late; SQLite has the rows. What must hold: a row
 * that the kernel took lies in exactly one session of its key, from its start to a gap before its
 * end, so that it is found by its key and its time.
 */
import { assert } from "../../base/assert.ts";
import { lowerCast } from "../functions/cast.ts";
import { RowBuffer } from "../kernel/row-buffer.ts";
import { type RowSelection, SessionState } from "../kernel/session.ts";
import type { SpillSpace } from "../kernel/spill-space.ts";
import { rowAt } from "../memory/row-access.ts";
import { RowTable } from "../memory/row-table.ts";
import type { WindowAssignNode } from "../plan/plan.ts";
import { Collector } from "../sqlite/collector.ts";
import type { SqliteDatabase } from "../sqlite/database.ts";
import { quoteName } from "../sqlite/quote.ts";
import type { SqliteStatement } from "../sqlite/statement.ts";
import { declareTable, type VirtualTable } from "../sqlite/virtual-table.ts";
import { endOfTime, noTime } from "../time/event-time.ts";
import { KeptRows, namesOf } from "./kept-rows.ts";
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
import { kernelPart, numberPart } from "./state-part.ts";
import type { WindowTime } from "./window-time.ts";

export interface SessionAssignOptions {
  readonly name: string;
  readonly node: WindowAssignNode;
  readonly gapMs: number;
  readonly time: WindowTime;
  readonly database: SqliteDatabase;
  readonly context: OperatorContext;
  readonly seed: bigint;
  readonly stateBytesMax: number;
  readonly spill?: SpillSpace;
}

/** Sessions whose rows are collected before they go down. */
const sessionsMax = 1024;

export class SessionAssignOperator extends Operator {
  readonly layout: RowLayout;
  readonly #options: SessionAssignOptions;
  readonly #input: RowLayout;
  readonly #boundIndex: number;
  readonly #state: SessionState;
  readonly #part: StatePart;
  readonly #kept: KeptRows;
  readonly #closed: VirtualTable;
  readonly #shown: SqliteStatement;
  readonly #drop: SqliteStatement;
  readonly #result: Collector;
  /** The rows of a push that are not late. */
  readonly #inTime: RowTable;
  readonly #selection: RowBuffer;
  /** Greatest end of a session that a row made: an upper bound while one is open. */
  #lastEnd = noTime;

  constructor(input: Operator, options: SessionAssignOptions) {
    super([input]);
    assert(!input.layout.hasWeight, "sessions are of rows that are added only");
    const { node, database, name, time } = options;
    const { host } = database;
    this.#options = options;
    this.#input = input.layout;
    this.#boundIndex = hiddenIndex(input.layout, boundColumn);
    this.layout = { columns: node.columns, hasOrigin: false, hasWeight: false };
    const kinds = tableColumns(input.layout).map(({ kind }) => kind);
    this.#state = new SessionState(host, {
      spec: { input: kinds, keys: node.partitionBy, accumulators: [] },
      ...{ gapMs: options.gapMs, allowedLatenessMs: 0, seed: options.seed },
      ...{ bytesMax: options.stateBytesMax, spill: options.spill },
    });
    this.#part = kernelPart(name, this.#state);
    const indexed = [...node.partitionBy, time.column];
    this.#kept = new KeptRows(database, { name: `${name}_rows`, layout: input.layout, indexed });
    const closedName = `${name}_closed`;
    const columns = this.#state.resultKinds.map((kind, at) => ({ name: columnName(at), kind }));
    this.#closed = declareTable(database, closedName, columns);
    const tables = `${quoteName(closedName)} s CROSS JOIN ${this.#kept.sqlName} r`;
    const matches = `FROM ${tables} ON ${matchSql(options)}`;
    const keys = node.partitionBy.length;
    const order = `s.${columnName(keys + 1)}, s.${columnName(keys)}, r.seq`;
    const names = [...namesOf(input.layout.columns, "r"), ...boundsSql(options)];
    this.#shown = database.prepare(`SELECT ${names.join(", ")} ${matches} ORDER BY ${order}`);
    this.#drop = database.prepare(
      `DELETE FROM ${this.#kept.sqlName} WHERE seq IN (SELECT r.seq ${matches})`,
    );
    this.#result = new Collector(
      host,
      tableColumns(this.layout).map(({ kind }) => kind),
    );
    this.#inTime = new RowTable(host.memory, kinds);
    this.#selection = new RowBuffer(host.memory);
  }

  push(_input: number, rows: Rows): void {
    const { time, context } = this.#options;
    const { floor, ceiling } = this.boundOf(rows.origin);
    const isBounded = !time.isProcessing && rows.origin !== null && ceiling === endOfTime;
    const late = this.#state.add({
      ...{ table: rows.table, timeColumn: time.column },
      watermarkMs: time.isProcessing ? Number.NEGATIVE_INFINITY : floor,
      ...(isBounded && this.#boundIndex >= 0 && { boundColumn: this.#boundIndex }),
    });
    this.#keep(rows, late);
    const seen = time.isProcessing ? context.now() : (rows.origin?.greatest ?? floor);
    this.#lastEnd = Math.max(this.#lastEnd, seen + this.#options.gapMs);
  }

  #keep(rows: Rows, late: RowSelection): void {
    const { context, database } = this.#options;
    if (late.rowCount === 0) {
      this.#kept.add(rows.table);
      return;
    }
    const { memory } = database.host;
    const lateRows = new Set<number>();
    for (let index = 0; index < late.rowCount; index++) {
      lateRows.add(memory.readUint32(late.selection + 4 * index));
    }
    const selection = this.#selection.reserve(4 * rows.table.rowCount);
    let count = 0;
    for (let index = 0; index < rows.table.rowCount; index++) {
      const row = rowAt(rows.table, index);
      if (!lateRows.has(row)) memory.writeUint32(selection + 4 * count++, row);
    }
    for (const row of lateRows) {
      const reason = "late: the session that it belongs to has ended";
      context.onLate(sideRowOf(this.#input, rows, row, reason));
    }
    if (count === 0) return;
    this.#inTime.pointTo(rows.table);
    this.#inTime.setRows({ rowCount: count, selection });
    this.#kept.add(this.#inTime);
  }

  override onTime(publishedAt: number): void {
    if (this.#options.time.isProcessing) this.#closeUntil(publishedAt);
  }

  protected override onWatermark(): void {
    if (this.#options.time.isProcessing && !this.hasEnded) return;
    this.#closeUntil(this.watermark);
  }

  #closeUntil(until: number): void {
    const { closed } = this.#state.close(until);
    const { table } = this.#closed;
    table.pointToAddress(closed.address);
    const { rowCount, selection } = table;
    // At the end of a bounded read all sessions close together: their rows leave in parts.
    for (let first = 0; first < rowCount; first += sessionsMax) {
      table.setRows({ rowCount: Math.min(rowCount, first + sessionsMax), selection, first });
      this.#result.clear();
      const outcome = this.#result.collect(this.#shown);
      this.#shown.reset();
      if (outcome.kind === "failed") throw outcome.error;
      table.first = first;
      this.#drop.all();
      this.emit({ table: this.#result.table, origin: null });
    }
    table.setRows({ rowCount: 0 });
    this.#state.settle();
    if (this.#lastEnd <= until) this.#lastEnd = noTime;
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

/** Which kept rows `r` are of a closed session `s`: its keys, then start, end and time. */
function matchSql({ node, gapMs, time }: SessionAssignOptions): string {
  const keys = node.partitionBy;
  const start = `s.${columnName(keys.length)}`;
  const end = `s.${columnName(keys.length + 1)}`;
  return [
    ...keys.map((column, index) => `r.${columnName(column)} IS s.${columnName(index)}`),
    `r.${columnName(time.column)} BETWEEN ${start} AND ${end} - ${gapMs}`,
  ].join(" AND ");
}

/** Start and end as the wall of the time zone showed them, and the instant of window_time. */
function boundsSql({ node, time }: SessionAssignOptions): readonly string[] {
  const first = node.partitionBy.length;
  const wall = (index: number) => {
    const column = `s.${columnName(index)}`;
    if (time.zone === null) return column;
    const cast = { from: { kind: "timestampLtz" }, to: { kind: "timestamp" } } as const;
    return lowerCast(column, { ...cast, isTry: false, timeZone: time.zone });
  };
  return [wall(first), wall(first + 1), `s.${columnName(first + 2)}`];
}
