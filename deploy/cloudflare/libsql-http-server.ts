/**
 * A libSQL server of one process, for trials and tests: Hrana 2 over HTTP, as JSON, on the real
 * engine. It serves what @libsql/client sends for `execute`, `batch`, `migrate` and `executeMultiple`: one
 * POST /v2/pipeline that opens a stream and closes it. Streams that stay open (a baton, for
 * interactive transactions) are refused. The protocol: libsql/docs/HRANA_2_SPEC.md.
 */
import Database from "libsql";
import * as z from "zod";

const value = z.discriminatedUnion("type", [
  z.object({ type: z.literal("null") }),
  z.object({ type: z.literal("integer"), value: z.string() }),
  z.object({ type: z.literal("float"), value: z.number() }),
  z.object({ type: z.literal("text"), value: z.string() }),
  z.object({ type: z.literal("blob"), base64: z.string() }),
]);
type Value = z.infer<typeof value>;

const stmt = z.object({
  sql: z.string().optional(),
  sql_id: z.int().optional(),
  args: z.array(value).default([]),
  named_args: z.array(z.unknown()).max(0).default([]),
});
type Stmt = z.infer<typeof stmt>;

type Condition =
  | { type: "ok" | "error"; step: number }
  | { type: "not"; cond: Condition }
  | { type: "and" | "or"; conds: Condition[] };
const condition: z.ZodType<Condition> = z.lazy(() =>
  z.union([
    z.object({ type: z.enum(["ok", "error"]), step: z.int() }),
    z.object({ type: z.literal("not"), cond: condition }),
    z.object({ type: z.enum(["and", "or"]), conds: z.array(condition) }),
  ]),
);

const batch = z.object({
  steps: z.array(z.object({ condition: condition.nullish(), stmt })),
});

const streamRequest = z.discriminatedUnion("type", [
  z.object({ type: z.literal("execute"), stmt }),
  z.object({ type: z.literal("batch"), batch }),
  z.object({ type: z.literal("sequence"), sql: z.string().optional(), sql_id: z.int().optional() }),
  z.object({ type: z.literal("store_sql"), sql_id: z.int(), sql: z.string() }),
  z.object({ type: z.literal("close_sql"), sql_id: z.int() }),
  z.object({ type: z.literal("close") }),
]);
type StreamRequest = z.infer<typeof streamRequest>;

const pipeline = z.object({ baton: z.null().optional(), requests: z.array(streamRequest) });

interface Failure {
  readonly message: string;
  readonly code: string;
}

export interface LibsqlHttpServer {
  readonly url: string;
  /** Pipelines answered so far: one is one round trip of a client. */
  readonly pipelines: number;
  /** Each answer is held back for so long, as by a server that is far away. */
  delayMs: number;
  close(): Promise<void>;
}

/** Starts one on a free port of 127.0.0.1, over a file or in memory. */
export function startLibsqlHttpServer(path = ":memory:"): LibsqlHttpServer {
  const database = new Database(path);
  if (path !== ":memory:") database.exec("PRAGMA journal_mode = WAL");
  const statements = new Statements(database);
  let pipelines = 0;
  let delayMs = 0;
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    async fetch(request) {
      const { pathname } = new URL(request.url);
      if (request.method === "GET" && pathname === "/v2") return new Response("");
      if (request.method !== "POST" || pathname !== "/v2/pipeline") {
        return new Response("", { status: 404 });
      }
      const asked = pipeline.safeParse(await request.json());
      if (!asked.success) {
        return Response.json({ message: z.prettifyError(asked.error) }, { status: 400 });
      }
      pipelines += 1;
      // Runs without a pause, so pipelines are one after another, as transactions of one writer.
      const stream = new Stream(database, statements);
      const results = asked.data.requests.map((each) => stream.answer(each));
      stream.end();
      if (delayMs > 0) await Bun.sleep(delayMs);
      return Response.json({ baton: null, base_url: null, results });
    },
  });
  return {
    url: `http://127.0.0.1:${server.port}`,
    get pipelines() {
      return pipelines;
    },
    get delayMs() {
      return delayMs;
    },
    set delayMs(value) {
      delayMs = value;
    },
    async close() {
      await server.stop(true);
      database.close();
    },
  };
}

/** Past this many texts all are prepared anew. */
const statementsMax = 500;

/** Prepared statements by their text: to prepare one takes longer than to run most of them. */
class Statements {
  readonly #database: Database.Database;
  readonly #known = new Map<string, Database.Statement>();

  constructor(database: Database.Database) {
    this.#database = database;
  }

