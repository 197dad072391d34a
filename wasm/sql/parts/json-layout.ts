/**
 * The memory of the JSON kernel, which the host lays out (`src/sql/kernel/json-layout.ts` is the
 * same in TypeScript), and the row under way.
 *
 * Context, 128 bytes; the globals below are copies of it for the length of a call:
 *
 *    0 columns, 4 columnCount, 8 root (a node), 12 status (u8 per row: 0 or a code),
 *   16 errors (one entry of 16 bytes per wrong row), 20 errorCount,
 *   24 deferred (entries of 16 bytes), 28 deferredCapacity, 32 deferredCount,
 *   36 arena, 40 arenaEnd, 44 arenaTop (texts that had escapes are written here),
 *   48 work (32 KiB: see `work` below), 52 graph, 56 graphEnd, 60 graphTop,
 *   64 firstState, 68 lastState, 72 rowsWithout, 76 windowRows, 80 windowMisses, 84 backoffRows,
 *   88 hits, 92 misses, 96 isGeneric (1: never use the graph), 100 stamp, 104 isGraphFull,
 *   108 graphDepth (how deep the graph may stand: it does not count),
 *   112 to 124 the track: see `json-track.ts`
 *
 * Column, 64 bytes: a value that is wanted.
 *
 *    0 type, 4 values, 8 nulls, 12 shift (integers: 64 − bits) or scale (decimals),
 *   16 i128 limit (decimals: 10^precision), 32 next (another column with the same path),
 *   36 isRequired, 40 wrongRow (row + 1, 0: none), 44 wrongCode, 48 wrongAt
 *
 * Node, 16 bytes and its fields of 64 bytes: an object on the way to wanted values.
 *
 *    0 fieldCount
 *   field: 0 keyLength, 4 key, 8 u64 the key's first eight bytes, 16 u64 mask of those it has,
 *          24 column or 0, 28 node or 0, 32 stamp, 36 someColumn (blamed when it is no object),
 *          40 u64 bit, 48 action
 *
 * Error entry: 0 row, 4 code, 8 column or 0, 12 position in the value.
 * Deferred entry: 0 column (0: taken back), 4 row, 8 address of the number's text, 12 its length.
 */

export const COLUMN_BYTES: usize = 64;
export const FIELD_BYTES: usize = 64;
export const NODE_BYTES: usize = 16;

export const INTEGER: u32 = 0;
export const BOOLEAN: u32 = 1;
export const DOUBLE: u32 = 2;
export const FLOAT: u32 = 3;
export const DECIMAL: u32 = 4;
export const WIDE_DECIMAL: u32 = 5;
export const TEXT: u32 = 6;
export const BYTES: u32 = 7;
export const DATE: u32 = 8;
export const TIME: u32 = 9;
export const TIMESTAMP: u32 = 10;
export const JSON: u32 = 11;
export const ROW: u32 = 12;

/** Codes of `status`; the words for them are the host's. */
export const EMPTY: u32 = 1;
export const NOT_OBJECT: u32 = 2;
export const SYNTAX: u32 = 3;
export const ENDS_EARLY: u32 = 4;
export const TRAILING: u32 = 5;
export const CONTROL_CHARACTER: u32 = 6;
export const BAD_ESCAPE: u32 = 7;
export const TOO_DEEP: u32 = 8;
export const INVALID_UTF8: u32 = 9;
export const WRONG_TYPE: u32 = 10;
export const OUT_OF_RANGE: u32 = 11;
export const NOT_INTEGRAL: u32 = 12;
export const BAD_TEXT: u32 = 13;
export const MISSING: u32 = 14;
/** More text than the arena holds, which the host's sizes rule out. */
export const NO_ROOM: u32 = 15;
/** The record has no value: no row, and no error either. */
export const NO_VALUE: u32 = 255;

/** How deep objects and arrays may lie in each other; Jackson's limit, and so Flink's. */
export const DEPTH_MAX: u32 = 1000;

