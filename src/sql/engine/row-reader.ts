/**
 * An operator's statement over the rows that are pushed: a virtual table that points at them, and a
 * collector for what comes out. Made once, used for every push.
 */
import type { StreamError } from "../../base/stream-error.ts";
import type { RowTable } from "../memory/row-table.ts";
import { Collector } from "../sqlite/collector.ts";
import type { SqliteDatabase } from "../sqlite/database.ts";
import type { SqliteStatement } from "../sqlite/statement.ts";
import { declareTable, type TableColumn, type VirtualTable } from "../sqlite/virtual-table.ts";
import type { ValueKind } from "../types/data-type.ts";

export interface RowReaderOptions {
  /** Unique in the database. */
  readonly name: string;
  readonly columns: readonly TableColumn[];
  /** The statement, given the quoted name of the table. */
  readonly sql: (table: string) => string;
  /** Of the statement's columns. */
  readonly kinds: readonly ValueKind[];
}

export class RowReader {
  readonly #input: VirtualTable;
  readonly #statement: SqliteStatement;
  readonly #collector: Collector;

  constructor(database: SqliteDatabase, options: RowReaderOptions) {
    this.#input = declareTable(database, options.name, options.columns);
    this.#statement = database.prepare(options.sql(`"${options.name}"`));
    this.#collector = new Collector(database.host, options.kinds);
  }

  /**
   * Runs the statement row by row over `rows`; the result lives until the next read. `onFailed`
   * hears of rows whose expressions failed, by their place in `rows` (its selection, if any).
   */
  read(rows: RowTable, onFailed: (index: number, error: StreamError) => void): RowTable {
    this.#input.table.pointTo(rows);
    this.#collector.clear();
    this.#collector.collectEach(this.#statement, this.#input.table, onFailed);
    return this.#collector.table;
  }
}
