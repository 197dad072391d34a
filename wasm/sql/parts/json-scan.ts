/**
 * Steps over JSON without taking its values, checking all of RFC 8259 but UTF-8: that strings hold
 * bytes beyond ASCII is only noted, and such a row is checked as a whole. Each function takes an address and gives the one behind what it stepped
 * over, or 0 after `stop`. They load up to 80 bytes ahead; 128 quotation marks behind the input
 * end every scan, and whoever called compares where it ended with the value's end.
 */
import {
  BAD_ESCAPE,
  CONTROL_CHARACTER,
  DEPTH_MAX,
  ENDS_EARLY,
  SYNTAX,
  TOO_DEEP,
  WRONG_TYPE,
  depth,
  nesting,
  noteHigh,
  rowEnd,
  setNull,
  stop,
  wrong,
} from "./json-layout";

export const QUOTE: u32 = 34;
export const BACKSLASH: u32 = 92;
export const TRUE: u32 = 0x65757274;
export const NULL: u32 = 0x6c6c756e;
const FALS: u32 = 0x736c6166;

/** Space, tab, line feed and carriage return as bits. */
const WHITESPACE: u64 = 0x100002600;

// @ts-ignore: decorator
@inline
export function skipWhitespace(start: usize): usize {
  let p = start;
  while (true) {
    const c = <u64>load<u8>(p);
    if (c > 32 || ((WHITESPACE >> c) & 1) === 0) return p;
    p++;
  }
}

// @ts-ignore: decorator
@inline
export function isFalse(p: usize): bool {
  return load<u32>(p) === FALS && load<u8>(p, 4) === 101;
}

/**
 * A bit for each of 16 bytes at which to look closer in a string: `"`, `\`, controls, and all that
 * is not ASCII, which as signed bytes are below the space as well.
 */
// @ts-ignore: decorator
@inline
export function specials(bytes: v128): u32 {
  const quotes = i8x16.eq(bytes, i8x16.splat(34));
  const backslashes = i8x16.eq(bytes, i8x16.splat(92));
  const others = i8x16.lt_s(bytes, i8x16.splat(32));
  return <u32>i8x16.bitmask(v128.or(v128.or(quotes, backslashes), others));
}

/** The same without what is not ASCII. */
// @ts-ignore: decorator
@inline
export function asciiSpecials(bytes: v128): u32 {
  const quotes = i8x16.eq(bytes, i8x16.splat(34));
  const backslashes = i8x16.eq(bytes, i8x16.splat(92));
  const controls = i8x16.le_u(bytes, i8x16.splat(31));
  return <u32>i8x16.bitmask(v128.or(v128.or(quotes, backslashes), controls));
}

/** From behind the opening quotation mark to behind the closing one. */
// @ts-ignore: decorator
@inline
export function skipStringInline(start: usize): usize {
  let p = start;
  while (true) {
    let found = <u64>specials(v128.load(p));
    if (found === 0) {
      // Short strings end in the first 16 bytes; long ones go on by 64.
      p += 16;
      found =
        <u64>specials(v128.load(p)) |
        (<u64>specials(v128.load(p, 16)) << 16) |
        (<u64>specials(v128.load(p, 32)) << 32) |
        (<u64>specials(v128.load(p, 48)) << 48);
      if (found === 0) {
        p += 64;
        if (p > rowEnd) return stop(ENDS_EARLY, p);
        continue;
      }
    }
    p += <usize>ctz(found);
    const c = <u32>load<u8>(p);
    if (c === QUOTE) return p + 1;
    if (c !== BACKSLASH) return c < 0x80 ? stop(CONTROL_CHARACTER, p) : skipHighString(p);
    p = skipEscape(p);
    if (p === 0) return 0;
  }
}

/** The rest of a string from its first byte beyond ASCII. */
function skipHighString(start: usize): usize {
  noteHigh();
  let p = start;
  while (true) {
    const found = asciiSpecials(v128.load(p));
    if (found === 0) {
      p += 16;
      if (p > rowEnd) return stop(ENDS_EARLY, p);
      continue;
    }
    p += <usize>ctz(found);
    const c = <u32>load<u8>(p);
    if (c === QUOTE) return p + 1;
    if (c !== BACKSLASH) return stop(CONTROL_CHARACTER, p);
    p = skipEscape(p);
    if (p === 0) return 0;
  }
}

export function skipString(start: usize): usize {
  return skipStringInline(start);
}

/** The value of four hexadecimal digits, or −1. */
export function hexOf(p: usize): i32 {
  let value: i32 = 0;
  for (let index: usize = 0; index < 4; index++) {
    const c = <u32>load<u8>(p + index);
    const digit = c - 48;
    const letter = (c | 32) - 97;
    if (digit <= 9) value = (value << 4) | <i32>digit;
    else if (letter <= 5) value = (value << 4) | <i32>(letter + 10);
    else return -1;
  }
  return value;
}

function skipEscape(p: usize): usize {
  const c = <u32>load<u8>(p, 1);
  if (c === 117) return hexOf(p + 2) < 0 ? stop(BAD_ESCAPE, p) : p + 6;
  // b f n r t " \ /
  const isKnown =
    c === 110 || c === 34 || c === 92 || c === 47 || c === 116 || c === 114 || c === 98 || c === 102;
  return isKnown ? p + 2 : stop(BAD_ESCAPE, p);
}

