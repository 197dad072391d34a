/**
 * Numbers out of JSON. Integers of up to 16 digits are taken eight at a time in a register; all
 * else goes through one exact routine over the digits, so that BIGINT and DECIMAL never pass
 * through a double. A string that holds a number is taken as one, as Flink does.
 */
import {
  BAD_TEXT,
  DOUBLE,
  NO_ROOM,
  NOT_INTEGRAL,
  OUT_OF_RANGE,
  WIDE_DECIMAL,
  context,
  deferredCount,
  exactPowers,
  powersOfTen,
  row,
  setNull,
  slotOf,
  stop,
  wrong,
} from "./json-layout";
import { QUOTE, notDigits, skipMistyped, skipNumber } from "./json-scan";
import { contentOf, keepContent, textEnd, textStart, trimContent } from "./json-text";

/** Eight ASCII digits, already without their high halves and aligned to the high end, as a number. */
// @ts-ignore: decorator
@inline
function eightDigits(digits: u64): u64 {
  let pairs = (digits * 10 + (digits >> 8)) & 0x00ff00ff00ff00ff;
  pairs = (pairs * 100 + (pairs >> 16)) & 0x0000ffff0000ffff;
  return (pairs * 10000 + (pairs >> 32)) & 0xffffffff;
}

/** TINYINT to BIGINT: `shift` of the column is 64 less its bits. */
// @ts-ignore: decorator
@inline
export function decodeInteger(start: usize, column: usize): usize {
  let p = start;
  const isNegative = load<u8>(p) === 45;
  p += <usize>isNegative;
  let digits = load<u64>(p) ^ 0x3030303030303030;
  let length = ctz(notDigits(digits)) >> 3;
  if (length === 0 || (length > 1 && (digits & 0xff) === 0)) return decodeExact(start, column);
  let value = eightDigits(digits << (64 - (length << 3)));
  p += <usize>length;
  if (length === 8) {
    digits = load<u64>(p) ^ 0x3030303030303030;
    length = ctz(notDigits(digits)) >> 3;
    if (length === 8) return decodeExact(start, column);
    if (length > 0) {
      const high = value * load<u64>(powersOfTen() + <usize>(length << 3));
      value = high + eightDigits(digits << (64 - (length << 3)));
      p += <usize>length;
    }
  }
  const next = <u32>load<u8>(p);
  if (next === 46 || (next | 32) === 101) return decodeExact(start, column);
  const signed = isNegative ? -(<i64>value) : <i64>value;
  const shift = <i64>load<u32>(column, 12);
  if ((signed << shift) >> shift !== signed) return decodeExact(start, column);
  store<i64>(slotOf(column), signed);
  setNull(column, false);
  return p;
}

/** Where the number at `p` is, in place or in quotes: `numberStart` and `numberEnd`. */
let numberStart: usize = 0;
let numberEnd: usize = 0;

/**
 * Finds the number that the value at `p` is. Gives the address behind the value; when it is not a
 * number, `numberStart` is 0 and the column has its NULL or its reason.
 */
function locateNumber(p: usize, column: usize): usize {
  const c = <u32>load<u8>(p);
  numberStart = 0;
  if (c === 45 || c - 48 <= 9) {
    const end = skipNumber(p);
    numberStart = p;
    numberEnd = end;
    return end;
  }
  if (c === QUOTE) {
    const end = contentOf(p + 1);
    if (end === 0) return 0;
    trimContent();
    if (isNumber(textStart, textEnd)) {
      numberStart = textStart;
      numberEnd = textEnd;
    } else wrong(column, BAD_TEXT, p);
    return end;
  }
  return skipMistyped(p, column);
}

/** Digits with a sign, a point and an exponent; in quotes also `+5` and `007`, as Java reads. */
function isNumber(start: usize, end: usize): bool {
  let p = start;
  if (p < end && (load<u8>(p) === 45 || load<u8>(p) === 43)) p++;
  const whole = p;
  while (p < end && <u32>load<u8>(p) - 48 <= 9) p++;
  let digits = p - whole;
  if (p < end && load<u8>(p) === 46) {
    const fraction = ++p;
    while (p < end && <u32>load<u8>(p) - 48 <= 9) p++;
    digits += p - fraction;
  }
  if (digits === 0) return false;
  if (p < end && (load<u8>(p) | 32) === 101) {
    p++;
    if (p < end && (load<u8>(p) === 45 || load<u8>(p) === 43)) p++;
    const exponent = p;
    while (p < end && <u32>load<u8>(p) - 48 <= 9) p++;
    if (p === exponent) return false;
  }
  return p === end;
}

/** What `scaled` computed: an unsigned 128-bit number, its sign, and what was lost. */
let magnitudeLow: u64 = 0;
let magnitudeHigh: u64 = 0;
let isMinus: bool = false;
let isInexact: bool = false;
let isTooLarge: bool = false;

