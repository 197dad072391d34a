/** How much of the log a read that ends has before it: EXPLAIN tells it, progress is out of it. */
import type { PartitionRef } from "./log-index.ts";
import type { SqlDatabase } from "./sql-database.ts";
import { numberAt, rowsOf, statement } from "./sql-values.ts";

/** Offsets of a partition from `fromOffset` on and below `toOffset`; null: to its end. */
export interface OffsetSpan extends PartitionRef {
  readonly fromOffset: number;
  readonly toOffset: number | null;
}

export interface ScanSize {
  readonly objectCount: number;
  /** Of the batches that the index rows point to, as stored; rows are read as a whole. */
  readonly bytes: number;
}

export async function scanSize(
  database: SqlDatabase,
  spans: readonly OffsetSpan[],
): Promise<ScanSize> {
  const found = spans.map(({ topicNumber, partition, fromOffset, toOffset }) => [
    ...[topicNumber, partition, fromOffset, toOffset ?? Number.MAX_SAFE_INTEGER],
  ]);
  const results = await database.batch(
    [
      statement(
        `SELECT count(DISTINCT e.object_id), coalesce(sum(e.length), 0)
FROM json_each(?1) j JOIN extent e
ON e.topic_number = json_extract(j.value, '$[0]') AND e.partition = json_extract(j.value, '$[1]')
  AND e.base_offset < json_extract(j.value, '$[3]')
WHERE e.last_offset >= json_extract(j.value, '$[2]')`,
        JSON.stringify(found),
      ),
    ],
    "read",
  );
  const row = rowsOf(results, 0)[0];
  return { objectCount: numberAt(row, 0), bytes: numberAt(row, 1) };
}
