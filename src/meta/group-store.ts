/**
 * What consumer groups keep: a snapshot of the group's state, which the coordinator writes and
 * understands, and committed offsets. Every write names the coordinator's lease epoch and does
 * nothing without it, so a coordinator that lost its group cannot commit after its successor read.
 */
import { StreamError } from "../base/stream-error.ts";
import type { TopicId, TopicName } from "../record/types.ts";
import { leaseStands } from "./leases.ts";
import type { PartitionRef } from "./log-index.ts";
import type { OffsetToCommit } from "./publish-request.ts";
import type { SqlDatabase, SqlResult, SqlStatement, SqlValue } from "./sql-database.ts";
import { databaseNow, numberAt, rowsOf, statement, textAt, textOrNullAt } from "./sql-values.ts";

/** The lease kind of group coordinators; the lease's name is the group id. */
export const groupLeaseKind = "group";

export interface GroupLease {
  readonly groupId: string;
  readonly leaseEpoch: number;
}

export interface CommittedOffset extends OffsetToCommit {
  readonly topicId: TopicId;
  readonly topicName: TopicName;
  /** Milliseconds since 1970 by the database's clock. */
  readonly committedAt: number;
}

export interface StoredGroup {
  /** Null: the group has committed offsets at most. */
  readonly snapshot: string | null;
  readonly offsets: readonly CommittedOffset[];
}

const stands = leaseStands(`'${groupLeaseKind}'`, "?1", "?2");

const selectSnapshot = "SELECT snapshot FROM consumer_group WHERE group_id = ?1";

/** Offsets of topics that are gone are hidden; they are removed with the topic. */
const selectOffsets = `SELECT o.topic_number, o.partition, o.committed_offset, o.leader_epoch,
  o.metadata, o.committed_at, t.topic_id, t.name
FROM group_offset o JOIN topic t ON t.topic_number = o.topic_number AND t.state = 'live'
WHERE o.group_id = ?1 ORDER BY t.name, o.partition`;

/** Reads a group as its coordinator. Errors: `coordinator_elsewhere`. */
export async function loadGroup(database: SqlDatabase, lease: GroupLease): Promise<StoredGroup> {
  const results = await database.batch(
    [
      statement(selectSnapshot, lease.groupId),
      statement(selectOffsets, lease.groupId),
      standsStatement(lease),
    ],
    "read",
  );
  requireLease(results, lease);
  const row = rowsOf(results, 0)[0];
  return {
    snapshot: row === undefined ? null : textAt(row, 0),
    offsets: rowsOf(results, 1).map(offsetFromRow),
  };
}

/** Replaces the group's snapshot. Errors: `coordinator_elsewhere`. */
export async function saveGroup(
  database: SqlDatabase,
  lease: GroupLease,
  snapshot: string,
): Promise<void> {
  const save = statement(
    `INSERT INTO consumer_group (group_id, snapshot, updated_at)
SELECT ?1, ?3, ${databaseNow} WHERE ${stands}
ON CONFLICT (group_id) DO UPDATE SET
  snapshot = excluded.snapshot, updated_at = excluded.updated_at`,
    ...[lease.groupId, lease.leaseEpoch, snapshot],
  );
  await guarded(database, lease, [save]);
}

/**
 * Commits offsets; returns those whose partition is unknown, which are left out.
 * Errors: `coordinator_elsewhere`, then nothing is committed.
 */
export async function commitOffsets(
  database: SqlDatabase,
  lease: GroupLease,
  offsets: readonly OffsetToCommit[],
): Promise<PartitionRef[]> {
  const rows = offsets.map((offset) => [
    ...[offset.topicNumber, offset.partition, offset.committedOffset],
    ...[offset.leaderEpoch, offset.metadata],
  ]);
  const json = JSON.stringify(rows);
  const results = await guarded(database, lease, [
    statement(
      `INSERT INTO group_offset (group_id, topic_number, partition, committed_offset,
  leader_epoch, metadata, committed_at)
SELECT ?1, p.topic_number, p.partition, j.value ->> 2, j.value ->> 3, j.value ->> 4,
  ${databaseNow}
FROM json_each(?3) j
CROSS JOIN topic_partition p
  ON p.topic_number = j.value ->> 0 AND p.partition = j.value ->> 1 AND p.deleted = 0
WHERE ${stands}
ON CONFLICT (group_id, topic_number, partition) DO UPDATE SET
  committed_offset = excluded.committed_offset, leader_epoch = excluded.leader_epoch,
  metadata = excluded.metadata, committed_at = excluded.committed_at`,
      ...[lease.groupId, lease.leaseEpoch, json],
    ),
    statement(
      `SELECT j.value ->> 0, j.value ->> 1 FROM json_each(?1) j
LEFT JOIN topic_partition p
  ON p.topic_number = j.value ->> 0 AND p.partition = j.value ->> 1 AND p.deleted = 0
WHERE p.topic_number IS NULL`,
      json,
    ),
  ]);
  return rowsOf(results, 1).map((row) => {
    return { topicNumber: numberAt(row, 0), partition: numberAt(row, 1) };
  });
}

