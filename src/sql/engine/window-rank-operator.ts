/**
 * ROW_NUMBER() over the rows of a window: Top-N, and deduplication with N = 1. Rows are kept until
 * their window closes and numbered then; ties stand in the order in which the rows came.
 */
import { assert } from "../../base/assert.ts";
import type { SortKey, WindowRankNode } from "../plan/plan.ts";
import { Collector } from "../sqlite/collector.ts";
import type { SqliteDatabase } from "../sqlite/database.ts";
import type { SqliteStatement } from "../sqlite/statement.ts";
import { KeptRows } from "./kept-rows.ts";
import { Operator, type Rows } from "./operator.ts";
import { columnName, type RowLayout, tableColumns } from "./row-layout.ts";
import { WindowClosings } from "./window-closings.ts";
import { WindowTime } from "./window-time.ts";

export interface WindowRankOptions {
  readonly name: string;
  readonly node: WindowRankNode;
  readonly database: SqliteDatabase;
}

export class WindowRankOperator extends Operator {
  readonly layout: RowLayout;
  readonly #kept: KeptRows;
  readonly #time: WindowTime;
  readonly #closings: WindowClosings;
  readonly #rank: SqliteStatement;
  readonly #result: Collector;

  constructor(input: Operator, { name, node, database }: WindowRankOptions) {
    super([input]);
    assert(!input.layout.hasWeight, "a window's ranks are of rows that are added only");
    this.layout = { columns: node.columns, hasOrigin: false, hasWeight: false };
    const [start, end] = node.window;
    this.#kept = new KeptRows(database, { name, layout: input.layout, indexed: [end] });
    const endColumn = columnName(end);
    const { sqlName } = this.#kept;
    const time = new WindowTime(node.windowTime);
    this.#time = time;
    this.#closings = new WindowClosings(database, { tables: [{ sqlName, endColumn }], time });
    const names = input.layout.columns.map((_, index) => columnName(index)).join(", ");
    const partition = [start, ...node.partitionBy].map(columnName).join(", ");
    const order = [...node.orderBy.map(sortTerm), "seq"].join(", ");
    this.#rank = database.prepare(
      `SELECT ${names}${node.withRank ? ", n" : ""} FROM (SELECT *, row_number() OVER ` +
        `(PARTITION BY ${partition} ORDER BY ${order}) AS n FROM ${sqlName} ` +
        `WHERE ${endColumn} = ?1) WHERE n BETWEEN ${node.from} AND ${node.to} ` +
        `ORDER BY ${partition}, n`,
    );
    this.#result = new Collector(
      database.host,
      tableColumns(this.layout).map(({ kind }) => kind),
    );
  }

  push(_input: number, { table }: Rows): void {
    this.#kept.add(table);
    this.#closings.noteRows();
  }

  override onTime(publishedAt: number): void {
    if (this.#time.isProcessing) this.#closeUntil(publishedAt);
  }

  protected override onWatermark(): void {
    if (this.#time.isProcessing && !this.hasEnded) return;
    this.#closeUntil(this.watermark);
  }

  #closeUntil(until: number): void {
    this.#closings.closeUntil(until, (end) => {
      this.#result.clear();
      const outcome = this.#result.collect(this.#rank.bind(end));
      this.#rank.reset();
      if (outcome.kind === "failed") throw outcome.error;
      this.emit({ table: this.#result.table, origin: null });
    });
  }

  override get lastWindowEnd(): number {
    return this.#closings.lastEnd;
  }

  override get nextTickAt(): number | undefined {
    return this.#closings.nextTickAt;
  }
}

/** A term of ORDER BY over kept columns. */
export function sortTerm({ column, descending, nullsFirst }: SortKey): string {
  const direction = descending ? "DESC" : "ASC";
  return `${columnName(column)} ${direction} NULLS ${nullsFirst ? "FIRST" : "LAST"}`;
}
