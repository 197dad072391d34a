/**
 * Taking index rows away: by raising a partition's log start (DeleteRecords, retention, deletion of
 * a topic), after which rows wholly below it go in slices; or by cutting rows whose bytes a power
 * loss took. An object's count of live rows falls with them; at zero it is released, and the
 * collector deletes it after its grace.
 */
import { StreamError } from "../base/stream-error.ts";
import type { PartitionRef } from "./log-index.ts";
import type { SqlDatabase, SqlStatement } from "./sql-database.ts";
import { databaseNow, numberAt, rowsOf, statement } from "./sql-values.ts";

const ofPartition = "topic_number = ?1 AND partition = ?2";

/** Rows wholly below the log start, at most ?3 of them. */
const belowStart = `x.topic_number = ?1 AND x.partition = ?2
  AND x.base_offset < (SELECT log_start_offset FROM topic_partition WHERE ${ofPartition})
  AND x.last_offset < (SELECT log_start_offset FROM topic_partition WHERE ${ofPartition})
  AND x.base_offset < coalesce((SELECT base_offset FROM extent WHERE ${ofPartition}
    ORDER BY base_offset LIMIT 1 OFFSET ?3), 9007199254740991)`;

/** Rows from ?3 on. */
const fromOffset = "x.topic_number = ?1 AND x.partition = ?2 AND x.base_offset >= ?3";

/** Deletes the rows of a range and uncounts them; the last statement gives their number. */
function dropRows(range: string, args: readonly [number, number, number]): SqlStatement[] {
  return [
    statement(
      `UPDATE object SET live_rows = object.live_rows - v.row_count,
  released_at = CASE WHEN object.live_rows = v.row_count THEN ${databaseNow} END
FROM (SELECT x.object_id, count(*) AS row_count FROM extent x WHERE ${range}
  GROUP BY x.object_id) v
WHERE object.object_id = v.object_id`,
      ...args,
    ),
    statement(
      `UPDATE topic_partition SET size_bytes = size_bytes
  - (SELECT coalesce(sum(x.length), 0) FROM extent x WHERE ${range})
WHERE ${ofPartition}`,
      ...args,
    ),
    statement(`DELETE FROM extent AS x WHERE ${range}`, ...args),
    statement("SELECT changes()"),
  ];
}

/**
 * Makes `beforeOffset` (-1: the end of the partition) the log start unless it is further already,
 * and returns the log start. Rows go with `releaseSlice`.
 * Errors: `partition_unknown`, `offset_out_of_range` when it is past the end.
 */
export async function deleteRecords(
  database: SqlDatabase,
  options: PartitionRef & { readonly beforeOffset: number },
): Promise<number> {
  const { topicNumber, partition, beforeOffset } = options;
  const results = await database.batch(
    [
      statement(
        `UPDATE topic_partition SET log_start_offset =
  max(log_start_offset, CASE WHEN ?3 = -1 THEN next_offset ELSE ?3 END)
WHERE ${ofPartition} AND deleted = 0 AND ?3 BETWEEN -1 AND next_offset`,
        ...[topicNumber, partition, beforeOffset],
      ),
      statement(
        `SELECT log_start_offset, next_offset FROM topic_partition
WHERE ${ofPartition} AND deleted = 0`,
        ...[topicNumber, partition],
      ),
    ],
    "write",
  );
  const row = rowsOf(results, 1)[0];
  if (row === undefined) throw unknownPartition(partition);
  const nextOffset = numberAt(row, 1);
  if (beforeOffset < -1 || beforeOffset > nextOffset) {
    throw new StreamError(
      "offset_out_of_range",
      `Cannot delete records of partition ${partition} before offset ${beforeOffset}: it ends at ` +
        `${nextOffset}`,
    );
  }
  return numberAt(row, 0);
}

/** Removes index rows below log starts. Returns how many went; 0: nothing is left to do. */
export async function releaseSlice(
  database: SqlDatabase,
  options: { readonly limitPartitions: number; readonly limitRows: number },
): Promise<number> {
  const found = await database.batch(
    [
      statement(
        `SELECT p.topic_number, p.partition FROM topic_partition p
WHERE p.log_start_offset > 0 AND p.log_start_offset > (SELECT e.last_offset FROM extent e
  WHERE e.topic_number = p.topic_number AND e.partition = p.partition
  ORDER BY e.base_offset LIMIT 1) LIMIT ?1`,
        options.limitPartitions,
      ),
    ],
    "read",
  );
  let released = 0;
  for (const row of rowsOf(found, 0)) {
    const range = [numberAt(row, 0), numberAt(row, 1), options.limitRows] as const;
    const results = await database.batch(dropRows(belowStart, range), "write");
    released += numberAt(rowsOf(results, 3)[0], 0);
  }
  return released;
}

