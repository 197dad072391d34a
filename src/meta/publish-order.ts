/**
 * The index in the order of publishes, as continuous queries read it: everything that was published
 * to some topics after a position, over all of their partitions, ticks among it.
 *
 * Extents have no index by publish position (it would be a second row per row). Within a partition
 * offsets and positions ascend together, so each partition's rows are read by offset and merged.
 */
import { type Extent, extentColumns, extentFromRow, type PartitionRef } from "./log-index.ts";
import type { SqlDatabase, SqlStatement, SqlValue } from "./sql-database.ts";
import { databaseNow, numberAt, rowsOf, statement } from "./sql-values.ts";

/** A partition, and the offset up to which it has been read. */
export interface PartitionCursor extends PartitionRef {
  readonly nextOffset: number;
}

export interface TopicPartitionState extends PartitionCursor {
  readonly logStartOffset: number;
  readonly leaderEpoch: number;
  readonly sizeBytes: number;
  /** Position of the publish before which the partition was not there. */
  readonly createdPosition: number;
}

export interface NamespaceHead {
  readonly publishPosition: number;
  readonly publishedAt: number;
}

/** A publish without records: it lets time pass for queries on its topic. */
export interface Tick {
  readonly topicNumber: number;
  readonly publishPosition: number;
  readonly publishedAt: number;
}

/** What a commit said of its query's results, in the publish in which it came. */
export interface CommittedWatermark extends Tick {
  readonly watermark: number;
  readonly activity: number;
}

export interface OrderedExtents {
  /**
   * `extents`, `ticks` and `watermarks` hold everything after the position asked from up to this
   * one.
   */
  readonly upTo: number;
  /** By publish position; those of one publish by topic and partition. */
  readonly extents: readonly Extent[];
  readonly ticks: readonly Tick[];
  /** By publish position and topic. */
  readonly watermarks: readonly CommittedWatermark[];
}

export interface TopicStates {
  readonly head: NamespaceHead;
  /** The database's clock: what `publishedAt` of a publish would be now, unless it has run back. */
  readonly databaseNow: number;
  readonly partitions: readonly TopicPartitionState[];
}

/** Every partition of live topics among `topicNumbers`, and the namespace's last publish. */
export async function topicStates(
  database: SqlDatabase,
  topicNumbers: readonly number[],
): Promise<TopicStates> {
  const results = await database.batch(
    [
      statement(
        `SELECT publish_position, published_at, ${databaseNow} FROM namespace WHERE id = 1`,
      ),
      statement(
        `SELECT p.topic_number, p.partition, p.next_offset, p.log_start_offset, p.leader_epoch,
  p.created_position, p.size_bytes
FROM json_each(?1) j JOIN topic t ON t.topic_number = j.value AND t.state = 'live'
JOIN topic_partition p ON p.topic_number = t.topic_number AND p.deleted = 0
ORDER BY p.topic_number, p.partition`,
        JSON.stringify(topicNumbers),
      ),
    ],
    "read",
  );
  const head = rowsOf(results, 0)[0];
  return {
    head: { publishPosition: numberAt(head, 0), publishedAt: numberAt(head, 1) },
    databaseNow: numberAt(head, 2),
    partitions: rowsOf(results, 1).map((row) => ({
      topicNumber: numberAt(row, 0),
      partition: numberAt(row, 1),
      nextOffset: numberAt(row, 2),
      logStartOffset: numberAt(row, 3),
      leaderEpoch: numberAt(row, 4),
      createdPosition: numberAt(row, 5),
      sizeBytes: numberAt(row, 6),
    })),
  };
}

/**
 * What was published after position `after` and up to `until`, a head that `topicStates` gave.
 * `cursors` names the partitions that have grown; of each at most `limitRows` extents are read, and
 * where that cuts something off, `upTo` says how far the answer is whole (always beyond `after`).
 */
