import type { SqlDatabase, SqlResult, SqlStatement } from "../../meta/sql-database.ts";
import { HranaError, pipelineBody, pipelineResults, refusalError } from "./hrana.ts";
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
  readonly #pipelineUrl: string;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #timeoutMs: number;
  readonly #waiting: (() => void)[] = [];
  #requests = 0;
  #isClosed = false;

  constructor({ url, authToken, timeoutMs }: LibsqlServerOptions) {
    const { protocol, host, pathname } = new URL(url);
    this.description = `${protocol}//${host}${pathname === "/" ? "" : pathname}`;
    const base = new URL(url.replace(/^libsql:/, "https:"));
    this.#pipelineUrl = new URL("v2/pipeline", `${base.origin}${base.pathname}`).href;
    this.#headers = {
      "Content-Type": "application/json",
      ...(authToken === null ? {} : { Authorization: `Bearer ${authToken}` }),
    };
    this.#timeoutMs = timeoutMs;
  }

  async batch(statements: readonly SqlStatement[], mode: "read" | "write"): Promise<SqlResult[]> {
    try {
      if (this.#isClosed) throw new HranaError("HRANA_CLOSED_ERROR", "The client is closed");
      const body = pipelineBody(statements, mode);
      await this.#takeTurn();
      try {
        return pipelineResults(await this.#ask(body), statements.length);
      } finally {
        this.#passTurn();
      }
    } catch (error) {
      throw metadataError(error, this.description);
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true;
  }

  async #takeTurn(): Promise<void> {
    if (this.#requests < requestsMax) this.#requests += 1;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  /** To whoever waits longest. */
  #passTurn(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#requests -= 1;
    else next();
  }

  /**
   * The whole answer, or an error when it takes longer. No timer stays behind: each would keep a
   * Durable Object awake until it fired.
   */
  async #ask(body: string): Promise<string> {
    const late = new AbortController();
    const timer = timers.after(this.#timeoutMs, () => {
      late.abort(new DOMException(`No answer came within ${this.#timeoutMs} ms`, "TimeoutError"));
    });
    try {
      const response = await fetch(this.#pipelineUrl, {
        method: "POST",
        headers: this.#headers,
        body,
        signal: late.signal,
      });
      const answer = await response.text();
      if (!response.ok) throw refusalError(response.status, answer);
      return answer;
    } finally {
      timer.cancel();
    }
  }
}
