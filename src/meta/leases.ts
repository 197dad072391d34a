/**
 * Leases on what must be single: the coordinator of a group, the task of a query, a maintenance
 * job. The lease epoch goes up with every change of holder and never back; it is what writes name
 * as their guard.
 */
import type { SqlDatabase, SqlValue } from "./sql-database.ts";
import { numberAt, numberOrNullAt, rowsOf, statement, textAt } from "./sql-values.ts";

export interface LeaseName {
  readonly kind: string;
  readonly name: string;
}

export interface Lease extends LeaseName {
  readonly leaseEpoch: number;
  /** Null: nobody holds it. */
  readonly workerEpoch: number | null;
}

/** Who wants a lease. */
export interface LeaseTaker {
  readonly workerEpoch: number;
  /**
   * The Durable Object that this worker is. The lease is marked as the object's until it is given
   * back: while the object sleeps or is moved, nobody else takes it.
   */
  readonly objectName?: string | undefined;
}

const leaseColumns = "kind, name, lease_epoch, worker_epoch";

const selectLease = `SELECT ${leaseColumns} FROM lease WHERE kind = ?1 AND name = ?2`;

/** True while the lease stands. Parameters: kind, name, lease epoch, in SQL. */
export function leaseStands(kind: string, name: string, leaseEpoch: string): string {
  return `EXISTS (SELECT 1 FROM lease WHERE kind = ${kind} AND name = ${name}
    AND lease_epoch = ${leaseEpoch} AND worker_epoch IS NOT NULL)`;
}

/**
 * Takes a lease that is free, or whose holder's epoch is closed, and returns the lease as it is
 * then: the caller has it if `workerEpoch` is its own. A closed worker takes nothing, nor does
 * anybody take what is marked as another Durable Object's; when there is no lease yet, it is
 * answered as held by nobody.
 */
export async function acquireLease(
  database: SqlDatabase,
  options: LeaseName & LeaseTaker,
): Promise<Lease> {
  const { kind, name, workerEpoch, objectName } = options;
  const results = await database.batch(
    [
      statement(
        `INSERT INTO lease (kind, name, lease_epoch, worker_epoch, object_name)
SELECT ?1, ?2, 1, w.worker_epoch, ?4 FROM worker w WHERE w.worker_epoch = ?3 AND w.closed = 0
ON CONFLICT (kind, name) DO UPDATE SET lease_epoch = lease_epoch + 1,
  worker_epoch = excluded.worker_epoch, object_name = excluded.object_name
WHERE (lease.object_name IS NULL OR lease.object_name = ?4)
  AND NOT EXISTS (SELECT 1 FROM worker h
    WHERE h.worker_epoch = lease.worker_epoch AND h.closed = 0)`,
        ...[kind, name, workerEpoch, objectName ?? null],
      ),
      statement(selectLease, kind, name),
    ],
    "write",
  );
  const row = rowsOf(results, 1)[0];
  return row === undefined ? { kind, name, leaseEpoch: 0, workerEpoch: null } : leaseFromRow(row);
}

/** Gives a lease back; no effect when it has another epoch by now. */
export async function releaseLease(
  database: SqlDatabase,
  lease: LeaseName & { readonly leaseEpoch: number },
): Promise<void> {
  await database.batch(
    [
      statement(
        `UPDATE lease SET lease_epoch = lease_epoch + 1, worker_epoch = NULL, object_name = NULL
WHERE kind = ?1 AND name = ?2 AND lease_epoch = ?3`,
        ...[lease.kind, lease.name, lease.leaseEpoch],
      ),
    ],
    "write",
  );
}

/** The lease as it is, or null when it was never taken. */
export async function readLease(
  database: SqlDatabase,
  { kind, name }: LeaseName,
): Promise<Lease | null> {
  const results = await database.batch([statement(selectLease, kind, name)], "read");
  const row = rowsOf(results, 0)[0];
  return row === undefined ? null : leaseFromRow(row);
}

/** The leases of a kind that are marked as a Durable Object's, whichever activation took them. */
export async function leasesOfObject(
  database: SqlDatabase,
  { kind, objectName }: { readonly kind: string; readonly objectName: string },
): Promise<Lease[]> {
  const sql = `SELECT ${leaseColumns} FROM lease WHERE object_name = ?1 AND kind = ?2`;
  const results = await database.batch([statement(sql, objectName, kind)], "read");
  return rowsOf(results, 0).map(leaseFromRow);
}

function leaseFromRow(row: readonly SqlValue[]): Lease {
  return {
    kind: textAt(row, 0),
    name: textAt(row, 1),
    leaseEpoch: numberAt(row, 2),
    workerEpoch: numberOrNullAt(row, 3),
  };
}