// @ts-ignore: decorator
@inline
function skipDigits(start: usize): usize {
  let p = start;
  while (<u32>load<u8>(p) - 48 <= 9) p++;
  return p;
}

export function skipNumber(start: usize): usize {
  let p = start;
  if (load<u8>(p) === 45) p++;
  const first = <u32>load<u8>(p) - 48;
  if (first > 9) return stop(SYNTAX, p);
  p = first === 0 ? p + 1 : skipDigits(p + 1);
  let c = <u32>load<u8>(p);
  if (c === 46) {
    if (<u32>load<u8>(p, 1) - 48 > 9) return stop(SYNTAX, p + 1);
    p = skipDigits(p + 2);
    c = <u32>load<u8>(p);
  }
  if ((c | 32) === 101) {
    p++;
    c = <u32>load<u8>(p);
    if (c === 43 || c === 45) p++;
    if (<u32>load<u8>(p) - 48 > 9) return stop(SYNTAX, p);
    p = skipDigits(p + 1);
  }
  return p;
}

/** The digits that eight bytes begin with have zero bits here at their high halves. */
// @ts-ignore: decorator
@inline
export function notDigits(digits: u64): u64 {
  return ((digits + 0x0606060606060606) | digits) & 0xf0f0f0f0f0f0f0f0;
}

/** A string, number, true, false or null. */
// @ts-ignore: decorator
@inline
export function skipScalar(p: usize): usize {
  const c = <u32>load<u8>(p);
  if (c === QUOTE) return skipStringInline(p + 1);
  if (c - 49 <= 8) {
    const end = p + <usize>(ctz(notDigits(load<u64>(p) ^ 0x3030303030303030)) >> 3);
    const next = <u32>load<u8>(end);
    if (end - p < 8 && next !== 46 && (next | 32) !== 101) return end;
  }
  const word = load<u32>(p);
  if (word === TRUE || word === NULL) return p + 4;
  if (isFalse(p)) return p + 5;
  return skipNumber(p);
}

export function skipValue(p: usize): usize {
  const c = <u32>load<u8>(p);
  return c === 123 || c === 91 ? skipContainer(p) : skipScalar(p);
}

/** A value that `column` does not take, null excepted, which it takes as NULL. */
export function skipMistyped(p: usize, column: usize): usize {
  if (load<u32>(p) === NULL) {
    setNull(column, true);
    return p + 4;
  }
  const end = skipValue(p);
  if (end !== 0) wrong(column, WRONG_TYPE, p);
  return end;
}

/**
 * An object or array, from its bracket to behind the one that closes it. No recursion: which of
 * the open brackets are braces is kept as bits, 64 in a local, those further out in memory.
 */
export function skipContainer(start: usize): usize {
  let p = start;
  let level: u32 = 0;
  let braces: u64 = 0;
  while (true) {
    // At an opening bracket.
    let isObject = load<u8>(p) === 123;
    if (depth + level >= DEPTH_MAX) return stop(TOO_DEEP, p);
    if ((level & 63) === 0 && level > 0) store<u64>(nesting() + (level >> 3), braces);
    braces = (braces << 1) | <u64>isObject;
    level++;
    p = skipWhitespace(p + 1);
    let isClosed = <u32>load<u8>(p) === (isObject ? 125 : 93);
    if (isClosed) p++;
    while (true) {
      let c: u32;
      if (isClosed) {
        level--;
        braces >>= 1;
        if (level === 0) return p;
        if ((level & 63) === 0) braces = load<u64>(nesting() + (level >> 3));
        isObject = (braces & 1) !== 0;
        c = <u32>load<u8>(p);
        if (c <= 32) {
          p = skipWhitespace(p);
          c = <u32>load<u8>(p);
        }
        if (c === (isObject ? 125 : 93)) {
          p++;
          continue;
        }
        if (c !== 44) return stop(SYNTAX, p);
        p = skipWhitespace(p + 1);
        isClosed = false;
      }
      if (isObject) {
        p = skipKey(p);
        if (p === 0) return 0;
      }
      c = <u32>load<u8>(p);
      if (c === 123 || c === 91) break;
      p = skipScalar(p);
      if (p === 0) return 0;
      c = <u32>load<u8>(p);
      if (c <= 32) {
        p = skipWhitespace(p);
        c = <u32>load<u8>(p);
      }
      if (c === 44) {
        p = skipWhitespace(p + 1);
        continue;
      }
      if (c !== (isObject ? 125 : 93)) return stop(SYNTAX, p);
      p++;
      isClosed = true;
    }
  }
}

/** A key and its colon, to where the value starts. */
// @ts-ignore: decorator
@inline
function skipKey(start: usize): usize {
  if (load<u8>(start) !== 34) return stop(SYNTAX, start);
  const p = skipStringInline(start + 1);
  return p === 0 ? 0 : skipColon(p);
}

// @ts-ignore: decorator
@inline
export function skipColon(start: usize): usize {
  let p = start;
  if (load<u8>(p) !== 58) {
    p = skipWhitespace(p);
    if (load<u8>(p) !== 58) return stop(SYNTAX, p);
  }
  return skipWhitespace(p + 1);
}
