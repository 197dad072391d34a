/** What the JSON functions and the access to fields of a ROW do. */
import type { SqlValue } from "../plan/scalar.ts";
import { castHosts } from "./cast-host.ts";
import { flag, type HostFunction, hosted, number, strict, text } from "./host-function.ts";
import { PathFault, parseJsonPath, selectJson } from "./json-path.ts";
import {
  formatJson,
  isList,
  isMembers,
  JsonFault,
  JsonNumber,
  type JsonValue,
  parseJson,
} from "./json-text.ts";
import { RowError, shown } from "./row-error.ts";

/** What ON EMPTY and ON ERROR ask for, as numbers in the SQL text. */
export const jsonBehaviors = [
  "null",
  "error",
  "default",
  "emptyArray",
  "emptyObject",
  "true",
  "false",
  "unknown",
] as const;

export const jsonWrappers = ["without", "conditional", "unconditional"] as const;

class Failure {
  readonly reason: string;

  constructor(reason: string) {
    this.reason = reason;
  }
}

/** The values at a path, or why there are none. */
function query(json: string, path: string): readonly JsonValue[] | Failure {
  const steps = parseJsonPath(path);
  try {
    return selectJson(steps, parseJson(json));
  } catch (cause) {
    if (cause instanceof JsonFault) return new Failure(`${shown(json)} is not JSON`);
    if (cause instanceof PathFault) return new Failure(`${shown(path)} leads nowhere`);
    throw cause;
  }
}

/** The same for a function that wants one value: of a path for many that is the list of them. */
function queryOne(json: string, path: string): readonly JsonValue[] | Failure {
  const found = query(json, path);
  return found instanceof Failure || !parseJsonPath(path).isMany ? found : [[...found]];
}

function behave(code: SqlValue, given: SqlValue, reason: string): SqlValue {
  switch (jsonBehaviors[number(code)]) {
    case "error":
      throw new RowError(reason);
    case "default":
      return given;
    case "emptyArray":
      return "[]";
    case "emptyObject":
      return "{}";
    case "true":
      return 1n;
    case "false":
      return 0n;
    default:
      return null;
  }
}

/** mr_json_value(json, path, on empty, its default, on error, its default). */
function jsonValue(args: readonly SqlValue[]): SqlValue {
  const [json = null, path = null, onEmpty = 0n, empty = null, onError = 0n, error = null] = args;
  if (json === null || path === null) return null;
  const found = queryOne(text(json), text(path));
  if (found instanceof Failure) return behave(onError, error, found.reason);
  const [first = null] = found;
  if (found.length === 0 || (found.length === 1 && first === null)) {
    return behave(onEmpty, empty, `${shown(text(path))} leads to nothing`);
  }
  if (found.length > 1 || isList(first) || isMembers(first)) {
    const problem = `${shown(text(path))} does not lead to one scalar`;
    // A lax path that finds no scalar has found nothing.
    return parseJsonPath(text(path)).isStrict
      ? behave(onError, error, problem)
      : behave(onEmpty, empty, problem);
  }
  return first instanceof JsonNumber ? first.text : String(first);
}

/** mr_json_query(json, path, wrapper, on empty, on error). */
function jsonQuery(args: readonly SqlValue[]): SqlValue {
  const [json = null, path = null, wrapper = 0n, onEmpty = 0n, onError = 0n] = args;
  if (json === null || path === null) return null;
  const found = queryOne(text(json), text(path));
  if (found instanceof Failure) return behave(onError, null, found.reason);
  const [first = null] = found;
  if (found.length === 0) return behave(onEmpty, null, `${shown(text(path))} leads to nothing`);
  const mode = jsonWrappers[number(wrapper)];
  const isPart = isList(first) || isMembers(first);
  if (mode === "unconditional" || (mode === "conditional" && (found.length > 1 || !isPart))) {
    return formatJson([...found]);
  }
  if (found.length === 1 && first === null) {
    return behave(onEmpty, null, `${shown(text(path))} leads to null`);
  }
  if (found.length === 1 && isPart) return formatJson(first);
  const problem = `${shown(text(path))} does not lead to one object or array`;
  return behave(parseJsonPath(text(path)).isStrict ? onError : onEmpty, null, problem);
}