export let context: usize = 0;
export let root: usize = 0;
export let work: usize = 0;

/** The row under way, where its value starts and ends, and how deep the parser stands. */
export let row: usize = 0;
export let rowStart: usize = 0;
export let rowEnd: usize = 0;
export let depth: u32 = 0;
/** Whether a value of this row did not fit its column. */
export let isWrong: bool = false;
/** Whether a string of this row has bytes that are not ASCII: they are checked at its end. */
export let hasHigh: bool = false;
/** Why and where the row is no JSON, if a function answered 0. */
export let failCode: u32 = 0;
export let failAt: usize = 0;
export let arenaTop: usize = 0;
export let deferredCount: u32 = 0;

/** Work memory: what lies where. */
// @ts-ignore: decorator
@inline export function powersOfTen(): usize { return work; } // 20 of u64
// @ts-ignore: decorator
@inline export function exactPowers(): usize { return work + 160; } // 23 of f64
// @ts-ignore: decorator
@inline export function minuteCache(): usize { return work + 352; } // 16 bytes of text, i64
// @ts-ignore: decorator
@inline export function nesting(): usize { return work + 384; } // 1 000 bits
// @ts-ignore: decorator
@inline export function keyScratch(): usize { return work + 512; } // 4 000 bytes
// @ts-ignore: decorator
@inline export function tape(): usize { return work + 4608; } // TAPE_MAX of 48 bytes
// @ts-ignore: decorator
@inline export function path(): usize { return work + 15360; } // TRACK_STEPS_MAX of u32
// @ts-ignore: decorator
@inline export function track(): usize { return work + 16384; } // TRACK_STEPS_MAX of 192 bytes
export const KEY_SCRATCH_BYTES: usize = 4000;
export const TAPE_MAX: u32 = 200;
export const TRACK_STEPS_MAX: u32 = 80;

export function enter(context_: usize): void {
  context = context_;
  root = load<u32>(context, 8);
  work = load<u32>(context, 48);
  arenaTop = load<u32>(context, 44);
  deferredCount = load<u32>(context, 32);
}

export function beginRow(row_: usize, start: usize, end: usize): void {
  row = row_;
  rowStart = start;
  rowEnd = end;
  depth = 0;
  isWrong = false;
  hasHigh = false;
  failCode = 0;
}

/** Values go to this row from now on. */
// @ts-ignore: decorator
@inline
export function standOn(row_: usize): void {
  row = row_;
}

/** Takes back what was written or listed since. */
export function backTo(arenaTop_: usize, deferredCount_: u32): void {
  arenaTop = arenaTop_;
  deferredCount = deferredCount_;
}

/** Sets how deep the parser is taken to stand. */
export function standAt(depth_: u32): void {
  depth = depth_;
}

export function noteHigh(): void {
  hasHigh = true;
}

/** Notes that the row is no JSON at `p`. Always 0, which callers hand on. */
export function stop(code: u32, p: usize): usize {
  failCode = p >= rowEnd ? ENDS_EARLY : code;
  failAt = p < rowEnd ? p : rowEnd;
  return 0;
}

// @ts-ignore: decorator
@inline
export function setNull(column: usize, isNull: bool): void {
  store<u8>(<usize>load<u32>(column, 8) + row, <u8>isNull);
}

/** Where the row's slot of eight bytes lies. */
// @ts-ignore: decorator
@inline
export function slotOf(column: usize): usize {
  return <usize>load<u32>(column, 4) + (row << 3);
}

/** Notes that the value at `p` does not fit `column`; a later value of the key may still. */
export function wrong(column: usize, code: u32, p: usize): void {
  setNull(column, true);
  store<u32>(column, <u32>row + 1, 40);
  store<u32>(column, code, 44);
  store<u32>(column, <u32>p, 48);
  isWrong = true;
}
