/** Function calls, those with words between their arguments among them. */

import { nearest } from "../../base/near.ts";
import type { Call, Expression, TimeUnit, Trim, UnitArgument } from "./ast.ts";
import type { Cursor } from "./cursor.ts";
import type { Identifier } from "./node.ts";
import type { Token } from "./token.ts";

/** Functions that are written without parentheses. */
export const bareFunctions: ReadonlySet<string> = new Set([
  "CURRENT_DATE",
  "CURRENT_TIME",
  "CURRENT_TIMESTAMP",
  "LOCALTIME",
  "LOCALTIMESTAMP",
]);

export const timeUnits: readonly TimeUnit[] = [
  "MILLENNIUM",
  "CENTURY",
  "DECADE",
  "YEAR",
  "QUARTER",
  "MONTH",
  "WEEK",
  "DAY",
  "DOY",
  "DOW",
  "ISODOW",
  "ISOYEAR",
  "HOUR",
  "MINUTE",
  "SECOND",
  "MILLISECOND",
  "MICROSECOND",
  "NANOSECOND",
  "EPOCH",
];

/** Reserved words that are functions before a parenthesis. */
const reservedFunctions = ["LEFT", "RIGHT"];

/** Tells whether a call stands here: `name(`, or one of the functions without parentheses. */
export function isCallHere(cursor: Cursor): boolean {
  const { token } = cursor;
  if (token.kind === "word" && bareFunctions.has(token.upper)) return true;
  if (!cursor.isSymbol("(", 1)) return false;
  return cursor.isName() || cursor.isAnyWord(reservedFunctions);
}

type Rest = Pick<Call, "args" | "isStar" | "isDistinct">;

export function parseCall(cursor: Cursor): Expression {
  const token = cursor.token;
  const name = cursor.takeIdentifier();
  if (!cursor.isSymbol("(")) return { ...emptyCall(name), at: name.at };
  cursor.advance();
  if (token.kind === "word" && token.upper === "TRIM") return parseTrim(cursor, token);
  const special = token.kind === "word" ? specialForms.get(token.upper) : undefined;
  const rest: Rest =
    special === undefined
      ? parseArguments(cursor)
      : { args: special(cursor), isStar: false, isDistinct: false };
  cursor.expectSymbol(")");
  return parseClauses(cursor, { ...emptyCall(name), ...rest, at: name.at });
}

function emptyCall(name: Identifier): Omit<Call, "at"> {
  return {
    kind: "call",
    name,
    args: [],
    isStar: false,
    isDistinct: false,
    filter: null,
    withinGroup: [],
    nulls: null,
    over: null,
  };
}

function parseArguments(cursor: Cursor): Rest {
  if (cursor.isSymbol("*")) {
    cursor.advance();
    return { args: [], isStar: true, isDistinct: false };
  }
  if (cursor.isSymbol(")")) return { args: [], isStar: false, isDistinct: false };
  const isDistinct = cursor.skipAnyWord("DISTINCT", "ALL") === "DISTINCT";
  return { args: cursor.list(parseArgument), isStar: false, isDistinct };
}

function parseArgument(cursor: Cursor): Expression {
  if (cursor.isAnyWord(["SELECT", "WITH"])) {
    return cursor.invalid(cursor.token, "a query among arguments stands in parentheses of its own");
  }
  const argument = cursor.grammar.expression(cursor);
  if (cursor.isSymbol("=>")) {
    cursor.unsupported(argument, "arguments by name are supported in table functions only");
  }
  return argument;
}

/** WITHIN GROUP, FILTER, IGNORE NULLS and OVER after the parenthesis. */
function parseClauses(cursor: Cursor, call: Call): Call {
  let { withinGroup, filter, nulls, over } = call;
  if (cursor.isWord("WITHIN")) {
    cursor.expectWord("WITHIN", "GROUP");
    cursor.expectSymbol("(");
    withinGroup = cursor.grammar.sortItems(cursor);
    cursor.expectSymbol(")");
  }
  if (cursor.isAnyWord(["IGNORE", "RESPECT"]) && cursor.isWord("NULLS", 1)) {
    nulls = cursor.advance().upper === "IGNORE" ? "ignore" : "respect";
    cursor.advance();
  }
  if (cursor.isWord("FILTER") && cursor.isSymbol("(", 1)) {
    cursor.advance();
    cursor.expectSymbol("(");
    cursor.expectWord("WHERE");
    filter = cursor.grammar.expression(cursor);
    cursor.expectSymbol(")");
  }
  if (cursor.isWord("OVER")) {
    cursor.advance();
    over = cursor.isSymbol("(")
      ? cursor.grammar.overWindow(cursor)
      : cursor.identifier("( or the name of a window");
  }
  return { ...call, withinGroup, filter, nulls, over, at: cursor.spanFrom(call) };
}

