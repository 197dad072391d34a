/**
 * Instructions of `vector.ts` over numbers and times. What cannot be computed here (overflow, a
 * division by zero, more than 64 bits) fails the row, which SQLite then computes or refuses.
 */
import * as civil from "./civil";
import * as exact from "./exact";
import { COLUMN_KIND, KIND_WIDE } from "./layout";
import { fieldOf, isPlainTime, NO_FIELD } from "./time-functions";
import {
  I_A,
  I_B,
  I_HIGH,
  I_LOW,
  I_N,
  I_TARGET,
  fail,
  hasNulls,
  nullStrideOf,
  nullsOf,
  registerOf,
  rowCount,
  rows,
  strideOf,
  targetNulls,
  valuesOf,
} from "./vector-frame";

const ADD: u32 = 0;
const SUBTRACT: u32 = 1;
const MULTIPLY: u32 = 2;
const DIVIDE: u32 = 3;
const MODULO: u32 = 4;

// @ts-ignore: decorator
@inline
function compute(operation: u32, a: i64, b: i64): i64 {
  if (operation == ADD) return exact.addExact(a, b);
  if (operation == SUBTRACT) return exact.subtractExact(a, b);
  if (operation == MULTIPLY) return exact.multiplyExact(a, b);
  if (b == 0) {
    exact.overflow();
    return 0;
  }
  if (operation == DIVIDE) return b == -1 ? exact.subtractExact(0, a) : a / b;
  return b == -1 ? 0 : a % b;
}

/** a and b, in 64 bits; the result lies between `low` and `high`. */
// @ts-ignore: decorator
@inline
function integerLoop(instruction: usize, operation: u32): void {
  const a = registerOf(instruction, I_A);
  const b = registerOf(instruction, I_B);
  const aValues = valuesOf(a);
  const bValues = valuesOf(b);
  const aStride = strideOf(a);
  const bStride = strideOf(b);
  const aNulls = nullsOf(a);
  const bNulls = nullsOf(b);
  const aNullStride = nullStrideOf(a);
  const bNullStride = nullStrideOf(b);
  const low = load<i64>(instruction, I_LOW);
  const high = load<i64>(instruction, I_HIGH);
  const target = registerOf(instruction, I_TARGET);
  const to = valuesOf(target);
  const nulls = targetNulls(target, hasNulls(a) || hasNulls(b));
  exact.resetOverflow();
  for (let index: u32 = 0; index < rowCount; index++) {
    const row = <usize>load<u32>(rows + ((<usize>index) << 2));
    const isNull = load<u8>(aNulls + row * aNullStride) | load<u8>(bNulls + row * bNullStride);
    store<u8>(nulls + row, isNull);
    if (isNull) continue;
    const left = load<i64>(aValues + row * aStride);
    const result = compute(operation, left, load<i64>(bValues + row * bStride));
    store<i64>(to + (row << 3), result);
    if (exact.hasOverflowed || result < low || result > high) {
      exact.resetOverflow();
      fail(<u32>row);
    }
  }
}

export function computeIntegers(instruction: usize): void {
  switch (load<u32>(instruction, I_N)) {
    case ADD:
      integerLoop(instruction, ADD);
      break;
    case SUBTRACT:
      integerLoop(instruction, SUBTRACT);
      break;
    case MULTIPLY:
      integerLoop(instruction, MULTIPLY);
      break;
    case DIVIDE:
      integerLoop(instruction, DIVIDE);
      break;
    default:
      integerLoop(instruction, MODULO);
  }
}

/** a and b as DOUBLEs; above 255 in n the result is a FLOAT. It is finite. */
export function computeReals(instruction: usize): void {
  const a = registerOf(instruction, I_A);
  const b = registerOf(instruction, I_B);
  const aNulls = nullsOf(a);
  const bNulls = nullsOf(b);
  const operation = load<u32>(instruction, I_N) & 255;
  const isFloat = load<u32>(instruction, I_N) > 255;
  const target = registerOf(instruction, I_TARGET);
  const to = valuesOf(target);
  const nulls = targetNulls(target, hasNulls(a) || hasNulls(b));
  for (let index: u32 = 0; index < rowCount; index++) {
    const row = <usize>load<u32>(rows + ((<usize>index) << 2));
    const isNull =
      load<u8>(aNulls + row * nullStrideOf(a)) | load<u8>(bNulls + row * nullStrideOf(b));
    store<u8>(nulls + row, isNull);
    if (isNull) continue;
    const left = load<f64>(valuesOf(a) + row * strideOf(a));
    const right = load<f64>(valuesOf(b) + row * strideOf(b));
    let result: f64 = 0;
    if (operation == ADD) result = left + right;
    else if (operation == SUBTRACT) result = left - right;
    else if (operation == MULTIPLY) result = left * right;
    else result = left / right;
    // The FLOAT of a quotient is rounded twice, as SQLite's text has it.
    const given = isFloat ? <f64>(<f32>result) : result;
    store<f64>(to + (row << 3), given);
    if (!(Math.abs(result) < Infinity) || !(Math.abs(given) < Infinity)) fail(<u32>row);
  }
}

