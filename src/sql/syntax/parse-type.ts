/** Types: Flink's names and their synonyms. */

import { nearest } from "../../base/near.ts";
import type { StringLiteral } from "./ast.ts";
import type { Cursor } from "./cursor.ts";
import type { IntervalUnit, ScalarTypeName, TypeField, TypeNode } from "./type-node.ts";

interface NameRule {
  readonly name: ScalarTypeName;
  /** How many numbers in parentheses it may take. */
  readonly parametersMax: number;
}

const rules: ReadonlyMap<string, NameRule> = new Map(
  (
    [
      ["BOOLEAN", "BOOLEAN", 0],
      ["TINYINT", "TINYINT", 0],
      ["SMALLINT", "SMALLINT", 0],
      ["INT", "INT", 0],
      ["INTEGER", "INT", 0],
      ["BIGINT", "BIGINT", 0],
      ["FLOAT", "FLOAT", 0],
      ["REAL", "FLOAT", 0],
      ["DOUBLE", "DOUBLE", 0],
      ["DECIMAL", "DECIMAL", 2],
      ["DEC", "DECIMAL", 2],
      ["NUMERIC", "DECIMAL", 2],
      ["CHAR", "CHAR", 1],
      ["CHARACTER", "CHAR", 1],
      ["VARCHAR", "VARCHAR", 1],
      ["STRING", "STRING", 0],
      ["BINARY", "BINARY", 1],
      ["VARBINARY", "VARBINARY", 1],
      ["BYTES", "BYTES", 0],
      ["DATE", "DATE", 0],
      ["TIME", "TIME", 1],
      ["TIMESTAMP", "TIMESTAMP", 1],
      ["TIMESTAMP_LTZ", "TIMESTAMP_LTZ", 1],
      ["JSON", "JSON", 0],
    ] as const
  ).map(([word, name, parametersMax]) => [word, { name, parametersMax }]),
);

const compositeNames = ["ROW", "ARRAY", "MAP", "MULTISET", "INTERVAL"];
export const typeNames: readonly string[] = [...rules.keys(), ...compositeNames];

/** What other systems call theirs. */
const foreignNames: ReadonlyMap<string, string> = new Map([
  ["TEXT", "STRING"],
  ["BOOL", "BOOLEAN"],
  ["LONG", "BIGINT"],
  ["DATETIME", "TIMESTAMP(3)"],
  ["TIMESTAMPTZ", "TIMESTAMP_LTZ(3)"],
  ["BLOB", "BYTES"],
  ["BYTEA", "BYTES"],
  ["UUID", "STRING"],
  ["NUMBER", "DECIMAL(p, s)"],
  ["INT2", "SMALLINT"],
  ["INT4", "INT"],
  ["INT8", "BIGINT"],
  ["FLOAT4", "FLOAT"],
  ["FLOAT8", "DOUBLE"],
  ["STRUCT", "ROW<name type, …>"],
  ["JSONB", "JSON"],
  ["UNSIGNED", "BIGINT"],
]);

const unsupportedNames = ["RAW", "VARIANT", "SYMBOL", "DESCRIPTOR", "BITMAP", "GEOMETRY"];

/** The largest number in parentheses: VARCHAR(2147483647). */
const parameterMax = 2_147_483_647;

/** A type with its NOT NULL, ARRAY and MULTISET suffixes. */
export function parseType(cursor: Cursor): TypeNode {
  cursor.enter();
  const start = cursor.token;
  let type = parseBareType(cursor);
  for (;;) {
    if (cursor.isWord("NOT") && cursor.isWord("NULL", 1)) {
      cursor.advance();
      cursor.advance();
      type = { ...type, isNullable: false, at: cursor.spanFrom(start) };
    } else if (cursor.isWord("NULL") && !cursor.isWord("ON", 1)) {
      cursor.advance();
    } else if (cursor.isAnyWord(["ARRAY", "MULTISET"])) {
      const kind = cursor.advance().upper === "ARRAY" ? "array" : "multiset";
      type = { kind, element: type, isNullable: true, at: cursor.spanFrom(start) };
    } else {
      cursor.leave();
      return type;
    }
  }
}

function parseBareType(cursor: Cursor): TypeNode {
  const { token } = cursor;
  if (token.kind !== "word") {
    cursor.want("a type");
    cursor.fail();
  }
  const base = { isNullable: true } as const;
  switch (token.upper) {
    case "ROW":
      cursor.advance();
      return { ...base, kind: "row", fields: parseFields(cursor), at: cursor.spanFrom(token) };
    case "ARRAY":
    case "MULTISET": {
      cursor.advance();
      const [element] = parseTypeArguments(cursor, 1);
      const kind = token.upper === "ARRAY" ? "array" : "multiset";
      if (element === undefined) return cursor.fail();
      return { ...base, kind, element, at: cursor.spanFrom(token) };
    }
    case "MAP": {
      cursor.advance();
      const [key, value] = parseTypeArguments(cursor, 2);
      if (key === undefined || value === undefined) return cursor.fail();
      return { ...base, kind: "map", key, value, at: cursor.spanFrom(token) };
    }
    case "INTERVAL":
      cursor.advance();
      return { ...base, kind: "interval", ...parseUnits(cursor), at: cursor.spanFrom(token) };
    default:
      return parseScalarType(cursor);
  }
}

