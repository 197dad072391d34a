/**
 * Workers as the database sees them. A registration gets a worker epoch that is never used again
 * and leases a node id. Its row has a counter that only it raises: whoever sees the counter stand
 * still for its own time to live closes the epoch by compare-and-set. No clock of one worker is
 * ever compared with another's, and safety never comes from here but from epochs as guards.
 */
import { StreamError } from "../base/stream-error.ts";
import type { SqlDatabase, SqlStatement, SqlValue } from "./sql-database.ts";
import {
  databaseNow,
  numberAt,
  numberOrNullAt,
  rowsOf,
  statement,
  textAt,
  textOrNullAt,
} from "./sql-values.ts";

export type WorkerKind = "process" | "durable_object";

export interface WorkerInfo {
  readonly workerEpoch: number;
  /** Kafka's broker id, unique among open workers. */
  readonly nodeId: number;
  readonly kind: WorkerKind;
  readonly isDraining: boolean;
  readonly counter: number;
  /** What clients are told; null: it serves no Kafka. */
  readonly kafkaHost: string | null;
  readonly kafkaPort: number | null;
  readonly httpUrl: string | null;
  readonly startedAt: number;
}

export interface WorkerRegistration {
  /** Random text: sending the same registration again finds the same epoch. */
  readonly registration: string;
  readonly kind: WorkerKind;
  /** Given when it is free; otherwise, or when null, the smallest free one from 1. */
  readonly nodeId: number | null;
  readonly kafkaHost: string | null;
  readonly kafkaPort: number | null;
  readonly httpUrl: string | null;
  /** Absent: a process. */
  readonly object?: ObjectRegistration | undefined;
}

/**
 * A worker that is a Durable Object: of its name at most one is active, and which one is up to
 * Cloudflare, so nobody watches it.
 */
export interface ObjectRegistration {
  readonly name: string;
  /**
   * True for an activation: epochs that earlier ones left open are closed, and the leases that are
   * marked as the object's are this one's at once. False for an object whose epoch was closed while
   * it was active: whoever did that may be the object's next activation.
   */
  readonly takesOver: boolean;
}

const workerColumns = `worker_epoch, node_id, kind, draining, counter, kafka_host, kafka_port,
  http_url, started_at`;

const selectOpen = `SELECT ${workerColumns} FROM worker WHERE closed = 0 ORDER BY node_id`;

/** Opens a worker epoch. Errors: `worker_fenced` when this registration was closed already. */
export async function registerWorker(
  database: SqlDatabase,
  worker: WorkerRegistration,
): Promise<WorkerInfo> {
  const { registration, kind, nodeId, kafkaHost, kafkaPort, httpUrl, object } = worker;
  const { before, after } = takingOver(registration, object);
  const results = await database.batch(
    [
      ...before,
      statement(
        `INSERT INTO worker
  (registration, node_id, kind, kafka_host, kafka_port, http_url, started_at, object_name)
SELECT ?1, coalesce(
  CASE WHEN ?3 NOT IN (SELECT node_id FROM worker WHERE closed = 0) THEN ?3 END,
  (SELECT min(c.node_id) FROM (
    SELECT 1 AS node_id UNION ALL SELECT node_id + 1 FROM worker WHERE closed = 0) c
    WHERE c.node_id > 0 AND c.node_id NOT IN (SELECT node_id FROM worker WHERE closed = 0))),
  ?2, ?4, ?5, ?6, ${databaseNow}, ?7
WHERE NOT EXISTS (SELECT 1 FROM worker WHERE registration = ?1)`,
        ...[registration, kind, nodeId, kafkaHost, kafkaPort, httpUrl, object?.name ?? null],
      ),
      ...after,
      statement(
        `SELECT ${workerColumns} FROM worker WHERE registration = ?1 AND closed = 0`,
        registration,
      ),
    ],
    "write",
  );
  const row = rowsOf(results, results.length - 1)[0];
  if (row === undefined) throw closedError(registration);
  return workerFromRow(row);
}

/**
 * What an activation of a Durable Object does to earlier ones, before and after its own row is
 * there. A registration that is sent again finds its row and changes nothing: it may come late,
 * after the next activation.
 */
function takingOver(registration: string, object: ObjectRegistration | undefined) {
  if (object?.takesOver !== true) return { before: [], after: [] };
  const { name } = object;
  const close = statement(
    `UPDATE worker SET closed = 1, closed_at = ${databaseNow}
WHERE object_name = ?1 AND closed = 0
  AND NOT EXISTS (SELECT 1 FROM worker WHERE registration = ?2)`,
    ...[name, registration],
  );
  const drop = statement(
    `UPDATE lease SET lease_epoch = lease_epoch + 1, worker_epoch = NULL
WHERE worker_epoch IN (SELECT worker_epoch FROM worker WHERE object_name = ?1 AND closed = 1)
  AND object_name IS NULL`,
    name,
  );
  const take = statement(
    `UPDATE lease SET lease_epoch = lease_epoch + 1, worker_epoch = w.worker_epoch
FROM worker w
WHERE w.registration = ?2 AND w.closed = 0 AND lease.object_name = ?1
  AND lease.worker_epoch IS NOT w.worker_epoch`,
    ...[name, registration],
  );
  return { before: [close, drop], after: [take] };
}

