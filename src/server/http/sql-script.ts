/**
 * Runs a script for a request, statement after statement, as events in order. A wrong statement is
 * told with its place in the script and what is left of a stack of them: nothing after it ran.
 */
import { StreamError } from "../../base/stream-error.ts";
import type {
  ChangeEvent,
  ResultColumn,
  ScanProgress,
  StatementResult,
} from "../../pipeline/sql-result.ts";
import type { SqlService } from "../../pipeline/sql-service.ts";
import type { SqlSession } from "../../pipeline/sql-session.ts";
import { renderDiagnostic } from "../../sql/syntax/diagnostic.ts";
import { parseScript, type ScriptStatement } from "../../sql/syntax/parse-script.ts";
import { SqlError } from "../../sql/syntax/sql-error.ts";

export type SqlEvent =
  | { readonly kind: "message"; readonly message: string }
  /** Rows follow, up to the next event that is none of rows; or changes, without an end. */
  | {
      readonly kind: "columns";
      readonly columns: readonly ResultColumn[];
      readonly goesOn: boolean;
    }
  | {
      readonly kind: "rows";
      /** JSON texts, each an object by column name. */
      readonly rows: readonly Uint8Array[];
      readonly progress: ScanProgress | null;
    }
  | { readonly kind: "change"; readonly change: ChangeEvent };

export interface ScriptRun {
  readonly sql: string;
  readonly session: SqlSession;
  /** The client left, or the server stops. */
  readonly signal: AbortSignal;
  /** `last`: rows of the last statement that gives rows; messages only where none does. */
  readonly wanted: "all" | "last";
  /** Whether there is a way to show what never ends. */
  readonly takesChanges: boolean;
  /** Where the changes of a view go on; null: from its rows as they are. */
  readonly cursor: string | null;
  /** Called when all changes that are here are given, with the cursor behind them. */
  readonly onStill?: ((cursor: string) => void) | undefined;
}

/** Statements that give rows. */
const rowKinds: ReadonlySet<string> = new Set(["query", "show", "describe", "explain"]);

/** @throws StreamError with `statement`, from 1, and for wrong SQL `line` and `diagnostic`. */
export async function* runScript(
  service: Pick<SqlService, "execute">,
  run: ScriptRun,
): AsyncGenerator<SqlEvent, void> {
  const { sql, session, signal, wanted, cursor, onStill } = run;
  const statements = parsed(sql);
  const options = { onStill, ...(cursor !== null && { cursor }) };
  const last = statements.findLastIndex(({ statement }) => rowKinds.has(statement.kind));
  for (const [index, each] of statements.entries()) {
    const isWanted = wanted === "all" || index === last || last < 0;
    try {
      const result = await service.execute(each, session, signal, options);
      if (isWanted) yield* eventsOf(result, run);
      if (signal.aborted) throw new StreamError("shutting_down", "The query was broken off");
    } catch (error) {
      throw placed(error, { sql, index, start: each.start, count: statements.length });
    }
  }
}

/** @throws StreamError unless the text is one SELECT; as `runScript` where it does not parse. */
export function checkIsSelect(sql: string): void {
  const [first, ...others] = parsed(sql);
  if (first?.statement.kind === "query" && others.length === 0) return;
  throw new StreamError(
    "invalid_request",
    "Cannot run this with GET: it takes one SELECT; send other statements, and scripts, with POST",
    { details: { field: "sql", expected: "one SELECT" } },
  );
}

async function* eventsOf(
  result: StatementResult,
  { takesChanges }: ScriptRun,
): AsyncGenerator<SqlEvent, void> {
  if (result.kind === "done") {
    yield { kind: "message", message: result.message };
    return;
  }
  const { columns } = result;
  if (result.kind === "rows") {
    yield { kind: "columns", columns, goesOn: false };
    for await (const { rows, progress } of result.rows) yield { kind: "rows", rows, progress };
    return;
  }
  if (!takesChanges) {
    throw new StreamError(
      "invalid_request",
      "Cannot answer in this type: EMIT CHANGES goes on without an end; accept " +
        "application/x-ndjson or text/event-stream",
      { details: { field: "Accept", expected: "application/x-ndjson, text/event-stream" } },
    );
  }
  yield { kind: "columns", columns, goesOn: true };
  for await (const change of result.events) yield { kind: "change", change };
}

function parsed(sql: string): ScriptStatement[] {
  let statements: ScriptStatement[];
  try {
    statements = parseScript(sql);
  } catch (error) {
    throw error instanceof SqlError ? told(sql, error, {}) : error;
  }
  if (statements.length > 0) return statements;
  throw new StreamError("sql_syntax", "Cannot run SQL: there is no statement in it");
}

function placed(
  error: unknown,
  at: {
    readonly sql: string;
    readonly index: number;
    readonly start: number;
    readonly count: number;
  },
): unknown {
  if (!(error instanceof StreamError)) return error;
  const statement = at.count > 1 ? { statement: at.index + 1 } : {};
  if (error instanceof SqlError) return told(at.sql, error.within(at.sql, at.start), statement);
  return new StreamError(error.code, error.message, {
    details: { ...error.details, ...statement },
    cause: error,
  });
}

function told(sql: string, error: SqlError, facts: object): StreamError {
  return new StreamError(error.code, error.message, {
    details: { ...error.details, ...facts, diagnostic: renderDiagnostic(sql, error) },
    cause: error,
  });
}