export async function extentsInOrder(
  database: SqlDatabase,
  options: {
    readonly cursors: readonly PartitionCursor[];
    readonly topicNumbers: readonly number[];
    /** Those that queries write, whose commits have watermarks; default none. */
    readonly writtenTopics?: readonly number[];
    readonly after: number;
    readonly until: number;
    readonly limitRows: number;
  },
): Promise<OrderedExtents> {
  const { cursors, topicNumbers, writtenTopics = [], after, until, limitRows } = options;
  const isWritten = writtenTopics.length > 0;
  const results = await database.batch(
    [
      statement(
        `SELECT k.topic_number, k.publish_position, k.published_at
FROM json_each(?1) j JOIN tick k ON k.topic_number = j.value
WHERE k.publish_position > ?2 AND k.publish_position <= ?3
ORDER BY k.publish_position, k.topic_number LIMIT ?4`,
        ...[JSON.stringify(topicNumbers), after, until, limitRows],
      ),
      ...cursors.map(({ topicNumber, partition, nextOffset }) =>
        statement(
          `SELECT ${extentColumns} FROM extent e JOIN object o ON o.object_id = e.object_id
WHERE e.topic_number = ?1 AND e.partition = ?2 AND e.last_offset >= ?3
  AND e.base_offset >= coalesce((SELECT max(x.base_offset) FROM extent x
    WHERE x.topic_number = ?1 AND x.partition = ?2 AND x.base_offset <= ?3), 0)
ORDER BY e.base_offset LIMIT ?4`,
          // One more than wanted: a publish may have several rows of one partition.
          ...[topicNumber, partition, nextOffset, limitRows + 1],
        ),
      ),
      ...(isWritten ? [watermarksBetween({ writtenTopics, after, until, limitRows })] : []),
    ],
    "read",
  );
  let upTo = until;
  const ticks = rowsOf(results, 0).map(tickFromRow);
  if (ticks.length === limitRows) upTo = Math.min(upTo, lastPosition(ticks));
  const watermarks = isWritten
    ? rowsOf(results, cursors.length + 1).map(watermarkFromRow)
    : ([] as CommittedWatermark[]);
  if (watermarks.length === limitRows) upTo = Math.min(upTo, lastPosition(watermarks));
  const extents: Extent[] = [];
  for (let index = 0; index < cursors.length; index++) {
    const rows = rowsOf(results, index + 1).map(extentFromRow);
    const cut = rows[limitRows];
    if (cut !== undefined) upTo = Math.min(upTo, Math.max(cut.publishPosition - 1, after + 1));
    extents.push(...rows);
  }
  extents.sort(
    (a, b) =>
      a.publishPosition - b.publishPosition ||
      a.topicNumber - b.topicNumber ||
      a.partition - b.partition ||
      a.baseOffset - b.baseOffset,
  );
  return {
    upTo,
    extents: extents.filter(({ publishPosition }) => publishPosition <= upTo),
    ticks: ticks.filter(({ publishPosition }) => publishPosition <= upTo),
    watermarks: watermarks.filter(({ publishPosition }) => publishPosition <= upTo),
  };
}

function watermarksBetween(span: {
  readonly writtenTopics: readonly number[];
  readonly after: number;
  readonly until: number;
  readonly limitRows: number;
}): SqlStatement {
  const { writtenTopics, after, until, limitRows } = span;
  return statement(
    `SELECT w.topic_number, w.publish_position, w.published_at, w.watermark, w.activity
FROM json_each(?1) j JOIN watermark w ON w.topic_number = j.value
WHERE w.publish_position > ?2 AND w.publish_position <= ?3
ORDER BY w.publish_position, w.topic_number LIMIT ?4`,
    ...[JSON.stringify(writtenTopics), after, until, limitRows],
  );
}

/**
 * Publishes a tick to each topic. Sent again after a lost reply it writes another, which does no
 * harm: time passes by publishedAt, not by their number. Returns the namespace's head.
 */
