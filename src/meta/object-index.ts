/**
 * Objects as the collector and the check after a power loss see them, and the receipts that prove
 * what was published.
 */
import { decodeReceipt } from "./publish-receipt.ts";
import type { PublishReceipt } from "./publish-request.ts";
import type { SqlDatabase } from "./sql-database.ts";
import { databaseNow, numberAt, rowsOf, statement, textAt, textOrNullAt } from "./sql-values.ts";

/** Objects read per question. */
const pageObjects = 1000;

export interface ReleasedObject {
  readonly objectId: number;
  readonly key: string;
}

/** The object that an open worker last published into may still grow. */
const mayGrow = `EXISTS (SELECT 1 FROM worker w
    WHERE w.worker_epoch = o.worker_epoch AND w.closed = 0
      AND o.object_id = (SELECT s.object_id FROM segment s WHERE s.worker_epoch = w.worker_epoch
        AND s.object_id IS NOT NULL ORDER BY s.sequence DESC LIMIT 1))`;

/** Objects without live rows for `graceMs` or longer, oldest first: their bytes may be deleted. */
export async function releasedObjects(
  database: SqlDatabase,
  { graceMs, limit }: { readonly graceMs: number; readonly limit: number },
): Promise<ReleasedObject[]> {
  const results = await database.batch(
    [
      statement(
        `SELECT o.object_id, o.key FROM object o
WHERE o.released_at <= ${databaseNow} - ?1 AND o.live_rows = 0 AND NOT ${mayGrow}
ORDER BY o.released_at LIMIT ?2`,
        ...[graceMs, limit],
      ),
    ],
    "read",
  );
  return rowsOf(results, 0).map((row) => ({ objectId: numberAt(row, 0), key: textAt(row, 1) }));
}

/** Forgets objects whose bytes are deleted. One that has live rows is left alone. */
export async function forgetObjects(
  database: SqlDatabase,
  objectIds: readonly number[],
): Promise<void> {
  await database.batch(
    [
      statement(
        `DELETE FROM object WHERE live_rows = 0
  AND object_id IN (SELECT j.value FROM json_each(?1) j)`,
        JSON.stringify(objectIds),
      ),
    ],
    "write",
  );
}

export interface StoredKey {
  readonly key: string;
  readonly workerEpoch: number;
  /** The last segment that the object can hold: its own, or the last of a rolling file. */
  readonly sequence: number;
}

/**
 * Which of these objects, found in the store, no index row will ever name: nothing names them now,
 * and their worker's epoch is closed or a later segment of it is published. Never judged by age. A
 * worker that the database does not know is another database's: its objects are kept.
 */
export async function unreferencedKeys(
  database: SqlDatabase,
  stored: readonly StoredKey[],
): Promise<string[]> {
  const rows = stored.map(({ key, workerEpoch, sequence }) => [key, workerEpoch, sequence]);
  const results = await database.batch(
    [
      statement(
        `SELECT j.value ->> 0 FROM json_each(?1) j
CROSS JOIN worker w ON w.worker_epoch = j.value ->> 1
WHERE NOT EXISTS (SELECT 1 FROM object o WHERE o.key = j.value ->> 0)
  AND (w.closed = 1 OR w.last_sequence > j.value ->> 2 OR EXISTS (SELECT 1 FROM segment s
    WHERE s.worker_epoch = w.worker_epoch AND s.sequence > j.value ->> 2))`,
        JSON.stringify(rows),
      ),
    ],
    "read",
  );
  return rowsOf(results, 0).map((row) => textAt(row, 0));
}

export interface LiveObject {
  readonly objectId: number;
  readonly key: string;
  readonly workerEpoch: number;
  /** Where the last published segment ends: the least size that the object must have. */
  readonly sizeBytes: number;
}

/** Objects that index rows point at, by id, from `afterObjectId` on. */
export async function liveObjects(
  database: SqlDatabase,
  { afterObjectId, limit }: { readonly afterObjectId: number; readonly limit: number },
): Promise<LiveObject[]> {
  const results = await database.batch(
    [
      statement(
        `SELECT object_id, key, worker_epoch, size_bytes FROM object
WHERE object_id > ?1 AND live_rows > 0 ORDER BY object_id LIMIT ?2`,
        ...[afterObjectId, limit],
      ),
    ],
    "read",
  );
  return rowsOf(results, 0).map((row) => ({
    objectId: numberAt(row, 0),
    key: textAt(row, 1),
    workerEpoch: numberAt(row, 2),
    sizeBytes: numberAt(row, 3),
  }));
}

