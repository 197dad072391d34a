/**
 * The statements of one publish, in the order in which they run. Entries go as one JSON argument
 * into `staging`, where they are judged; everything after is a set operation over it. Joining
 * `json_each` with itself instead would be quadratic.
 *
 *   1 namespace      the next publishPosition, publishedAt from the database's clock
 *   2 staging        entries with their partition's and producer's rows, and a first verdict
 *   3 probe          (producers) runs that do not start at last + 1: leading duplicates
 *   4 groups         (groups) publish-effects.ts: guards, effects, all or nothing
 *   5 correction     (producers, groups) offsets again, now that some entries are left out
 *   6 object, topic_partition, extent, producer, effects
 *   7 segment        the receipt; emptying staging; the receipt selected
 *
 * Every statement that writes by itself repeats the condition `open`: the worker's epoch is open
 * and this sequence is above all that it published. A repeat therefore stages nothing, changes
 * nothing, and the last SELECT finds the receipt stored the first time. The texts are constant, so
 * that prepared statements can be kept.
 */
import { verdict } from "./publish-codes.ts";
import { databaseNow } from "./sql-values.ts";

/** ?1 workerEpoch, ?2 sequence. */
const open = `EXISTS (SELECT 1 FROM worker w
    WHERE w.worker_epoch = ?1 AND w.closed = 0 AND w.last_sequence < ?2)
  AND NOT EXISTS (SELECT 1 FROM segment g WHERE g.worker_epoch = ?1 AND g.sequence >= ?2)`;

export const openCondition = open;

export const advanceNamespace = `UPDATE namespace SET
  publish_position = publish_position + 1,
  published_at = max(published_at, ${databaseNow})
WHERE id = 1 AND ${open}`;

/**
 * Fields of an entry in the JSON argument: 0 topicNumber, 1 partition, 2 position, 3 length,
 * 4 recordCount, 5 maxTimestamp, 6 records of the partition's entries before it, 7 island (position
 * less the bytes before it: equal for entries that touch), 8 minTimestamp or null, 9 group or null,
 * 10 producer id, 11 producer epoch, 12 first and 13 last sequence, 14 batches or null when there
 * is one; 15 is 1 when a producer without state is out of order, else left out.
 */
const plainColumns = `entry, topic_number, partition, position, length, record_count,
  max_timestamp, island, min_timestamp, group_number, base_offset, leader_epoch, log_start_offset,
  next_offset`;

/** Materialized, so that each field is taken out of the JSON once, however often it is named. */
const plainFields = `e.key AS entry, e.value ->> 0 AS topic_number, e.value ->> 1 AS partition,
  e.value ->> 2 AS position, e.value ->> 3 AS length, e.value ->> 4 AS record_count,
  e.value ->> 5 AS max_timestamp, e.value ->> 6 AS count_before, e.value ->> 7 AS island,
  e.value ->> 8 AS min_timestamp, e.value ->> 9 AS group_number`;

const plainValues = `e.entry, e.topic_number, e.partition, e.position, e.length, e.record_count,
  e.max_timestamp, e.island, e.min_timestamp, e.group_number, p.next_offset + e.count_before,
  p.leader_epoch, p.log_start_offset, p.next_offset`;

const joinPartition = `LEFT JOIN topic_partition p
  ON p.topic_number = e.topic_number AND p.partition = e.partition AND p.deleted = 0`;

const unknownPartition = `CASE WHEN EXISTS (SELECT 1 FROM topic t
    WHERE t.topic_number = e.topic_number AND t.state = 'live')
  THEN ${verdict.partitionUnknown} ELSE ${verdict.topicUnknown} END`;

/** ?3 entries. */
export const stageEntries = `INSERT INTO staging (${plainColumns}, code)
WITH fields AS MATERIALIZED (SELECT ${plainFields} FROM json_each(?3) e)
SELECT ${plainValues},
  CASE WHEN p.next_offset IS NULL THEN ${unknownPartition} ELSE ${verdict.appended} END
FROM fields e ${joinPartition}
WHERE ${open}`;

