/** Instructions of `vector.ts` that compare and choose; logic has three values, as SQL's has. */
import { COLUMN_BASE, sameBytes } from "./layout";
import {
  I_A,
  I_B,
  I_C,
  I_N,
  I_TARGET,
  areNeighbours,
  denseCount,
  fail,
  hasNulls,
  nullBytes,
  nullStrideOf,
  nullsOf,
  registerOf,
  restFrom,
  rowCount,
  rows,
  strideOf,
  targetNulls,
  twoSlots,
  valuesOf,
} from "./vector-frame";

export const EQ: u32 = 0;
export const NE: u32 = 1;
export const LT: u32 = 2;
export const LE: u32 = 3;
export const GT: u32 = 4;
export const GE: u32 = 5;

// @ts-ignore: decorator
@inline
function holds<T>(test: u32, left: T, right: T): bool {
  if (test == EQ) return left == right;
  if (test == NE) return left != right;
  if (test == LT) return left < right;
  if (test == LE) return left <= right;
  if (test == GT) return left > right;
  return left >= right;
}

// @ts-ignore: decorator
@inline
function holdTwo(test: u32, left: v128, right: v128): v128 {
  if (test == EQ) return i64x2.eq(left, right);
  if (test == NE) return i64x2.ne(left, right);
  if (test == LT) return i64x2.lt_s(left, right);
  if (test == LE) return i64x2.le_s(left, right);
  if (test == GT) return i64x2.gt_s(left, right);
  return i64x2.ge_s(left, right);
}

/** Slots that columns of integers have side by side, or one for all rows. */
// @ts-ignore: decorator
@inline
function isEven(stride: usize): bool {
  return stride == 0 || stride == 8;
}

/**
 * Compares integers of the `span` rows from the first on, two at a time. Gives how many rows are
 * done, which are all but the last few.
 */
// @ts-ignore: decorator
@inline
function compareTwos(instruction: usize, test: u32, span: u32): u32 {
  const a = registerOf(instruction, I_A);
  const b = registerOf(instruction, I_B);
  const aStride = strideOf(a);
  const bStride = strideOf(b);
  const aNullStride = nullStrideOf(a);
  const bNullStride = nullStrideOf(b);
  if (!isEven(aStride) || !isEven(bStride) || aNullStride > 1 || bNullStride > 1) return 0;
  const aValues = valuesOf(a);
  const bValues = valuesOf(b);
  const aNulls = nullsOf(a);
  const bNulls = nullsOf(b);
  const target = registerOf(instruction, I_TARGET);
  const to = valuesOf(target);
  const nulls = targetNulls(target, hasNulls(a) || hasNulls(b));
  const first = <usize>load<u32>(rows);
  const ones = i64x2.splat(1);
  const end = first + <usize>(span & ~15);
  for (let row = first; row < end; row += 16) {
    for (let at = row; at < row + 16; at += 2) {
      const left = twoSlots(aValues, aStride, at);
      const right = twoSlots(bValues, bStride, at);
      v128.store(to + (at << 3), v128.and(holdTwo(test, left, right), ones));
    }
    const isNull = v128.or(
      nullBytes(aNulls, aNullStride, row),
      nullBytes(bNulls, bNullStride, row),
    );
    v128.store(nulls + row, isNull);
  }
  return span & ~15;
}

