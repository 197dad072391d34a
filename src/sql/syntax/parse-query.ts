/** Queries: WITH, SELECT, VALUES, set operations, and what may follow them. */
import type {
  CommonTable,
  Count,
  Emit,
  GroupItem,
  NamedWindow,
  Query,
  QueryBody,
  Select,
  SelectItem,
  SortItem,
  Values,
} from "./ast.ts";
import type { Cursor } from "./cursor.ts";
import type { AstNode, Identifier, NamePath } from "./node.ts";
import { parseFrom } from "./parse-from.ts";
import { expectInterval } from "./parse-literal.ts";
import { parseOrderBy } from "./parse-over.ts";

/** A subquery: EMIT and ALLOWED LATENESS belong to the statement. */
export function parseSubquery(cursor: Cursor): Query {
  const query = parseQuery(cursor);
  const clause = query.emit ?? query.allowedLateness;
  if (clause === null) return query;
  const name = clause === query.emit ? "EMIT" : "ALLOWED LATENESS";
  return cursor.invalid(clause, `${name} stands at the end of the statement, not in a subquery`);
}

/** A query with all clauses that may follow it. */
export function parseQuery(cursor: Cursor): Query {
  cursor.enter();
  const start = cursor.token;
  const commonTables = cursor.acceptWord("WITH") ? parseCommonTables(cursor) : [];
  const body = parseBody(cursor);
  cursor.want("ORDER BY");
  const orderBy: SortItem[] = cursor.isWord("ORDER") ? parseOrderBy(cursor) : [];
  const tail = parseTail(cursor);
  cursor.leave();
  return { with: commonTables, body, orderBy, ...tail, at: cursor.spanFrom(start) };
}

function parseCommonTables(cursor: Cursor): CommonTable[] {
  if (cursor.isWord("RECURSIVE")) return cursor.fail();
  return cursor.list(parseCommonTable);
}

function parseCommonTable(cursor: Cursor): CommonTable {
  const name = cursor.identifier("a name for the query");
  const columns = parseColumnNames(cursor);
  cursor.expectWord("AS");
  cursor.expectSymbol("(");
  const query = parseSubquery(cursor);
  cursor.expectSymbol(")");
  return { name, columns, query, at: cursor.spanFrom(name) };
}

/** `(a, b)`, or nothing. */
export function parseColumnNames(cursor: Cursor): Identifier[] {
  if (!cursor.isSymbol("(")) return [];
  return cursor.listInParentheses((inside) => inside.identifier("a column name"));
}

type Tail = Pick<Query, "limit" | "offset" | "emit" | "allowedLateness">;

/** LIMIT, OFFSET, FETCH, EMIT and ALLOWED LATENESS, each once, in any order. */
function parseTail(cursor: Cursor): Tail {
  let tail: Tail = { limit: null, offset: null, emit: null, allowedLateness: null };
  for (;;) {
    const start = cursor.token;
    const part = parseTailClause(cursor);
    if (part === null) return tail;
    for (const name of Object.keys(part) as (keyof Tail)[]) {
      if (tail[name] !== null) cursor.invalid(start, `${start.upper} stands here a second time`);
    }
    tail = { ...tail, ...part };
  }
}

function parseTailClause(cursor: Cursor): Partial<Tail> | null {
  const start = cursor.token;
  if (cursor.acceptWord("LIMIT")) {
    return cursor.skipAnyWord("ALL") !== null ? {} : { limit: parseCount(cursor) };
  }
  if (cursor.acceptWord("OFFSET")) {
    const offset = parseCount(cursor);
    cursor.skipAnyWord("ROW", "ROWS");
    return { offset };
  }
  if (cursor.acceptWord("FETCH")) {
    cursor.expectAnyWord("FIRST", "NEXT");
    const hasCount = cursor.token.kind === "number";
    const limit = hasCount ? parseCount(cursor) : { value: 1, at: cursor.spanFrom(start) };
    cursor.expectAnyWord("ROW", "ROWS");
    cursor.expectWord("ONLY");
    return { limit };
  }
  if (cursor.acceptWord("EMIT")) return { emit: parseEmit(cursor, start) };
  if (cursor.acceptWord("ALLOWED")) {
    cursor.expectWord("LATENESS");
    return { allowedLateness: expectInterval(cursor) };
  }
  return null;
}

