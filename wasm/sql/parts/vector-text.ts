/** Instructions of `vector.ts` over texts. Parts of a text are places in it: nothing is copied. */
import * as civil from "./civil";
import { COLUMN_BASE, copyBytes, sameBytes } from "./layout";
import { formatTime, isPlainTime } from "./time-functions";
import {
  I_A,
  I_B,
  I_C,
  I_DATA,
  I_DATA_BYTES,
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
  textRoom,
  valuesOf,
} from "./vector-frame";

// @ts-ignore: decorator
@inline
function failText(target: usize, row: usize): void {
  // What reads the register for this row all the same must not follow an address of nothing.
  putSlot(target, row, 0, 0);
  fail(<u32>row);
}

// @ts-ignore: decorator
@inline
function putSlot(target: usize, row: usize, text: usize, length: u32): void {
  store<u64>(valuesOf(target) + (row << 3), <u64>text | (<u64>length << 32));
}

/** Turns the case of the 26 letters from n on. Other letters have rules of their own: SQLite's. */
export function mapCase(instruction: usize): void {
  const a = registerOf(instruction, I_A);
  const aNulls = nullsOf(a);
  const base = <usize>load<u32>(a, COLUMN_BASE);
  const first = load<u32>(instruction, I_N);
  const target = registerOf(instruction, I_TARGET);
  const nulls = targetNulls(target, hasNulls(a));
  for (let index: u32 = 0; index < rowCount; index++) {
    const row = <usize>load<u32>(rows + ((<usize>index) << 2));
    const isNull = load<u8>(aNulls + row * nullStrideOf(a));
    store<u8>(nulls + row, isNull);
    if (isNull) continue;
    const slot = valuesOf(a) + row * strideOf(a);
    const text = <usize>load<u32>(slot) + base;
    const length = load<u32>(slot, 4);
    let others: u32 = 0;
    let turns: u32 = 0;
    for (let at: u32 = 0; at < length; at += 16) {
      const bytes = v128.load(text + at);
      const valid = length - at < 16 ? (1 << (length - at)) - 1 : 0xffff;
      others |= <u32>i8x16.bitmask(bytes) & valid;
      turns |= <u32>i8x16.bitmask(isLetter(bytes, first)) & valid;
    }
    if (others == 0 && turns == 0) {
      putSlot(target, row, text, length);
      continue;
    }
    const to = others != 0 ? 0 : textRoom(length);
    if (to == 0) {
      failText(target, row);
      continue;
    }
    // What is written behind the text is behind all texts so far.
    for (let at: u32 = 0; at < length; at += 16) {
      const bytes = v128.load(text + at);
      const turned = v128.and(isLetter(bytes, first), i8x16.splat(32));
      v128.store(to + at, v128.xor(bytes, turned));
    }
    putSlot(target, row, to, length);
  }
}

/** Which of 16 bytes are among the 26 letters from `first` on. */
// @ts-ignore: decorator
@inline
function isLetter(bytes: v128, first: u32): v128 {
  return i8x16.lt_u(i8x16.sub(bytes, i8x16.splat(<i8>first)), i8x16.splat(26));
}

export function charLength(instruction: usize): void {
  const a = registerOf(instruction, I_A);
  const aNulls = nullsOf(a);
  const base = <usize>load<u32>(a, COLUMN_BASE);
  const target = registerOf(instruction, I_TARGET);
  const nulls = targetNulls(target, hasNulls(a));
  for (let index: u32 = 0; index < rowCount; index++) {
    const row = <usize>load<u32>(rows + ((<usize>index) << 2));
    const isNull = load<u8>(aNulls + row * nullStrideOf(a));
    store<u8>(nulls + row, isNull);
    if (isNull) continue;
    const slot = valuesOf(a) + row * strideOf(a);
    const text = <usize>load<u32>(slot) + base;
    let count: i64 = 0;
    for (let at: usize = 0, length = <usize>load<u32>(slot, 4); at < length; at++) {
      if (load<i8>(text + at) >= -64) count++;
    }
    store<i64>(valuesOf(target) + (row << 3), count);
  }
}

const STARTS: u32 = 0;
const ENDS: u32 = 1;
const HAS: u32 = 2;
const IS: u32 = 3;

