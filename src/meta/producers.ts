import type { SqlDatabase } from "./sql-database.ts";
import { databaseNow, numberAt, rowsOf, statement } from "./sql-values.ts";

/**
 * Takes `count` producer ids that nobody else gets; returns the first. A reply that is lost loses
 * the block, which costs nothing.
 */
export async function allocateProducerIds(database: SqlDatabase, count: number): Promise<number> {
  const results = await database.batch(
    [
      statement(
        "UPDATE namespace SET next_producer_id = next_producer_id + ?1 WHERE id = 1",
        count,
      ),
      statement("SELECT next_producer_id - ?1 FROM namespace WHERE id = 1", count),
    ],
    "write",
  );
  return numberAt(rowsOf(results, 1)[0], 0);
}

/**
 * Forgets the state of producers that published nothing for `idleMs`, at most `limitRows` of each
 * kind; a producer that comes back may then start anywhere. Returns how many were forgotten.
 */
export async function expireProducers(
  database: SqlDatabase,
  { idleMs, limitRows }: { readonly idleMs: number; readonly limitRows: number },
): Promise<number> {
  const results = await database.batch(
    [
      statement(
        `DELETE FROM producer WHERE (topic_number, partition, producer_id) IN (
  SELECT topic_number, partition, producer_id FROM producer
  WHERE updated_at < ${databaseNow} - ?1 LIMIT ?2)`,
        ...[idleMs, limitRows],
      ),
      statement("SELECT changes()"),
      statement(
        `DELETE FROM http_producer WHERE (topic_number, producer_name) IN (
  SELECT topic_number, producer_name FROM http_producer
  WHERE updated_at < ${databaseNow} - ?1 LIMIT ?2)`,
        ...[idleMs, limitRows],
      ),
      statement("SELECT changes()"),
    ],
    "write",
  );
  return numberAt(rowsOf(results, 1)[0], 0) + numberAt(rowsOf(results, 3)[0], 0);
}
