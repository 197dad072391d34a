/**
 * Trees as SQL text: for EXPLAIN and SHOW CREATE. Parsing the text gives the same tree again, but
 * for its spans.
 */
import type { Expression, Query } from "./ast.ts";
import { expressionText } from "./format-expression.ts";
import { namesText, nameText, pathText, stringText, typeText } from "./format-parts.ts";
import { columnsText, queryText } from "./format-query.ts";
import type { NamePath } from "./node.ts";
import type {
  ColumnDefinition,
  CreateMaterializedView,
  CreateTable,
  Drop,
  PrimaryKey,
  Show,
  Statement,
  TableOption,
} from "./statement.ts";

export function formatExpression(expression: Expression): string {
  return expressionText(expression, queryText);
}

export function formatQuery(query: Query): string {
  return queryText(query);
}

export function formatStatement(statement: Statement): string {
  switch (statement.kind) {
    case "query":
      return queryText(statement.query);
    case "createTable":
      return createTableText(statement);
    case "createView": {
      const words = statement.isTemporary ? "CREATE TEMPORARY VIEW" : "CREATE VIEW";
      const head = `${words} ${namedText(statement)}${columnsText(statement.columns)}`;
      return `${head} AS ${queryText(statement.query)}`;
    }
    case "createMaterializedView":
      return materializedViewText(statement);
    case "insert": {
      const target = `${pathText(statement.target)}${columnsText(statement.columns)}`;
      return `INSERT INTO ${target} ${queryText(statement.query)}`;
    }
    case "drop":
      return dropText(statement);
    case "show":
      return showText(statement);
    case "describe":
      return `DESCRIBE ${statement.isExtended ? "EXTENDED " : ""}${pathText(statement.name)}`;
    case "explain":
      return `EXPLAIN ${formatStatement(statement.statement)}`;
    case "controlQuery":
      return `${statement.act.toUpperCase()} QUERY ${pathText(statement.name)}`;
    case "set":
      return `SET ${stringText(statement.key.value)} = ${stringText(statement.value.value)}`;
    case "reset":
      return statement.key === null ? "RESET" : `RESET ${stringText(statement.key.value)}`;
  }
}

function namedText({ ifNotExists, name }: { ifNotExists: boolean; name: NamePath }): string {
  return `${ifNotExists ? "IF NOT EXISTS " : ""}${pathText(name)}`;
}

/** One column a line, as SHOW CREATE shows it. */
function createTableText(table: CreateTable): string {
  const { watermark } = table;
  const elements = table.columns.map(columnText);
  if (table.primaryKey !== null) elements.push(primaryKeyText(table.primaryKey));
  if (watermark !== null) {
    const expression = formatExpression(watermark.expression);
    elements.push(`WATERMARK FOR ${pathText(watermark.column)} AS ${expression}`);
  }
  const words = `CREATE ${table.isTemporary ? "TEMPORARY " : ""}${table.noun.toUpperCase()}`;
  const list = elements.length === 0 ? "" : ` (\n  ${elements.join(",\n  ")}\n)`;
  const options = table.options.length === 0 ? "" : ` WITH ${optionsText(table.options)}`;
  return `${words} ${namedText(table)}${list}${commentText(table.comment)}${options}`;
}

function columnText(column: ColumnDefinition): string {
  const name = nameText(column.name);
  const comment = commentText(column.comment);
  if (column.kind === "computed")
    return `${name} AS ${formatExpression(column.expression)}${comment}`;
  const head = `${name} ${typeText(column.type)}`;
  if (column.kind === "physical") return head + comment;
  const from = column.from === null ? "" : ` FROM ${stringText(column.from.value)}`;
  return `${head} METADATA${from}${column.isVirtual ? " VIRTUAL" : ""}${comment}`;
}

function commentText(comment: string | null): string {
  return comment === null ? "" : ` COMMENT ${stringText(comment)}`;
}

function primaryKeyText({ columns }: PrimaryKey): string {
  return `PRIMARY KEY (${namesText(columns)}) NOT ENFORCED`;
}

function optionsText(options: readonly TableOption[]): string {
  const pairs = options.map(
    ({ key, value }) => `${stringText(key.value)} = ${stringText(value.value)}`,
  );
  return `(\n  ${pairs.join(",\n  ")}\n)`;
}

function materializedViewText(view: CreateMaterializedView): string {
  const elements = view.columns.map(nameText);
  if (view.primaryKey !== null) elements.push(primaryKeyText(view.primaryKey));
  const list = elements.length === 0 ? "" : ` (${elements.join(", ")})`;
  const options = view.options.length === 0 ? "" : ` WITH ${optionsText(view.options)}`;
  const head = `CREATE MATERIALIZED VIEW ${namedText(view)}${list}${options}`;
  return `${head} AS ${queryText(view.query)}`;
}

function dropText({ noun, isTemporary, ifExists, name }: Drop): string {
  const words = `DROP ${isTemporary ? "TEMPORARY " : ""}${noun.toUpperCase()}`;
  return `${words} ${ifExists ? "IF EXISTS " : ""}${pathText(name)}`;
}

function showText({ what, name, like }: Show): string {
  if (what === "options") return "SET";
  if (what === "create") return `SHOW CREATE TABLE ${name === null ? "" : pathText(name)}`;
  const pattern = like === null ? "" : ` LIKE ${stringText(like.value)}`;
  return `SHOW ${what.toUpperCase()}${pattern}`;
}
