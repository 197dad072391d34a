/**
 * Ends of partitions that moved other than by a publish: log starts that were raised, logs that
 * were cut. Each such change takes the next `ends_version` of the namespace, and the row keeps it,
 * so that the change counter tells of it and the rows are found by an index. Publishes pay nothing:
 * they never write that column.
 */
import { type PartitionState, stateColumns, stateFromRow } from "./log-index.ts";
import type { SqlDatabase } from "./sql-database.ts";
import { numberAt, rowsOf, statement } from "./sql-values.ts";

/** What a statement sets `ends_version` of the rows to whose ends it moves. */
export const nextEndsVersion = "(SELECT n.ends_version + 1 FROM namespace n WHERE n.id = 1)";

/** Follows such a statement in the same batch. */
export const raiseEndsVersion = `UPDATE namespace SET ends_version = max(ends_version,
  coalesce((SELECT max(p.ends_version) FROM topic_partition p WHERE p.ends_version > 0), 0))
WHERE id = 1`;

/** Where a walk through moved partitions stands; begin with partition −1 of a version. */
export interface EndsPlace {
  readonly endsVersion: number;
  readonly topicNumber: number;
  readonly partition: number;
}

/** Partitions whose ends moved behind `after`, as they are now, in the order in which they did. */
export async function movedEnds(
  database: SqlDatabase,
  { after, limit }: { readonly after: EndsPlace; readonly limit: number },
): Promise<{ readonly states: readonly PartitionState[]; readonly last: EndsPlace | null }> {
  const results = await database.batch(
    [
      statement(
        `SELECT ${stateColumns}, p.ends_version FROM topic_partition p
WHERE p.ends_version > 0 AND p.deleted = 0
  AND (p.ends_version, p.topic_number, p.partition) > (?1, ?2, ?3)
ORDER BY p.ends_version, p.topic_number, p.partition LIMIT ?4`,
        ...[after.endsVersion, after.topicNumber, after.partition, limit],
      ),
    ],
    "read",
  );
  const rows = rowsOf(results, 0);
  const states = rows.map(stateFromRow);
  const row = rows.at(-1);
  const state = states.at(-1);
  if (row === undefined || state === undefined) return { states, last: null };
  const { topicNumber, partition } = state;
  return { states, last: { endsVersion: numberAt(row, 6), topicNumber, partition } };
}
