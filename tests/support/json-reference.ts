/**
 * What the JSON kernel must make of a value, in plain JavaScript over `JSON.parse`: slow, and with
 * nothing in common with the kernel but the rules.
 */
import type { DecodeFault } from "../../src/sql/kernel/decode-error.ts";
import type { JsonColumn } from "../../src/sql/kernel/json-plan.ts";
import type { SqlValue } from "../../src/sql/plan/scalar.ts";
import type { DataType } from "../../src/sql/types/data-type.ts";

/** The JSON text of an object or array is compared by what it means. */
export interface JsonText {
  readonly json: unknown;
}

export type Cell = { readonly value: SqlValue | JsonText } | { readonly fault: DecodeFault };

/** A number as it was written. */
class Written {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

const depthMax = 1000;
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Cells by column, or undefined when the value is no JSON object. */
export function referenceDecode(
  bytes: Uint8Array,
  columns: readonly JsonColumn[],
): Cell[] | undefined {
  let object: unknown;
  try {
    const text = decoder.decode(bytes);
    if (depthOf(text) > depthMax) return undefined;
    object = JSON.parse(text, numbersAsWritten);
  } catch {
    return undefined;
  }
  if (!isObject(object)) return undefined;
  return columns.map((column) => cellOf(object, column));
}

function numbersAsWritten(_key: string, value: unknown, context?: { source?: string }): unknown {
  return typeof value === "number" ? new Written(context?.source ?? String(value)) : value;
}

function isObject(value: unknown): value is Record<string, unknown> {
  const isAny = typeof value === "object" && value !== null && !Array.isArray(value);
  return isAny && !(value instanceof Written);
}

function depthOf(text: string): number {
  let depth = 0;
  let deepest = 0;
  for (const [token] of text.matchAll(/"(?:[^"\\]|\\.)*"|[[\]{}]/gs)) {
    if (token === "[" || token === "{") deepest = Math.max(deepest, ++depth);
    else if (token === "]" || token === "}") depth--;
  }
  return deepest;
}

function cellOf(object: Record<string, unknown>, { path, type, nullable }: JsonColumn): Cell {
  let value: unknown = object;
  for (const name of path) {
    if (value === null || value === undefined) break;
    if (!isObject(value)) return { fault: "wrongType" };
    value = Object.hasOwn(value, name) ? value[name] : undefined;
  }
  if (value !== null && value !== undefined) return convert(value, type);
  return nullable ? { value: null } : { fault: "missing" };
}

function convert(value: unknown, type: DataType): Cell {
  switch (type.kind) {
    case "tinyint":
      return integer(value, 8);
    case "smallint":
      return integer(value, 16);
    case "int":
      return integer(value, 32);
    case "bigint":
      return integer(value, 64);
    case "decimal":
      return decimal(value, type.precision, type.scale);
    case "float":
    case "double":
      return real(value, type.kind);
    case "boolean":
      return boolean(value);
    case "char":
    case "varchar":
      return { value: typeof value === "string" ? value.toWellFormed() : jsonText(value) };
    case "json":
      return { value: { json: value } };
    case "row":
      return isObject(value) ? { value: { json: value } } : { fault: "wrongType" };
    case "bytes":
      return base64(value);
    case "date":
      return temporal(value, /^(\d{4}-\d\d-\d\d)$/);
    case "time":
      return temporal(value, /^()(\d\d:\d\d)(?::(\d\d)(\.\d{1,9})?)?$/);
    case "timestamp":
    case "timestampLtz":
      return timestamp(value);
    default:
      throw new Error(`There is no reference for ${type.kind}`);
  }
}

function jsonText(value: unknown): string | JsonText {
  if (value instanceof Written) return value.text;
  return typeof value === "boolean" ? String(value) : { json: value };
}

/** The number's text, or why there is none. */
function numberText(value: unknown): string | DecodeFault {
  if (value instanceof Written) return value.text;
  if (typeof value !== "string") return "wrongType";
  const trimmed = value.replace(/^[\0- ]+|[\0- ]+$/g, "");
  return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(trimmed) ? trimmed : "badText";
}

interface Exact {
  /** Rounded half away from zero. */
  readonly scaled: bigint;
  readonly isExact: boolean;
}

/** The number times 10^scale; undefined beyond 10^60. */
function exact(text: string, scale: number): Exact | undefined {
  const [, sign, whole = "", fraction = "", exponent = "0"] =
    /^([+-]?)(\d*)\.?(\d*)(?:e([+-]?\d+))?$/i.exec(text) ?? [];
  const digits = BigInt(whole + fraction);
  if (digits === 0n) return { scaled: 0n, isExact: true };
  const power = Number(exponent) - fraction.length + scale;
  if (power > 60) return undefined;
  if (power < -5000) return { scaled: 0n, isExact: false };
  const divisor = 10n ** BigInt(Math.max(-power, 0));
  const product = digits * 10n ** BigInt(Math.max(power, 0));
  const rounded = (2n * product + divisor) / (2n * divisor);
  return { scaled: sign === "-" ? -rounded : rounded, isExact: product % divisor === 0n };
}

