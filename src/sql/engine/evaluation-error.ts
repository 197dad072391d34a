/** The reason that a row's expression failed, as it is told to people. */
import type { StreamError } from "../../base/stream-error.ts";

/** SQLite's message alone: which statement it was says nothing about the row. */
export function reasonOf(error: StreamError): string {
  const { reason } = error.details;
  return typeof reason === "string" ? reason : error.message;
}
