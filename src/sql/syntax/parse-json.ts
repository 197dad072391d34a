/** SQL's JSON functions, whose arguments have clauses. */
import type { Expression, JsonArray, JsonBehavior, JsonObject, JsonPathCall } from "./ast.ts";
import type { Cursor } from "./cursor.ts";
import { parseType } from "./parse-type.ts";
import type { Token } from "./token.ts";

const pathFunctions = ["JSON_VALUE", "JSON_QUERY", "JSON_EXISTS"] as const;
const objectFunctions = ["JSON_OBJECT", "JSON_OBJECTAGG"];
const arrayFunctions = ["JSON_ARRAY", "JSON_ARRAYAGG"];
const functions = [...pathFunctions, ...objectFunctions, ...arrayFunctions];

export function isJsonFunction(cursor: Cursor): boolean {
  return cursor.isAnyWord(functions) && cursor.isSymbol("(", 1);
}

export function parseJsonFunction(cursor: Cursor): Expression {
  const start = cursor.advance();
  cursor.expectSymbol("(");
  const pathFunction = pathFunctions.find((each) => each === start.upper);
  if (pathFunction !== undefined) return parsePathCall(cursor, start, pathFunction);
  if (objectFunctions.includes(start.upper)) return parseObject(cursor, start);
  return parseArray(cursor, start);
}

function parsePathCall(cursor: Cursor, start: Token, name: JsonPathCall["name"]): JsonPathCall {
  const { expression } = cursor.grammar;
  const input = expression(cursor);
  cursor.expectSymbol(",");
  const path = expression(cursor);
  const isExists = name === "JSON_EXISTS";
  const returning = !isExists && cursor.acceptWord("RETURNING") ? parseType(cursor) : null;
  const wrapper = name === "JSON_QUERY" ? parseWrapper(cursor) : null;
  let onEmpty: JsonBehavior | null = null;
  let onError: JsonBehavior | null = null;
  while (!cursor.isSymbol(")")) {
    const behavior = parseBehavior(cursor, name);
    cursor.expectWord("ON");
    const event = isExists ? cursor.expectAnyWord("ERROR") : cursor.expectAnyWord("EMPTY", "ERROR");
    if (event === "EMPTY" ? onEmpty !== null || onError !== null : onError !== null) {
      cursor.invalid(behavior, "ON EMPTY and ON ERROR stand once each, in this order");
    }
    if (event === "EMPTY") onEmpty = behavior;
    else onError = behavior;
  }
  cursor.expectSymbol(")");
  const at = cursor.spanFrom(start);
  return { kind: "jsonPath", name, input, path, returning, wrapper, onEmpty, onError, at };
}

function parseWrapper(cursor: Cursor): JsonPathCall["wrapper"] {
  let wrapper: JsonPathCall["wrapper"] = null;
  if (cursor.acceptWord("WITHOUT")) {
    wrapper = "without";
  } else if (cursor.acceptWord("WITH")) {
    const isConditional = cursor.acceptAnyWord("CONDITIONAL", "UNCONDITIONAL") === "CONDITIONAL";
    wrapper = isConditional ? "conditional" : "unconditional";
  }
  if (wrapper === null) return null;
  cursor.acceptWord("ARRAY");
  cursor.expectWord("WRAPPER");
  return wrapper;
}

function parseBehavior(cursor: Cursor, name: JsonPathCall["name"]): JsonBehavior {
  const start = cursor.token;
  const span = () => cursor.spanFrom(start);
  if (name === "JSON_EXISTS") {
    const word = cursor.expectAnyWord("TRUE", "FALSE", "UNKNOWN", "ERROR");
    return { kind: word.toLowerCase() as "true" | "false" | "unknown" | "error", at: span() };
  }
  if (cursor.acceptWord("NULL")) return { kind: "null", at: span() };
  if (cursor.acceptWord("ERROR")) return { kind: "error", at: span() };
  if (name === "JSON_QUERY") {
    cursor.expectWord("EMPTY");
    const kind = cursor.expectAnyWord("ARRAY", "OBJECT") === "ARRAY" ? "emptyArray" : "emptyObject";
    return { kind, at: span() };
  }
  cursor.expectWord("DEFAULT");
  return { kind: "default", expression: cursor.grammar.expression(cursor), at: span() };
}

function parseObject(cursor: Cursor, start: Token): JsonObject {
  const isAggregate = start.upper === "JSON_OBJECTAGG";
  const entries: JsonObject["entries"][number][] = [];
  if (isAggregate) entries.push(parseEntry(cursor));
  else if (!isEndOfItems(cursor)) entries.push(...cursor.list(parseEntry));
  const onNull = parseOnNull(cursor);
  cursor.expectSymbol(")");
  return { kind: "jsonObject", isAggregate, entries, onNull, at: cursor.spanFrom(start) };
}

function parseEntry(cursor: Cursor): JsonObject["entries"][number] {
  const { expression } = cursor.grammar;
  // A column may be called `key` as well: then VALUE or a sign follows it.
  const next = cursor.peek(1);
  if (cursor.isWord("KEY") && next.kind !== "symbol" && next.upper !== "VALUE") cursor.advance();
  const key = expression(cursor);
  cursor.want("VALUE");
  if (!cursor.acceptSymbol(":")) cursor.expectWord("VALUE");
  return { key, value: expression(cursor) };
}

function parseArray(cursor: Cursor, start: Token): JsonArray {
  const isAggregate = start.upper === "JSON_ARRAYAGG";
  const { expression } = cursor.grammar;
  const items: Expression[] = [];
  if (isAggregate) items.push(expression(cursor));
  else if (!isEndOfItems(cursor)) items.push(...cursor.list(expression));
  const onNull = parseOnNull(cursor);
  cursor.expectSymbol(")");
  return { kind: "jsonArray", isAggregate, items, onNull, at: cursor.spanFrom(start) };
}

function isEndOfItems(cursor: Cursor): boolean {
  return cursor.isSymbol(")") || (cursor.isAnyWord(["NULL", "ABSENT"]) && cursor.isWord("ON", 1));
}

function parseOnNull(cursor: Cursor): JsonObject["onNull"] {
  const word = cursor.acceptAnyWord("NULL", "ABSENT");
  if (word === null) return null;
  cursor.expectWord("ON", "NULL");
  return word === "NULL" ? "null" : "absent";
}
