/**
 * Instructions of `vector.ts` that match regular expressions, whose programs
 * `src/sql/kernel/vector-pattern.ts` writes and describes. A matcher that backtracks, over bytes: a
 * text that is not ASCII, and one that takes too long, is left to SQLite.
 *
 * Stack entry, 16 bytes: u32 code to go on with (0: `slot` gets its value back), u32 position,
 * u32 least position from which the code may go on, u32 slot.
 */
import { COLUMN_BASE, sameBytes } from "./layout";
import { free, malloc } from "./sqlite";
import {
  I_A,
  I_DATA,
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
  valuesOf,
} from "./vector-frame";
import { find, NOWHERE } from "./vector-text";

const OP_CHARACTER: u32 = 0;
const OP_SET: u32 = 1;
const OP_REPEAT: u32 = 2;
const OP_SPLIT: u32 = 3;
const OP_JUMP: u32 = 4;
const OP_SAVE: u32 = 5;
const OP_START: u32 = 6;
const OP_END: u32 = 7;
const OP_MATCH: u32 = 8;

const ENTRY_BYTES: usize = 16;
const STACK_BYTES: usize = 16384;
const STEPS_MAX: u32 = 20000;

const NO: u32 = 0;
const YES: u32 = 1;
/** The matcher gave up. */
const UNKNOWN: u32 = 2;

/** Of the group that is wanted; NOWHERE: it is in no match. */
let groupStart: u32 = 0;
let groupEnd: u32 = 0;

let steps: u32 = 0;

/** Whether the pattern that is the data matches somewhere in a. */
export function testMatch(instruction: usize): void {
  match(instruction, false);
}

/** The wanted group of the first match, or NULL. */
export function extractMatch(instruction: usize): void {
  match(instruction, true);
}

// @ts-ignore: decorator
@inline
function match(instruction: usize, isExtract: bool): void {
  const a = registerOf(instruction, I_A);
  const aNulls = nullsOf(a);
  const base = <usize>load<u32>(a, COLUMN_BASE);
  const pattern = <usize>load<u32>(instruction, I_DATA);
  const target = registerOf(instruction, I_TARGET);
  const nulls = targetNulls(target, isExtract || hasNulls(a));
  const stack = malloc(STACK_BYTES);
  for (let index: u32 = 0; index < rowCount; index++) {
    const row = <usize>load<u32>(rows + ((<usize>index) << 2));
    const isNull = load<u8>(aNulls + row * nullStrideOf(a));
    store<u8>(nulls + row, isNull);
    if (isNull) continue;
    const slot = valuesOf(a) + row * strideOf(a);
    const text = <usize>load<u32>(slot) + base;
    const length = load<u32>(slot, 4);
    const outcome = stack == 0 || !isAscii(text, length) ? UNKNOWN : search(pattern, text, length, stack);
    const to = valuesOf(target) + (row << 3);
    if (outcome == UNKNOWN) fail(<u32>row);
    if (!isExtract) {
      store<i64>(to, outcome == YES ? 1 : 0);
    } else if (outcome == YES && groupEnd != NOWHERE) {
      store<u64>(to, <u64>(text + groupStart) | (<u64>(groupEnd - groupStart) << 32));
    } else {
      store<u8>(nulls + row, 1);
    }
  }
  free(stack);
}

function isAscii(text: usize, length: u32): bool {
  let at: u32 = 0;
  for (; at + 16 <= length; at += 16) {
    if (i8x16.bitmask(v128.load(text + at)) != 0) return false;
  }
  for (; at < length; at++) if (load<u8>(text + at) >= 0x80) return false;
  return true;
}

function search(pattern: usize, text: usize, length: u32, stack: usize): u32 {
  let start: u32 = 0;
  const neededLength = load<u32>(pattern);
  if (neededLength > 0) {
    const found = find(text, 0, length, pattern + load<u32>(pattern, 4), neededLength);
    if (found == NOWHERE) return NO;
    const before = load<i32>(pattern, 8);
    if (before >= 0 && found > <u32>before) start = found - <u32>before;
  }
  steps = 0;
  for (; start <= length; start++) {
    groupStart = NOWHERE;
    groupEnd = NOWHERE;
    const outcome = matchAt(pattern, text, length, start, stack);
    if (outcome != NO) return outcome;
  }
  return NO;
}

// @ts-ignore: decorator
@inline
function isMember(set: usize, byte: u32): bool {
  return ((load<u8>(set + (byte >> 3)) >> <u8>(byte & 7)) & 1) != 0;
}

function matchAt(pattern: usize, text: usize, length: u32, start: u32, stack: usize): u32 {
  let code = pattern + load<u32>(pattern, 12);
  let at = start;
  let top = stack;
  const limit = stack + STACK_BYTES - ENTRY_BYTES;
  while (true) {
    if (++steps > STEPS_MAX || top > limit) return UNKNOWN;
    const operation = <u32>load<u8>(code);
    let isOn = true;
    if (operation == OP_CHARACTER) {
      isOn = at < length && load<u8>(text + at) == load<u8>(code, 1);
      at++;
    } else if (operation == OP_SET) {
      isOn = at < length && isMember(pattern + load<u32>(code, 4), load<u8>(text + at));
      at++;
    } else if (operation == OP_REPEAT) {
      const set = pattern + load<u32>(code, 4);
      const least = at + load<u8>(code, 1);
      while (at < length && isMember(set, load<u8>(text + at))) at++;
      isOn = at >= least;
      if (at > least) {
        push(top, code + 8, at, least, 0);
        top += ENTRY_BYTES;
      }
    } else if (operation == OP_SPLIT) {
      push(top, pattern + load<u32>(code, 4), at, at, 0);
      top += ENTRY_BYTES;
    } else if (operation == OP_JUMP) {
      code = pattern + load<u32>(code, 4);
      continue;
    } else if (operation == OP_SAVE) {
      const isEnd = load<u8>(code, 1) != 0;
      push(top, 0, isEnd ? groupEnd : groupStart, 0, isEnd ? 1 : 0);
      top += ENTRY_BYTES;
      if (isEnd) groupEnd = at;
      else groupStart = at;
    } else if (operation == OP_START) {
      isOn = at == 0;
    } else if (operation == OP_END) {
      isOn = at == length;
    } else if (operation == OP_MATCH) {
      return YES;
    } else {
      const needed = <u32>load<u8>(code, 1);
      isOn = length - at >= needed && sameBytes(text + at, pattern + load<u32>(code, 4), needed);
      at += needed;
    }
    if (isOn) {
      code += 8;
      continue;
    }
    while (true) {
      if (top == stack) return NO;
      const entry = top - ENTRY_BYTES;
      const back = <usize>load<u32>(entry);
      if (back == 0) {
        if (load<u32>(entry, 12)) groupEnd = load<u32>(entry, 4);
        else groupStart = load<u32>(entry, 4);
        top = entry;
        continue;
      }
      code = back;
      at = load<u32>(entry, 4);
      const least = load<u32>(entry, 8);
      // An entry of a split has one position; one of a repetition has been at its greatest.
      if (at > least) at--;
      if (at > least) store<u32>(entry, at, 4);
      else top = entry;
      break;
    }
  }
}

// @ts-ignore: decorator
@inline
function push(top: usize, code: usize, position: u32, least: u32, slot: u32): void {
  store<u32>(top, <u32>code);
  store<u32>(top, position, 4);
  store<u32>(top, least, 8);
  store<u32>(top, slot, 12);
}
