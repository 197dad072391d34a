/** ORDER BY and LIMIT of a bounded query: rows are kept, and come out sorted when all have come. */
import type { SortNode } from "../plan/plan.ts";
import { Collector } from "../sqlite/collector.ts";
import type { SqliteDatabase } from "../sqlite/database.ts";
import { KeptRows } from "./kept-rows.ts";
import { Operator, type Rows } from "./operator.ts";
import { columnName, type RowLayout, tableColumns } from "./row-layout.ts";
import { sortTerm } from "./window-rank-operator.ts";

/** SQLite's LIMIT for "all". */
const noLimit = -1;

export class SortOperator extends Operator {
  readonly layout: RowLayout;
  readonly #node: SortNode;
  readonly #kept: KeptRows;
  readonly #database: SqliteDatabase;
  readonly #result: Collector;
  #rowCount = 0;
  #isSorted = false;

  constructor(
    input: Operator,
    options: { readonly name: string; readonly node: SortNode; readonly database: SqliteDatabase },
  ) {
    super([input]);
    const { name, node, database } = options;
    this.layout = { columns: node.columns, hasOrigin: false, hasWeight: false };
    this.#node = node;
    this.#database = database;
    this.#kept = new KeptRows(database, { name, layout: input.layout, indexed: [] });
    this.#result = new Collector(
      database.host,
      tableColumns(this.layout).map(({ kind }) => kind),
    );
  }

  /** Rows that came already are all that LIMIT asks for, in whatever order they come. */
  get isFull(): boolean {
    const { orderBy, limit, skip } = this.#node;
    return orderBy.length === 0 && limit !== null && this.#rowCount >= limit + skip;
  }

  push(_input: number, { table }: Rows): void {
    this.#rowCount += table.rowCount;
    this.#kept.add(table);
  }

  /** Not as soon as the input has ended: aggregates give what they held back at flushes, too. */
  override flush(): void {
    if (!this.hasEnded || this.#isSorted) return;
    this.#isSorted = true;
    const { orderBy, limit, skip } = this.#node;
    const names = this.layout.columns.map((_, index) => columnName(index)).join(", ");
    const statement = this.#database.prepare(
      `SELECT ${names} FROM ${this.#kept.sqlName} ` +
        `ORDER BY ${[...orderBy.map(sortTerm), "seq"].join(", ")} ` +
        `LIMIT ${limit ?? noLimit} OFFSET ${skip}`,
    );
    try {
      const outcome = this.#result.collect(statement);
      if (outcome.kind === "failed") throw outcome.error;
      this.emit({ table: this.#result.table, origin: null });
    } finally {
      statement.finalize();
    }
  }
}