// @ts-ignore: decorator
@inline
function compareLoop<T>(instruction: usize, test: u32): void {
  const a = registerOf(instruction, I_A);
  const b = registerOf(instruction, I_B);
  const aValues = valuesOf(a);
  const bValues = valuesOf(b);
  const aStride = strideOf(a);
  const bStride = strideOf(b);
  const target = registerOf(instruction, I_TARGET);
  const to = valuesOf(target);
  const areShown = hasNulls(a) || hasNulls(b);
  const nulls = targetNulls(target, areShown);
  const list = rows;
  const count = rowCount;
  let done: u32 = 0;
  const span = isInteger<T>() ? denseCount() : 0;
  if (span != 0) done = restFrom(span, compareTwos(instruction, test, span));
  if (!areShown) {
    for (let index = done; index < count; index++) {
      const row = <usize>load<u32>(list + ((<usize>index) << 2));
      const left = load<T>(aValues + row * aStride);
      const right = load<T>(bValues + row * bStride);
      store<i64>(to + (row << 3), holds<T>(test, left, right) ? 1 : 0);
      store<u8>(nulls + row, 0);
    }
    return;
  }
  const aNulls = nullsOf(a);
  const bNulls = nullsOf(b);
  const aNullStride = nullStrideOf(a);
  const bNullStride = nullStrideOf(b);
  for (let index = done; index < count; index++) {
    const row = <usize>load<u32>(list + ((<usize>index) << 2));
    const left = load<T>(aValues + row * aStride);
    const right = load<T>(bValues + row * bStride);
    store<i64>(to + (row << 3), holds<T>(test, left, right) ? 1 : 0);
    store<u8>(nulls + row, load<u8>(aNulls + row * aNullStride) | load<u8>(bNulls + row * bNullStride));
  }
}

// @ts-ignore: decorator
@inline
function compareAs<T>(instruction: usize): void {
  switch (load<u32>(instruction, I_N)) {
    case EQ:
      compareLoop<T>(instruction, EQ);
      break;
    case NE:
      compareLoop<T>(instruction, NE);
      break;
    case LT:
      compareLoop<T>(instruction, LT);
      break;
    case LE:
      compareLoop<T>(instruction, LE);
      break;
    case GT:
      compareLoop<T>(instruction, GT);
      break;
    default:
      compareLoop<T>(instruction, GE);
  }
}

export function compareIntegers(instruction: usize): void {
  compareAs<i64>(instruction);
}

/** Neither side is NaN: `checkReal` has left such rows to SQLite. */
export function compareReals(instruction: usize): void {
  compareAs<f64>(instruction);
}

/** Below 0, 0 or above it: bytes as numbers without a sign, then lengths. */
function orderOfTexts(a: usize, aLength: u32, b: usize, bLength: u32): i32 {
  const length = aLength < bLength ? aLength : bLength;
  for (let at: u32 = 0; at < length; at++) {
    const difference = <i32>load<u8>(a + at) - <i32>load<u8>(b + at);
    if (difference != 0) return difference;
  }
  return aLength < bLength ? -1 : aLength > bLength ? 1 : 0;
}

export function compareTexts(instruction: usize): void {
  const a = registerOf(instruction, I_A);
  const b = registerOf(instruction, I_B);
  const aBase = <usize>load<u32>(a, COLUMN_BASE);
  const bBase = <usize>load<u32>(b, COLUMN_BASE);
  const test = load<u32>(instruction, I_N);
  const target = registerOf(instruction, I_TARGET);
  const to = valuesOf(target);
  const nulls = targetNulls(target, hasNulls(a) || hasNulls(b));
  const aNulls = nullsOf(a);
  const bNulls = nullsOf(b);
  const aNullStride = nullStrideOf(a);
  const bNullStride = nullStrideOf(b);
  const isEquality = test == EQ || test == NE;
  for (let index: u32 = 0; index < rowCount; index++) {
    const row = <usize>load<u32>(rows + ((<usize>index) << 2));
    const isNull = load<u8>(aNulls + row * aNullStride) | load<u8>(bNulls + row * bNullStride);
    store<u8>(nulls + row, isNull);
    if (isNull) continue;
    const left = valuesOf(a) + row * strideOf(a);
    const right = valuesOf(b) + row * strideOf(b);
    const leftLength = load<u32>(left, 4);
    const rightLength = load<u32>(right, 4);
    const leftText = <usize>load<u32>(left) + aBase;
    const rightText = <usize>load<u32>(right) + bBase;
    let order: i32 = 1;
    if (!isEquality) order = orderOfTexts(leftText, leftLength, rightText, rightLength);
    else if (leftLength == rightLength && sameBytes(leftText, rightText, leftLength)) order = 0;
    store<i64>(to + (row << 3), holds<i32>(test, order, 0) ? 1 : 0);
  }
}

