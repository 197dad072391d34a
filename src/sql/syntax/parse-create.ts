/** CREATE STREAM | TABLE | VIEW | MATERIALIZED VIEW. */
import type { Expression } from "./ast.ts";
import type { Cursor } from "./cursor.ts";
import { unsupportedCreations } from "./keywords.ts";
import type { NamePath } from "./node.ts";
import { parseColumnNames, parseQuery } from "./parse-query.ts";
import { parseType } from "./parse-type.ts";
import type {
  ColumnDefinition,
  CreateMaterializedView,
  CreateTable,
  CreateView,
  PrimaryKey,
  TableOption,
  Watermark,
} from "./statement.ts";
import type { Token } from "./token.ts";

type Create = CreateTable | CreateView | CreateMaterializedView;

export function parseCreate(cursor: Cursor): Create {
  const start = cursor.advance();
  const foreign = unsupportedCreations.get(cursor.token.upper);
  if (cursor.token.kind === "word" && foreign !== undefined) {
    cursor.unsupported(cursor.token, foreign);
  }
  const isTemporary = cursor.skipAnyWord("TEMPORARY", "TEMP") !== null;
  if (!isTemporary && cursor.isWord("MATERIALIZED")) return parseMaterializedView(cursor, start);
  const noun = cursor.acceptAnyWord("STREAM", "TABLE", "VIEW");
  if (!isTemporary) cursor.want("MATERIALIZED VIEW");
  if (noun === "STREAM") return parseTable(cursor, { start, noun: "stream", isTemporary });
  if (noun === "TABLE") return parseTable(cursor, { start, noun: "table", isTemporary });
  if (noun === "VIEW") return parseView(cursor, start, isTemporary);
  return cursor.fail();
}

interface Named {
  readonly ifNotExists: boolean;
  readonly name: NamePath;
}

function parseNamed(cursor: Cursor, what: string): Named {
  cursor.want("IF NOT EXISTS");
  const ifNotExists = cursor.isWord("IF") && cursor.isWord("NOT", 1);
  if (ifNotExists) cursor.expectWord("IF", "NOT", "EXISTS");
  return { ifNotExists, name: cursor.path(what) };
}

function parseView(cursor: Cursor, start: Token, isTemporary: boolean): CreateView {
  const named = parseNamed(cursor, "a view name");
  const columns = parseColumnNames(cursor);
  parseComment(cursor);
  const query = parseDefinition(cursor);
  const at = cursor.spanFrom(start);
  return { kind: "createView", isTemporary, ...named, columns, query, at };
}

function parseDefinition(cursor: Cursor) {
  cursor.expectWord("AS");
  return parseQuery(cursor);
}

function parseMaterializedView(cursor: Cursor, start: Token): CreateMaterializedView {
  cursor.advance();
  if (cursor.isWord("TABLE")) {
    cursor.unsupported(
      cursor.token,
      "MATERIALIZED TABLE is not supported; write CREATE MATERIALIZED VIEW, which is always fresh",
    );
  }
  cursor.expectWord("VIEW");
  const named = parseNamed(cursor, "a view name");
  const { columns, primaryKey } = parseViewColumns(cursor);
  parseComment(cursor);
  const options = cursor.acceptWord("WITH") ? parseOptions(cursor) : [];
  const query = parseDefinition(cursor);
  const rest = { columns, primaryKey, options, query };
  return { kind: "createMaterializedView", ...named, ...rest, at: cursor.spanFrom(start) };
}

/** `(a, b, PRIMARY KEY (a) NOT ENFORCED)`. */
function parseViewColumns(cursor: Cursor): Pick<CreateMaterializedView, "columns" | "primaryKey"> {
  const columns: CreateMaterializedView["columns"][number][] = [];
  let primaryKey: PrimaryKey | null = null;
  if (!cursor.acceptSymbol("(")) return { columns, primaryKey };
  do {
    if (isPrimaryKey(cursor)) primaryKey = onlyOne(cursor, primaryKey, parsePrimaryKey(cursor));
    else columns.push(cursor.identifier("a column name"));
  } while (cursor.acceptSymbol(","));
  cursor.expectSymbol(")");
  return { columns, primaryKey };
}

interface TableHead extends Pick<CreateTable, "noun" | "isTemporary"> {
  readonly start: Token;
}

function parseTable(cursor: Cursor, { start, noun, isTemporary }: TableHead): CreateTable {
  const named = parseNamed(cursor, `a ${noun} name`);
  const elements = parseElements(cursor);
  const comment = parseComment(cursor);
  if (cursor.isWord("AS")) {
    cursor.unsupported(
      cursor.token,
      `CREATE ${noun.toUpperCase()} … AS is not supported; write CREATE MATERIALIZED VIEW … AS`,
    );
  }
  const options = cursor.acceptWord("WITH") ? parseOptions(cursor) : [];
  if (cursor.isWord("LIKE")) {
    cursor.unsupported(cursor.token, "CREATE … LIKE is not supported; list the columns");
  }
  if (cursor.isWord("AS")) {
    cursor.unsupported(
      cursor.token,
      `CREATE ${noun.toUpperCase()} … AS is not supported; write CREATE MATERIALIZED VIEW … AS`,
    );
  }
  const head = { noun, isTemporary, ...named } as const;
  const at = cursor.spanFrom(start);
  return { kind: "createTable", ...head, ...elements, comment, options, at };
}

