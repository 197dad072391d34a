/**
 * Where the bytes of a partition's offsets lie, as reads need it. Workers cache what is said here;
 * a cache may only say yes, every denial (out of range, unknown) is asked for again.
 */
import { decodeStoredEntries, type StoredEntry } from "./publish-receipt.ts";
import type { SqlDatabase, SqlValue } from "./sql-database.ts";
import { numberAt, rowsOf, statement, textAt } from "./sql-values.ts";

export interface PartitionRef {
  readonly topicNumber: number;
  readonly partition: number;
}

export interface PartitionState extends PartitionRef {
  readonly nextOffset: number;
  readonly logStartOffset: number;
  readonly leaderEpoch: number;
  /** Bytes of all extents. */
  readonly sizeBytes: number;
}

/** One index row: contiguous offsets of one partition whose batches lie together in an object. */
export interface Extent extends PartitionRef {
  readonly baseOffset: number;
  readonly lastOffset: number;
  readonly key: string;
  /** In the object, bytes. */
  readonly position: number;
  readonly length: number;
  /** Greatest record timestamp, milliseconds; -1: none. */
  readonly maxTimestamp: number;
  readonly publishPosition: number;
  readonly publishedAt: number;
  /** The partition's leader epoch when it was published. */
  readonly leaderEpoch: number;
}

export const stateColumns = `p.topic_number, p.partition, p.next_offset, p.log_start_offset,
  p.leader_epoch, p.size_bytes`;

/** Of the record at `offset`: epochs begin where the log was cut. Epoch 0 has no row. */
const epochAt = (topicNumber: string, partition: string, offset: string) =>
  `coalesce((SELECT max(l.leader_epoch) FROM leader_epoch l WHERE l.topic_number = ${topicNumber}
    AND l.partition = ${partition} AND l.start_offset <= ${offset}), 0)`;

export const extentColumns = `e.topic_number, e.partition, e.base_offset, e.last_offset, o.key,
  e.position, e.length, e.max_timestamp, e.publish_position, e.published_at,
  ${epochAt("e.topic_number", "e.partition", "e.base_offset")}`;

const extentJoin = "extent e JOIN object o ON o.object_id = e.object_id";

const selectState = `SELECT ${stateColumns} FROM topic_partition p
WHERE p.topic_number = ?1 AND p.partition = ?2 AND p.deleted = 0`;

/** Current rows of the partitions asked for; unknown and deleted ones are left out. */
export async function partitionStates(
  database: SqlDatabase,
  partitions: readonly PartitionRef[],
): Promise<PartitionState[]> {
  if (partitions.length === 0) return [];
  const wanted = partitions.map(({ topicNumber, partition }) => [topicNumber, partition]);
  const results = await database.batch(
    [
      statement(
        `SELECT ${stateColumns} FROM json_each(?1) j JOIN topic_partition p
  ON p.topic_number = j.value ->> 0 AND p.partition = j.value ->> 1 AND p.deleted = 0`,
        JSON.stringify(wanted),
      ),
    ],
    "read",
  );
  return rowsOf(results, 0).map(stateFromRow);
}

/**
 * Extents of one partition from the one that holds `offset` (or the next after it), in order, with
 * the partition's state read in the same transaction. Stops after `limitRows`, or once `limitBytes`
 * are covered (always at least one extent). State null: the partition is unknown.
 */
export async function extentsFrom(
  database: SqlDatabase,
  options: PartitionRef & {
    readonly offset: number;
    readonly limitRows: number;
    readonly limitBytes: number;
  },
): Promise<{ readonly state: PartitionState | null; readonly extents: readonly Extent[] }> {
  const { topicNumber, partition, offset, limitRows, limitBytes } = options;
  const results = await database.batch(
    [
      statement(selectState, topicNumber, partition),
      statement(
        `SELECT ${extentColumns} FROM ${extentJoin}
WHERE e.topic_number = ?1 AND e.partition = ?2 AND e.last_offset >= ?3
  AND e.base_offset >= coalesce((SELECT max(x.base_offset) FROM extent x
    WHERE x.topic_number = ?1 AND x.partition = ?2 AND x.base_offset <= ?3), 0)
ORDER BY e.base_offset LIMIT ?4`,
        ...[topicNumber, partition, offset, limitRows],
      ),
    ],
    "read",
  );
  const state = rowsOf(results, 0)[0];
  if (state === undefined) return { state: null, extents: [] };
  const extents: Extent[] = [];
  let coveredBytes = 0;
  for (const row of rowsOf(results, 1)) {
    if (extents.length > 0 && coveredBytes >= limitBytes) break;
    const extent = extentFromRow(row);
    extents.push(extent);
    coveredBytes += extent.length;
  }
  return { state: stateFromRow(state), extents };
}

/**
 * Kafka's OffsetForLeaderEpoch: the largest epoch at or below the one asked for, and where it ends.
 * Null: the partition is unknown, or the epoch is above its current one.
 */
export async function epochEndOffset(
  database: SqlDatabase,
  options: PartitionRef & { readonly leaderEpoch: number },
): Promise<{ readonly leaderEpoch: number; readonly endOffset: number } | null> {
  const { topicNumber, partition, leaderEpoch } = options;
  const results = await database.batch(
    [
      statement(
        // Epoch 0 has no row: it begins with the partition.
        `SELECT coalesce((SELECT max(l.leader_epoch) FROM leader_epoch l
    WHERE l.topic_number = ?1 AND l.partition = ?2 AND l.leader_epoch <= ?3), 0),
  coalesce((SELECT l.start_offset FROM leader_epoch l
    WHERE l.topic_number = ?1 AND l.partition = ?2 AND l.leader_epoch > ?3
    ORDER BY l.leader_epoch LIMIT 1), p.next_offset)
FROM topic_partition p
WHERE p.topic_number = ?1 AND p.partition = ?2 AND p.deleted = 0
  AND ?3 BETWEEN 0 AND p.leader_epoch`,
        ...[topicNumber, partition, leaderEpoch],
      ),
    ],
    "read",
  );
  const row = rowsOf(results, 0)[0];
  if (row === undefined) return null;
  return { leaderEpoch: numberAt(row, 0), endOffset: numberAt(row, 1) };
}

