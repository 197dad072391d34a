/** Why a record gave no row, in words. */
import { assert } from "../../base/assert.ts";
import type { DataType } from "../types/data-type.ts";

/** The kernels' codes, as `wasm/sql/parts/json-layout.ts` has them. */
export const faultCodes = {
  empty: 1,
  notObject: 2,
  syntax: 3,
  endsEarly: 4,
  trailing: 5,
  controlCharacter: 6,
  badEscape: 7,
  tooDeep: 8,
  invalidUtf8: 9,
  wrongType: 10,
  outOfRange: 11,
  notIntegral: 12,
  badText: 13,
  missing: 14,
  noRoom: 15,
} as const;

export type DecodeFault = keyof typeof faultCodes;

const faults = Object.keys(faultCodes) as DecodeFault[];

export function faultOf(code: number): DecodeFault {
  const fault = faults.find((each) => faultCodes[each] === code);
  assert(fault !== undefined, `the kernel's code ${code} is known`);
  return fault;
}

export interface DecodeError {
  /** Row of the table that the records were decoded to. */
  readonly row: number;
  readonly fault: DecodeFault;
  /** Place in the decoder's columns; null: the record as a whole. */
  readonly column: number | null;
  /** Byte of the record's value (of its key, if the column comes from there). */
  readonly position: number;
}

/** A column as messages speak of it. */
export interface DecodedColumn {
  /** Names from the record's object down to the value: where it is looked for. */
  readonly path: readonly string[];
  readonly type: DataType;
}

const quote = 0x22;
const backslash = 0x5c;
const openBrace = 0x7b;
const closeBrace = 0x7d;
const shownCharactersMax = 40;
const depthMax = 1000;

const objectFaults: Readonly<Partial<Record<DecodeFault, string>>> = {
  empty: "it is empty; expected a JSON object",
  notObject: "it is no JSON object",
  endsEarly: "it ends inside of its JSON object",
  trailing: "something follows its JSON object",
  controlCharacter: "a control character stands in a string as it is; expected an escape",
  badEscape: "a backslash begins no escape of JSON",
  tooDeep: `objects and arrays lie more than ${depthMax} deep in each other`,
  invalidUtf8: "it is not UTF-8",
  noRoom: "it holds more escaped text than fits",
};

/**
 * The error in one sentence: what could not be read as what, where, and what stands there. `raw`:
 * the value's bytes.
 */
export function describeDecodeError(
  error: Pick<DecodeError, "fault" | "position">,
  column: DecodedColumn | null,
  raw: Uint8Array,
): string {
  const { fault, position } = error;
  if (column === null) {
    const reason = objectFaults[fault] ?? `it is no JSON: ${found(raw, position)}`;
    return `Cannot decode the value: ${reason}, at byte ${position}`;
  }
  const parent = fault === "wrongType" ? wrongParent(column.path, raw, position) : null;
  if (parent !== null) {
    const there = `at byte ${position}: ${found(raw, position)}`;
    return `Cannot decode "${parent.join(".")}": expected an object, ${there}`;
  }
  const what = `"${column.path.join(".")}" as ${typeText(column.type)}`;
  if (fault === "missing") return `Cannot decode ${what}: it is NOT NULL, and has no value`;
  const reason = columnReason(fault, column.type);
  return `Cannot decode ${what}: ${reason}, at byte ${position}: ${found(raw, position)}`;
}

/**
 * The value on the way to a column that is no object; null: it is the column's own. The kernel
 * names a column and a place, and as many objects are open at that place as there are names.
 */
function wrongParent(
  path: readonly string[],
  raw: Uint8Array,
  position: number,
): readonly string[] | null {
  let depth = 0;
  let isText = false;
  for (let at = 0; at < position; at++) {
    const byte = raw[at];
    if (isText && byte === backslash) at++;
    else if (byte === quote) isText = !isText;
    else if (!isText && byte === openBrace) depth++;
    else if (!isText && byte === closeBrace) depth--;
  }
  return depth > 0 && depth < path.length ? path.slice(0, depth) : null;
}

function columnReason(fault: DecodeFault, type: DataType): string {
  switch (fault) {
    case "outOfRange":
      return "the number is out of range";
    case "notIntegral":
      return "the number has a fraction";
    case "invalidUtf8":
      return "it is not UTF-8";
    default:
      return `expected ${expected(type)}`;
  }
}

function expected(type: DataType): string {
  switch (type.kind) {
    case "boolean":
      return "true or false";
    case "bytes":
      return "a string of base64";
    case "date":
      return "a string like 2026-01-31";
    case "time":
      return "a string like 23:59:59.999";
    case "timestamp":
    case "timestampLtz":
      return "a string like 2026-01-31 23:59:59.999 or epoch milliseconds";
    case "row":
      return "an object";
    default:
      return "a number";
  }
}

function found(raw: Uint8Array, position: number): string {
  if (position >= raw.length) return "found its end";
  const bytes = raw.subarray(position, position + 4 * shownCharactersMax);
  const text = [...new TextDecoder().decode(bytes)];
  const shown = text.slice(0, shownCharactersMax).join("");
  const isCut = text.length > shownCharactersMax || position + bytes.length < raw.length;
  return `found ${JSON.stringify(shown)}${isCut ? "…" : ""}`;
}

function typeText(type: DataType): string {
  switch (type.kind) {
    case "decimal":
      return `DECIMAL(${type.precision}, ${type.scale})`;
    case "char":
    case "varchar":
      return type.length === null ? "STRING" : `${type.kind.toUpperCase()}(${type.length})`;
    case "timestampLtz":
      return "TIMESTAMP_LTZ";
    case "intervalDay":
    case "intervalYear":
      return "INTERVAL";
    default:
      return type.kind.toUpperCase();
  }
}