export function compareWide(instruction: usize): void {
  const a = registerOf(instruction, I_A);
  const b = registerOf(instruction, I_B);
  const test = load<u32>(instruction, I_N);
  const target = registerOf(instruction, I_TARGET);
  const to = valuesOf(target);
  const nulls = targetNulls(target, hasNulls(a) || hasNulls(b));
  const aNulls = nullsOf(a);
  const bNulls = nullsOf(b);
  for (let index: u32 = 0; index < rowCount; index++) {
    const row = <usize>load<u32>(rows + ((<usize>index) << 2));
    store<u8>(nulls + row, load<u8>(aNulls + row * nullStrideOf(a)) | load<u8>(bNulls + row * nullStrideOf(b)));
    const left = valuesOf(a) + row * strideOf(a);
    const right = valuesOf(b) + row * strideOf(b);
    const leftHigh = load<i64>(left, 8);
    const rightHigh = load<i64>(right, 8);
    let order: i32 = 0;
    if (leftHigh != rightHigh) order = leftHigh < rightHigh ? -1 : 1;
    else if (load<u64>(left) != load<u64>(right)) order = load<u64>(left) < load<u64>(right) ? -1 : 1;
    store<i64>(to + (row << 3), holds<i32>(test, order, 0) ? 1 : 0);
  }
}

/** Whether a is NULL (n = 1), or is not (n = 0). */
export function testNull(instruction: usize): void {
  const a = registerOf(instruction, I_A);
  const aNulls = nullsOf(a);
  const aNullStride = nullStrideOf(a);
  const wanted = load<u32>(instruction, I_N);
  const target = registerOf(instruction, I_TARGET);
  const to = valuesOf(target);
  const nulls = targetNulls(target, false);
  for (let index: u32 = 0; index < rowCount; index++) {
    const row = <usize>load<u32>(rows + ((<usize>index) << 2));
    const isNull: u32 = load<u8>(aNulls + row * aNullStride) != 0 ? 1 : 0;
    store<i64>(to + (row << 3), isNull == wanted ? 1 : 0);
    store<u8>(nulls + row, 0);
  }
}

/** IS TRUE, IS NOT TRUE, IS FALSE, IS NOT FALSE: n has the answers for FALSE, TRUE, NULL as bits. */
export function testTruth(instruction: usize): void {
  const a = registerOf(instruction, I_A);
  const aNulls = nullsOf(a);
  const aNullStride = nullStrideOf(a);
  const answers = load<u32>(instruction, I_N);
  const target = registerOf(instruction, I_TARGET);
  const to = valuesOf(target);
  const nulls = targetNulls(target, false);
  for (let index: u32 = 0; index < rowCount; index++) {
    const row = <usize>load<u32>(rows + ((<usize>index) << 2));
    const isTrue: u32 = load<i64>(valuesOf(a) + row * strideOf(a)) != 0 ? 1 : 0;
    const state = load<u8>(aNulls + row * aNullStride) ? 2 : isTrue;
    store<i64>(to + (row << 3), (answers >> state) & 1);
    store<u8>(nulls + row, 0);
  }
}

export function negateTruth(instruction: usize): void {
  const a = registerOf(instruction, I_A);
  const aNulls = nullsOf(a);
  const aNullStride = nullStrideOf(a);
  const target = registerOf(instruction, I_TARGET);
  const to = valuesOf(target);
  const nulls = targetNulls(target, hasNulls(a));
  for (let index: u32 = 0; index < rowCount; index++) {
    const row = <usize>load<u32>(rows + ((<usize>index) << 2));
    store<i64>(to + (row << 3), load<i64>(valuesOf(a) + row * strideOf(a)) == 0 ? 1 : 0);
    store<u8>(nulls + row, load<u8>(aNulls + row * aNullStride));
  }
}