/**
 * Says that the worker lives, and returns all open workers as of then.
 * Errors: `worker_fenced` when somebody closed its epoch: it must stop, or register again.
 */
export async function raiseCounter(
  database: SqlDatabase,
  workerEpoch: number,
): Promise<WorkerInfo[]> {
  const results = await database.batch(
    [
      statement(
        "UPDATE worker SET counter = counter + 1 WHERE worker_epoch = ?1 AND closed = 0",
        workerEpoch,
      ),
      statement(selectOpen),
    ],
    "write",
  );
  const workers = rowsOf(results, 1).map(workerFromRow);
  if (!workers.some((worker) => worker.workerEpoch === workerEpoch)) {
    throw closedError(`epoch ${workerEpoch}`);
  }
  return workers;
}

/** Open workers by node id, draining ones included. */
export async function listWorkers(database: SqlDatabase): Promise<WorkerInfo[]> {
  const results = await database.batch([statement(selectOpen)], "read");
  return rowsOf(results, 0).map(workerFromRow);
}

/** A draining worker gets no new partitions and groups. No effect on a closed epoch. */
export async function setDraining(database: SqlDatabase, workerEpoch: number): Promise<void> {
  await database.batch(
    [statement("UPDATE worker SET draining = 1 WHERE worker_epoch = ?1", workerEpoch)],
    "write",
  );
}

/**
 * Closes the epoch of a worker whose counter stood still, unless it moved after all; its leases
 * fall and its node id is free. Returns whether the epoch is closed now.
 */
export async function closeWorker(
  database: SqlDatabase,
  options: { readonly workerEpoch: number; readonly observedCounter: number },
): Promise<boolean> {
  return close(database, {
    workerEpoch: options.workerEpoch,
    condition: statement(
      `UPDATE worker SET closed = 1, closed_at = ${databaseNow}
WHERE worker_epoch = ?1 AND closed = 0 AND counter = ?2`,
      ...[options.workerEpoch, options.observedCounter],
    ),
  });
}

/**
 * A worker closes its own epoch, after its last publish. `isMended`: its files are on the disk and
 * its receipts in objects, so there is nothing for others to look after.
 */
export async function leaveWorkers(
  database: SqlDatabase,
  workerEpoch: number,
  { isMended }: { readonly isMended: boolean } = { isMended: false },
): Promise<void> {
  await close(database, {
    workerEpoch,
    condition: statement(
      `UPDATE worker SET closed = 1, closed_at = ${databaseNow}, mended = ?2
WHERE worker_epoch = ?1 AND closed = 0`,
      ...[workerEpoch, isMended ? 1 : 0],
    ),
  });
}

/**
 * Closed epochs whose remains nobody has looked after yet; with `closedMs` only those closed so
 * long ago, which goes by a clock that may jump: who must not miss any does not ask for it.
 */
export async function epochsToMend(
  database: SqlDatabase,
  { closedMs }: { readonly closedMs?: number } = {},
): Promise<number[]> {
  const results = await database.batch(
    [
      statement(
        `SELECT worker_epoch FROM worker WHERE closed = 1 AND mended = 0
  AND (?1 IS NULL OR closed_at <= ${databaseNow} - ?1) ORDER BY worker_epoch`,
        closedMs ?? null,
      ),
    ],
    "read",
  );
  return rowsOf(results, 0).map((row) => numberAt(row, 0));
}

/** Notes that a closed epoch's remains have been looked after. */
export async function markMended(database: SqlDatabase, workerEpoch: number): Promise<void> {
  const sql = "UPDATE worker SET mended = 1 WHERE worker_epoch = ?1 AND closed = 1";
  await database.batch([statement(sql, workerEpoch)], "write");
}

async function close(
  database: SqlDatabase,
  options: { readonly workerEpoch: number; readonly condition: SqlStatement },
): Promise<boolean> {
  const { workerEpoch, condition } = options;
  const results = await database.batch(
    [
      condition,
      statement(
        `UPDATE lease SET lease_epoch = lease_epoch + 1, worker_epoch = NULL
WHERE worker_epoch = ?1
  AND EXISTS (SELECT 1 FROM worker w WHERE w.worker_epoch = ?1 AND w.closed = 1)`,
        workerEpoch,
      ),
      statement("SELECT count(*) FROM worker WHERE worker_epoch = ?1 AND closed = 0", workerEpoch),
    ],
    "write",
  );
  return numberAt(rowsOf(results, 2)[0], 0) === 0;
}

function workerFromRow(row: readonly SqlValue[]): WorkerInfo {
  return {
    workerEpoch: numberAt(row, 0),
    nodeId: numberAt(row, 1),
    kind: textAt(row, 2) as WorkerKind,
    isDraining: numberAt(row, 3) === 1,
    counter: numberAt(row, 4),
    kafkaHost: textOrNullAt(row, 5),
    kafkaPort: numberOrNullAt(row, 6),
    httpUrl: textOrNullAt(row, 7),
    startedAt: numberAt(row, 8),
  };
}

function closedError(what: string): StreamError {
  return new StreamError(
    "worker_fenced",
    `Cannot go on as worker ${what}: its epoch is closed. Register again for a new one.`,
  );
}
