/**
 * How a built-in function is written down: its names, what it takes, what it gives, and its SQLite
 * text. `bind` types a call and makes its coercions explicit; `lower` turns the typed call to text.
 */
import type { Scalar, SqlValue } from "../plan/scalar.ts";
import { commonTypeOf } from "../types/common-type.ts";
import type { DataType } from "../types/data-type.ts";
import {
  decimalValue,
  fitsPrecision,
  formatDecimal,
  rescale,
  unscaledOf,
} from "../types/decimal.ts";
import { decimalShapeOf } from "../types/decimal-type.ts";
import {
  bigintType,
  booleanType,
  doubleType,
  integerMax,
  intType,
  isCharacter,
  isIntegerKind,
  isNumeric,
  isSameType,
  isTemporal,
  showType,
  stringType,
} from "../types/show-type.ts";

/** A call that does not fit; `argument` is the one at fault, null the call itself. */
export class BindFault extends Error {
  readonly argument: number | null;

  constructor(message: string, argument: number | null = null) {
    super(message);
    this.argument = argument;
  }
}

export interface LowerContext {
  readonly types: readonly DataType[];
  readonly type: DataType;
  readonly args: readonly Scalar[];
  /** Of the session: what TIMESTAMP_LTZ means on the wall. */
  readonly timeZone: string;
}

export type Lower = (args: readonly string[], context: LowerContext) => string;

export type FunctionGroup =
  | "comparison"
  | "logical"
  | "arithmetic"
  | "string"
  | "temporal"
  | "conditional"
  | "conversion"
  | "json"
  | "hash";

export interface FunctionDefinition {
  /** Key in the catalog and in `Scalar`. */
  readonly key: string;
  /** Names in SQL, upper case; empty: an operator, which the checker makes itself. */
  readonly sqlNames: readonly string[];
  readonly group: FunctionGroup;
  /** As in `docs/SQL.md`: `SPLIT_INDEX(text, delimiter, index)`. */
  readonly syntax: string;
  readonly doc: string;
  readonly bind: (args: readonly Scalar[]) => Scalar;
  readonly lower: Lower;
}

/**
 * What a parameter takes: a type that others widen to, or a family. `same` parameters are brought
 * to one type.
 */
export type ParameterKind =
  | "string"
  | "int"
  | "bigint"
  | "double"
  | "boolean"
  | "bytes"
  | "numeric"
  | "moment"
  | "timestamp"
  | "row"
  | "same"
  | "any";

/** `string?` may be left out; `string*` is any number more. */
export type Parameter = ParameterKind | `${ParameterKind}?` | `${ParameterKind}*`;

export type Result = DataType | ((args: readonly Scalar[]) => DataType);

export interface FunctionOptions {
  readonly group: FunctionGroup;
  readonly names: string;
  readonly syntax: string;
  readonly doc: string;
  readonly takes: readonly Parameter[];
  readonly gives: Result;
  /** `args`: NULL comes from NULL only. */
  readonly nullable?: "args" | "always" | "never";
  readonly lower?: Lower;
  /** Where the SQL name is no word. */
  readonly key?: string;
}

/** The function's own SQLite function: `mr_` and the key. */
function hostCall(key: string): Lower {
  return (args) => `mr_${key}(${args.join(", ")})`;
}

export function define(options: FunctionOptions): FunctionDefinition {
  const sqlNames = options.names.split(" ").filter((name) => name !== "");
  const key = options.key ?? (sqlNames[0] ?? "").toLowerCase();
  const title = sqlNames[0] ?? key;
  return {
    key,
    sqlNames,
    group: options.group,
    syntax: options.syntax,
    doc: options.doc,
    bind: (args) => {
      const coerced = coerceArguments(title, options, args);
      const type = typeof options.gives === "function" ? options.gives(coerced) : options.gives;
      const nullable = options.nullable ?? "args";
      return {
        kind: "call",
        name: key,
        args: coerced,
        type,
        nullable: nullable === "args" ? coerced.some(isNullable) : nullable === "always",
      };
    },
    lower: options.lower ?? hostCall(key),
  };
}

export function isNullable(scalar: Scalar): boolean {
  return scalar.kind === "literal" ? scalar.value === null : scalar.nullable;
}

/** SQLite's own bound is 127; some functions get arguments that the user does not see. */
const argumentsMax = 120;

/** What SQLite does not call as a function. */
const unboundedKeys = new Set(["and", "or", "in"]);

function coerceArguments(
  title: string,
  options: FunctionOptions,
  args: readonly Scalar[],
): readonly Scalar[] {
  const kinds = parameterKinds(options.takes, args.length);
  if (kinds === null) {
    throw new BindFault(`${title} takes ${countText(options.takes)}, not ${args.length}`);
  }
  if (args.length > argumentsMax && !unboundedKeys.has(options.key ?? "")) {
    throw new BindFault(`${title} has ${args.length} arguments: more than ${argumentsMax}`);
  }
  const sameTypes = args.filter((_, index) => kinds[index] === "same").map(({ type }) => type);
  const common = commonTypeOf(sameTypes);
  return args.map((arg, index) => {
    const target = common !== null && kinds[index] === "same" ? common : null;
    const type = target ?? accept(kinds[index] ?? "any", arg.type);
    if (type === null) {
      const wanted = wantedNames[kinds[index] ?? "any"];
      throw new BindFault(
        `${title} takes ${wanted} as argument ${index + 1}, not ${showType(arg.type)}`,
        index,
      );
    }
    return coerce(arg, type);
  });
}

