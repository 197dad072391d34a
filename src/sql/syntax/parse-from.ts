/** FROM: tables, subqueries, table functions and joins. */
import type { DerivedTable, Join, NamedTable, TableAlias, TableReference } from "./ast.ts";
import type { Cursor } from "./cursor.ts";
import { parseTableFunction } from "./parse-table-function.ts";

/** What follows FROM. A comma is a CROSS JOIN that binds looser than the joins with a word. */
export function parseFrom(cursor: Cursor): TableReference {
  let left = parseJoins(cursor);
  while (cursor.acceptSymbol(",")) {
    const right = parseJoins(cursor);
    left = { ...join("cross", left, right), at: cursor.spanFrom(left) };
  }
  return left;
}

function parseJoins(cursor: Cursor): TableReference {
  let left = parseTable(cursor);
  for (;;) {
    cursor.want("JOIN");
    const head = parseJoinHead(cursor);
    if (head === null) return left;
    const right = parseTable(cursor);
    const condition = head.needsCondition ? parseCondition(cursor) : {};
    const { joinType, isNatural } = head;
    left = {
      ...join(joinType, left, right),
      isNatural,
      ...condition,
      at: cursor.spanFrom(left),
    };
  }
}

function join(joinType: Join["joinType"], left: TableReference, right: TableReference): Join {
  const { start } = left.at;
  const at = { start, end: right.at.end };
  return { kind: "join", joinType, isNatural: false, left, right, on: null, using: [], at };
}

interface JoinHead extends Pick<Join, "joinType" | "isNatural"> {
  readonly needsCondition: boolean;
}

const sides = ["LEFT", "RIGHT", "FULL"] as const;

/** The words up to and with JOIN; null when no join begins here. */
function parseJoinHead(cursor: Cursor): JoinHead | null {
  if (!cursor.isAnyWord(["JOIN", "INNER", "CROSS", "NATURAL", ...sides])) return null;
  if (cursor.isWord("CROSS")) {
    cursor.advance();
    cursor.expectWord("JOIN");
    return { joinType: "cross", isNatural: false, needsCondition: false };
  }
  const isNatural = cursor.acceptWord("NATURAL");
  const side = sides.find((each) => cursor.isWord(each));
  if (side === undefined) {
    cursor.acceptWord("INNER");
  } else {
    cursor.advance();
    if (cursor.isAnyWord(["SEMI", "ANTI"])) {
      const remedy = cursor.isWord("SEMI") ? "IN (SELECT …)" : "NOT IN (SELECT …)";
      cursor.unsupported(cursor.token, `${cursor.token.upper} JOIN is not supported; ${remedy} is`);
    }
    cursor.acceptWord("OUTER");
  }
  cursor.expectWord("JOIN");
  const joinType = (side ?? "INNER").toLowerCase() as Join["joinType"];
  return { joinType, isNatural, needsCondition: !isNatural };
}

function parseCondition(cursor: Cursor): Partial<Pick<Join, "on" | "using">> {
  if (cursor.acceptWord("ON")) return { on: cursor.grammar.expression(cursor) };
  cursor.expectWord("USING");
  return { using: cursor.listInParentheses((inside) => inside.identifier("a column name")) };
}

function parseTable(cursor: Cursor): TableReference {
  const start = cursor.token;
  const isLateral = cursor.isWord("LATERAL");
  if (isLateral) cursor.advance();
  if (cursor.isSymbol("(")) {
    if (isLateral || isQueryAhead(cursor)) return parseDerived(cursor, isLateral);
    return parseParentheses(cursor);
  }
  if (cursor.isWord("TABLE")) {
    cursor.advance();
    cursor.expectSymbol("(");
    const inner = parseTableFunction(cursor);
    cursor.expectSymbol(")");
    const alias = parseTableAlias(cursor);
    return { ...inner, isLateral, alias, at: cursor.spanFrom(start) };
  }
  if (cursor.isWord("UNNEST") && cursor.isSymbol("(", 1)) return cursor.fail();
  if (isLateral) {
    cursor.want("TABLE");
    cursor.want("(");
    return cursor.fail();
  }
  if (cursor.isName() && cursor.isSymbol("(", 1)) {
    const inner = parseTableFunction(cursor);
    return { ...inner, alias: parseTableAlias(cursor), at: cursor.spanFrom(start) };
  }
  return parseNamed(cursor);
}

function parseNamed(cursor: Cursor): NamedTable {
  const name = cursor.path("a table name");
  let asOf = parseAsOf(cursor);
  const alias = parseTableAlias(cursor);
  asOf ??= parseAsOf(cursor);
  return { kind: "table", name, alias, asOf, at: cursor.spanFrom(name) };
}

function parseAsOf(cursor: Cursor) {
  if (!cursor.isWord("FOR")) return null;
  cursor.expectWord("FOR", "SYSTEM_TIME", "AS", "OF");
  return cursor.grammar.expression(cursor);
}

function parseDerived(cursor: Cursor, isLateral: boolean): DerivedTable {
  const start = cursor.token;
  cursor.expectSymbol("(");
  const query = cursor.grammar.query(cursor);
  cursor.expectSymbol(")");
  const alias = parseTableAlias(cursor);
  return { kind: "derived", isLateral, query, alias, at: cursor.spanFrom(start) };
}

/** Joins in parentheses. */
function parseParentheses(cursor: Cursor): TableReference {
  cursor.enter();
  const start = cursor.advance();
  cursor.want("SELECT");
  const inner = parseFrom(cursor);
  cursor.expectSymbol(")");
  cursor.leave();
  return { ...inner, at: cursor.spanFrom(start) };
}

/** `[AS] name [(columns)]`. */
function parseTableAlias(cursor: Cursor): TableAlias | null {
  const name = cursor.alias("a name for the table");
  if (name === null) return null;
  const columns = cursor.isSymbol("(")
    ? cursor.listInParentheses((inside) => inside.identifier("a column name"))
    : [];
  return { name, columns, at: cursor.spanFrom(name) };
}

const queryWords = ["SELECT", "WITH", "VALUES"];
const afterQuery = ["UNION", "INTERSECT", "EXCEPT", "ORDER", "LIMIT", "OFFSET", "FETCH"];

/**
 * At a parenthesis: tells `(SELECT …)` and `((SELECT …) UNION …)` from `((SELECT …) a JOIN b)`,
 * where the first parenthesis holds joins.
 */
function isQueryAhead(cursor: Cursor): boolean {
  let opened = 1;
  while (cursor.isSymbol("(", opened)) opened++;
  if (!cursor.isAnyWord(queryWords, opened)) return false;
  if (opened === 1) return true;
  let depth = 1;
  let count = 2;
  for (; depth > 0 && cursor.peek(count).kind !== "end"; count++) {
    if (cursor.isSymbol("(", count)) depth++;
    else if (cursor.isSymbol(")", count)) depth--;
  }
  return cursor.isSymbol(")", count) || cursor.isAnyWord(afterQuery, count);
}