interface Elements {
  readonly columns: ColumnDefinition[];
  primaryKey: PrimaryKey | null;
  watermark: Watermark | null;
}

function parseElements(cursor: Cursor): Elements {
  const elements: Elements = { columns: [], primaryKey: null, watermark: null };
  if (!cursor.acceptSymbol("(")) return elements;
  do parseElement(cursor, elements);
  while (cursor.acceptSymbol(","));
  cursor.expectSymbol(")");
  return elements;
}

function parseElement(cursor: Cursor, elements: Elements): void {
  if (isPrimaryKey(cursor)) {
    elements.primaryKey = onlyOne(cursor, elements.primaryKey, parsePrimaryKey(cursor));
    return;
  }
  const isWatermark = cursor.isWord("FOR", 1) || (cursor.isName(1) && cursor.isWord("AS", 2));
  if (cursor.isWord("WATERMARK") && isWatermark) {
    const watermark = parseWatermark(cursor);
    if (elements.watermark !== null) cursor.invalid(watermark, "a table has one WATERMARK");
    elements.watermark = watermark;
    return;
  }
  if (cursor.isWord("UNIQUE") && cursor.isSymbol("(", 1)) {
    cursor.unsupported(cursor.token, "UNIQUE is not supported; PRIMARY KEY (…) NOT ENFORCED is");
  }
  elements.columns.push(parseColumn(cursor, elements));
}

function parseColumn(cursor: Cursor, elements: Elements): ColumnDefinition {
  const name = cursor.identifier("a column name");
  if (cursor.acceptWord("AS")) {
    const expression: Expression = cursor.grammar.expression(cursor);
    const comment = parseComment(cursor);
    return { kind: "computed", name, expression, comment, at: cursor.spanFrom(name) };
  }
  const type = parseType(cursor);
  if (cursor.acceptWord("METADATA")) {
    const from = cursor.acceptWord("FROM") ? cursor.string("a metadata key") : null;
    const isVirtual = cursor.acceptWord("VIRTUAL");
    const comment = parseComment(cursor);
    return { kind: "metadata", name, type, from, isVirtual, comment, at: cursor.spanFrom(name) };
  }
  if (isPrimaryKey(cursor)) {
    cursor.expectWord("PRIMARY", "KEY");
    expectNotEnforced(cursor);
    const key = { columns: [name], at: cursor.spanFrom(name) };
    elements.primaryKey = onlyOne(cursor, elements.primaryKey, key);
  }
  if (cursor.isWord("DEFAULT")) {
    cursor.unsupported(cursor.token, "DEFAULT is not supported; write COALESCE in a view");
  }
  const comment = parseComment(cursor);
  return { kind: "physical", name, type, comment, at: cursor.spanFrom(name) };
}

function isPrimaryKey(cursor: Cursor): boolean {
  if (cursor.isWord("CONSTRAINT") && cursor.isWord("PRIMARY", 2)) return true;
  return cursor.isWord("PRIMARY") && cursor.isWord("KEY", 1);
}

/** `[CONSTRAINT name] PRIMARY KEY (a, b) NOT ENFORCED`. */
function parsePrimaryKey(cursor: Cursor): PrimaryKey {
  const start = cursor.token;
  if (cursor.acceptWord("CONSTRAINT")) cursor.identifier("a name for the key");
  cursor.expectWord("PRIMARY", "KEY");
  const columns = cursor.listInParentheses((inside) => inside.identifier("a column name"));
  expectNotEnforced(cursor);
  return { columns, at: cursor.spanFrom(start) };
}

/** Flink's words: nothing checks that a log's keys are unique, and the statement says so. */
function expectNotEnforced(cursor: Cursor): void {
  cursor.want("NOT ENFORCED");
  if (!cursor.isWord("NOT")) cursor.fail();
  cursor.expectWord("NOT", "ENFORCED");
}

function onlyOne(cursor: Cursor, before: PrimaryKey | null, key: PrimaryKey): PrimaryKey {
  if (before !== null) cursor.invalid(key, "there is one PRIMARY KEY; it may have several columns");
  return key;
}

function parseWatermark(cursor: Cursor): Watermark {
  const start = cursor.advance();
  cursor.expectWord("FOR");
  const column = cursor.path("a column name");
  cursor.expectWord("AS");
  const expression = cursor.grammar.expression(cursor);
  return { column, expression, at: cursor.spanFrom(start) };
}

function parseComment(cursor: Cursor): string | null {
  return cursor.acceptWord("COMMENT") ? cursor.string("a comment").value : null;
}

/** `('key' = 'value', …)` after WITH. */
export function parseOptions(cursor: Cursor): TableOption[] {
  const options: TableOption[] = [];
  cursor.expectSymbol("(");
  if (cursor.acceptSymbol(")")) return options;
  do options.push(parseOption(cursor));
  while (cursor.acceptSymbol(","));
  cursor.expectSymbol(")");
  return options;
}

function parseOption(cursor: Cursor): TableOption {
  const key = cursor.string("an option such as 'topic' = '…'");
  cursor.expectSymbol("=");
  const value = cursor.string("a value");
  return { key, value, at: cursor.spanFrom(key) };
}
