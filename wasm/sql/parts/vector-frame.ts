/**
 * What the instructions of `vector.ts` share: the rows that they run over, the rows that they could
 * not compute, and memory for texts that they make.
 *
 * Instruction, 48 bytes; registers are Columns, given by their addresses:
 *
 *    0  u32 operation      16  u32 c
 *    4  u32 target         20  u32 n
 *    8  u32 a              24  i64 low
 *   12  u32 b              32  i64 high
 *   40  u32 dataBytes      44  u32 data
 *
 * The u32 at 24 of a target's Column is the address of its null bytes, which the Column shows where
 * one of its operands has NULLs. Program, 32 bytes:
 *
 *    0  u32 instructions
 *    4  u32 failed         u8 per row, 1: an instruction could not compute it
 *    8  u32 failedCount    of the last run; a row counts as often as it failed
 *   12  u32 chunk, 16 u32 chunkUsed, 20 u32 chunkBytes   texts: u32 chunk before it, then bytes
 *   24  u8 0, u8 1         null bytes of columns without NULLs, and of a NULL
 */
import { COLUMN_NULL_STRIDE, COLUMN_NULLS, COLUMN_STRIDE, COLUMN_VALUES, SLACK } from "./layout";
import { free, malloc } from "./sqlite";

export const I_TARGET: usize = 4;
export const I_A: usize = 8;
export const I_B: usize = 12;
export const I_C: usize = 16;
export const I_N: usize = 20;
export const I_LOW: usize = 24;
export const I_HIGH: usize = 32;
export const I_DATA_BYTES: usize = 40;
export const I_DATA: usize = 44;
export const INSTRUCTION_BYTES: usize = 48;

export const P_INSTRUCTIONS: usize = 0;
export const P_FAILED: usize = 4;
export const P_FAILED_COUNT: usize = 8;
const P_CHUNK: usize = 12;
const P_CHUNK_USED: usize = 16;
const P_CHUNK_BYTES: usize = 20;
export const P_ZERO: usize = 24;

const TARGET_NULLS: usize = 24;

const CHUNK_HEADER: u32 = 16;
const CHUNK_BYTES: u32 = 65536;

/** The program that runs. */
let program: usize = 0;
/** u32 row numbers, ascending. */
export let rows: usize = 0;
export let rowCount: u32 = 0;

export function enter(running: usize): void {
  program = running;
}

export function setRows(at: usize, count: u32): void {
  rows = at;
  rowCount = count;
}

/** Whether the rows are neighbours, as all rows of a batch are: loops may then take several at a time. */
// @ts-ignore: decorator
@inline
export function areNeighbours(): bool {
  return load<u32>(rows + ((<usize>rowCount - 1) << 2)) - load<u32>(rows) == rowCount - 1;
}

/**
 * How many rows there are from the first of the list to the last, where most of them are in it; else
 * 0. What cannot fail may take all of these then, several at a time: the slots of the others are
 * there as well, whatever they hold, and nobody reads what is written for them.
 */
// @ts-ignore: decorator
@inline
export function denseCount(): u32 {
  const first = load<u32>(rows);
  const span = load<u32>(rows + ((<usize>rowCount - 1) << 2)) - first + 1;
  return span - rowCount <= rowCount >> 1 ? span : 0;
}

/** Index in the list behind which all rows are that `done` of the first `span` rows leave. */
// @ts-ignore: decorator
@inline
export function restFrom(span: u32, done: u32): u32 {
  const left = span - done;
  return left < rowCount ? rowCount - left : 0;
}

/** Two slots of eight bytes at `row` of a column, or twice the one value that it has for all rows. */
// @ts-ignore: decorator
@inline
export function twoSlots(values: usize, stride: usize, row: usize): v128 {
  return stride == 0 ? v128.load64_splat(values) : v128.load(values + (row << 3));
}

/** Sixteen null bytes from `row` on, likewise. */
// @ts-ignore: decorator
@inline
export function nullBytes(nulls: usize, stride: usize, row: usize): v128 {
  return stride == 0 ? v128.load8_splat(nulls) : v128.load(nulls + row);
}

