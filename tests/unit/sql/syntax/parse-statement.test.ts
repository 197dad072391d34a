import { expect, test } from "bun:test";
import { unsupportedStatements } from "../../../../src/sql/syntax/keywords.ts";
import {
  nestingDepthMax,
  statementLengthMax,
  treeHeightMax,
} from "../../../../src/sql/syntax/limits.ts";
import { parseStatement, wantedAfter } from "../../../../src/sql/syntax/parse-statement.ts";
import { SqlError } from "../../../../src/sql/syntax/sql-error.ts";

function codeOf(text: string): string {
  try {
    parseStatement(text);
  } catch (error) {
    if (error instanceof SqlError) return error.code;
    throw error;
  }
  return "parses";
}

test.each<[string, object]>([
  ["INSERT INTO t (a) VALUES (1)", { kind: "insert", columns: [{ text: "a" }] }],
  [
    "INSERT INTO t (SELECT 1)",
    { kind: "insert", columns: [], query: { body: { kind: "nested" } } },
  ],
  ["DROP MATERIALIZED VIEW IF EXISTS v", { noun: "materialized view", ifExists: true }],
  ["DROP QUERY 'q-1'", { noun: "query", name: { parts: [{ text: "q-1" }] } }],
  ["SHOW MATERIALIZED VIEWS LIKE 'a%'", { what: "materialized views", like: { value: "a%" } }],
  ["SHOW CREATE STREAM s", { what: "create", name: { parts: [{ text: "s" }] } }],
  ["DESC EXTENDED t", { kind: "describe", isExtended: true }],
  ["DESCRIBE extended", { isExtended: false, name: { parts: [{ text: "extended" }] } }],
  ["EXPLAIN PLAN FOR SELECT 1", { kind: "explain", statement: { kind: "query" } }],
  ["PAUSE QUERY q", { kind: "controlQuery", act: "pause" }],
  ["RESUME QUERY `q`", { kind: "controlQuery", act: "resume" }],
  ["SET a.b = 10", { kind: "set", key: { value: "a.b" }, value: { value: "10" } }],
  ["SET", { kind: "show", what: "options" }],
  ["RESET", { kind: "reset", key: null }],
  ["SELECT 1 ; ;", { kind: "query" }],
])("%s", (text, fields) => {
  expect(parseStatement(text)).toMatchObject(fields);
});

test.each([...unsupportedStatements.keys()])("%s is refused by its name", (word) => {
  expect(codeOf(`${word} something`)).toBe("sql_unsupported");
  expect(() => parseStatement(word)).toThrow(word);
});

test.each(["", "  ", ";", "-- only a comment"])("%j is no statement", (text) => {
  expect(() => parseStatement(text)).toThrow("there is no statement here");
});

test("a second statement is refused", () => {
  expect(() => parseStatement("SELECT 1; SELECT 2")).toThrow("a second begins");
});

const nested: Record<string, (depth: number) => string> = {
  parentheses: (depth) => `SELECT ${"(".repeat(depth)}1${")".repeat(depth)}`,
  signs: (depth) => `SELECT ${"- ".repeat(depth)}1`,
  NOTs: (depth) => `SELECT ${"NOT ".repeat(depth)}a`,
  CASEs: (depth) => `SELECT ${"CASE WHEN ".repeat(depth)}a${" THEN 1 END".repeat(depth)}`,
  calls: (depth) => `SELECT ${"f(".repeat(depth)}1${")".repeat(depth)}`,
  subqueries: (depth) => `SELECT * FROM ${"(SELECT * FROM ".repeat(depth)}t${")".repeat(depth)}`,
  queries: (depth) => `${"(".repeat(depth)}SELECT 1${")".repeat(depth)}`,
  joins: (depth) => `SELECT * FROM ${"(".repeat(depth)}t${")".repeat(depth)}`,
  types: (depth) => `SELECT CAST(a AS ${"ARRAY<".repeat(depth)}INT${">".repeat(depth)})`,
  sets: (depth) => `SELECT 1 GROUP BY ${"GROUPING SETS (".repeat(depth)}a${")".repeat(depth)}`,
};

test.each(Object.entries(nested))("%s nest up to a limit", (_, textOf) => {
  expect(codeOf(textOf(50))).toBe("parses");
  for (const depth of [nestingDepthMax + 1, 20_000]) {
    expect(codeOf(textOf(depth))).toBe("sql_too_large");
  }
});

test("operators in a row grow the tree up to a limit", () => {
  expect(codeOf(`SELECT 1${" + 1".repeat(treeHeightMax - 50)}`)).toBe("parses");
  expect(codeOf(`SELECT 1${" + 1".repeat(treeHeightMax)}`)).toBe("sql_too_large");
  expect(codeOf(`SELECT 1${" UNION SELECT 1".repeat(treeHeightMax)}`)).toBe("sql_too_large");
  expect(codeOf(`SELECT * FROM t${" CROSS JOIN t".repeat(treeHeightMax)}`)).toBe("sql_too_large");
});

test("a statement of the greatest length is parsed, one of a character more is not", () => {
  const head = "SELECT * FROM t WHERE a IN (0";
  const text = head + ",1".repeat((statementLengthMax - head.length - 1) >> 1);
  const full = `${text.padEnd(statementLengthMax - 1)})`;
  expect(full.length).toBe(statementLengthMax);
  expect(codeOf(full)).toBe("parses");
  expect(codeOf(`${full} `)).toBe("sql_too_large");
});

test("wantedAfter tells what may follow, and nothing after a mistake", () => {
  expect(wantedAfter("SELECT * FROM ")).toEqual(["a table name"]);
  expect(wantedAfter("SELECT * FROM t ")).toContain("WHERE");
  expect(wantedAfter("SELECT FROM t ")).toBeNull();
});