/**
 * Whether a starts with the data, ends with it, has it or is it (n & 3). Above 3: for LIKE, where
 * SQLite's texts end at a NUL, so that a text which has one is left to it.
 */
export function matchText(instruction: usize): void {
  const a = registerOf(instruction, I_A);
  const aNulls = nullsOf(a);
  const base = <usize>load<u32>(a, COLUMN_BASE);
  const where = load<u32>(instruction, I_N) & 3;
  const isLike = load<u32>(instruction, I_N) > 3;
  const part = <usize>load<u32>(instruction, I_DATA);
  const partLength = load<u32>(instruction, I_DATA_BYTES);
  const target = registerOf(instruction, I_TARGET);
  const nulls = targetNulls(target, hasNulls(a));
  for (let index: u32 = 0; index < rowCount; index++) {
    const row = <usize>load<u32>(rows + ((<usize>index) << 2));
    const isNull = load<u8>(aNulls + row * nullStrideOf(a));
    store<u8>(nulls + row, isNull);
    if (isNull) continue;
    const slot = valuesOf(a) + row * strideOf(a);
    const text = <usize>load<u32>(slot) + base;
    const length = load<u32>(slot, 4);
    let isMatch = partLength <= length && (where != IS || partLength == length);
    if (isMatch && where == HAS) isMatch = find(text, 0, length, part, partLength) != NOWHERE;
    else if (isMatch) {
      isMatch = sameBytes(where == ENDS ? text + (length - partLength) : text, part, partLength);
    }
    store<i64>(valuesOf(target) + (row << 3), isMatch ? 1 : 0);
    if (isLike && hasZero(text, length)) fail(<u32>row);
  }
}

function hasZero(text: usize, length: u32): bool {
  let at: u32 = 0;
  const zero = i8x16.splat(0);
  for (; at + 16 <= length; at += 16) {
    if (v128.any_true(i8x16.eq(v128.load(text + at), zero))) return true;
  }
  for (; at < length; at++) if (load<u8>(text + at) == 0) return true;
  return false;
}

export const NOWHERE: u32 = 0xffffffff;

/** Where `part` is found from `start` on. May read 15 bytes behind either text. */
export function find(text: usize, start: u32, length: u32, part: usize, partLength: u32): u32 {
  if (partLength > length) return NOWHERE;
  if (partLength == 0) return start;
  const last = length - partLength;
  const first = load<u8>(part);
  const firsts = i8x16.splat(first);
  for (let at = start; at <= last; at += 16) {
    let found = <u32>i8x16.bitmask(i8x16.eq(v128.load(text + at), firsts));
    while (found != 0) {
      const place = at + ctz<u32>(found);
      if (place > last) return NOWHERE;
      if (partLength == 1 || sameBytes(text + place, part, partLength)) return place;
      found &= found - 1;
    }
  }
  return NOWHERE;
}

/** Where one byte is found from `start` on, for the time after `skipped`. As `find`. */
// @ts-ignore: decorator
@inline
function findNth(text: usize, start: u32, length: u32, byte: usize, skipped: u32): u32 {
  const bytes = i8x16.splat(load<i8>(byte));
  let left = skipped;
  for (let at = start; at < length; at += 16) {
    let found = <u32>i8x16.bitmask(i8x16.eq(v128.load(text + at), bytes));
    const count = popcnt<u32>(found);
    if (count <= left) {
      left -= count;
      continue;
    }
    for (; left > 0; left--) found &= found - 1;
    const place = at + ctz<u32>(found);
    return place < length ? place : NOWHERE;
  }
  return NOWHERE;
}

