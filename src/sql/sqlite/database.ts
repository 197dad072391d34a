/** A database of SQLite, by default one that is kept in the task's memory and ends with it. */
import { StreamError } from "../../base/stream-error.ts";
import type { SqlValue } from "../plan/scalar.ts";
import { sqliteCode } from "./exports.ts";
import type { SqliteHost } from "./host.ts";
import { SqliteStatement } from "./statement.ts";

const openReadWrite = 0x2;
const openCreate = 0x4;

/** Options of sqlite3_db_config: a name in double quotes is never taken for a text. */
const doubleQuotedTextInDml = 1013;
const doubleQuotedTextInDdl = 1014;

export interface DatabaseOptions {
  /** Default: `:memory:`. */
  readonly name?: string;
  /** Name of a registered VFS. */
  readonly vfs?: string;
}

export class SqliteDatabase {
  readonly host: SqliteHost;
  /** sqlite3*. */
  readonly address: number;
  #journal: { readonly off: SqliteStatement; readonly on: SqliteStatement } | undefined;

  /** @throws StreamError `sql_evaluation_failed`, `sql_memory_exceeded` */
  constructor(host: SqliteHost, options: DatabaseOptions = {}) {
    this.host = host;
    this.address = openDatabase(host, options);
    for (const option of [doubleQuotedTextInDml, doubleQuotedTextInDdl]) {
      host.exports.sqlite3__wasm_db_config_ip(this.address, option, 0, 0);
    }
  }

  /** Compiles one statement; the caller finalizes it. */
  prepare(sql: string): SqliteStatement {
    return new SqliteStatement(this, sql);
  }

  /** Runs one statement and forgets its rows. */
  run(sql: string, ...values: readonly SqlValue[]): void {
    this.query(sql, ...values);
  }

  /** All rows of one statement. For what is small: a hot path reads rows by a kernel. */
  query(sql: string, ...values: readonly SqlValue[]): SqlValue[][] {
    const statement = this.prepare(sql);
    try {
      return statement.all(...values);
    } finally {
      statement.finalize();
    }
  }

  /** What `act` changes is kept nowhere as it was; see `SqliteStatement.change`. */
  withoutJournal(act: () => void): void {
    this.#journal ??= {
      off: this.prepare("PRAGMA journal_mode = OFF"),
      on: this.prepare("PRAGMA journal_mode = MEMORY"),
    };
    this.#journal.off.all();
    try {
      act();
    } finally {
      this.#journal.on.all();
    }
  }

  /** Closes when the last of its statements is finalized. */
  close(): void {
    this.#journal?.off.finalize();
    this.#journal?.on.finalize();
    this.#journal = undefined;
    this.host.exports.sqlite3_close_v2(this.address);
  }

  /** What SQLite says of the last call that failed. */
  get lastMessage(): string {
    return this.host.memory.textToZero(this.host.exports.sqlite3_errmsg(this.address));
  }

  /** The error for a call that gave `code`; `act` goes on after "Cannot". */
  failure(code: number, act: string): StreamError {
    if (code === sqliteCode.noMemory) return this.host.memory.exceeded(act);
    const { scratchFailure } = this.host;
    // What the disk says of itself, with what to do, is more than that it failed.
    if (code === sqliteCode.ioError && scratchFailure instanceof StreamError) return scratchFailure;
    const reason = this.lastMessage;
    return new StreamError("sql_evaluation_failed", `Cannot ${act}: ${reason}`, {
      details: { code, reason },
    });
  }
}

function openDatabase(host: SqliteHost, options: DatabaseOptions): number {
  const { memory, exports } = host;
  const name = options.name ?? ":memory:";
  const vfs = options.vfs === undefined ? 0 : memory.placeText(options.vfs).address;
  try {
    return memory.withScratch(4, (out) => {
      const flags = openReadWrite | openCreate;
      const code = memory.withText(name, (at) => exports.sqlite3_open_v2(at, out, flags, vfs));
      const address = memory.readUint32(out);
      if (code === sqliteCode.ok) return address;
      const reason = memory.textToZero(exports.sqlite3_errstr(code));
      exports.sqlite3_close_v2(address);
      const act = `open the database ${name}`;
      if (code === sqliteCode.noMemory) throw memory.exceeded(act);
      throw new StreamError("sql_evaluation_failed", `Cannot ${act}: ${reason}`);
    });
  } finally {
    memory.free(vfs);
  }
}
