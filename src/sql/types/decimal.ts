/** Exact decimals as an unscaled bigint and a scale, and their form as values of SQLite. */
import type { DataType } from "./data-type.ts";
import { narrowDecimalDigitsMax } from "./data-type.ts";

export interface Decimal {
  readonly unscaled: bigint;
  readonly scale: number;
}

const powers: bigint[] = [1n];

export function powerOfTen(exponent: number): bigint {
  while (powers.length <= exponent) powers.push((powers.at(-1) ?? 1n) * 10n);
  return powers[exponent] ?? 10n ** BigInt(exponent);
}

/** More digits than any DECIMAL and any exponent that could still leave one within it. */
const exponentMax = 400;
const textLengthMax = 1024;

/** Reads `-12.50`, `.5`, `1e3`; null where the text is no number. */
export function parseDecimal(text: string): Decimal | null {
  if (text.length > textLengthMax) return null;
  const parts = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,6}))?$/.exec(text);
  if (parts === null) return null;
  const [, sign = "", whole = "", fraction = "", exponentText = "0"] = parts;
  if (whole.length + fraction.length === 0) return null;
  const exponent = Number(exponentText);
  if (Math.abs(exponent) > exponentMax) return null;
  const digits = BigInt(whole + fraction);
  const scale = fraction.length - exponent;
  const signed = sign === "-" ? -digits : digits;
  return scale >= 0
    ? { unscaled: signed, scale }
    : { unscaled: signed * powerOfTen(-scale), scale: 0 };
}

/** The same number at another scale, half away from zero where digits are lost. */
export function rescale(unscaled: bigint, from: number, to: number): bigint {
  if (to >= from) return unscaled * powerOfTen(to - from);
  return divideHalfUp(unscaled, powerOfTen(from - to));
}

/** The same number at another scale, cut towards zero. */
export function rescaleDown(unscaled: bigint, from: number, to: number): bigint {
  return to >= from ? unscaled * powerOfTen(to - from) : unscaled / powerOfTen(from - to);
}

export function divideHalfUp(dividend: bigint, divisor: bigint): bigint {
  const quotient = dividend / divisor;
  const rest = dividend - quotient * divisor;
  const twice = (rest < 0n ? -rest : rest) * 2n;
  const size = divisor < 0n ? -divisor : divisor;
  if (twice < size) return quotient;
  return dividend < 0n === divisor < 0n ? quotient + 1n : quotient - 1n;
}

export function fitsPrecision(unscaled: bigint, precision: number): boolean {
  const size = unscaled < 0n ? -unscaled : unscaled;
  return size < powerOfTen(precision);
}

export function formatDecimal(unscaled: bigint, scale: number): string {
  const sign = unscaled < 0n ? "-" : "";
  const digits = (unscaled < 0n ? -unscaled : unscaled).toString().padStart(scale + 1, "0");
  if (scale === 0) return sign + digits;
  const point = digits.length - scale;
  return `${sign}${digits.slice(0, point)}.${digits.slice(point)}`;
}

const wideBias = 1n << 127n;
const wordMask = (1n << 64n) - 1n;

/** 16 bytes, big-endian, sign bit flipped: their byte order is the numbers' order. */
export function encodeWide(value: bigint): Uint8Array {
  const bytes = new Uint8Array(16);
  const view = new DataView(bytes.buffer);
  const biased = value + wideBias;
  view.setBigUint64(0, biased >> 64n);
  view.setBigUint64(8, biased & wordMask);
  return bytes;
}

export function decodeWide(bytes: Uint8Array): bigint {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return ((view.getBigUint64(0) << 64n) | view.getBigUint64(8)) - wideBias;
}

/** The unscaled number in the form in which a DECIMAL of that precision lies in SQLite. */
export function decimalValue(unscaled: bigint, precision: number): bigint | Uint8Array {
  return precision <= narrowDecimalDigitsMax ? unscaled : encodeWide(unscaled);
}

/** The unscaled number of a value of any exact type. */
export function unscaledOf(value: unknown): bigint {
  if (typeof value === "bigint") return value;
  if (value instanceof Uint8Array) return decodeWide(value);
  throw new TypeError(`A ${typeof value} is no exact number`);
}

export function scaleOf(type: DataType): number {
  return type.kind === "decimal" ? type.scale : 0;
}
