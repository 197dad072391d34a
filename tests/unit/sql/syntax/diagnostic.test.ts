import { expect, test } from "bun:test";
import { renderDiagnostic } from "../../../../src/sql/syntax/diagnostic.ts";
import { SqlError } from "../../../../src/sql/syntax/sql-error.ts";

function shown(text: string, start: number, end: number): string {
  const error = new SqlError({ code: "sql_invalid", text, at: { start, end }, problem: "wrong" });
  return renderDiagnostic(text, error);
}

test("renderDiagnostic marks the span in its line", () => {
  expect(shown("SELECT a\nFROM b\n", 14, 15)).toBe(
    "Line 2, column 6: wrong\n\n  2 | FROM b\n    |      ^",
  );
});

test("renderDiagnostic marks a span over several lines up to the end of its first", () => {
  expect(shown("SELECT a\r\nFROM b", 7, 16)).toBe(
    "Line 1, column 8: wrong\n\n  1 | SELECT a\n    |        ^",
  );
});

test("renderDiagnostic puts a caret after the last character", () => {
  expect(shown("SELECT", 6, 6)).toBe("Line 1, column 7: wrong\n\n  1 | SELECT\n    |       ^");
});

test("renderDiagnostic counts wide characters twice and accents not at all", () => {
  expect(shown("'日本' e\u0301 x", 8, 9)).toBe(
    "Line 1, column 9: wrong\n\n  1 | '日本' e\u0301 x\n    |          ^",
  );
});

test("renderDiagnostic shows the part of a long line around the caret", () => {
  const text = `${"a ".repeat(300)}WRONG${" b".repeat(300)}`;
  const [, , line = "", carets = ""] = shown(text, 600, 605).split("\n");
  expect(line.length).toBeLessThan(120);
  expect(line.slice(carets.indexOf("^"), carets.lastIndexOf("^") + 1)).toBe("WRONG");
});

test("renderDiagnostic marks no more of a long span than it shows", () => {
  const text = "x".repeat(300);
  const [, , line = "", carets = ""] = shown(text, 0, 300).split("\n");
  expect(line.at(-1)).toBe("…");
  expect(carets.length).toBe(line.length - 1);
});

test("renderDiagnostic asks for what was probably meant", () => {
  const text = "FORM";
  const at = { start: 0, end: 4 };
  const options = { code: "sql_syntax", text, at, problem: "wrong", suggestion: "FROM" } as const;
  expect(renderDiagnostic(text, new SqlError(options))).toEndWith("\nDid you mean FROM?");
});
