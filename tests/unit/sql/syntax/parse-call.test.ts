import { expect, test } from "bun:test";
import { parseExpression } from "../../../../src/sql/syntax/parse-statement.ts";
import { withoutSpans } from "../../../support/sql-trees.ts";

test.each([
  ["SUBSTRING(s FROM 2 FOR 3)", "SUBSTRING(s, 2, 3)"],
  ["SUBSTRING(s FROM 2)", "SUBSTRING(s, 2)"],
  ["POSITION('a' IN s)", "POSITION('a', s)"],
  ["OVERLAY(s PLACING 'x' FROM 1 FOR 2)", "OVERLAY(s, 'x', 1, 2)"],
  ["COUNT(ALL a)", "COUNT(a)"],
  ["TIMESTAMPADD(SQL_TSI_DAY, 1, a)", "TIMESTAMPADD(DAY, 1, a)"],
  ["TRIM('x' FROM s)", "TRIM(BOTH 'x' FROM s)"],
  ["TRIM(s)", "TRIM(BOTH FROM s)"],
])("%s means %s", (left, right) => {
  expect(withoutSpans(parseExpression(left))).toEqual(withoutSpans(parseExpression(right)));
});

test.each<[string, object]>([
  ["COUNT(*)", { isStar: true, args: [] }],
  ["COUNT(DISTINCT a)", { isDistinct: true }],
  ["NOW()", { args: [], isStar: false }],
  ["current_timestamp", { name: { text: "current_timestamp" }, args: [] }],
  ["LEFT(s, 1)", { name: { text: "LEFT" } }],
  ["EXTRACT(EPOCH FROM ts)", { args: [{ kind: "unit", unit: "EPOCH" }, { kind: "name" }] }],
  ["FLOOR(ts TO HOUR)", { args: [{ kind: "name" }, { kind: "unit", unit: "HOUR" }] }],
  ["TIMESTAMPDIFF(DAY, a, b)", { args: [{ unit: "DAY" }, {}, {}] }],
  ["SUM(a) FILTER (WHERE b)", { filter: { kind: "name" } }],
  ["SUM(a) OVER w", { over: { text: "w" } }],
  ["L(a) WITHIN GROUP (ORDER BY b DESC)", { withinGroup: [{ isDescending: true }] }],
  ["LAST_VALUE(a) IGNORE NULLS OVER ()", { nulls: "ignore", over: { partitionBy: [] } }],
])("%s", (text, fields) => {
  expect(parseExpression(text)).toMatchObject({ kind: "call", ...fields });
});

test("a call spans all its clauses", () => {
  const text = "SUM(a) FILTER (WHERE b) OVER (ORDER BY c)";
  expect(parseExpression(text).at).toEqual({ start: 0, end: text.length });
});
