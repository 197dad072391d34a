/** Sums of decimals that have outgrown every DECIMAL. */
import { StreamError } from "../../base/stream-error.ts";
import type { StateResult } from "../kernel/state.ts";

/**
 * A sum beyond 128 bits has no value to go on with: the query stops rather than being wrong.
 * @throws StreamError `sql_evaluation_failed`
 */
export function refuseOverflow(result: StateResult): void {
  if (result.overflowRow === null) return;
  throw new StreamError(
    "sql_evaluation_failed",
    "Cannot go on: a SUM of DECIMAL values has more than 38 digits; cast its argument to DOUBLE",
    { details: { reason: "a SUM of DECIMAL values has more than 38 digits" } },
  );
}