function parseScalarType(cursor: Cursor): TypeNode {
  const { token } = cursor;
  const rule = rules.get(token.upper);
  if (rule === undefined) return failUnknownType(cursor);
  cursor.advance();
  let { name } = rule;
  if (token.upper === "DOUBLE" && cursor.isWord("PRECISION")) cursor.advance();
  if ((name === "CHAR" || name === "BINARY") && cursor.isWord("VARYING")) {
    cursor.advance();
    name = name === "CHAR" ? "VARCHAR" : "VARBINARY";
  }
  const parameters = parseParameters(cursor, rule.parametersMax);
  if (name === "TIMESTAMP" && parseTimeZone(cursor)) name = "TIMESTAMP_LTZ";
  if (name === "TIME") parseTimeZone(cursor);
  return { kind: "scalar", name, parameters, isNullable: true, at: cursor.spanFrom(token) };
}

function failUnknownType(cursor: Cursor): never {
  const { token } = cursor;
  if (unsupportedNames.includes(token.upper)) {
    cursor.unsupported(token, `the type ${token.upper} is not supported`);
  }
  const near = foreignNames.get(token.upper) ?? nearest(token.text, typeNames);
  cursor.invalid(token, `${token.text} is not a type`, near ?? undefined);
}

function parseParameters(cursor: Cursor, max: number): number[] {
  if (!cursor.isSymbol("(") || max === 0) return [];
  cursor.advance();
  const parameters = [cursor.count("a number", parameterMax)];
  if (max > 1 && cursor.acceptSymbol(",")) parameters.push(cursor.count("a number", parameterMax));
  cursor.expectSymbol(")");
  return parameters;
}

/** WITH LOCAL TIME ZONE: true. */
function parseTimeZone(cursor: Cursor): boolean {
  const { token } = cursor;
  if (cursor.isWord("WITHOUT")) {
    cursor.advance();
    cursor.expectWord("TIME", "ZONE");
    return false;
  }
  // WITH alone begins the options of CREATE TABLE.
  if (!cursor.isWord("WITH") || !cursor.isAnyWord(["LOCAL", "TIME"], 1)) return false;
  cursor.advance();
  if (cursor.isWord("TIME")) {
    cursor.unsupported(token, "a time zone per value is not supported; write TIMESTAMP_LTZ(3)");
  }
  cursor.expectWord("LOCAL", "TIME", "ZONE");
  return true;
}

/** `ROW<name type, …>` or `ROW(name type, …)`. */
function parseFields(cursor: Cursor): TypeField[] {
  if (cursor.isSymbol("<>")) cursor.unsupported(cursor.token, "a ROW without fields");
  const close = cursor.acceptSymbol("<") ? ">" : ")";
  if (close === ")") cursor.expectSymbol("(");
  const fields = cursor.list(parseField);
  cursor.expectSymbol(close);
  return fields;
}

function parseField(cursor: Cursor): TypeField {
  const name = cursor.identifier("a field name");
  const type = parseType(cursor);
  const comment = parseComment(cursor);
  return { name, type, comment, at: cursor.spanFrom(name) };
}

/** `'…'` after a ROW's field; `COMMENT '…'` is a column's. */
function parseComment(cursor: Cursor): string | null {
  if (cursor.token.kind !== "string") return null;
  const comment: StringLiteral = cursor.string("a comment");
  return comment.value;
}

function parseTypeArguments(cursor: Cursor, count: number): TypeNode[] {
  cursor.expectSymbol("<");
  const types = [parseType(cursor)];
  while (types.length < count) {
    cursor.expectSymbol(",");
    types.push(parseType(cursor));
  }
  cursor.expectSymbol(">");
  return types;
}

const unitNames: ReadonlyMap<string, IntervalUnit> = new Map(
  (["YEAR", "QUARTER", "MONTH", "WEEK", "DAY", "HOUR", "MINUTE", "SECOND"] as const).flatMap(
    (unit): [string, IntervalUnit][] => [
      [unit, unit],
      [`${unit}S`, unit],
    ],
  ),
);

/** YEAR, DAYS …: the unit of a word in capitals. */
export function intervalUnitOf(word: string): IntervalUnit | null {
  return unitNames.get(word) ?? null;
}

const finer: Readonly<Record<IntervalUnit, readonly IntervalUnit[]>> = {
  YEAR: ["MONTH"],
  QUARTER: [],
  MONTH: [],
  WEEK: [],
  DAY: ["HOUR", "MINUTE", "SECOND"],
  HOUR: ["MINUTE", "SECOND"],
  MINUTE: ["SECOND"],
  SECOND: [],
};

/** `DAY`, `DAY(3) TO SECOND(3)`; precisions are read over: all values have the same range. */
export function parseUnits(cursor: Cursor): { from: IntervalUnit; to: IntervalUnit | null } {
  const from = parseUnit(cursor);
  if (finer[from].length === 0 || !cursor.isWord("TO")) return { from, to: null };
  cursor.advance();
  const { token } = cursor;
  const to = parseUnit(cursor);
  if (finer[from].includes(to)) return { from, to };
  return cursor.invalid(
    token,
    `${from} TO ${to} is no interval; after TO: ${finer[from].join(", ")}`,
  );
}

function parseUnit(cursor: Cursor): IntervalUnit {
  const { token } = cursor;
  const unit = token.kind === "word" ? intervalUnitOf(token.upper) : null;
  if (unit === null) {
    for (const each of unitNames.values()) cursor.want(each);
    return cursor.fail();
  }
  cursor.advance();
  if (cursor.isSymbol("(")) {
    cursor.advance();
    cursor.count("a number", 9);
    if (cursor.acceptSymbol(",")) cursor.count("a number", 9);
    cursor.expectSymbol(")");
  }
  return unit;
}