  of(text: string): Database.Statement {
    const known = this.#known.get(text);
    if (known !== undefined) return known;
    if (this.#known.size >= statementsMax) this.#known.clear();
    const statement = this.#database.prepare(text);
    statement.safeIntegers(true);
    if (statement.reader) statement.raw(true);
    this.#known.set(text, statement);
    return statement;
  }
}

/** A stream of the protocol, which here lasts for one pipeline. */
class Stream {
  readonly #database: Database.Database;
  readonly #statements: Statements;
  readonly #texts = new Map<number, string>();

  constructor(database: Database.Database, statements: Statements) {
    this.#database = database;
    this.#statements = statements;
  }

  answer(request: StreamRequest): object {
    try {
      return { type: "ok", response: { type: request.type, ...this.#respond(request) } };
    } catch (error) {
      return { type: "error", error: failureOf(error) };
    }
  }

  /** A transaction that its stream did not end is rolled back. */
  end(): void {
    if (this.#database.inTransaction) this.#database.exec("ROLLBACK");
  }

  #respond(request: StreamRequest): object {
    switch (request.type) {
      case "execute":
        return { result: this.#execute(request.stmt) };
      case "batch":
        return { result: this.#batch(request.batch) };
      case "sequence":
        this.#database.exec(this.#textOf(request));
        return {};
      case "store_sql":
        this.#texts.set(request.sql_id, request.sql);
        return {};
      case "close_sql":
        this.#texts.delete(request.sql_id);
        return {};
      case "close":
        return {};
    }
  }

  #batch({ steps }: z.infer<typeof batch>): object {
    const results: (object | null)[] = [];
    const failures: (Failure | null)[] = [];
    for (const step of steps) {
      let result: object | null = null;
      let failure: Failure | null = null;
      if (!step.condition || holds(step.condition, results, failures)) {
        try {
          result = this.#execute(step.stmt);
        } catch (error) {
          failure = failureOf(error);
        }
      }
      results.push(result);
      failures.push(failure);
    }
    return { step_results: results, step_errors: failures };
  }

  #execute(asked: Stmt): object {
    const statement = this.#statements.of(this.#textOf(asked));
    const args = asked.args.map(fromValue);
    if (!statement.reader) {
      const { changes } = statement.run(args);
      return { cols: [], rows: [], affected_row_count: changes, last_insert_rowid: null };
    }
    const before = this.#totalChanges();
    const rows = statement.all(args) as unknown[][];
    return {
      cols: statement.columns().map(({ name, type }) => ({ name, decltype: type })),
      rows: rows.map((row) => row.map(toValue)),
      affected_row_count: this.#totalChanges() - before,
      last_insert_rowid: null,
    };
  }

  #totalChanges(): number {
    const row = this.#statements.of("SELECT total_changes()").get([]) as bigint[];
    return Number(row[0] ?? 0);
  }

  #textOf({ sql, sql_id: id }: { sql?: string | undefined; sql_id?: number | undefined }): string {
    const text = sql ?? (id === undefined ? undefined : this.#texts.get(id));
    if (text === undefined) throw new Error(`There is no SQL text of id ${id}`);
    return text;
  }
}

/** A step that was skipped has neither succeeded nor failed. */
function holds(
  asked: Condition,
  results: readonly (object | null)[],
  failures: readonly (Failure | null)[],
): boolean {
  switch (asked.type) {
    case "ok":
      return results[asked.step] != null;
    case "error":
      return failures[asked.step] != null;
    case "not":
      return !holds(asked.cond, results, failures);
    case "and":
      return asked.conds.every((each) => holds(each, results, failures));
    case "or":
      return asked.conds.some((each) => holds(each, results, failures));
  }
}

function failureOf(error: unknown): Failure {
  const code = error instanceof Error && "code" in error ? String(error.code) : "SQLITE_ERROR";
  return { message: error instanceof Error ? error.message : String(error), code };
}

function fromValue(given: Value): unknown {
  switch (given.type) {
    case "null":
      return null;
    case "integer":
      return BigInt(given.value);
    case "blob":
      return Buffer.from(given.base64, "base64");
    default:
      return given.value;
  }
}

function toValue(found: unknown): Value {
  if (found === null) return { type: "null" };
  if (typeof found === "bigint") return { type: "integer", value: String(found) };
  if (typeof found === "number") return { type: "float", value: found };
  if (typeof found === "string") return { type: "text", value: found };
  const bytes = Buffer.from(found as Uint8Array);
  // Base64 without padding, as the protocol has it; both decode the same.
  return { type: "blob", base64: bytes.toString("base64").replaceAll("=", "") };
}
