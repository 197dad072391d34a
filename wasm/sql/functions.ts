/**
 * Scalar functions that SQLite calls. `hosted` passes a call to a JavaScript function, whose number
 * is the function's client data. The others are native twins of JavaScript functions that rows pass
 * often: each does what is common and cannot fail, and hands everything else (an error, an unusual
 * type, text beyond ASCII where that matters) to its JavaScript twin, which says what it means.
 * All twins are NULL where an argument is.
 */
import { areIntegers, arg, fallback, integerOf, typeOf } from "./parts/call";
import * as exact from "./parts/exact";
import { SLACK, sameBytes, storeWideBlob, wideBlobHigh, wideBlobLow } from "./parts/layout";
import {
  BLOB,
  FLOAT,
  free,
  INTEGER,
  malloc,
  NULL,
  resultBlob,
  resultDouble,
  resultInt64,
  resultNull,
  resultText,
  TEXT,
  TRANSIENT,
  valueBlob,
  valueBytes,
  valueDouble,
  valueInt64,
  valueType,
} from "./parts/sqlite";

export { hosted } from "./parts/call";
export { dateFormat, extract, floorTo } from "./parts/time-functions";

function checked(context: usize, argCount: i32, args: usize, lowest: i64, highest: i64): void {
  if (typeOf(args, 0) == INTEGER) {
    const value = integerOf(args, 0);
    if (value >= lowest && value <= highest) {
      resultInt64(context, value);
      return;
    }
  }
  fallback(context, argCount, args);
}

export function int8(context: usize, argCount: i32, args: usize): void {
  checked(context, argCount, args, -0x80, 0x7f);
}

export function int16(context: usize, argCount: i32, args: usize): void {
  checked(context, argCount, args, -0x8000, 0x7fff);
}

export function int32(context: usize, argCount: i32, args: usize): void {
  checked(context, argCount, args, -0x80000000, 0x7fffffff);
}

export function add(context: usize, argCount: i32, args: usize): void {
  if (areIntegers(args)) {
    exact.resetOverflow();
    const sum = exact.addExact(integerOf(args, 0), integerOf(args, 1));
    if (!exact.hasOverflowed) {
      resultInt64(context, sum);
      return;
    }
  }
  fallback(context, argCount, args);
}

export function subtract(context: usize, argCount: i32, args: usize): void {
  if (areIntegers(args)) {
    exact.resetOverflow();
    const difference = exact.subtractExact(integerOf(args, 0), integerOf(args, 1));
    if (!exact.hasOverflowed) {
      resultInt64(context, difference);
      return;
    }
  }
  fallback(context, argCount, args);
}

export function multiply(context: usize, argCount: i32, args: usize): void {
  if (areIntegers(args)) {
    exact.resetOverflow();
    const product = exact.multiplyExact(integerOf(args, 0), integerOf(args, 1));
    if (!exact.hasOverflowed) {
      resultInt64(context, product);
      return;
    }
  }
  fallback(context, argCount, args);
}

/** A divisor that can neither be 0 nor overflow. */
// @ts-ignore: decorator
@inline
function isSafeDivisor(divisor: i64): bool {
  return divisor != 0 && divisor != -1;
}

export function divide(context: usize, argCount: i32, args: usize): void {
  if (areIntegers(args) && isSafeDivisor(integerOf(args, 1))) {
    resultInt64(context, integerOf(args, 0) / integerOf(args, 1));
    return;
  }
  fallback(context, argCount, args);
}

export function modulo(context: usize, argCount: i32, args: usize): void {
  if (areIntegers(args) && isSafeDivisor(integerOf(args, 1))) {
    resultInt64(context, integerOf(args, 0) % integerOf(args, 1));
    return;
  }
  fallback(context, argCount, args);
}

// @ts-ignore: decorator
@inline
function isFinite(value: f64): bool {
  return Math.abs(value) < Infinity;
}

export function finite(context: usize, argCount: i32, args: usize): void {
  if (typeOf(args, 0) == FLOAT) {
    const value = valueDouble(arg(args, 0));
    if (isFinite(value)) {
      resultDouble(context, value);
      return;
    }
  }
  fallback(context, argCount, args);
}

export function float32(context: usize, argCount: i32, args: usize): void {
  if (typeOf(args, 0) == FLOAT) {
    const value = <f64>(<f32>valueDouble(arg(args, 0)));
    if (isFinite(value)) {
      resultDouble(context, value);
      return;
    }
  }
  fallback(context, argCount, args);
}

export function divideReal(context: usize, argCount: i32, args: usize): void {
  if (typeOf(args, 0) == FLOAT && typeOf(args, 1) == FLOAT) {
    const divisor = valueDouble(arg(args, 1));
    const quotient = valueDouble(arg(args, 0)) / divisor;
    if (divisor != 0 && isFinite(quotient)) {
      resultDouble(context, quotient);
      return;
    }
  }
  fallback(context, argCount, args);
}

