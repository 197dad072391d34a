/** What operators stand between: literals, names, calls, parentheses, CASE, CAST, subqueries. */
import type { Case, Cast, Expression, Name } from "./ast.ts";
import type { Cursor } from "./cursor.ts";
import { reservedWords, temptingWords } from "./keywords.ts";
import { isCallHere, parseCall } from "./parse-call.ts";
import { isJsonFunction, parseJsonFunction } from "./parse-json.ts";
import { parseDatetime, parseInterval } from "./parse-literal.ts";
import { parseType } from "./parse-type.ts";
import type { Token } from "./token.ts";

export function parsePrimary(cursor: Cursor): Expression {
  let expression = parseBare(cursor);
  for (;;) {
    if (cursor.isSymbol("[")) {
      cursor.advance();
      const index = cursor.grammar.expression(cursor);
      cursor.expectSymbol("]");
      const at = cursor.spanFrom(expression);
      expression = { kind: "element", operand: expression, index, at };
    } else if (cursor.isSymbol(".") && !cursor.isSymbol("*", 1)) {
      cursor.advance();
      const field = cursor.identifierAfterDot();
      expression = { kind: "field", operand: expression, field, at: cursor.spanFrom(expression) };
    } else {
      return expression;
    }
  }
}

function parseBare(cursor: Cursor): Expression {
  const { token } = cursor;
  switch (token.kind) {
    case "number":
      cursor.advance();
      return { kind: "number", text: token.text, at: cursor.spanFrom(token) };
    case "string":
      return cursor.string("a string");
    case "binary":
      cursor.advance();
      return { kind: "binaryString", hex: token.text, at: cursor.spanFrom(token) };
    case "symbol":
      if (token.text === "(") return parseParentheses(cursor);
      break;
    case "word":
      return parseWord(cursor, token);
    case "quoted":
      return isCallHere(cursor) ? parseCall(cursor) : parseName(cursor);
    default:
      break;
  }
  return failWanted(cursor);
}

function failWanted(cursor: Cursor): never {
  const { token } = cursor;
  const isTempting = token.kind === "word" && temptingWords.has(token.upper);
  if (isTempting && !cursor.isWord("BY", 1)) return cursor.identifier("an expression") as never;
  cursor.want("an expression");
  return cursor.fail();
}

function parseWord(cursor: Cursor, token: Token): Expression {
  switch (token.upper) {
    case "TRUE":
    case "FALSE":
      cursor.advance();
      return { kind: "boolean", value: token.upper === "TRUE", at: cursor.spanFrom(token) };
    case "NULL":
    case "UNKNOWN":
      cursor.advance();
      return { kind: "null", at: cursor.spanFrom(token) };
    case "CASE":
      return parseCase(cursor);
    case "CAST":
    case "TRY_CAST":
      return parseCast(cursor);
    case "EXISTS": {
      cursor.advance();
      const query = parseSubquery(cursor);
      return { kind: "exists", query, at: cursor.spanFrom(token) };
    }
    case "ROW":
    case "ARRAY":
    case "MAP": {
      const value = parseConstructor(cursor, token);
      if (value !== null) return value;
      break;
    }
    default:
      break;
  }
  const literal = parseDatetime(cursor) ?? parseInterval(cursor);
  if (literal !== null) return literal;
  if (isJsonFunction(cursor)) return parseJsonFunction(cursor);
  if (isCallHere(cursor)) return parseCall(cursor);
  if (reservedWords.has(token.upper)) return failWanted(cursor);
  return parseName(cursor);
}

function parseName(cursor: Cursor): Expression {
  const first = cursor.takeIdentifier();
  const parts = [first];
  while (cursor.isSymbol(".") && !cursor.isSymbol("*", 1)) {
    cursor.advance();
    parts.push(cursor.identifierAfterDot());
  }
  if (cursor.isSymbol("(")) {
    const name = parts.map((part) => part.text).join(".");
    if (parts.length > 1) {
      return cursor.unsupported(
        cursor.spanFrom(first),
        `${name}(…) is not supported: functions stand in no catalog; write ${parts.at(-1)?.text}(…)`,
      );
    }
  }
  const expression: Name = { kind: "name", parts, at: cursor.spanFrom(first) };
  return expression;
}

/** `(query)`, `(expression)`, or a row `(a, b)`. */
function parseParentheses(cursor: Cursor): Expression {
  const start = cursor.advance();
  if (cursor.isAnyWord(["SELECT", "WITH", "VALUES"])) {
    const query = cursor.grammar.query(cursor);
    cursor.expectSymbol(")");
    return { kind: "subquery", query, at: cursor.spanFrom(start) };
  }
  const items = cursor.list(cursor.grammar.expression);
  cursor.expectSymbol(")");
  const at = cursor.spanFrom(start);
  const [only] = items;
  // The parentheses belong to the text that a complaint about the expression points at.
  if (items.length === 1 && only !== undefined) return { ...only, at };
  return { kind: "row", items, at };
}

function parseSubquery(cursor: Cursor) {
  cursor.expectSymbol("(");
  const query = cursor.grammar.query(cursor);
  cursor.expectSymbol(")");
  return query;
}

function parseCase(cursor: Cursor): Case {
  const start = cursor.advance();
  const { expression } = cursor.grammar;
  const operand = cursor.isWord("WHEN") ? null : expression(cursor);
  const branches: Case["branches"][number][] = [];
  cursor.expectWord("WHEN");
  do {
    const when = expression(cursor);
    cursor.expectWord("THEN");
    branches.push({ when, result: expression(cursor) });
  } while (cursor.acceptWord("WHEN"));
  const otherwise = cursor.acceptWord("ELSE") ? expression(cursor) : null;
  cursor.expectWord("END");
  return { kind: "case", operand, branches, otherwise, at: cursor.spanFrom(start) };
}

function parseCast(cursor: Cursor): Cast {
  const start = cursor.advance();
  cursor.expectSymbol("(");
  const operand = cursor.grammar.expression(cursor);
  cursor.expectWord("AS");
  const type = parseType(cursor);
  cursor.expectSymbol(")");
  const isTry = start.upper === "TRY_CAST";
  return { kind: "cast", operand, type, isTry, at: cursor.spanFrom(start) };
}

/** `ROW(…)`, `ARRAY[…]`, `MAP[…]`; null when the word is a name. */
function parseConstructor(cursor: Cursor, token: Token): Expression | null {
  const { expression } = cursor.grammar;
  if (token.upper === "ROW") {
    if (!cursor.isSymbol("(", 1)) return null;
    cursor.advance();
    const items = cursor.listInParentheses(expression);
    return { kind: "row", items, at: cursor.spanFrom(token) };
  }
  if (cursor.isSymbol("(", 1) && cursor.isAnyWord(["SELECT", "WITH"], 2)) {
    return cursor.unsupported(token, `${token.upper}(query) is not supported`);
  }
  if (!cursor.isSymbol("[", 1)) return null;
  cursor.advance();
  cursor.advance();
  const items = cursor.isSymbol("]") ? [] : cursor.list(expression);
  cursor.expectSymbol("]");
  const at = cursor.spanFrom(token);
  if (token.upper === "ARRAY") return { kind: "array", items, at };
  if (items.length % 2 !== 0) {
    return cursor.invalid(at, "MAP takes keys and values in turn: MAP['a', 1, 'b', 2]");
  }
  const entries: { key: Expression; value: Expression }[] = [];
  for (let index = 0; index < items.length; index += 2) {
    entries.push({ key: items[index] as Expression, value: items[index + 1] as Expression });
  }
  return { kind: "map", entries, at };
}
