/** Rows that the statement itself gives: VALUES, and SELECT without FROM. */
import { lowerScalar } from "../functions/lower.ts";
import type { PlanColumn, ValuesNode } from "../plan/plan.ts";
import { Collector } from "../sqlite/collector.ts";
import type { SqliteDatabase } from "../sqlite/database.ts";
import { Operator } from "./operator.ts";
import { type RowLayout, tableColumns } from "./row-layout.ts";

/** A statement has columns: the row of a SELECT without FROM, which has none, holds a NULL. */
const placeholder: PlanColumn = {
  name: "$none",
  type: { kind: "int" },
  nullable: true,
  time: null,
};

export class ValuesSource extends Operator {
  readonly layout: RowLayout;
  readonly #rows: Collector;
  readonly #sql: string;
  readonly #database: SqliteDatabase;

  constructor(options: {
    readonly node: ValuesNode;
    readonly timeZone: string;
    readonly database: SqliteDatabase;
  }) {
    super([]);
    const { node, database, timeZone } = options;
    const columns = node.columns.length > 0 ? node.columns : [placeholder];
    this.layout = { columns, hasOrigin: false, hasWeight: false };
    this.#database = database;
    const noColumn = () => {
      throw new Error("Broken invariant: a row of VALUES reads a column");
    };
    const row = (scalars: ValuesNode["rows"][number]) =>
      `SELECT ${scalars.map((each) => lowerScalar(each, noColumn, timeZone)).join(", ") || "NULL"}`;
    this.#sql = node.rows.map(row).join(" UNION ALL ");
    this.#rows = new Collector(
      database.host,
      tableColumns(this.layout).map(({ kind }) => kind),
    );
  }

  push(): void {
    throw new Error("Broken invariant: VALUES has no input");
  }

  /** Gives the rows, once. @throws StreamError when one of them fails. */
  run(): void {
    const statement = this.#database.prepare(this.#sql);
    try {
      const outcome = this.#rows.collect(statement);
      if (outcome.kind === "failed") throw outcome.error;
    } finally {
      statement.finalize();
    }
    this.emit({ table: this.#rows.table, origin: null });
  }

  end(watermark: number): void {
    this.advanceTo(watermark);
  }
}
