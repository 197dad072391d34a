/**
 * Rows of statements as columns in shared memory, ready to be another operator's input. The kernel
 * is `wasm/sql/collect.ts`.
 */
import { assert } from "../../base/assert.ts";
import type { StreamError } from "../../base/stream-error.ts";
import { RowTable } from "../memory/row-table.ts";
import type { ValueKind } from "../types/data-type.ts";
import { sqliteCode } from "./exports.ts";
import type { SqliteHost } from "./host.ts";
import type { SqliteStatement } from "./statement.ts";

interface CollectKernel {
  collect(statement: number, collector: number, rowsMax: number, bytesMax: number): number;
  collectPlaced(statement: number, collector: number, input: number): number;
  clear(collector: number): void;
  release(collector: number): void;
}

const collectorBytes = 48;
const wrongColumnField = 24;
const selectionField = 28;
const wrongKind = 1000;

/** How much one call collects at most. */
export interface CollectLimits {
  /** Rows that the collector may hold. Default: no bound. */
  readonly rowsMax?: number;
  /** Text and blob bytes after which the collector is full; the last row may pass it. */
  readonly bytesMax?: number;
}

export type CollectOutcome =
  /** The statement has ended; it must be reset before it runs again. */
  | { readonly kind: "done" }
  /** A limit was reached: the next call goes on. */
  | { readonly kind: "full" }
  /** The row that the input's table names in `current` failed; rows before it are collected. */
  | { readonly kind: "failed"; readonly error: StreamError };

/** `row` counts as the input's `current` does. */
export type OnFailedRow = (row: number, error: StreamError) => void;

const unbounded = 2 ** 32 - 1;

const kernels = new WeakMap<SqliteHost, CollectKernel>();

export class Collector {
  /** What was collected. Its rows live until `clear` or `free`; growth may move their slots. */
  readonly table: RowTable;
  readonly #host: SqliteHost;
  readonly #kernel: CollectKernel;
  readonly #address: number;

  /** `kinds`: of the result's columns, in order. */
  constructor(host: SqliteHost, kinds: readonly ValueKind[]) {
    this.#host = host;
    let kernel = kernels.get(host);
    kernel ??= host.link<CollectKernel>("collect");
    kernels.set(host, kernel);
    this.#kernel = kernel;
    this.table = new RowTable(host.memory, kinds);
    this.#address = host.memory.allocateZeroed(collectorBytes);
    host.memory.writeUint32(this.#address, this.table.address);
  }

  /**
   * Steps `statement`, which has as many columns, and appends its rows.
   * @throws StreamError `sql_memory_exceeded`: then a row is lost, and the task must stop.
   */
  collect(statement: SqliteStatement, limits: CollectLimits = {}): CollectOutcome {
    assert(statement.columnCount === this.table.kinds.length, "as many columns as planned");
    const { rowsMax = unbounded, bytesMax = unbounded } = limits;
    const code = this.#kernel.collect(statement.address, this.#address, rowsMax, bytesMax);
    return this.#outcome(statement, code);
  }

  #outcome(statement: SqliteStatement, code: number): CollectOutcome {
    if (code === sqliteCode.done) return { kind: "done" };
    if (code === sqliteCode.row) return { kind: "full" };
    if (code === wrongKind) {
      const column = this.#host.memory.readUint32(this.#address + wrongColumnField);
      const kind = this.table.kinds[column];
      assert(false, `column ${column} is ${kind}, as planned: ${statement.sql}`);
    }
    if (code === sqliteCode.noMemory) throw this.#host.memory.exceeded("hold a query's rows");
    return { kind: "failed", error: statement.failure(code) };
  }

  /**
   * Runs a filter or projection over all rows of `input`, going on behind each row that fails. Not
   * for a statement that sorts or groups: there an error may come after the scan, and names no row.
   */
  collectEach(statement: SqliteStatement, input: RowTable, onFailedRow: OnFailedRow): void {
    eachRow({ statement, input, onFailedRow }, () => this.collect(statement));
  }

  /**
   * As `collectEach`, but each value is written at the place of its row in `input`: columns that
   * pass unchanged need not go through SQLite, they are the input's own. The statement's first
   * column is `rowid`; the collector's table has the others, and selects the rows that passed (no
   * selection: all rows of an input that has none). The collector must be empty.
   */
  placeEach(statement: SqliteStatement, input: RowTable, onFailedRow: OnFailedRow): void {
    assert(statement.columnCount === this.table.kinds.length + 1, "rowid, then what was planned");
    assert(this.table.rowCount === 0, "the collector is empty");
    eachRow({ statement, input, onFailedRow }, () => {
      const { address } = statement;
      const code = this.#kernel.collectPlaced(address, this.#address, input.address);
      return this.#outcome(statement, code);
    });
    const { rowCount } = this.table;
    const isWhole = input.selection === 0 && input.first === 0 && rowCount === input.rowCount;
    const selection = this.#host.memory.readUint32(this.#address + selectionField);
    this.table.setRows({ rowCount, selection: isWhole ? 0 : selection });
  }

  /** Forgets the rows and keeps the room for as many. */
  clear(): void {
    this.#kernel.clear(this.#address);
  }

  free(): void {
    this.#kernel.release(this.#address);
    this.#host.memory.free(this.#address);
    this.table.free();
  }
}

interface EachRow {
  readonly statement: SqliteStatement;
  readonly input: RowTable;
  readonly onFailedRow: OnFailedRow;
}

/** Calls `collect` until all rows of the input were tried. */
function eachRow({ statement, input, onFailedRow }: EachRow, collect: () => CollectOutcome): void {
  const { first } = input;
  try {
    for (;;) {
      const outcome = collect();
      if (outcome.kind !== "failed") return;
      const row = input.current;
      // An expression of constants that fails does so also where there is no row to blame.
      if (row >= input.rowCount) return;
      onFailedRow(row, outcome.error);
      if (row + 1 === input.rowCount) return;
      statement.reset();
      input.first = row + 1;
    }
  } finally {
    statement.reset();
    input.first = first;
  }
}
