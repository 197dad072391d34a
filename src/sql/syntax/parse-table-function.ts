/** Table functions: TUMBLE, HOP, CUMULATE and SESSION in their spellings, and others by name. */
import type { Descriptor, TableArgument, TableFunction, TableFunctionArgument } from "./ast.ts";
import type { Cursor } from "./cursor.ts";
import type { Identifier } from "./node.ts";
import { parseOrderBy } from "./parse-over.ts";

/** Their first argument is a table and their second a descriptor, also as bare names. */
const windowFunctions: ReadonlySet<string> = new Set(["TUMBLE", "HOP", "CUMULATE", "SESSION"]);

/** `name(argument, …)`, without an alias. */
export function parseTableFunction(cursor: Cursor): TableFunction {
  const start = cursor.token;
  const name = cursor.identifier("a table function");
  const isWindow = windowFunctions.has(name.text.toUpperCase());
  cursor.expectSymbol("(");
  const args: TableFunctionArgument[] = [];
  if (!cursor.isSymbol(")")) {
    do args.push(parseArgument(cursor, isWindow ? args : null));
    while (cursor.acceptSymbol(","));
  }
  cursor.expectSymbol(")");
  const at = cursor.spanFrom(start);
  return { kind: "tableFunction", isLateral: false, name, args, alias: null, at };
}

/** `before`: the arguments so far of a window function; null for another function. */
function parseArgument(
  cursor: Cursor,
  before: readonly TableFunctionArgument[] | null,
): TableFunctionArgument {
  const start = cursor.token;
  const name = parseArgumentName(cursor);
  const role = before === null ? null : roleOf(name, before.length);
  const value = parseValue(cursor, role);
  const at = cursor.spanFrom(start);
  if (before === null) return { name, value, at };
  const [first] = before;
  if (first !== undefined && (first.name === null) !== (name === null)) {
    cursor.invalid(at, "either all arguments are named or none is");
  }
  if (name === null && before.length > 1 && value.kind === "descriptor") {
    cursor.invalid(at, "several keys stand in parentheses: PARTITION BY (a, b)");
  }
  return { name, value, at };
}

/** `SIZE =>`; null without. */
function parseArgumentName(cursor: Cursor): Identifier | null {
  if (!cursor.isSymbol("=>", 1) || !(cursor.isName() || cursor.token.kind === "word")) return null;
  const name = cursor.takeIdentifier();
  cursor.advance();
  return name;
}

type Role = "table" | "descriptor" | null;

function roleOf(name: Identifier | null, index: number): Role {
  if (name === null) return index === 0 ? "table" : index === 1 ? "descriptor" : null;
  const upper = name.text.toUpperCase();
  return upper === "DATA" ? "table" : upper === "TIMECOL" ? "descriptor" : null;
}

function parseValue(cursor: Cursor, role: Role): TableFunctionArgument["value"] {
  if (cursor.isWord("TABLE")) return parseTableArgument(cursor);
  if (cursor.isWord("DESCRIPTOR") && (cursor.isSymbol("(", 1) || cursor.isName(1)))
    return parseDescriptor(cursor);
  const isQuery = cursor.isSymbol("(") && cursor.isAnyWord(["SELECT", "WITH", "VALUES"], 1);
  if (role === "table" && (isQuery || cursor.isName())) return parseTableArgument(cursor);
  if (role === "table") cursor.want("a table such as TABLE bids");
  if (role === "descriptor") cursor.want("DESCRIPTOR(column)");
  if (role === "table") return cursor.fail();
  if (role !== "descriptor" || !cursor.isName() || cursor.isWord("INTERVAL")) {
    return cursor.grammar.expression(cursor);
  }
  const column = cursor.path("a column name");
  return { kind: "descriptor", columns: [column], at: column.at };
}

function parseTableArgument(cursor: Cursor): TableArgument {
  const start = cursor.token;
  if (cursor.isWord("TABLE")) cursor.advance();
  const table = cursor.isSymbol("(") ? parseQuery(cursor) : cursor.path("a table name");
  cursor.want("PARTITION BY");
  const partitionBy = cursor.isWord("PARTITION") ? parseKeys(cursor) : [];
  const orderBy = cursor.isWord("ORDER") ? parseOrderBy(cursor) : [];
  return { kind: "tableArgument", table, partitionBy, orderBy, at: cursor.spanFrom(start) };
}

function parseQuery(cursor: Cursor) {
  cursor.expectSymbol("(");
  const query = cursor.grammar.query(cursor);
  cursor.expectSymbol(")");
  return query;
}

/** `PARTITION BY (a, b)`, or one key: a comma after it begins the next argument. */
function parseKeys(cursor: Cursor) {
  const { expression } = cursor.grammar;
  cursor.expectWord("PARTITION", "BY");
  return cursor.isSymbol("(") ? cursor.listInParentheses(expression) : [expression(cursor)];
}

function parseDescriptor(cursor: Cursor): Descriptor {
  const start = cursor.advance();
  const columns = cursor.listInParentheses((inside) => inside.path("a column name"));
  return { kind: "descriptor", columns, at: cursor.spanFrom(start) };
}