export function realOfBits(context: usize, argCount: i32, args: usize): void {
  if (typeOf(args, 0) == INTEGER) resultDouble(context, reinterpret<f64>(integerOf(args, 0)));
  else fallback(context, argCount, args);
}

/** Whether the argument is an exact number within 64 bits: then `exactOf` gives it. */
function isExact(args: usize, index: usize): bool {
  const type = typeOf(args, index);
  if (type == INTEGER) return true;
  const value = arg(args, index);
  if (type != BLOB || valueBytes(value) != 16) return false;
  const blob = valueBlob(value);
  return wideBlobHigh(blob) == <i64>wideBlobLow(blob) >> 63;
}

function exactOf(args: usize, index: usize): i64 {
  const value = arg(args, index);
  return valueType(value) == INTEGER ? valueInt64(value) : <i64>wideBlobLow(valueBlob(value));
}

/** a, its scale, b, its scale, the result's precision, its scale; or without b. */
function areDecimals(argCount: i32, args: usize): bool {
  if (!isExact(args, 0) || (argCount == 6 && !isExact(args, 2))) return false;
  for (let index: i32 = 1; index < argCount; index++) {
    if (index != 2 && typeOf(args, index) != INTEGER) return false;
  }
  return argCount == 6 || typeOf(args, 2) == INTEGER;
}

/** Gives a DECIMAL, or hands the call over if what was computed is not it. */
function giveDecimal(
  context: usize,
  argCount: i32,
  args: usize,
  unscaled: i64,
  precision: i64,
): void {
  if (exact.hasOverflowed || !exact.fitsPrecision(unscaled, precision)) {
    fallback(context, argCount, args);
  } else if (precision <= 18) {
    resultInt64(context, unscaled);
  } else {
    // SQLite copies the blob at once, so that it may lie in memory of an instant.
    const blob = malloc(16);
    if (blob == 0) {
      fallback(context, argCount, args);
      return;
    }
    storeWideBlob(blob, <u64>unscaled, unscaled >> 63);
    resultBlob(context, blob, 16, TRANSIENT);
    free(blob);
  }
}

function sum(context: usize, argCount: i32, args: usize, sign: i64): void {
  if (!areDecimals(argCount, args)) {
    fallback(context, argCount, args);
    return;
  }
  exact.resetOverflow();
  const aScale = integerOf(args, 1);
  const bScale = integerOf(args, 3);
  const scale = aScale > bScale ? aScale : bScale;
  const a = exact.rescale(exactOf(args, 0), aScale, scale);
  const b = exact.rescale(exactOf(args, 2), bScale, scale);
  const total = sign > 0 ? exact.addExact(a, b) : exact.subtractExact(a, b);
  const unscaled = exact.rescale(total, scale, integerOf(args, 5));
  giveDecimal(context, argCount, args, unscaled, integerOf(args, 4));
}

export function decimalAdd(context: usize, argCount: i32, args: usize): void {
  sum(context, argCount, args, 1);
}

export function decimalSubtract(context: usize, argCount: i32, args: usize): void {
  sum(context, argCount, args, -1);
}

export function decimalMultiply(context: usize, argCount: i32, args: usize): void {
  if (!areDecimals(argCount, args)) {
    fallback(context, argCount, args);
    return;
  }
  exact.resetOverflow();
  const product = exact.multiplyExact(exactOf(args, 0), exactOf(args, 2));
  const scale = integerOf(args, 1) + integerOf(args, 3);
  const unscaled = exact.rescale(product, scale, integerOf(args, 5));
  giveDecimal(context, argCount, args, unscaled, integerOf(args, 4));
}

export function decimalDivide(context: usize, argCount: i32, args: usize): void {
  if (!areDecimals(argCount, args) || exactOf(args, 2) == 0) {
    fallback(context, argCount, args);
    return;
  }
  exact.resetOverflow();
  const shift = integerOf(args, 5) + integerOf(args, 3) - integerOf(args, 1);
  const dividend = exact.multiplyExact(exactOf(args, 0), exact.powerOfTen(shift > 0 ? shift : 0));
  const divisor = exact.multiplyExact(exactOf(args, 2), exact.powerOfTen(shift < 0 ? -shift : 0));
  if (exact.hasOverflowed) {
    fallback(context, argCount, args);
    return;
  }
  const unscaled = exact.divideHalfUp(dividend, divisor);
  giveDecimal(context, argCount, args, unscaled, integerOf(args, 4));
}

/** The value, its scale, the result's precision, its scale. */
export function decimalCast(context: usize, argCount: i32, args: usize): void {
  if (!areDecimals(argCount, args)) {
    fallback(context, argCount, args);
    return;
  }
  exact.resetOverflow();
  const unscaled = exact.rescale(exactOf(args, 0), integerOf(args, 1), integerOf(args, 3));
  giveDecimal(context, argCount, args, unscaled, integerOf(args, 2));
}

