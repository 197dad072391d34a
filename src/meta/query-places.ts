/**
 * Where continuous queries run and how far they have come, out of the metadata alone, so that any
 * worker can tell it of all of them.
 */
import type { SqlDatabase } from "./sql-database.ts";
import { numberAt, numberOrNullAt, rowsOf, statement, textAt, textOrNullAt } from "./sql-values.ts";

export interface QueryHolder {
  readonly queryId: string;
  readonly nodeId: number;
  /** Null: it serves no HTTP. */
  readonly httpUrl: string | null;
  readonly workerEpoch: number;
}

/** The live workers that hold the leases of queries. */
export async function queryHolders(database: SqlDatabase): Promise<QueryHolder[]> {
  const results = await database.batch(
    [
      statement(
        `SELECT l.name, w.node_id, w.http_url, w.worker_epoch FROM lease l
JOIN worker w ON w.worker_epoch = l.worker_epoch AND w.closed = 0
WHERE l.kind = 'query' ORDER BY l.name`,
      ),
    ],
    "read",
  );
  return rowsOf(results, 0).map((row) => ({
    queryId: textAt(row, 0),
    nodeId: numberAt(row, 1),
    httpUrl: textOrNullAt(row, 2),
    workerEpoch: numberAt(row, 3),
  }));
}

export interface WantedQuery {
  readonly queryId: string;
  /** Epoch of the live worker that holds its lease; null: it is free. */
  readonly heldBy: number | null;
  /** Numbers of the topics that it reads; null: not asked for, or in words of a later version. */
  readonly reads: readonly number[] | null;
}

const readsOfQuery = `CASE WHEN json_valid(q.definition)
    AND json_type(q.definition, '$.inputs') = 'array' THEN (
  SELECT json_group_array(t.topic_number) FROM json_each(q.definition, '$.inputs') i
  JOIN topic t ON t.topic_id = i.value ->> 'topicId') END`;

/**
 * Queries that are to run, without what they are: workers ask this once a second.
 * `withReads`: also what they read, for which each one's definition is looked through.
 */
export async function wantedQueries(
  database: SqlDatabase,
  { withReads }: { readonly withReads: boolean },
): Promise<WantedQuery[]> {
  const results = await database.batch(
    [
      statement(
        `SELECT q.query_id, w.worker_epoch, ${withReads ? readsOfQuery : "NULL"} FROM query q
LEFT JOIN lease l ON l.kind = 'query' AND l.name = q.query_id
LEFT JOIN worker w ON w.worker_epoch = l.worker_epoch AND w.closed = 0
WHERE q.desired = 'running' AND q.failure IS NULL ORDER BY q.created_at, q.query_id`,
      ),
    ],
    "read",
  );
  return rowsOf(results, 0).map((row) => ({
    queryId: textAt(row, 0),
    heldBy: numberOrNullAt(row, 1),
    reads: JSON.parse(textOrNullAt(row, 2) ?? "null") as number[] | null,
  }));
}

/** A topic that a query reads, or in which its checkpoints lie. */
export interface QueryTopic {
  readonly queryId: string;
  readonly topicId: string;
}

export interface QueryPartition extends QueryTopic {
  readonly topic: string;
  readonly topicNumber: number;
  readonly partition: number;
  /** The next record to read as of the last commit; null before the first one. */
  readonly committedOffset: number | null;
  readonly logStartOffset: number;
  readonly highOffset: number;
  readonly sizeBytes: number;
}

/** The partitions of these topics that there are, by topic and partition within each query. */
export async function queryPartitions(
  database: SqlDatabase,
  topics: readonly QueryTopic[],
): Promise<QueryPartition[]> {
  const asked = topics.map(({ queryId, topicId }) => [queryId, topicId]);
  const results = await database.batch(
    [
      statement(
        `SELECT j.value ->> 0, j.value ->> 1, t.name, t.topic_number, p.partition,
  o.committed_offset, p.log_start_offset, p.next_offset, p.size_bytes
FROM json_each(?1) j
JOIN topic t ON t.topic_id = j.value ->> 1 AND t.state = 'live'
JOIN topic_partition p ON p.topic_number = t.topic_number AND p.deleted = 0
LEFT JOIN group_offset o ON o.group_id = j.value ->> 0
  AND o.topic_number = p.topic_number AND o.partition = p.partition
ORDER BY t.name, p.partition`,
        JSON.stringify(asked),
      ),
    ],
    "read",
  );
  return rowsOf(results, 0).map((row) => ({
    queryId: textAt(row, 0),
    topicId: textAt(row, 1),
    topic: textAt(row, 2),
    topicNumber: numberAt(row, 3),
    partition: numberAt(row, 4),
    committedOffset: numberOrNullAt(row, 5),
    logStartOffset: numberAt(row, 6),
    highOffset: numberAt(row, 7),
    sizeBytes: numberAt(row, 8),
  }));
}
