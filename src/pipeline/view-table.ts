/**
 * The rows of a materialized view as a table of SQLite: what pulls and pushes read. It is made of
 * the view's topic and of nothing else, record batch after record batch, so that it shows what was
 * committed only, and any worker can have one.
 *
 * An updating view has a row per key, the key being the record's own (`rk`), and `at`, the offset
 * of the record that the row comes from. A view that only adds has a row per record. Batches go in
 * by one statement over their columns; no row becomes a JavaScript object.
 *
 * While somebody follows an updating view, triggers keep what each record changed, old row and new,
 * so that every follower's filter and projection are applied to both.
 */
import type { Platform } from "../base/platform.ts";
import { StreamError } from "../base/stream-error.ts";
import { encloseRecords } from "../record/batch-encode.ts";
import type { RecordShape } from "../sql/engine/append-sink.ts";
import { columnName } from "../sql/engine/row-layout.ts";
import { hostFunctions } from "../sql/functions/catalog.ts";
import { sourceBatchOf } from "../sql/kernel/source-batch.ts";
import { SourceDecoder } from "../sql/kernel/source-decoder.ts";
import type { SqlValue } from "../sql/plan/scalar.ts";
import { SqliteDatabase } from "../sql/sqlite/database.ts";
import { Emitter } from "../sql/sqlite/emitter.ts";
import { registerFunctions } from "../sql/sqlite/functions.ts";
import { SqliteHost } from "../sql/sqlite/host.ts";
import type { SqlModules } from "../sql/sqlite/modules.ts";
import type { SqliteStatement } from "../sql/sqlite/statement.ts";
import { declareTable, type VirtualTable } from "../sql/sqlite/virtual-table.ts";
import { type DataType, valueKindOf } from "../sql/types/data-type.ts";

export interface ViewSetup {
  readonly name: string;
  readonly topic: string;
  readonly columns: readonly ViewColumn[];
  /** Places of the key's columns; rows are found by them. */
  readonly key: readonly number[];
  /** Records replace the row of their key; else each is a row of its own. */
  readonly isUpdating: boolean;
  readonly memoryBytesMax: number;
  /** Offsets behind the end for which changes are kept while somebody follows. */
  readonly changesMax: number;
}

export interface ViewColumn {
  readonly name: string;
  readonly type: DataType;
  readonly nullable: boolean;
}

/** A statement over `rows` (or `changes`), and how its rows become records. */
export interface ViewStatement {
  readonly sql: string;
  readonly params: readonly SqlValue[];
  readonly shape: RecordShape;
  /** Columns that it compares with a value: worth an index when it comes again. */
  readonly lookups: readonly number[];
}

export interface ViewRows {
  /** Record batches whose values are the rows. */
  readonly batches: readonly Uint8Array[];
  readonly rowCount: number;
  /** By which `next` asks for more; null: these are the last. */
  readonly read: number | null;
}

/** A read that stopped at the end of a page. It has its statement and its emitter to itself. */
interface OpenRead {
  readonly statement: SqliteStatement;
  readonly emitter: Emitter;
  readonly pageBytes: number;
  /** Given so far. */
  bytes: number;
}

export interface ViewState {
  /** Every record below it is in the table. */
  readonly position: number;
  /** Changes are kept from this offset on; null: they are not. */
  readonly changesFrom: number | null;
  readonly memoryBytes: number;
}

/** A result's records, all together where they are not read in pages. */
export const resultBytesMax = 64 * 1024 * 1024;
const chunkBytes = 64 * 1024;
/** Statements and emitters that are kept for the next time. */
const statementsMax = 256;
const emittersMax = 64;
/** Lookups by a column before it gets an index. */
const lookupsBeforeIndex = 3;

export class ViewTable {
  readonly #setup: ViewSetup;
  readonly #platform: Pick<Platform, "codecs" | "crc32c">;
  readonly #host: SqliteHost;
  readonly #database: SqliteDatabase;
  readonly #decoder: SourceDecoder;
  readonly #incoming: VirtualTable;
  readonly #add: SqliteStatement;
  /** For batches in which keys go. */
  readonly #change: SqliteStatement | null;
  readonly #drop: SqliteStatement | null;
  readonly #statements = new Map<string, SqliteStatement>();
  readonly #emitters = new Map<string, Emitter>();
  readonly #lookups = new Map<number, number>();
  readonly #indexed = new Set<number>();
  readonly #openReads = new Map<number, OpenRead>();
  #nextRead = 1;
  #position = 0;
  #changesFrom: number | null = null;

