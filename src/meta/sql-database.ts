/**
 * The metadata database as `meta/` needs it: batches of statements, each batch one transaction and
 * one round trip. `runtime/` implements it: an embedded file of `libsql` behind a thread, or a
 * libSQL server over HTTP, by `@libsql/client/web`.
 */
export type SqlValue = null | string | number | Uint8Array;

export interface SqlStatement {
  readonly sql: string;
  readonly args: readonly SqlValue[];
}

export interface SqlResult {
  readonly rows: readonly (readonly SqlValue[])[];
  readonly rowsAffected: number;
}

export interface SqlDatabase {
  /** For start-up lines and errors; holds no secret. */
  readonly description: string;
  /**
   * Runs the statements in order in one transaction (`write`: BEGIN IMMEDIATE) and returns a result
   * each. All or nothing. Errors: `metadata_unavailable` when it is unknown whether it was carried
   * out (a lost reply) or it was not; every batch in this project is therefore safe to send again.
   * Integers outside ±2^53 are an error.
   */
  batch(statements: readonly SqlStatement[], mode: "read" | "write"): Promise<SqlResult[]>;
  close(): Promise<void>;
}