/** The same, of one worker epoch: all of them, in the order in which they were begun. */
export async function liveObjectsOf(
  database: SqlDatabase,
  workerEpoch: number,
): Promise<readonly LiveObject[]> {
  const found: LiveObject[] = [];
  let afterObjectId = 0;
  for (;;) {
    const page = await liveObjects(database, { afterObjectId, limit: pageObjects });
    found.push(...page.filter((object) => object.workerEpoch === workerEpoch));
    const last = page[page.length - 1];
    if (last === undefined || page.length < pageObjects) return found;
    afterObjectId = last.objectId;
  }
}

export interface StoredReceipt {
  readonly sequence: number;
  /** Null: the segment had no object, or it is forgotten. */
  readonly key: string | null;
  readonly position: number;
  readonly length: number;
  /** Whether index rows point at its object. */
  readonly isLive: boolean;
  readonly receipt: PublishReceipt;
}

/** Receipts of a worker's segments after a sequence, in order, to be written elsewhere. */
export async function receiptsOfWorker(
  database: SqlDatabase,
  options: {
    readonly workerEpoch: number;
    readonly afterSequence: number;
    readonly limit: number;
  },
): Promise<StoredReceipt[]> {
  const results = await database.batch(
    [
      statement(
        `SELECT s.publish_position, s.published_at, s.entries, s.groups, s.sequence, o.key,
  s.position, s.length, coalesce(o.live_rows > 0, 0)
FROM segment s LEFT JOIN object o ON o.object_id = s.object_id
WHERE s.worker_epoch = ?1 AND s.sequence > ?2 ORDER BY s.sequence LIMIT ?3`,
        ...[options.workerEpoch, options.afterSequence, options.limit],
      ),
    ],
    "read",
  );
  return rowsOf(results, 0).map((row) => ({
    sequence: numberAt(row, 4),
    key: textOrNullAt(row, 5),
    position: numberAt(row, 6),
    length: numberAt(row, 7),
    isLive: numberAt(row, 8) === 1,
    receipt: decodeReceipt(row),
  }));
}

/** Closed workers whose receipts are not forgotten yet, by epoch. */
export async function closedWithReceipts(database: SqlDatabase): Promise<number[]> {
  const results = await database.batch(
    [
      statement(
        `SELECT w.worker_epoch FROM worker w WHERE w.closed = 1
  AND EXISTS (SELECT 1 FROM segment s WHERE s.worker_epoch = w.worker_epoch)
ORDER BY w.worker_epoch`,
      ),
    ],
    "read",
  );
  return rowsOf(results, 0).map((row) => numberAt(row, 0));
}

/** Which of these epochs this database has given out. */
export async function knownEpochs(
  database: SqlDatabase,
  workerEpochs: readonly number[],
): Promise<ReadonlySet<number>> {
  const results = await database.batch(
    [
      statement(
        `SELECT w.worker_epoch FROM json_each(?1) j
CROSS JOIN worker w ON w.worker_epoch = j.value`,
        JSON.stringify(workerEpochs),
      ),
    ],
    "read",
  );
  return new Set(rowsOf(results, 0).map((row) => numberAt(row, 0)));
}

/** Which of these worker epochs have live objects, all of whose keys begin with `prefix`. */
export async function epochsWithLive(
  database: SqlDatabase,
  asked: readonly { readonly workerEpoch: number; readonly prefix: string }[],
): Promise<ReadonlySet<number>> {
  const results = await database.batch(
    [
      statement(
        `SELECT j.value ->> 0 FROM json_each(?1) j WHERE EXISTS (SELECT 1 FROM object o
WHERE o.key > j.value ->> 1 AND o.key < (j.value ->> 1) || '~' AND o.live_rows > 0)`,
        JSON.stringify(asked.map(({ workerEpoch, prefix }) => [workerEpoch, prefix])),
      ),
    ],
    "read",
  );
  return new Set(rowsOf(results, 0).map((row) => numberAt(row, 0)));
}

/**
 * Which of these objects may carry receipts of live segments: a live object of the same worker, all
 * of whose keys begin with `prefix`, comes before it in the order of keys.
 */