/** The same with producers. An int32 sequence wraps from 2147483647 to 0 (KIP-98). */
export const stageProducerEntries = `INSERT INTO staging (${plainColumns}, code,
  producer_id, producer_epoch, first_sequence, last_sequence, batches, state_sequence, recent)
WITH fields AS MATERIALIZED (SELECT ${plainFields}, e.value ->> 10 AS producer_id,
  e.value ->> 11 AS producer_epoch, e.value ->> 12 AS first_sequence,
  e.value ->> 13 AS last_sequence, e.value ->> 14 AS batches, e.value ->> 15 AS must_be_known
  FROM json_each(?3) e)
SELECT ${plainValues},
  CASE WHEN p.next_offset IS NULL THEN ${unknownPartition}
    WHEN r.producer_epoch IS NULL THEN
      CASE WHEN e.must_be_known = 1 THEN ${verdict.sequenceOutOfOrder} ELSE ${verdict.appended} END
    WHEN r.producer_epoch > e.producer_epoch THEN ${verdict.producerFenced}
    WHEN r.producer_epoch < e.producer_epoch THEN
      CASE WHEN e.first_sequence = 0 THEN ${verdict.appended}
        ELSE ${verdict.sequenceOutOfOrder} END
    WHEN e.first_sequence = (r.last_sequence + 1) & 2147483647 THEN ${verdict.appended}
    ELSE ${verdict.probe} END,
  e.producer_id, e.producer_epoch, e.first_sequence, e.last_sequence, e.batches,
  r.last_sequence,
  CASE WHEN r.producer_epoch = e.producer_epoch THEN r.recent END
FROM fields e ${joinPartition}
LEFT JOIN producer r ON r.topic_number = e.topic_number AND r.partition = e.partition
  AND r.producer_id = e.producer_id
WHERE ${open}`;

/** At or below the last sequence, in int32 arithmetic that wraps. */
const atOrBelow = `(((b.value ->> 0) - s.state_sequence) & 2147483647 = 0
      OR ((b.value ->> 0) - s.state_sequence) & 2147483647 >= 1073741824)`;

const batchesOf = `coalesce(s.batches,
  json_array(json_array(s.last_sequence, s.record_count, s.length)))`;

const firstOfBatch = `CASE WHEN b.key = 0 THEN s.first_sequence
      ELSE ((s.batches -> (b.key - 1) ->> 0) + 1) & 2147483647 END`;

/**
 * Whole batches at or below the last sequence are duplicates; they lead the run, since it is
 * contiguous. The rest is accepted when the last duplicate is the last sequence itself.
 */
export const probeDuplicates = `UPDATE staging SET
  code = CASE WHEN v.duplicate_count = 0 THEN ${verdict.sequenceOutOfOrder}
    WHEN v.duplicate_count = v.batch_count THEN
      CASE WHEN v.duplicate_base IS NULL THEN ${verdict.sequenceDuplicate}
        ELSE ${verdict.duplicate} END
    WHEN v.meets THEN ${verdict.appended}
    ELSE ${verdict.sequenceOutOfOrder} END,
  skipped_count = v.skipped_count,
  position = staging.position + v.skipped_length,
  length = staging.length - v.skipped_length,
  record_count = staging.record_count - v.skipped_count,
  duplicates = v.duplicates,
  duplicate_base = v.duplicate_base
FROM (
  SELECT d.entry, count(*) AS batch_count, sum(d.is_duplicate) AS duplicate_count,
    max(d.is_last) AS meets,
    max(d.is_duplicate * d.count_so_far) AS skipped_count,
    max(d.is_duplicate * d.length_so_far) AS skipped_length,
    min(d.base_offset) AS duplicate_base,
    json_group_array(json_array(d.last_sequence, coalesce(d.base_offset, -1)))
      FILTER (WHERE d.is_duplicate) AS duplicates
  FROM (
    SELECT s.entry, b.value ->> 0 AS last_sequence, b.value ->> 1 AS count_so_far,
      b.value ->> 2 AS length_so_far, ${atOrBelow} AS is_duplicate,
      b.value ->> 0 = s.state_sequence AS is_last,
      (SELECT r.value ->> 2 FROM json_each(s.recent) r
        WHERE r.value ->> 1 = b.value ->> 0 AND r.value ->> 0 = ${firstOfBatch}) AS base_offset
    FROM staging s, json_each(${batchesOf}) b
    WHERE s.code = ${verdict.probe}
  ) d GROUP BY d.entry
) v WHERE v.entry = staging.entry`;

