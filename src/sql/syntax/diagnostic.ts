/**
 * An error as a terminal shows it: what is wrong, the line of the statement, and a caret.
 *
 *     Line 2, column 10: expected FROM, found FORM
 *
 *       2 | SELECT a FORM bids
 *         |          ^^^^
 *     Did you mean FROM?
 */
import type { SqlError } from "./sql-error.ts";

/** Columns of the statement's line that are shown around the caret. */
const excerptColumns = 100;
const columnsBefore = 60;

/** `text` is what the error's span points into. Lines end with \n, the last one without. */
export function renderDiagnostic(text: string, error: SqlError): string {
  const { line, column, at, problem, suggestion } = error;
  const lineStart = text.lastIndexOf("\n", at.start - 1) + 1;
  const lineEnd = endOfLine(text, at.start);
  const shown = excerpt([...text.slice(lineStart, lineEnd)], column - 1);
  const marked = [...text.slice(at.start, Math.max(at.start, Math.min(at.end, lineEnd)))];
  const room = Math.max(1, shown.end - shown.caret);
  const carets = "^".repeat(Math.max(1, widthOf(marked.slice(0, room))));
  const indent = " ".repeat(widthOf([...shown.text].slice(0, shown.caret)));
  const label = String(line);
  const lines = [
    `Line ${line}, column ${column}: ${problem}`,
    "",
    `  ${label} | ${shown.text}`.trimEnd(),
    `  ${" ".repeat(label.length)} | ${indent}${carets}`,
  ];
  if (suggestion !== null) lines.push(`Did you mean ${suggestion}?`);
  return lines.join("\n");
}

function endOfLine(text: string, from: number): number {
  const end = text.indexOf("\n", from);
  if (end < 0) return text.length;
  return text[end - 1] === "\r" && end > from ? end - 1 : end;
}

/** The part of a long line around the caret, and the caret's place in it. */
function excerpt(
  line: readonly string[],
  caret: number,
): { readonly text: string; readonly caret: number; readonly end: number } {
  const from = caret > columnsBefore ? caret - columnsBefore : 0;
  const to = from + excerptColumns;
  const head = from > 0 ? "…" : "";
  const tail = to < line.length ? "…" : "";
  const middle = line.slice(from, to).map(printable).join("");
  const end = head.length + Math.min(to, line.length) - from;
  return { text: head + middle + tail, caret: caret - from + head.length, end };
}

/** Control characters would move the terminal's cursor; one column each keeps the caret right. */
function printable(character: string): string {
  return /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.test(character) ? " " : character;
}

/** Columns that a terminal gives these characters: wide ones take two, accents none. */
function widthOf(characters: readonly string[]): number {
  let width = 0;
  for (const character of characters) {
    if (/\p{M}/u.test(character)) continue;
    width += isWide(character.codePointAt(0) ?? 0) ? 2 : 1;
  }
  return width;
}

function isWide(code: number): boolean {
  return (
    (code >= 0x1100 && code <= 0x115f) ||
    (code >= 0x2e80 && code <= 0xa4cf) ||
    (code >= 0xac00 && code <= 0xd7a3) ||
    (code >= 0xf900 && code <= 0xfaff) ||
    (code >= 0xfe30 && code <= 0xfe6f) ||
    (code >= 0xff00 && code <= 0xff60) ||
    (code >= 0xffe0 && code <= 0xffe6) ||
    (code >= 0x1f300 && code <= 0x1faff) ||
    (code >= 0x20000 && code <= 0x3fffd)
  );
}
