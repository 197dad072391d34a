/** Calls of functions by name, and the calls with a syntax of their own. */
import { functionByName, functionNames } from "../functions/catalog.ts";
import { jsonBehaviors, jsonWrappers } from "../functions/json-host.ts";
import { timeUnits } from "../functions/time-fields.ts";
import type { Scalar } from "../plan/scalar.ts";
import type {
  Call,
  Expression,
  JsonArray,
  JsonBehavior,
  JsonObject,
  JsonPathCall,
  Trim,
} from "../syntax/ast.ts";
import { isTemporal, stringType } from "../types/show-type.ts";
import { aggregateNames, isAggregateName } from "./aggregate-names.ts";
import { type Binding, bindKey, guarded, makeCast } from "./binding.ts";
import { literal } from "./literals.ts";
import { fieldScalar } from "./scope.ts";
import { dataTypeOf } from "./type-node.ts";

/** Of group windows, as Flink had them before window table functions. */
const groupWindow = /^(TUMBLE|HOP|SESSION)(?:_(START|END|ROWTIME|PROCTIME))?$/;
const windowArguments: Readonly<Record<string, string>> = {
  TUMBLE: "TABLE t, DESCRIPTOR(ts), size",
  HOP: "TABLE t, DESCRIPTOR(ts), slide, size",
  SESSION: "TABLE t PARTITION BY key, DESCRIPTOR(ts), gap",
};

/** What Flink has besides, and we do not have yet. */
const unsupported = new Set(
  (
    "CARDINALITY ELEMENT ARRAY_AGG ARRAY_APPEND ARRAY_CONCAT ARRAY_CONTAINS ARRAY_DISTINCT " +
    "ARRAY_JOIN ARRAY_MAX ARRAY_MIN ARRAY_POSITION ARRAY_REMOVE ARRAY_SLICE ARRAY_SORT COLLECT " +
    "CUME_DIST DENSE_RANK GROUPING GROUPING_ID GROUP_ID JSON_ARRAYAGG JSON_OBJECTAGG LAG LEAD " +
    "LISTAGG MAP_ENTRIES MAP_KEYS MAP_VALUES NTILE OVERLAPS PARSE_JSON PERCENTILE PERCENT_RANK " +
    "PRINTF RANK REGEXP_EXTRACT_ALL SPLIT STR_TO_MAP TRY_PARSE_JSON"
  ).split(" "),
);

/** Functions that Flink has and we do not, with why or what instead. */
const refused: Readonly<Record<string, string>> = {
  RAND: "RAND would give another result in every run: it is not supported",
  RAND_INTEGER: "RAND_INTEGER would give another result in every run: it is not supported",
  UUID: "UUID would give another result in every run: it is not supported",
  NOW: "NOW depends on when a query runs: use PROCTIME(), which the log decides",
  CURRENT_TIMESTAMP: "it depends on when a query runs: use PROCTIME(), which the log decides",
  CURRENT_DATE: "it depends on when a query runs: use CAST(PROCTIME() AS DATE)",
  CURRENT_TIME: "it depends on when a query runs: use CAST(PROCTIME() AS TIME)",
  LOCALTIME: "it depends on when a query runs: use CAST(PROCTIME() AS TIME)",
  LOCALTIMESTAMP: "it depends on when a query runs: use PROCTIME(), which the log decides",
  CURRENT_ROW_TIMESTAMP: "it depends on when a query runs: use PROCTIME()",
  CURRENT_WATERMARK: "CURRENT_WATERMARK is not supported yet",
};

export function bindCall(binding: Binding, node: Call): Scalar {
  const { context } = binding;
  const name = node.name.text.toUpperCase();
  if (node.over !== null || isAggregateName(name)) return bindSpecial(binding, node, name);
  if (node.isStar || node.isDistinct || node.filter !== null || node.withinGroup.length > 0) {
    return context.fail(node, `${name} is no aggregate: it takes neither *, DISTINCT nor FILTER`);
  }
  if (name === "PROCTIME") return bindProctime(binding, node);
  const definition = functionOf(binding, node, name);
  const args = node.args.map((arg) => bindArgument(binding, arg));
  if (name === "CEIL" || name === "CEILING" || name === "FLOOR") {
    if (args.length === 2) return bindTimeEdge(binding, node, name, args);
  }
  return guarded(context, node, node.args, () => definition.bind(args));
}

function functionOf(binding: Binding, node: Call, name: string) {
  const { context } = binding;
  const definition = functionByName(name);
  if (definition !== undefined) return definition;
  const reason = refused[name];
  if (reason !== undefined) return context.refuse(node, reason);
  const [, window = "", part = "START"] = groupWindow.exec(name) ?? [];
  if (window !== "") {
    const column = part === "START" || part === "END" ? part.toLowerCase() : "time";
    const problem =
      `group windows are not supported: write FROM ${window}(${windowArguments[window]}) with ` +
      `GROUP BY window_start, window_end, and select window_${column}`;
    return context.refuse(node, problem);
  }
  if (unsupported.has(name)) return context.refuse(node.name, `${name} is not supported yet`);
  if (name === "UNIX_TIMESTAMP" && node.args.length === 0) {
    return context.refuse(node, "UNIX_TIMESTAMP() depends on when a query runs: use PROCTIME()");
  }
  const known = [...functionNames, ...aggregateNames];
  return context.failUnknown(node.name, `there is no function ${name}`, name, known);
}

