/**
 * JSON text as Flink's JSON format writes values (timestamps in SQL style), into a buffer that
 * grows. Strings come out byte for byte as JSON.stringify writes them; bytes that are no UTF-8
 * become U+FFFD, as TextDecoder has it.
 *
 * Each `put` writes at `at` and gives where the next byte goes: a place in the buffer as it is now,
 * which `reserve` and what calls it may have moved. The engine keeps it in a register; it would not a
 * global.
 */
import * as civil from "./civil";
import { copyBytes } from "./layout";
import { realloc } from "./sqlite";

/** Writes a DOUBLE (or a FLOAT, if `isFloat`) that has no short decimal form; at most 32 bytes. */
@external("env", "formatReal")
declare function formatReal(value: f64, isFloat: i32, to: usize): i32;

let start: usize = 0;
let limit: usize = 0;
/** No memory was left; what was written since is worthless. */
export let isFull: bool = false;

/** What a value may take beside the bytes of a text. */
const VALUE_BYTES: usize = 128;

export function begin(buffer: usize, bytes: usize): void {
  start = buffer;
  limit = buffer + bytes;
  isFull = false;
}

export function bufferStart(): usize {
  return start;
}

export function bufferBytes(): usize {
  return limit - start;
}

/** Makes room for a value. The buffer may move; on failure what follows overwrites its start. */
// @ts-ignore: decorator
@inline
export function reserve(at: usize, bytes: usize): usize {
  return limit - at < bytes ? grow(at, bytes) : at;
}

function grow(at: usize, bytes: usize): usize {
  const used = at - start;
  const wanted = (used + bytes) * 2;
  const moved = realloc(start, wanted);
  if (moved == 0) {
    isFull = true;
    return start;
  }
  start = moved;
  limit = moved + wanted;
  return moved + used;
}

// @ts-ignore: decorator
@inline
export function putByte(at: usize, byte: u32): usize {
  store<u8>(at++, <u8>byte);
  return at;
}

export function putRaw(at: usize, from: usize, length: usize): usize {
  at = reserve(at, length + VALUE_BYTES);
  if (isFull) return at;
  copyBytes(at, from, length);
  at += length;
  return at;
}

/** As `putRaw`, for what stands before a value: of mostly few bytes, with 15 readable behind them. */
// @ts-ignore: decorator
@inline
export function putPrefix(at: usize, from: usize, length: usize): usize {
  if (length > 32) {
    return putRaw(at, from, length);
  }
  at = reserve(at, VALUE_BYTES + 32);
  if (isFull) return at;
  v128.store(at, v128.load(from));
  if (length > 16) v128.store(at, v128.load(from, 16), 16);
  at += length;
  return at;
}

export function putNull(at: usize): usize {
  store<u32>(at, 0x6c6c756e);
  at += 4;
  return at;
}

export function putBoolean(at: usize, value: bool): usize {
  if (value) {
    store<u32>(at, 0x65757274);
    at += 4;
  } else {
    store<u32>(at, 0x736c6166);
    store<u8>(at, 101, 4);
    at += 5;
  }
  return at;
}

export function putInteger(at: usize, value: i64): usize {
  let rest = <u64>value;
  if (value < 0) {
    at = putByte(at, 45);
    rest = 0 - rest;
  }
  return putUnsigned(at, rest);
}

const EIGHT_DIGITS: u64 = 100_000_000;
const ZEROS: u64 = 0x3030303030303030;

function putUnsigned(at: usize, value: u64): usize {
  if (value < EIGHT_DIGITS) {
    const digits = digitsOf(<u32>value);
    // The last digit stands also where it is 0.
    const leading = ctz<u64>(digits | ((<u64>1) << 56)) & 56;
    store<u64>(at, (digits | ZEROS) >> leading);
    at += 8 - <usize>(leading >> 3);
    return at;
  }
  const high = value / EIGHT_DIGITS;
  at = putUnsigned(at, high);
  store<u64>(at, digitsOf(<u32>(value - high * EIGHT_DIGITS)) | ZEROS);
  at += 8;
  return at;
}

/** The eight digits of a number, a byte each, the first one lowest: fours, twos and ones at once. */
// @ts-ignore: decorator
@inline
function digitsOf(value: u32): u64 {
  const high = value / 10000;
  const fours = <u64>high | ((<u64>(value - high * 10000)) << 32);
  const hundreds = ((fours * 10486) >> 20) & 0x0000007f0000007f;
  const twos = ((fours - hundreds * 100) << 16) | hundreds;
  const tens = ((twos * 103) >> 10) & 0x000f000f000f000f;
  return ((twos - tens * 10) << 8) | tens;
}