/** Needed only when something was left out; then islands and offsets count appended entries. */
export const correctOffsets = `UPDATE staging SET base_offset = v.base_offset, island = v.island
FROM (
  SELECT entry,
    next_offset + sum(record_count) OVER w - record_count AS base_offset,
    position - sum(length) OVER w + length AS island
  FROM staging
  WHERE code = ${verdict.appended} AND EXISTS (SELECT 1 FROM staging x
    WHERE x.code <> ${verdict.appended} OR x.skipped_count > 0)
  WINDOW w AS (PARTITION BY topic_number, partition ORDER BY entry)
) v WHERE v.entry = staging.entry`;

/** ?3 key, ?4 end of the segment in the object. An object that got no row is released at once. */
export const countObject = `INSERT INTO object
  (key, worker_epoch, size_bytes, live_rows, released_at)
SELECT ?3, ?1, ?4, v.live_rows, CASE WHEN v.live_rows = 0 THEN n.published_at END
FROM namespace n, (SELECT count(*) AS live_rows FROM (
  SELECT DISTINCT topic_number, partition, island FROM staging
  WHERE code = ${verdict.appended})) v
WHERE ${open}
ON CONFLICT (key) DO UPDATE SET
  size_bytes = max(size_bytes, excluded.size_bytes),
  live_rows = live_rows + excluded.live_rows,
  released_at = CASE WHEN live_rows + excluded.live_rows = 0 THEN excluded.released_at END`;

/** ?1 key. After the partitions, whose greatest timestamp goes into max_so_far. */
export const insertExtents = `INSERT INTO extent (topic_number, partition, base_offset, last_offset,
  publish_position, published_at, object_id, position, length, max_timestamp, max_so_far,
  min_timestamp)
SELECT s.topic_number, s.partition, min(s.base_offset),
  max(s.base_offset + s.record_count) - 1, n.publish_position, n.published_at,
  (SELECT object_id FROM object WHERE key = ?1), min(s.position), sum(s.length),
  max(s.max_timestamp), p.max_timestamp,
  CASE WHEN count(s.min_timestamp) = count(*) THEN min(s.min_timestamp) END
FROM namespace n CROSS JOIN staging s
CROSS JOIN topic_partition p ON p.topic_number = s.topic_number AND p.partition = s.partition
WHERE s.code = ${verdict.appended}
GROUP BY s.topic_number, s.partition, s.island`;

export const advancePartitions = `UPDATE topic_partition SET
  next_offset = topic_partition.next_offset + v.record_count,
  size_bytes = topic_partition.size_bytes + v.length,
  max_timestamp = max(topic_partition.max_timestamp, v.max_timestamp)
FROM (
  SELECT topic_number, partition, sum(record_count) AS record_count, sum(length) AS length,
    max(max_timestamp) AS max_timestamp
  FROM staging WHERE code = ${verdict.appended} GROUP BY topic_number, partition
) v
WHERE topic_partition.topic_number = v.topic_number AND topic_partition.partition = v.partition`;

