/** CREATE STREAM | TABLE: columns, watermark, key and options, to a catalog entry. */
import type { PlanColumn } from "../plan/plan.ts";
import type { Scalar } from "../plan/scalar.ts";
import { moveColumns, scalarNullable } from "../plan/scalar-walk.ts";
import type {
  ColumnDefinition,
  CreateTable,
  MetadataColumn,
  Watermark,
} from "../syntax/statement.ts";
import type { DataType } from "../types/data-type.ts";
import { showType } from "../types/show-type.ts";
import type { MetadataField, StreamColumn, StreamEntry } from "./catalog.ts";
import { CheckContext, type CheckOptions } from "./context.ts";
import { bindExpression, bindingOf } from "./expression.ts";
import type { Relation } from "./relation.ts";
import { plainField } from "./scope.ts";
import { checkOptions, durationMs, idleTimeoutDefaultMs, startupOf } from "./stream-options.ts";
import { dataTypeOf } from "./type-node.ts";

/** Columns that were inferred from records take the place of none that were written. */
export function checkCreateTable(
  statement: CreateTable,
  text: string,
  options: CheckOptions,
  inferred: readonly StreamColumn[] = [],
): StreamEntry {
  const context = new CheckContext(text, options);
  const given = checkOptions(context, statement.options);
  const name = statement.name.parts.map((part) => part.text).join(".");
  const columns = checkColumns(context, statement, inferred);
  const format = given["format"] === "raw" ? "raw" : "json";
  const values = columns.filter(({ from }) => from.kind === "value");
  if (format === "raw" && values.length !== 1 && columns.length > 0) {
    return context.fail(
      statement.name,
      "the format 'raw' has one column, which is the whole value",
    );
  }
  const primaryKey = checkKey(context, statement, columns);
  return {
    kind: statement.noun,
    name,
    topic: given["topic"] ?? name,
    format,
    columns,
    primaryKey,
    changes: "append",
    watermark: checkWatermark(context, statement.watermark, columns),
    startup: startupOf(context, given, statement.options),
    idleTimeoutMs: durationMs(given["idle-timeout"] ?? "") ?? idleTimeoutDefaultMs,
    options: given,
  };
}

function checkColumns(
  context: CheckContext,
  statement: CreateTable,
  inferred: readonly StreamColumn[],
): readonly StreamColumn[] {
  const hasPhysical = statement.columns.some(({ kind }) => kind === "physical");
  const columns: StreamColumn[] = hasPhysical ? [] : [...inferred];
  for (const node of statement.columns) {
    if (columns.some((column) => column.name === node.name.text)) {
      return context.fail(node.name, `column "${node.name.text}" is there twice`);
    }
    if (node.kind !== "computed") columns.push(plainColumn(context, node));
  }
  const relation = relationOf(columns);
  const computed = statement.columns.flatMap((node) =>
    node.kind === "computed" ? [computedColumn(context, relation, node)] : [],
  );
  const all = new Map([...columns, ...computed].map((column) => [column.name, column]));
  const order = [
    ...(hasPhysical ? [] : inferred.map(({ name }) => name)),
    ...statement.columns.map((node) => node.name.text),
  ];
  const sorted = order.flatMap((name) => all.get(name) ?? []);
  return sorted.map((column) => rebased(column, columns, sorted));
}

/** Computed expressions name columns by their place among all. */
function rebased(
  column: StreamColumn,
  plain: readonly StreamColumn[],
  sorted: readonly StreamColumn[],
): StreamColumn {
  if (column.from.kind !== "computed") return column;
  const placeOf = (index: number) => sorted.findIndex(({ name }) => name === plain[index]?.name);
  return {
    ...column,
    from: { kind: "computed", expression: moveColumns(column.from.expression, placeOf) },
  };
}

function relationOf(columns: readonly StreamColumn[]): Relation {
  const planned = columns.map(
    ({ name, type, nullable }): PlanColumn => ({ name, type, nullable, time: null }),
  );
  return {
    node: { kind: "values", rows: [], columns: planned, changes: "append", key: null },
    fields: columns.map(({ name }) => plainField(null, name)),
  };
}

const metadataTypes: Readonly<Record<MetadataField, readonly string[]>> = {
  topic: ["varchar"],
  partition: ["int", "bigint"],
  offset: ["bigint"],
  timestamp: ["timestampLtz", "timestamp", "bigint"],
  key: ["varchar", "bytes"],
  headers: ["json", "varchar"],
};

function isMetadataField(name: string): name is MetadataField {
  return Object.hasOwn(metadataTypes, name);
}