/** A value of a register of either width, which fits 64 bits, or it overflows. */
// @ts-ignore: decorator
@inline
function exactAt(column: usize, row: usize): i64 {
  const slot = valuesOf(column) + row * strideOf(column);
  const low = load<i64>(slot);
  if (load<u32>(column, COLUMN_KIND) == KIND_WIDE && load<i64>(slot, 8) != low >> 63) {
    exact.overflow();
  }
  return low;
}

// @ts-ignore: decorator
@inline
function storeExact(target: usize, row: usize, value: i64): void {
  if (load<u32>(target, COLUMN_KIND) == KIND_WIDE) {
    const slot = valuesOf(target) + (row << 4);
    store<i64>(slot, value);
    store<i64>(slot, value >> 63, 8);
  } else {
    store<i64>(valuesOf(target) + (row << 3), value);
  }
}

/**
 * a and b as DECIMALs: ADD, SUBTRACT, MULTIPLY, DIVIDE in `low`; n has their scales, the result's
 * precision and its scale, a byte each.
 */
export function computeDecimals(instruction: usize): void {
  const a = registerOf(instruction, I_A);
  const b = registerOf(instruction, I_B);
  const aNulls = nullsOf(a);
  const bNulls = nullsOf(b);
  const operation = <u32>load<i64>(instruction, I_LOW);
  const aScale = <i64>load<u8>(instruction, I_N);
  const bScale = <i64>load<u8>(instruction, I_N + 1);
  const precision = <i64>load<u8>(instruction, I_N + 2);
  const scale = <i64>load<u8>(instruction, I_N + 3);
  const common = aScale > bScale ? aScale : bScale;
  const target = registerOf(instruction, I_TARGET);
  const nulls = targetNulls(target, hasNulls(a) || hasNulls(b));
  exact.resetOverflow();
  for (let index: u32 = 0; index < rowCount; index++) {
    const row = <usize>load<u32>(rows + ((<usize>index) << 2));
    const isNull =
      load<u8>(aNulls + row * nullStrideOf(a)) | load<u8>(bNulls + row * nullStrideOf(b));
    store<u8>(nulls + row, isNull);
    if (isNull) continue;
    const left = exactAt(a, row);
    const right = exactAt(b, row);
    let result: i64 = 0;
    if (operation == MULTIPLY) {
      const product = exact.multiplyExact(left, right);
      result = aScale + bScale == scale ? product : exact.rescale(product, aScale + bScale, scale);
    } else if (operation == DIVIDE) {
      result = quotient(left, right, scale + bScale - aScale);
    } else {
      const first = aScale == common ? left : exact.rescale(left, aScale, common);
      const second = bScale == common ? right : exact.rescale(right, bScale, common);
      const sum = operation == ADD ? exact.addExact(first, second) : exact.subtractExact(first, second);
      result = common == scale ? sum : exact.rescale(sum, common, scale);
    }
    storeExact(target, row, result);
    if (exact.hasOverflowed || !exact.fitsPrecision(result, precision)) {
      exact.resetOverflow();
      fail(<u32>row);
    }
  }
}

function quotient(left: i64, right: i64, shift: i64): i64 {
  const dividend = exact.multiplyExact(left, exact.powerOfTen(shift > 0 ? shift : 0));
  const divisor = exact.multiplyExact(right, exact.powerOfTen(shift < 0 ? -shift : 0));
  if (right == 0) exact.overflow();
  return exact.hasOverflowed ? 0 : exact.divideHalfUp(dividend, divisor);
}

/** a at another scale: n has its scale, the result's precision and its scale, a byte each. */
export function castDecimal(instruction: usize): void {
  const a = registerOf(instruction, I_A);
  const aNulls = nullsOf(a);
  const from = <i64>load<u8>(instruction, I_N);
  const precision = <i64>load<u8>(instruction, I_N + 1);
  const to = <i64>load<u8>(instruction, I_N + 2);
  const target = registerOf(instruction, I_TARGET);
  const nulls = targetNulls(target, hasNulls(a));
  exact.resetOverflow();
  for (let index: u32 = 0; index < rowCount; index++) {
    const row = <usize>load<u32>(rows + ((<usize>index) << 2));
    const isNull = load<u8>(aNulls + row * nullStrideOf(a));
    store<u8>(nulls + row, isNull);
    if (isNull) continue;
    const result = exact.rescale(exactAt(a, row), from, to);
    storeExact(target, row, result);
    if (exact.hasOverflowed || !exact.fitsPrecision(result, precision)) {
      exact.resetOverflow();
      fail(<u32>row);
    }
  }
}