/** As `joinTruths`, of `span` rows without NULLs, two at a time; gives how many are done. */
function joinTwos(
  aValues: usize,
  bValues: usize,
  to: usize,
  nulls: usize,
  deciding: u32,
  span: u32,
): u32 {
  const first = <usize>load<u32>(rows);
  const end = first + <usize>(span & ~15);
  const zero = i64x2.splat(0);
  const ones = i64x2.splat(1);
  for (let row = first; row < end; row += 16) {
    for (let at = row << 3; at < (row + 16) << 3; at += 16) {
      const left = i64x2.ne(v128.load(aValues + at), zero);
      const right = i64x2.ne(v128.load(bValues + at), zero);
      const both = deciding ? v128.or(left, right) : v128.and(left, right);
      v128.store(to + at, v128.and(both, ones));
    }
    v128.store(nulls + row, zero);
  }
  return span & ~15;
}

/** AND; with n = 1 OR. The side that decides does so whatever the other is, NULL too. */
export function joinTruths(instruction: usize): void {
  const a = registerOf(instruction, I_A);
  const b = registerOf(instruction, I_B);
  const aNulls = nullsOf(a);
  const bNulls = nullsOf(b);
  const aNullStride = nullStrideOf(a);
  const bNullStride = nullStrideOf(b);
  const aValues = valuesOf(a);
  const bValues = valuesOf(b);
  const aStride = strideOf(a);
  const bStride = strideOf(b);
  const deciding = load<u32>(instruction, I_N);
  const target = registerOf(instruction, I_TARGET);
  const to = valuesOf(target);
  const areShown = hasNulls(a) || hasNulls(b);
  const nulls = targetNulls(target, areShown);
  const span = areShown ? 0 : denseCount();
  let done: u32 = 0;
  if (span != 0 && aStride == 8 && bStride == 8) {
    done = restFrom(span, joinTwos(aValues, bValues, to, nulls, deciding, span));
  }
  for (let index = done; index < rowCount; index++) {
    const row = <usize>load<u32>(rows + ((<usize>index) << 2));
    const aNull = <u32>(load<u8>(aNulls + row * aNullStride) != 0);
    const bNull = <u32>(load<u8>(bNulls + row * bNullStride) != 0);
    const left = <u32>(load<i64>(aValues + row * aStride) != 0);
    const right = <u32>(load<i64>(bValues + row * bStride) != 0);
    const aDecides = <u32>(left == deciding) & (aNull ^ 1);
    const bDecides = <u32>(right == deciding) & (bNull ^ 1);
    const isDecided = aDecides | bDecides;
    store<i64>(to + (row << 3), isDecided ? deciding : deciding ^ 1);
    store<u8>(nulls + row, (aNull | bNull) & (isDecided ^ 1));
  }
}

/**
 * b where a is TRUE, else c; with n = 1: b where a is NULL. Slots of 8 bytes; a text's becomes an
 * address.
 */
