/**
 * Runs expressions column by column: a program is a list of instructions, each a loop over the rows
 * that writes a register, which is a Column. It is a fast path beside SQLite, which says what
 * expressions mean: where an instruction cannot compute a row, the row is marked failed and SQLite
 * computes it, error and reason included. An instruction runs over all rows given, also where
 * SQLite would not get to it (the branch of a CASE): the row that fails so costs time, nothing else.
 *
 * Registers have their rows where the input has them, so that columns which pass are the input's.
 * The host gives registers memory for as many rows as the greatest row number needs, and writes
 * instructions as `parts/vector-frame.ts` lays them out.
 */
import {
  COLUMN_KIND,
  COLUMN_NULL_STRIDE,
  COLUMN_NULLS,
  COLUMN_STRIDE,
  COLUMN_VALUES,
  KIND_WIDE,
} from "./parts/layout";
import {
  dropTexts,
  enter,
  INSTRUCTION_BYTES,
  P_FAILED,
  P_INSTRUCTIONS,
  setRows,
} from "./parts/vector-frame";
import * as logic from "./parts/vector-logic";
import * as number from "./parts/vector-number";
import * as pattern from "./parts/vector-pattern";
import * as text from "./parts/vector-text";

/** Rows that go through all instructions before the next ones do: their registers stay in cache. */
const ROWS_AT_ONCE: u32 = 1024;

/** Runs the instructions from `first` to before `end` over `count` rows, whose numbers are given. */
export function run(program: usize, first: u32, end: u32, rows: usize, count: u32): void {
  enter(program);
  const instructions = <usize>load<u32>(program, P_INSTRUCTIONS);
  const start = instructions + <usize>first * INSTRUCTION_BYTES;
  const stop = instructions + <usize>end * INSTRUCTION_BYTES;
  for (let from: u32 = 0; from < count; from += ROWS_AT_ONCE) {
    const left = count - from;
    setRows(rows + ((<usize>from) << 2), left < ROWS_AT_ONCE ? left : ROWS_AT_ONCE);
    for (let at = start; at < stop; at += INSTRUCTION_BYTES) execute(at);
  }
}

function execute(instruction: usize): void {
  switch (load<u32>(instruction)) {
    case 0:
      return logic.compareIntegers(instruction);
    case 1:
      return logic.compareReals(instruction);
    case 2:
      return logic.compareTexts(instruction);
    case 3:
      return logic.compareWide(instruction);
    case 4:
      return logic.testNull(instruction);
    case 5:
      return logic.testTruth(instruction);
    case 6:
      return logic.negateTruth(instruction);
    case 7:
      return logic.joinTruths(instruction);
    case 8:
      return logic.choose(instruction);
    case 9:
      return logic.chooseWide(instruction);
    case 10:
      return logic.inIntegers(instruction);
    case 11:
      return logic.inTexts(instruction);
    case 12:
      return logic.checkReal(instruction);
    case 13:
      return number.computeIntegers(instruction);
    case 14:
      return number.computeReals(instruction);
    case 15:
      return number.computeDecimals(instruction);
    case 16:
      return number.castDecimal(instruction);
    case 17:
      return number.castInteger(instruction);
    case 18:
      return number.castReal(instruction);
    case 19:
      return number.splitTime(instruction);
    case 20:
      return number.moveTime(instruction);
    case 21:
      return number.timeField(instruction);
    case 22:
      return text.mapCase(instruction);
    case 23:
      return text.charLength(instruction);
    case 24:
      return text.matchText(instruction);
    case 25:
      return text.splitPart(instruction);
    case 26:
      return text.joinTexts(instruction);
    case 27:
      return text.formatTimes(instruction);
    case 28:
      return pattern.testMatch(instruction);
    case 29:
      return pattern.extractMatch(instruction);
    default:
      unreachable();
  }
}

/**
 * Writes the numbers of the rows that did not fail and for which the BOOLEAN `test`, if there is
 * one, is TRUE. Gives how many they are.
 */
