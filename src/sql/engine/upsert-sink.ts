/**
 * The end of a query whose results change: a record per key that changed since the last flush, with
 * the row as it is now, or a tombstone where it is gone. A row that was taken back and added again
 * in one flush is one record.
 */

import type { EmitMode } from "../plan/plan.ts";
import type { SqliteDatabase } from "../sqlite/database.ts";
import type { RecordChunk } from "../sqlite/emitter.ts";
import { type EmitOptions, Emitter } from "../sqlite/emitter.ts";
import type { SqliteStatement } from "../sqlite/statement.ts";
import { declareTable, type VirtualTable } from "../sqlite/virtual-table.ts";
import type { DirectChanges } from "./direct-changes.ts";
import { EmitTimer } from "./emit-timer.ts";
import { Operator, type OperatorContext, type Rows, type StatePart } from "./operator.ts";
import { columnName, type RowLayout, tableColumns, weightColumn } from "./row-layout.ts";

export interface UpsertSinkOptions {
  readonly database: SqliteDatabase;
  readonly context: OperatorContext;
  readonly shape: EmitOptions;
  /** EMIT PERIODIC holds changes back for its period; else they go with every flush. */
  readonly emit: EmitMode;
  /** Present where rows come from an aggregate that replaces them without taking them back. */
  readonly direct?: DirectChanges;
  readonly onRecords: (chunk: RecordChunk) => void;
}

export class UpsertSink extends Operator {
  readonly layout: RowLayout;
  readonly #context: OperatorContext;
  readonly #onRecords: (chunk: RecordChunk) => void;
  readonly #emitter: Emitter;
  readonly #input: VirtualTable;
  readonly #take: SqliteStatement;
  readonly #takeGone: SqliteStatement;
  readonly #direct: DirectChanges | null;
  readonly #read: SqliteStatement;
  readonly #clear: SqliteStatement;
  readonly #timer: EmitTimer;
  #isHolding = false;

  constructor(input: Operator, options: UpsertSinkOptions) {
    super([input]);
    const { database, shape } = options;
    this.layout = input.layout;
    this.#context = options.context;
    this.#onRecords = options.onRecords;
    this.#timer = new EmitTimer(options.emit);
    const columns = this.layout.columns.map((_, index) => columnName(index));
    // What is held back over commits is state.
    database.run(
      `CREATE TABLE IF NOT EXISTS changed (seq INTEGER PRIMARY KEY, k TEXT NOT NULL UNIQUE, ` +
        `weight INTEGER NOT NULL, ${columns.join(", ")})`,
    );
    this.#input = declareTable(database, "sink", tableColumns(this.layout));
    const take = takeSql(shape, columns);
    this.#take = database.prepare(`${take} ${replacing(columns)}`);
    this.#takeGone = database.prepare(`${take} ON CONFLICT (k) DO NOTHING`);
    this.#direct = options.direct ?? null;
    this.#read = database.prepare(`SELECT ${columns.join(", ")}, weight FROM changed ORDER BY seq`);
    this.#clear = database.prepare("DELETE FROM changed");
    this.#emitter = new Emitter(database.host, { ...shape, weightColumn: columns.length });
  }

  push(_input: number, { table }: Rows): void {
    const met = this.#direct?.met(table.rowCount) ?? "part";
    if (met === "whole") {
      this.#emitter.startTable(table, this.#context.now());
      this.#drain();
      return;
    }
    this.#input.table.pointTo(table);
    if (met === "gone") this.#takeGone.all();
    else if (this.#isHolding) this.#take.change();
    else this.#take.all();
  }

  /** What comes before the next commit waits for it in the table: memory is short of room. */
  hold(): void {
    this.#isHolding = true;
    if (this.#direct !== null) this.#direct.isHeld = true;
  }

  override flush(): void {
    if (this.hasEnded || !this.#timer.isPeriodic) this.#send();
  }

  /** Rows were published: what comes of them waits for the end of its period. */
  noteRows(): void {
    this.#timer.noteRows(this.#context.now());
  }

  /** publishedAt at which what is held back comes out. */
  override get nextTickAt(): number | undefined {
    return this.#timer.dueAt;
  }

  /** A period has passed, and operators have been flushed. */
  override onTime(): void {
    this.#send();
    this.#timer.settle();
  }

  #send(): void {
    this.#emitter.startStatement(this.#read, this.#context.now());
    this.#drain();
    this.#read.reset();
    if (this.#isHolding) this.#clear.change();
    else this.#clear.all();
    this.#isHolding = false;
    if (this.#direct !== null) this.#direct.isHeld = false;
  }

  #drain(): void {
    for (;;) {
      const outcome = this.#emitter.next();
      if (outcome.chunk !== null) this.#onRecords(outcome.chunk);
      if (outcome.kind === "failed") throw outcome.error;
      if (outcome.kind === "done") return;
    }
  }

  override get state(): readonly StatePart[] {
    return [this.#timer.part("sink")];
  }
}

/** Puts the rows of the input among the changes, each under the text of its key. */
function takeSql(shape: EmitOptions, columns: readonly string[]): string {
  // A key may be NULL, which is equal to itself here: its text stands for it.
  const parts = shape.key.map(({ column }) => `quote(${columnName(column)})`);
  // An aggregate without GROUP BY is one row.
  const key = parts.length === 0 ? "''" : parts.join(" || ',' || ");
  return (
    `INSERT INTO changed (k, weight, ${columns.join(", ")}) ` +
    `SELECT ${key}, "${weightColumn}", ${columns.join(", ")} FROM "sink" WHERE true`
  );
}

/** The last change of a key counts: operators take a row back before they add its successor. */
function replacing(columns: readonly string[]): string {
  const set = columns.map((column) => `${column} = excluded.${column}`).join(", ");
  return `ON CONFLICT (k) DO UPDATE SET weight = excluded.weight, ${set}`;
}
