/**
 * One column of an Arrow record batch out of cells of JSON rows, its buffers laid out by hand: the
 * library's own builders make functions from text where there are NULLs, which workerd forbids.
 *
 * | type | buffer |
 * |---|---|
 * | Bool | a bit per row |
 * | Decimal | 16 bytes per row, little-endian two's complement of the unscaled value |
 * | Utf8, Binary | offsets of 32 bits, rows + 1 of them, and the bytes |
 */
import { assert } from "../base/assert.ts";
import type { ArrowColumnType } from "./arrow-column.ts";
import type { JsonCell } from "./json-cells.ts";

export type Cells = readonly (JsonCell | null)[];

export interface ColumnBuffers {
  readonly nullCount: number;
  /** A bit per row that has a value. */
  readonly nullBitmap: Uint8Array;
  readonly valueOffsets?: Int32Array;
  readonly data: ArrowValues;
}

/** What a buffer of values is: of the kind that its type says. */
export type ArrowValues =
  | Uint8Array
  | Int8Array
  | Int16Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | Float32Array
  | Float64Array;

const encoder = new TextEncoder();
const dayMs = 86_400_000;

export function columnBuffers(type: ArrowColumnType, cells: Cells): ColumnBuffers {
  return { ...validityOf(cells), ...buffersOf(type, cells) };
}

function validityOf(cells: Cells) {
  const nullBitmap = new Uint8Array(Math.ceil(cells.length / 8));
  let nullCount = 0;
  for (const [index, cell] of cells.entries()) {
    if (cell === null) nullCount += 1;
    else setBit(nullBitmap, index);
  }
  return { nullBitmap, nullCount };
}

function setBit(bitmap: Uint8Array, index: number): void {
  bitmap[index >> 3] = (bitmap[index >> 3] ?? 0) | (1 << (index & 7));
}

function buffersOf(
  type: ArrowColumnType,
  cells: Cells,
): Pick<ColumnBuffers, "data" | "valueOffsets"> {
  switch (type.kind) {
    case "bool":
      return { data: bitsOf(cells) };
    case "int":
      return { data: integersOf(type.bits, cells) };
    case "float":
      return { data: floatsOf(type.bits, cells) };
    case "decimal":
      return { data: decimalsOf(type.scale, cells) };
    case "text":
      return bytesOf(cells, (cell) => encoder.encode(cell.text));
    case "json":
      return bytesOf(cells, jsonSource);
    case "binary":
      return bytesOf(cells, (cell) => Uint8Array.fromBase64(cell.text));
    case "date":
      return { data: Int32Array.from(cells, (cell) => (cell ? daysOf(cell.text) : 0)) };
    case "time":
      return { data: Int32Array.from(cells, (cell) => (cell ? timeOfDay(cell.text) : 0)) };
    case "timestamp":
      return { data: BigInt64Array.from(cells, (cell) => (cell ? momentOf(cell.text) : 0n)) };
  }
}

function bitsOf(cells: Cells): Uint8Array {
  const bits = new Uint8Array(Math.ceil(cells.length / 8));
  for (const [index, cell] of cells.entries()) if (cell?.kind === "true") setBit(bits, index);
  return bits;
}

function integersOf(bits: 8 | 16 | 32 | 64, cells: Cells) {
  if (bits === 64) return BigInt64Array.from(cells, (cell) => BigInt(cell?.text ?? 0));
  const values = cells.map((cell) => Number(cell?.text ?? 0));
  if (bits === 32) return Int32Array.from(values);
  return bits === 16 ? Int16Array.from(values) : Int8Array.from(values);
}

function floatsOf(bits: 32 | 64, cells: Cells) {
  const values = cells.map((cell) => Number(cell?.text ?? 0));
  return bits === 32 ? Float32Array.from(values) : Float64Array.from(values);
}

function decimalsOf(scale: number, cells: Cells): Uint32Array {
  const words = new BigInt64Array(cells.length * 2);
  for (const [index, cell] of cells.entries()) {
    if (cell === null) continue;
    const value = unscaled(cell.text, scale);
    words[2 * index] = BigInt.asIntN(64, value);
    words[2 * index + 1] = value >> 64n;
  }
  return new Uint32Array(words.buffer);
}

/** `-1.5` at scale 2 is -150n. */
function unscaled(text: string, scale: number): bigint {
  const [whole = "", fraction = ""] = text.split(".");
  assert(fraction.length <= scale, "a decimal has no more digits than its type");
  return BigInt(whole + fraction.padEnd(scale, "0"));
}

function jsonSource({ kind, text }: JsonCell): Uint8Array {
  return encoder.encode(kind === "string" ? JSON.stringify(text) : text);
}

function bytesOf(cells: Cells, encode: (cell: JsonCell) => Uint8Array) {
  const parts = cells.map((cell) => (cell === null ? new Uint8Array(0) : encode(cell)));
  const valueOffsets = new Int32Array(cells.length + 1);
  let position = 0;
  for (const [index, part] of parts.entries()) {
    position += part.length;
    valueOffsets[index + 1] = position;
  }
  const data = new Uint8Array(position);
  for (const [index, part] of parts.entries()) data.set(part, valueOffsets[index]);
  return { valueOffsets, data };
}

/** Days since 1970 of `2026-01-31`; years of more digits and before 0 have a sign. */
function daysOf(text: string): number {
  const [, sign, year = "", month, day] = /^([+-]?)(\d+)-(\d\d)-(\d\d)$/.exec(text) ?? [];
  const date = new Date(0);
  date.setUTCFullYear(Number(year) * (sign === "-" ? -1 : 1), Number(month) - 1, Number(day));
  return date.getTime() / dayMs;
}

/** Milliseconds since midnight of `09:30:00` or `09:30:00.250`. */
function timeOfDay(text: string): number {
  const [hours = "0", minutes = "0", seconds = "0"] = text.split(":");
  return Math.round((Number(hours) * 60 + Number(minutes)) * 60_000 + Number(seconds) * 1000);
}

/** Milliseconds since 1970 of `2026-01-31 09:30:00.000`, with or without a Z. */
function momentOf(text: string): bigint {
  const [date = "", time = ""] = text.replace(/Z$/, "").split(" ");
  return BigInt(daysOf(date) * dayMs + timeOfDay(time));
}
