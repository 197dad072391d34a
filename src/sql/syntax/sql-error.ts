/**
 * A complaint about a statement that knows where in it. The parser throws it, and so does the
 * checker with the spans that the parser left in the tree.
 */
import { type ErrorCode, StreamError } from "../../base/stream-error.ts";
import type { Span } from "./node.ts";

export type SqlErrorCode = Extract<ErrorCode, `sql_${string}`>;

export interface SqlErrorOptions {
  readonly code: SqlErrorCode;
  /** The statement, or the script, that `at` points into. */
  readonly text: string;
  readonly at: Span;
  /** What is wrong and, when it is not plain, what to do: no capital, no full stop. */
  readonly problem: string;
  /** What was probably meant: a keyword or name, without its question mark. */
  readonly suggestion?: string | null;
}

export class SqlError extends StreamError {
  readonly at: Span;
  readonly problem: string;
  readonly suggestion: string | null;
  /** From 1. */
  readonly line: number;
  /** From 1, in characters. */
  readonly column: number;

  constructor({ code, text, at, problem, suggestion = null }: SqlErrorOptions) {
    const { line, column } = placeOf(text, at.start);
    const act = code === "sql_syntax" ? "parse" : "run";
    const asked = suggestion === null ? "" : `. Did you mean ${suggestion}?`;
    super(code, `Cannot ${act} SQL at line ${line}, column ${column}: ${problem}${asked}`, {
      details: { line, column, start: at.start, end: at.end, suggestion },
    });
    this.name = "SqlError";
    this.at = at;
    this.problem = problem;
    this.suggestion = suggestion;
    this.line = line;
    this.column = column;
  }

  /** The same complaint about a longer text in which the statement begins at `start`. */
  within(text: string, start: number): SqlError {
    return new SqlError({
      code: this.code as SqlErrorCode,
      text,
      at: { start: this.at.start + start, end: this.at.end + start },
      problem: this.problem,
      suggestion: this.suggestion,
    });
  }
}

/** Line and column, both from 1, of a place in `text`. A surrogate pair is one column. */
export function placeOf(text: string, position: number): { line: number; column: number } {
  const before = text.slice(0, position);
  const lineStart = before.lastIndexOf("\n") + 1;
  let line = 1;
  for (let at = before.indexOf("\n"); at >= 0; at = before.indexOf("\n", at + 1)) line++;
  return { line, column: [...before.slice(lineStart)].length + 1 };
}