/** A number of 64 bits of which the last digits, 16 at most, stand behind the point. */
function putShortDecimal(at: usize, value: u64, scale: u32): usize {
  if (scale == 0) {
    return putUnsigned(at, value);
  }
  let unit: u64 = 10;
  for (let left = scale; left > 1; left--) unit *= 10;
  const whole = value / unit;
  const rest = value - whole * unit;
  at = putUnsigned(at, whole);
  at = putByte(at, 46);
  if (scale <= 8) {
    return putDigits(at, <u32>rest, scale);
  }
  const high = rest / EIGHT_DIGITS;
  at = putDigits(at, <u32>high, scale - 8);
  return putDigits(at, <u32>(rest - high * EIGHT_DIGITS), 8);
}

/** The last `count` digits of a number below 10^8, from 1 to 8, zeros in front among them. */
// @ts-ignore: decorator
@inline
function putDigits(at: usize, value: u32, count: u32): usize {
  store<u64>(at, (digitsOf(value) | ZEROS) >> ((8 - count) << 3));
  at += count;
  return at;
}

/** A 128-bit number of which the last `scale` digits stand behind the point. */
export function putDecimal(at: usize, low: u64, high: i64, scale: u32): usize {
  let a = low;
  let b = <u64>high;
  if (high < 0) {
    at = putByte(at, 45);
    a = 0 - a;
    b = ~b + (a == 0 ? 1 : 0);
  }
  if (b == 0 && scale <= 16) {
    return putShortDecimal(at, a, scale);
  }
  // Written from the end of the room that a value has, then moved to its place.
  const end = at + VALUE_BYTES - 8;
  let to = end;
  let count: u32 = 0;
  while (b != 0 || a > 0xffffffff || count < scale) {
    // Nine digits at a time, by long division of 32-bit limbs.
    let rest = b >> 32;
    const q3 = rest / 1_000_000_000;
    rest = ((rest - q3 * 1_000_000_000) << 32) | (b & 0xffffffff);
    const q2 = rest / 1_000_000_000;
    rest = ((rest - q2 * 1_000_000_000) << 32) | (a >> 32);
    const q1 = rest / 1_000_000_000;
    rest = ((rest - q1 * 1_000_000_000) << 32) | (a & 0xffffffff);
    const q0 = rest / 1_000_000_000;
    let group = <u32>(rest - q0 * 1_000_000_000);
    b = (q3 << 32) | q2;
    a = (q1 << 32) | q0;
    for (let digit = 0; digit < 9; digit++) {
      if (count == scale && scale > 0) store<u8>(--to, 46);
      const cut = group / 10;
      store<u8>(--to, <u8>(48 + group - cut * 10));
      group = cut;
      count++;
    }
  }
  let last = <u32>a;
  while (last > 0 || count <= scale) {
    if (count == scale && scale > 0) store<u8>(--to, 46);
    const cut = last / 10;
    store<u8>(--to, <u8>(48 + last - cut * 10));
    last = cut;
    count++;
  }
  // Whole groups may have put zeros before the first digit.
  while (load<u8>(to) == 48 && to + 1 < end && load<u8>(to, 1) != 46) to++;
  const length = end - to;
  memory.copy(at, to, length);
  at += length;
  return at;
}

/** Decimal numbers of up to so many digits are told apart by every DOUBLE, and by every FLOAT. */
const SHORT_REAL: f64 = 1e15;
const SHORT_FLOAT: f64 = 1e6;

/** The shortest text that reads back as the same number; Jackson's quoted names for infinities. */
export function putReal(at: usize, value: f64, isFloat: bool): usize {
  const magnitude = Math.abs(value);
  if (!(magnitude < Infinity)) {
    return putNonFinite(at, value);
  }
  if (magnitude < SHORT_REAL && Math.floor(value) == value) {
    return putInteger(at, <i64>value);
  }
  if (magnitude >= 1e-6 && magnitude < SHORT_REAL) {
    const bound = isFloat ? SHORT_FLOAT : SHORT_REAL;
    let power: f64 = 10;
    for (let scale: u32 = 1; scale <= 21; scale++) {
      const scaled = nearest(magnitude * power);
      if (scaled >= bound) break;
      const back = scaled / power;
      if (isFloat ? <f32>back == <f32>magnitude : back == magnitude) {
        const unscaled = <i64>(value < 0 ? -scaled : scaled);
        return putDecimal(at, <u64>unscaled, unscaled >> 63, scale);
      }
      power *= 10;
    }
  }
  at += formatReal(value, isFloat ? 1 : 0, at);
  return at;
}

