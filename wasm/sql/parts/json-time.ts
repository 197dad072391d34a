/**
 * DATE, TIME and TIMESTAMP out of JSON strings: `2026-01-01 00:00:10.000` as Flink's JSON format
 * writes it, ISO-8601 with `T`, with or without a zone (`Z`, `+hh`, `+hh:mm`), seconds and fraction
 * optional, digits behind milliseconds cut off; a TIMESTAMP also as a number of epoch milliseconds.
 * A time without a zone is UTC.
 *
 * Event times of neighbouring rows share their minute: the text up to it is compared with the last
 * one's, and only seconds and milliseconds are read.
 */
import { BAD_TEXT, minuteCache, setNull, slotOf, wrong } from "./json-layout";
import { QUOTE, skipMistyped } from "./json-scan";
import { contentOf, textEnd, textStart } from "./json-text";
import { decodeInstant } from "./json-number";

/** 0000-01-01T00:00:00.000 and 9999-12-31T23:59:59.999: years that have four digits. */
const INSTANT_MIN: i64 = -62167219200000;
const INSTANT_MAX: i64 = 253402300799999;

/** `:00.000"`, as a number. */
const SECONDS_TEMPLATE: u64 = 0x223030302e30303a;
/** Nothing but zero may remain of these bits once digits are reduced to their values. */
const SECONDS_MASK: u64 = 0xfff0f0f0fff0f0ff;
const SECONDS_CARRY: u64 = 0x0006060600060600;
/** What the template leaves of a `Z` where it has the quotation mark. */
const ZONE_DIFFERENCE: u64 = 0x7800000000000000;

// @ts-ignore: decorator
@inline
export function decodeTimestamp(p: usize, column: usize): usize {
  // The quotation mark and `YYYY-MM-DD hh:mm`.
  const cache = minuteCache();
  const isOther =
    (load<u64>(p, 1) ^ load<u64>(cache)) |
    (load<u64>(p, 9) ^ load<u64>(cache, 8)) |
    <u64>(load<u8>(p) ^ 34);
  let digits = load<u64>(p, 17) ^ SECONDS_TEMPLATE;
  let length: usize = 25;
  if ((digits & 0xff00000000000000) === ZONE_DIFFERENCE && load<u8>(p, 25) === 34) {
    digits ^= ZONE_DIFFERENCE;
    length = 26;
  }
  const isBad = ((digits + SECONDS_CARRY) | digits) & SECONDS_MASK;
  const second = ((digits >> 8) & 15) * 10 + ((digits >> 16) & 15);
  if ((isOther | isBad) !== 0 || second > 59) return decodeOtherTimestamp(p, column);
  const milliseconds =
    ((digits >> 32) & 15) * 100 + ((digits >> 40) & 15) * 10 + ((digits >> 48) & 15);
  const instant = load<i64>(cache, 16) + <i64>(second * 1000 + milliseconds);
  store<i64>(slotOf(column), instant);
  setNull(column, false);
  return p + length;
}

function decodeOtherTimestamp(p: usize, column: usize): usize {
  const c = <u32>load<u8>(p);
  if (c === 45 || c - 48 <= 9) return decodeInstant(p, column, INSTANT_MIN, INSTANT_MAX);
  return decodeTemporal(p, column, true, true);
}

export function decodeDate(p: usize, column: usize): usize {
  return decodeTemporal(p, column, true, false);
}

export function decodeTime(p: usize, column: usize): usize {
  return decodeTemporal(p, column, false, true);
}

function decodeTemporal(p: usize, column: usize, hasDate: bool, hasTime: bool): usize {
  if (load<u8>(p) !== QUOTE) return skipMistyped(p, column);
  const end = contentOf(p + 1);
  if (end === 0) return 0;
  let value: i64 = 0;
  let at = textStart;
  if (hasDate) {
    at = readDate(at);
    value = days;
  }
  if (hasDate && hasTime) {
    value *= 86400000;
    if (at !== 0 && at < textEnd) at = readTimeOfDate(at, value);
    else millisecond = 0;
    value += millisecond;
    if (value < INSTANT_MIN || value > INSTANT_MAX) at = 0;
  } else if (hasTime) {
    at = readTime(at);
    value = millisecond;
  }
  if (at !== textEnd) {
    wrong(column, BAD_TEXT, p);
    return end;
  }
  store<i64>(slotOf(column), value);
  setNull(column, false);
  return end;
}