  /** @throws StreamError `sql_memory_exceeded`, `invalid_config` */
  constructor(
    parts: { readonly platform: Platform; readonly modules: SqlModules },
    setup: ViewSetup,
  ) {
    const { platform, modules } = parts;
    const { memoryBytesMax, columns, topic, key, isUpdating } = setup;
    this.#setup = setup;
    this.#platform = platform;
    this.#host = new SqliteHost({ modules, clock: platform.clock, memoryBytesMax });
    this.#database = new SqliteDatabase(this.#host);
    registerFunctions(this.#database, hostFunctions);
    // A table that fails halfway is thrown away: nothing is ever rolled back.
    this.#database.query("PRAGMA journal_mode = OFF");
    this.#database.run("PRAGMA temp_store = MEMORY");
    this.#decoder = new SourceDecoder({
      ...{ host: this.#host, topic, format: "json" },
      columns: [...columns, ...(isUpdating ? [recordKey] : [])],
      origins: [
        ...columns.map(({ name }) => ({ from: "value", path: [name] }) as const),
        ...(isUpdating ? [{ from: "metadata", field: "key" } as const] : []),
      ],
    });
    const names = columns.map((_, index) => columnName(index));
    this.#database.run(tableSql(isUpdating, names));
    if (isUpdating && key.length > 0) this.#index(key);
    this.#incoming = declareTable(this.#database, "incoming", [
      ...columns.map(({ type }, index) => ({ name: columnName(index), kind: valueKindOf(type) })),
      ...(isUpdating ? [{ name: "rk", kind: "text" } as const] : []),
      { name: "partition", kind: "integer" },
      { name: "at", kind: "integer" },
      { name: "raw", kind: "blob" },
    ]);
    const prepare = (sql: string) => this.#database.prepare(sql);
    this.#add = prepare(isUpdating ? upsertSql(names, key) : insertSql(names));
    this.#change = isUpdating ? prepare(upsertOrMarkSql(names)) : null;
    this.#drop = isUpdating ? prepare(dropMarkedSql) : null;
  }

  get state(): ViewState {
    const { bytes } = this.#host.memory;
    const memoryBytes = bytes.length;
    return { position: this.#position, changesFrom: this.#changesFrom, memoryBytes };
  }

  /**
   * Takes the records from the position on, up to `nextOffset` (of whole batches; the first may
   * begin before the position, the last end behind it).
   * @throws StreamError `corrupt_record`, `sql_memory_exceeded`: then the table is of no more use.
   */
  apply(batches: readonly Uint8Array[], nextOffset: number): void {
    const { codecs } = this.#platform;
    this.#breakOff();
    const from = this.#position;
    const sources = batches.flatMap((bytes) => sourceBatchOf(bytes, { partition: 0, codecs }));
    if (sources.length > 0) {
      const { table, errors, recordCount, tombstoneCount } = this.#decoder.decode(sources);
      const [error] = errors;
      if (error !== undefined) throw this.#corrupt(this.#decoder.describe(error));
      this.#incoming.table.pointTo(table);
      // Tombstones too: only their key is looked at.
      this.#incoming.table.setRows({ rowCount: recordCount });
      const range = [BigInt(from), BigInt(nextOffset)];
      if (tombstoneCount === 0 || this.#change === null) this.#add.all(...range);
      else {
        this.#change.all(...range);
        this.#drop?.all();
      }
    }
    this.#position = Math.max(from, nextOffset);
    this.#trim(from);
  }

  /** From here on what changes is kept. */
  keepChanges(): void {
    if (this.#changesFrom !== null) return;
    this.#breakOff();
    this.#changesFrom = this.#setup.isUpdating ? this.#position : 0;
    if (!this.#setup.isUpdating) return;
    const names = this.#setup.columns.map((_, index) => columnName(index));
    for (const sql of keepSql(names)) this.#database.run(sql);
  }

  /** Nobody follows any more. */
  dropChanges(): void {
    if (this.#changesFrom === null) return;
    this.#breakOff();
    this.#changesFrom = null;
    if (!this.#setup.isUpdating) return;
    this.#forgetStatements();
    for (const sql of dropSql) this.#database.run(sql);
  }

  /**
   * The rows of a statement, all of them or those of its first page: until `next` gives the last
   * ones or `leave` is called, nothing may change the table, or the read is broken off.
   * @throws StreamError `sql_evaluation_failed`, `sql_memory_exceeded`, `sql_too_large`
   */
  read(query: ViewStatement, pageBytes = Number.POSITIVE_INFINITY): ViewRows {
    this.#noteLookups(query.lookups);
    const statement = this.#prepared(query.sql);
    const emitter = this.#emitter(query.shape);
    emitter.startStatement(statement.bind(...query.params));
    const open = { statement, emitter, pageBytes, bytes: 0 };
    let isOpen = false;
    try {
      const rows = this.#page(open);
      isOpen = rows.read !== null;
      if (!isOpen) return rows;
      // Others that ask the same meanwhile have to make their own.
      this.#statements.delete(query.sql);
      this.#emitters.delete(JSON.stringify(query.shape));
      const read = this.#nextRead++;
      this.#openReads.set(read, open);
      return { ...rows, read };
    } finally {
      if (!isOpen) statement.reset();
    }
  }

  /** What follows in a read; null: it was broken off by a change. @throws as `read`. */
  next(read: number): ViewRows | null {
    const open = this.#openReads.get(read);
    if (open === undefined) return null;
    let isOpen = false;
    try {
      const rows = this.#page(open);
      isOpen = rows.read !== null;
      return isOpen ? { ...rows, read } : rows;
    } finally {
      if (!isOpen) this.leave(read);
    }
  }

  leave(read: number): void {
    const open = this.#openReads.get(read);
    if (open === undefined) return;
    this.#openReads.delete(read);
    open.statement.finalize();
    open.emitter.free();
  }

  /** Rows up to the end of a page; `read` is null when there are no more, else any number. */
  #page(open: OpenRead): ViewRows {
    const { emitter, pageBytes } = open;
    const batches: Uint8Array[] = [];
    let rowCount = 0;
    let bytes = 0;
    while (bytes < pageBytes) {
      const outcome = emitter.next();
      if (outcome.kind === "failed") throw outcome.error;
      if (outcome.chunk !== null) {
        rowCount += outcome.chunk.recordCount;
        const batch = encloseRecords(outcome.chunk, { codec: "none" }, this.#platform);
        bytes += batch.length;
        open.bytes += batch.length;
        // Pages are taken one by one: only what comes at once has a bound.
        if (open.bytes > resultBytesMax && !Number.isFinite(pageBytes)) throw this.#tooLarge();
        batches.push(batch);
      }
      if (outcome.kind === "done") return { batches, rowCount, read: null };
    }
    return { batches, rowCount, read: 0 };
  }

  /** A statement that goes on while its table changes may show both states: it may not go on. */
  #breakOff(): void {
    for (const read of [...this.#openReads.keys()]) this.leave(read);
  }

  /** What SQLite would do. */
  explain(sql: string): SqlValue[][] {
    return this.#database.query(`EXPLAIN QUERY PLAN ${sql}`);
  }

  /** Changes far behind the end go, but never those of the last batches. */
  #trim(lastFrom: number): void {
    const { changesMax, isUpdating } = this.#setup;
    if (this.#changesFrom === null || !isUpdating) return;
    const until = Math.min(lastFrom, this.#position - changesMax);
    if (until <= this.#changesFrom) return;
    this.#changesFrom = until;
    this.#prepared("DELETE FROM changes WHERE at < ?1").all(BigInt(until));
  }

  #noteLookups(columns: readonly number[]): void {
    const { key, isUpdating } = this.#setup;
    // The index of the key begins with its first column.
    const isByKey = isUpdating && key[0] !== undefined && columns.includes(key[0]);
    if (isByKey) return;
    for (const column of columns) {
      const count = (this.#lookups.get(column) ?? 0) + 1;
      this.#lookups.set(column, count);
      // An open read is not to meet an index that was not there when it began.
      if (count < lookupsBeforeIndex || this.#openReads.size > 0) continue;
      if (this.#indexed.has(column)) continue;
      this.#indexed.add(column);
      this.#index([column]);
    }
  }

  #index(columns: readonly number[]): void {
    const list = columns.map(columnName).join(", ");
    this.#database.run(`CREATE INDEX "by_${columns.join("_")}" ON rows (${list})`);
  }

  /** The oldest goes when there are too many: a Map keeps the order of insertion. */
  #prepared(sql: string): SqliteStatement {
    const known = this.#statements.get(sql);
    if (known !== undefined) {
      this.#statements.delete(sql);
      this.#statements.set(sql, known);
      return known;
    }
    const statement = this.#database.prepare(sql);
    this.#statements.set(sql, statement);
    if (this.#statements.size > statementsMax) {
      const [oldest] = this.#statements;
      oldest?.[1].finalize();
      this.#statements.delete(oldest?.[0] ?? "");
    }
    return statement;
  }

  #emitter(shape: RecordShape): Emitter {
    const name = JSON.stringify(shape);
    const known = this.#emitters.get(name);
    if (known !== undefined) return known;
    const emitter = new Emitter(this.#host, { ...shape, chunkBytes });
    this.#emitters.set(name, emitter);
    if (this.#emitters.size > emittersMax) {
      const [oldest] = this.#emitters;
      oldest?.[1].free();
      this.#emitters.delete(oldest?.[0] ?? "");
    }
    return emitter;
  }

  #forgetStatements(): void {
    for (const statement of this.#statements.values()) statement.finalize();
    this.#statements.clear();
  }

  #corrupt(reason: string): StreamError {
    const { name, topic } = this.#setup;
    const message = `Cannot read the view "${name}": a record of its topic "${topic}": ${reason}`;
    return new StreamError("corrupt_record", message);
  }

  #tooLarge(): StreamError {
    const message =
      `Cannot read the view "${this.#setup.name}": the result has more than ${resultBytesMax} ` +
      "bytes; ask for less with WHERE or LIMIT, or read its topic";
    return new StreamError("sql_too_large", message, {
      details: { resultBytesMax },
    });
  }
}

const recordKey = {
  ...{ name: "key", nullable: false },
  type: { kind: "varchar", length: null },
} as const satisfies ViewColumn;

/** `id` keeps rows findable by index without a copy of their key; `gone` lives within one batch. */
function tableSql(isUpdating: boolean, names: readonly string[]): string {
  const identity = isUpdating
    ? "id INTEGER PRIMARY KEY, rk TEXT NOT NULL UNIQUE, at INTEGER NOT NULL, gone INTEGER NOT NULL"
    : "at INTEGER PRIMARY KEY";
  return `CREATE TABLE rows (${[identity, ...names].join(", ")})`;
}

const inRange = "WHERE at >= ?1 AND at < ?2";

function insertSql(names: readonly string[]): string {
  const list = ["at", ...names].join(", ");
  return `INSERT INTO rows (${list}) SELECT ${list} FROM incoming ${inRange}`;
}

/** A row of the same key has the same values in its key's columns, and needs no new index entry. */
function upsertSql(names: readonly string[], key: readonly number[]): string {
  const changing = names.filter((_, index) => !key.includes(index));
  const set = ["at", ...changing].map((name) => `${name} = excluded.${name}`).join(", ");
  return (
    `INSERT INTO rows (rk, at, gone, ${names.join(", ")}) ` +
    `SELECT rk, at, 0, ${names.join(", ")} FROM incoming ${inRange} ` +
    `ON CONFLICT (rk) DO UPDATE SET ${set}`
  );
}

/** A tombstone marks its key's row, which may come again behind it; `dropMarkedSql` ends it. */
function upsertOrMarkSql(names: readonly string[]): string {
  const values = names.map((name) => `CASE WHEN raw IS NULL THEN NULL ELSE ${name} END`);
  const set = ["at", "gone"].map((name) => `${name} = excluded.${name}`);
  // A row that goes keeps its values for whoever follows.
  const kept = names.map(
    (name) => `${name} = CASE WHEN excluded.gone THEN ${name} ELSE excluded.${name} END`,
  );
  return (
    `INSERT INTO rows (rk, at, gone, ${names.join(", ")}) ` +
    `SELECT rk, at, raw IS NULL, ${values.join(", ")} FROM incoming ${inRange} ` +
    `ON CONFLICT (rk) DO UPDATE SET ${[...set, ...kept].join(", ")}`
  );
}

const dropMarkedSql =
  "DELETE FROM rows WHERE gone = 1 AND rk IN (SELECT rk FROM incoming WHERE raw IS NULL)";

/** `was` and `is_now`: whether there was a row before the record, and is one behind it. */
function keepSql(names: readonly string[]): string[] {
  const olds = names.map((name) => `o${name}`);
  const news = names.map((name) => `n${name}`);
  const of = (row: "OLD" | "NEW") => names.map((name) => `${row}.${name}`).join(", ");
  return [
    `CREATE TABLE changes (at INTEGER PRIMARY KEY, was INTEGER NOT NULL, ` +
      `is_now INTEGER NOT NULL, ${[...olds, ...news].join(", ")})`,
    "CREATE TRIGGER row_added AFTER INSERT ON rows WHEN NEW.gone = 0 BEGIN " +
      `INSERT INTO changes (at, was, is_now, ${news.join(", ")}) ` +
      `VALUES (NEW.at, 0, 1, ${of("NEW")}); END`,
    "CREATE TRIGGER row_changed AFTER UPDATE ON rows WHEN NOT (OLD.gone AND NEW.gone) BEGIN " +
      `INSERT INTO changes (at, was, is_now, ${[...olds, ...news].join(", ")}) ` +
      `VALUES (NEW.at, 1 - OLD.gone, 1 - NEW.gone, ${of("OLD")}, ${of("NEW")}); END`,
  ];
}

const dropSql = ["DROP TRIGGER row_added", "DROP TRIGGER row_changed", "DROP TABLE changes"];
