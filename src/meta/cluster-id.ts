import { StreamError } from "../base/stream-error.ts";
import type { SqlDatabase } from "./sql-database.ts";
import { rowsOf, statement } from "./sql-values.ts";

/** The namespace's identity, drawn once by the database: 22 characters, as Kafka's cluster ids. */
export async function readClusterId(database: SqlDatabase): Promise<string> {
  const results = await database.batch(
    [statement("SELECT cluster_id FROM namespace WHERE id = 1")],
    "read",
  );
  const bytes = rowsOf(results, 0)[0]?.[0];
  if (bytes instanceof Uint8Array) {
    return bytes.toBase64({ alphabet: "base64url", omitPadding: true });
  }
  throw new StreamError("corrupt_metadata", "The metadata has no cluster id: restore a backup");
}