// @ts-ignore: decorator
@inline
export function registerOf(instruction: usize, field: usize): usize {
  return <usize>load<u32>(instruction + field);
}

// @ts-ignore: decorator
@inline
export function valuesOf(column: usize): usize {
  return <usize>load<u32>(column, COLUMN_VALUES);
}

// @ts-ignore: decorator
@inline
export function strideOf(column: usize): usize {
  return <usize>load<u32>(column, COLUMN_STRIDE);
}

// @ts-ignore: decorator
@inline
export function hasNulls(column: usize): bool {
  return load<u32>(column, COLUMN_NULLS) != 0;
}

/** Null bytes that can be read for every row. */
// @ts-ignore: decorator
@inline
export function nullsOf(column: usize): usize {
  const nulls = <usize>load<u32>(column, COLUMN_NULLS);
  return nulls == 0 ? program + P_ZERO : nulls;
}

// @ts-ignore: decorator
@inline
export function nullStrideOf(column: usize): usize {
  return hasNulls(column) ? <usize>load<u32>(column, COLUMN_NULL_STRIDE) : 0;
}

/** The null bytes of a target, which an instruction always writes, and whether they are shown. */
// @ts-ignore: decorator
@inline
export function targetNulls(target: usize, areShown: bool): usize {
  const nulls = <usize>load<u32>(target, TARGET_NULLS);
  store<u32>(target, areShown ? <u32>nulls : 0, COLUMN_NULLS);
  return nulls;
}

/** Leaves the row to SQLite. */
// @ts-ignore: decorator
@inline
export function fail(row: u32): void {
  store<u8>(<usize>load<u32>(program, P_FAILED) + row, 1);
  store<u32>(program, load<u32>(program, P_FAILED_COUNT) + 1, P_FAILED_COUNT);
}

/** Memory for a text that lives until the next run; 0: there is none. */
export function textRoom(length: u32): usize {
  let used = load<u32>(program, P_CHUNK_USED);
  // Compared so that lengths near 2^32 do not wrap.
  if (length > load<u32>(program, P_CHUNK_BYTES) - used) {
    if (!addChunk(length)) return 0;
    used = CHUNK_HEADER;
  }
  store<u32>(program, used + length, P_CHUNK_USED);
  return <usize>load<u32>(program, P_CHUNK) + used;
}

function addChunk(length: u32): bool {
  // Twice what the newest has, so that the number of chunks stays small.
  const twice = load<u32>(program, P_CHUNK_BYTES) << 1;
  let bytes = twice > CHUNK_BYTES ? twice : CHUNK_BYTES;
  if (length > bytes - CHUNK_HEADER) bytes = length + CHUNK_HEADER;
  const chunk = malloc(<usize>bytes + SLACK);
  if (chunk == 0) return false;
  store<u32>(chunk, load<u32>(program, P_CHUNK));
  store<u32>(program, <u32>chunk, P_CHUNK);
  store<u32>(program, CHUNK_HEADER, P_CHUNK_USED);
  store<u32>(program, bytes, P_CHUNK_BYTES);
  return true;
}

/** Gives back all texts; with `isLast` also the newest chunk, which else is used again. */
export function dropTexts(owner: usize, isLast: bool): void {
  const newest = <usize>load<u32>(owner, P_CHUNK);
  if (newest == 0) return;
  let chunk = <usize>load<u32>(newest);
  while (chunk != 0) {
    const before = <usize>load<u32>(chunk);
    free(chunk);
    chunk = before;
  }
  store<u32>(newest, 0);
  store<u32>(owner, CHUNK_HEADER, P_CHUNK_USED);
  if (!isLast) return;
  free(newest);
  store<u32>(owner, 0, P_CHUNK);
  store<u32>(owner, 0, P_CHUNK_USED);
  store<u32>(owner, 0, P_CHUNK_BYTES);
}
