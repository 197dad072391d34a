/**
 * A prepared statement, stepped from JavaScript: for what is slow anyway. Integers are bigints in
 * both directions, so that 64 bits are exact; a number is a REAL. Texts may hold zeros.
 */
import { assert } from "../../base/assert.ts";
import type { StreamError } from "../../base/stream-error.ts";
import type { SqlValue } from "../plan/scalar.ts";
import { type SqliteExports, sqliteCode, sqliteType, transient } from "./exports.ts";
import type { SqliteHost } from "./host.ts";
import type { SqliteMemory } from "./memory.ts";

/** SQLITE_PREPARE_PERSISTENT: it will be used many times. */
const preparePersistent = 1;

const integerMin = -(2n ** 63n);
const integerMax = 2n ** 63n - 1n;

const encoder = new TextEncoder();

/** What a statement needs of its database. */
interface Connection {
  readonly host: SqliteHost;
  readonly address: number;
  failure(code: number, act: string): StreamError;
  withoutJournal(act: () => void): void;
}

export class SqliteStatement {
  readonly database: Connection;
  readonly sql: string;
  readonly columnCount: number;
  #address: number;
  readonly #exports: SqliteExports;
  readonly #memory: SqliteMemory;

  /** @throws StreamError `sql_evaluation_failed`, `sql_memory_exceeded` */
  constructor(database: Connection, sql: string) {
    this.database = database;
    this.sql = sql;
    this.#exports = database.host.exports;
    this.#memory = database.host.memory;
    this.#address = this.#prepare();
    this.columnCount = this.#exports.sqlite3_column_count(this.#address);
  }

  #prepare(): number {
    const { address: db } = this.database;
    return this.#memory.withText(this.sql, (sql, length) =>
      this.#memory.withScratch(8, (out) => {
        const tail = out + 4;
        const flags = preparePersistent;
        const code = this.#exports.sqlite3_prepare_v3(db, sql, length + 1, flags, out, tail);
        if (code !== sqliteCode.ok) throw this.database.failure(code, `prepare ${this.sql}`);
        const rest = sql + length - this.#memory.readUint32(tail);
        const address = this.#memory.readUint32(out);
        assert(address !== 0 && rest === 0, `one statement, not more or less: ${this.sql}`);
        return address;
      }),
    );
  }

  /** sqlite3_stmt*, for kernels. */
  get address(): number {
    assert(this.#address !== 0, "the statement is not finalized");
    return this.#address;
  }

  /** Names of the result's columns. */
  get columnNames(): string[] {
    return Array.from({ length: this.columnCount }, (_, index) =>
      this.#memory.textToZero(this.#exports.sqlite3_column_name(this.address, index)),
    );
  }

  /** Sets the parameters from the first on; those left over keep their values. */
  bind(...values: readonly SqlValue[]): this {
    for (const [index, value] of values.entries()) {
      const code = this.#bindOne(index + 1, value);
      if (code !== sqliteCode.ok) {
        throw this.database.failure(code, `bind parameter ${index + 1} of ${this.sql}`);
      }
    }
    return this;
  }

  #bindOne(parameter: number, value: SqlValue): number {
    const { address } = this;
    if (value === null) return this.#exports.sqlite3_bind_null(address, parameter);
    if (typeof value === "number") {
      return this.#exports.sqlite3_bind_double(address, parameter, value);
    }
    if (typeof value === "bigint") {
      assert(value >= integerMin && value <= integerMax, `${value} fits 64 bits`);
      return this.#exports.sqlite3_bind_int64(address, parameter, value);
    }
    const isText = typeof value === "string";
    const bytes = isText ? encoder.encode(value) : value;
    const at = this.#memory.place(bytes);
    try {
      return isText
        ? this.#exports.sqlite3_bind_text(address, parameter, at, bytes.length, transient)
        : this.#exports.sqlite3_bind_blob(address, parameter, at, bytes.length, transient);
    } finally {
      this.#memory.free(at);
    }
  }

  /**
   * Goes to the next row; false at the end. After an error the statement must be reset.
   * @throws StreamError `sql_evaluation_failed` with SQLite's message, `sql_memory_exceeded`
   */
  step(): boolean {
    const code = this.#exports.sqlite3_step(this.address);
    if (code === sqliteCode.row) return true;
    if (code === sqliteCode.done) return false;
    throw this.failure(code);
  }

  /** The error for a step that gave `code`, also one that a kernel made. */
  failure(code: number): StreamError {
    return this.database.failure(code, `evaluate ${this.sql}`);
  }

  /** Ready to be stepped from its first row again. Parameters stay. */
  reset(): this {
    this.#exports.sqlite3_reset(this.address);
    return this;
  }

  /** The value of a column of the row that the statement stands on; bytes are a copy. */
  value(index: number): SqlValue {
    const { address } = this;
    switch (this.#exports.sqlite3_column_type(address, index)) {
      case sqliteType.integer:
        return this.#exports.sqlite3_column_int64(address, index);
      case sqliteType.real:
        return this.#exports.sqlite3_column_double(address, index);
      case sqliteType.text: {
        // Not column_text, which copies a text to put a zero behind it.
        const at = this.#exports.sqlite3_column_blob(address, index);
        return this.#memory.text(at, this.#exports.sqlite3_column_bytes(address, index));
      }
      case sqliteType.blob: {
        const at = this.#exports.sqlite3_column_blob(address, index);
        return this.#memory.take(at, this.#exports.sqlite3_column_bytes(address, index));
      }
      default:
        return null;
    }
  }

  /** The row that the statement stands on. */
  row(): SqlValue[] {
    return Array.from({ length: this.columnCount }, (_, index) => this.value(index));
  }

  /** Binds, runs to the end and resets. */
  all(...values: readonly SqlValue[]): SqlValue[][] {
    this.bind(...values);
    try {
      const rows: SqlValue[][] = [];
      while (this.step()) rows.push(this.row());
      return rows;
    } finally {
      this.reset();
    }
  }

  /**
   * As `all`, for changes of rows that are many or far apart, each page of which a journal would
   * hold in memory. What fails here cannot be undone and is to end the task, whose state nobody
   * rolls back: nothing in the statement may fail for the sake of one row.
   */
  change(...values: readonly SqlValue[]): void {
    this.database.withoutJournal(() => this.all(...values));
  }

  /** Frees the statement. More than once is no error. */
  finalize(): void {
    this.#exports.sqlite3_finalize(this.#address);
    this.#address = 0;
  }
}
