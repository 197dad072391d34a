/**
 * The way in: the text of one statement to its tree. Time is linear in the text, memory too; what
 * is longer, deeper or higher than `limits.ts` allows is an error like any other mistake.
 */

import { nearest } from "../../base/near.ts";
import type { Expression, StringLiteral } from "./ast.ts";
import { Cursor, type Grammar } from "./cursor.ts";
import { unsupportedStatements } from "./keywords.ts";
import { tokenize } from "./lexer.ts";
import { statementLengthMax } from "./limits.ts";
import type { NamePath } from "./node.ts";
import { parseCreate } from "./parse-create.ts";
import { parseAddend, parseExpression as parseAnyExpression } from "./parse-expression.ts";
import { parseOrderBy, parseOverWindow } from "./parse-over.ts";
import { parseColumnNames, parseQuery, parseSubquery } from "./parse-query.ts";
import { SqlError } from "./sql-error.ts";
import type {
  ControlQuery,
  Describe,
  Drop,
  Explain,
  Insert,
  QueryStatement,
  ResetOption,
  SetOption,
  Show,
  Statement,
} from "./statement.ts";
import type { Token } from "./token.ts";
import { checkHeight } from "./tree-height.ts";

const grammar: Grammar = {
  expression: parseAnyExpression,
  addend: parseAddend,
  query: parseSubquery,
  sortItems: parseOrderBy,
  overWindow: parseOverWindow,
};

/** One statement, with or without `;` after it. Throws SqlError. */
export function parseStatement(text: string): Statement {
  return parseWhole(text, parseAny);
}

/** An expression alone: of a stored plan, of a setting. Throws SqlError. */
export function parseExpression(text: string): Expression {
  return parseWhole(text, parseAnyExpression);
}

function parseWhole<T extends object>(text: string, rule: (cursor: Cursor) => T): T {
  if (text.length > statementLengthMax) {
    throw new SqlError({
      code: "sql_too_large",
      text: text.slice(0, 1),
      at: { start: 0, end: 1 },
      problem: `a statement of ${text.length} characters; at most ${statementLengthMax} are taken`,
    });
  }
  const cursor = new Cursor(text, tokenize(text), grammar);
  const tree = rule(cursor);
  while (cursor.isSymbol(";")) cursor.advance();
  const { token } = cursor;
  if (token.kind !== "end") {
    if (cursor.peek(-1).text !== ";") return cursor.fail();
    return cursor.invalid(token, "one statement is taken here, and a second begins");
  }
  checkHeight(cursor, tree);
  return tree;
}

/** What could stand after `text`, a statement begun; null when it is wrong before its end. */
export function wantedAfter(text: string): readonly string[] | null {
  if (text.length > statementLengthMax) return null;
  const cursor = new Cursor(text, tokenize(text), grammar);
  try {
    parseAny(cursor);
  } catch (error) {
    if (!(error instanceof SqlError)) throw error;
  }
  return cursor.token.kind === "end" ? cursor.wanted : null;
}

type Rule = (cursor: Cursor) => Statement;

const rules: ReadonlyMap<string, Rule> = new Map<string, Rule>([
  ["SELECT", parseQueryStatement],
  ["CREATE", parseCreate],
  ["INSERT", parseInsert],
  ["DROP", parseDrop],
  ["SHOW", parseShow],
  ["DESCRIBE", parseDescribe],
  ["EXPLAIN", parseExplain],
  ["WITH", parseQueryStatement],
  ["VALUES", parseQueryStatement],
  ["PAUSE", parseControl],
  ["RESUME", parseControl],
  ["SET", parseSet],
  ["RESET", parseReset],
  ["DESC", parseDescribe],
]);

/** The words that statements begin with. */
export const statementWords: readonly string[] = [...rules.keys()];

function parseAny(cursor: Cursor): Statement {
  const { token } = cursor;
  if (cursor.isSymbol("(") || cursor.isWord("FROM")) return parseQueryStatement(cursor);
  if (token.kind === "end" || cursor.isSymbol(";")) {
    return cursor.invalid(token, "there is no statement here");
  }
  if (token.kind === "word") {
    const rule = rules.get(token.upper);
    if (rule !== undefined) return rule(cursor);
    const known = unsupportedStatements.get(token.upper);
    if (known !== undefined) return cursor.unsupported(token, known);
  }
  const near = token.kind === "word" ? nearest(token.text, rules.keys()) : null;
  cursor.want("a statement such as SELECT, CREATE or INSERT");
  if (near === null) return cursor.fail();
  return cursor.invalid(token, `${token.text} begins no statement`, near);
}

