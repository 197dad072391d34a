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
import type { RowSelection } from "../kernel/session.ts";
import { rowAt } from "../memory/row-access.ts";
import { RowTable } from "../memory/row-table.ts";
import type { WindowAssignNode } from "../plan/plan.ts";
import { Collector } from "../sqlite/collector.ts";
import { quoteName } from "../sqlite/quote.ts";
import type { SqliteStatement } from "../sqlite/statement.ts";
import { declareTable, type VirtualTable } from "../sqlite/virtual-table.ts";
import { KeptRows, namesOf } from "./kept-rows.ts";
import type { Operator, Rows } from "./operator.ts";
import { columnName, type RowLayout, tableColumns } from "./row-layout.ts";
import { SessionOperator, type SessionOptions } from "./session-operator.ts";

export interface SessionAssignOptions extends SessionOptions {
  readonly node: WindowAssignNode;
}

/** Sessions whose rows are collected before they go down. */
const sessionsMax = 1024;

export class SessionAssignOperator extends SessionOperator {
  readonly layout: RowLayout;
  readonly #kept: KeptRows;
  readonly #closed: VirtualTable;
  readonly #shown: SqliteStatement;
  readonly #drop: SqliteStatement;
  readonly #result: Collector;
  /** The rows of a push that are not late. */
  readonly #inTime: RowTable;
  readonly #selection: RowBuffer;

  constructor(input: Operator, options: SessionAssignOptions) {
    const keys = options.node.partitionBy;
    super(input, options, { keys, accumulators: [], allowedLatenessMs: 0 });
    assert(!input.layout.hasWeight, "sessions are of rows that are added only");
    const { node, database, name, time } = options;
    const { host } = database;
    this.layout = { columns: node.columns, hasOrigin: false, hasWeight: false };
    const kinds = tableColumns(input.layout).map(({ kind }) => kind);
    const indexed = [...keys, time.column];
    this.#kept = new KeptRows(database, { name: `${name}_rows`, layout: input.layout, indexed });
    const closedName = `${name}_closed`;
    const columns = this.sessions.resultKinds.map((kind, at) => ({ name: columnName(at), kind }));
    this.#closed = declareTable(database, closedName, columns);
    const tables = `${quoteName(closedName)} s CROSS JOIN ${this.#kept.sqlName} r`;
    const matches = `FROM ${tables} ON ${matchSql(options)}`;
    const [start, end] = [keys.length, keys.length + 1].map(columnName);
    const order = `s.${end}, s.${start}, r.seq`;
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

  protected override onRows(rows: Rows, late: RowSelection): void {
    if (late.rowCount === 0) {
      this.#kept.add(rows.table);
      return;
    }
    const { memory } = this.#inTime;
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
    if (count === 0) return;
    this.#inTime.pointTo(rows.table);
    this.#inTime.setRows({ rowCount: count, selection });
    this.#kept.add(this.#inTime);
  }

  protected showClosed(until: number): void {
    const { closed } = this.sessions.close(until);
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
      this.#drop.change();
      this.emit({ table: this.#result.table, origin: null });
    }
    table.setRows({ rowCount: 0 });
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
