import type { PublishRequest, PublishResult } from "./publish-request.ts";
import type { SqlDatabase } from "./sql-database.ts";

/**
 * Publishes segments in the order given, all in one database batch; each has a publishPosition and
 * a receipt of its own. Safe to send again: what was published answers with its stored receipt.
 * Errors: `metadata_unavailable` when it is unknown whether anything happened; send the same again.
 */
export declare function publish(
  database: SqlDatabase,
  requests: readonly PublishRequest[],
): Promise<PublishResult[]>;
