import { expect, test } from "bun:test";
import type { Expression } from "../../../../src/sql/syntax/ast.ts";
import { parseExpression } from "../../../../src/sql/syntax/parse-statement.ts";

/** The tree as nested lists, operators first. */
function shape(tree: Expression): unknown {
  switch (tree.kind) {
    case "name":
      return tree.parts.map((part) => part.text).join(".");
    case "number":
      return tree.text;
    case "unary":
      return [tree.operator, shape(tree.operand)];
    case "binary":
      return [tree.operator, shape(tree.left), shape(tree.right)];
    case "is":
      return [`IS ${tree.isNegated ? "NOT " : ""}${tree.test}`, shape(tree.operand)];
    case "between":
      return ["BETWEEN", shape(tree.operand), shape(tree.low), shape(tree.high)];
    case "like":
      return [tree.operator, shape(tree.operand), shape(tree.pattern)];
    case "inList":
      return ["IN", shape(tree.operand), ...tree.items.map(shape)];
    default:
      return tree.kind;
  }
}

test.each<[string, unknown]>([
  ["a OR b AND c", ["OR", "a", ["AND", "b", "c"]]],
  ["NOT a = b AND c", ["AND", ["NOT", ["=", "a", "b"]], "c"]],
  ["a = b IS NULL", ["IS NULL", ["=", "a", "b"]]],
  ["NOT a IS NULL", ["NOT", ["IS NULL", "a"]]],
  ["a - b - c", ["-", ["-", "a", "b"], "c"]],
  ["a + b * c || d", ["+", "a", ["||", ["*", "b", "c"], "d"]]],
  ["-a * b", ["*", ["-", "a"], "b"]],
  ["- - a", ["-", ["-", "a"]]],
  ["(a + b) * c", ["*", ["+", "a", "b"], "c"]],
  ["a BETWEEN b AND c AND d", ["AND", ["BETWEEN", "a", "b", "c"], "d"]],
  ["a BETWEEN b + 1 AND c = d", ["=", ["BETWEEN", "a", ["+", "b", "1"], "c"], "d"]],
  ["a LIKE b || c AND d", ["AND", ["LIKE", "a", ["||", "b", "c"]], "d"]],
  ["a IS NOT DISTINCT FROM b + c", ["IS NOT DISTINCT FROM", "a", ["+", "b", "c"]]],
  ["a = b IS DISTINCT FROM c", ["IS DISTINCT FROM", ["=", "a", "b"], "c"]],
  ["a IS DISTINCT FROM b = c", ["=", ["IS DISTINCT FROM", "a", "b"], "c"]],
  ["a IS NULL = b", ["=", ["IS NULL", "a"], "b"]],
  ["a = b LIKE c", ["=", "a", ["LIKE", "b", "c"]]],
  ["a LIKE b = c", ["=", ["LIKE", "a", "b"], "c"]],
  ["a != b", ["<>", "a", "b"]],
  ["a = b IN (c, d)", ["=", "a", ["IN", "b", "c", "d"]]],
  ["t.r.a % 2", ["%", "t.r.a", "2"]],
])("%s", (text, tree) => {
  expect(shape(parseExpression(text))).toEqual(tree);
});

test("an operator says where it stands, an expression spans its parentheses", () => {
  const tree = parseExpression("(a) + b");
  if (tree.kind !== "binary") throw new Error("not binary");
  expect(tree.operatorAt).toEqual({ start: 4, end: 5 });
  expect(tree.left.at).toEqual({ start: 0, end: 3 });
  expect(tree.at).toEqual({ start: 0, end: 7 });
});

test("NOT is part of BETWEEN, IN, LIKE and SIMILAR TO", () => {
  for (const text of [
    "a NOT BETWEEN 1 AND 2",
    "a NOT IN (1)",
    "a NOT LIKE b",
    "a NOT SIMILAR TO b",
  ]) {
    expect(parseExpression(text)).toMatchObject({ isNegated: true });
  }
});