export function choose(instruction: usize): void {
  const a = registerOf(instruction, I_A);
  const b = registerOf(instruction, I_B);
  const c = registerOf(instruction, I_C);
  const aNulls = nullsOf(a);
  const bNulls = nullsOf(b);
  const cNulls = nullsOf(c);
  const aNullStride = nullStrideOf(a);
  const bNullStride = nullStrideOf(b);
  const cNullStride = nullStrideOf(c);
  const aValues = valuesOf(a);
  const aStride = strideOf(a);
  const bValues = valuesOf(b);
  const bStride = strideOf(b);
  const cValues = valuesOf(c);
  const cStride = strideOf(c);
  const bBase = <u64>load<u32>(b, COLUMN_BASE);
  const cBase = <u64>load<u32>(c, COLUMN_BASE);
  const byNull = load<u32>(instruction, I_N) == 1;
  const target = registerOf(instruction, I_TARGET);
  const to = valuesOf(target);
  const nulls = targetNulls(target, hasNulls(b) || hasNulls(c));
  const isPlain = !byNull && !hasNulls(a) && areNeighbours();
  const done: u32 = isPlain ? chooseSixteens(instruction) : 0;
  for (let index = done; index < rowCount; index++) {
    const row = <usize>load<u32>(rows + ((<usize>index) << 2));
    const isNull = load<u8>(aNulls + row * aNullStride) != 0;
    const isFirst = byNull ? isNull : !isNull && load<i64>(aValues + row * aStride) != 0;
    const first = load<u64>(bValues + row * bStride) + bBase;
    const second = load<u64>(cValues + row * cStride) + cBase;
    store<u64>(to + (row << 3), isFirst ? first : second);
    const firstNull = load<u8>(bNulls + row * bNullStride);
    store<u8>(nulls + row, isFirst ? firstNull : load<u8>(cNulls + row * cNullStride));
  }
}

/**
 * As `choose`, of neighbouring rows where a has no NULL, sixteen at a time. Gives how many rows are
 * done.
 */
function chooseSixteens(instruction: usize): u32 {
  const a = registerOf(instruction, I_A);
  const b = registerOf(instruction, I_B);
  const c = registerOf(instruction, I_C);
  const bStride = strideOf(b);
  const cStride = strideOf(c);
  const bNullStride = nullStrideOf(b);
  const cNullStride = nullStrideOf(c);
  if (strideOf(a) != 8 || !isEven(bStride) || !isEven(cStride)) return 0;
  if (bNullStride > 1 || cNullStride > 1) return 0;
  const aValues = valuesOf(a);
  const bValues = valuesOf(b);
  const cValues = valuesOf(c);
  const bNulls = nullsOf(b);
  const cNulls = nullsOf(c);
  const bBase = i64x2.splat(<i64>load<u32>(b, COLUMN_BASE));
  const cBase = i64x2.splat(<i64>load<u32>(c, COLUMN_BASE));
  const target = registerOf(instruction, I_TARGET);
  const to = valuesOf(target);
  const nulls = targetNulls(target, hasNulls(b) || hasNulls(c));
  const zero = i64x2.splat(0);
  const first = <usize>load<u32>(rows);
  const end = first + <usize>(rowCount & ~15);
  for (let row = first; row < end; row += 16) {
    // A byte per row that is all ones where b is chosen.
    let chosen: u64 = 0;
    let other: u64 = 0;
    for (let at: usize = 0; at < 16; at += 2) {
      const isFirst = i64x2.ne(v128.load(aValues + ((row + at) << 3)), zero);
      const one = i64x2.add(twoSlots(bValues, bStride, row + at), bBase);
      const two = i64x2.add(twoSlots(cValues, cStride, row + at), cBase);
      v128.store(to + ((row + at) << 3), v128.bitselect(one, two, isFirst));
      const bytes = (i64x2.extract_lane(isFirst, 0) & 0xff) | (i64x2.extract_lane(isFirst, 1) & 0xff00);
      if (at < 8) chosen |= <u64>bytes << (<u64>at << 3);
      else other |= <u64>bytes << (<u64>(at - 8) << 3);
    }
    const mask = i64x2.replace_lane(i64x2.splat(<i64>chosen), 1, <i64>other);
    const isNull = v128.bitselect(
      nullBytes(bNulls, bNullStride, row),
      nullBytes(cNulls, cNullStride, row),
      mask,
    );
    v128.store(nulls + row, isNull);
  }
  return rowCount & ~15;
}