/** The part n of a between delimiters, which are the data; NULL where there are not so many. */
export function splitPart(instruction: usize): void {
  const a = registerOf(instruction, I_A);
  const aNulls = nullsOf(a);
  const base = <usize>load<u32>(a, COLUMN_BASE);
  const wanted = load<u32>(instruction, I_N);
  const part = <usize>load<u32>(instruction, I_DATA);
  const partLength = load<u32>(instruction, I_DATA_BYTES);
  const target = registerOf(instruction, I_TARGET);
  const nulls = targetNulls(target, true);
  for (let index: u32 = 0; index < rowCount; index++) {
    const row = <usize>load<u32>(rows + ((<usize>index) << 2));
    const isNull = load<u8>(aNulls + row * nullStrideOf(a));
    store<u8>(nulls + row, 1);
    if (isNull) continue;
    const slot = valuesOf(a) + row * strideOf(a);
    const text = <usize>load<u32>(slot) + base;
    const length = load<u32>(slot, 4);
    if (length == 0) continue;
    let start: u32 = 0;
    if (partLength == 1) {
      if (wanted > 0) {
        const before = findNth(text, 0, length, part, wanted - 1);
        if (before == NOWHERE) continue;
        start = before + 1;
      }
      const end = findNth(text, start, length, part, 0);
      putSlot(target, row, text + start, (end == NOWHERE ? length : end) - start);
      store<u8>(nulls + row, 0);
      continue;
    }
    let left = wanted;
    for (; left > 0; left--) {
      const found = find(text, start, length, part, partLength);
      if (found == NOWHERE) break;
      start = found + partLength;
    }
    if (left > 0) continue;
    const found = find(text, start, length, part, partLength);
    putSlot(target, row, text + start, (found == NOWHERE ? length : found) - start);
    store<u8>(nulls + row, 0);
  }
}

export function joinTexts(instruction: usize): void {
  const a = registerOf(instruction, I_A);
  const b = registerOf(instruction, I_B);
  const aNulls = nullsOf(a);
  const bNulls = nullsOf(b);
  const aBase = <usize>load<u32>(a, COLUMN_BASE);
  const bBase = <usize>load<u32>(b, COLUMN_BASE);
  const target = registerOf(instruction, I_TARGET);
  const nulls = targetNulls(target, hasNulls(a) || hasNulls(b));
  for (let index: u32 = 0; index < rowCount; index++) {
    const row = <usize>load<u32>(rows + ((<usize>index) << 2));
    const isNull =
      load<u8>(aNulls + row * nullStrideOf(a)) | load<u8>(bNulls + row * nullStrideOf(b));
    store<u8>(nulls + row, isNull);
    if (isNull) continue;
    const left = valuesOf(a) + row * strideOf(a);
    const right = valuesOf(b) + row * strideOf(b);
    const leftLength = load<u32>(left, 4);
    const length = <u64>leftLength + <u64>load<u32>(right, 4);
    const to = length > TEXT_MAX ? 0 : textRoom(<u32>length);
    if (to == 0) {
      failText(target, row);
      continue;
    }
    copyBytes(to, <usize>load<u32>(left) + aBase, leftLength);
    copyBytes(to + leftLength, <usize>load<u32>(right) + bBase, load<u32>(right, 4));
    putSlot(target, row, to, <u32>length);
  }
}

/** Far below what SQLite refuses. */
const TEXT_MAX: u64 = 100_000_000;

/**
 * A wall time in the pattern that is the data. Times alike within `low` milliseconds have one text,
 * which the next row mostly shares.
 */
export function formatTimes(instruction: usize): void {
  const a = registerOf(instruction, I_A);
  const aNulls = nullsOf(a);
  const aNullStride = nullStrideOf(a);
  const aValues = valuesOf(a);
  const aStride = strideOf(a);
  const pattern = <usize>load<u32>(instruction, I_DATA);
  const length = load<u32>(instruction, I_DATA_BYTES);
  const grain = load<i64>(instruction, I_LOW);
  const target = registerOf(instruction, I_TARGET);
  const nulls = targetNulls(target, hasNulls(a));
  const to = valuesOf(target);
  const list = rows;
  const count = rowCount;
  // The grain of the row before begins at `start`, and has `slot` for its text; 0: it has none.
  let start: i64 = 0;
  let slot: u64 = 0;
  for (let index: u32 = 0; index < count; index++) {
    const row = <usize>load<u32>(list + ((<usize>index) << 2));
    const isNull = load<u8>(aNulls + row * aNullStride);
    store<u8>(nulls + row, isNull);
    if (isNull) continue;
    const wall = load<i64>(aValues + row * aStride);
    if (slot == 0 || <u64>(wall - start) >= <u64>grain) {
      slot = 0;
      const text = isPlainTime(wall) ? textRoom(length) : 0;
      if (text == 0 || formatTime(text, wall, pattern, length) < 0) {
        failText(target, row);
        continue;
      }
      start = civil.floorDivide(wall, grain) * grain;
      slot = <u64>text | (<u64>length << 32);
    }
    store<u64>(to + (row << 3), slot);
  }
}
