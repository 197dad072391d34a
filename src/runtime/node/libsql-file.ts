import { StreamError } from "../../base/stream-error.ts";
import type { SqlDatabase, SqlResult, SqlStatement } from "../../meta/sql-database.ts";
import { fromThreadError, type ThreadReply, type ThreadRequest } from "./libsql-thread.ts";
import { threadFile } from "./thread-files.ts";

export interface LibsqlFileOptions {
  /** File path; created when missing, its folder must exist. */
  readonly path: string;
  /** True: what was published survives power loss. */
  readonly fsync: boolean;
}

interface Waiting {
  readonly resolve: (results: SqlResult[]) => void;
  readonly reject: (error: Error) => void;
}

/**
 * Opens an embedded libSQL file behind a thread of its own, so that the event loop never waits for
 * a commit. Works on Bun and Deno.
 * Errors: `metadata_unavailable` with `details.owned` when another process has the file.
 */
export async function openLibsqlFile(options: LibsqlFileOptions): Promise<SqlDatabase> {
  const database = new LibsqlFile(options);
  await database.open();
  return database;
}

/**
 * One metadata thread at a time. When its connection is lost, or the thread itself, what waited is
 * of unknown outcome and the next batch starts a new one, which takes the file's lock again.
 */
class LibsqlFile implements SqlDatabase {
  readonly description: string;
  readonly #options: LibsqlFileOptions;
  readonly #waiting = new Map<number, Waiting>();
  readonly #textNumbers = new Map<string, number>();
  #thread: Worker | null = null;
  #nextId = 0;
  #closing: Promise<void> | null = null;

  constructor(options: LibsqlFileOptions) {
    this.#options = options;
    this.description = `file:${options.path}`;
  }

  async open(): Promise<void> {
    const { path, fsync } = this.#options;
    this.#start();
    await this.#call((id) => ({ kind: "open", id, options: { path, fsync } }));
  }

  async batch(statements: readonly SqlStatement[], mode: "read" | "write"): Promise<SqlResult[]> {
    if (this.#closing !== null) throw this.#unavailable("it is closed");
    // Messages are answered in order, so a batch may follow before the new thread has opened.
    const opened = this.#thread === null ? this.open() : null;
    const texts: string[] = [];
    const numbered = statements.map(({ sql, args }) => {
      let number = this.#textNumbers.get(sql);
      if (number === undefined) {
        number = this.#textNumbers.size;
        this.#textNumbers.set(sql, number);
        texts.push(sql);
      }
      return [number, args] as const;
    });
    const results = this.#call((id) => ({ kind: "batch", id, mode, texts, statements: numbered }));
    if (opened !== null) await Promise.all([opened, results]);
    return results;
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    if (this.#thread === null) return;
    await this.#call((id) => ({ kind: "close", id }));
    this.#thread?.terminate();
  }

  #start(): void {
    const thread = new Worker(threadFile("libsql-file-worker"), { type: "module" });
    this.#thread = thread;
    this.#textNumbers.clear();
    thread.onmessage = (event: MessageEvent<ThreadReply>) => this.#settle(event.data);
    thread.onerror = (event) => {
      event.preventDefault();
      if (this.#thread === thread) this.#lose(`its thread failed: ${event.message}`);
    };
  }

  #call(request: (id: number) => ThreadRequest): Promise<SqlResult[]> {
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      if (this.#thread === null) {
        reject(this.#unavailable("its thread is gone"));
        return;
      }
      this.#waiting.set(id, { resolve, reject });
      this.#thread.postMessage(request(id));
    });
  }

  #settle({ id, results, error, isBroken }: ThreadReply): void {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (error !== null) waiting?.reject(fromThreadError(error));
    else waiting?.resolve(results ?? []);
    if (isBroken) this.#lose("its connection is lost");
  }

  #lose(reason: string): void {
    this.#thread?.terminate();
    this.#thread = null;
    const error = this.#unavailable(reason);
    for (const waiting of this.#waiting.values()) waiting.reject(error);
    this.#waiting.clear();
  }

  #unavailable(reason: string): StreamError {
    return new StreamError(
      "metadata_unavailable",
      `Metadata ${this.description} did not answer: ${reason}`,
    );
  }
}
