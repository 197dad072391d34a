/**
 * One synchronous connection to an embedded libSQL file, the only one the file has: it takes the
 * file's exclusive lock, which the operating system drops when the process ends, however it ends.
 * It is used inside libsql-file-worker.ts, since every call blocks its thread.
 *
 * It speaks to `libsql`, the engine below @libsql/client, because that keeps prepared statements:
 * preparing publish's statements anew takes longer than running them (ADR 0004).
 */
import Database from "libsql";
import { StreamError } from "../../base/stream-error.ts";
import { privateStaging } from "../../meta/schema.ts";
import type { SqlResult, SqlStatement, SqlValue } from "../../meta/sql-database.ts";
import { isSqlError, metadataError } from "./libsql-errors.ts";

export interface LibsqlConnectionOptions {
  /** File path, or `:memory:`. */
  readonly path: string;
  /** True: a publish survives power loss (synchronous=FULL). False: it survives a crash. */
  readonly fsync: boolean;
}

interface Prepared {
  readonly statement: Database.Statement;
  readonly returnsRows: boolean;
}

/** Kept prepared statements; texts are constant, so this bounds mistakes, not use. */
const preparedMax = 512;

export class LibsqlConnection {
  readonly #options: LibsqlConnectionOptions;
  readonly #database: Database.Database;
  readonly #prepared = new Map<string, Prepared>();
  #isBroken = false;

  /** Errors: `metadata_unavailable` when another process owns the file. */
  constructor(options: LibsqlConnectionOptions) {
    this.#options = options;
    this.#database = open(options);
  }

  /**
   * True once the connection will not roll back: it could stay unable to commit (libsql-client-ts
   * #352). It holds the file's lock until its statements are collected, so a new one needs a new
   * thread.
   */
  get isBroken(): boolean {
    return this.#isBroken;
  }

  /** As SqlDatabase.batch. After a failure nothing of the batch remains. */
  batch(statements: readonly SqlStatement[], mode: "read" | "write"): SqlResult[] {
    if (!this.#database.open || this.#isBroken) {
      this.#isBroken = true;
      throw metadataError(new Error("its connection is lost"), this.#options.path);
    }
    try {
      this.#run(mode === "write" ? "BEGIN IMMEDIATE" : "BEGIN", []);
      const results = statements.map(({ sql, args }) => this.#run(sql, args));
      this.#run("COMMIT", []);
      return results;
    } catch (error) {
      this.#recover();
      throw metadataError(error, this.#options.path);
    }
  }

  close(): void {
    this.#prepared.clear();
    if (this.#database.open) this.#database.close();
  }

  #run(sql: string, args: readonly SqlValue[]): SqlResult {
    const { statement, returnsRows } = this.#prepare(sql);
    const bound = args.map(bindable);
    if (!returnsRows) return { rows: [], rowsAffected: statement.run(bound).changes };
    const rows = statement.all(bound) as SqlValue[][];
    for (const row of rows) checkRow(row);
    return { rows, rowsAffected: 0 };
  }

  #prepare(sql: string): Prepared {
    const kept = this.#prepared.get(sql);
    if (kept !== undefined) return kept;
    const statement = this.#database.prepare(sql);
    const returnsRows = statement.reader;
    if (returnsRows) statement.raw(true);
    const prepared = { statement, returnsRows };
    if (this.#prepared.size >= preparedMax) this.#prepared.clear();
    this.#prepared.set(sql, prepared);
    return prepared;
  }

  /** Rolls back; a connection that cannot is broken. */
  #recover(): void {
    try {
      if (this.#database.open && this.#database.inTransaction) this.#database.exec("ROLLBACK");
      this.#isBroken = !this.#database.open || this.#database.inTransaction;
    } catch {
      this.#isBroken = true;
    }
  }
}

function open({ path, fsync }: LibsqlConnectionOptions): Database.Database {
  let database: Database.Database | null = null;
  try {
    database = new Database(path, { timeout: 1_000 });
    database.exec("PRAGMA locking_mode = EXCLUSIVE");
    database.exec("PRAGMA journal_mode = WAL");
    database.exec(`PRAGMA synchronous = ${fsync ? "FULL" : "OFF"}`);
    // Exclusive mode takes its lock with the first transaction and keeps it.
    database.exec("BEGIN IMMEDIATE; COMMIT");
    database.exec("PRAGMA wal_autocheckpoint = 4000");
    database.exec("PRAGMA cache_size = -32768");
    for (const sql of privateStaging) database.exec(sql);
    return database;
  } catch (error) {
    database?.close();
    if (isSqlError(error) && error.code.startsWith("SQLITE_BUSY")) throw alreadyOwned(path, error);
    throw metadataError(error, path);
  }
}

function alreadyOwned(path: string, cause: unknown): StreamError {
  return new StreamError(
    "metadata_unavailable",
    `Cannot open metadata file ${path}: another process owns it. An embedded file serves one ` +
      "worker; for several, run a libSQL server (sqld) and give its URL as --metadata http://….",
    { cause, details: { owned: true } },
  );
}

/** libsql binds every JavaScript number as a float; whole ones are integers in our schema. */
function bindable(value: SqlValue): unknown {
  return typeof value === "number" && Number.isInteger(value) ? BigInt(value) : value;
}

function checkRow(row: SqlValue[]): void {
  for (let index = 0; index < row.length; index++) {
    const value = row[index];
    if (typeof value === "number") {
      if (Number.isInteger(value) && !Number.isSafeInteger(value)) {
        throw new RangeError(`The metadata holds ${value}, which is not below 2^53`);
      }
    } else if (typeof value === "object" && value !== null) {
      // A Buffer is a view of pooled memory; the thread boundary and callers want plain bytes.
      row[index] = Uint8Array.from(value);
    }
  }
}
