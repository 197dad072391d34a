/**
 * Topics and their partitions. Every change raises `catalog_version`, by which other workers notice
 * it. A topic is its incarnation: one deleted and made again has another number and another id.
 */
import { StreamError } from "../base/stream-error.ts";
import { topicNameCollisionKey } from "../record/topic-name.ts";
import type { TopicId, TopicName } from "../record/types.ts";
import type { SqlDatabase, SqlValue } from "./sql-database.ts";
import { databaseNow, numberAt, rowsOf, statement, textAt, textOrNullAt } from "./sql-values.ts";
import { validateTopicConfig } from "./topic-config.ts";

export interface TopicInfo {
  /** Row number of this incarnation, never reused. */
  readonly topicNumber: number;
  readonly topicId: TopicId;
  readonly name: TopicName;
  readonly partitionCount: number;
  /** Only what was set; defaults are in topic-config.ts. */
  readonly config: Readonly<Record<string, string>>;
  /** As requested; bytes are as durable as the store is, whatever it says. */
  readonly replicationFactor: number;
  /** Milliseconds since 1970 by the database's clock. */
  readonly createdAt: number;
  /** The query whose results it holds, which alone may write to it; absent: everybody may. */
  readonly writer?: string;
}

export interface NewTopic {
  /** Random, from the caller: sending the same creation again finds the topic it made. */
  readonly topicId: TopicId;
  readonly name: TopicName;
  readonly partitionCount: number;
  readonly replicationFactor: number;
  readonly config: Readonly<Record<string, string>>;
  readonly writer?: string;
}

/** What one topic may have; a bound on a mistyped count rather than on use. */
export const partitionCountMax = 100_000;

/** After a statement that changed something. */
const bumpCatalog = `UPDATE namespace SET catalog_version = catalog_version + 1
WHERE id = 1 AND changes() > 0`;

/** ?1 topicId: partitions that the topic's count names and that are not there yet. */
const insertPartitions = `INSERT INTO topic_partition (topic_number, partition, created_position)
WITH RECURSIVE missing (topic_number, partition, partition_count) AS (
  SELECT t.topic_number, (SELECT count(*) FROM topic_partition p
    WHERE p.topic_number = t.topic_number), t.partition_count
  FROM topic t WHERE t.topic_id = ?1 AND t.state = 'live'
  UNION ALL
  SELECT topic_number, partition + 1, partition_count FROM missing
  WHERE partition + 1 < partition_count)
SELECT m.topic_number, m.partition, n.publish_position FROM missing m, namespace n
WHERE m.partition < m.partition_count`;

const topicColumns = `t.topic_number, t.topic_id, t.name, t.partition_count, t.config,
  t.replication_factor, t.created_at, t.writer`;

const selectById = `SELECT ${topicColumns} FROM topic t WHERE t.topic_id = ?1 AND t.state = 'live'`;

const selectByNumber = `SELECT ${topicColumns} FROM topic t
WHERE t.topic_number = ?1 AND t.state = 'live'`;

/** Errors: `topic_exists`, `invalid_topic_name` (collides by `.` and `_`), `invalid_config`. */
export async function createTopic(database: SqlDatabase, topic: NewTopic): Promise<TopicInfo> {
  const { topicId, name, partitionCount, replicationFactor, config } = topic;
  if (partitionCount < 1 || partitionCount > partitionCountMax) {
    throw wrongPartitionCount(name, `${partitionCount} is not in 1 to ${partitionCountMax}`);
  }
  validateTopicConfig(config);
  const collision = topicNameCollisionKey(name);
  const results = await database.batch(
    [
      statement(
        `INSERT INTO topic (topic_id, name, collision_name, partition_count, replication_factor,
  config, writer, state, created_at)
SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, 'live', ${databaseNow}
WHERE NOT EXISTS (SELECT 1 FROM topic WHERE topic_id = ?1)
  AND NOT EXISTS (SELECT 1 FROM topic WHERE collision_name = ?3 AND state = 'live')`,
        ...[topicId, name, collision, partitionCount, replicationFactor, JSON.stringify(config)],
        topic.writer ?? null,
      ),
      statement(bumpCatalog),
      statement(insertPartitions, topicId),
      statement(selectById, topicId),
      statement("SELECT name FROM topic WHERE collision_name = ?1 AND state = 'live'", collision),
    ],
    "write",
  );
  const created = rowsOf(results, 3)[0];
  if (created !== undefined) return topicFromRow(created);
  const there = rowsOf(results, 4)[0];
  if (there === undefined || textAt(there, 0) === name) {
    throw new StreamError("topic_exists", `Cannot create topic "${name}": it exists`);
  }
  throw new StreamError(
    "invalid_topic_name",
    `Cannot create topic "${name}": it collides with "${textAt(there, 0)}", since "." and "_" ` +
      "count as the same character in names of metrics",
  );
}

/**
 * Hides the topic at once; its rows and objects go in slices (release.ts).
 * Errors: `topic_unknown`. Deleting a topic that is being deleted is no error.
 */
export async function deleteTopic(database: SqlDatabase, topicNumber: number): Promise<void> {
  const results = await database.batch(
    [
      statement(
        `UPDATE topic SET state = 'deleting', deleted_at = ${databaseNow}
WHERE topic_number = ?1 AND state = 'live'`,
        topicNumber,
      ),
      statement(bumpCatalog),
      statement(
        `UPDATE topic_partition SET deleted = 1, log_start_offset = next_offset
WHERE topic_number = ?1 AND deleted = 0`,
        topicNumber,
      ),
      statement("SELECT count(*) FROM topic WHERE topic_number = ?1", topicNumber),
    ],
    "write",
  );
  if (numberAt(rowsOf(results, 3)[0], 0) === 0) throw unknownTopic(topicNumber);
}