/** As `choose`, for slots of 16 bytes. */
export function chooseWide(instruction: usize): void {
  const a = registerOf(instruction, I_A);
  const b = registerOf(instruction, I_B);
  const c = registerOf(instruction, I_C);
  const aNulls = nullsOf(a);
  const byNull = load<u32>(instruction, I_N) == 1;
  const target = registerOf(instruction, I_TARGET);
  const to = valuesOf(target);
  const nulls = targetNulls(target, hasNulls(b) || hasNulls(c));
  for (let index: u32 = 0; index < rowCount; index++) {
    const row = <usize>load<u32>(rows + ((<usize>index) << 2));
    const isNull = load<u8>(aNulls + row * nullStrideOf(a)) != 0;
    const isFirst = byNull ? isNull : !isNull && load<i64>(valuesOf(a) + row * strideOf(a)) != 0;
    const chosen = isFirst ? b : c;
    const from = valuesOf(chosen) + row * strideOf(chosen);
    store<u64>(to + (row << 4), load<u64>(from));
    store<u64>(to + (row << 4), load<u64>(from, 8), 8);
    store<u8>(nulls + row, load<u8>(nullsOf(chosen) + row * nullStrideOf(chosen)));
  }
}

/** Whether a is one of the n integers of b, which has no NULL. */
export function inIntegers(instruction: usize): void {
  const a = registerOf(instruction, I_A);
  const items = valuesOf(registerOf(instruction, I_B));
  const count = load<u32>(instruction, I_N);
  const aNulls = nullsOf(a);
  const target = registerOf(instruction, I_TARGET);
  const to = valuesOf(target);
  const nulls = targetNulls(target, hasNulls(a));
  for (let index: u32 = 0; index < rowCount; index++) {
    const row = <usize>load<u32>(rows + ((<usize>index) << 2));
    const value = load<i64>(valuesOf(a) + row * strideOf(a));
    let item: u32 = 0;
    while (item < count && load<i64>(items + ((<usize>item) << 3)) != value) item++;
    store<i64>(to + (row << 3), item < count ? 1 : 0);
    store<u8>(nulls + row, load<u8>(aNulls + row * nullStrideOf(a)));
  }
}

/** Whether a is one of the n texts of b, which has no NULL. */
export function inTexts(instruction: usize): void {
  const a = registerOf(instruction, I_A);
  const items = valuesOf(registerOf(instruction, I_B));
  const count = load<u32>(instruction, I_N);
  const base = <usize>load<u32>(a, COLUMN_BASE);
  const aNulls = nullsOf(a);
  const target = registerOf(instruction, I_TARGET);
  const to = valuesOf(target);
  const nulls = targetNulls(target, hasNulls(a));
  for (let index: u32 = 0; index < rowCount; index++) {
    const row = <usize>load<u32>(rows + ((<usize>index) << 2));
    const isNull = load<u8>(aNulls + row * nullStrideOf(a));
    store<u8>(nulls + row, isNull);
    if (isNull) continue;
    const slot = valuesOf(a) + row * strideOf(a);
    const text = <usize>load<u32>(slot) + base;
    const length = load<u32>(slot, 4);
    let item: u32 = 0;
    for (; item < count; item++) {
      const each = items + ((<usize>item) << 3);
      if (load<u32>(each, 4) == length && sameBytes(load<u32>(each), text, length)) break;
    }
    store<i64>(to + (row << 3), item < count ? 1 : 0);
  }
}

/** SQLite has no NaN, which is NULL there: rows that have one are left to it. */
export function checkReal(instruction: usize): void {
  const a = registerOf(instruction, I_A);
  const aNulls = nullsOf(a);
  for (let index: u32 = 0; index < rowCount; index++) {
    const row = <usize>load<u32>(rows + ((<usize>index) << 2));
    const value = load<f64>(valuesOf(a) + row * strideOf(a));
    if (value != value && load<u8>(aNulls + row * nullStrideOf(a)) == 0) fail(<u32>row);
  }
}
