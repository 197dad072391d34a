/** Queries as text, on one line. */
import type {
  Emit,
  GroupItem,
  Join,
  Query,
  QueryBody,
  Select,
  SelectItem,
  TableAlias,
  TableFunctionArgument,
  TableReference,
} from "./ast.ts";
import { expressionText, overText, sortText } from "./format-expression.ts";
import { intervalText, namesText, nameText, pathText } from "./format-parts.ts";

export function queryText(query: Query): string {
  const parts: string[] = [];
  if (query.with.length > 0) {
    const tables = query.with.map(
      (each) => `${nameText(each.name)}${columnsText(each.columns)} AS (${queryText(each.query)})`,
    );
    parts.push(`WITH ${tables.join(", ")}`);
  }
  parts.push(bodyText(query.body));
  if (query.orderBy.length > 0) parts.push(`ORDER BY ${sortText(query.orderBy, queryText)}`);
  if (query.limit !== null) parts.push(`LIMIT ${query.limit.value}`);
  if (query.offset !== null) parts.push(`OFFSET ${query.offset.value}`);
  if (query.emit !== null) parts.push(emitText(query.emit));
  if (query.allowedLateness !== null) {
    parts.push(`ALLOWED LATENESS ${intervalText(query.allowedLateness)}`);
  }
  return parts.join(" ");
}

const expression = (each: Parameters<typeof expressionText>[0]) => expressionText(each, queryText);
const expressions = (all: readonly Parameters<typeof expression>[0][]) =>
  all.map(expression).join(", ");

/** ` (a, b)`, or nothing. */
export function columnsText(columns: TableAlias["columns"]): string {
  return columns.length > 0 ? ` (${namesText(columns)})` : "";
}

function emitText(emit: Emit): string {
  if (emit.mode === "periodic") return `EMIT PERIODIC ${intervalText(emit.every)}`;
  return `EMIT ${emit.mode.toUpperCase()}`;
}

function bodyText(body: QueryBody): string {
  switch (body.kind) {
    case "select":
      return selectText(body);
    case "values":
      return `VALUES ${body.rows.map((row) => `(${expressions(row)})`).join(", ")}`;
    case "nested":
      return `(${queryText(body.query)})`;
    case "setOperation": {
      const isTight = body.operator === "intersect";
      const left = operandText(body.left, isTight);
      const right = operandText(body.right, true, isTight);
      return `${left} ${body.operator.toUpperCase()}${body.isAll ? " ALL" : ""} ${right}`;
    }
  }
}

/** In parentheses when it would be read as part of another operation. */
function operandText(body: QueryBody, isLooseWrapped: boolean, isTightWrapped = false): string {
  const text = bodyText(body);
  if (body.kind !== "setOperation") return text;
  const isWrapped = body.operator === "intersect" ? isTightWrapped : isLooseWrapped;
  return isWrapped ? `(${text})` : text;
}

function selectText(select: Select): string {
  const items = select.items.map(itemText).join(", ");
  const parts = [`SELECT ${select.isDistinct ? "DISTINCT " : ""}${items}`];
  if (select.from !== null) parts.push(`FROM ${tableText(select.from)}`);
  if (select.where !== null) parts.push(`WHERE ${expression(select.where)}`);
  if (select.groupBy !== null) parts.push(`GROUP BY ${groupText(select.groupBy)}`);
  if (select.having !== null) parts.push(`HAVING ${expression(select.having)}`);
  if (select.windows.length > 0) {
    const windows = select.windows.map(
      ({ name, window }) => `${nameText(name)} AS ${overText(window, queryText)}`,
    );
    parts.push(`WINDOW ${windows.join(", ")}`);
  }
  return parts.join(" ");
}

function itemText(item: SelectItem): string {
  if (item.kind === "star") return item.of === null ? "*" : `${pathText(item.of)}.*`;
  const alias = item.alias === null ? "" : ` AS ${nameText(item.alias)}`;
  return expression(item.expression) + alias;
}

function groupText(items: readonly GroupItem[]): string {
  return items.map(groupItemText).join(", ");
}

function groupItemText(item: GroupItem): string {
  switch (item.kind) {
    case "expression":
      return expression(item.expression);
    case "set":
      return `(${expressions(item.expressions)})`;
    case "groupingSets":
      return `GROUPING SETS (${groupText(item.sets)})`;
    default: {
      const members = item.members.map((member) => `(${expressions(member)})`);
      return `${item.kind.toUpperCase()} (${members.join(", ")})`;
    }
  }
}

function tableText(table: TableReference): string {
  switch (table.kind) {
    case "table": {
      const asOf = table.asOf === null ? "" : ` FOR SYSTEM_TIME AS OF ${expression(table.asOf)}`;
      return pathText(table.name) + asOf + aliasText(table.alias);
    }
    case "derived": {
      const lateral = table.isLateral ? "LATERAL " : "";
      return `${lateral}(${queryText(table.query)})${aliasText(table.alias)}`;
    }
    case "tableFunction": {
      const args = table.args.map(argumentText).join(", ");
      const call = `TABLE(${nameText(table.name)}(${args}))`;
      return (table.isLateral ? "LATERAL " : "") + call + aliasText(table.alias);
    }
    case "join":
      return joinText(table);
  }
}

function aliasText(alias: TableAlias | null): string {
  return alias === null ? "" : ` AS ${nameText(alias.name)}${columnsText(alias.columns)}`;
}

function joinText({ joinType, isNatural, left, right, on, using }: Join): string {
  const inner = tableText(right);
  const parts = [tableText(left)];
  if (isNatural) parts.push("NATURAL");
  parts.push(`${joinType.toUpperCase()} JOIN`, right.kind === "join" ? `(${inner})` : inner);
  if (on !== null) parts.push(`ON ${expression(on)}`);
  if (using.length > 0) parts.push(`USING (${namesText(using)})`);
  return parts.join(" ");
}

function argumentText({ name, value }: TableFunctionArgument): string {
  return (name === null ? "" : `${nameText(name)} => `) + valueText(value);
}

function valueText(value: TableFunctionArgument["value"]): string {
  if (value.kind === "descriptor") return `DESCRIPTOR(${value.columns.map(pathText).join(", ")})`;
  if (value.kind !== "tableArgument") return expression(value);
  const { table, partitionBy, orderBy } = value;
  const parts = [`TABLE ${"parts" in table ? pathText(table) : `(${queryText(table)})`}`];
  if (partitionBy.length > 0) parts.push(`PARTITION BY (${expressions(partitionBy)})`);
  if (orderBy.length > 0) parts.push(`ORDER BY ${sortText(orderBy, queryText)}`);
  return parts.join(" ");
}
