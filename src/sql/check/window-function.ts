/** TUMBLE, HOP, CUMULATE and SESSION in FROM. */
import type { PlanColumn, WindowAssignNode, WindowOf, WindowSpec } from "../plan/plan.ts";
import type { Descriptor, Expression, TableArgument, TableFunction } from "../syntax/ast.ts";
import type { AstNode } from "../syntax/node.ts";
import { showType } from "../types/show-type.ts";
import type { CheckContext } from "./context.ts";
import { bindExpression, bindingOf } from "./expression.ts";
import { fieldsAtClose, type Relation, type WindowRole } from "./relation.ts";
import { plainField, resolveName } from "./scope.ts";

type Value = Expression | TableArgument | Descriptor;

interface Signature {
  /** Names of the arguments behind DATA and TIMECOL. */
  readonly lengths: readonly string[];
  readonly optional: readonly string[];
}

const signatures: Readonly<Record<string, Signature>> = {
  TUMBLE: { lengths: ["SIZE"], optional: ["OFFSET"] },
  HOP: { lengths: ["SLIDE", "SIZE"], optional: ["OFFSET"] },
  CUMULATE: { lengths: ["STEP", "SIZE"], optional: ["OFFSET"] },
  SESSION: { lengths: ["GAP"], optional: [] },
};

export type BindTable = (argument: TableArgument) => Relation;

export function bindWindowFunction(
  context: CheckContext,
  node: TableFunction,
  bindTable: BindTable,
): Relation {
  const name = node.name.text.toUpperCase();
  const signature = signatures[name];
  if (signature === undefined) {
    return context.failUnknown(
      node.name,
      `there is no table function ${name}`,
      name,
      Object.keys(signatures),
    );
  }
  if (node.isLateral) return context.refuse(node, "LATERAL is not supported yet");
  const args = argumentsOf(context, node, name, signature);
  const table = args.get("DATA");
  const time = args.get("TIMECOL");
  if (table?.kind !== "tableArgument" || time?.kind !== "descriptor") {
    return context.fail(node, `${name} takes a TABLE and a DESCRIPTOR(time column) first`);
  }
  const input = bindTable(table);
  const spec = specOf(context, node, name, args);
  const partitionBy = partitionOf(context, input, table);
  if (name !== "SESSION" && partitionBy.length > 0) {
    return context.fail(table, `PARTITION BY is for SESSION windows, not for ${name}`);
  }
  if (table.orderBy.length > 0)
    return context.refuse(table, "ORDER BY of a table is not supported");
  if (input.node.changes === "update") {
    return context.refuse(table, "windows over an updating table are not supported yet");
  }
  return assign(input, windowOf(context, input, time, spec), partitionBy);
}

function argumentsOf(
  context: CheckContext,
  node: TableFunction,
  name: string,
  { lengths, optional }: Signature,
): ReadonlyMap<string, Value> {
  const names = ["DATA", "TIMECOL", ...lengths, ...optional];
  const least = names.length - optional.length;
  const args = new Map<string, Value>();
  for (const [index, { name: given, value, at }] of node.args.entries()) {
    const key = given === null ? names[index] : given.text.toUpperCase();
    if (key === undefined || !names.includes(key)) {
      if (given === null)
        return context.fail({ at }, `${name} takes ${names.join(", ")}: too many`);
      return context.failUnknown(given, `${name} has no argument ${given.text}`, given.text, names);
    }
    args.set(key, value);
  }
  const missing = names.slice(0, least).find((key) => !args.has(key));
  if (missing !== undefined) return context.fail(node, `${name} lacks its ${missing}`);
  return args;
}

function specOf(
  context: CheckContext,
  node: AstNode,
  name: string,
  args: ReadonlyMap<string, Value>,
): WindowSpec {
  const length = (key: string) => lengthOf(context, node, key, args.get(key));
  const offset = args.get("OFFSET");
  const offsetMs = offset === undefined ? 0 : millisecondsOf(context, offset);
  switch (name) {
    case "TUMBLE":
      return { kind: "tumble", sizeMs: length("SIZE"), offsetMs };
    case "SESSION":
      return { kind: "session", gapMs: length("GAP") };
    default: {
      const stepName = name === "HOP" ? "SLIDE" : "STEP";
      const stepMs = length(stepName);
      const sizeMs = length("SIZE");
      if (sizeMs % stepMs !== 0) {
        return context.fail(
          args.get("SIZE") ?? node,
          `the SIZE must be a multiple of the ${stepName}`,
        );
      }
      return name === "HOP"
        ? { kind: "hop", slideMs: stepMs, sizeMs, offsetMs }
        : { kind: "cumulate", stepMs, sizeMs, offsetMs };
    }
  }
}