function bindTimeEdge(binding: Binding, node: Call, name: string, args: readonly Scalar[]): Scalar {
  const [value] = args;
  if (value !== undefined && !isTemporal(value.type)) {
    return binding.context.fail(node, `${name}(x TO unit) takes a time`);
  }
  const key = name === "FLOOR" ? "floorTo" : "ceilTo";
  return bindKey(binding, node, key, args, node.args);
}

function bindArgument(binding: Binding, arg: Expression): Scalar {
  if (arg.kind !== "unit") return binding.bind(arg);
  const code = (timeUnits as readonly string[]).indexOf(arg.unit);
  return literal(BigInt(code), { kind: "int" });
}

function bindSpecial(binding: Binding, node: Call, name: string): Scalar {
  const { context } = binding;
  if (node.over !== null && name !== "ROW_NUMBER") {
    return context.refuse(node, `OVER windows are not supported yet: ${name} … OVER`);
  }
  if (binding.onAggregate === null) {
    return context.fail(node, `${name} is not allowed in ${binding.place}`);
  }
  return binding.onAggregate(node);
}

function bindProctime(binding: Binding, node: Call): Scalar {
  const { fields } = binding.relation;
  const index = fields.findIndex(({ isHidden, name }) => isHidden && name === "$proctime");
  if (node.args.length > 0) return binding.context.fail(node, "PROCTIME takes no arguments");
  if (index < 0) {
    return binding.context.fail(node, "PROCTIME() is known only of rows that come from a stream");
  }
  return fieldScalar(binding.relation, index);
}

const trimNames = { BOTH: "btrim", LEADING: "ltrim", TRAILING: "rtrim" } as const;

export function bindTrim(binding: Binding, node: Trim): Scalar {
  const nodes = [node.operand, ...(node.characters === null ? [] : [node.characters])];
  const args = nodes.map((each) => binding.bind(each));
  return bindKey(binding, node, trimNames[node.side], args, nodes);
}

export function bindJson(binding: Binding, node: JsonPathCall | JsonObject | JsonArray): Scalar {
  if (node.kind === "jsonPath") return bindJsonPath(binding, node);
  if (node.isAggregate) {
    return binding.context.refuse(node, "JSON_OBJECTAGG and JSON_ARRAYAGG are not supported yet");
  }
  const onNull = node.onNull ?? (node.kind === "jsonObject" ? "null" : "absent");
  const mode = literal(onNull === "absent" ? 1n : 0n, { kind: "int" });
  const nodes =
    node.kind === "jsonObject"
      ? node.entries.flatMap(({ key, value }) => [key, value])
      : node.items;
  const key = node.kind === "jsonObject" ? "json_object" : "json_array";
  const args = nodes.map((each) => binding.bind(each));
  return bindKey(binding, node, key, [mode, ...args], [node, ...nodes]);
}

function bindJsonPath(binding: Binding, node: JsonPathCall): Scalar {
  const input = binding.bind(node.input);
  const path = binding.bind(node.path);
  const nodes = [node.input, node.path];
  if (node.name === "JSON_EXISTS") {
    const onError = behaviorCode(node.onError, "false");
    return bindKey(binding, node, "json_exists", [input, path, onError], nodes);
  }
  const onEmpty = behaviorCode(node.onEmpty, "null");
  const onError = behaviorCode(node.onError, "null");
  if (node.name === "JSON_QUERY") {
    const code = BigInt(jsonWrappers.indexOf(node.wrapper ?? "without"));
    const wrapper = literal(code, { kind: "int" });
    return bindKey(binding, node, "json_query", [input, path, wrapper, onEmpty, onError], nodes);
  }
  const defaults = [node.onEmpty, node.onError].map((each) => defaultOf(binding, each));
  const [empty, error] = defaults as [Scalar, Scalar];
  const args = [input, path, onEmpty, empty, onError, error];
  const value = bindKey(binding, node, "json_value", args, nodes);
  if (node.returning === null) return value;
  const type = dataTypeOf(binding.context, node.returning);
  return makeCast(binding.context, node.returning, value, type, false);
}

function behaviorCode(behavior: JsonBehavior | null, otherwise: "null" | "false"): Scalar {
  return literal(BigInt(jsonBehaviors.indexOf(behavior?.kind ?? otherwise)), { kind: "int" });
}

/** DEFAULT as text: the RETURNING type is made of it as of what the path finds. */
function defaultOf(binding: Binding, behavior: JsonBehavior | null): Scalar {
  if (behavior?.kind !== "default") return literal(null, stringType);
  const value = binding.bind(behavior.expression);
  return makeCast(binding.context, behavior, value, stringType, false);
}
