/** Walks over stored groups in pages, leaving out those that another live worker coordinates. */
import { groupLeaseKind } from "./group-store.ts";
import type { SqlDatabase, SqlResult } from "./sql-database.ts";
import { rowsOf, statement, textAt, textOrNullAt } from "./sql-values.ts";

export interface GroupPage {
  readonly workerEpoch: number;
  /** The last id of the page before; empty for the first. */
  readonly after: string;
  readonly limitRows: number;
}

export interface PagedGroup {
  readonly groupId: string;
  readonly snapshot: string | null;
}

const storedGroups = `(SELECT group_id FROM consumer_group
  UNION SELECT group_id FROM group_offset) i
LEFT JOIN consumer_group g ON g.group_id = i.group_id`;

/** Parameters: 1 the worker's own epoch, 2 the id after which the page begins. */
const ledNowhereElse = `i.group_id > ?2 AND NOT EXISTS (SELECT 1 FROM lease l
  JOIN worker w ON w.worker_epoch = l.worker_epoch AND w.closed = 0
  WHERE l.kind = '${groupLeaseKind}' AND l.name = i.group_id AND l.worker_epoch <> ?1)`;

/** What a query shows as its position stays as long as the query, however quiet its topics are. */
const isNoQuery = "NOT EXISTS (SELECT 1 FROM query q WHERE q.query_id = i.group_id)";

/** Groups that have a snapshot or committed offsets, by id. */
export async function pageOfGroups(database: SqlDatabase, page: GroupPage): Promise<PagedGroup[]> {
  const results = await database.batch(
    [
      statement(
        `SELECT i.group_id, g.snapshot FROM ${storedGroups}
WHERE ${ledNowhereElse} ORDER BY i.group_id LIMIT ?3`,
        ...[page.workerEpoch, page.after, page.limitRows],
      ),
    ],
    "read",
  );
  return groupsFrom(results);
}

/**
 * Groups with an offset committed at or before `committedBefore` (milliseconds since 1970), and
 * groups without offsets, by id.
 */
export async function pageOfExpirableGroups(
  database: SqlDatabase,
  page: GroupPage & { readonly committedBefore: number },
): Promise<PagedGroup[]> {
  const results = await database.batch(
    [
      statement(
        `SELECT i.group_id, g.snapshot FROM ${storedGroups}
WHERE ${ledNowhereElse} AND ${isNoQuery} AND (
  EXISTS (SELECT 1 FROM group_offset o WHERE o.group_id = i.group_id AND o.committed_at <= ?4)
  OR NOT EXISTS (SELECT 1 FROM group_offset o WHERE o.group_id = i.group_id))
ORDER BY i.group_id LIMIT ?3`,
        ...[page.workerEpoch, page.after, page.limitRows, page.committedBefore],
      ),
    ],
    "read",
  );
  return groupsFrom(results);
}

function groupsFrom(results: readonly SqlResult[]): PagedGroup[] {
  return rowsOf(results, 0).map((row) => {
    return { groupId: textAt(row, 0), snapshot: textOrNullAt(row, 1) };
  });
}