export async function carriersOfLive(
  database: SqlDatabase,
  asked: readonly { readonly key: string; readonly prefix: string }[],
): Promise<string[]> {
  const rows = asked.map(({ key, prefix }) => [key, prefix]);
  const results = await database.batch(
    [
      statement(
        `SELECT j.value ->> 0 FROM json_each(?1) j
WHERE EXISTS (SELECT 1 FROM object o WHERE o.key >= j.value ->> 1 AND o.key < j.value ->> 0
  AND o.live_rows > 0)`,
        JSON.stringify(rows),
      ),
    ],
    "read",
  );
  return rowsOf(results, 0).map((row) => textAt(row, 0));
}

export interface CarriedReceipt {
  readonly workerEpoch: number;
  readonly sequence: number;
  /** The key of its segment, if that is an object of its own. */
  readonly key: string;
}

/**
 * The sequences among these, all of one worker, whose segments lie in live objects. Of a segment
 * that is forgotten it is known only when it is an object of its own; else it counts as live while
 * any rolling file of the worker is, their keys beginning with `rolling`.
 */
export async function liveCarried(
  database: SqlDatabase,
  { asked, rolling }: { readonly asked: readonly CarriedReceipt[]; readonly rolling: string },
): Promise<ReadonlySet<number>> {
  const rows = asked.map(({ workerEpoch, sequence, key }) => [workerEpoch, sequence, key]);
  const results = await database.batch(
    [
      statement(
        `WITH asked AS MATERIALIZED (SELECT j.value ->> 0 AS worker_epoch,
  j.value ->> 1 AS sequence, j.value ->> 2 AS key FROM json_each(?1) j)
SELECT a.sequence FROM asked a
LEFT JOIN segment s ON s.worker_epoch = a.worker_epoch AND s.sequence = a.sequence
LEFT JOIN object o ON o.object_id = s.object_id
WHERE CASE WHEN s.sequence IS NOT NULL THEN coalesce(o.live_rows > 0, 0)
  ELSE EXISTS (SELECT 1 FROM object x WHERE x.key = a.key AND x.live_rows > 0)
    OR EXISTS (SELECT 1 FROM object x WHERE x.key > ?2 AND x.key < ?2 || '~'
      AND x.key LIKE '%.log' AND x.live_rows > 0) END`,
        ...[JSON.stringify(rows), rolling],
      ),
    ],
    "read",
  );
  return new Set(rowsOf(results, 0).map((row) => numberAt(row, 0)));
}

/**
 * Forgets receipts: of open workers all but the last `keepPerWorker` (at least one stays, by which
 * a stale sequence is refused), of workers closed for `closedMs` all. At most `limit` rows;
 * returns how many.
 */
export async function forgetReceipts(
  database: SqlDatabase,
  options: { readonly keepPerWorker: number; readonly closedMs: number; readonly limit: number },
): Promise<number> {
  const args = [Math.max(1, options.keepPerWorker), options.closedMs, options.limit];
  const candidates = `SELECT s.publish_position FROM worker w
  CROSS JOIN segment s ON s.worker_epoch = w.worker_epoch
  WHERE (w.closed = 1 AND w.closed_at <= ${databaseNow} - ?2)
    OR (w.closed = 0 AND s.sequence <= (SELECT max(x.sequence) FROM segment x
      WHERE x.worker_epoch = w.worker_epoch) - ?1)
  LIMIT ?3`;
  const results = await database.batch(
    [
      statement(
        `UPDATE worker SET last_sequence = max(last_sequence,
  (SELECT max(s.sequence) FROM segment s WHERE s.worker_epoch = worker.worker_epoch))
WHERE closed = 1 AND EXISTS (
  SELECT 1 FROM segment s WHERE s.worker_epoch = worker.worker_epoch)`,
      ),
      statement(
        `UPDATE namespace SET forgotten_position = max(forgotten_position,
  coalesce((SELECT max(c.publish_position) FROM (${candidates}) c), 0)) WHERE id = 1`,
        ...args,
      ),
      statement(`DELETE FROM segment WHERE publish_position IN (${candidates})`, ...args),
      statement("SELECT changes()"),
    ],
    "write",
  );
  return numberAt(rowsOf(results, 3)[0], 0);
}
