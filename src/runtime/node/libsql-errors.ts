import { StreamError } from "../../base/stream-error.ts";

/** What `libsql` and @libsql/client throw: the name of the failure, mostly SQLite's, in `code`. */
export interface SqlError extends Error {
  readonly code: string;
}

export function isSqlError(error: unknown): error is SqlError {
  return error instanceof Error && "code" in error && typeof error.code === "string";
}

/** Failures of one statement, which the same batch would meet again: ours to mend. */
const ownFault = /^(SQLITE_(CONSTRAINT|ERROR|MISMATCH|MISUSE|RANGE|TOOBIG|AUTH|SCHEMA)|ARGS_|SQL_)/;
const broken = /^SQLITE_(CORRUPT|NOTADB|FORMAT)/;

/** Turns any failure of a batch into the error that SqlDatabase promises. */
export function metadataError(error: unknown, description: string): Error {
  if (error instanceof StreamError || error instanceof RangeError) return error;
  if (!(error instanceof Error)) return unavailable(new Error(String(error)), description);
  const code = isSqlError(error) ? error.code : "";
  if (ownFault.test(code)) {
    return new Error(`Metadata ${description} refused a statement: ${error.message}`, {
      cause: error,
    });
  }
  if (broken.test(code)) {
    return new StreamError(
      "corrupt_metadata",
      `Cannot use metadata ${description}: ${error.message}. Restore it from a backup.`,
      { cause: error },
    );
  }
  if (/HTTP status 40[13]/.test(error.message)) {
    return new StreamError(
      "unauthenticated",
      `Metadata ${description} refused the token: ${error.message}. Set MILLRACE_METADATA_TOKEN.`,
      { cause: error },
    );
  }
  return unavailable(error, description);
}

function unavailable(error: Error, description: string): StreamError {
  return new StreamError(
    "metadata_unavailable",
    `Metadata ${description} did not answer: ${error.message}`,
    { cause: error },
  );
}