function parameterKinds(takes: readonly Parameter[], count: number): ParameterKind[] | null {
  const kinds: ParameterKind[] = [];
  for (const parameter of takes) {
    const kind = parameter.replace(/[?*]$/, "") as ParameterKind;
    const times = parameter.endsWith("*") ? count - kinds.length : 1;
    if (parameter.endsWith("?") && kinds.length >= count) continue;
    for (let time = 0; time < times; time++) kinds.push(kind);
  }
  return kinds.length === count ? kinds : null;
}

function countText(takes: readonly Parameter[]): string {
  const most = takes.length;
  const least = takes.filter((parameter) => !/[?*]$/.test(parameter)).length;
  if (takes.some((parameter) => parameter.endsWith("*"))) return `at least ${plural(least)}`;
  return least === most ? plural(most) : `${least} to ${plural(most)}`;
}

function plural(count: number): string {
  return count === 0 ? "no arguments" : `${count} argument${count === 1 ? "" : "s"}`;
}

const wantedNames: Readonly<Record<ParameterKind, string>> = {
  string: "a STRING",
  int: "an INT",
  bigint: "a BIGINT",
  double: "a number",
  boolean: "a BOOLEAN",
  bytes: "BYTES",
  numeric: "a number",
  moment: "a DATE, TIME or TIMESTAMP",
  timestamp: "a TIMESTAMP",
  row: "a ROW",
  same: "values of one type",
  any: "anything",
};

/** The type that an argument takes on; null: it does not fit. */
function accept(kind: ParameterKind, type: DataType): DataType | null {
  const isNull = type.kind === "null";
  switch (kind) {
    case "string":
      return isCharacter(type) ? type : isNull ? stringType : null;
    case "int":
      return isIntegerKind(type.kind) || isNull ? (isNull ? intType : type) : null;
    case "bigint":
      return isIntegerKind(type.kind) || isNull ? bigintType : null;
    case "double":
      return isNumeric(type) || isNull ? doubleType : null;
    case "boolean":
      return type.kind === "boolean" || isNull ? booleanType : null;
    case "bytes":
      return type.kind === "bytes" || isNull ? { kind: "bytes" } : null;
    case "numeric":
      return isNumeric(type) ? type : isNull ? intType : null;
    case "moment":
      return isTemporal(type) ? type : isNull ? { kind: "timestamp" } : null;
    case "timestamp":
      return isTemporal(type) && type.kind !== "time"
        ? type.kind === "date"
          ? { kind: "timestamp" }
          : type
        : isNull
          ? { kind: "timestamp" }
          : null;
    case "row":
      return type.kind === "row" ? type : null;
    case "same":
      return null;
    case "any":
      return type;
  }
}

/** An explicit CAST where the type differs. */
export function coerce(scalar: Scalar, type: DataType): Scalar {
  if (isSameType(scalar.type, type)) return scalar;
  if (scalar.kind === "literal" && scalar.value === null) return { ...scalar, type };
  if (isFreeCast(scalar.type, type)) return retyped(scalar, type);
  const widened =
    scalar.kind === "literal" ? widenedLiteral(scalar.value, scalar.type, type) : null;
  if (widened !== null) return { kind: "literal", value: widened, type };
  return { kind: "cast", input: scalar, type, nullable: isNullable(scalar), isTry: false };
}

/** A number that is written out, as a value of a type that holds it exactly; null: at run time. */
function widenedLiteral(value: SqlValue, from: DataType, to: DataType): SqlValue {
  const shape = decimalShapeOf(from);
  if (shape === null || value === null) return null;
  const unscaled = unscaledOf(value);
  if (isIntegerKind(to.kind)) {
    const isWider = isIntegerKind(from.kind) && integerMax[from.kind] <= integerMax[to.kind];
    return isWider ? value : null;
  }
  if (to.kind === "double") return Number(formatDecimal(unscaled, shape.scale));
  if (to.kind !== "decimal" || to.scale < shape.scale) return null;
  const scaled = rescale(unscaled, shape.scale, to.scale);
  return fitsPrecision(scaled, to.precision) ? decimalValue(scaled, to.precision) : null;
}

/** Whether each value lies in memory alike under both types. */
function isFreeCast(from: DataType, to: DataType): boolean {
  return isCharacter(from) && to.kind === "varchar" && (to.length ?? 1e9) >= (from.length ?? 1e9);
}

function retyped(scalar: Scalar, type: DataType): Scalar {
  return { ...scalar, type } as Scalar;
}
