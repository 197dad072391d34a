import { type Client, createClient, type InValue } from "@libsql/client/http";
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

/** A libSQL server over HTTP: one request per batch. Opens nothing until the first batch. */
export function openLibsqlServer(options: LibsqlServerOptions): SqlDatabase {
  return new LibsqlServer(options);
}

class LibsqlServer implements SqlDatabase {
  readonly description: string;
  readonly #options: LibsqlServerOptions;
  #client: Client;

  constructor(options: LibsqlServerOptions) {
    this.#options = options;
    this.description = withoutSecrets(options.url);
    this.#client = connect(options);
  }

  async batch(statements: readonly SqlStatement[], mode: "read" | "write"): Promise<SqlResult[]> {
    const bound = statements.map(({ sql, args }) => ({ sql, args: args.map(bindable) }));
    const client = this.#client;
    try {
      const results = await client.batch(bound, mode);
      return results.map(({ rows, rowsAffected }) => {
        return { rows: rows.map((row) => Array.from(row, toSqlValue)), rowsAffected };
      });
    } catch (error) {
      // The client remembers the protocol version that it found, also when finding it failed.
      if (this.#client === client && !client.closed) this.#client = connect(this.#options);
      throw metadataError(error, this.description);
    }
  }

  async close(): Promise<void> {
    this.#client.close();
  }
}

function connect({ url, authToken, timeoutMs }: LibsqlServerOptions): Client {
  return createClient({
    url,
    intMode: "number",
    concurrency: 64,
    ...(authToken === null ? {} : { authToken }),
    fetch: (request: Request) => fetchWithin(request, timeoutMs),
  });
}

/**
 * The whole answer, or an error when it takes longer. No timer stays behind: each would keep a
 * Durable Object awake until it fired.
 */
async function fetchWithin(request: Request, timeoutMs: number): Promise<Response> {
  const late = new AbortController();
  const timer = timers.after(timeoutMs, () => {
    late.abort(new DOMException(`No answer came within ${timeoutMs} ms`, "TimeoutError"));
  });
  try {
    const { body, status, headers } = await fetch(request, { signal: late.signal });
    const bytes = await new Response(body).arrayBuffer();
    return new Response(status === 204 ? null : bytes, { status, headers });
  } finally {
    timer.cancel();
  }
}

function withoutSecrets(url: string): string {
  const parsed = new URL(url);
  return `${parsed.protocol}//${parsed.host}${parsed.pathname === "/" ? "" : parsed.pathname}`;
}

/** The client sends every JavaScript number as a float; whole ones are integers in our schema. */
function bindable(value: SqlValue): InValue {
  return typeof value === "number" && Number.isInteger(value) ? BigInt(value) : value;
}

function toSqlValue(value: unknown): SqlValue {
  return value instanceof ArrayBuffer ? new Uint8Array(value) : (value as SqlValue);
}
