/**
 * Operators by precedence, Flink's, from the loosest: OR, AND, NOT, IS, comparisons with IS
 * DISTINCT FROM, BETWEEN IN LIKE, + -, * / % ||, unary + -. Operators of one level go left to
 * right. The levels are those by which Flink 2.3 explains such expressions: `||` binds like `*`,
 * and `a = b IS NULL` asks whether the comparison is NULL.
 */
import type { Binary, BinaryOperator, Expression, IsTest, Like } from "./ast.ts";
import type { Cursor } from "./cursor.ts";
import { parsePrimary } from "./parse-primary.ts";
import { precedenceOf, precedences } from "./precedence.ts";
import type { Token } from "./token.ts";

export function parseExpression(cursor: Cursor): Expression {
  cursor.enter();
  const expression = parseFrom(cursor, precedences.or);
  cursor.leave();
  return expression;
}

/** What binds tighter than comparisons and BETWEEN. */
export function parseAddend(cursor: Cursor): Expression {
  return parseFrom(cursor, precedences.add);
}

/** An expression of operators that bind at least as tight as `least`. */
function parseFrom(cursor: Cursor, least: number): Expression {
  let left = parsePrefix(cursor);
  for (;;) {
    const next = parseInfix(cursor, left, least);
    if (next === null) break;
    left = next;
  }
  cursor.want("an operator");
  return left;
}

function parsePrefix(cursor: Cursor): Expression {
  const { token } = cursor;
  if (cursor.isWord("NOT")) {
    cursor.advance();
    const operand = parseOperand(cursor, precedences.not);
    return { kind: "unary", operator: "NOT", operand, at: cursor.spanFrom(token) };
  }
  if (cursor.isSymbol("-") || cursor.isSymbol("+")) {
    const operator = cursor.advance().text === "-" ? "-" : "+";
    const operand = parseOperand(cursor, precedences.sign);
    return { kind: "unary", operator, operand, at: cursor.spanFrom(token) };
  }
  return parsePrimary(cursor);
}

/** Signs and NOTs may stand in a row, so each counts as a level of nesting. */
function parseOperand(cursor: Cursor, least: number): Expression {
  cursor.enter();
  const operand = parseFrom(cursor, least);
  cursor.leave();
  return operand;
}

/** `left` with one more operator, or null when none of at least `least` follows. */
function parseInfix(cursor: Cursor, left: Expression, least: number): Expression | null {
  const { token } = cursor;
  if (token.kind === "symbol") {
    const operator = token.text === "!=" ? "<>" : token.text;
    const precedence = precedenceOf(operator);
    if (precedence === null || precedence < least) return null;
    cursor.advance();
    return parseRight(cursor, left, operator as BinaryOperator, token);
  }
  if (token.kind !== "word") return null;
  switch (token.upper) {
    case "OR":
    case "AND": {
      if (precedenceOf(token.upper) < least) return null;
      cursor.advance();
      return parseRight(cursor, left, token.upper, token);
    }
    case "IS":
      return parseIs(cursor, left, least);
    case "NOT":
    case "BETWEEN":
    case "IN":
    case "LIKE":
    case "SIMILAR":
      return precedences.range < least ? null : parseRange(cursor, left);
    default:
      return null;
  }
}

function parseRight(
  cursor: Cursor,
  left: Expression,
  operator: BinaryOperator,
  token: Token,
): Binary {
  const operatorAt = cursor.spanFrom(token);
  if (precedenceOf(operator) === precedences.compare) refuseQuantifier(cursor, operator);
  const right = parseFrom(cursor, precedenceOf(operator) + 1);
  return { kind: "binary", operator, operatorAt, left, right, at: cursor.spanFrom(left) };
}

function refuseQuantifier(cursor: Cursor, operator: BinaryOperator): void {
  const { token } = cursor;
  if (!cursor.isAnyWord(["ALL", "ANY", "SOME"]) || !cursor.isSymbol("(", 1)) return;
  const remedy = operator === "=" && token.upper !== "ALL" ? "; write IN (…)" : "";
  cursor.unsupported(token, `${operator} ${token.upper} (…) is not supported${remedy}`);
}

const tests = ["NULL", "TRUE", "FALSE", "UNKNOWN"] as const;

function parseIs(cursor: Cursor, operand: Expression, least: number): Expression | null {
  const { token } = cursor;
  const hasNot = cursor.isWord("NOT", 1);
  if (cursor.isWord("DISTINCT", hasNot ? 2 : 1)) {
    if (precedences.compare < least) return null;
    cursor.advance();
    if (hasNot) cursor.advance();
    cursor.expectWord("DISTINCT", "FROM");
    const operator = hasNot ? "IS NOT DISTINCT FROM" : "IS DISTINCT FROM";
    return parseRight(cursor, operand, operator, token);
  }
  if (precedences.is < least) return null;
  cursor.advance();
  const isNegated = cursor.acceptWord("NOT");
  const test = cursor.acceptAnyWord(...tests) ?? parseJsonTest(cursor);
  return { kind: "is", operand, test, isNegated, at: cursor.spanFrom(operand) };
}

function parseJsonTest(cursor: Cursor): IsTest["test"] {
  cursor.want("DISTINCT FROM");
  cursor.expectWord("JSON");
  for (const word of ["VALUE", "OBJECT", "ARRAY", "SCALAR"] as const) {
    if (cursor.acceptWord(word)) return `JSON ${word}`;
  }
  return "JSON";
}

function parseRange(cursor: Cursor, operand: Expression): Expression {
  const isNegated = cursor.acceptWord("NOT");
  const span = () => cursor.spanFrom(operand);
  switch (cursor.expectAnyWord("BETWEEN", "IN", "LIKE", "SIMILAR")) {
    case "BETWEEN": {
      const isSymmetric = cursor.skipAnyWord("SYMMETRIC", "ASYMMETRIC") === "SYMMETRIC";
      const low = parseAddend(cursor);
      cursor.expectWord("AND");
      const high = parseAddend(cursor);
      return { kind: "between", operand, low, high, isSymmetric, isNegated, at: span() };
    }
    case "IN":
      return parseIn(cursor, operand, isNegated);
    case "LIKE":
      return parseLike(cursor, { operand, operator: "LIKE", isNegated });
    default:
      cursor.expectWord("TO");
      return parseLike(cursor, { operand, operator: "SIMILAR TO", isNegated });
  }
}

function parseLike(cursor: Cursor, head: Pick<Like, "operand" | "operator" | "isNegated">): Like {
  const pattern = parseAddend(cursor);
  const escapedBy = cursor.acceptWord("ESCAPE") ? parseAddend(cursor) : null;
  const at = cursor.spanFrom(head.operand);
  return { kind: "like", ...head, pattern, escape: escapedBy, at };
}

function parseIn(cursor: Cursor, operand: Expression, isNegated: boolean): Expression {
  cursor.expectSymbol("(");
  if (cursor.isAnyWord(["SELECT", "WITH", "VALUES"])) {
    const query = cursor.grammar.query(cursor);
    cursor.expectSymbol(")");
    return { kind: "inQuery", operand, query, isNegated, at: cursor.spanFrom(operand) };
  }
  const items = cursor.list(parseExpression);
  cursor.expectSymbol(")");
  return { kind: "inList", operand, items, isNegated, at: cursor.spanFrom(operand) };
}
