/**
 * Functions of ours in SQLite. Each is written in JavaScript, which is its meaning; those that many
 * rows pass have a native twin in `wasm/sql/functions.ts`, which calls the JavaScript for all but
 * the common cases.
 *
 * None is declared deterministic: SQLite would compute a call of constants once, before the scan,
 * and an error in it would be one of rows that a WHERE leaves out, or of no row at all.
 */
import type { SqlValue } from "../plan/scalar.ts";
import type { SqliteDatabase } from "./database.ts";
import { type SqliteExports, sqliteCode, sqliteType, transient } from "./exports.ts";
import type { SqliteHost } from "./host.ts";
import type { SqliteMemory } from "./memory.ts";

export interface ScalarFunction {
  /** As in SQL text. */
  readonly name: string;
  /** −1: any number. */
  readonly argumentCount: number;
  /** What it throws fails the row: the message is the reason. */
  readonly call: (args: readonly SqlValue[]) => SqlValue;
}

const utf8 = 1;
/** SQLITE_INNOCUOUS: it has no effect, and may stand in views and generated columns. */
const innocuous = 0x20_0000;

const nativeTwins: Readonly<Record<string, string>> = {
  mr_i8: "int8",
  mr_i16: "int16",
  mr_i32: "int32",
  mr_add: "add",
  mr_sub: "subtract",
  mr_mul: "multiply",
  mr_div: "divide",
  mr_mod: "modulo",
  mr_finite: "finite",
  mr_f32: "float32",
  mr_div_real: "divideReal",
  mr_real: "realOfBits",
  mr_dec_add: "decimalAdd",
  mr_dec_sub: "decimalSubtract",
  mr_dec_mul: "decimalMultiply",
  mr_dec_div: "decimalDivide",
  mr_dec_cast: "decimalCast",
  mr_char_length: "charLength",
  mr_lower: "lower",
  mr_upper: "upper",
  mr_concat: "concat",
  mr_startswith: "startsWith",
  mr_endswith: "endsWith",
  mr_split_index: "splitIndex",
  mr_floor_to: "floorTo",
  mr_extract: "extract",
  mr_date_format: "dateFormat",
};

/** Names of the functions that have a native twin. */
export const nativeFunctionNames: readonly string[] = Object.keys(nativeTwins);

interface Registry {
  readonly kernel: Readonly<Record<string, CallableFunction>>;
  /** C function pointers by the kernel's names. */
  readonly pointers: Map<string, number>;
  readonly functions: ScalarFunction[];
}

const registries = new WeakMap<SqliteHost, Registry>();

/** Gives `database` the functions. With `isNative` false all run in JavaScript, for tests. */
export function registerFunctions(
  database: SqliteDatabase,
  functions: readonly ScalarFunction[],
  options: { readonly isNative?: boolean } = {},
): void {
  const { host } = database;
  const registry = registryOf(host);
  for (const each of functions) {
    const number = registry.functions.push(each) - 1;
    const twin = options.isNative === false ? undefined : nativeTwins[each.name];
    const pointer = pointerOf(host, registry, twin ?? "hosted");
    const flags = utf8 | innocuous;
    const { argumentCount } = each;
    const code = host.memory.withText(each.name, (name) =>
      host.exports.sqlite3_create_function_v2(
        database.address,
        name,
        argumentCount,
        flags,
        number,
        pointer,
        0,
        0,
        0,
      ),
    );
    if (code !== sqliteCode.ok) throw database.failure(code, `register ${each.name}`);
  }
}

function registryOf(host: SqliteHost): Registry {
  const known = registries.get(host);
  if (known !== undefined) return known;
  const functions: ScalarFunction[] = [];
  const kernel = host.link<Registry["kernel"]>("functions", {
    callHost(number: number, context: number, argCount: number, args: number): void {
      callHost(host, { called: functions[number], context, argCount, args });
    },
  });
  const registry = { kernel, pointers: new Map<string, number>(), functions };
  registries.set(host, registry);
  return registry;
}

function pointerOf(host: SqliteHost, registry: Registry, name: string): number {
  const known = registry.pointers.get(name);
  if (known !== undefined) return known;
  const pointer = host.functionPointer(registry.kernel[name]);
  registry.pointers.set(name, pointer);
  return pointer;
}

interface Call {
  readonly called: ScalarFunction | undefined;
  readonly context: number;
  readonly argCount: number;
  readonly args: number;
}

/** Never throws: an exception would leave SQLite in the middle of a statement. */
function callHost({ exports, memory }: SqliteHost, call: Call): void {
  const { called, context } = call;
  try {
    if (called === undefined) throw new Error("Broken invariant: no such function");
    const values: SqlValue[] = [];
    for (let index = 0; index < call.argCount; index++) {
      values.push(readValue(exports, memory, memory.readUint32(call.args + 4 * index)));
    }
    giveResult(exports, memory, { context, value: called.call(values) });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    giveError(exports, memory, { context, reason });
  }
}

function readValue(exports: SqliteExports, memory: SqliteMemory, value: number): SqlValue {
  switch (exports.sqlite3_value_type(value)) {
    case sqliteType.integer:
      return exports.sqlite3_value_int64(value);
    case sqliteType.real:
      return exports.sqlite3_value_double(value);
    case sqliteType.text: {
      const at = exports.sqlite3_value_blob(value);
      return memory.text(at, exports.sqlite3_value_bytes(value));
    }
    case sqliteType.blob: {
      const at = exports.sqlite3_value_blob(value);
      return memory.take(at, exports.sqlite3_value_bytes(value));
    }
    default:
      return null;
  }
}

const encoder = new TextEncoder();

function giveResult(
  exports: SqliteExports,
  memory: SqliteMemory,
  result: { readonly context: number; readonly value: SqlValue },
): void {
  const { context, value } = result;
  if (value === null) {
    exports.sqlite3_result_null(context);
    return;
  }
  if (typeof value === "number") {
    exports.sqlite3_result_double(context, value);
    return;
  }
  if (typeof value === "bigint") {
    // BigInts wrap silently on their way into WebAssembly.
    if (BigInt.asIntN(64, value) !== value) throw new Error(`${value} does not fit 64 bits`);
    exports.sqlite3_result_int64(context, value);
    return;
  }
  const isText = typeof value === "string";
  const bytes = isText ? encoder.encode(value) : value;
  const at = memory.place(bytes);
  if (isText) exports.sqlite3_result_text(context, at, bytes.length, transient);
  else exports.sqlite3_result_blob(context, at, bytes.length, transient);
  memory.free(at);
}

function giveError(
  exports: SqliteExports,
  memory: SqliteMemory,
  failure: { readonly context: number; readonly reason: string },
): void {
  try {
    const { address, length } = memory.placeText(failure.reason);
    exports.sqlite3_result_error(failure.context, address, length);
    memory.free(address);
  } catch {
    // Not even room for the reason.
    exports.sqlite3_result_error_nomem(failure.context);
  }
}
