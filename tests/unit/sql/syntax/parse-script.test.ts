import { expect, test } from "bun:test";
import { scriptLengthMax } from "../../../../src/sql/syntax/limits.ts";
import { parseScript, splitScript } from "../../../../src/sql/syntax/parse-script.ts";
import { SqlError } from "../../../../src/sql/syntax/sql-error.ts";

test("splitScript cuts at ; outside of strings, names and comments", () => {
  const text = "-- a;\nSELECT ';' /* ; */, `;`; ;\n SHOW TABLES -- ;";
  expect(splitScript(text)).toEqual([
    { text: "SELECT ';' /* ; */, `;`", start: 6, isEnded: true },
    { text: "SHOW TABLES", start: 34, isEnded: false },
  ]);
});

test("splitScript leaves what cannot be read to the last piece", () => {
  expect(splitScript("SELECT 1; SELECT 'a; b")).toEqual([
    { text: "SELECT 1", start: 0, isEnded: true },
    { text: "SELECT 'a; b", start: 10, isEnded: false },
  ]);
});

test("parseScript gives each statement with spans of its own text", () => {
  const [first, second] = parseScript("SET 'a' = 'b';\nSELECT 1;");
  expect(first?.statement.kind).toBe("set");
  expect(second?.statement).toMatchObject({ kind: "query", at: { start: 0, end: 8 } });
  expect(second?.start).toBe(15);
});

test("parseScript places a mistake in the script", () => {
  let error: unknown;
  try {
    parseScript("SELECT 1;\n\n SELECT FROM t;");
  } catch (caught) {
    error = caught;
  }
  expect(error).toBeInstanceOf(SqlError);
  expect(error).toMatchObject({ line: 3, column: 9, at: { start: 19, end: 23 } });
});

test("an empty script has no statements", () => {
  expect(parseScript(" ;; -- nothing\n")).toEqual([]);
});

test("a script over its limit is refused before it is read", () => {
  expect(() => parseScript(" ".repeat(scriptLengthMax + 1))).toThrow("a script of");
});