/** a, of scale n, cut to an integer between `low` and `high`. */
export function castInteger(instruction: usize): void {
  const a = registerOf(instruction, I_A);
  const aNulls = nullsOf(a);
  const low = load<i64>(instruction, I_LOW);
  const high = load<i64>(instruction, I_HIGH);
  exact.resetOverflow();
  const unit = exact.powerOfTen(load<u32>(instruction, I_N));
  const isPossible = !exact.hasOverflowed;
  const target = registerOf(instruction, I_TARGET);
  const nulls = targetNulls(target, hasNulls(a));
  exact.resetOverflow();
  for (let index: u32 = 0; index < rowCount; index++) {
    const row = <usize>load<u32>(rows + ((<usize>index) << 2));
    const isNull = load<u8>(aNulls + row * nullStrideOf(a));
    store<u8>(nulls + row, isNull);
    if (isNull) continue;
    const value = exactAt(a, row) / unit;
    store<i64>(valuesOf(target) + (row << 3), value);
    if (exact.hasOverflowed || !isPossible || value < low || value > high) {
      exact.resetOverflow();
      fail(<u32>row);
    }
  }
}

/** An integer, of up to 15 digits if it has a scale n, as a DOUBLE; above 255 in n as a FLOAT. */
export function castReal(instruction: usize): void {
  const a = registerOf(instruction, I_A);
  const aNulls = nullsOf(a);
  const isFloat = load<u32>(instruction, I_N) > 255;
  exact.resetOverflow();
  const unit = <f64>exact.powerOfTen(load<u32>(instruction, I_N) & 255);
  const target = registerOf(instruction, I_TARGET);
  const nulls = targetNulls(target, hasNulls(a));
  for (let index: u32 = 0; index < rowCount; index++) {
    const row = <usize>load<u32>(rows + ((<usize>index) << 2));
    const value = <f64>load<i64>(valuesOf(a) + row * strideOf(a)) / unit;
    store<f64>(valuesOf(target) + (row << 3), isFloat ? <f64>(<f32>value) : value);
    store<u8>(nulls + row, load<u8>(aNulls + row * nullStrideOf(a)));
  }
}

/** How much of a time JavaScript's numbers count exactly. */
const EXACT_MS: i64 = 9007199254740991;

/** The day of a wall time; with n = 1 the time of the day. */
export function splitTime(instruction: usize): void {
  const a = registerOf(instruction, I_A);
  const aNulls = nullsOf(a);
  const isTime = load<u32>(instruction, I_N) == 1;
  const target = registerOf(instruction, I_TARGET);
  const nulls = targetNulls(target, hasNulls(a));
  for (let index: u32 = 0; index < rowCount; index++) {
    const row = <usize>load<u32>(rows + ((<usize>index) << 2));
    const isNull = load<u8>(aNulls + row * nullStrideOf(a));
    store<u8>(nulls + row, isNull);
    if (isNull) continue;
    const wall = load<i64>(valuesOf(a) + row * strideOf(a));
    const day = civil.floorDivide(wall, civil.DAY_MS);
    store<i64>(valuesOf(target) + (row << 3), isTime ? wall - day * civil.DAY_MS : day);
    if (wall > EXACT_MS || wall < -EXACT_MS) fail(<u32>row);
  }
}

/** A wall time moved by b milliseconds: forwards, or backwards with n = 1. */
export function moveTime(instruction: usize): void {
  const a = registerOf(instruction, I_A);
  const b = registerOf(instruction, I_B);
  const aNulls = nullsOf(a);
  const bNulls = nullsOf(b);
  const isBack = load<u32>(instruction, I_N) == 1;
  const target = registerOf(instruction, I_TARGET);
  const nulls = targetNulls(target, hasNulls(a) || hasNulls(b));
  for (let index: u32 = 0; index < rowCount; index++) {
    const row = <usize>load<u32>(rows + ((<usize>index) << 2));
    const isNull =
      load<u8>(aNulls + row * nullStrideOf(a)) | load<u8>(bNulls + row * nullStrideOf(b));
    store<u8>(nulls + row, isNull);
    if (isNull) continue;
    const wall = load<i64>(valuesOf(a) + row * strideOf(a));
    const by = load<i64>(valuesOf(b) + row * strideOf(b));
    const moved = isBack ? wall - by : wall + by;
    store<i64>(valuesOf(target) + (row << 3), moved);
    const isPlain = isPlainTime(wall) && by < EXACT_MS && by > -EXACT_MS && isPlainTime(moved);
    if (!isPlain) fail(<u32>row);
  }
}

/** The field n of a wall time. */
export function timeField(instruction: usize): void {
  const a = registerOf(instruction, I_A);
  const aNulls = nullsOf(a);
  const unit = <i64>load<u32>(instruction, I_N);
  const target = registerOf(instruction, I_TARGET);
  const nulls = targetNulls(target, hasNulls(a));
  for (let index: u32 = 0; index < rowCount; index++) {
    const row = <usize>load<u32>(rows + ((<usize>index) << 2));
    const isNull = load<u8>(aNulls + row * nullStrideOf(a));
    store<u8>(nulls + row, isNull);
    if (isNull) continue;
    const wall = load<i64>(valuesOf(a) + row * strideOf(a));
    const field = isPlainTime(wall) ? fieldOf(unit, wall) : NO_FIELD;
    store<i64>(valuesOf(target) + (row << 3), field);
    if (field == NO_FIELD) fail(<u32>row);
  }
}