/** Raises the partition count. Errors: `topic_unknown`, `invalid_partition_count`. */
export async function addPartitions(
  database: SqlDatabase,
  options: { readonly topicNumber: number; readonly partitionCount: number },
): Promise<TopicInfo> {
  const { topicNumber, partitionCount } = options;
  const before = await database.batch([statement(selectByNumber, topicNumber)], "read");
  const topic = topicOf(rowsOf(before, 0), topicNumber);
  const { name, topicId } = topic;
  if (partitionCount <= topic.partitionCount || partitionCount > partitionCountMax) {
    throw wrongPartitionCount(name, `it has ${topic.partitionCount}, asked for ${partitionCount}`);
  }
  const results = await database.batch(
    [
      statement(
        `UPDATE topic SET partition_count = ?2
WHERE topic_number = ?1 AND state = 'live' AND partition_count < ?2`,
        ...[topicNumber, partitionCount],
      ),
      statement(bumpCatalog),
      statement(insertPartitions, topicId),
      statement(selectByNumber, topicNumber),
    ],
    "write",
  );
  const raised = topicOf(rowsOf(results, 3), topicNumber);
  if (raised.partitionCount > partitionCount) {
    throw wrongPartitionCount(name, `it has ${raised.partitionCount} by now`);
  }
  return raised;
}

/** Sets and removes (null) configs; all or none. Errors: `topic_unknown`, `invalid_config`. */
export async function alterTopicConfig(
  database: SqlDatabase,
  options: {
    readonly topicNumber: number;
    readonly changes: Readonly<Record<string, string | null>>;
  },
): Promise<TopicInfo> {
  const { topicNumber, changes } = options;
  validateTopicConfig(changes);
  const results = await database.batch(
    [
      statement(
        // A null in the patch removes the member (RFC 7396).
        `UPDATE topic SET config = json_patch(config, ?2)
WHERE topic_number = ?1 AND state = 'live' AND config <> json_patch(config, ?2)`,
        ...[topicNumber, JSON.stringify(changes)],
      ),
      statement(bumpCatalog),
      statement(selectByNumber, topicNumber),
    ],
    "write",
  );
  return topicOf(rowsOf(results, 2), topicNumber);
}

/** All live topics by name, with the catalog version they were read at. */
export async function listTopics(
  database: SqlDatabase,
): Promise<{ readonly catalogVersion: number; readonly topics: readonly TopicInfo[] }> {
  const results = await database.batch(
    [
      statement("SELECT catalog_version FROM namespace WHERE id = 1"),
      statement(`SELECT ${topicColumns} FROM topic t WHERE t.state = 'live' ORDER BY t.name`),
    ],
    "read",
  );
  return {
    catalogVersion: numberAt(rowsOf(results, 0)[0], 0),
    topics: rowsOf(results, 1).map(topicFromRow),
  };
}

/** The live topics among `names`; missing ones are left out. */
export async function topicsByName(
  database: SqlDatabase,
  names: readonly string[],
): Promise<TopicInfo[]> {
  if (names.length === 0) return [];
  const results = await database.batch(
    [
      statement(
        `SELECT ${topicColumns} FROM json_each(?1) j JOIN topic t
  ON t.collision_name = replace(j.value, '.', '_') AND t.name = j.value AND t.state = 'live'`,
        JSON.stringify(names),
      ),
    ],
    "read",
  );
  return rowsOf(results, 0).map(topicFromRow);
}

/** The live topics among `topicIds`; missing ones are left out. */
export async function topicsById(
  database: SqlDatabase,
  topicIds: readonly TopicId[],
): Promise<TopicInfo[]> {
  if (topicIds.length === 0) return [];
  const results = await database.batch(
    [
      statement(
        `SELECT ${topicColumns} FROM json_each(?1) j
  JOIN topic t ON t.topic_id = j.value AND t.state = 'live'`,
        JSON.stringify(topicIds),
      ),
    ],
    "read",
  );
  return rowsOf(results, 0).map(topicFromRow);
}

/** Which of these numbers no live topic has: topics that were deleted. */
export async function deletedTopics(
  database: SqlDatabase,
  topicNumbers: readonly number[],
): Promise<number[]> {
  if (topicNumbers.length === 0) return [];
  const results = await database.batch(
    [
      statement(
        `SELECT j.value FROM json_each(?1) j WHERE NOT EXISTS (
  SELECT 1 FROM topic t WHERE t.topic_number = j.value AND t.state = 'live')`,
        JSON.stringify(topicNumbers),
      ),
    ],
    "read",
  );
  return rowsOf(results, 0).map((row) => numberAt(row, 0));
}

function topicFromRow(row: readonly SqlValue[]): TopicInfo {
  const writer = textOrNullAt(row, 7);
  return {
    topicNumber: numberAt(row, 0),
    topicId: textAt(row, 1) as TopicId,
    name: textAt(row, 2) as TopicName,
    partitionCount: numberAt(row, 3),
    config: JSON.parse(textAt(row, 4)) as Record<string, string>,
    replicationFactor: numberAt(row, 5),
    createdAt: numberAt(row, 6),
    ...(writer !== null && { writer }),
  };
}

function topicOf(rows: readonly (readonly SqlValue[])[], topicNumber: number): TopicInfo {
  const row = rows[0];
  if (row === undefined) throw unknownTopic(topicNumber);
  return topicFromRow(row);
}

function unknownTopic(topicNumber: number): StreamError {
  return new StreamError("topic_unknown", "The topic does not exist any more", {
    details: { topicNumber },
  });
}

function wrongPartitionCount(name: string, why: string): StreamError {
  return new StreamError(
    "invalid_partition_count",
    `Cannot give topic "${name}" that many partitions: ${why}`,
  );
}
