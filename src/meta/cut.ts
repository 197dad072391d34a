/**
 * Cutting the ends of partitions whose bytes a power loss took. Which rows must go is planned in
 * `log/cut-plan.ts`; here are the questions that the plan asks, and the one batch that carries it
 * out: all of it or nothing, and nothing when the plan holds no more.
 */
import { nextEndsVersion, raiseEndsVersion } from "./ends.ts";
import { type Extent, extentColumns, extentFromRow, type PartitionRef } from "./log-index.ts";
import type { SqlDatabase, SqlValue } from "./sql-database.ts";
import { databaseNow, numberAt, numberOrNullAt, rowsOf, statement, textAt } from "./sql-values.ts";

/** Bytes of an object: the index rows that touch them are asked for. */
export interface ObjectBytes {
  readonly objectId: number;
  readonly start: number;
  readonly end: number;
}

/**
 * Index rows with bytes in these ranges, by topic, partition and offset. Rows of deleted topics and
 * those wholly below their log start are left out: nobody reads them, and they go by themselves.
 * Walks the whole index.
 */
export async function extentsIn(
  database: SqlDatabase,
  ranges: readonly ObjectBytes[],
): Promise<Extent[]> {
  if (ranges.length === 0) return [];
  const rows = ranges.map(({ objectId, start, end }) => [objectId, start, end]);
  const results = await database.batch(
    [
      statement(
        `WITH asked (object_id, range_start, range_end) AS MATERIALIZED (
  SELECT j.value ->> 0, j.value ->> 1, j.value ->> 2 FROM json_each(?1) j)
SELECT DISTINCT ${extentColumns} FROM extent e
JOIN asked a ON a.object_id = e.object_id JOIN object o ON o.object_id = e.object_id
JOIN topic_partition p ON p.topic_number = e.topic_number AND p.partition = e.partition
WHERE e.position + e.length > a.range_start AND e.position < a.range_end
  AND p.deleted = 0 AND e.last_offset >= p.log_start_offset
ORDER BY e.topic_number, e.partition, e.base_offset`,
        JSON.stringify(rows),
      ),
    ],
    "read",
  );
  return rowsOf(results, 0).map(extentFromRow);
}

export interface OffsetRange extends PartitionRef {
  readonly from: number;
  readonly before: number;
}

/** An index row whose segment may hold publish groups. */
export interface GroupedExtent {
  readonly publishPosition: number;
  readonly objectId: number;
  readonly key: string;
  readonly position: number;
  readonly length: number;
  readonly workerEpoch: number;
  /** Where its segment lies in the object; null when its receipt is forgotten. */
  readonly segment: { readonly position: number; readonly length: number } | null;
}

/** Rows that begin in these ranges and may hold entries of groups. */
export async function groupedExtents(
  database: SqlDatabase,
  ranges: readonly OffsetRange[],
): Promise<GroupedExtent[]> {
  const rows = ranges.map((range) => [
    ...[range.topicNumber, range.partition, range.from, range.before],
  ]);
  const results = await database.batch(
    [
      statement(
        `SELECT e.publish_position, e.object_id, o.key, e.position, e.length, o.worker_epoch,
  s.position, s.length
FROM json_each(?1) j
CROSS JOIN extent e ON e.topic_number = j.value ->> 0 AND e.partition = j.value ->> 1
  AND e.base_offset >= j.value ->> 2 AND e.base_offset < j.value ->> 3
CROSS JOIN object o ON o.object_id = e.object_id
LEFT JOIN segment s ON s.publish_position = e.publish_position
WHERE s.publish_position IS NULL OR s.groups IS NOT NULL
ORDER BY e.publish_position`,
        JSON.stringify(rows),
      ),
    ],
    "read",
  );
  return rowsOf(results, 0).map(groupedFromRow);
}

function groupedFromRow(row: readonly SqlValue[]): GroupedExtent {
  const position = numberOrNullAt(row, 6);
  return {
    publishPosition: numberAt(row, 0),
    objectId: numberAt(row, 1),
    key: textAt(row, 2),
    position: numberAt(row, 3),
    length: numberAt(row, 4),
    workerEpoch: numberAt(row, 5),
    segment: position === null ? null : { position, length: numberAt(row, 7) },
  };
}