/** Exponents beyond this make 0 or too much of any number that fits in memory. */
const EXPONENT_MAX: i64 = 1000000000000;

/**
 * The number in [start, end) times 10^scale, rounded half away from zero. Digit by digit: with k
 * digits before the point and exponent e, the first k + e + scale digits are the integer part.
 */
function scaled(start: usize, end: usize, scale: i64): void {
  let p = start;
  const sign = <u32>load<u8>(p);
  isMinus = sign === 45;
  if (sign === 45 || sign === 43) p++;
  const digitsStart = p;
  let integerDigits: i64 = 0;
  let hasPoint = false;
  let exponent: i64 = 0;
  let digitsEnd = end;
  for (; p < end; p++) {
    const c = <u32>load<u8>(p);
    if (c === 46) hasPoint = true;
    else if (c - 48 <= 9) integerDigits += <i64>!hasPoint;
    else {
      digitsEnd = p;
      exponent = exponentOf(p + 1, end);
      break;
    }
  }
  let wanted = integerDigits + exponent + scale;
  let low: u64 = 0;
  let high: u64 = 0;
  let significant = 0;
  isInexact = false;
  isTooLarge = false;
  let roundsUp = false;
  let isRounding = true;
  for (p = digitsStart; p < digitsEnd; p++) {
    const digit = <u64>load<u8>(p) - 48;
    if (digit > 9) continue;
    if (wanted > 0) {
      if (significant > 0 || digit !== 0) significant++;
      if (significant > 38) break;
      const carried = (low & 0xffffffff) * 10 + digit;
      const upper = (low >> 32) * 10 + (carried >> 32);
      low = (upper << 32) | (carried & 0xffffffff);
      high = high * 10 + (upper >> 32);
    } else {
      // Only the first digit behind decides; digits that are further out than that never do.
      if (isRounding && wanted === 0) roundsUp = digit >= 5;
      isRounding = false;
      if (digit !== 0) isInexact = true;
    }
    wanted--;
  }
  if (significant > 0 && (significant > 38 || <i64>significant + wanted > 38)) {
    isTooLarge = true;
    return;
  }
  if (significant > 0) {
    for (; wanted > 0; wanted--) {
      const carried = (low & 0xffffffff) * 10;
      const upper = (low >> 32) * 10 + (carried >> 32);
      low = (upper << 32) | (carried & 0xffffffff);
      high = high * 10 + (upper >> 32);
    }
  }
  if (roundsUp) {
    low++;
    if (low === 0) high++;
  }
  magnitudeLow = low;
  magnitudeHigh = high;
}

function exponentOf(start: usize, end: usize): i64 {
  let p = start;
  const sign = <u32>load<u8>(p);
  if (sign === 45 || sign === 43) p++;
  let value: i64 = 0;
  for (; p < end; p++) if (value < EXPONENT_MAX) value = value * 10 + <i64>(load<u8>(p) - 48);
  return sign === 45 ? -value : value;
}

/** Integers of any form: long ones, 1.0 and 1e3, in quotes, and everything that is none. */
export function decodeExact(p: usize, column: usize): usize {
  const end = locateNumber(p, column);
  if (end === 0 || numberStart === 0) return end;
  const value = integerAt(p, column);
  if (load<u32>(column, 40) === <u32>row + 1) return end;
  const shift = <i64>load<u32>(column, 12);
  if ((value << shift) >> shift !== value) wrong(column, OUT_OF_RANGE, p);
  else {
    store<i64>(slotOf(column), value);
    setNull(column, false);
  }
  return end;
}

/** The number found as an i64, or 0 with the reason in the column. */
function integerAt(p: usize, column: usize): i64 {
  scaled(numberStart, numberEnd, 0);
  if (isTooLarge) {
    wrong(column, OUT_OF_RANGE, p);
    return 0;
  }
  if (isInexact) {
    wrong(column, NOT_INTEGRAL, p);
    return 0;
  }
  const most: u64 = isMinus ? 0x8000000000000000 : 0x7fffffffffffffff;
  if (magnitudeHigh !== 0 || magnitudeLow > most) {
    wrong(column, OUT_OF_RANGE, p);
    return 0;
  }
  return isMinus ? -(<i64>magnitudeLow) : <i64>magnitudeLow;
}

/**
 * Epoch milliseconds of a TIMESTAMP given as a number, which must lie within [least, most]. Gives
 * the address behind.
 */
export function decodeInstant(p: usize, column: usize, least: i64, most: i64): usize {
  const end = skipNumber(p);
  if (end === 0) return 0;
  numberStart = p;
  numberEnd = end;
  const value = integerAt(p, column);
  if (load<u32>(column, 40) === <u32>row + 1) return end;
  if (value < least || value > most) wrong(column, OUT_OF_RANGE, p);
  else {
    store<i64>(slotOf(column), value);
    setNull(column, false);
  }
  return end;
}