function plainColumn(
  context: CheckContext,
  node: Exclude<ColumnDefinition, { readonly kind: "computed" }>,
): StreamColumn {
  const type = dataTypeOf(context, node.type);
  if (type.kind === "intervalDay" || type.kind === "intervalYear") {
    return context.fail(node.type, `a record has no ${showType(type)}: use BIGINT`);
  }
  const nullable = node.type.isNullable;
  if (node.kind === "physical") {
    return { name: node.name.text, type, nullable, from: { kind: "value" } };
  }
  return metadataColumn(context, node, type, nullable);
}

function metadataColumn(
  context: CheckContext,
  node: MetadataColumn,
  type: DataType,
  nullable: boolean,
): StreamColumn {
  const field = node.from?.value ?? node.name.text;
  if (!isMetadataField(field)) {
    const known = Object.keys(metadataTypes);
    const problem = `there is no metadata '${field}': ${known.join(", ")}`;
    return context.failUnknown(node.from ?? node.name, problem, field, known);
  }
  if (!metadataTypes[field].includes(type.kind)) {
    const problem = `metadata '${field}' does not come as ${showType(type)}`;
    return context.fail(node.type, problem);
  }
  const { isVirtual } = node;
  return { name: node.name.text, type, nullable, from: { kind: "metadata", field, isVirtual } };
}

function computedColumn(
  context: CheckContext,
  relation: Relation,
  node: Extract<ColumnDefinition, { readonly kind: "computed" }>,
): StreamColumn {
  const { expression } = node;
  const name = node.name.text;
  const isProctime =
    expression.kind === "call" && expression.name.text.toUpperCase() === "PROCTIME";
  if (isProctime && expression.args.length === 0) {
    return { name, type: { kind: "timestampLtz" }, nullable: false, from: { kind: "proctime" } };
  }
  const scalar = bindExpression(bindingOf(context, relation, "a computed column"), expression);
  if (scalar.type.kind === "null")
    return context.fail(expression, "NULL alone has no type: CAST it");
  const nullable = scalarNullable(scalar);
  return { name, type: scalar.type, nullable, from: { kind: "computed", expression: scalar } };
}

function checkKey(
  context: CheckContext,
  statement: CreateTable,
  columns: readonly StreamColumn[],
): readonly string[] {
  const { primaryKey } = statement;
  if (primaryKey === null) return [];
  return primaryKey.columns.map((part) => {
    const column = columns.find(({ name }) => name === part.text);
    if (column === undefined) {
      const known = columns.map(({ name }) => name);
      return context.failUnknown(part, `there is no column "${part.text}"`, part.text, known);
    }
    if (column.from.kind !== "value") {
      return context.fail(part, `a key is made of columns of the value: "${part.text}" is none`);
    }
    return column.name;
  });
}

const watermarkForm = "a watermark is the column, or the column - INTERVAL";

function checkWatermark(
  context: CheckContext,
  watermark: Watermark | null,
  columns: readonly StreamColumn[],
): StreamEntry["watermark"] {
  if (watermark === null) return null;
  const [part, ...rest] = watermark.column.parts;
  const column = columns.find(({ name }) => name === part?.text);
  if (part === undefined || rest.length > 0) {
    return context.refuse(
      watermark.column,
      "a watermark is for a column, not for a field of a ROW",
    );
  }
  if (column === undefined) {
    const known = columns.map(({ name }) => name);
    return context.failUnknown(part, `there is no column "${part.text}"`, part.text, known);
  }
  if (column.type.kind !== "timestamp" && column.type.kind !== "timestampLtz") {
    const given = showType(column.type);
    const problem = `an event time is a TIMESTAMP(3) or TIMESTAMP_LTZ(3), not a ${given}`;
    return context.fail(part, problem);
  }
  const binding = bindingOf(context, relationOf(columns), "WATERMARK");
  const delay = delayOf(bindExpression(binding, watermark.expression), columns.indexOf(column));
  if (delay === null) return context.fail(watermark.expression, watermarkForm);
  if (delay < 0)
    return context.fail(watermark.expression, "a watermark is not ahead of its column");
  return { column: column.name, delayMs: delay };
}

function delayOf(scalar: Scalar, column: number): number | null {
  if (scalar.kind === "column") return scalar.index === column ? 0 : null;
  if (scalar.kind !== "call" || scalar.name !== "timeMinus") return null;
  const [time, length] = scalar.args;
  if (time?.kind !== "column" || time.index !== column || length?.kind !== "literal") return null;
  return length.type.kind === "intervalDay" ? Number(length.value) : null;
}