function putNonFinite(at: usize, value: f64): usize {
  at = putByte(at, 34);
  if (value != value) {
    store<u16>(at, 0x614e);
    store<u8>(at, 78, 2);
    at += 3;
  } else {
    if (value < 0) at = putByte(at, 45);
    store<u64>(at, 0x7974696e69666e49);
    at += 8;
  }
  return putByte(at, 34);
}

// @ts-ignore: decorator
@inline
function put2(at: usize, value: u32): usize {
  const tens = value / 10;
  store<u16>(at, <u16>((48 + tens) | ((48 + value - tens * 10) << 8)));
  at += 2;
  return at;
}

// @ts-ignore: decorator
@inline
function put3(at: usize, value: u32): usize {
  const hundreds = value / 100;
  at = putByte(at, 48 + hundreds);
  return put2(at, value - hundreds * 100);
}

/** Day number of 1970-01-01 as YYYY-MM-DD, without quotes; years as ISO 8601 has them. */
function putDay(at: usize, day: i64): usize {
  civil.civilOf(day);
  const year = civil.year;
  if (year >= 0 && year <= 9999) {
    at = put2(at, <u32>year / 100);
    at = put2(at, <u32>year % 100);
  } else {
    at = putByte(at, year < 0 ? 45 : 43);
    const magnitude = <u64>(year < 0 ? -year : year);
    if (magnitude < 1000) at = putByte(at, 48);
    if (magnitude < 100) at = putByte(at, 48);
    if (magnitude < 10) at = putByte(at, 48);
    at = putUnsigned(at, magnitude);
  }
  at = putByte(at, 45);
  at = put2(at, civil.month);
  at = putByte(at, 45);
  return put2(at, civil.day);
}

export function putDate(at: usize, day: i64): usize {
  at = putByte(at, 34);
  at = putDay(at, day);
  return putByte(at, 34);
}

/**
 * The second that was written last, and its text from the quote to the point, 21 bytes: that of the
 * next row is mostly the same.
 */
let lastSecondMs: i64 = 0;
let lastSecondStart: u64 = 0;
let lastSecondMiddle: u64 = 0;
let lastSecondEnd: u64 = 0;

/** `2026-01-01 00:00:10.000`, with a Z behind it if it is a point in time. */
export function putTimestamp(at: usize, ms: i64, isPoint: bool): usize {
  let sinceSecond = <u64>(ms - lastSecondMs);
  if (lastSecondStart == 0 || sinceSecond >= 1000) {
    const day = civil.floorDivide(ms, civil.DAY_MS);
    const time = <u32>(ms - day * civil.DAY_MS);
    const from = at;
    at = putByte(at, 34);
    at = putDay(at, day);
    at = putByte(at, 32);
    at = putClock(at, time / 1000);
    at = putByte(at, 46);
    sinceSecond = time % 1000;
    // Years of other than four digits are not kept.
    if (at - from == 21) {
      lastSecondMs = ms - <i64>sinceSecond;
      lastSecondStart = load<u64>(from);
      lastSecondMiddle = load<u64>(from, 8);
      lastSecondEnd = load<u64>(from, 16);
    }
  } else {
    store<u64>(at, lastSecondStart);
    store<u64>(at, lastSecondMiddle, 8);
    store<u64>(at, lastSecondEnd, 16);
    at += 21;
  }
  at = put3(at, <u32>sinceSecond);
  if (isPoint) at = putByte(at, 90);
  return putByte(at, 34);
}

/** `00:00:10`, with milliseconds only if there are any. */
export function putTime(at: usize, ms: i64): usize {
  const time = <u32>ms;
  at = putByte(at, 34);
  at = putClock(at, time / 1000);
  if (time % 1000 != 0) {
    at = putByte(at, 46);
    at = put3(at, time % 1000);
  }
  return putByte(at, 34);
}

function putClock(at: usize, seconds: u32): usize {
  const minutes = seconds / 60;
  at = put2(at, minutes / 60);
  at = putByte(at, 58);
  at = put2(at, minutes % 60);
  at = putByte(at, 58);
  return put2(at, seconds % 60);
}

// @ts-ignore: decorator
@inline
function base64Letter(bits: u32): u32 {
  if (bits < 26) return 65 + bits;
  if (bits < 52) return 71 + bits;
  if (bits < 62) return bits - 4;
  return bits == 62 ? 43 : 47;
}