function parseCount(cursor: Cursor): Count {
  const start = cursor.token;
  const value = cursor.count("a number of rows", Number.MAX_SAFE_INTEGER);
  return { value, at: cursor.spanFrom(start) };
}

function parseEmit(cursor: Cursor, start: Emit["at"]): Emit {
  const mode = cursor.acceptAnyWord("FINAL", "CHANGES", "PERIODIC");
  if (mode === "FINAL") return { mode: "final", at: cursor.spanFrom(start.start) };
  if (mode === "CHANGES") return { mode: "changes", at: cursor.spanFrom(start.start) };
  if (mode === null) return cursor.fail();
  return { mode: "periodic", every: expectInterval(cursor), at: cursor.spanFrom(start.start) };
}

// ── Bodies ──────────────────────────────────────────────────────────────────────────────────────

/** UNION and EXCEPT, of which INTERSECT binds tighter; left to right. */
function parseBody(cursor: Cursor): QueryBody {
  let left = parseIntersections(cursor);
  for (;;) {
    const operator = cursor.acceptAnyWord("UNION", "EXCEPT");
    if (operator === null) return left;
    const isAll = parseAll(cursor);
    const right = parseIntersections(cursor);
    const lower = operator === "UNION" ? "union" : "except";
    const at = cursor.spanFrom(left);
    left = { kind: "setOperation", operator: lower, isAll, left, right, at };
  }
}

function parseIntersections(cursor: Cursor): QueryBody {
  let left = parseTerm(cursor);
  while (cursor.isWord("INTERSECT")) {
    cursor.advance();
    const isAll = parseAll(cursor);
    const right = parseTerm(cursor);
    const at = cursor.spanFrom(left);
    left = { kind: "setOperation", operator: "intersect", isAll, left, right, at };
  }
  return left;
}

function parseAll(cursor: Cursor): boolean {
  return cursor.skipAnyWord("ALL", "DISTINCT") === "ALL";
}

function parseTerm(cursor: Cursor): QueryBody {
  const { token } = cursor;
  if (cursor.acceptWord("SELECT")) return parseSelect(cursor, token);
  if (cursor.acceptWord("VALUES")) return parseValues(cursor, token);
  if (cursor.isWord("TABLE")) {
    cursor.unsupported(token, "TABLE as a query is not supported; write SELECT * FROM name");
  }
  if (cursor.isWord("FROM")) {
    cursor.invalid(token, "a query begins with what it selects: SELECT … FROM …");
  }
  cursor.expectSymbol("(");
  const query = parseSubquery(cursor);
  cursor.expectSymbol(")");
  return { kind: "nested", query, at: cursor.spanFrom(token) };
}

function parseValues(cursor: Cursor, start: AstNode["at"]): Values {
  const rows = cursor.list((inside) => {
    if (!inside.isSymbol("(")) return [inside.grammar.expression(inside)];
    return inside.listInParentheses(inside.grammar.expression);
  });
  return { kind: "values", rows, at: cursor.spanFrom(start.start) };
}

function parseSelect(cursor: Cursor, start: AstNode["at"]): Select {
  const isDistinct = cursor.skipAnyWord("DISTINCT", "ALL") === "DISTINCT";
  if (isDistinct && cursor.isWord("ON") && cursor.isSymbol("(", 1)) {
    cursor.unsupported(cursor.token, "DISTINCT ON is not supported; select by ROW_NUMBER() = 1");
  }
  const items = cursor.list(parseSelectItem);
  const { expression } = cursor.grammar;
  const from = cursor.acceptWord("FROM") ? parseFrom(cursor) : null;
  const where = cursor.acceptWord("WHERE") ? expression(cursor) : null;
  const groupBy = parseGroupBy(cursor);
  const having = cursor.acceptWord("HAVING") ? expression(cursor) : null;
  const windows = cursor.isWord("WINDOW") ? parseWindows(cursor) : [];
  const at = cursor.spanFrom(start.start);
  return { kind: "select", isDistinct, items, from, where, groupBy, having, windows, at };
}