/** What the readers below found; each gives the address behind what it read, or 0. */
let days: i64 = 0;
let millisecond: i64 = 0;
let minute: i64 = 0;

/** `T` or a space, a time, and perhaps a zone. `date` is the day's start, for the cache. */
function readTimeOfDate(start: usize, date: i64): usize {
  const separator = <u32>load<u8>(start);
  if (separator !== 32 && (separator | 32) !== 116) return 0;
  let p = readTime(start + 1);
  if (p === 0) return 0;
  const cache = minuteCache();
  v128.store(cache, v128.load(textStart));
  store<i64>(cache, date + minute, 16);
  return p < textEnd ? readZone(p) : p;
}

/** `hh:mm`, `hh:mm:ss` or `hh:mm:ss.fraction`. */
function readTime(start: usize): usize {
  if (textEnd - start < 5 || load<u8>(start, 2) !== 58) return 0;
  const hour = twoDigits(start);
  const minutes = twoDigits(start + 3);
  if (hour > 23 || minutes > 59) return 0;
  minute = <i64>(hour * 60 + minutes) * 60000;
  millisecond = minute;
  let p = start + 5;
  if (p >= textEnd || load<u8>(p) !== 58) return p;
  const second = twoDigits(p + 1);
  if (textEnd - p < 3 || second > 59) return 0;
  millisecond += <i64>second * 1000;
  p += 3;
  if (p >= textEnd || load<u8>(p) !== 46) return p;
  const fraction = ++p;
  let weight: i64 = 100;
  for (; p < textEnd && <u32>load<u8>(p) - 48 <= 9; p++) {
    millisecond += weight * <i64>(load<u8>(p) - 48);
    weight /= 10;
  }
  return p === fraction || p - fraction > 9 ? 0 : p;
}

/** Takes the offset of a zone off `millisecond`. */
function readZone(p: usize): usize {
  const sign = <u32>load<u8>(p);
  if ((sign | 32) === 122) return p + 1;
  if (sign !== 43 && sign !== 45) return 0;
  const length = textEnd - p;
  const hours = twoDigits(p + 1);
  const minutes = length === 3 ? 0 : twoDigits(p + 4);
  if (hours > 18 || minutes > 59 || (length !== 3 && (length !== 6 || load<u8>(p, 3) !== 58))) {
    return 0;
  }
  const offset = <i64>(hours * 60 + minutes) * 60000;
  millisecond += sign === 43 ? -offset : offset;
  return p + length;
}

/** `YYYY-MM-DD` of the proleptic Gregorian calendar. */
function readDate(p: usize): usize {
  if (textEnd - p < 10 || load<u8>(p, 4) !== 45 || load<u8>(p, 7) !== 45) return 0;
  const century = twoDigits(p);
  const yearOfCentury = twoDigits(p + 2);
  const month = twoDigits(p + 5);
  const day = twoDigits(p + 8);
  if (century > 99 || yearOfCentury > 99 || month - 1 > 11) return 0;
  const year = century * 100 + yearOfCentury;
  if (day - 1 >= daysOfMonth(year, month)) return 0;
  days = daysSinceEpoch(<i64>year, <i64>month, <i64>day);
  return p + 10;
}

/** A number over 99 unless both are digits. */
// @ts-ignore: decorator
@inline
function twoDigits(p: usize): u32 {
  const tens = <u32>load<u8>(p) - 48;
  const ones = <u32>load<u8>(p, 1) - 48;
  return tens > 9 || ones > 9 ? 1000 : tens * 10 + ones;
}

function daysOfMonth(year: u32, month: u32): u32 {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}

/** Years begin in March here, so that the leap day is a year's last; eras have 400 years. */
function daysSinceEpoch(year: i64, month: i64, day: i64): i64 {
  const shifted = month <= 2 ? year - 1 : year;
  const era = (shifted >= 0 ? shifted : shifted - 399) / 400;
  const yearOfEra = shifted - era * 400;
  const dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  const dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear;
  return era * 146097 + dayOfEra - 719468;
}