export function pass(program: usize, test: usize, rows: usize, count: u32, to: usize): u32 {
  enter(program);
  const failed = <usize>load<u32>(program, P_FAILED);
  let passed: u32 = 0;
  if (test == 0) {
    for (let index: u32 = 0; index < count; index++) {
      const row = load<u32>(rows + ((<usize>index) << 2));
      store<u32>(to + ((<usize>passed) << 2), row);
      passed += <u32>(load<u8>(failed + row) == 0);
    }
    return passed;
  }
  const values = <usize>load<u32>(test, COLUMN_VALUES);
  const stride = <usize>load<u32>(test, COLUMN_STRIDE);
  const shown = <usize>load<u32>(test, COLUMN_NULLS);
  // Without NULLs any byte that is 0 for a row that has not failed does: the mark of failure.
  const nulls = shown == 0 ? failed : shown;
  const nullStride = shown == 0 ? 1 : <usize>load<u32>(test, COLUMN_NULL_STRIDE);
  for (let index: u32 = 0; index < count; index++) {
    const row = load<u32>(rows + ((<usize>index) << 2));
    store<u32>(to + ((<usize>passed) << 2), row);
    const isOut = load<u8>(failed + row) | load<u8>(nulls + row * nullStride);
    passed += <u32>(load<i64>(values + row * stride) != 0) & <u32>(isOut == 0);
  }
  return passed;
}

/** Writes the numbers of the rows that failed. */
export function listFailed(program: usize, rows: usize, count: u32, to: usize): u32 {
  const failed = <usize>load<u32>(program, P_FAILED);
  let listed: u32 = 0;
  for (let index: u32 = 0; index < count; index++) {
    const row = load<u32>(rows + ((<usize>index) << 2));
    store<u32>(to + ((<usize>listed) << 2), row);
    listed += <u32>(load<u8>(failed + row) != 0);
  }
  return listed;
}

/** Both lists of row numbers as one, ascending; no row is in both. */
export function mergeRows(a: usize, aCount: u32, b: usize, bCount: u32, to: usize): void {
  let left: u32 = 0;
  let right: u32 = 0;
  for (let index: u32 = 0; index < aCount + bCount; index++) {
    const isLeft =
      right == bCount ||
      (left < aCount &&
        load<u32>(a + ((<usize>left) << 2)) < load<u32>(b + ((<usize>right) << 2)));
    const from = isLeft ? a + ((<usize>left) << 2) : b + ((<usize>right) << 2);
    if (isLeft) left++;
    else right++;
    store<u32>(to + ((<usize>index) << 2), load<u32>(from));
  }
}

/** Takes what SQLite computed for some rows into a register. */
export function takeCells(target: usize, source: usize, rows: usize, count: u32): void {
  const isWide = load<u32>(source, COLUMN_KIND) == KIND_WIDE;
  const values = <usize>load<u32>(target, COLUMN_VALUES);
  const from = <usize>load<u32>(source, COLUMN_VALUES);
  const nulls = <usize>load<u32>(target, TARGET_NULLS);
  const sourceNulls = <usize>load<u32>(source, COLUMN_NULLS);
  for (let index: u32 = 0; index < count; index++) {
    const row = <usize>load<u32>(rows + ((<usize>index) << 2));
    if (isWide) v128.store(values + (row << 4), v128.load(from + (row << 4)));
    else store<u64>(values + (row << 3), load<u64>(from + (row << 3)));
    const isNull = sourceNulls == 0 ? 0 : load<u8>(sourceNulls + row);
    store<u8>(nulls + row, isNull);
    if (isNull) store<u32>(target, <u32>nulls, COLUMN_NULLS);
  }
}

const TARGET_NULLS: usize = 24;

/** Before a run: texts of the last one are gone. */
export function clear(program: usize): void {
  dropTexts(program, false);
}

export function release(program: usize): void {
  dropTexts(program, true);
}