/** All bytes that these publishes have in objects. */
export async function bytesOfPublishes(
  database: SqlDatabase,
  publishPositions: readonly number[],
): Promise<ObjectBytes[]> {
  if (publishPositions.length === 0) return [];
  const results = await database.batch(
    [
      statement(
        `SELECT e.object_id, e.position, e.position + e.length FROM extent e
WHERE e.publish_position IN (SELECT j.value FROM json_each(?1) j)`,
        JSON.stringify(publishPositions),
      ),
    ],
    "read",
  );
  return rowsOf(results, 0).map((row) => {
    return { objectId: numberAt(row, 0), start: numberAt(row, 1), end: numberAt(row, 2) };
  });
}

export interface PartitionOffset extends PartitionRef {
  readonly offset: number;
}

function askedOf(cuts: readonly PartitionOffset[]): string {
  return JSON.stringify(
    cuts.map(({ topicNumber, partition, offset }) => [topicNumber, partition, offset]),
  );
}

/** Whether request `r` of HTTP producer `h` has a record that is cut. */
const requestIsCut = `EXISTS (SELECT 1 FROM json_each(r.value -> 1) g, json_each(?1) j
    WHERE j.value ->> 0 = h.topic_number AND j.value ->> 1 = g.value ->> 0
      AND g.value ->> 1 >= j.value ->> 2)`;

/** Requests of one HTTP producer that are remembered, newest first. */
export interface RememberedRequests {
  readonly topicNumber: number;
  readonly requests: readonly (readonly {
    readonly partition: number;
    readonly offset: number;
  }[])[];
}

/** HTTP producers that lose a remembered request to one of these cuts. */
export async function cutHttpProducers(
  database: SqlDatabase,
  cuts: readonly PartitionOffset[],
): Promise<RememberedRequests[]> {
  const results = await database.batch(
    [
      statement(
        `SELECT h.topic_number, h.recent FROM http_producer h
WHERE h.topic_number IN (SELECT j.value ->> 0 FROM json_each(?1) j)
  AND EXISTS (SELECT 1 FROM json_each(h.recent) r WHERE ${requestIsCut})`,
        askedOf(cuts),
      ),
    ],
    "read",
  );
  return rowsOf(results, 0).map((row) => {
    const recent = JSON.parse(textAt(row, 1)) as [number, [number, number, number][]][];
    return {
      topicNumber: numberAt(row, 0),
      requests: recent.map(([, ranges]) =>
        ranges.map(([partition, offset]) => ({ partition, offset })),
      ),
    };
  });
}

/** The rows that hold these offsets, save what lies below the log start. */
export async function extentsAt(
  database: SqlDatabase,
  places: readonly PartitionOffset[],
): Promise<Extent[]> {
  if (places.length === 0) return [];
  const results = await database.batch(
    [
      statement(
        `SELECT DISTINCT ${extentColumns} FROM json_each(?1) j
CROSS JOIN topic_partition p ON p.topic_number = j.value ->> 0 AND p.partition = j.value ->> 1
  AND p.deleted = 0 AND p.log_start_offset <= j.value ->> 2
CROSS JOIN extent e ON e.topic_number = j.value ->> 0 AND e.partition = j.value ->> 1
  AND e.base_offset = (SELECT max(x.base_offset) FROM extent x
    WHERE x.topic_number = j.value ->> 0 AND x.partition = j.value ->> 1
      AND x.base_offset <= j.value ->> 2)
  AND e.last_offset >= j.value ->> 2
CROSS JOIN object o ON o.object_id = e.object_id`,
        askedOf(places),
      ),
    ],
    "read",
  );
  return rowsOf(results, 0).map(extentFromRow);
}

/**
 * What queries have committed since the first of these cuts that they had read beyond: their
 * results and states came of records that are gone. Of each partition that such a query alone
 * writes, all rows from there on.
 */
export async function commitsBehind(
  database: SqlDatabase,
  cuts: readonly PartitionOffset[],
): Promise<Extent[]> {
  const results = await database.batch(
    [
      statement(
        `WITH reader (query_id, cut_position) AS MATERIALIZED (
  SELECT q.query_id, min(x.publish_position) FROM json_each(?1) j
  CROSS JOIN extent x ON x.topic_number = j.value ->> 0 AND x.partition = j.value ->> 1
    AND x.base_offset = j.value ->> 2
  CROSS JOIN group_offset g ON g.topic_number = x.topic_number AND g.partition = x.partition
    AND g.committed_offset > x.base_offset
  CROSS JOIN query q ON q.query_id = g.group_id
  GROUP BY q.query_id)
SELECT ${extentColumns} FROM reader r
CROSS JOIN topic t ON t.writer = r.query_id AND t.state = 'live'
CROSS JOIN topic_partition p ON p.topic_number = t.topic_number AND p.deleted = 0
CROSS JOIN extent e ON e.topic_number = p.topic_number AND e.partition = p.partition
  AND e.publish_position >= r.cut_position AND e.last_offset >= p.log_start_offset
CROSS JOIN object o ON o.object_id = e.object_id
ORDER BY e.topic_number, e.partition, e.base_offset`,
        askedOf(cuts),
      ),
    ],
    "read",
  );
  return rowsOf(results, 0).map(extentFromRow);
}