const specialForms: ReadonlyMap<string, (cursor: Cursor) => Expression[]> = new Map([
  ["EXTRACT", parseExtract],
  ["POSITION", (cursor: Cursor) => parseWithWords(cursor, ["IN", "FROM"], true)],
  ["SUBSTRING", (cursor: Cursor) => parseWithWords(cursor, ["FROM", "FOR"])],
  ["OVERLAY", (cursor: Cursor) => parseWithWords(cursor, ["PLACING", "FROM", "FOR"])],
  ["CEIL", parseRounding],
  ["CEILING", parseRounding],
  ["FLOOR", parseRounding],
  ["TIMESTAMPADD", parseUnitFirst],
  ["TIMESTAMPDIFF", parseUnitFirst],
]);

function parseExtract(cursor: Cursor): Expression[] {
  const unit = parseUnit(cursor);
  cursor.expectWord("FROM");
  return [unit, cursor.grammar.expression(cursor)];
}

/** `a FROM b FOR c`, or the same by commas. The first word of POSITION is also an operator. */
function parseWithWords(cursor: Cursor, words: readonly string[], isTight = false): Expression[] {
  const { expression, addend } = cursor.grammar;
  const args = [isTight ? addend(cursor) : expression(cursor)];
  if (cursor.isSymbol(",")) {
    while (cursor.acceptSymbol(",")) args.push(expression(cursor));
    return args;
  }
  for (const word of words) {
    if (!cursor.acceptWord(word)) {
      if (args.length === 1) cursor.want(",");
      if (args.length === 1) return cursor.fail();
      break;
    }
    args.push(expression(cursor));
  }
  return args;
}

/** `x TO unit`, or plain arguments. */
function parseRounding(cursor: Cursor): Expression[] {
  const args = cursor.list(cursor.grammar.expression);
  if (args.length === 1 && cursor.acceptWord("TO")) args.push(parseUnit(cursor));
  return args;
}

function parseUnitFirst(cursor: Cursor): Expression[] {
  const args: Expression[] = [parseUnit(cursor)];
  while (cursor.acceptSymbol(",")) args.push(cursor.grammar.expression(cursor));
  return args;
}

function parseUnit(cursor: Cursor): UnitArgument {
  const { token } = cursor;
  const written = token.upper.replace(/^SQL_TSI_/, "");
  const unit = timeUnits.find((each) => each === written);
  if (token.kind === "word" && unit !== undefined) {
    cursor.advance();
    return { kind: "unit", unit, at: cursor.spanFrom(token) };
  }
  cursor.want("a unit of time");
  if (token.kind !== "word") return cursor.fail();
  const near = nearest(token.text, timeUnits) ?? undefined;
  return cursor.invalid(token, `${token.text} is not a unit of time`, near);
}

/** `TRIM(BOTH 'x' FROM s)`, `TRIM('x' FROM s)`, `TRIM(s)`; the parenthesis is taken. */
function parseTrim(cursor: Cursor, start: Token): Trim {
  const side = cursor.skipAnyWord("BOTH", "LEADING", "TRAILING");
  const { expression } = cursor.grammar;
  const first = side !== null && cursor.isWord("FROM") ? null : expression(cursor);
  let characters: Expression | null = null;
  let operand = first;
  if (cursor.acceptWord("FROM")) {
    characters = first;
    operand = expression(cursor);
  }
  cursor.expectSymbol(")");
  const at = cursor.spanFrom(start);
  if (operand === null) return cursor.fail();
  return { kind: "trim", side: side ?? "BOTH", characters, operand, at };
}
