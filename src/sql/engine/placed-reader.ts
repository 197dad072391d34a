/**
 * Columns computed beside those that pass: SQLite evaluates expressions and a filter over the rows
 * where they lie, and what it computes is written at their places, so that columns which pass
 * unchanged are the input's own and nothing of them is copied.
 */
import type { StreamError } from "../../base/stream-error.ts";
import { pickColumns } from "../memory/row-access.ts";
import { RowTable } from "../memory/row-table.ts";
import { Collector } from "../sqlite/collector.ts";
import type { SqliteDatabase } from "../sqlite/database.ts";
import type { SqliteStatement } from "../sqlite/statement.ts";
import { declareTable, type TableColumn, type VirtualTable } from "../sqlite/virtual-table.ts";
import type { ValueKind } from "../types/data-type.ts";

/** A column of the output: one of the input's, or an expression over them. */
export type PlacedColumn =
  | { readonly kind: ValueKind; readonly from: number }
  | { readonly kind: ValueKind; readonly sql: string };

export interface PlacedReaderOptions {
  /** Unique in the database. */
  readonly name: string;
  readonly input: readonly TableColumn[];
  readonly output: readonly PlacedColumn[];
  /** The filter; null: all rows. */
  readonly where: string | null;
}

export class PlacedReader {
  readonly #output: RowTable;
  /** Of each output column its place in the input; 0 where it is computed. */
  readonly #picked: readonly number[];
  /** Places of the computed columns in the output. */
  readonly #computed: readonly number[];
  readonly #scan: {
    readonly input: VirtualTable;
    readonly statement: SqliteStatement;
    readonly collector: Collector;
  } | null;

  constructor(database: SqliteDatabase, options: PlacedReaderOptions) {
    const { name, input, output, where } = options;
    const kinds = output.map(({ kind }) => kind);
    this.#output = new RowTable(database.host.memory, kinds);
    this.#picked = output.map((column) => ("from" in column ? column.from : 0));
    this.#computed = output.flatMap((column, index) => ("sql" in column ? [index] : []));
    const expressions = output.flatMap((column) => ("sql" in column ? [column.sql] : []));
    const filter = where === null ? "" : ` WHERE ${where}`;
    this.#scan =
      expressions.length === 0 && where === null
        ? null
        : {
            input: declareTable(database, name, input),
            statement: database.prepare(
              `SELECT ${["rowid", ...expressions].join(", ")} FROM "${name}"${filter}`,
            ),
            collector: new Collector(
              database.host,
              this.#computed.map((index) => kinds[index] as ValueKind),
            ),
          };
  }

  /**
   * The output over `rows`, as long as those are there and until the next call. `onFailed` hears of
   * rows whose expressions failed, by their place in `rows`; they are not in the output.
   */
  read(rows: RowTable, onFailed: (index: number, error: StreamError) => void): RowTable {
    const output = this.#output;
    pickColumns(output, rows.address, this.#picked);
    if (this.#scan === null) return output;
    const { input, statement, collector } = this.#scan;
    input.table.pointTo(rows);
    collector.clear();
    collector.placeEach(statement, input.table, onFailed);
    const { table } = collector;
    for (const [place, index] of this.#computed.entries()) {
      output.pointColumn(index, table.columnAddress(place));
    }
    output.setRows({ rowCount: table.rowCount, selection: table.selection });
    return output;
  }
}