export async function publishTick(
  database: SqlDatabase,
  topicNumbers: readonly number[],
): Promise<NamespaceHead> {
  const results = await database.batch(
    [
      statement(
        `UPDATE namespace SET publish_position = publish_position + 1,
  published_at = max(published_at, ${databaseNow}) WHERE id = 1`,
      ),
      statement(
        `INSERT INTO tick (topic_number, publish_position, published_at)
SELECT t.topic_number, n.publish_position, n.published_at
FROM json_each(?1) j JOIN topic t ON t.topic_number = j.value AND t.state = 'live'
CROSS JOIN namespace n`,
        JSON.stringify(topicNumbers),
      ),
      statement("SELECT publish_position, published_at FROM namespace WHERE id = 1"),
    ],
    "write",
  );
  const head = rowsOf(results, 2)[0];
  return { publishPosition: numberAt(head, 0), publishedAt: numberAt(head, 1) };
}

/**
 * Removes ticks that no reader can meet any more: those before the first extent that a topic still
 * has, and those of topics that are gone. At most `limitRows`; returns how many went.
 */
export async function forgetTicks(
  database: SqlDatabase,
  { limitRows }: { readonly limitRows: number },
): Promise<number> {
  const results = await database.batch(
    [
      statement(
        `DELETE FROM tick WHERE (topic_number, publish_position) IN (
  SELECT k.topic_number, k.publish_position FROM tick k
  WHERE NOT EXISTS (SELECT 1 FROM topic t
      WHERE t.topic_number = k.topic_number AND t.state = 'live')
    OR k.publish_position < (SELECT min((SELECT e.publish_position FROM extent e
        WHERE e.topic_number = p.topic_number AND e.partition = p.partition
          AND e.last_offset >= p.log_start_offset ORDER BY e.base_offset LIMIT 1))
      FROM topic_partition p WHERE p.topic_number = k.topic_number AND p.deleted = 0)
  LIMIT ?1)`,
        limitRows,
      ),
      statement("SELECT changes()"),
    ],
    "write",
  );
  return numberAt(rowsOf(results, 1)[0], 0);
}

/** Watermarks of a topic without records are kept so long for queries that lag behind. */
const bareWatermarksMs = 86_400_000;

/**
 * Removes watermarks that no reader needs any more: as `forgetTicks`, but of each topic the newest
 * of them stays, since it says how far the results that are left had come. At most `limitRows`;
 * returns how many went.
 */
export async function forgetWatermarks(
  database: SqlDatabase,
  { limitRows }: { readonly limitRows: number },
): Promise<number> {
  const results = await database.batch(
    [
      statement(
        `DELETE FROM watermark WHERE (topic_number, publish_position) IN (
  SELECT w.topic_number, w.publish_position FROM watermark w
  WHERE NOT EXISTS (SELECT 1 FROM topic t
      WHERE t.topic_number = w.topic_number AND t.state = 'live')
    OR EXISTS (SELECT 1 FROM watermark n WHERE n.topic_number = w.topic_number
      AND n.publish_position > w.publish_position
      AND n.publish_position <= coalesce((SELECT min((
        SELECT e.publish_position FROM extent e
        WHERE e.topic_number = p.topic_number AND e.partition = p.partition
          AND e.last_offset >= p.log_start_offset ORDER BY e.base_offset LIMIT 1))
      FROM topic_partition p WHERE p.topic_number = w.topic_number AND p.deleted = 0),
        CASE WHEN w.published_at < ${databaseNow} - ${bareWatermarksMs}
          THEN ${Number.MAX_SAFE_INTEGER} END))
  LIMIT ?1)`,
        limitRows,
      ),
      statement("SELECT changes()"),
    ],
    "write",
  );
  return numberAt(rowsOf(results, 1)[0], 0);
}

function watermarkFromRow(row: readonly SqlValue[]): CommittedWatermark {
  return { ...tickFromRow(row), watermark: numberAt(row, 3), activity: numberAt(row, 4) };
}

function lastPosition(rows: readonly { readonly publishPosition: number }[]): number {
  return rows.at(-1)?.publishPosition ?? 0;
}

function tickFromRow(row: readonly SqlValue[]): Tick {
  return {
    topicNumber: numberAt(row, 0),
    publishPosition: numberAt(row, 1),
    publishedAt: numberAt(row, 2),
  };
}