function parseQueryStatement(cursor: Cursor): QueryStatement {
  const query = parseQuery(cursor);
  return { kind: "query", query, at: query.at };
}

function parseInsert(cursor: Cursor): Insert {
  const start = cursor.advance();
  cursor.expectWord("INTO");
  const target = cursor.path("a table name");
  if (cursor.isWord("PARTITION")) {
    cursor.unsupported(cursor.token, "INSERT INTO … PARTITION is not supported");
  }
  const isQuery = cursor.isSymbol("(") && cursor.isAnyWord(["SELECT", "WITH", "VALUES"], 1);
  cursor.want("SELECT");
  cursor.want("VALUES");
  const columns = isQuery ? [] : parseColumnNames(cursor);
  const query = parseQuery(cursor);
  return { kind: "insert", target, columns, query, at: cursor.spanFrom(start) };
}

function parseDrop(cursor: Cursor): Drop {
  const start = cursor.advance();
  if (cursor.isAnyWord(["DATABASE", "CATALOG", "FUNCTION", "SCHEMA", "INDEX", "CONNECTOR"])) {
    cursor.unsupported(cursor.token, `DROP ${cursor.token.upper} is not supported`);
  }
  const isTemporary = cursor.isAnyWord(["TEMPORARY", "TEMP"]);
  if (isTemporary) cursor.advance();
  const word = cursor.acceptAnyWord("STREAM", "TABLE", "VIEW", "MATERIALIZED", "QUERY");
  if (word === null) return cursor.fail();
  if (word === "MATERIALIZED") cursor.expectWord("VIEW");
  const noun = word === "MATERIALIZED" ? "materialized view" : (word.toLowerCase() as Drop["noun"]);
  cursor.want("IF EXISTS");
  const ifExists = cursor.isWord("IF") && cursor.isWord("EXISTS", 1);
  if (ifExists) cursor.expectWord("IF", "EXISTS");
  const name = noun === "query" ? parseQueryId(cursor) : cursor.path(`a ${noun} name`);
  return { kind: "drop", noun, isTemporary, ifExists, name, at: cursor.spanFrom(start) };
}

/** A query's id, as a name or as a string. */
function parseQueryId(cursor: Cursor): NamePath {
  const { token } = cursor;
  if (token.kind !== "string" || token.text === "") return cursor.path("the id of a query");
  cursor.advance();
  const at = cursor.spanFrom(token);
  return { parts: [{ text: token.text, isQuoted: true, at }], at };
}

function parseControl(cursor: Cursor): ControlQuery {
  const start = cursor.advance();
  cursor.expectWord("QUERY");
  const name = parseQueryId(cursor);
  const act = start.upper === "PAUSE" ? "pause" : "resume";
  return { kind: "controlQuery", act, name, at: cursor.spanFrom(start) };
}

const plurals = ["TABLES", "STREAMS", "VIEWS", "QUERIES", "FUNCTIONS"] as const;
/** With what to write instead. */
const foreignShows: ReadonlyMap<string, string> = new Map([
  ["CATALOGS", ": there is one catalog"],
  ["DATABASES", ": there is one database"],
  ["SCHEMAS", ": there is one database"],
  ["JOBS", "; write SHOW QUERIES"],
  ["COLUMNS", "; write DESCRIBE name"],
  ["PARTITIONS", "; write DESCRIBE name"],
  ["MODULES", ": there are no modules"],
  ["JARS", ": there are no user functions yet"],
  ["TOPICS", "; write SHOW STREAMS, or streamctl topic list"],
]);