/** Texts in UTF-8: every byte that begins a character counts. */
export function charLength(context: usize, argCount: i32, args: usize): void {
  if (typeOf(args, 0) != TEXT) {
    fallback(context, argCount, args);
    return;
  }
  const value = arg(args, 0);
  const text = valueBlob(value);
  const length = <usize>valueBytes(value);
  let count: i64 = 0;
  for (let at: usize = 0; at < length; at++) {
    if (load<i8>(text + at) >= -64) count++;
  }
  resultInt64(context, count);
}

export function lower(context: usize, argCount: i32, args: usize): void {
  mapAscii(context, argCount, args, 65);
}

export function upper(context: usize, argCount: i32, args: usize): void {
  mapAscii(context, argCount, args, 97);
}

/** Turns the case of the 26 letters from `first` on; other letters have rules of their own. */
function mapAscii(context: usize, argCount: i32, args: usize, first: u32): void {
  if (typeOf(args, 0) == TEXT) {
    const value = arg(args, 0);
    const text = valueBlob(value);
    const length = <usize>valueBytes(value);
    const copy = malloc(length + SLACK);
    if (copy != 0) {
      let at: usize = 0;
      for (; at < length; at++) {
        const byte = <u32>load<u8>(text + at);
        if (byte >= 0x80) break;
        store<u8>(copy + at, <u8>(byte - first < 26 ? byte ^ 32 : byte));
      }
      if (at == length) {
        resultText(context, copy, <i32>length, TRANSIENT);
        free(copy);
        return;
      }
      free(copy);
    }
  }
  fallback(context, argCount, args);
}

export function concat(context: usize, argCount: i32, args: usize): void {
  let length: usize = 0;
  for (let index: i32 = 0; index < argCount; index++) {
    const type = typeOf(args, index);
    if (type == NULL) {
      resultNull(context);
      return;
    }
    if (type != TEXT) {
      fallback(context, argCount, args);
      return;
    }
    length += <usize>valueBytes(arg(args, index));
  }
  const text = malloc(length + SLACK);
  if (text == 0) {
    fallback(context, argCount, args);
    return;
  }
  let to = text;
  for (let index: i32 = 0; index < argCount; index++) {
    const value = arg(args, index);
    const bytes = <usize>valueBytes(value);
    memory.copy(to, valueBlob(value), bytes);
    to += bytes;
  }
  resultText(context, text, <i32>length, TRANSIENT);
  free(text);
}

export function startsWith(context: usize, argCount: i32, args: usize): void {
  matchEnd(context, argCount, args, false);
}

export function endsWith(context: usize, argCount: i32, args: usize): void {
  matchEnd(context, argCount, args, true);
}

function matchEnd(context: usize, argCount: i32, args: usize, isEnd: bool): void {
  if (typeOf(args, 0) != TEXT || typeOf(args, 1) != TEXT) {
    fallback(context, argCount, args);
    return;
  }
  const length = <u32>valueBytes(arg(args, 0));
  const partLength = <u32>valueBytes(arg(args, 1));
  let isMatch = partLength <= length;
  if (isMatch && partLength > 0) {
    const start = valueBlob(arg(args, 0)) + (isEnd ? <usize>(length - partLength) : 0);
    isMatch = sameBytes(start, valueBlob(arg(args, 1)), partLength);
  }
  resultInt64(context, isMatch ? 1 : 0);
}

/** The text, a delimiter, and which part from 0: NULL when there are fewer. */
export function splitIndex(context: usize, argCount: i32, args: usize): void {
  const areTexts = typeOf(args, 0) == TEXT && typeOf(args, 1) == TEXT;
  if (!areTexts || typeOf(args, 2) != INTEGER || valueBytes(arg(args, 1)) == 0) {
    fallback(context, argCount, args);
    return;
  }
  const length = <u32>valueBytes(arg(args, 0));
  const partLength = <u32>valueBytes(arg(args, 1));
  let left = integerOf(args, 2);
  if (left < 0 || length == 0) {
    resultNull(context);
    return;
  }
  const text = valueBlob(arg(args, 0));
  const part = valueBlob(arg(args, 1));
  let start: u32 = 0;
  for (; left > 0; left--) {
    const found = find(text, start, length, part, partLength);
    if (found == length) {
      resultNull(context);
      return;
    }
    start = found + partLength;
  }
  const end = find(text, start, length, part, partLength);
  resultText(context, text + start, end - start, TRANSIENT);
}

/** Where `part` is found from `start` on, or `length`. */
function find(text: usize, start: u32, length: u32, part: usize, partLength: u32): u32 {
  const first = load<u8>(part);
  for (let at = start; at + partLength <= length; at++) {
    if (load<u8>(text + at) == first && sameBytes(text + at, part, partLength)) return at;
  }
  return length;
}
