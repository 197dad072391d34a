/**
 * What a Durable Object's own SQLite storage gives to tasks that have no room (ADR 55): rows of one
 * table, void with the activation, since a task goes on from its checkpoint. What an earlier
 * activation left is deleted when there is first something to do with it.
 */
import { StreamError } from "../../base/stream-error.ts";
import type { ScratchDisk } from "../../sql/sqlite/scratch-disk.ts";
import { type RowStore, ScratchRows, scratchRowBytes } from "./scratch-rows.ts";

/** What is used of `ctx.storage.sql`. Synchronous; a write is durable before an answer leaves. */
export interface ObjectSqlStorage {
  exec(
    sql: string,
    ...values: readonly (number | string | ArrayBuffer | Uint8Array)[]
  ): { toArray(): Record<string, unknown>[] };
}

const isThere = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'scratch'";
const dropTable = "DROP TABLE scratch";
const createTable = "CREATE TABLE scratch (number INTEGER PRIMARY KEY, bytes BLOB NOT NULL)";
const writeRow =
  "INSERT INTO scratch (number, bytes) VALUES (?, ?) " +
  "ON CONFLICT (number) DO UPDATE SET bytes = excluded.bytes";
/** The first byte of a BLOB is number 1. */
const readPart = "SELECT substr(bytes, ?, ?) AS part FROM scratch WHERE number = ?";

export class ObjectScratch implements RowStore {
  readonly #sql: ObjectSqlStorage;
  readonly #bytesMax: number;
  #rowCount = 0;
  #free: number[] = [];
  #hasTable = false;

  /** `bytesMax`: of all disks that are open together. */
  constructor(sql: ObjectSqlStorage, { bytesMax }: { readonly bytesMax: number }) {
    this.#sql = sql;
    this.#bytesMax = bytesMax;
  }

  open(): ScratchDisk {
    return new ScratchRows(this);
  }

  /** Deletes everything, also what an earlier activation left. No disk is in use any more. */
  clear(): void {
    // Only a look where there is nothing: a write would be billed, and be waited for.
    if (this.#sql.exec(isThere).toArray().length > 0) this.#sql.exec(dropTable);
    this.#hasTable = false;
    this.#rowCount = 0;
    this.#free = [];
  }

  take(): number {
    const known = this.#free.pop();
    if (known !== undefined) return known;
    if ((this.#rowCount + 1) * scratchRowBytes > this.#bytesMax) throw this.#exceeded();
    if (!this.#hasTable) this.#begin();
    return this.#rowCount++;
  }

  giveBack(rows: readonly number[]): void {
    this.#free.push(...rows);
    if (this.#hasTable && this.#free.length === this.#rowCount) this.clear();
  }

  write(row: number, bytes: Uint8Array): void {
    this.#sql.exec(writeRow, row, bytes);
  }

  read(row: number, position: number, target: Uint8Array): void {
    const [found] = this.#sql.exec(readPart, position + 1, target.length, row).toArray();
    const part = found?.["part"];
    if (!(part instanceof ArrayBuffer && part.byteLength === target.length)) {
      const message = `Cannot read row ${row} of an object's scratch space: it is not whole`;
      throw new StreamError("corrupt_state", message);
    }
    target.set(new Uint8Array(part));
    // Freed at once: a page at a time, tens of megabytes would wait to be collected.
    part.transfer(0);
  }

  #begin(): void {
    this.clear();
    this.#sql.exec(createTable);
    this.#hasTable = true;
  }

  #exceeded(): StreamError {
    const bytesMax = this.#bytesMax;
    const message =
      `Cannot keep more of a query's state: in the storage of its object it may take ${bytesMax} ` +
      "bytes, and has. Raise MILLRACE_SCRATCH_BYTES, or let it hold less";
    return new StreamError("sql_memory_exceeded", message, {
      details: { scratchBytesMax: bytesMax },
    });
  }
}
