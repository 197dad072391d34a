/**
 * What SQL has made in the namespace: streams and tables over topics, views, and the continuous
 * queries that run. Names are unique over all kinds, compared as they are written. Every change
 * raises the catalog version, by which other workers notice it.
 *
 * A row is replaced whole and never edited in place but for a query's `desired` and `failure`, so
 * that what a statement made can be shown and made again from its text.
 */
import { StreamError } from "../base/stream-error.ts";
import type { SqlDatabase, SqlStatement, SqlValue } from "./sql-database.ts";
import { databaseNow, numberAt, rowsOf, statement, textAt, textOrNullAt } from "./sql-values.ts";

export type SqlObjectKind = "stream" | "table" | "view" | "materialized_view";

export interface SqlObject {
  readonly name: string;
  readonly kind: SqlObjectKind;
  /** The statement that made it. */
  readonly statement: string;
  /** What the checker found out, as JSON: columns, options, time attribute. */
  readonly definition: string;
  readonly createdAt: number;
}

/** What its users want of a query; what it does is known to the worker that holds its lease. */
export type DesiredState = "running" | "paused";

export interface QueryRow {
  /** Stable for the life of the query; also the name of its lease and its consumer group. */
  readonly queryId: string;
  /** The materialized view that it fills, or the topic that INSERT INTO names. */
  readonly target: string;
  readonly statement: string;
  /** What the runner needs to start it anywhere, as JSON: see pipeline/query-definition.ts. */
  readonly definition: string;
  readonly desired: DesiredState;
  /** Why it stopped by itself; null while it may run. */
  readonly failure: string | null;
  readonly createdAt: number;
}

export interface SqlCatalogRows {
  readonly catalogVersion: number;
  readonly objects: readonly SqlObject[];
  readonly queries: readonly QueryRow[];
}

const bumpCatalog = statement(
  "UPDATE namespace SET catalog_version = catalog_version + 1 WHERE id = 1 AND changes() > 0",
);

/** Everything there is: a few hundred rows at most, read again when the catalog version moves. */
export async function readSqlCatalog(database: SqlDatabase): Promise<SqlCatalogRows> {
  const results = await database.batch(
    [
      statement("SELECT catalog_version FROM namespace WHERE id = 1"),
      statement(
        "SELECT name, kind, statement, definition, created_at FROM sql_object ORDER BY name",
      ),
      statement(
        `SELECT query_id, target, statement, definition, desired, failure, created_at
FROM query ORDER BY created_at, query_id`,
      ),
    ],
    "read",
  );
  return {
    catalogVersion: numberAt(rowsOf(results, 0)[0], 0),
    objects: rowsOf(results, 1).map(objectFromRow),
    queries: rowsOf(results, 2).map(queryFromRow),
  };
}

export interface NewSqlObject extends Omit<SqlObject, "createdAt"> {
  /** The query that fills it, made in the same transaction. */
  readonly query?: NewQuery;
}

export type NewQuery = Pick<QueryRow, "queryId" | "target" | "statement" | "definition">;

/**
 * Adds an object, and its query if it has one, together. Sent again after a lost reply it finds its
 * own row and is content.
 * @throws StreamError `sql_object_exists` when the name stands for something else.
 */
export async function createSqlObject(database: SqlDatabase, object: NewSqlObject): Promise<void> {
  const { name, kind, definition, query } = object;
  const statements: SqlStatement[] = [
    statement(
      `INSERT INTO sql_object (name, kind, statement, definition, created_at)
VALUES (?1, ?2, ?3, ?4, ${databaseNow}) ON CONFLICT (name) DO NOTHING`,
      ...[name, kind, object.statement, definition],
    ),
    bumpCatalog,
  ];
  if (query !== undefined) {
    statements.push(
      statement(
        `INSERT INTO query (query_id, target, statement, definition, desired, created_at)
SELECT ?1, ?2, ?3, ?4, 'running', ${databaseNow}
WHERE EXISTS (SELECT 1 FROM sql_object o WHERE o.name = ?5 AND o.definition = ?6)
ON CONFLICT (query_id) DO NOTHING`,
        ...[query.queryId, query.target, query.statement, query.definition, name, definition],
      ),
    );
  }
  statements.push(
    statement("SELECT kind, statement, definition FROM sql_object WHERE name = ?1", name),
  );
  const results = await database.batch(statements, "write");
  const row = rowsOf(results, statements.length - 1)[0];
  const isOurs =
    textAt(row, 0) === kind && textAt(row, 1) === object.statement && textAt(row, 2) === definition;
  if (isOurs) return;
  throw new StreamError(
    "sql_object_exists",
    `Cannot create "${name}": there is a ${showKind(textAt(row, 0))} of that name; ` +
      "drop it first, or choose another name",
    { details: { name } },
  );
}