/** The last five batches, newest first: [first sequence, last sequence, base offset]. */
export const upsertProducers = `INSERT INTO producer (topic_number, partition, producer_id,
  producer_epoch, last_sequence, recent, updated_at)
SELECT s.topic_number, s.partition, s.producer_id, s.producer_epoch, s.last_sequence,
  CASE WHEN s.batches IS NOT NULL THEN (
    SELECT json_group_array(json(f.batch)) FROM (
      SELECT batch FROM (
        SELECT json_array(${firstOfBatch}, b.value ->> 0, s.base_offset - s.skipped_count
          + CASE WHEN b.key = 0 THEN 0 ELSE s.batches -> (b.key - 1) ->> 1 END) AS batch
        FROM json_each(s.batches) b WHERE b.value ->> 1 > s.skipped_count
        ORDER BY b.key DESC LIMIT 5)
      UNION ALL
      SELECT o.value FROM json_each(s.recent) o WHERE o.type = 'array'
      LIMIT 5) f)
  WHEN s.recent IS NULL THEN
    json_array(json_array(s.first_sequence, s.last_sequence, s.base_offset))
  ELSE json_array(json_array(s.first_sequence, s.last_sequence, s.base_offset),
    s.recent -> 0, s.recent -> 1, s.recent -> 2, s.recent -> 3) END,
  n.published_at
FROM staging s, namespace n
WHERE s.code = ${verdict.appended} AND s.producer_id IS NOT NULL
ON CONFLICT (topic_number, partition, producer_id) DO UPDATE SET
  producer_epoch = excluded.producer_epoch, last_sequence = excluded.last_sequence,
  recent = excluded.recent, updated_at = excluded.updated_at`;

/**
 * An entry in the stored receipt: topicNumber, partition, baseOffset, recordCount, position,
 * length, maxTimestamp, leaderEpoch, logStartOffset; and unless it was simply appended: verdict,
 * skipped records, duplicates. What was appended can be read from it without the index.
 */
const entryReceipts = `(SELECT json_group_array(
  CASE WHEN s.code = ${verdict.appended} AND s.duplicates IS NULL
  THEN json_array(s.topic_number, s.partition, s.base_offset, s.record_count, s.position,
    s.length, s.max_timestamp, s.leader_epoch, s.log_start_offset)
  WHEN s.code = ${verdict.appended}
  THEN json_array(s.topic_number, s.partition, s.base_offset, s.record_count, s.position,
    s.length, s.max_timestamp, s.leader_epoch, s.log_start_offset,
    s.code, s.skipped_count, json(s.duplicates))
  ELSE json_array(s.topic_number, s.partition, coalesce(s.duplicate_base, -1), 0, s.position, 0,
    -1, coalesce(s.leader_epoch, -1), coalesce(s.log_start_offset, -1),
    s.code, CASE WHEN s.code = ${verdict.duplicate} THEN s.skipped_count ELSE 0 END,
    json(coalesce(s.duplicates, '[]'))) END)
  FROM staging s)`;

const insertSegment = (groups: string) => `INSERT INTO segment (publish_position, published_at,
  worker_epoch, sequence, object_id, position, length, entries, groups)
SELECT n.publish_position, n.published_at, ?1, ?2,
  (SELECT object_id FROM object WHERE key = ?3), ?4, ?5, ${entryReceipts}, ${groups}
FROM namespace n
WHERE ${open}`;

/** ?3 key or null, ?4 position, ?5 length. */
export const recordSegment = insertSegment("NULL");

export const recordGroupedSegment = insertSegment(`(SELECT json_group_array(
  json_array(code, json(repeated), expected)) FROM staging_group)`);

export const emptyStaging = "DELETE FROM staging";
export const emptyStagingGroups = "DELETE FROM staging_group";

/** ?1 workerEpoch, ?2 sequence. */
export const selectReceipt = `SELECT publish_position, published_at, entries, groups,
  (SELECT catalog_version FROM namespace WHERE id = 1)
FROM segment WHERE worker_epoch = ?1 AND sequence = ?2`;