function isJsonOf(value: string, wanted: string): boolean {
  try {
    const json = parseJson(value);
    if (wanted === "OBJECT") return isMembers(json);
    if (wanted === "ARRAY") return isList(json);
    return wanted !== "SCALAR" || !(isMembers(json) || isList(json));
  } catch (cause) {
    if (cause instanceof JsonFault) return false;
    throw cause;
  }
}

const conversions = new Map(castHosts.map((host) => [host.name, host]));

function convert(name: string, ...args: SqlValue[]): SqlValue {
  const host = conversions.get(name);
  if (host === undefined) throw new RangeError(`There is no conversion ${name}`);
  return host.call(args);
}

/**
 * mr_field(row, name, host, …): the field's text form through one of the conversions of CAST;
 * `text` and `json` leave it as it is.
 */
function field(args: readonly SqlValue[]): SqlValue {
  const [row = null, name = null, conversion = null, ...rest] = args;
  if (row === null) return null;
  const members = parseRow(text(row));
  const value = isMembers(members) ? (members.get(text(name)) ?? null) : null;
  if (value === null) return null;
  const isText = text(conversion) === "text";
  if (text(conversion) === "json") return formatJson(value);
  if (isList(value) || isMembers(value)) {
    if (isText) return formatJson(value);
    throw new RowError(`The field ${text(name)} is not a single value`);
  }
  const plain = value instanceof JsonNumber ? value.text : String(value);
  if (isText) return plain;
  if (text(conversion) === "mr_text_int" && /[eE]/.test(plain)) {
    return convert("mr_real_int", Number(plain), ...rest);
  }
  return convert(text(conversion), plain, ...rest);
}

function parseRow(json: string): JsonValue {
  try {
    return parseJson(json);
  } catch (cause) {
    if (cause instanceof JsonFault) throw new RowError(`The ROW ${shown(json)} is not JSON`);
    throw cause;
  }
}

/** mr_json_object(absent on null: 1, key, JSON text, key, JSON text, …). */
function jsonObject(args: readonly SqlValue[]): SqlValue {
  const members: string[] = [];
  for (let index = 1; index < args.length; index += 2) {
    const key = args[index] ?? null;
    const value = args[index + 1] ?? null;
    if (key === null) throw new RowError("A key of JSON_OBJECT is NULL");
    if (value === null && args[0] === 1n) continue;
    members.push(`${JSON.stringify(text(key))}:${value === null ? "null" : text(value)}`);
  }
  return `{${members.join(",")}}`;
}

function jsonArray(args: readonly SqlValue[]): SqlValue {
  const items = args
    .slice(1)
    .filter((value) => value !== null || args[0] !== 1n)
    .map((value) => (value === null ? "null" : text(value)));
  return `[${items.join(",")}]`;
}

function unquote(value: string): string {
  try {
    const json = parseJson(value);
    return typeof json === "string" ? json : value;
  } catch (cause) {
    if (cause instanceof JsonFault) return value;
    throw cause;
  }
}

export const jsonHosts: readonly HostFunction[] = [
  { name: "mr_json_value", argumentCount: 6, call: jsonValue },
  { name: "mr_json_query", argumentCount: 5, call: jsonQuery },
  hosted("mr_json_exists", 3, (json = null, path = null, onError = 0n) => {
    if (json === null || path === null) return null;
    const found = query(text(json), text(path));
    return found instanceof Failure ? behave(onError, null, found.reason) : flag(found.length > 0);
  }),
  strict("mr_is_json", 2, (value, wanted) => flag(isJsonOf(text(value), text(wanted)))),
  strict("mr_json_string", 1, (value) => JSON.stringify(text(value))),
  strict("mr_json_real", 1, (value) => String(number(value))),
  strict("mr_json_unquote", 1, (value) => unquote(text(value))),
  { name: "mr_json_object", argumentCount: -1, call: jsonObject },
  { name: "mr_json_array", argumentCount: -1, call: jsonArray },
  { name: "mr_field", argumentCount: -1, call: field },
];
