/**
 * What the event loop and the metadata thread say to each other. Texts of statements travel once
 * and are numbered after; each batch is one message there and one back.
 */
import { type ErrorCode, StreamError } from "../../base/stream-error.ts";
import type { SqlResult, SqlValue } from "../../meta/sql-database.ts";
import type { LibsqlConnectionOptions } from "./libsql-connection.ts";

export type ThreadRequest =
  | { readonly kind: "open"; readonly id: number; readonly options: LibsqlConnectionOptions }
  | {
      readonly kind: "batch";
      readonly id: number;
      readonly mode: "read" | "write";
      /** Texts that this message numbers, from the next free number on. */
      readonly texts: readonly string[];
      readonly statements: readonly (readonly [text: number, args: readonly SqlValue[]])[];
    }
  | { readonly kind: "close"; readonly id: number };

/** An error as it crosses the thread: a structured clone would lose its class and code. */
export interface ThreadError {
  readonly message: string;
  readonly code: ErrorCode | null;
  readonly details: StreamError["details"];
}

export interface ThreadReply {
  readonly id: number;
  readonly results: SqlResult[] | null;
  readonly error: ThreadError | null;
  /** The connection is lost: this thread is of no more use. */
  readonly isBroken: boolean;
}

export function toThreadError(error: unknown): ThreadError {
  if (error instanceof StreamError) {
    return { message: error.message, code: error.code, details: error.details };
  }
  const message = error instanceof Error ? error.message : String(error);
  return { message, code: null, details: {} };
}

export function fromThreadError({ message, code, details }: ThreadError): Error {
  return code === null ? new Error(message) : new StreamError(code, message, { details });
}
