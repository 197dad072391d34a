/**
 * Where the rows of an updating view begin: its topic holds, per record, the row of a key as it is
 * from then on, or a tombstone. Those that read it must be told what a record takes back as well,
 * so the last row of each key is kept here: down go the rows that were, with the weight −1, and then
 * those that are. A key that came several times in one publish of a partition goes down once.
 */

import { RowBuffer } from "../kernel/row-buffer.ts";
import { type DecodedSource, SourceDecoder } from "../kernel/source-decoder.ts";
import { Collector } from "../sqlite/collector.ts";
import { quoteName } from "../sqlite/quote.ts";
import type { SqliteStatement } from "../sqlite/statement.ts";
import { declareTable, type VirtualTable } from "../sqlite/virtual-table.ts";
import { type Activity, noTime } from "../time/event-time.ts";
import { valueKindOf } from "../types/data-type.ts";
import type { SeenEventTimes } from "./event-times.ts";
import { Operator } from "./operator.ts";
import { columnName, type RowLayout, tableColumns } from "./row-layout.ts";
import type { SourceOptions, SourceRun } from "./source-operator.ts";

const recordKey = {
  ...{ name: "key", nullable: false },
  type: { kind: "varchar", length: null },
} as const;

export class UpsertSource extends Operator {
  readonly layout: RowLayout;
  readonly #options: SourceOptions;
  readonly #decoder: SourceDecoder;
  readonly #incoming: VirtualTable;
  readonly #kept: RowBuffer;
  readonly #olds: SqliteStatement;
  readonly #forget: SqliteStatement;
  readonly #keep: SqliteStatement;
  readonly #news: SqliteStatement;
  readonly #result: Collector;
  /** PROCTIME() is read. */
  readonly #hasNow: boolean;

  constructor(options: SourceOptions) {
    super([], [options.source]);
    const { node, database, name } = options;
    const { host } = database;
    this.#options = options;
    this.layout = { columns: node.columns, hasOrigin: false, hasWeight: true };
    const read = [...node.origins.keys()].filter((at) => node.origins[at]?.from !== "proctime");
    this.#decoder = new SourceDecoder({
      ...{ host, topic: node.topic, format: node.format },
      columns: [...read.map((at) => node.columns[at] ?? recordKey), recordKey],
      origins: [
        ...read.map((at) => node.origins[at] ?? ({ from: "proctime" } as const)),
        { from: "metadata", field: "key" },
      ],
    });
    const table = `${name}_in`;
    this.#incoming = declareTable(database, table, [
      ...read.map((at, place) => ({
        name: columnName(place),
        kind: valueKindOf((node.columns[at] ?? recordKey).type),
      })),
      { name: "rk", kind: "text" },
      { name: "partition", kind: "integer" },
      { name: "at", kind: "integer" },
      { name: "raw", kind: "blob" },
    ]);
    this.#kept = new RowBuffer(host.memory);
    const columns = node.columns.map((_, at) => columnName(at));
    this.#hasNow = read.length < columns.length;
    // PROCTIME() is in no record: it is that of the publish, and stays so when it is taken back.
    const values = columns.map((_, at) =>
      read.includes(at) ? columnName(read.indexOf(at)) : "?2",
    );
    const sql = statementsOf({
      rows: quoteName(name),
      incoming: quoteName(table),
      columns,
      values,
    });
    database.run(sql.create);
    this.#olds = database.prepare(sql.shown("-1"));
    this.#forget = database.prepare(sql.forget);
    this.#keep = database.prepare(sql.keep);
    this.#news = database.prepare(sql.shown("1"));
    this.#result = new Collector(
      host,
      tableColumns(this.layout).map(({ kind }) => kind),
    );
  }

  push(): void {
    throw new Error("Broken invariant: a source has no input");
  }

  /** The changes of one run go down. An updating result has no event times. */
  read(run: SourceRun): SeenEventTimes {
    const decoded = this.#decoder.decode(run.batches);
    this.#pointTo(decoded, run.fromOffset);
    const from = BigInt(run.fromOffset);
    this.#show(this.#olds, from);
    this.#forget.all(from);
    if (this.#hasNow) this.#keep.all(from, BigInt(this.#options.context.now()));
    else this.#keep.all(from);
    this.#show(this.#news, from);
    return { greatest: noTime, aheadCount: 0 };
  }

  /** As `SourceOperator.tell`. */
  tell(now: Activity): void {
    this.become(now);
  }

  /** As `SourceOperator.moveTo`. */
  moveTo(watermark: number): void {
    this.advanceTo(watermark);
  }

  /** Rows and tombstones, without records that are wrong: those leave the query here. */
  #pointTo({ table, recordCount, errors }: DecodedSource, fromOffset: number): void {
    const { table: incoming } = this.#incoming;
    incoming.pointTo(table);
    if (errors.length === 0) {
      incoming.setRows({ rowCount: recordCount });
      return;
    }
    const wrong = new Set(errors.map(({ row }) => row));
    const rows = Array.from(Array(recordCount).keys()).filter((row) => !wrong.has(row));
    const selection = this.#kept.reserve(4 * rows.length);
    for (const [index, row] of rows.entries()) {
      incoming.memory.writeUint32(selection + 4 * index, row);
    }
    incoming.setRows({ rowCount: rows.length, selection });
    const { node, context } = this.#options;
    for (const error of errors) {
      const { row } = error;
      const offset = this.#decoder.offsetOf(row);
      if (offset < fromOffset) continue;
      const partition = this.#decoder.partitionOf(row);
      const origin = { topic: node.topic, partition, offset, value: this.#decoder.rawOf(row) };
      context.onError({ origin, reason: this.#decoder.describe(error) });
    }
  }

  #show(statement: SqliteStatement, from: bigint): void {
    this.#result.clear();
    const outcome = this.#result.collect(statement.bind(from));
    statement.reset();
    if (outcome.kind === "failed") throw outcome.error;
    this.emit({ table: this.#result.table, origin: null });
  }
}

/** `incoming` has records of one run; of each key the last one counts, and the others never were. */
function statementsOf(names: {
  readonly rows: string;
  readonly incoming: string;
  readonly columns: readonly string[];
  readonly values: readonly string[];
}) {
  const { rows, incoming, columns, values } = names;
  const inRange = `FROM ${incoming} WHERE at >= ?1`;
  const touched = `(SELECT rk, max(at) AS last ${inRange} GROUP BY rk)`;
  const given = values.map((value, at) => `${value} AS v${at}`);
  const list = (names: readonly string[]) => names.map((each) => `, ${each}`).join("");
  return {
    create:
      `CREATE TABLE IF NOT EXISTS ${rows} ` +
      `(rk TEXT NOT NULL PRIMARY KEY${list(columns)}) WITHOUT ROWID`,
    shown: (weight: string) =>
      `SELECT ${[...columns.map((each) => `r.${each}`), weight].join(", ")} ` +
      `FROM ${touched} t CROSS JOIN ${rows} r ON r.rk = t.rk ORDER BY t.last`,
    forget: `DELETE FROM ${rows} WHERE rk IN (SELECT rk ${inRange})`,
    // SQLite takes what stands beside max() from the row that has it.
    keep:
      `INSERT INTO ${rows} (rk${list(columns)}) ` +
      `SELECT rk${list(values.map((_, at) => `v${at}`))} FROM ` +
      `(SELECT rk, raw, max(at)${list(given)} ${inRange} GROUP BY rk) WHERE raw IS NOT NULL`,
  };
}