/** The leader epoch in which the record at `offset` was published, or would be. */
export async function leaderEpochAt(
  database: SqlDatabase,
  { topicNumber, partition, offset }: PartitionRef & { readonly offset: number },
): Promise<number> {
  const sql = `SELECT ${epochAt("?1", "?2", "?3")}`;
  const results = await database.batch([statement(sql, topicNumber, partition, offset)], "read");
  return numberAt(rowsOf(results, 0)[0], 0);
}

export interface ChangeCounter {
  readonly publishPosition: number;
  readonly catalogVersion: number;
  /** Goes up when a partition's end or start moves other than by a publish (ends.ts). */
  readonly endsVersion: number;
}

/** One cheap query: has anything been published, moved, or the catalog changed? */
export async function changeCounter(database: SqlDatabase): Promise<ChangeCounter> {
  const results = await database.batch(
    [
      statement(
        "SELECT publish_position, catalog_version, ends_version FROM namespace WHERE id = 1",
      ),
    ],
    "read",
  );
  const row = rowsOf(results, 0)[0];
  return {
    publishPosition: numberAt(row, 0),
    catalogVersion: numberAt(row, 1),
    endsVersion: numberAt(row, 2),
  };
}

export interface PublishedExtent extends Extent {
  readonly workerEpoch: number;
}

export interface PublishedChanges {
  readonly catalogVersion: number;
  /** Position up to which `extents` is complete: the next call's `after`. */
  readonly publishPosition: number;
  /** False: rows after `after` are already forgotten; drop cached indexes and start here. */
  readonly complete: boolean;
  /** In publish order. An extent may have been released since. */
  readonly extents: readonly PublishedExtent[];
}

/**
 * What was published after a position, over all partitions; at most `limitSegments` publishes. It
 * is read from the stored receipts, so that index rows need no second index.
 */
export async function changesAfter(
  database: SqlDatabase,
  options: { readonly after: number; readonly limitSegments: number },
): Promise<PublishedChanges> {
  const { after, limitSegments } = options;
  const results = await database.batch(
    [
      statement(
        `SELECT publish_position, catalog_version, forgotten_position
FROM namespace WHERE id = 1`,
      ),
      statement(
        `SELECT s.publish_position, s.published_at, s.worker_epoch, o.key, s.entries
FROM segment s LEFT JOIN object o ON o.object_id = s.object_id
WHERE s.publish_position > ?1 ORDER BY s.publish_position LIMIT ?2`,
        ...[after, limitSegments],
      ),
    ],
    "read",
  );
  const counters = rowsOf(results, 0)[0];
  const rows = rowsOf(results, 1);
  const last = rows.length < limitSegments ? counters : rows.at(-1);
  return {
    catalogVersion: numberAt(counters, 1),
    publishPosition: numberAt(last, 0),
    complete: numberAt(counters, 2) <= after,
    extents: rows.flatMap(publishedExtents),
  };
}

function publishedExtents(row: readonly SqlValue[]): PublishedExtent[] {
  const key = row[3];
  if (typeof key !== "string") return [];
  const publishPosition = numberAt(row, 0);
  const publishedAt = numberAt(row, 1);
  const workerEpoch = numberAt(row, 2);
  const extents: PublishedExtent[] = [];
  for (const entry of decodeStoredEntries(textAt(row, 4))) {
    const [topicNumber, partition, baseOffset, recordCount, position, length] = entry;
    if (recordCount === 0) continue;
    const previous = extents.at(-1);
    if (previous !== undefined && touches(previous, entry)) {
      extents[extents.length - 1] = {
        ...previous,
        lastOffset: baseOffset + recordCount - 1,
        length: previous.length + length,
        maxTimestamp: Math.max(previous.maxTimestamp, entry[6]),
      };
      continue;
    }
    extents.push({
      ...{ topicNumber, partition, baseOffset, lastOffset: baseOffset + recordCount - 1 },
      ...{ key, position, length, maxTimestamp: entry[6] },
      ...{ publishPosition, publishedAt, workerEpoch, leaderEpoch: entry[7] },
    });
  }
  return extents;
}

function touches(extent: Extent, entry: StoredEntry): boolean {
  return (
    extent.topicNumber === entry[0] &&
    extent.partition === entry[1] &&
    extent.position + extent.length === entry[4]
  );
}

export function stateFromRow(row: readonly SqlValue[]): PartitionState {
  return {
    topicNumber: numberAt(row, 0),
    partition: numberAt(row, 1),
    nextOffset: numberAt(row, 2),
    logStartOffset: numberAt(row, 3),
    leaderEpoch: numberAt(row, 4),
    sizeBytes: numberAt(row, 5),
  };
}

export function extentFromRow(row: readonly SqlValue[]): Extent {
  return {
    topicNumber: numberAt(row, 0),
    partition: numberAt(row, 1),
    baseOffset: numberAt(row, 2),
    lastOffset: numberAt(row, 3),
    key: textAt(row, 4),
    position: numberAt(row, 5),
    length: numberAt(row, 6),
    maxTimestamp: numberAt(row, 7),
    publishPosition: numberAt(row, 8),
    publishedAt: numberAt(row, 9),
    leaderEpoch: numberAt(row, 10),
  };
}
