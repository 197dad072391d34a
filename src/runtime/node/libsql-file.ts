import { StreamError } from "../../base/stream-error.ts";
import type { SqlDatabase, SqlResult, SqlStatement } from "../../meta/sql-database.ts";
import { fromThreadError, type ThreadReply, type ThreadRequest } from "./libsql-thread.ts";

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
  const database = new LibsqlFile(options.path);
  await database.open(options);
  return database;
}

class LibsqlFile implements SqlDatabase {
  readonly description: string;
  readonly #thread: Worker;
  readonly #waiting = new Map<number, Waiting>();
  readonly #textNumbers = new Map<string, number>();
  #nextId = 0;
  #closing: Promise<void> | null = null;

  constructor(path: string) {
    this.description = `file:${path}`;
    this.#thread = new Worker(new URL("./libsql-file-worker.ts", import.meta.url), {
      type: "module",
    });
    this.#thread.onmessage = (event: MessageEvent<ThreadReply>) => this.#settle(event.data);
    this.#thread.onerror = (event) => {
      event.preventDefault();
      this.#failAll(event.message);
    };
  }

  async open({ path, fsync }: LibsqlFileOptions): Promise<void> {
    try {
      await this.#call((id) => ({ kind: "open", id, options: { path, fsync } }));
    } catch (error) {
      this.#thread.terminate();
      throw error;
    }
  }

  batch(statements: readonly SqlStatement[], mode: "read" | "write"): Promise<SqlResult[]> {
    if (this.#closing !== null) return Promise.reject(this.#unavailable("it is closed"));
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
    return this.#call((id) => ({ kind: "batch", id, mode, texts, statements: numbered }));
  }

  close(): Promise<void> {
    this.#closing ??= this.#call((id) => ({ kind: "close", id })).then(() => {
      this.#thread.terminate();
    });
    return this.#closing;
  }

  #call(request: (id: number) => ThreadRequest): Promise<SqlResult[]> {
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#thread.postMessage(request(id));
    });
  }

  #settle({ id, results, error }: ThreadReply): void {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (error !== null) waiting?.reject(fromThreadError(error));
    else waiting?.resolve(results ?? []);
  }

  #failAll(reason: string): void {
    const error = this.#unavailable(`its thread failed: ${reason}`);
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
