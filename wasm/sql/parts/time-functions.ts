/** Functions of times on the wall, in milliseconds since 1970: native twins as in `functions.ts`. */
import { areIntegers, arg, fallback, integerOf, typeOf } from "./call";
import * as civil from "./civil";
import {
  free,
  INTEGER,
  malloc,
  resultInt64,
  resultText,
  TEXT,
  TRANSIENT,
  valueBlob,
  valueBytes,
} from "./sqlite";

/** Units as the planner numbers them. */
const UNIT_YEAR: i64 = 3;
const UNIT_QUARTER: i64 = 4;
const UNIT_MONTH: i64 = 5;
const UNIT_WEEK: i64 = 6;
const UNIT_DAY: i64 = 7;
const UNIT_HOUR: i64 = 8;
const UNIT_MINUTE: i64 = 9;
const UNIT_SECOND: i64 = 10;
const UNIT_MILLISECOND: i64 = 11;
const UNIT_DOW: i64 = 15;
const UNIT_EPOCH: i64 = 18;

/** Years 2 to 9998: a start of a unit of a time in them is in years 1 to 9999. */
const TIME_MIN: i64 = -62104060800000;
const TIME_MAX: i64 = 253339228800000;

// @ts-ignore: decorator
@inline
export function isPlainTime(ms: i64): bool {
  return ms > TIME_MIN && ms < TIME_MAX;
}

function unitMs(unit: i64): i64 {
  if (unit == UNIT_DAY) return civil.DAY_MS;
  if (unit == UNIT_HOUR) return 3600000;
  if (unit == UNIT_MINUTE) return 60000;
  if (unit == UNIT_SECOND) return 1000;
  return unit == UNIT_MILLISECOND ? 1 : 0;
}

/** A unit and a wall time in milliseconds. */
export function floorTo(context: usize, argCount: i32, args: usize): void {
  if (areIntegers(args) && isPlainTime(integerOf(args, 1))) {
    const unit = integerOf(args, 0);
    const wall = integerOf(args, 1);
    const length = unitMs(unit);
    if (length > 0) {
      resultInt64(context, civil.floorDivide(wall, length) * length);
      return;
    }
    const days = civil.floorDivide(wall, civil.DAY_MS);
    if (unit == UNIT_WEEK) {
      // 1970-01-01 was a Thursday; weeks begin on Sunday.
      const sunday = civil.floorDivide(days + 4, 7) * 7 - 4;
      resultInt64(context, sunday * civil.DAY_MS);
      return;
    }
    if (unit == UNIT_MONTH || unit == UNIT_QUARTER || unit == UNIT_YEAR) {
      civil.civilOf(days);
      let month = civil.month;
      if (unit == UNIT_QUARTER) month -= (month - 1) % 3;
      else if (unit == UNIT_YEAR) month = 1;
      resultInt64(context, civil.firstOf(civil.year, month) * civil.DAY_MS);
      return;
    }
  }
  fallback(context, argCount, args);
}

/** A unit and a wall time in milliseconds. */
export function extract(context: usize, argCount: i32, args: usize): void {
  if (areIntegers(args) && isPlainTime(integerOf(args, 1))) {
    const field = fieldOf(integerOf(args, 0), integerOf(args, 1));
    if (field != NO_FIELD) {
      resultInt64(context, field);
      return;
    }
  }
  fallback(context, argCount, args);
}

export const NO_FIELD: i64 = i64.MIN_VALUE;

export function fieldOf(unit: i64, wall: i64): i64 {
  const days = civil.floorDivide(wall, civil.DAY_MS);
  const time = wall - days * civil.DAY_MS;
  if (unit == UNIT_HOUR) return time / 3600000;
  if (unit == UNIT_MINUTE) return (time / 60000) % 60;
  if (unit == UNIT_SECOND) return (time / 1000) % 60;
  if (unit == UNIT_MILLISECOND) return time % 60000;
  if (unit == UNIT_EPOCH) return civil.floorDivide(wall, 1000);
  if (unit == UNIT_DOW) return days + 4 - civil.floorDivide(days + 4, 7) * 7 + 1;
  civil.civilOf(days);
  if (unit == UNIT_YEAR) return civil.year;
  if (unit == UNIT_QUARTER) return <i64>((civil.month + 2) / 3);
  if (unit == UNIT_MONTH) return civil.month;
  if (unit == UNIT_DAY) return civil.day;
  return NO_FIELD;
}

const FORMATTED_MAX: usize = 64;

/** A wall time in milliseconds and a pattern of java.time, of the usual fields only. */
export function dateFormat(context: usize, argCount: i32, args: usize): void {
  const isPlain =
    typeOf(args, 0) == INTEGER && typeOf(args, 1) == TEXT && isPlainTime(integerOf(args, 0));
  if (isPlain && valueBytes(arg(args, 1)) <= <i32>FORMATTED_MAX) {
    const text = malloc(2 * FORMATTED_MAX);
    if (text != 0) {
      const pattern = valueBlob(arg(args, 1));
      const length = formatTime(text, integerOf(args, 0), pattern, valueBytes(arg(args, 1)));
      if (length >= 0) resultText(context, text, length, TRANSIENT);
      free(text);
      if (length >= 0) return;
    }
  }
  fallback(context, argCount, args);
}

/** Each field's text is as long as its letters in the pattern. −1: another field or a quote. */
export function formatTime(to: usize, wall: i64, pattern: usize, length: i32): i32 {
  const days = civil.floorDivide(wall, civil.DAY_MS);
  const time = <u32>(wall - days * civil.DAY_MS);
  civil.civilOf(days);
  for (let at: i32 = 0; at < length; ) {
    const letter = <u32>load<u8>(pattern + at);
    const isLetter = (letter | 32) - 97 < 26;
    if (letter == 39 || letter >= 0x80) return -1;
    if (!isLetter) {
      store<u8>(to + at, <u8>letter);
      at++;
      continue;
    }
    let end = at + 1;
    while (end < length && load<u8>(pattern + end) == letter) end++;
    const digits = end - at;
    let value: u32 = 0;
    // y M d H m s S
    if (letter == 121 && digits == 4) value = <u32>civil.year;
    else if (letter == 83 && digits == 3) value = time % 1000;
    else if (digits != 2) return -1;
    else if (letter == 77) value = civil.month;
    else if (letter == 100) value = civil.day;
    else if (letter == 72) value = time / 3600000;
    else if (letter == 109) value = (time / 60000) % 60;
    else if (letter == 115) value = (time / 1000) % 60;
    else return -1;
    for (let place = end - 1; place >= at; place--) {
      store<u8>(to + place, <u8>(48 + (value % 10)));
      value /= 10;
    }
    at = end;
  }
  return length;
}