/**
 * Cuts a partition at `offset`, the base offset of an index row: that row and all after it are
 * gone with their bytes. The leader epoch goes up, so that consumers notice; producers of the
 * partition may start anywhere, since a remembered duplicate could be one of the lost records.
 * Errors: `partition_unknown`, `invalid_request` when `offset` lies within a row.
 */
export async function cutLost(
  database: SqlDatabase,
  options: PartitionRef & { readonly offset: number },
): Promise<{ readonly leaderEpoch: number; readonly lostCount: number }> {
  const { topicNumber, partition, offset } = options;
  const range = [topicNumber, partition, offset] as const;
  const [state, within] = await readForCut(database, range);
  if (state === undefined) throw unknownPartition(partition);
  if (within) {
    throw new StreamError(
      "invalid_request",
      `Cannot cut partition ${partition} at offset ${offset}: it is not where an index row begins`,
    );
  }
  const cuts = "deleted = 0 AND next_offset > ?3";
  const results = await database.batch(
    [
      ...dropRows(fromOffset, range),
      statement(
        `INSERT INTO leader_epoch (topic_number, partition, leader_epoch, start_offset)
SELECT topic_number, partition, leader_epoch + 1, ?3 FROM topic_partition
WHERE ${ofPartition} AND ${cuts}`,
        ...range,
      ),
      statement(
        `DELETE FROM producer WHERE ${ofPartition}
  AND EXISTS (SELECT 1 FROM topic_partition WHERE ${ofPartition} AND ${cuts})`,
        ...range,
      ),
      statement(
        `DELETE FROM http_producer WHERE topic_number = ?1
  AND EXISTS (SELECT 1 FROM topic_partition WHERE ${ofPartition} AND ${cuts})`,
        ...range,
      ),
      statement(
        `UPDATE topic_partition SET leader_epoch = leader_epoch + 1, next_offset = ?3,
  log_start_offset = min(log_start_offset, ?3)
WHERE ${ofPartition} AND ${cuts}`,
        ...range,
      ),
      statement(
        `SELECT leader_epoch FROM topic_partition WHERE ${ofPartition}`,
        topicNumber,
        partition,
      ),
    ],
    "write",
  );
  return {
    leaderEpoch: numberAt(rowsOf(results, 8)[0], 0),
    lostCount: Math.max(0, numberAt(state, 0) - offset),
  };
}

async function readForCut(database: SqlDatabase, range: readonly [number, number, number]) {
  const results = await database.batch(
    [
      statement(
        `SELECT next_offset FROM topic_partition WHERE ${ofPartition} AND deleted = 0`,
        ...range.slice(0, 2),
      ),
      statement(
        `SELECT count(*) FROM extent
WHERE ${ofPartition} AND base_offset < ?3 AND last_offset >= ?3`,
        ...range,
      ),
    ],
    "read",
  );
  return [rowsOf(results, 0)[0], numberAt(rowsOf(results, 1)[0], 0) > 0] as const;
}

/**
 * Finishes deleted topics whose index rows are all gone, at most `limitTopics`: what is left of
 * them is removed. Returns how many were finished.
 */
export async function forgetDeletedTopics(
  database: SqlDatabase,
  limitTopics: number,
): Promise<number> {
  const found = await database.batch(
    [
      statement(
        `SELECT t.topic_number FROM topic t WHERE t.state = 'deleting'
  AND NOT EXISTS (SELECT 1 FROM extent e WHERE e.topic_number = t.topic_number) LIMIT ?1`,
        limitTopics,
      ),
    ],
    "read",
  );
  const topics = rowsOf(found, 0).map((row) => numberAt(row, 0));
  for (const topicNumber of topics) {
    await database.batch(
      ["group_offset", "producer", "http_producer", "leader_epoch", "topic_partition", "topic"].map(
        (table) => statement(`DELETE FROM ${table} WHERE topic_number = ?1`, topicNumber),
      ),
      "write",
    );
  }
  return topics.length;
}

function unknownPartition(partition: number): StreamError {
  return new StreamError(
    "partition_unknown",
    `Cannot change partition ${partition}: it does not exist`,
  );
}
