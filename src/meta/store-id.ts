import type { SqlDatabase } from "./sql-database.ts";
import { rowsOf, statement, textAt, textOrNullAt } from "./sql-values.ts";

const selectId = "SELECT store_id FROM namespace WHERE id = 1";

/** The name of the store that holds the namespace's objects; null until a worker claimed one. */
export async function readStoreId(database: SqlDatabase): Promise<string | null> {
  const results = await database.batch([statement(selectId)], "read");
  return textOrNullAt(rowsOf(results, 0)[0], 0);
}

/** Names the store, unless that is done; returns the name that holds. */
export async function claimStoreId(database: SqlDatabase, storeId: string): Promise<string> {
  const results = await database.batch(
    [
      statement("UPDATE namespace SET store_id = ?1 WHERE id = 1 AND store_id IS NULL", storeId),
      statement(selectId),
    ],
    "write",
  );
  return textAt(rowsOf(results, 1)[0], 0);
}