/** Cut a partition at `offset`, where an index row begins: that row and all after it go. */
export interface Cut extends PartitionOffset {
  /** The partition's end and epoch when this was planned. */
  readonly nextOffset: number;
  readonly leaderEpoch: number;
}

/**
 * ?1 [topicNumber, partition, offset, nextOffset, leaderEpoch]. What was appended since lies behind
 * the cut and goes with it, else a cut of a busy partition would never be quick enough; only what
 * may belong to a group, whose other entries must go too, asks for another plan.
 */
const asPlanned = `NOT EXISTS (SELECT 1 FROM json_each(?1) j
    LEFT JOIN topic_partition p ON p.topic_number = j.value ->> 0 AND p.partition = j.value ->> 1
      AND p.deleted = 0
    WHERE p.leader_epoch IS NOT j.value ->> 4 OR EXISTS (SELECT 1 FROM extent x
      LEFT JOIN segment s ON s.publish_position = x.publish_position
      WHERE x.topic_number = j.value ->> 0 AND x.partition = j.value ->> 1
        AND x.base_offset >= j.value ->> 3
        AND (s.publish_position IS NULL OR s.groups IS NOT NULL)))`;

const cutExtents = `json_each(?1) j
  CROSS JOIN extent x ON x.topic_number = j.value ->> 0 AND x.partition = j.value ->> 1
    AND x.base_offset >= j.value ->> 2`;

const releaseObjects = `UPDATE object SET live_rows = object.live_rows - v.row_count,
  released_at = CASE WHEN object.live_rows = v.row_count THEN ${databaseNow} END
FROM (SELECT x.object_id, count(*) AS row_count FROM ${cutExtents} GROUP BY x.object_id) v
WHERE object.object_id = v.object_id AND ${asPlanned}`;

const deleteExtents = `DELETE FROM extent WHERE ${asPlanned}
  AND (topic_number, partition, base_offset) IN (
    SELECT x.topic_number, x.partition, x.base_offset FROM ${cutExtents})`;

/**
 * Watermarks of commits that are cut. A commit has a record in its query's own topic, whose writer
 * is that of the topic of the results; what that query committed behind the cut goes with it.
 */
const deleteWatermarks = `DELETE FROM watermark WHERE ${asPlanned}
  AND EXISTS (SELECT 1 FROM topic t CROSS JOIN topic c ON c.writer = t.writer
    CROSS JOIN json_each(?1) j ON j.value ->> 0 = c.topic_number
    CROSS JOIN extent x ON x.topic_number = j.value ->> 0 AND x.partition = j.value ->> 1
      AND x.base_offset >= j.value ->> 2
    WHERE t.topic_number = watermark.topic_number
      AND x.publish_position <= watermark.publish_position)`;

/**
 * A task may hold in memory what is cut, and commit it: whoever runs a query loses it, and it goes
 * on from its newest commit that is left. It costs each query a restart, after a power loss.
 */
const takeQueries = `UPDATE lease SET lease_epoch = lease_epoch + 1, worker_epoch = NULL
WHERE kind = 'query' AND ${asPlanned}`;

/** Batches of a producer that the cut leaves, newest first (layout: publish-statements.ts). */
const keptBatches = `FROM json_each(producer.recent) r
    WHERE r.type = 'array' AND r.value ->> 2 < v.cut_offset`;

const cutOfProducer = `FROM (SELECT j.value ->> 0 AS topic_number, j.value ->> 1 AS partition,
    j.value ->> 2 AS cut_offset FROM json_each(?1) j) v
WHERE v.topic_number = producer.topic_number AND v.partition = producer.partition
  AND producer.recent -> 0 ->> 2 >= v.cut_offset AND ${asPlanned}`;

const rewindProducers = `UPDATE producer SET
  last_sequence = coalesce((SELECT r.value ->> 1 ${keptBatches} ORDER BY r.key LIMIT 1), -1),
  recent = (SELECT json_group_array(json(r.value)) ${keptBatches})
${cutOfProducer}`;

