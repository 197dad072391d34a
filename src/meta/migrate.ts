import { StreamError } from "../base/stream-error.ts";
import { migrations as allMigrations, type Migration } from "./schema.ts";
import type { SqlDatabase } from "./sql-database.ts";
import { numberAt } from "./sql-values.ts";

/** Of a database into which a log is being copied (copy-metadata.ts): every program refuses it. */
export const copyingVersion = 1_000_000;

/** What clients are told to wait for newer programs to be there. */
const retryAfterSeconds = 10;

const createTable = `CREATE TABLE IF NOT EXISTS migration (
  version INTEGER PRIMARY KEY,
  title TEXT NOT NULL,
  applied_at INTEGER NOT NULL
) STRICT`;

/**
 * Brings the database to this program's schema; returns the version. Each migration is one write
 * batch that begins by inserting its own number, so of several programs that start together one
 * applies it and the others find it done.
 * A database that is newer by migrations of the program's own era is taken as it is (ADR 48).
 * Errors: `metadata_newer` when it is of a later era: a rollout may be under way, whose newer
 * programs answer soon.
 */
export async function migrate(
  database: SqlDatabase,
  migrations: readonly Migration[] = allMigrations,
): Promise<number> {
  const known = migrations.at(-1)?.version ?? 0;
  let version = await schemaVersion(database);
  refuseNewer(database, { version, known });
  for (const migration of migrations) {
    if (migration.version <= version) continue;
    try {
      await apply(database, migration);
      version = migration.version;
    } catch (error) {
      // Somebody else applied it, or our own reply was lost: either way it is there now.
      version = await schemaVersion(database);
      refuseNewer(database, { version, known });
      if (version < migration.version) throw error;
    }
  }
  return version;
}

async function apply(database: SqlDatabase, migration: Migration): Promise<void> {
  await database.batch(
    [
      { sql: createTable, args: [] },
      {
        sql: `INSERT INTO migration (version, title, applied_at)
  VALUES (?1, ?2, CAST(unixepoch('subsec') * 1000 AS INTEGER))`,
        args: [migration.version, migration.title],
      },
      ...migration.statements.map((sql) => ({ sql, args: [] })),
    ],
    "write",
  );
}

/** The database's schema version; 0 when it is empty. One request where it is not. */
export async function schemaVersion(database: SqlDatabase): Promise<number> {
  try {
    return await highestVersion(database);
  } catch {
    // Most likely there is no such table yet, which libSQL's server has no code for. If that is not
    // it, one of these fails as well.
    return (await hasMigrations(database)) ? await highestVersion(database) : 0;
  }
}

async function highestVersion(database: SqlDatabase): Promise<number> {
  const [highest] = await database.batch(
    [{ sql: "SELECT coalesce(max(version), 0) FROM migration", args: [] }],
    "read",
  );
  return numberAt(highest?.rows[0], 0);
}

async function hasMigrations(database: SqlDatabase): Promise<boolean> {
  const [found] = await database.batch(
    [
      {
        sql: "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = 'migration'",
        args: [],
      },
    ],
    "read",
  );
  return numberAt(found?.rows[0], 0) > 0;
}

/** Within a thousand versions migrations only add what older programs may leave alone. */
function eraOf(version: number): number {
  return Math.floor(version / 1000);
}

function refuseNewer(
  database: SqlDatabase,
  { version, known }: { readonly version: number; readonly known: number },
): void {
  if (eraOf(version) <= eraOf(known)) return;
  const why =
    version === copyingVersion
      ? "a log is being copied into it. Let `streamctl copy` end, or run it again."
      : `its schema is version ${version}, this program knows up to ${known}. Start a newer ` +
        "Millrace, or restore a backup made before the upgrade.";
  throw new StreamError("metadata_newer", `Cannot use metadata ${database.description}: ${why}`, {
    details: { version, known, retryAfterSeconds },
  });
}
