/**
 * Rows that an operator keeps in a table of the task's database: both sides of a join, the rows of
 * windows that are ranked when they close. SQLite holds them, so that they are joined, sorted and
 * checkpointed there. `seq` is the order in which they came.
 */
import type { RowTable } from "../memory/row-table.ts";
import type { PlanColumn } from "../plan/plan.ts";
import type { SqliteDatabase } from "../sqlite/database.ts";
import { quoteName } from "../sqlite/quote.ts";
import type { SqliteStatement } from "../sqlite/statement.ts";
import { declareTable, type VirtualTable } from "../sqlite/virtual-table.ts";
import { columnName, type RowLayout, tableColumns } from "./row-layout.ts";

export interface KeptRowsOptions {
  /** Unique in the database, and the same in every run of the plan. */
  readonly name: string;
  readonly layout: RowLayout;
  /** Columns that rows are found by, besides their order. */
  readonly indexed: readonly number[];
}

export class KeptRows {
  /** Quoted, for statements. */
  readonly sqlName: string;
  readonly #input: VirtualTable;
  readonly #insert: SqliteStatement;
  readonly #last: SqliteStatement;

  constructor(database: SqliteDatabase, options: KeptRowsOptions) {
    const { name, layout, indexed } = options;
    this.sqlName = quoteName(name);
    const columns = layout.columns.map((_, index) => columnName(index));
    database.run(
      `CREATE TABLE IF NOT EXISTS ${this.sqlName} (seq INTEGER PRIMARY KEY, ${columns.join(", ")})`,
    );
    if (indexed.length > 0) {
      const list = indexed.map(columnName).join(", ");
      const index = quoteName(`${name}_by`);
      database.run(`CREATE INDEX IF NOT EXISTS ${index} ON ${this.sqlName} (${list})`);
    }
    this.#input = declareTable(database, `${name}_in`, tableColumns(layout));
    this.#insert = database.prepare(
      `INSERT INTO ${this.sqlName} (${columns.join(", ")}) ` +
        `SELECT ${columns.join(", ")} FROM ${quoteName(`${name}_in`)}`,
    );
    this.#last = database.prepare(`SELECT coalesce(max(seq), 0) FROM ${this.sqlName}`);
  }

  /** Gives each row a flag `met`, 0 at first; the same in every run of the plan. */
  addMark(database: SqliteDatabase): void {
    const [found] = database.query(
      "SELECT count(*) FROM pragma_table_info(?1) WHERE name = 'met'",
      this.sqlName.slice(1, -1),
    );
    if (found?.[0] === 1n) return;
    database.run(`ALTER TABLE ${this.sqlName} ADD COLUMN met INTEGER NOT NULL DEFAULT 0`);
  }

  /**
   * Keeps copies of all rows, or of those of a selection, in order; returns the `seq` before the
   * first of them.
   */
  add(
    rows: RowTable,
    chosen: { readonly rowCount: number; readonly selection: number } | null = null,
  ): bigint {
    const before = this.#last.all()[0]?.[0];
    this.#input.table.pointTo(rows);
    if (chosen !== null) this.#input.table.setRows(chosen);
    this.#insert.all();
    return typeof before === "bigint" ? before : 0n;
  }
}

/** The type of a plan column in comments and plans; kept columns have no type of their own. */
export function namesOf(columns: readonly PlanColumn[], alias: string): string[] {
  return columns.map((_, index) => `${alias}.${columnName(index)}`);
}
