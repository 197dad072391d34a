/**
 * Offsets by timestamp. Timestamps need not ascend along the offsets, so there is no row of which
 * it is known that all before it are older. But `max_so_far` of a row, the greatest timestamp up to
 * and in its publish, ascends: the first row that reaches a time is found by halving, without an
 * index of its own, and mostly it is the row itself. Where a greater time stood earlier, or in rows
 * that retention has taken since, the walk begins too early, which costs time only.
 */
import { type Extent, extentColumns, extentFromRow, type PartitionRef } from "./log-index.ts";
import type { SqlDatabase } from "./sql-database.ts";
import { numberAt, rowsOf, statement } from "./sql-values.ts";

/** Of the row that holds the offset in the middle of what is left. */
const maxInMiddle = `(SELECT x.max_so_far FROM extent x
      WHERE x.topic_number = ?1 AND x.partition = ?2 AND x.base_offset <= (s.low + s.high) / 2
      ORDER BY x.base_offset DESC LIMIT 1)`;

/**
 * ?1 topicNumber, ?2 partition, ?3 timestamp, ?4 fromOffset. `low` of the last span: no row before
 * the one that holds it reaches the timestamp. Below the first row there is nothing to compare:
 * NULL, so the search goes up.
 */
const selectForTimestamp = `WITH RECURSIVE span (low, high) AS (
  SELECT max(p.log_start_offset, ?4), p.next_offset FROM topic_partition p
  WHERE p.topic_number = ?1 AND p.partition = ?2 AND p.deleted = 0
    AND max(p.log_start_offset, ?4) < p.next_offset
  UNION ALL
  SELECT CASE WHEN ${maxInMiddle} >= ?3 THEN s.low ELSE (s.low + s.high) / 2 + 1 END,
    CASE WHEN ${maxInMiddle} >= ?3 THEN (s.low + s.high) / 2 ELSE s.high END
  FROM span s WHERE s.low < s.high
), first (low) AS MATERIALIZED (SELECT low FROM span WHERE low >= high)
SELECT ${extentColumns} FROM first f
CROSS JOIN extent e CROSS JOIN object o ON o.object_id = e.object_id
WHERE e.topic_number = ?1 AND e.partition = ?2 AND e.max_timestamp >= ?3
  AND e.base_offset >= coalesce((SELECT max(x.base_offset) FROM extent x
    WHERE x.topic_number = ?1 AND x.partition = ?2 AND x.base_offset <= f.low), 0)
  AND e.last_offset >= f.low
ORDER BY e.base_offset LIMIT 1`;

/**
 * First extent that reaches `fromOffset` and whose maxTimestamp is at or after `timestamp`, or
 * null. The caller looks inside. The extent may begin below the log start, and the record with that
 * timestamp lie there.
 */
export async function extentForTimestamp(
  database: SqlDatabase,
  options: PartitionRef & { readonly timestamp: number; readonly fromOffset: number },
): Promise<Extent | null> {
  const { topicNumber, partition, timestamp, fromOffset } = options;
  const args = [topicNumber, partition, timestamp, fromOffset];
  const results = await database.batch([statement(selectForTimestamp, ...args)], "read");
  const row = rowsOf(results, 0)[0];
  return row === undefined ? null : extentFromRow(row);
}

export interface TimestampEnd extends PartitionRef {
  /** From here on every record is later. */
  readonly endOffset: number;
}

/**
 * Where reads of records up to `timestamp` end, by partition. Rows that do not tell their least
 * time, such as those of queries' results, are read. Walks the index rows behind those ends.
 */
export async function endsForTimestamp(
  database: SqlDatabase,
  partitions: readonly PartitionRef[],
  timestamp: number,
): Promise<TimestampEnd[]> {
  const wanted = partitions.map(({ topicNumber, partition }) => [topicNumber, partition]);
  const results = await database.batch(
    [
      statement(
        `SELECT j.value ->> 0, j.value ->> 1, coalesce((SELECT e.last_offset + 1 FROM extent e
  WHERE e.topic_number = j.value ->> 0 AND e.partition = j.value ->> 1
    AND (e.min_timestamp IS NULL OR e.min_timestamp <= ?2)
  ORDER BY e.base_offset DESC LIMIT 1), 0)
FROM json_each(?1) j`,
        ...[JSON.stringify(wanted), timestamp],
      ),
    ],
    "read",
  );
  return rowsOf(results, 0).map((row) => ({
    ...{ topicNumber: numberAt(row, 0), partition: numberAt(row, 1) },
    endOffset: numberAt(row, 2),
  }));
}

/**
 * The first of the extents reaching `fromOffset` that has their greatest timestamp, or null when
 * there is none. As above, that record may lie below the log start.
 */
export async function extentOfMaxTimestamp(
  database: SqlDatabase,
  options: PartitionRef & { readonly fromOffset: number },
): Promise<Extent | null> {
  const { topicNumber, partition, fromOffset } = options;
  const results = await database.batch(
    [
      statement(
        "SELECT max_timestamp FROM topic_partition WHERE topic_number = ?1 AND partition = ?2",
        ...[topicNumber, partition],
      ),
    ],
    "read",
  );
  const row = rowsOf(results, 0)[0];
  if (row === undefined) return null;
  const found = await extentForTimestamp(database, { ...options, timestamp: numberAt(row, 0) });
  if (found !== null) return found;
  // It has gone with the log's beginning: all rows that are left must be looked at.
  const walked = await database.batch(
    [
      statement(
        `SELECT ${extentColumns} FROM topic_partition p
CROSS JOIN extent e ON e.topic_number = p.topic_number AND e.partition = p.partition
CROSS JOIN object o ON o.object_id = e.object_id
WHERE p.topic_number = ?1 AND p.partition = ?2 AND p.deleted = 0
  AND e.last_offset >= max(p.log_start_offset, ?3)
ORDER BY e.max_timestamp DESC, e.base_offset LIMIT 1`,
        ...[topicNumber, partition, fromOffset],
      ),
    ],
    "read",
  );
  const last = rowsOf(walked, 0)[0];
  return last === undefined ? null : extentFromRow(last);
}