function isFault(text: string): text is DecodeFault {
  return text === "wrongType" || text === "badText";
}

function integer(value: unknown, bits: number): Cell {
  const text = numberText(value);
  if (isFault(text)) return { fault: text };
  const number = exact(text, 0);
  if (number === undefined) return { fault: "outOfRange" };
  if (abs(number.scaled) >= 10n ** 38n) return { fault: "outOfRange" };
  if (!number.isExact) return { fault: "notIntegral" };
  if (BigInt.asIntN(bits, number.scaled) !== number.scaled) return { fault: "outOfRange" };
  return { value: number.scaled };
}

function abs(value: bigint): bigint {
  return value < 0n ? -value : value;
}

function decimal(value: unknown, precision: number, scale: number): Cell {
  const text = numberText(value);
  if (isFault(text)) return { fault: text };
  const number = exact(text, scale);
  const isTooLarge = number === undefined || abs(number.scaled) >= 10n ** BigInt(precision);
  return isTooLarge ? { fault: "outOfRange" } : { value: number.scaled };
}

function real(value: unknown, kind: "float" | "double"): Cell {
  const text = numberText(value);
  if (isFault(text)) return { fault: text };
  const number = kind === "float" ? Math.fround(Number(text)) : Number(text);
  return Number.isFinite(number) ? { value: number } : { fault: "outOfRange" };
}

function boolean(value: unknown): Cell {
  if (typeof value === "boolean") return { value: value ? 1n : 0n };
  if (typeof value !== "string") return { fault: "wrongType" };
  const trimmed = value.replace(/^[\0- ]+|[\0- ]+$/g, "");
  if (/^true$/i.test(trimmed)) return { value: 1n };
  return /^false$/i.test(trimmed) ? { value: 0n } : { fault: "badText" };
}

function base64(value: unknown): Cell {
  if (typeof value !== "string") return { fault: "wrongType" };
  const form = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;
  if (!form.test(value)) return { fault: "badText" };
  return { value: Uint8Array.from(atob(value), (each) => each.charCodeAt(0)) };
}

const instantMin = Date.parse("0000-01-01T00:00:00Z");
const instantMax = Date.UTC(9999, 11, 31, 23, 59, 59, 999);

function timestamp(value: unknown): Cell {
  if (value instanceof Written) {
    const cell = integer(value, 64);
    if ("fault" in cell || typeof cell.value !== "bigint") return cell;
    const isInside = cell.value >= BigInt(instantMin) && cell.value <= BigInt(instantMax);
    return isInside ? cell : { fault: "outOfRange" };
  }
  const zoned =
    /^(\d{4}-\d\d-\d\d)(?:[ Tt](\d\d:\d\d)(?::(\d\d)(\.\d{1,9})?)?(Z|z|[+-]\d\d(?::\d\d)?)?)?$/;
  return temporal(value, zoned);
}

/** Groups: date, hours and minutes, seconds, fraction, zone. */
function temporal(value: unknown, form: RegExp): Cell {
  if (typeof value !== "string") return { fault: "wrongType" };
  const match = form.exec(value);
  if (match === null) return { fault: "badText" };
  const [, date = "", minutes = "00:00", seconds = "00", fraction = "", zone = ""] = match;
  const day = date === "" ? 0 : dayOf(date);
  const [hour = 0, minute = 0] = minutes.split(":").map(Number);
  if (day === undefined || hour > 23 || minute > 59 || Number(seconds) > 59) {
    return { fault: "badText" };
  }
  const [zoneHour = 0, zoneMinute = 0] = /\d/.test(zone)
    ? zone.slice(1).split(":").map(Number)
    : [];
  if (zoneHour > 18 || zoneMinute > 59) return { fault: "badText" };
  const offset = (zoneHour * 60 + zoneMinute) * (zone.startsWith("-") ? -60_000 : 60_000);
  const millisecond = Number(fraction.slice(1, 4).padEnd(3, "0"));
  const time = (hour * 60 + minute) * 60_000 + Number(seconds) * 1000 + millisecond - offset;
  if (form.source.startsWith("^(\\d{4}-\\d\\d-\\d\\d)$")) return { value: BigInt(day) };
  const instant = day * 86_400_000 + time;
  if (instant < instantMin || instant > instantMax) return { fault: "badText" };
  return { value: BigInt(instant) };
}

/** Days since 1970, or undefined when there is no such day. */
function dayOf(date: string): number | undefined {
  const milliseconds = Date.parse(`${date}T00:00:00Z`);
  if (Number.isNaN(milliseconds)) return undefined;
  const isSame = new Date(milliseconds).toISOString().startsWith(date);
  return isSame ? milliseconds / 86_400_000 : undefined;
}
