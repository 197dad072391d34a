/** Scripts: statements with `;` between them. */
import { nextToken } from "./lexer.ts";
import { scriptLengthMax, scriptStatementsMax } from "./limits.ts";
import { parseStatement } from "./parse-statement.ts";
import { SqlError } from "./sql-error.ts";
import type { Statement } from "./statement.ts";

export interface ScriptPiece {
  /** From the statement's first word to its last, without `;` and the comments around it. */
  readonly text: string;
  /** Where it begins in the script. */
  readonly start: number;
  /** False for the last statement when no `;` has ended it yet. */
  readonly isEnded: boolean;
}

export interface ScriptStatement extends ScriptPiece {
  /** Its spans point into the statement's own text. */
  readonly statement: Statement;
}

/** All statements of a script, or the SqlError of the first wrong one, placed in the script. */
export function parseScript(text: string): ScriptStatement[] {
  return splitScript(text).map((piece) => {
    try {
      return { ...piece, statement: parseStatement(piece.text) };
    } catch (error) {
      throw error instanceof SqlError ? error.within(text, piece.start) : error;
    }
  });
}

/**
 * The statements of a script, not parsed: a `;` in a string, a name or a comment ends nothing. What
 * the lexer cannot read belongs to the last piece, whose parsing tells why.
 */
export function splitScript(text: string): ScriptPiece[] {
  checkLength(text);
  const pieces: ScriptPiece[] = [];
  let start = -1;
  let end = 0;
  let position = 0;
  const add = (isEnded: boolean) => {
    if (start < 0) return;
    if (pieces.length === scriptStatementsMax) {
      throw tooLarge(text, { start, problem: `more than ${scriptStatementsMax} statements` });
    }
    pieces.push({ text: text.slice(start, end), start, isEnded });
    start = -1;
  };
  for (;;) {
    const token = nextToken(text, position);
    if (token.kind === "end") {
      add(false);
      return pieces;
    }
    if (token.kind === "symbol" && token.text === ";") {
      add(true);
    } else {
      if (start < 0) start = token.start;
      end = token.kind === "bad" ? text.length : token.end;
    }
    position = token.kind === "bad" ? text.length : token.end;
  }
}

function checkLength(text: string): void {
  if (text.length <= scriptLengthMax) return;
  const problem = `a script of ${text.length} characters; at most ${scriptLengthMax} are taken`;
  throw tooLarge(text.slice(0, 1), { start: 0, problem });
}

function tooLarge(text: string, { start, problem }: { start: number; problem: string }): SqlError {
  const at = { start, end: start + 1 };
  return new SqlError({ code: "sql_too_large", text, at, problem });
}
