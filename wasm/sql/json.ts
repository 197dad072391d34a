/**
 * Projected JSON decode: of each row's object only the wanted values are taken, into the columns
 * of a table; everything else is stepped over, but checked, so that what is accepted does not
 * depend on what is wanted. `parts/json-layout.ts` has the memory, `parts/json-shape.ts` the idea
 * that makes it fast, `parts/json-object.ts` the parser that decides.
 *
 * 1. `init` prepares a context that the host has filled in.
 * 2. `decode` takes rows until all are done or the host must round numbers for it.
 */
import {
  COLUMN_BYTES,
  EMPTY,
  INVALID_UTF8,
  MISSING,
  NO_VALUE,
  TRAILING,
  arenaTop,
  backTo,
  beginRow,
  context,
  deferredCount,
  enter,
  exactPowers,
  failAt,
  failCode,
  hasHigh,
  isWrong,
  minuteCache,
  powersOfTen,
  row,
  rowEnd,
  rowStart,
  stop,
} from "./parts/json-layout";
import { followPair, followShape } from "./parts/json-follow";
import { parseRow } from "./parts/json-object";
import { skipWhitespace } from "./parts/json-scan";
import { clearGraph, learn } from "./parts/json-shape";
import { hasTrack, passPair } from "./parts/json-track";
import { invalidUtf8 } from "./parts/utf8";

/** Of so many rows, more than so many misses turn the graph off for a while, twice as long each time. */
const WINDOW_ROWS: u32 = 256;
const WINDOW_MISSES: u32 = 64;
const BACKOFF_MIN: u32 = 1024;
const BACKOFF_MAX: u32 = 65536;

export function init(context_: usize): void {
  enter(context_);
  let power: u64 = 1;
  for (let index: usize = 0; index < 20; index++, power *= 10) {
    store<u64>(powersOfTen() + (index << 3), power);
  }
  let real: f64 = 1;
  for (let index: usize = 0; index < 23; index++, real *= 10) {
    store<f64>(exactPowers() + (index << 3), real);
  }
  memory.fill(minuteCache(), 0, 24);
  clearGraph();
  store<u32>(context, 0, 72);
  store<u32>(context, 0, 76);
  store<u32>(context, 0, 80);
  store<u32>(context, BACKOFF_MIN, 84);
}

/**
 * Decodes rows `first` to `first + count`: `slots` holds their values (u32 address, u32 length by
 * row), `nulls` a byte per row that is 1 where there is no value, or 0. Gives how many were done:
 * fewer than `count` when the list of deferred numbers is full; the host works it off and calls
 * again for the rest. 128 bytes of `"` follow the memory that the values lie in.
 */
export function decode(context_: usize, slots: usize, nulls: usize, first: u32, count: u32): u32 {
  enter(context_);
  const status = <usize>load<u32>(context, 12);
  const columns = <usize>load<u32>(context);
  const columnCount = <usize>load<u32>(context, 4);
  memory.fill(status + <usize>first, 0, <usize>count);
  for (let index: usize = 0; index < columnCount; index++) {
    const column = columns + index * COLUMN_BYTES;
    memory.fill(<usize>load<u32>(column, 8) + <usize>first, 1, <usize>count);
    store<u32>(column, 0, 40);
  }
  const deferredMax = load<u32>(context, 28) - <u32>columnCount;
  let done: u32 = 0;
  let singles: u32 = 0;
  while (done < count && deferredCount <= deferredMax) {
    const index = <usize>(first + done);
    if (singles === 0 && done + 1 < count && deferredCount + <u32>columnCount <= deferredMax) {
      if (decodePair(index, slots, nulls)) {
        done += 2;
        continue;
      }
      // Both go alone: either may be why, and a pair that begins anew with one costs as much.
      singles = 2;
    }
    if (singles > 0) singles--;
    done++;
    if (nulls !== 0 && load<u8>(nulls + index) !== 0) {
      store<u8>(status + index, <u8>NO_VALUE);
      continue;
    }
    const slot = load<u64>(slots + (index << 3));
    const start = <usize>(slot & 0xffffffff);
    decodeRow(index, start, start + <usize>(slot >> 32));
  }
  for (let index: usize = 0; index < columnCount; index++) {
    const column = columns + index * COLUMN_BYTES;
    if (load<u32>(column, 36) !== 0) requireValues(column, <usize>first, <usize>done);
  }
  store<u32>(context, <u32>arenaTop, 44);
  store<u32>(context, deferredCount, 32);
  return done;
}

/** Decodes a row and the next if both follow the track; else nothing has been done. */
// @ts-ignore: decorator
@inline
function decodePair(index: usize, slots: usize, nulls: usize): bool {
  if (!hasTrack() || load<u32>(context, 96) !== 0 || load<u32>(context, 72) !== 0) return false;
  if (nulls !== 0 && load<u16>(nulls + index) !== 0) return false;
  const slot = slots + (index << 3);
  const one = <usize>load<u32>(slot);
  const oneEnd = one + <usize>load<u32>(slot, 4);
  const two = <usize>load<u32>(slot, 8);
  const twoEnd = two + <usize>load<u32>(slot, 12);
  const top = arenaTop;
  const deferred = deferredCount;
  beginRow(index, one, oneEnd > twoEnd ? oneEnd : twoEnd);
  if (followPair(one, oneEnd, two, twoEnd)) {
    passPair();
    store<u32>(context, load<u32>(context, 88) + 2, 88);
    return true;
  }
  backTo(top, deferred);
  if (isWrong) clearWrong();
  return false;
}

