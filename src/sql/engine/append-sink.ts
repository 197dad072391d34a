/**
 * The end of a query whose results are only added: each row becomes a record. What stands right
 * above it, a filter and projection, is evaluated on the way out, so that such rows are never
 * collected first.
 */
import { lowerScalar } from "../functions/lower.ts";
import type { CalcNode } from "../plan/plan.ts";
import type { SqliteDatabase } from "../sqlite/database.ts";
import { type EmitField, type EmitOptions, Emitter, type RecordChunk } from "../sqlite/emitter.ts";
import type { SqliteStatement } from "../sqlite/statement.ts";
import { declareTable, type VirtualTable } from "../sqlite/virtual-table.ts";
import { valueKindOf } from "../types/data-type.ts";
import { whereOf } from "./calc-operator.ts";
import { reasonOf } from "./evaluation-error.ts";
import { errorRowOf, Operator, type OperatorContext, type Rows } from "./operator.ts";
import { type PlacedColumn, PlacedReader } from "./placed-reader.ts";
import { columnName, type RowLayout, tableColumns } from "./row-layout.ts";

export interface RecordShape {
  /** Every column of the result, by its name. */
  readonly value: readonly EmitField[];
  /** None: records have no key. */
  readonly key: readonly EmitField[];
  /** Column of the record's timestamp; absent: publishedAt of what made it. */
  readonly timestampColumn?: number;
}

export interface AppendSinkOptions {
  readonly database: SqliteDatabase;
  readonly context: OperatorContext;
  readonly shape: EmitOptions;
  /** A filter and projection to do on the way out; null: rows are records as they come. */
  readonly calc: CalcNode | null;
  readonly timeZone: string;
  readonly onRecords: (chunk: RecordChunk) => void;
}

/** Of a batch that waits for rows: larger ones leave the cache before they are summed. */
const chunkBytes = 512 * 1024;

export class AppendSink extends Operator {
  readonly layout: RowLayout;
  readonly #input: RowLayout;
  readonly #context: OperatorContext;
  readonly #emitter: Emitter;
  readonly #onRecords: (chunk: RecordChunk) => void;
  /** What evaluates rows before they are written; null: they are records as they come. */
  readonly #reader: PlacedReader | null;
  /** In its place where SQLite evaluates all: rows are written as they are stepped. */
  readonly #scan: { readonly table: VirtualTable; readonly statement: SqliteStatement } | null;

  constructor(input: Operator, options: AppendSinkOptions) {
    super([input]);
    const { database, calc, shape, timeZone } = options;
    this.#input = input.layout;
    this.layout = { ...input.layout, columns: calc?.columns ?? input.layout.columns };
    this.#context = options.context;
    this.#onRecords = options.onRecords;
    this.#emitter = new Emitter(database.host, { chunkBytes, ...shape, isHeldOpen: true });
    this.#reader =
      calc === null ? null : readerOf(database, { input: this.#input, calc, timeZone });
    this.#scan =
      calc === null || this.#reader !== null
        ? null
        : scanOf(database, { input: this.#input, calc, timeZone });
  }

  push(_input: number, rows: Rows): void {
    if (this.#scan === null) {
      const table = this.#reader?.read(rows.table, (index, error) => {
        this.#context.onError(errorRowOf(this.#input, rows, index, reasonOf(error)));
      });
      this.#emitter.startTable(table ?? rows.table, this.#context.now());
      this.#drain(null, rows);
      return;
    }
    const { table, statement } = this.#scan;
    table.table.pointTo(rows.table);
    this.#emitter.startStatement(statement, this.#context.now());
    try {
      this.#drain(this.#scan, rows);
    } finally {
      statement.reset();
    }
  }

  /** Bytes of records that wait for others of their batch. */
  get heldBytes(): number {
    return this.#emitter.heldBytes;
  }

  /** A batch is begun with the first row after a flush, and ends when it is full, or with this. */
  override flush(): void {
    const chunk = this.#emitter.take();
    if (chunk !== null) this.#onRecords(chunk);
  }

  #drain(scan: { table: VirtualTable; statement: SqliteStatement } | null, rows: Rows): void {
    for (;;) {
      const outcome = this.#emitter.next();
      if (outcome.chunk !== null) this.#onRecords(outcome.chunk);
      if (outcome.kind === "done") return;
      if (outcome.kind === "full" || scan === null) continue;
      const { table } = scan.table;
      const failed = table.current;
      if (failed >= table.rowCount) throw outcome.error;
      this.#context.onError(errorRowOf(this.#input, rows, failed, reasonOf(outcome.error)));
      scan.statement.reset();
      if (failed + 1 === table.rowCount) return;
      table.first = failed + 1;
      this.#emitter.startStatement(scan.statement, this.#context.now());
    }
  }
}

interface CalcOptions {
  readonly input: RowLayout;
  readonly calc: CalcNode;
  readonly timeZone: string;
}

/** Null where the vector kernel does nothing of the Calc: then rows need not be columns first. */
function readerOf(
  database: SqliteDatabase,
  { input, calc, timeZone }: CalcOptions,
): PlacedReader | null {
  const output = calc.projections.map((scalar): PlacedColumn => {
    const kind = valueKindOf(scalar.type);
    return scalar.kind === "column" ? { kind, from: scalar.index } : { kind, scalar };
  });
  const columns = tableColumns(input);
  const where = calc.filter;
  const reader = new PlacedReader(database, {
    ...{ name: "sink", input: columns, output, where, timeZone },
  });
  return reader.isPlain || reader.usesKernel ? reader : null;
}

function scanOf(database: SqliteDatabase, options: CalcOptions) {
  const { input, calc, timeZone } = options;
  const table = declareTable(database, "sink_rows", tableColumns(input));
  const projections = calc.projections.map((each) => lowerScalar(each, columnName, timeZone));
  const sql = `SELECT ${projections.join(", ")} FROM "sink_rows"${whereOf(calc, timeZone)}`;
  return { table, statement: database.prepare(sql) };
}
