/**
 * Runs a script for a request, statement after statement, as events in order. A wrong statement is
 * told with its place in the script and what is left of a stack of them: nothing after it ran.
 */
import { StreamError } from "../../base/stream-error.ts";
import type { ChangeEvent, ResultColumn, ScanProgress } from "../../pipeline/sql-result.ts";
import type { SqlService } from "../../pipeline/sql-service.ts";
import type { SqlSession } from "../../pipeline/sql-session.ts";
import { renderDiagnostic } from "../../sql/syntax/diagnostic.ts";
import { parseScript, type ScriptStatement } from "../../sql/syntax/parse-script.ts";
import { SqlError } from "../../sql/syntax/sql-error.ts";

export type SqlEvent =
  | { readonly kind: "message"; readonly message: string }
  /** Rows follow, up to the next event that is none of rows. */
  | {
      readonly kind: "columns";
      readonly columns: readonly ResultColumn[];
      /** Changes follow instead of rows. */
      readonly areChanges: boolean;
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
  /** Changes of a view go on behind this event. */
  readonly cursor?: string | undefined;
}

/** Statements that give rows. */
const rowKinds: ReadonlySet<string> = new Set(["query", "show", "describe", "explain"]);

/** @throws StreamError with `statement`, from 1, and for wrong SQL `line` and `diagnostic`. */
export async function* runScript(
  service: Pick<SqlService, "execute">,
  { sql, session, signal, wanted, cursor }: ScriptRun,
): AsyncGenerator<SqlEvent, void> {
  const statements = parsed(sql);
  const last = statements.findLastIndex(({ statement }) => rowKinds.has(statement.kind));
  for (const [index, each] of statements.entries()) {
    const isWanted = wanted === "all" || index === last || last < 0;
    try {
      const result = await service.execute(each, session, signal, { cursor });
      if (result.kind === "done") {
        if (isWanted) yield { kind: "message", message: result.message };
      } else if (isWanted) {
        const areChanges = result.kind === "changes";
        yield { kind: "columns", columns: result.columns, areChanges };
        if (result.kind === "changes") {
          for await (const change of result.events) yield { kind: "change", change };
        } else {
          for await (const { rows, progress } of result.rows)
            yield { kind: "rows", rows, progress };
        }
      }
      if (signal.aborted) throw new StreamError("shutting_down", "The query was broken off");
    } catch (error) {
      throw placed(error, { sql, index, start: each.start, count: statements.length });
    }
  }
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
