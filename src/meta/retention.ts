import { nextEndsVersion, raiseEndsVersion } from "./ends.ts";
import type { SqlDatabase } from "./sql-database.ts";
import { databaseNow, numberAt, rowsOf, statement } from "./sql-values.ts";

export interface RetentionRule {
  readonly topicNumber: number;
  /** Rows whose newest record is older go; -1: for ever. */
  readonly retentionMs: number;
  /** Oldest rows go while at least this many bytes remain without them; -1: no limit. */
  readonly retentionBytes: number;
}

/** Records without timestamps age from their publish. */
const age = `${databaseNow} - CASE WHEN e.max_timestamp < 0 THEN e.published_at
    ELSE e.max_timestamp END`;

const oldest = `(SELECT %s FROM extent e WHERE e.topic_number = p.topic_number
    AND e.partition = p.partition AND e.last_offset >= p.log_start_offset
    ORDER BY e.base_offset LIMIT 1)`;

/** ?1 topicNumber, ?2 retentionMs, ?3 retentionBytes. */
const due = `p.topic_number = ?1 AND p.deleted = 0 AND p.next_offset > p.log_start_offset
  AND ((?2 >= 0 AND ${oldest.replace("%s", age)} > ?2)
    OR (?3 >= 0 AND p.size_bytes - ${oldest.replace("%s", "e.length")} >= ?3))`;

/**
 * The first of at most ?4 rows that stays, or the offset after them when all go. Only leading rows
 * go: a row that is young keeps what follows it, as Kafka's segments do.
 */
const newStart = `(SELECT coalesce(
    min(CASE WHEN NOT (d.too_old OR d.too_much) THEN d.base_offset END),
    max(d.last_offset) + 1)
  FROM (
    SELECT e.base_offset, e.last_offset, ?2 >= 0 AND ${age} > ?2 AS too_old,
      ?3 >= 0 AND topic_partition.size_bytes - sum(e.length) OVER (ORDER BY e.base_offset) >= ?3
        AS too_much
    FROM (SELECT * FROM extent x
      WHERE x.topic_number = ?1 AND x.partition = topic_partition.partition
        AND x.last_offset >= topic_partition.log_start_offset
      ORDER BY x.base_offset LIMIT ?4) e
  ) d)`;

/**
 * Raises the log starts of one topic's partitions as far as its rule says, looking at no more than
 * `limitRows` rows of at most `limitPartitions` partitions. Rows go with `releaseSlice`
 * (release.ts); run that first, since rows below the log start count here as bytes. Returns how
 * many partitions changed; call again until it is 0.
 */
export async function applyRetention(
  database: SqlDatabase,
  rule: RetentionRule,
  limits: { readonly limitPartitions: number; readonly limitRows: number },
): Promise<number> {
  const { topicNumber, retentionMs, retentionBytes } = rule;
  const results = await database.batch(
    [
      statement(
        `UPDATE topic_partition SET ends_version = ${nextEndsVersion},
  log_start_offset = max(log_start_offset, ${newStart})
WHERE topic_number = ?1 AND partition IN (
  SELECT p.partition FROM topic_partition p WHERE ${due} ORDER BY p.partition LIMIT ?5)`,
        ...[topicNumber, retentionMs, retentionBytes],
        ...[limits.limitRows, limits.limitPartitions],
      ),
      statement("SELECT changes()"),
      statement(raiseEndsVersion),
    ],
    "write",
  );
  return numberAt(rowsOf(results, 1)[0], 0);
}