function parseSelectItem(cursor: Cursor): SelectItem {
  const start = cursor.token;
  if (cursor.isSymbol("*")) {
    cursor.advance();
    return { kind: "star", of: null, at: cursor.spanFrom(start) };
  }
  const of = parseStarOf(cursor);
  if (of !== null) return { kind: "star", of, at: cursor.spanFrom(start) };
  const expression = cursor.grammar.expression(cursor);
  const alias = cursor.alias("a name for the column");
  return { kind: "expression", expression, alias, at: cursor.spanFrom(start) };
}

/** The `t.r` of `t.r.*`; nothing is taken when there is no star. */
function parseStarOf(cursor: Cursor): NamePath | null {
  if (!cursor.isName()) return null;
  let count = 1;
  while (cursor.isSymbol(".", count) && !cursor.isSymbol("*", count + 1)) count += 2;
  if (!cursor.isSymbol(".", count)) return null;
  const first = cursor.takeIdentifier();
  const parts = [first];
  while (!cursor.isSymbol("*", 1)) {
    cursor.advance();
    parts.push(cursor.identifierAfterDot());
  }
  const at = cursor.spanFrom(first);
  cursor.advance();
  cursor.advance();
  return { parts, at };
}

function parseWindows(cursor: Cursor): NamedWindow[] {
  cursor.advance();
  return cursor.list((inside) => {
    const name = inside.identifier("a name for the window");
    inside.expectWord("AS");
    const window = inside.grammar.overWindow(inside);
    return { name, window, at: inside.spanFrom(name) };
  });
}

// ── GROUP BY ────────────────────────────────────────────────────────────────────────────────────

function parseGroupBy(cursor: Cursor): GroupItem[] | null {
  cursor.want("GROUP BY");
  if (!cursor.isWord("GROUP")) return null;
  cursor.advance();
  cursor.expectWord("BY");
  return cursor.list(parseGroupItem);
}

function parseGroupItem(cursor: Cursor): GroupItem {
  const start = cursor.token;
  if (cursor.isAnyWord(["ROLLUP", "CUBE"]) && cursor.isSymbol("(", 1)) {
    const kind = cursor.advance().upper === "ROLLUP" ? "rollup" : "cube";
    const members = cursor.listInParentheses(parseMember);
    return { kind, members, at: cursor.spanFrom(start) };
  }
  if (cursor.isWord("GROUPING") && cursor.isWord("SETS", 1)) {
    cursor.enter();
    cursor.advance();
    cursor.advance();
    const sets = cursor.listInParentheses(parseGroupingSet);
    cursor.leave();
    return { kind: "groupingSets", sets, at: cursor.spanFrom(start) };
  }
  if (cursor.isSymbol("(") && cursor.isSymbol(")", 1)) return parseGroupingSet(cursor);
  const expression = cursor.grammar.expression(cursor);
  return { kind: "expression", expression, at: cursor.spanFrom(start) };
}

/** A set in GROUPING SETS: `()`, `(a, b)`, or what GROUP BY takes. */
function parseGroupingSet(cursor: Cursor): GroupItem {
  const start = cursor.token;
  if (!cursor.isSymbol("(")) return parseGroupItem(cursor);
  const expressions = parseMember(cursor);
  return { kind: "set", expressions, at: cursor.spanFrom(start) };
}

function parseMember(cursor: Cursor) {
  const { expression } = cursor.grammar;
  if (!cursor.isSymbol("(")) return [expression(cursor)];
  if (!cursor.isSymbol(")", 1)) return cursor.listInParentheses(expression);
  cursor.advance();
  cursor.advance();
  return [];
}
