import {
  type Client,
  createClient,
  type InValue,
  LibsqlBatchError,
  LibsqlError,
} from "@libsql/client/web";
import type { SqlDatabase, SqlResult, SqlStatement, SqlValue } from "../../meta/sql-database.ts";
import { metadataError } from "./libsql-errors.ts";
import { timers } from "./platform.ts";

export interface LibsqlServerOptions {
  /** `http:`, `https:` or `libsql:` (TLS) URL of a libSQL server. */
  readonly url: string;
  readonly authToken: string | null;
  /** How long one request may take before its outcome counts as unknown, milliseconds. */
  readonly timeoutMs: number;
}

/** Requests under way at most; others wait for one to end. */
const requestsMax = 64;

/** A libSQL server over HTTP: one request per batch. Opens nothing until the first batch. */
export function openLibsqlServer(options: LibsqlServerOptions): SqlDatabase {
  return new LibsqlServer(options);
}

class LibsqlServer implements SqlDatabase {
  readonly description: string;
  readonly #client: Client;

  constructor({ url, authToken, timeoutMs }: LibsqlServerOptions) {
    const { protocol, host, pathname } = new URL(url);
    this.description = `${protocol}//${host}${pathname === "/" ? "" : pathname}`;
    this.#client = createClient({
      url,
      intMode: "number",
      concurrency: requestsMax,
      ...(authToken === null ? {} : { authToken }),
      fetch: (request: Request) => answerTo(request, timeoutMs),
    });
  }

  async batch(statements: readonly SqlStatement[], mode: "read" | "write"): Promise<SqlResult[]> {
    try {
      const results = await this.#client.batch(statements.map(asked), mode);
      return results.map(({ rows, rowsAffected }) => {
        return { rows: rows.map((row) => Array.from(row, toSqlValue)), rowsAffected };
      });
    } catch (error) {
      throw metadataError(withCodeOnce(error), this.description);
    }
  }

  async close(): Promise<void> {
    this.#client.close();
  }
}

/**
 * The answer when all of it is here, or an error when that takes longer. No timer stays behind:
 * each would keep a Durable Object awake until it fired.
 */
async function answerTo(request: Request, timeoutMs: number): Promise<Response> {
  const late = new AbortController();
  const timer = timers.after(timeoutMs, () => {
    late.abort(new DOMException(`No answer came within ${timeoutMs} ms`, "TimeoutError"));
  });
  try {
    const response = await fetch(request, { signal: late.signal });
    if (!response.ok) throw refusalError(response.status, await response.text());
    const answer: unknown = await response.json();
    // The client asks for nothing else of an answer.
    return Object.assign(response, { json: async () => answer });
  } finally {
    timer.cancel();
  }
}

/** Of a failed statement the client says `SQLITE_BUSY: SQLITE_BUSY: …`. */
function withCodeOnce(error: unknown): unknown {
  if (!(error instanceof LibsqlBatchError && error.cause instanceof Error)) return error;
  return new LibsqlError(error.cause.message, error.code);
}

/** What a server says of itself in place of an answer: its status, and why. */
function refusalError(status: number, body: string): LibsqlError {
  const what = `Server returned HTTP status ${status}`;
  try {
    const { message, code } = JSON.parse(body) as { message?: unknown; code?: unknown };
    if (typeof message !== "string") return new LibsqlError(what, "SERVER_ERROR");
    return new LibsqlError(`${what}: ${message}`, typeof code === "string" ? code : "UNKNOWN");
  } catch {
    const text = body.trim();
    return new LibsqlError(text === "" ? what : `${what}: ${text.slice(0, 500)}`, "SERVER_ERROR");
  }
}

/**
 * A text that is no primitive stays in its statement. Of others the client stores each at the
 * server for this one request, which is a request more within it and an answer more to read.
 */
function asked({ sql, args }: SqlStatement): { sql: string; args: InValue[] } {
  return { sql: Object(sql), args: args.map(bindable) };
}

/** The client sends every JavaScript number as a float; whole ones are integers in our schema. */
function bindable(value: SqlValue): InValue {
  return typeof value === "number" && Number.isInteger(value) ? BigInt(value) : value;
}

function toSqlValue(value: unknown): SqlValue {
  return value instanceof ArrayBuffer ? new Uint8Array(value) : (value as SqlValue);
}