/** A group's committed offsets, from any worker. */
export async function committedOffsets(
  database: SqlDatabase,
  groupId: string,
): Promise<CommittedOffset[]> {
  const results = await database.batch([statement(selectOffsets, groupId)], "read");
  return rowsOf(results, 0).map(offsetFromRow);
}

/** Removes committed offsets. Errors: `coordinator_elsewhere`. */
export async function deleteOffsets(
  database: SqlDatabase,
  lease: GroupLease,
  partitions: readonly PartitionRef[],
): Promise<void> {
  const rows = partitions.map(({ topicNumber, partition }) => [topicNumber, partition]);
  const remove = statement(
    `DELETE FROM group_offset WHERE group_id = ?1 AND (topic_number, partition) IN (
  SELECT j.value ->> 0, j.value ->> 1 FROM json_each(?3) j) AND ${stands}`,
    ...[lease.groupId, lease.leaseEpoch, JSON.stringify(rows)],
  );
  await guarded(database, lease, [remove]);
}

/**
 * Removes offsets committed longer ago than `retentionMs` by the database's clock, except those of
 * `keepTopicNumbers` (topics the group is subscribed to). Returns how many are left.
 * Errors: `coordinator_elsewhere`.
 */
export async function expireOffsets(
  database: SqlDatabase,
  lease: GroupLease,
  options: { readonly retentionMs: number; readonly keepTopicNumbers: readonly number[] },
): Promise<number> {
  const results = await guarded(database, lease, [
    statement(
      `DELETE FROM group_offset WHERE group_id = ?1 AND committed_at < ${databaseNow} - ?3
  AND topic_number NOT IN (SELECT j.value FROM json_each(?4) j) AND ${stands}`,
      ...[lease.groupId, lease.leaseEpoch, options.retentionMs],
      JSON.stringify(options.keepTopicNumbers),
    ),
    statement("SELECT count(*) FROM group_offset WHERE group_id = ?1", lease.groupId),
  ]);
  return numberAt(rowsOf(results, 1)[0], 0);
}

/** Removes the group with its offsets. Errors: `coordinator_elsewhere`. */
export async function deleteGroup(database: SqlDatabase, lease: GroupLease): Promise<void> {
  const args = [lease.groupId, lease.leaseEpoch];
  await guarded(database, lease, [
    statement(`DELETE FROM group_offset WHERE group_id = ?1 AND ${stands}`, ...args),
    statement(`DELETE FROM consumer_group WHERE group_id = ?1 AND ${stands}`, ...args),
  ]);
}

export interface ListedGroup {
  readonly groupId: string;
  readonly snapshot: string | null;
}

/** All groups that have a snapshot or committed offsets, by id. */
export async function listGroups(database: SqlDatabase): Promise<ListedGroup[]> {
  const results = await database.batch(
    [
      statement(
        `SELECT i.group_id, g.snapshot FROM (
  SELECT group_id FROM consumer_group UNION SELECT group_id FROM group_offset) i
LEFT JOIN consumer_group g ON g.group_id = i.group_id ORDER BY i.group_id`,
      ),
    ],
    "read",
  );
  return rowsOf(results, 0).map((row) => {
    return { groupId: textAt(row, 0), snapshot: textOrNullAt(row, 1) };
  });
}

function standsStatement({ groupId, leaseEpoch }: GroupLease): SqlStatement {
  return statement(`SELECT ${stands}`, groupId, leaseEpoch);
}

async function guarded(
  database: SqlDatabase,
  lease: GroupLease,
  statements: readonly SqlStatement[],
): Promise<SqlResult[]> {
  const results = await database.batch([...statements, standsStatement(lease)], "write");
  requireLease(results, lease);
  return results;
}

/** The lease is asked for last in the same transaction: it stood for all of the batch or not. */
function requireLease(results: readonly SqlResult[], { groupId, leaseEpoch }: GroupLease): void {
  if (numberAt(rowsOf(results, results.length - 1)[0], 0) === 1) return;
  throw new StreamError(
    "coordinator_elsewhere",
    `Cannot coordinate group "${groupId}" any longer: another worker has taken it`,
    { details: { leaseEpoch } },
  );
}

function offsetFromRow(row: readonly SqlValue[]): CommittedOffset {
  return {
    topicNumber: numberAt(row, 0),
    partition: numberAt(row, 1),
    committedOffset: numberAt(row, 2),
    leaderEpoch: numberAt(row, 3),
    metadata: textAt(row, 4),
    committedAt: numberAt(row, 5),
    topicId: textAt(row, 6) as TopicId,
    topicName: textAt(row, 7) as TopicName,
  };
}
