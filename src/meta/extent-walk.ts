/** Every index row in order: for tools that compare the whole index with the store. */
import { type Extent, extentColumns, extentFromRow, type PartitionState } from "./log-index.ts";
import type { SqlDatabase } from "./sql-database.ts";
import { numberAt, rowsOf, statement, textAt } from "./sql-values.ts";

const rowsPerRead = 1_000;

/** Index rows by topic, partition and offset; `key` restricts them to one object. */
export async function* walkExtents(
  database: SqlDatabase,
  options: { readonly key?: string } = {},
): AsyncGenerator<Extent, void> {
  let after: readonly [number, number, number] = [-1, -1, -1];
  for (;;) {
    const results = await database.batch(
      [
        statement(
          `SELECT ${extentColumns} FROM extent e JOIN object o ON o.object_id = e.object_id
WHERE (e.topic_number, e.partition, e.base_offset) > (?1, ?2, ?3) AND (?4 IS NULL OR o.key = ?4)
ORDER BY e.topic_number, e.partition, e.base_offset LIMIT ?5`,
          ...[...after, options.key ?? null, rowsPerRead],
        ),
      ],
      "read",
    );
    const extents = rowsOf(results, 0).map(extentFromRow);
    yield* extents;
    const last = extents.at(-1);
    if (last === undefined || extents.length < rowsPerRead) return;
    after = [last.topicNumber, last.partition, last.baseOffset];
  }
}

export interface WalkedPartition extends Omit<PartitionState, "sizeBytes"> {
  readonly topic: string;
}

/** Every partition of live topics, in the order in which `walkExtents` comes to them. */
export async function livePartitions(database: SqlDatabase): Promise<WalkedPartition[]> {
  const results = await database.batch(
    [
      statement(
        `SELECT p.topic_number, p.partition, p.next_offset, p.log_start_offset, p.leader_epoch,
  t.name FROM topic_partition p JOIN topic t ON t.topic_number = p.topic_number
WHERE p.deleted = 0 AND t.state = 'live' ORDER BY p.topic_number, p.partition`,
      ),
    ],
    "read",
  );
  return rowsOf(results, 0).map((row) => ({
    topicNumber: numberAt(row, 0),
    partition: numberAt(row, 1),
    nextOffset: numberAt(row, 2),
    logStartOffset: numberAt(row, 3),
    leaderEpoch: numberAt(row, 4),
    topic: textAt(row, 5),
  }));
}
