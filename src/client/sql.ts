/**
 * SQL: `sql` for answers that are small, `rows` for those that are not. An entry of its own with
 * `view` and `liveRows` (live-view.ts): `millrace/client/sql`.
 */
import type { ServerLink } from "./connection.ts";
import { errorOfProblem, MillraceError, type ProblemJson } from "./millrace-error.ts";

export interface SqlOptions {
  /** What `SET` would set, by key. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Ends the statement. */
  readonly signal?: AbortSignal;
  /** Reads the answer's JSON, for numbers beyond 2^53; default: `JSON.parse`. */
  readonly parse?: (text: string) => unknown;
}

export interface SqlColumn {
  readonly name: string;
  /** As SQL writes it: `DECIMAL(10, 2)`. */
  readonly type: string;
}

/** Of one statement: rows, or what it did. */
export type SqlResult<Row> =
  | { readonly columns: readonly SqlColumn[]; readonly rows: readonly Row[] }
  | { readonly message: string };

/** Any row, by column name. */
export type SqlRow = Record<string, unknown>;

const path = "/v1/sql";

/**
 * Runs `text`, a statement or several; resolves with a result for each, or, of one SELECT, see
 * `rows`. Asks once: what a statement did when no answer came is not known.
 * @throws MillraceError with `line`, `column` and `diagnostic` in `details` for wrong SQL.
 */
export async function sql<Row = SqlRow>(
  connection: ServerLink,
  text: string,
  options: SqlOptions = {},
): Promise<readonly SqlResult<Row>[]> {
  const answer = await ask(connection, text, "application/json", options);
  const { parse = JSON.parse, signal } = options;
  const body = await textOf(answer, signal);
  const { results, error } = parse(body) as {
    readonly results: readonly SqlResult<Row>[];
    readonly error?: ProblemJson;
  };
  if (error !== undefined) throw errorOfProblem(error);
  return results;
}

/** The rows of the last statement that gives any, all at once. */
export async function rowsOf<Row = SqlRow>(
  connection: ServerLink,
  text: string,
  options: SqlOptions = {},
): Promise<readonly Row[]> {
  const results = await sql<Row>(connection, text, options);
  const last = results.findLast((result) => "rows" in result);
  return last !== undefined && "rows" in last ? last.rows : [];
}

/**
 * The rows of the last statement that gives any, as they come; leaving the loop ends the query.
 * @throws MillraceError also after rows: those given are then not all.
 */
export async function* rows<Row = SqlRow>(
  connection: ServerLink,
  text: string,
  options: SqlOptions = {},
): AsyncGenerator<Row, void> {
  const { parse = JSON.parse, signal } = options;
  const type = "application/vnd.millrace.sql-lines";
  const answer = await ask(connection, text, type, options);
  for await (const line of readLines(answer, signal)) {
    if (line === "") continue;
    const found = parse(line) as { row?: Row; error?: ProblemJson; end?: true };
    if (found.row !== undefined) yield found.row;
    else if (found.error !== undefined) throw errorOfProblem(found.error);
    else if (found.end === true) return;
  }
  throw new MillraceError("network", "The answer broke off: the rows before are not all", {
    retriable: true,
  });
}

/** Sends a script; resolves when its answer begins. */
export async function ask(
  connection: ServerLink,
  text: string,
  accept: string,
  { settings, signal }: Pick<SqlOptions, "settings" | "signal">,
): Promise<Response> {
  return await connection.request(path, {
    method: "POST",
    headers: { "Content-Type": "application/json", Accept: accept },
    body: JSON.stringify({ sql: text, settings }),
    signal,
  });
}

async function textOf(answer: Response, signal: AbortSignal | undefined): Promise<string> {
  try {
    return await answer.text();
  } catch (error) {
    signal?.throwIfAborted();
    throw new MillraceError("network", "The answer broke off", { retriable: true, cause: error });
  }
}

async function* readLines(
  answer: Response,
  signal: AbortSignal | undefined,
): AsyncGenerator<string, void> {
  const reader = answer.body?.getReader();
  const utf8 = new TextDecoder();
  let rest = "";
  try {
    for (;;) {
      const chunk = await reader?.read();
      if (chunk?.value === undefined) return;
      const lines = (rest + utf8.decode(chunk.value, { stream: true })).split("\n");
      rest = lines.pop() ?? "";
      yield* lines;
    }
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  } finally {
    await reader?.cancel().catch(() => undefined);
  }
}
