/**
 * Copies all of a log's metadata into another database. While that is under way the other one has
 * a schema version that no program knows, so that no worker starts on half of it; the last batch
 * gives it the row that names the log, and takes the mark away. Until then the copy may be begun
 * anew at any moment: rows replace themselves (ADR 51).
 */
import { StreamError } from "../base/stream-error.ts";
import { copyingVersion, migrate, schemaVersion } from "./migrate.ts";
import { stagingTables } from "./schema.ts";
import type { SqlDatabase, SqlResult, SqlStatement, SqlValue } from "./sql-database.ts";
import { numberAt, statement, textAt } from "./sql-values.ts";

export interface MetadataCopy {
  readonly from: SqlDatabase;
  readonly to: SqlDatabase;
  readonly signal: AbortSignal;
  /** Called with each batch: how many rows were copied so far. */
  readonly onProgress: (rows: number) => Promise<void>;
}

interface Table {
  readonly name: string;
  readonly columns: readonly string[];
  /** Its primary key, by which it is walked. */
  readonly key: readonly string[];
}

const rowsPerRead = 500;
const rowsPerInsert = 50;

/** What a database knows of the log that it is of, before it is copied into. */
export type CopyState = "empty" | "begun" | "complete";

/**
 * How far the copy is. Errors: `metadata_unavailable`, and `invalid_request` when the other
 * database belongs to another log.
 */
export async function copyState(from: SqlDatabase, to: SqlDatabase): Promise<CopyState> {
  const version = await schemaVersion(to);
  if (version === 0) return "empty";
  const cluster = await clusterOf(from);
  if (version === copyingVersion) {
    const results = await ask(to, "SELECT title FROM migration WHERE version = ?1", copyingVersion);
    if (textAt(results[0]?.rows[0], 0) === cluster) return "begun";
  } else {
    if ((await clusterOf(to)) === cluster) return "complete";
    if (await isUntouched(to)) return "empty";
  }
  throw new StreamError(
    "invalid_request",
    `Cannot copy into ${to.description}: another log is in it. Give a database that is empty`,
  );
}

/**
 * Refuses a log that somebody may be writing, or whose workers did not all leave in order: what
 * they left behind is looked after where they ran. Errors: `invalid_request`.
 */
export async function refuseOpenEpochs(from: SqlDatabase): Promise<void> {
  const [found] = await ask(from, "SELECT count(*) FROM worker WHERE closed = 0 OR mended = 0");
  const count = numberAt(found?.rows[0], 0);
  if (count === 0) return;
  throw new StreamError(
    "invalid_request",
    `Cannot copy ${from.description}: a worker runs on it, or ended without leaving. Start the ` +
      "server on it once more if need be, stop it with SIGTERM, and copy again",
  );
}

/** Copies all rows; resolves to their number. Safe to call again after it failed. */
export async function copyMetadata(copy: MetadataCopy): Promise<number> {
  const { from, to } = copy;
  await beginCopy(from, to);
  const tables = await tablesOf(from);
  let rows = 0;
  for (const table of tables.filter(({ name }) => name !== "namespace")) {
    for await (const found of walk(from, table)) {
      copy.signal.throwIfAborted();
      await to.batch(insertsOf(table, found), "write");
      rows += found.length;
      await copy.onProgress(rows);
    }
    await compareCounts(copy, table);
  }
  await endCopy(copy, tables);
  return rows + 1;
}

async function beginCopy(from: SqlDatabase, to: SqlDatabase): Promise<void> {
  const version = await migrate(from);
  if ((await schemaVersion(to)) === copyingVersion) return;
  if ((await migrate(to)) !== version) {
    throw new StreamError(
      "unsupported_version",
      `Cannot copy ${from.description}: a newer Millrace has used it or ${to.description}. Copy ` +
        "with that one",
    );
  }
  const mark = statement(
    `INSERT INTO migration (version, title, applied_at) VALUES (?1, ?2, 0)
ON CONFLICT (version) DO NOTHING`,
    ...[copyingVersion, await clusterOf(from)],
  );
  await to.batch([mark], "write");
}