/** DECIMAL(p, s): rounded half up to the scale as in Flink; more digits than p are an error. */
export function decodeDecimal(p: usize, column: usize): usize {
  const end = locateNumber(p, column);
  if (end === 0 || numberStart === 0) return end;
  scaled(numberStart, numberEnd, <i64>load<u32>(column, 12));
  const limitLow = load<u64>(column, 16);
  const limitHigh = load<u64>(column, 24);
  const fits =
    !isTooLarge &&
    (magnitudeHigh < limitHigh || (magnitudeHigh === limitHigh && magnitudeLow < limitLow));
  if (!fits) {
    wrong(column, OUT_OF_RANGE, p);
    return end;
  }
  if (load<u32>(column) === WIDE_DECIMAL) {
    const slot = <usize>load<u32>(column, 4) + (row << 4);
    const borrow: u64 = magnitudeLow !== 0 ? 1 : 0;
    store<u64>(slot, isMinus ? 0 - magnitudeLow : magnitudeLow);
    store<u64>(slot, isMinus ? 0 - magnitudeHigh - borrow : magnitudeHigh, 8);
  } else {
    store<i64>(slotOf(column), isMinus ? -(<i64>magnitudeLow) : <i64>magnitudeLow);
  }
  setNull(column, false);
  return end;
}

/** Whether `doubleOf` could round right. */
let isExactDouble: bool = false;

/**
 * Clinger's fast path: up to 2^53 times or over a power of ten up to 10^22, both exact, so that
 * one operation rounds once.
 */
function doubleOf(start: usize, end: usize): f64 {
  let p = start;
  const sign = <u32>load<u8>(p);
  if (sign === 45 || sign === 43) p++;
  let mantissa: u64 = 0;
  let exponent: i64 = 0;
  let hasPoint = false;
  isExactDouble = false;
  for (; p < end; p++) {
    const c = <u32>load<u8>(p);
    if (c === 46) {
      hasPoint = true;
      continue;
    }
    if (c - 48 > 9) {
      exponent += exponentOf(p + 1, end);
      break;
    }
    if (mantissa < 100000000000000000) {
      mantissa = mantissa * 10 + <u64>(c - 48);
      exponent -= <i64>hasPoint;
    } else if (c !== 48) return 0;
    else exponent += <i64>!hasPoint;
  }
  let value: f64 = 0;
  if (mantissa !== 0) {
    while (mantissa > 9007199254740992 && mantissa % 10 === 0) {
      mantissa /= 10;
      exponent++;
    }
    if (mantissa > 9007199254740992 || exponent > 22 || exponent < -22) return 0;
    value = <f64>mantissa;
    if (exponent > 0) value *= load<f64>(exactPowers() + (<usize>exponent << 3));
    else if (exponent < 0) value /= load<f64>(exactPowers() + (<usize>-exponent << 3));
  }
  isExactDouble = true;
  return sign === 45 ? -value : value;
}

/** FLOAT and DOUBLE; what the fast path cannot round is left to the host. */
export function decodeReal(p: usize, column: usize): usize {
  const end = locateNumber(p, column);
  if (end === 0 || numberStart === 0) return end;
  const value = doubleOf(numberStart, numberEnd);
  if (!isExactDouble) {
    if (load<u8>(p) === QUOTE) keepContent();
    if (!defer(column)) return stop(NO_ROOM, p);
  } else if (load<u32>(column) === DOUBLE) store<f64>(slotOf(column), value);
  else {
    const rounded = <f32>value;
    if (!isFinite(rounded)) {
      wrong(column, OUT_OF_RANGE, p);
      return end;
    }
    store<f64>(slotOf(column), <f64>rounded);
  }
  setNull(column, false);
  return end;
}

/**
 * Puts the number on the list for the host, in place of an earlier one of the same row and column.
 * Before a row begins there is room for one of each column, so there always is.
 */
function defer(column: usize): bool {
  const list = <usize>load<u32>(context, 24);
  let entry = deferredOf(column);
  if (entry === 0) {
    if (deferredCount >= load<u32>(context, 28)) return false;
    entry = list + (<usize>deferredCount << 4);
    deferredCount++;
  }
  store<u32>(entry, <u32>column);
  store<u32>(entry, <u32>row, 4);
  store<u32>(entry, <u32>numberStart, 8);
  store<u32>(entry, <u32>(numberEnd - numberStart), 12);
  return true;
}

function deferredOf(column: usize): usize {
  const list = <usize>load<u32>(context, 24);
  for (let index = deferredCount; index > 0; index--) {
    const entry = list + (<usize>(index - 1) << 4);
    if (load<u32>(entry, 4) !== <u32>row) return 0;
    if (load<u32>(entry) === <u32>column) return entry;
  }
  return 0;
}

/** Takes back what was deferred for this row: a later value of the same key counts. */
export function takeBackDeferred(column: usize): void {
  const entry = deferredOf(column);
  // The entry stays this row's and column's, so that the later value finds it; no length: nothing.
  if (entry !== 0) store<u32>(entry, 0, 12);
}
