/**
 * Taking index rows away by raising a partition's log start (DeleteRecords, retention, deletion of
 * a topic), after which rows wholly below it go in slices. An object's count of live rows falls
 * with them; at zero it is released, and the collector deletes it after its grace.
 */
import { StreamError } from "../base/stream-error.ts";
import { nextEndsVersion, raiseEndsVersion } from "./ends.ts";
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
        `UPDATE topic_partition SET ends_version = ${nextEndsVersion},
  log_start_offset = CASE WHEN ?3 = -1 THEN next_offset ELSE ?3 END
WHERE ${ofPartition} AND deleted = 0 AND ?3 BETWEEN -1 AND next_offset
  AND log_start_offset < CASE WHEN ?3 = -1 THEN next_offset ELSE ?3 END`,
        ...[topicNumber, partition, beforeOffset],
      ),
      statement(raiseEndsVersion),
      statement(
        `SELECT log_start_offset, next_offset FROM topic_partition
WHERE ${ofPartition} AND deleted = 0`,
        ...[topicNumber, partition],
      ),
    ],
    "write",
  );
  const row = rowsOf(results, 2)[0];
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
