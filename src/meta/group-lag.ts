import type { SqlDatabase } from "./sql-database.ts";
import { numberAt, rowsOf, statement, textAt } from "./sql-values.ts";

export interface GroupLag {
  readonly groupId: string;
  readonly topic: string;
  /** Records between the committed offsets and the partitions' ends, over all partitions. */
  readonly recordCount: number;
}

/** How far consumer groups are behind, by group and topic, the furthest first, at most `limit`. */
export async function groupLags(database: SqlDatabase, limit: number): Promise<GroupLag[]> {
  const results = await database.batch(
    [
      statement(
        `SELECT g.group_id, t.name,
  sum(max(0, p.next_offset - max(g.committed_offset, p.log_start_offset))) AS lag
FROM group_offset g
JOIN topic t ON t.topic_number = g.topic_number AND t.state = 'live'
JOIN topic_partition p ON p.topic_number = g.topic_number AND p.partition = g.partition
GROUP BY g.group_id, g.topic_number ORDER BY lag DESC LIMIT ?1`,
        limit,
      ),
    ],
    "read",
  );
  return rowsOf(results, 0).map((row) => ({
    groupId: textAt(row, 0),
    topic: textAt(row, 1),
    recordCount: numberAt(row, 2),
  }));
}