/** Adds a query that fills no object of its own (INSERT INTO … SELECT). Safe to send again. */
export async function createQuery(database: SqlDatabase, query: NewQuery): Promise<void> {
  await database.batch(
    [
      statement(
        `INSERT INTO query (query_id, target, statement, definition, desired, created_at)
VALUES (?1, ?2, ?3, ?4, 'running', ${databaseNow}) ON CONFLICT (query_id) DO NOTHING`,
        ...[query.queryId, query.target, query.statement, query.definition],
      ),
      bumpCatalog,
    ],
    "write",
  );
}

/**
 * Removes an object and the query that fills it; true when it was there. The lease goes with the
 * query, so that whoever runs it commits nothing any more.
 */
export async function dropSqlObject(database: SqlDatabase, name: string): Promise<boolean> {
  const ofView = `EXISTS (SELECT 1 FROM sql_object o
  WHERE o.name = ?1 AND o.kind = 'materialized_view')`;
  const itsQueries = "(SELECT q.query_id FROM query q WHERE q.target = ?1)";
  const results = await database.batch(
    [
      statement(
        `DELETE FROM lease WHERE ${ofView} AND kind = 'query' AND name IN ${itsQueries}`,
        name,
      ),
      statement(`DELETE FROM group_offset WHERE ${ofView} AND group_id IN ${itsQueries}`, name),
      statement(`DELETE FROM query WHERE target = ?1 AND ${ofView}`, name),
      statement("DELETE FROM sql_object WHERE name = ?1", name),
      statement("SELECT changes()"),
      bumpCatalog,
    ],
    "write",
  );
  return numberAt(rowsOf(results, 4)[0], 0) > 0;
}

/** Removes a query, its shown position and its lease, as above; true when it was there. */
export async function dropQuery(database: SqlDatabase, queryId: string): Promise<boolean> {
  const results = await database.batch(
    [
      statement("DELETE FROM lease WHERE kind = 'query' AND name = ?1", queryId),
      statement("DELETE FROM group_offset WHERE group_id = ?1", queryId),
      statement("DELETE FROM query WHERE query_id = ?1", queryId),
      statement("SELECT changes()"),
      bumpCatalog,
    ],
    "write",
  );
  return numberAt(rowsOf(results, 3)[0], 0) > 0;
}

/** Pauses or resumes; resuming forgets why it had failed. True when the query is there. */
export async function setQueryDesired(
  database: SqlDatabase,
  change: { readonly queryId: string; readonly desired: DesiredState },
): Promise<boolean> {
  return changed(
    database,
    statement(
      `UPDATE query SET desired = ?2, failure = CASE ?2 WHEN 'running' THEN NULL ELSE failure END
WHERE query_id = ?1`,
      ...[change.queryId, change.desired],
    ),
  );
}

/**
 * Notes why a query stopped by itself. Only the holder of its lease may: who has lost it is wrong
 * about the query. True when it was noted.
 */
export async function failQuery(
  database: SqlDatabase,
  failure: { readonly queryId: string; readonly leaseEpoch: number; readonly reason: string },
): Promise<boolean> {
  return changed(
    database,
    statement(
      `UPDATE query SET failure = ?3 WHERE query_id = ?1 AND EXISTS (
  SELECT 1 FROM lease l WHERE l.kind = 'query' AND l.name = ?1 AND l.lease_epoch = ?2)`,
      ...[failure.queryId, failure.leaseEpoch, failure.reason],
    ),
  );
}

async function changed(database: SqlDatabase, change: SqlStatement): Promise<boolean> {
  const results = await database.batch(
    [change, statement("SELECT changes()"), bumpCatalog],
    "write",
  );
  return numberAt(rowsOf(results, 1)[0], 0) > 0;
}

function showKind(kind: string): string {
  return kind.replace("_", " ");
}

function objectFromRow(row: readonly SqlValue[]): SqlObject {
  return {
    name: textAt(row, 0),
    kind: textAt(row, 1) as SqlObjectKind,
    statement: textAt(row, 2),
    definition: textAt(row, 3),
    createdAt: numberAt(row, 4),
  };
}

function queryFromRow(row: readonly SqlValue[]): QueryRow {
  return {
    queryId: textAt(row, 0),
    target: textAt(row, 1),
    statement: textAt(row, 2),
    definition: textAt(row, 3),
    desired: textAt(row, 4) as DesiredState,
    failure: textOrNullAt(row, 5),
    createdAt: numberAt(row, 6),
  };
}