function lengthOf(
  context: CheckContext,
  node: AstNode,
  key: string,
  value: Value | undefined,
): number {
  if (value === undefined) return context.fail(node, `${key} is missing`);
  const lengthMs = millisecondsOf(context, value);
  return lengthMs > 0 ? lengthMs : context.fail(value, `the ${key} must be longer than nothing`);
}

function millisecondsOf(context: CheckContext, value: Value): number {
  if (value.kind !== "interval") {
    return context.fail(value, "expected an interval: INTERVAL '10' SECOND");
  }
  if (["YEAR", "QUARTER", "MONTH"].includes(value.from)) {
    return context.fail(value, "windows have a fixed length: days or less, not months");
  }
  return value.value;
}

function partitionOf(
  context: CheckContext,
  input: Relation,
  table: TableArgument,
): readonly number[] {
  const binding = bindingOf(context, input, "PARTITION BY");
  return table.partitionBy.map((each) => {
    const scalar = bindExpression(binding, each);
    return scalar.kind === "column"
      ? scalar.index
      : context.refuse(each, "PARTITION BY takes plain columns");
  });
}

function windowOf(
  context: CheckContext,
  input: Relation,
  time: Descriptor,
  spec: WindowSpec,
): WindowOf {
  const [path] = time.columns;
  if (path === undefined || time.columns.length !== 1) {
    return context.fail(time, "DESCRIPTOR names one time column here");
  }
  const { index, rest } = resolveName(context, input.fields, path, path.parts);
  const column = input.node.columns[index];
  if (column === undefined || rest.length > 0) {
    return context.fail(path, "a time column is a column, not a field of a ROW");
  }
  if (column.time === null) {
    const isTime = column.type.kind === "timestamp" || column.type.kind === "timestampLtz";
    const remedy = isTime
      ? "declare WATERMARK FOR it where the stream is created"
      : `it is a ${showType(column.type)}: a time column is a TIMESTAMP(3) with a WATERMARK`;
    return context.fail(path, `column "${column.name}" is no time attribute: ${remedy}`);
  }
  if (input.fields[index]?.isPast && column.time === "rowtime") {
    const problem = `its rows come when their window closes, behind the times of "${column.name}"`;
    return context.fail(path, `${problem}: use window_time`);
  }
  const isLocal = column.type.kind === "timestampLtz";
  const { timeZone } = context.options;
  return {
    spec,
    timeColumn: index,
    time: column.time,
    timeZone: isLocal && timeZone !== "UTC" ? timeZone : null,
  };
}

/** The new window's columns hide those of windows before it. */
function assign(input: Relation, window: WindowOf, partitionBy: readonly number[]): Relation {
  const time = input.node.columns[window.timeColumn];
  const node: WindowAssignNode = {
    kind: "windowAssign",
    input: input.node,
    window,
    partitionBy,
    columns: [...input.node.columns, ...windowColumns(window, time?.type ?? { kind: "timestamp" })],
    changes: "append",
    key: null,
  };
  const table = input.fields.find(({ isHidden }) => !isHidden)?.table ?? null;
  const hidden = input.fields.map((field) =>
    /^window_(start|end|time)$/.test(field.name) ? { ...field, isHidden: true } : field,
  );
  const isClosed = window.spec.kind === "session";
  return {
    node,
    fields: [
      ...(isClosed ? fieldsAtClose(hidden) : hidden),
      ...windowFields(table, window, isClosed),
    ],
  };
}

/**
 * window_start and window_end, times on the wall of the session as in Flink, and window_time, a
 * time attribute of the type of the time column.
 */
export function windowColumns(window: WindowOf, type: PlanColumn["type"]): readonly PlanColumn[] {
  const bound = (name: string): PlanColumn => ({
    ...{ name, nullable: false, time: null },
    type: { kind: "timestamp" },
  });
  return [
    bound("window_start"),
    bound("window_end"),
    { name: "window_time", type, nullable: false, time: window.time },
  ];
}

function windowFields(table: string | null, window: WindowOf, isClosed: boolean) {
  const parts: readonly WindowRole["part"][] = ["start", "end", "time"];
  return parts.map((part) => ({
    ...plainField(table, `window_${part}`),
    role: { part, window, isClosed },
  }));
}

/** Equal for windows that begin and end alike. */
export function windowKey({ spec, time, timeZone }: WindowOf): string {
  return JSON.stringify([spec, time, timeZone]);
}