function decodeRow(index: usize, start: usize, end: usize): void {
  beginRow(index, start, end);
  const isShaped = usesShapes();
  let p: usize = 0;
  if (isShaped) {
    const top = arenaTop;
    const deferred = deferredCount;
    p = followShape(start);
    if (p !== 0 && p < end) p = skipWhitespace(p);
    if (p === end) store<u32>(context, load<u32>(context, 88) + 1, 88);
    else {
      p = 0;
      backTo(top, deferred);
      missed();
    }
  }
  if (p === 0) {
    const objectEnd = parseRow(start, isShaped);
    if (objectEnd === 0 || !endsWith(objectEnd)) {
      reportBroken();
      return;
    }
    if (!isValidText()) return;
    if (!isWrong && isShaped) learn(objectEnd);
  } else if (!isValidText()) return;
  if (isWrong) reportWrong();
}

/** Whether nothing but white space lies between the object's end and the value's. */
function endsWith(objectEnd: usize): bool {
  // An object that ends behind the value has taken bytes that are not the value's.
  if (objectEnd > rowEnd) return stop(TRAILING, objectEnd) !== 0;
  const p = skipWhitespace(objectEnd);
  return p >= rowEnd || stop(TRAILING, p) !== 0;
}

/** Whether the row's strings are UTF-8; reports the row if they are not. */
// @ts-ignore: decorator
@inline
function isValidText(): bool {
  return !hasHigh || checkUtf8();
}

function checkUtf8(): bool {
  const invalid = invalidUtf8(rowStart, rowEnd - rowStart);
  if (invalid !== 0) list(INVALID_UTF8, 0, <u32>(invalid - rowStart));
  return invalid === 0;
}

/** Reports a row that is no JSON: for what it is not even text, if that is so. */
function reportBroken(): void {
  if (checkUtf8()) report(failCode, 0, failAt);
}

/** Whether this row is tried against the graph. */
// @ts-ignore: decorator
@inline
function usesShapes(): bool {
  if (load<u32>(context, 96) !== 0) return false;
  const without = load<u32>(context, 72);
  if (without !== 0) {
    store<u32>(context, without - 1, 72);
    return false;
  }
  const rows = load<u32>(context, 76) + 1;
  store<u32>(context, rows, 76);
  if (rows >= WINDOW_ROWS) judgeWindow();
  return true;
}

/** Turns the graph off for a while when too many rows of the window missed it. */
function judgeWindow(): void {
  const backoff = load<u32>(context, 84);
  if (load<u32>(context, 80) > WINDOW_MISSES) {
    store<u32>(context, backoff, 72);
    if (backoff < BACKOFF_MAX) store<u32>(context, backoff << 1, 84);
    // A graph full of shapes that no longer come would never learn the new ones.
    if (load<u32>(context, 104) !== 0) clearGraph();
  } else store<u32>(context, BACKOFF_MIN, 84);
  store<u32>(context, 0, 76);
  store<u32>(context, 0, 80);
}

/** Takes back what the graph did with the row before it gave up. */
function missed(): void {
  store<u32>(context, load<u32>(context, 80) + 1, 80);
  store<u32>(context, load<u32>(context, 92) + 1, 92);
  if (isWrong) clearWrong();
  beginRow(row, rowStart, rowEnd);
}

function clearWrong(): void {
  const columns = <usize>load<u32>(context);
  const count = <usize>load<u32>(context, 4);
  for (let index: usize = 0; index < count; index++) {
    store<u32>(columns + index * COLUMN_BYTES, 0, 40);
  }
}

/** Lists the row as wrong, once. */
function report(code: u32, column: usize, at: usize): void {
  const isEmpty = skipWhitespace(rowStart) >= rowEnd;
  list(isEmpty ? EMPTY : code, column, <u32>(at - rowStart));
}

function list(code: u32, column: usize, position: u32): void {
  const status = <usize>load<u32>(context, 12) + row;
  if (load<u8>(status) !== 0) return;
  store<u8>(status, <u8>code);
  const count = load<u32>(context, 20);
  const entry = <usize>load<u32>(context, 16) + (<usize>count << 4);
  store<u32>(context, count + 1, 20);
  store<u32>(entry, <u32>row);
  store<u32>(entry, code, 4);
  store<u32>(entry, <u32>column, 8);
  store<u32>(entry, position, 12);
}

/** Reports the first value of the row that did not fit, unless a later one of its key took its place. */
function reportWrong(): void {
  const columns = <usize>load<u32>(context);
  const count = <usize>load<u32>(context, 4);
  let blamed: usize = 0;
  for (let index: usize = 0; index < count; index++) {
    const column = columns + index * COLUMN_BYTES;
    if (load<u32>(column, 40) !== <u32>row + 1) continue;
    if (blamed === 0 || load<u32>(column, 48) < load<u32>(blamed, 48)) blamed = column;
  }
  if (blamed !== 0) report(load<u32>(blamed, 44), blamed, load<u32>(blamed, 48));
}

/** Rows in which a NOT NULL column got no value are wrong. */
function requireValues(column: usize, first: usize, count: usize): void {
  const nulls = <usize>load<u32>(column, 8);
  const end = first + count;
  for (let from = first; from < end; from += 16) {
    let found = <u32>i8x16.bitmask(i8x16.ne(v128.load(nulls + from), i8x16.splat(0)));
    while (found !== 0) {
      const index = from + <usize>ctz(found);
      found &= found - 1;
      if (index >= end) return;
      beginRow(index, 0, 0);
      list(MISSING, column, 0);
    }
  }
}
