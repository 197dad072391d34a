/** SQLite text of CAST and TRY_CAST. What cannot fail is plain SQL where that means the same. */
import type { DataType } from "../types/data-type.ts";
import { narrowDecimalDigitsMax } from "../types/data-type.ts";
import { powerOfTen } from "../types/decimal.ts";
import { type DecimalType, decimalShapeOf } from "../types/decimal-type.ts";
import {
  type CharacterType,
  type IntegerKind,
  isCharacter,
  isIntegerKind,
  isSameType,
} from "../types/show-type.ts";
import { sqlText } from "./literal.ts";

export interface CastOptions {
  readonly from: DataType;
  readonly to: DataType;
  readonly isTry: boolean;
  readonly timeZone: string;
}

export function lowerCast(value: string, options: CastOptions): string {
  const { from, to } = options;
  if (from.kind === "null" || isSameType(from, to)) return value;
  if (isCharacter(to)) return toCharacter(value, options, to);
  switch (to.kind) {
    case "boolean":
      return toBoolean(value, options);
    case "tinyint":
    case "smallint":
    case "int":
    case "bigint":
      return toInteger(value, options, to.kind);
    case "float":
    case "double":
      return toReal(value, options);
    case "decimal":
      return toDecimal(value, options, to);
    case "bytes":
      return `CAST(${value} AS BLOB)`;
    case "json":
      return isCharacter(from) ? fallible("text_json", options, value) : value;
    default:
      return toTime(value, options);
  }
}

/** A conversion that may fail; under TRY_CAST its twin. */
function fallible(name: string, { isTry }: CastOptions, ...args: (string | number)[]): string {
  return `mr_${isTry ? "try_" : ""}${name}(${args.join(", ")})`;
}

function toCharacter(value: string, options: CastOptions, to: CharacterType): string {
  const { from } = options;
  const text = textOf(value, from, options.timeZone);
  if (to.length === null) return text;
  if (to.kind === "char") return `mr_char(${text}, ${to.length})`;
  const fits = isCharacter(from) && from.length !== null && from.length <= to.length;
  return fits ? text : `mr_cut(${text}, ${to.length})`;
}

/** The text form of a value of any type. */
export function textOf(value: string, from: DataType, timeZone: string): string {
  switch (from.kind) {
    case "boolean":
      return `CASE ${value} WHEN 1 THEN 'TRUE' WHEN 0 THEN 'FALSE' END`;
    case "tinyint":
    case "smallint":
    case "int":
    case "bigint":
      return `CAST(${value} AS TEXT)`;
    case "float":
      return `mr_float_text(${value})`;
    case "double":
      return `mr_double_text(${value})`;
    case "decimal":
      return `mr_dec_text(${value}, ${from.scale})`;
    case "bytes":
      return `mr_utf8(${value})`;
    case "date":
      return `mr_date_text(${value})`;
    case "time":
      return `mr_time_text(${value})`;
    case "timestamp":
      return `mr_timestamp_text(${value})`;
    case "timestampLtz":
      return `mr_timestamp_text(${onWall(value, timeZone)})`;
    case "intervalDay":
      return `mr_day_text(${value})`;
    case "intervalYear":
      return `mr_year_text(${value})`;
    default:
      return value;
  }
}

/** What the clock of the zone shows at an instant. */
export function onWall(value: string, timeZone: string): string {
  return timeZone === "UTC" ? value : `mr_wall(${value}, ${sqlText(timeZone)})`;
}

export function atInstant(value: string, timeZone: string): string {
  return timeZone === "UTC" ? value : `mr_instant(${value}, ${sqlText(timeZone)})`;
}

function toBoolean(value: string, options: CastOptions): string {
  const { from } = options;
  if (isCharacter(from)) return fallible("text_boolean", options, value);
  if (from.kind === "decimal") return `(mr_dec_sign(${value}, ${from.scale}) <> 0)`;
  return `(${value} <> 0)`;
}

const integerBits: Readonly<Record<IntegerKind, number>> = {
  tinyint: 8,
  smallint: 16,
  int: 32,
  bigint: 64,
};

function toInteger(value: string, options: CastOptions, kind: IntegerKind): string {
  const { from } = options;
  const bits = integerBits[kind];
  if (isCharacter(from)) return fallible("text_int", options, value, bits);
  if (from.kind === "float" || from.kind === "double") {
    return fallible("real_int", options, value, bits);
  }
  if (from.kind === "decimal") return fallible("dec_int", options, value, from.scale, bits);
  const isNarrowing = isIntegerKind(from.kind) && integerBits[from.kind] > bits;
  return isNarrowing ? fallible(`to_i${bits}`, options, value) : value;
}

/** Up to so many digits an integer and a power of ten divide to the nearest DOUBLE. */
const exactQuotientDigits = 15;

function toReal(value: string, options: CastOptions): string {
  const { from, to } = options;
  const isFloat = to.kind === "float";
  if (isCharacter(from)) return fallible(isFloat ? "text_f32" : "text_real", options, value);
  const real = realOf(value, from);
  return isFloat && from.kind !== "float" ? fallible("to_f32", options, real) : real;
}

function realOf(value: string, from: DataType): string {
  if (from.kind === "float" || from.kind === "double") return value;
  if (from.kind !== "decimal") return `CAST(${value} AS REAL)`;
  if (from.precision > exactQuotientDigits) return `mr_dec_real(${value}, ${from.scale})`;
  return `(CAST(${value} AS REAL) / ${powerOfTen(from.scale)}.0)`;
}

function toDecimal(value: string, options: CastOptions, to: DecimalType): string {
  const { from } = options;
  const { precision, scale } = to;
  if (isCharacter(from)) return fallible("text_dec", options, value, precision, scale);
  const shape = from.kind === "boolean" ? { precision: 1, scale: 0 } : decimalShapeOf(from);
  if (shape === null) return fallible("real_dec", options, value, precision, scale);
  const always = precision - scale >= shape.precision - shape.scale && scale >= shape.scale;
  if (always && precision <= narrowDecimalDigitsMax) {
    const shift = scale - shape.scale;
    return shift === 0 ? value : `(${value} * ${powerOfTen(shift)})`;
  }
  const isWideAlready = from.kind === "decimal" && from.precision > narrowDecimalDigitsMax;
  if (always && isWideAlready && shape.scale === scale) return value;
  return fallible("dec_cast", options, value, shape.scale, precision, scale);
}

const dayText = "86400000";

function toTime(value: string, options: CastOptions): string {
  const { from, to, timeZone } = options;
  const wall = from.kind === "timestampLtz" ? onWall(value, timeZone) : value;
  if (isCharacter(from)) {
    if (to.kind !== "timestampLtz") return fallible(`text_${to.kind}`, options, value);
    return fallible("text_ltz", options, value, sqlText(timeZone));
  }
  if (to.kind === "date") return `mr_date(${wall})`;
  if (to.kind === "time") return `mr_time(${wall})`;
  const timestamp = from.kind === "date" ? `(${wall} * ${dayText})` : wall;
  return to.kind === "timestampLtz" && from.kind !== "timestampLtz"
    ? atInstant(timestamp, timeZone)
    : timestamp;
}