function parseShow(cursor: Cursor): Show {
  const start = cursor.advance();
  const remedy = foreignShows.get(cursor.token.upper);
  if (cursor.token.kind === "word" && remedy !== undefined) {
    cursor.unsupported(cursor.token, `SHOW ${cursor.token.upper} is not supported${remedy}`);
  }
  const plural = cursor.acceptAnyWord(...plurals);
  cursor.want("MATERIALIZED VIEWS");
  cursor.want("CREATE TABLE");
  if (plural !== null) return finishShow(cursor, start, plural.toLowerCase() as Show["what"]);
  if (cursor.isWord("MATERIALIZED")) {
    cursor.expectWord("MATERIALIZED", "VIEWS");
    return finishShow(cursor, start, "materialized views");
  }
  cursor.expectWord("CREATE");
  const noun = cursor.expectAnyWord("TABLE", "STREAM", "VIEW", "MATERIALIZED");
  if (noun === "MATERIALIZED") cursor.expectWord("VIEW");
  const name = cursor.path("a name");
  return { kind: "show", what: "create", name, like: null, at: cursor.spanFrom(start) };
}

function finishShow(cursor: Cursor, start: Token, what: Show["what"]): Show {
  const like = cursor.acceptWord("LIKE") ? cursor.string("a pattern") : null;
  return { kind: "show", what, name: null, like, at: cursor.spanFrom(start) };
}

function parseDescribe(cursor: Cursor): Describe {
  const start = cursor.advance();
  const isExtended = cursor.isWord("EXTENDED") && cursor.isName(1);
  if (isExtended) cursor.advance();
  for (const noun of ["TABLE", "STREAM", "VIEW"]) {
    if (!cursor.isWord(noun) || !cursor.isName(1)) continue;
    cursor.advance();
    break;
  }
  const name = cursor.path("a name");
  return { kind: "describe", isExtended, name, at: cursor.spanFrom(start) };
}

function parseExplain(cursor: Cursor): Explain {
  const start = cursor.advance();
  if (cursor.isWord("PLAN")) cursor.expectWord("PLAN", "FOR");
  const first = cursor.token;
  if (cursor.isAnyWord(["ESTIMATED_COST", "CHANGELOG_MODE", "JSON_EXECUTION_PLAN", "ANALYZE"])) {
    cursor.unsupported(first, `EXPLAIN ${first.upper} is not supported; write EXPLAIN alone`);
  }
  for (const word of ["SELECT", "INSERT", "CREATE", "WITH", "VALUES"]) cursor.want(word);
  if (
    !cursor.isAnyWord(["SELECT", "INSERT", "CREATE", "WITH", "VALUES"]) &&
    !cursor.isSymbol("(")
  ) {
    return cursor.fail();
  }
  const statement = parseAny(cursor);
  const { kind } = statement;
  if (
    kind === "query" ||
    kind === "insert" ||
    kind === "createView" ||
    kind === "createMaterializedView"
  ) {
    return { kind: "explain", statement, at: cursor.spanFrom(start) };
  }
  return cursor.invalid(statement, "EXPLAIN takes a query, or a statement that holds one");
}

function parseSet(cursor: Cursor): SetOption | Show {
  const start = cursor.advance();
  if (cursor.token.kind === "end" || cursor.isSymbol(";")) {
    return finishShow(cursor, start, "options");
  }
  const key = parseKey(cursor);
  cursor.expectSymbol("=");
  const value = parseSetting(cursor);
  return { kind: "set", key, value, at: cursor.spanFrom(start) };
}

function parseReset(cursor: Cursor): ResetOption {
  const start = cursor.advance();
  const isAll = cursor.token.kind === "end" || cursor.isSymbol(";");
  const key = isAll ? null : parseKey(cursor);
  return { kind: "reset", key, at: cursor.spanFrom(start) };
}

/** `'a.b'`, also without its quotes when it is made of names: a.b. */
function parseKey(cursor: Cursor): StringLiteral {
  if (!cursor.isName()) return cursor.string("a setting such as 'name' = 'value'");
  const path = cursor.path("a setting");
  if (cursor.isSymbol("-")) {
    cursor.invalid(path, "a setting whose name has other signs than dots stands in single quotes");
  }
  const value = path.parts.map((part) => part.text).join(".");
  return { kind: "string", value, at: path.at };
}

/** A string, number, TRUE or FALSE: settings are texts. */
function parseSetting(cursor: Cursor): StringLiteral {
  const { token } = cursor;
  if (token.kind === "number" || cursor.isAnyWord(["TRUE", "FALSE"])) {
    cursor.advance();
    return { kind: "string", value: token.text.toLowerCase(), at: cursor.spanFrom(token) };
  }
  return cursor.string("a value");
}