export function putBase64(at: usize, from: usize, length: usize): usize {
  at = reserve(at, (length / 3 + 1) * 4 + VALUE_BYTES);
  if (isFull) return at;
  at = putByte(at, 34);
  let position: usize = 0;
  for (; position + 3 <= length; position += 3) {
    const first = <u32>load<u8>(from + position) << 16;
    const bits = first | (<u32>load<u8>(from + position, 1) << 8) | load<u8>(from + position, 2);
    at = putByte(at, base64Letter(bits >> 18));
    at = putByte(at, base64Letter((bits >> 12) & 63));
    at = putByte(at, base64Letter((bits >> 6) & 63));
    at = putByte(at, base64Letter(bits & 63));
  }
  const left = length - position;
  if (left > 0) {
    let bits = <u32>load<u8>(from + position) << 16;
    if (left == 2) bits |= <u32>load<u8>(from + position, 1) << 8;
    at = putByte(at, base64Letter(bits >> 18));
    at = putByte(at, base64Letter((bits >> 12) & 63));
    at = putByte(at, left == 2 ? base64Letter((bits >> 6) & 63) : 61);
    at = putByte(at, 61);
  }
  return putByte(at, 34);
}

/** Reads up to 15 bytes behind the text. */
export function putText(at: usize, from: usize, length: usize): usize {
  at = reserve(at, length + VALUE_BYTES);
  if (isFull) return at;
  at = putByte(at, 34);
  const end = from + length;
  let position = from;
  while (position < end) {
    const bytes = v128.load(position);
    const control = i8x16.lt_s(bytes, i8x16.splat(32));
    const quote = i8x16.eq(bytes, i8x16.splat(34));
    const slash = i8x16.eq(bytes, i8x16.splat(92));
    // As signed numbers, bytes of more than ASCII are below 32 too.
    const special = <u32>i8x16.bitmask(v128.or(control, v128.or(quote, slash)));
    const plain = <usize>ctz<u32>(special | 0x10000);
    // What is copied behind the plain bytes is written over, or behind the text.
    v128.store(at, bytes);
    if (position + plain >= end) {
      at += end - position;
      break;
    }
    at += plain;
    position += plain;
    if (plain == 16) continue;
    const stop = position + 8 < end ? position + 8 : end;
    at = reserve(at, end - position + VALUE_BYTES);
    if (isFull) return at;
    while (position < stop) {
      const byte = <u32>load<u8>(position);
      if (byte >= 0x80) {
        at = putSequence(at, position, end, byte);
        position = behind;
      } else {
        if (byte < 32 || byte == 34 || byte == 92) at = putEscaped(at, byte);
        else at = putByte(at, byte);
        position++;
      }
    }
  }
  return putByte(at, 34);
}

function putEscaped(at: usize, byte: u32): usize {
  at = putByte(at, 92);
  switch (byte) {
    case 34:
    case 92:
      return putByte(at, byte);
    case 8:
      return putByte(at, 98);
    case 9:
      return putByte(at, 116);
    case 10:
      return putByte(at, 110);
    case 12:
      return putByte(at, 102);
    case 13:
      return putByte(at, 114);
    default: {
      store<u32>(at, 0x30303075);
      at += 3;
      at = putByte(at, 48 + (byte >> 4));
      const low = byte & 15;
      at = putByte(at, low < 10 ? 48 + low : 87 + low);
    }
  }
  return at;
}

/** Where what `putSequence` wrote ended. */
let behind: usize = 0;

/** One character of more than a byte, or U+FFFD for the longest start of one that is there. */
function putSequence(at: usize, position: usize, end: usize, byte: u32): usize {
  let more: usize = 0;
  let lowest: u32 = 0x80;
  let highest: u32 = 0xbf;
  if (byte >= 0xc2 && byte <= 0xdf) {
    more = 1;
  } else if (byte >= 0xe0 && byte <= 0xef) {
    more = 2;
    if (byte == 0xe0) lowest = 0xa0;
    if (byte == 0xed) highest = 0x9f;
  } else if (byte >= 0xf0 && byte <= 0xf4) {
    more = 3;
    if (byte == 0xf0) lowest = 0x90;
    if (byte == 0xf4) highest = 0x8f;
  }
  let next = position + 1;
  const last = next + more;
  while (next < last && next < end) {
    const following = <u32>load<u8>(next);
    if (following < lowest || following > highest) break;
    lowest = 0x80;
    highest = 0xbf;
    next++;
  }
  if (more == 0 || next < last) {
    store<u32>(at, 0xbdbfef);
    at += 3;
  } else {
    for (let from = position; from < next; from++) at = putByte(at, load<u8>(from));
  }
  behind = next;
  return at;
}