/** Numbers that were given away and whose rows are gone must not be given again. */
async function endCopy({ from, to }: MetadataCopy, tables: readonly Table[]): Promise<void> {
  const [sequences] = await ask(from, "SELECT name, seq FROM sqlite_sequence");
  const namespace = tables.filter(({ name }) => name === "namespace");
  const named = await Promise.all(
    namespace.map(async (table) => {
      const [found] = await ask(from, `SELECT ${table.columns} FROM ${table.name}`);
      return insertsOf(table, found?.rows ?? []);
    }),
  );
  await to.batch(
    [
      statement("DELETE FROM sqlite_sequence"),
      ...(sequences?.rows ?? []).map((row) =>
        statement("INSERT INTO sqlite_sequence (name, seq) VALUES (?1, ?2)", ...row),
      ),
      ...named.flat(),
      statement("DELETE FROM migration WHERE version = ?1", copyingVersion),
    ],
    "write",
  );
}

/** All tables of the log; not those that live within a batch, and not the engine's own. */
async function tablesOf(database: SqlDatabase): Promise<Table[]> {
  const passing = new Set(["migration", ...stagingTables.map(({ name }) => name)]);
  const [found] = await ask(
    database,
    `SELECT m.name, c.name, c.pk FROM sqlite_master m JOIN pragma_table_info(m.name) c
WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite!_%' ESCAPE '!'
  AND m.name NOT LIKE 'libsql!_%' ESCAPE '!' ORDER BY m.name, c.cid`,
  );
  const tables = new Map<string, { name: string; columns: string[]; key: [number, string][] }>();
  for (const row of found?.rows ?? []) {
    const [name, column, place] = [textAt(row, 0), textAt(row, 1), numberAt(row, 2)];
    if (passing.has(name)) continue;
    const table = tables.get(name) ?? { name, columns: [], key: [] };
    table.columns.push(column);
    if (place > 0) table.key.push([place, column]);
    tables.set(name, table);
  }
  return [...tables.values()].map(({ name, columns, key }) => ({
    ...{ name, columns },
    key: key.sort(([left], [right]) => left - right).map(([, column]) => column),
  }));
}

/** Rows in slices, by primary key. */
async function* walk(database: SqlDatabase, table: Table): AsyncGenerator<SqlResult["rows"], void> {
  const { name, columns, key } = table;
  const marks = key.map((_, index) => `?${index + 1}`);
  let after: readonly SqlValue[] = [];
  for (;;) {
    const where = after.length === 0 ? "" : `WHERE (${key}) > (${marks})`;
    const text = `SELECT ${columns} FROM ${name} ${where} ORDER BY ${key} LIMIT ${rowsPerRead}`;
    const [found] = await ask(database, text, ...after);
    const rows = found?.rows ?? [];
    if (rows.length > 0) yield rows;
    const last = rows.at(-1);
    if (last === undefined || rows.length < rowsPerRead) return;
    after = key.map((column) => last[columns.indexOf(column)] ?? null);
  }
}

function insertsOf({ name, columns }: Table, rows: SqlResult["rows"]): SqlStatement[] {
  const statements: SqlStatement[] = [];
  const values = `(${columns.map(() => "?")})`;
  for (let start = 0; start < rows.length; start += rowsPerInsert) {
    const some = rows.slice(start, start + rowsPerInsert);
    const sql = `INSERT OR REPLACE INTO ${name} (${columns}) VALUES ${some.map(() => values)}`;
    statements.push({ sql, args: some.flat() });
  }
  return statements;
}

async function compareCounts({ from, to }: MetadataCopy, { name }: Table): Promise<void> {
  const text = `SELECT count(*) FROM ${name}`;
  const [expected, found] = await Promise.all([ask(from, text), ask(to, text)]);
  if (numberAt(expected[0]?.rows[0], 0) === numberAt(found[0]?.rows[0], 0)) return;
  throw new StreamError(
    "invalid_request",
    `Cannot copy ${from.description}: ${to.description} holds other rows of ${name}. Somebody ` +
      "writes one of them; stop it, and copy again",
  );
}

async function clusterOf(database: SqlDatabase): Promise<string> {
  const [found] = await ask(database, "SELECT hex(cluster_id) FROM namespace WHERE id = 1");
  return textAt(found?.rows[0], 0);
}

/** Made ready, and nothing ever came of it. */
async function isUntouched(database: SqlDatabase): Promise<boolean> {
  const [found] = await ask(
    database,
    "SELECT (SELECT count(*) FROM worker) + (SELECT count(*) FROM topic)",
  );
  return numberAt(found?.rows[0], 0) === 0;
}

async function ask(
  database: SqlDatabase,
  sql: string,
  ...args: readonly SqlValue[]
): Promise<SqlResult[]> {
  return await database.batch([{ sql, args }], "read");
}
