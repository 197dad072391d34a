/**
 * Rows that a join kept in memory until that was short: in a table of the task's database, whose
 * pages go to scratch disk and to checkpoints (ADR 41). The table is made when the first rows come.
 */
import type { RowTable } from "../memory/row-table.ts";
import type { SqliteDatabase } from "../sqlite/database.ts";
import type { SqliteStatement } from "../sqlite/statement.ts";
import { KeptRows } from "./kept-rows.ts";
import { columnName, type RowLayout } from "./row-layout.ts";

export interface LeftRowsOptions {
  /** Unique in the database, and the same in every run of the plan. */
  readonly name: string;
  readonly layout: RowLayout;
  readonly timeColumn: number;
}

interface Table {
  readonly rows: KeptRows;
  /** Rows without a time. */
  readonly dropTimeless: SqliteStatement;
  /** Some rows before a time; `dropped` says how many. */
  readonly drop: SqliteStatement;
  readonly dropped: SqliteStatement;
}

/** Rows that are dropped at once: SQLite lists them in memory. */
const dropMax = 8192n;

export class LeftRows {
  readonly name: string;
  readonly #database: SqliteDatabase;
  readonly #options: LeftRowsOptions;
  #table: Table | null = null;

  constructor(database: SqliteDatabase, options: LeftRowsOptions) {
    this.#database = database;
    this.#options = options;
    this.name = options.name;
    const found = database.query("SELECT 1 FROM sqlite_master WHERE name = ?1", this.name);
    if (found.length > 0) this.#table = this.#open();
  }

  /** Whether there were rows, so that the table is there. */
  get areThere(): boolean {
    return this.#table !== null;
  }

  /** Behind those that came before, save what has no time and matches nothing. */
  add(rows: RowTable): void {
    this.#table ??= this.#open();
    this.#table.rows.add(rows);
    this.#table.dropTimeless.all();
  }

  /** Drops rows whose time is before `boundMs`. */
  expire(boundMs: number): void {
    if (this.#table === null) return;
    const { drop, dropped } = this.#table;
    do drop.all(BigInt(boundMs), dropMax);
    while (dropped.all()[0]?.[0] === dropMax);
  }

  #open(): Table {
    const { layout, timeColumn } = this.#options;
    const rows = new KeptRows(this.#database, {
      name: this.name,
      layout: { ...layout, hasOrigin: false, hasWeight: false },
      indexed: [timeColumn],
    });
    const time = columnName(timeColumn);
    const some = `SELECT seq FROM ${rows.sqlName} WHERE ${time} < ?1 LIMIT ?2`;
    return {
      rows,
      dropTimeless: this.#database.prepare(`DELETE FROM ${rows.sqlName} WHERE ${time} IS NULL`),
      drop: this.#database.prepare(`DELETE FROM ${rows.sqlName} WHERE seq IN (${some})`),
      dropped: this.#database.prepare("SELECT changes()"),
    };
  }
}
