import { expect, test } from "bun:test";
import { parseExpression } from "../../../../src/sql/syntax/parse-statement.ts";

test.each<[string, object]>([
  ["'it''s'", { kind: "string", value: "it's" }],
  ["1.50", { kind: "number", text: "1.50" }],
  ["TRUE", { kind: "boolean", value: true }],
  ["UNKNOWN", { kind: "null" }],
  ["X'0AfF'", { kind: "binaryString", hex: "0aff" }],
  ["(a, b)", { kind: "row", items: [{ kind: "name" }, { kind: "name" }] }],
  ["ROW(1)", { kind: "row", items: [{ kind: "number" }] }],
  ["row", { kind: "name" }],
  ["ARRAY[]", { kind: "array", items: [] }],
  ["MAP['a', 1]", { kind: "map", entries: [{ key: { value: "a" }, value: { text: "1" } }] }],
  ["a[1].b", { kind: "field", operand: { kind: "element" }, field: { text: "b" } }],
  ["(a).b", { kind: "field", operand: { kind: "name" } }],
  ["EXISTS (SELECT 1)", { kind: "exists" }],
  ["(SELECT 1)", { kind: "subquery" }],
  ["((SELECT 1) + 1)", { kind: "binary", left: { kind: "subquery" } }],
  ["CASE a WHEN 1 THEN 2 END", { kind: "case", operand: { kind: "name" }, otherwise: null }],
  ["CASE WHEN a THEN 1 ELSE 2 END", { kind: "case", operand: null, otherwise: { text: "2" } }],
  ["TRY_CAST(a AS INT)", { kind: "cast", isTry: true, type: { name: "INT" } }],
])("%s", (text, tree) => {
  expect(parseExpression(text)).toMatchObject(tree);
});

test("a name keeps its case and knows whether it was quoted", () => {
  const parts = [
    { text: "Bid", isQuoted: false },
    { text: "Price", isQuoted: true },
    { text: "from", isQuoted: false },
  ];
  expect(parseExpression("Bid.`Price`.from")).toMatchObject({ kind: "name", parts });
});