const keptRequests = `FROM json_each(h.recent) r WHERE NOT ${requestIsCut}`;

const rewindHttpProducers = `UPDATE http_producer AS h SET
  last_sequence = coalesce((SELECT r.value ->> 0 ${keptRequests} ORDER BY r.key LIMIT 1), -1),
  recent = (SELECT json_group_array(json(r.value)) ${keptRequests})
WHERE h.topic_number IN (SELECT j.value ->> 0 FROM json_each(?1) j)
  AND EXISTS (SELECT 1 FROM json_each(h.recent) r WHERE ${requestIsCut}) AND ${asPlanned}`;

/** Epochs that begin at or behind the cut never were, as in Kafka's truncation. */
const forgetEpochs = `DELETE FROM leader_epoch WHERE ${asPlanned}
  AND EXISTS (SELECT 1 FROM json_each(?1) j
    WHERE j.value ->> 0 = topic_number AND j.value ->> 1 = partition
      AND j.value ->> 2 <= start_offset)`;

const newEnd = "max(j.value ->> 2, p.log_start_offset)";

const addEpochs = `INSERT INTO leader_epoch (topic_number, partition, leader_epoch, start_offset)
SELECT p.topic_number, p.partition, p.leader_epoch + 1, ${newEnd}
FROM json_each(?1) j
CROSS JOIN topic_partition p ON p.topic_number = j.value ->> 0 AND p.partition = j.value ->> 1
WHERE ${asPlanned}`;

/** What a group has read of the part that is cut is no more: it goes on at the new end. */
const moveGroupOffsets = `UPDATE group_offset AS c SET committed_offset = ${newEnd}
FROM json_each(?1) j
CROSS JOIN topic_partition p ON p.topic_number = j.value ->> 0 AND p.partition = j.value ->> 1
WHERE c.topic_number = j.value ->> 0 AND c.partition = j.value ->> 1
  AND c.committed_offset > ${newEnd} AND ${asPlanned}`;

/** Those of whom nothing is left. */
const forgetRewound = (table: "producer" | "http_producer") => `DELETE FROM ${table}
WHERE last_sequence = -1 AND topic_number IN (SELECT j.value ->> 0 FROM json_each(?1) j)`;

/** The last of all: with it the partitions are no longer as planned. */
const movePartitions = `UPDATE topic_partition AS p SET
  leader_epoch = p.leader_epoch + 1,
  ends_version = ${nextEndsVersion},
  next_offset = ${newEnd},
  max_timestamp = coalesce((SELECT e.max_so_far FROM extent e
    WHERE e.topic_number = p.topic_number AND e.partition = p.partition
    ORDER BY e.base_offset DESC LIMIT 1), -1),
  size_bytes = (SELECT coalesce(sum(e.length), 0) FROM extent e
    WHERE e.topic_number = p.topic_number AND e.partition = p.partition)
FROM json_each(?1) j
WHERE p.topic_number = j.value ->> 0 AND p.partition = j.value ->> 1 AND ${asPlanned}`;

/**
 * Carries out a plan. The leader epochs go up, so that consumers notice. Producers go back to the
 * last batch or request that is left, so that a repeat of it is still known; those of whom nothing
 * remembered is left are forgotten and may start anywhere. Offsets that groups have committed
 * beyond the new end move there.
 *
 * Returns false, and changes nothing, when a partition was cut by others, or may have had groups
 * appended to it, since: plan again.
 */
export async function applyCuts(database: SqlDatabase, cuts: readonly Cut[]): Promise<boolean> {
  if (cuts.length === 0) return true;
  const asked: SqlValue = JSON.stringify(
    cuts.map((cut) => [
      ...[cut.topicNumber, cut.partition, cut.offset, cut.nextOffset, cut.leaderEpoch],
    ]),
  );
  const steps = [
    ...[releaseObjects, deleteWatermarks, deleteExtents, rewindProducers, rewindHttpProducers],
    ...[forgetRewound("producer"), forgetRewound("http_producer"), forgetEpochs, addEpochs],
    takeQueries,
    moveGroupOffsets,
  ];
  const results = await database.batch(
    [
      ...steps.map((sql) => statement(sql, asked)),
      statement(movePartitions, asked),
      statement("SELECT changes()"),
      statement(raiseEndsVersion),
    ],
    "write",
  );
  return numberAt(rowsOf(results, steps.length + 1)[0], 0) === cuts.length;
}
