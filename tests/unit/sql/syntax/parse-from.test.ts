import { expect, test } from "bun:test";
import { parseStatement } from "../../../../src/sql/syntax/parse-statement.ts";

function fromOf(text: string): unknown {
  const statement = parseStatement(`SELECT * FROM ${text}`);
  if (statement.kind !== "query" || statement.query.body.kind !== "select") throw new Error(text);
  return statement.query.body.from;
}

test.each<[string, object]>([
  ["a", { kind: "table", name: { parts: [{ text: "a" }] }, alias: null }],
  ["a.b AS c (d, e)", { alias: { name: { text: "c" }, columns: [{ text: "d" }, { text: "e" }] } }],
  ["a FOR SYSTEM_TIME AS OF ts AS b", { asOf: { kind: "name" }, alias: { name: { text: "b" } } }],
  ["a AS b FOR SYSTEM_TIME AS OF ts", { asOf: { kind: "name" }, alias: { name: { text: "b" } } }],
  ["(SELECT 1) x", { kind: "derived", isLateral: false }],
  ["(VALUES (1)) AS t (a)", { kind: "derived", query: { body: { kind: "values" } } }],
  ["((SELECT 1) UNION (SELECT 2)) x", { kind: "derived" }],
  ["((SELECT 1) x JOIN b ON c)", { kind: "join", left: { kind: "derived" } }],
  ["a, b JOIN c ON d", { joinType: "cross", right: { joinType: "inner" } }],
  ["a JOIN b ON c LEFT OUTER JOIN d USING (e)", { joinType: "left", left: { joinType: "inner" } }],
  ["a NATURAL FULL JOIN b", { joinType: "full", isNatural: true, on: null }],
  ["a CROSS JOIN (b JOIN c ON d)", { joinType: "cross", right: { kind: "join" } }],
  ["a, LATERAL TABLE(f(a.x)) AS t (y)", { right: { kind: "tableFunction", isLateral: true } }],
])("%s", (text, tree) => {
  expect(fromOf(text)).toMatchObject(tree);
});

test("a join needs its condition", () => {
  expect(() => fromOf("a JOIN b")).toThrow("ON or USING");
});
