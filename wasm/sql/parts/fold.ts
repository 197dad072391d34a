/**
 * Adds a block of rows, whose entries are known, to the accumulators: one accumulator after the
 * other, each in a loop of its own, so that nothing is decided per row that holds for the column.
 */
import { keepAddend } from "./addends";
import { keepBytes, NO_OFFSET, waste } from "./arena";
import { countValue } from "./distinct";
import * as F from "./fields";
import { foldSet } from "./fold-sets";
import { hasFailed } from "./heap";
import { numberOf } from "./pane";
import { addToRegisters } from "./registers";
import { compareValues, high, isNull, low, slotOf, take, takeSlot } from "./value";

// @ts-ignore: decorator
@inline
function word(list: usize, i: u32): usize {
  return <usize>load<u32>(list + (<usize>i << 2));
}

/** Positions of the block's rows that an accumulator counts; `picked` holds them. */
let picked: usize = 0;

function pick(block: usize, column: usize, filter: usize, count: u32): u32 {
  const hasNulls = column != 0 && load<u32>(column, F.C_NULLS) != 0;
  if (!hasNulls && filter == 0) {
    picked = block + F.B_IDENTITY;
    return count;
  }
  picked = block + F.B_PICKED;
  let n: u32 = 0;
  // Without branches: which rows a filter takes is hard to foresee.
  if (filter != 0 && !hasNulls && load<u32>(filter, F.C_NULLS) == 0) {
    const values = <usize>load<u32>(filter, F.C_VALUES);
    const stride = <usize>load<u32>(filter, F.C_STRIDE);
    for (let i: u32 = 0; i < count; i++) {
      store<u32>(picked + (<usize>n << 2), i);
      n += <u32>(load<i64>(values + word(block + F.B_ROWS, i) * stride) != 0);
    }
    return n;
  }
  for (let i: u32 = 0; i < count; i++) {
    const row = word(block + F.B_ROWS, i);
    if (hasNulls && isNull(column, row)) continue;
    if (filter != 0 && (isNull(filter, row) || load<i64>(slotOf(filter, row)) == 0)) continue;
    store<u32>(picked + (<usize>n << 2), i);
    n++;
  }
  return n;
}

/** Address of an input column by its number + 1; 0: none. */
// @ts-ignore: decorator
@inline
export function inputColumn(columns: usize, reference: u32): usize {
  return reference ? columns + <usize>(reference - 1) * F.COLUMN_BYTES : 0;
}

/**
 * Folds `count` rows into their entries. `weights`: 0, when every row has weight 1. `sequence`: the
 * order of arrival of the block's first row.
 */
export function foldBlock(
  state: usize,
  columns: usize,
  count: u32,
  weights: usize,
  sequence: i64,
): void {
  const layout = <usize>load<u32>(state, F.S_LAYOUT);
  const block = <usize>load<u32>(state, F.S_BLOCK);
  const rowsOffset = load<u32>(layout, F.L_ROWS);
  if (rowsOffset) foldCount(block, block + F.B_IDENTITY, count, rowsOffset, weights);
  let a = <usize>load<u32>(layout, F.L_ACCUMULATORS);
  let sets: u32 = 0;
  for (let i: u32 = 0, n = load<u32>(layout, F.L_ACCUMULATOR_COUNT); i < n; i++) {
    const set = load<u32>(a, F.A_SET);
    if (set) {
      // Sets are numbered as they appear; the first accumulator of one folds for all.
      if (set > sets) {
        sets = set;
        foldSet(state, layout, columns, a, count);
        if (hasFailed(state)) return;
      }
      a += F.ACCUMULATOR_BYTES;
      continue;
    }
    const column = inputColumn(columns, load<u32>(a, F.A_COLUMN));
    const filter = inputColumn(columns, load<u32>(a, F.A_FILTER));
    if (weights == 0 && isTested(a, column, filter)) {
      foldTests(block, filter, count, load<u32>(a, F.A_SLOT));
      a += F.ACCUMULATOR_BYTES;
      continue;
    }
    const m = pick(block, column, filter, count);
    if (load<u32>(a, F.A_NODES)) foldNodes(state, layout, a, i, column, m, weights, sequence);
    else foldPlain(state, block, a, column, m, weights, sequence);
    if (hasFailed(state)) return;
    a += F.ACCUMULATOR_BYTES;
  }
}

/** Whether an accumulator counts the rows that a filter takes, with no NULL in its way. */
// @ts-ignore: decorator
@inline
function isTested(a: usize, column: usize, filter: usize): bool {
  if (filter == 0 || load<u32>(filter, F.C_NULLS) != 0) return false;
  if (load<u32>(a, F.A_OP) != F.OP_COUNT || load<u32>(a, F.A_NODES) != 0) return false;
  return column == 0 || load<u32>(column, F.C_NULLS) == 0;
}

/** Adds what the filter says of each row, 0 or 1: what `pick` and `foldCount` do in two passes. */
function foldTests(block: usize, filter: usize, count: u32, slot: u32): void {
  const values = <usize>load<u32>(filter, F.C_VALUES);
  const stride = <usize>load<u32>(filter, F.C_STRIDE);
  for (let i: u32 = 0; i < count; i++) {
    const address = word(block + F.B_ENTRIES, i) + slot;
    const test = load<i64>(values + word(block + F.B_ROWS, i) * stride);
    store<i64>(address, load<i64>(address) + <i64>(test != 0));
  }
}

function foldPlain(
  state: usize,
  block: usize,
  a: usize,
  column: usize,
  count: u32,
  weights: usize,
  sequence: i64,
): void {
  switch (load<u32>(a, F.A_OP)) {
    case F.OP_COUNT:
      foldCount(block, picked, count, load<u32>(a, F.A_SLOT), weights);
      return;
    case F.OP_SUM_INTEGER:
      foldIntegers(block, a, column, count, weights);
      return;
    case F.OP_SUM_REAL:
    case F.OP_SUM_SQUARES:
      if (load<u32>(state, F.S_PIECED)) keepReals(state, block, a, column, count);
      else foldReals(block, a, column, count, weights);
      return;
    case F.OP_SUM_WIDE:
      foldWides(block, a, column, count, weights);
      return;
    case F.OP_APPROXIMATE:
      foldRegisters(state, block, a, column, count);
      return;
    default:
      if (load<u32>(a, F.A_KIND) == F.INTEGER) foldIntegerExtremes(block, a, column, count, sequence);
      else foldExtremes(state, block, a, column, count, sequence);
  }
}

function foldCount(block: usize, positions: usize, count: u32, slot: u32, weights: usize): void {
  if (weights == 0 && positions == block + F.B_IDENTITY) {
    for (let i: u32 = 0; i < count; i++) {
      const address = word(block + F.B_ENTRIES, i) + slot;
      store<i64>(address, load<i64>(address) + 1);
    }
    return;
  }
  for (let i: u32 = 0; i < count; i++) {
    const at = <u32>word(positions, i);
    const address = word(block + F.B_ENTRIES, at) + slot;
    const weight: i64 = weights ? <i64>load<i32>(weights + (<usize>at << 2)) : 1;
    store<i64>(address, load<i64>(address) + weight);
  }
}

/** Adds a 64-bit value to a 128-bit slot, or takes it away. */
// @ts-ignore: decorator
@inline
function addWord(slot: usize, value: i64, weight: i64): void {
  const before = load<u64>(slot);
  if (weight > 0) {
    const after = before + <u64>value;
    store<u64>(slot, after);
    store<i64>(slot, load<i64>(slot, 8) + (value >> 63) + (after < before ? 1 : 0), 8);
  } else {
    store<u64>(slot, before - <u64>value);
    store<i64>(slot, load<i64>(slot, 8) - (value >> 63) - (before < <u64>value ? 1 : 0), 8);
  }
}

/**
 * Notes that a value came or went: the slot is NULL when there is none. Without retraction it is
 * enough to note that there was one; with it they are counted.
 */
// @ts-ignore: decorator
@inline
function noteValue(a: usize, entry: usize, weight: i64): bool {
  const hidden = load<u32>(a, F.A_HIDDEN);
  if (hidden == 0) {
    store<u8>(entry + load<u32>(a, F.A_NULL), 0);
    return true;
  }
  const values = load<i64>(entry + hidden) + weight;
  store<i64>(entry + hidden, values);
  store<u8>(entry + load<u32>(a, F.A_NULL), values == 0 ? 1 : 0);
  return values != 0;
}

function foldIntegers(block: usize, a: usize, column: usize, count: u32, weights: usize): void {
  const values = <usize>load<u32>(column, F.C_VALUES);
  const stride = <usize>load<u32>(column, F.C_STRIDE);
  const slot = load<u32>(a, F.A_SLOT);
  const nullByte = load<u32>(a, F.A_NULL);
  const isPlain = weights == 0 && load<u32>(a, F.A_HIDDEN) == 0;
  if (isPlain && picked == block + F.B_IDENTITY) {
    for (let i: u32 = 0; i < count; i++) {
      const entry = word(block + F.B_ENTRIES, i);
      addWord(entry + slot, load<i64>(values + word(block + F.B_ROWS, i) * stride), 1);
      store<u8>(entry + nullByte, 0);
    }
    return;
  }
  if (isPlain) {
    for (let i: u32 = 0; i < count; i++) {
      const at = <u32>word(picked, i);
      const entry = word(block + F.B_ENTRIES, at);
      addWord(entry + slot, load<i64>(values + word(block + F.B_ROWS, at) * stride), 1);
      store<u8>(entry + nullByte, 0);
    }
    return;
  }
  for (let i: u32 = 0; i < count; i++) {
    const at = <u32>word(picked, i);
    const entry = word(block + F.B_ENTRIES, at);
    const weight: i64 = weights ? <i64>load<i32>(weights + (<usize>at << 2)) : 1;
    addWord(entry + slot, load<i64>(values + word(block + F.B_ROWS, at) * stride), weight);
    noteValue(a, entry, weight);
  }
}

/** The addend of a row to a sum of reals or of squares. */
// @ts-ignore: decorator
@inline
function realOf(op: u32, kind: u32, lowWord: u64): f64 {
  const x = kind == F.REAL ? reinterpret<f64>(lowWord) : <f64>(<i64>lowWord);
  return op == F.OP_SUM_SQUARES ? x * x : x;
}

function addReal(a: usize, entry: usize, x: f64, weight: i64): void {
  const slot = entry + load<u32>(a, F.A_SLOT);
  const sum = weight > 0 ? load<f64>(slot) + x : load<f64>(slot) - x;
  // What rounding left of values that are all gone must not stay.
  store<f64>(slot, noteValue(a, entry, weight) ? sum : 0);
}

function foldReals(block: usize, a: usize, column: usize, count: u32, weights: usize): void {
  const op = load<u32>(a, F.A_OP);
  const kind = load<u32>(a, F.A_KIND);
  for (let i: u32 = 0; i < count; i++) {
    const at = <u32>word(picked, i);
    const value = load<u64>(slotOf(column, word(block + F.B_ROWS, at)));
    const weight: i64 = weights ? <i64>load<i32>(weights + (<usize>at << 2)) : 1;
    addReal(a, word(block + F.B_ENTRIES, at), realOf(op, kind, value), weight);
  }
}

/** As `foldReals`, where some panes have pieces elsewhere: to those, what rows add is kept. */
function keepReals(state: usize, block: usize, a: usize, column: usize, count: u32): void {
  const op = load<u32>(a, F.A_OP);
  const kind = load<u32>(a, F.A_KIND);
  for (let i: u32 = 0; i < count; i++) {
    const at = <u32>word(picked, i);
    const value = load<u64>(slotOf(column, word(block + F.B_ROWS, at)));
    const entry = word(block + F.B_ENTRIES, at);
    const pane = word(block + F.B_PANES, at);
    const x = realOf(op, kind, value);
    if (load<u32>(pane, F.P_HAS_PIECES) == 0) addReal(a, entry, x, 1);
    else {
      noteValue(a, entry, 1);
      keepAddend(state, pane, entry, load<u32>(a, F.A_SLOT), x);
    }
  }
}

/** Adds a 128-bit value to a sum of 192 bits, which no number of rows can overflow. */
function addWide(slot: usize, lowWord: u64, highWord: u64, weight: i64): void {
  const sign = <i64>highWord >> 63;
  const low0 = load<u64>(slot);
  const middle0 = load<u64>(slot, 8);
  const high0 = load<i64>(slot, 16);
  if (weight > 0) {
    const low1 = low0 + lowWord;
    const carry: u64 = low1 < low0 ? 1 : 0;
    const middle1 = middle0 + highWord;
    const middle2 = middle1 + carry;
    const carry2: i64 = (middle1 < middle0 ? 1 : 0) + (middle2 < middle1 ? 1 : 0);
    store<u64>(slot, low1);
    store<u64>(slot, middle2, 8);
    store<i64>(slot, high0 + sign + carry2, 16);
  } else {
    const borrow: u64 = low0 < lowWord ? 1 : 0;
    const middle1 = middle0 - highWord;
    const middle2 = middle1 - borrow;
    const borrow2: i64 = (middle0 < highWord ? 1 : 0) + (middle1 < borrow ? 1 : 0);
    store<u64>(slot, low0 - lowWord);
    store<u64>(slot, middle2, 8);
    store<i64>(slot, high0 - sign - borrow2, 16);
  }
}

function foldWides(block: usize, a: usize, column: usize, count: u32, weights: usize): void {
  const slot = load<u32>(a, F.A_SLOT);
  for (let i: u32 = 0; i < count; i++) {
    const at = <u32>word(picked, i);
    const entry = word(block + F.B_ENTRIES, at);
    const value = slotOf(column, word(block + F.B_ROWS, at));
    const weight: i64 = weights ? <i64>load<i32>(weights + (<usize>at << 2)) : 1;
    addWide(entry + slot, load<u64>(value), load<u64>(value, 8), weight);
    noteValue(a, entry, weight);
  }
}

function foldRegisters(state: usize, block: usize, a: usize, column: usize, count: u32): void {
  const hidden = load<u32>(a, F.A_HIDDEN);
  const kind = load<u32>(a, F.A_KIND);
  for (let i: u32 = 0; i < count; i++) {
    const at = <u32>word(picked, i);
    take(column, word(block + F.B_ROWS, at));
    addToRegisters(state, word(block + F.B_ENTRIES, at) + hidden, kind, low, high);
  }
}

/**
 * MIN, MAX, FIRST and LAST of integers, none of which is ever taken back. The slot of a MIN that is
 * NULL holds the greatest integer, that of a MAX the least, so that neither needs a branch.
 */
function foldIntegerExtremes(
  block: usize,
  a: usize,
  column: usize,
  count: u32,
  sequence: i64,
): void {
  const op = load<u32>(a, F.A_OP);
  const slot = load<u32>(a, F.A_SLOT);
  const nullByte = load<u32>(a, F.A_NULL);
  const values = <usize>load<u32>(column, F.C_VALUES);
  const stride = <usize>load<u32>(column, F.C_STRIDE);
  if (op == F.OP_MIN || op == F.OP_MAX) {
    const isMin = op == F.OP_MIN;
    for (let i: u32 = 0; i < count; i++) {
      const at = <u32>word(picked, i);
      const entry = word(block + F.B_ENTRIES, at);
      const value = load<i64>(values + word(block + F.B_ROWS, at) * stride);
      const there = load<i64>(entry + slot);
      const takes = isMin ? value < there : value > there;
      store<i64>(entry + slot, select<i64>(value, there, takes));
      store<u8>(entry + nullByte, 0);
    }
    return;
  }
  const hidden = load<u32>(a, F.A_HIDDEN);
  for (let i: u32 = 0; i < count; i++) {
    const at = <u32>word(picked, i);
    const entry = word(block + F.B_ENTRIES, at);
    if (op == F.OP_FIRST && load<u8>(entry + nullByte) == 0) continue;
    store<i64>(entry + slot, load<i64>(values + word(block + F.B_ROWS, at) * stride));
    store<u8>(entry + nullByte, 0);
    store<i64>(entry + hidden, sequence + at);
  }
}

/** True when a value takes the place of another in a slot. `order` and `there`: of arrival. */
export function isBetter(
  op: u32,
  kind: u32,
  low1: u64,
  high1: u64,
  low2: u64,
  high2: u64,
  order: i64,
  there: i64,
): bool {
  if (op == F.OP_MIN) return compareValues(kind, low1, high1, low2, high2) < 0;
  if (op == F.OP_MAX) return compareValues(kind, low1, high1, low2, high2) > 0;
  return op == F.OP_FIRST ? order < there : order > there;
}

/** Offers a value, with its order of arrival, to a slot. */
export function offer(
  state: usize,
  pane: usize,
  a: usize,
  entry: usize,
  lowWord: u64,
  highWord: u64,
  order: i64,
): void {
  const kind = load<u32>(a, F.A_KIND);
  const slot = entry + load<u32>(a, F.A_SLOT);
  const hidden = load<u32>(a, F.A_HIDDEN);
  if (load<u8>(entry + load<u32>(a, F.A_NULL)) == 0) {
    takeSlot(kind, slot, F.isBytes(kind) ? <usize>load<u32>(pane, F.P_ARENA) : 0);
    const there = hidden ? load<i64>(entry + hidden) : 0;
    if (!isBetter(load<u32>(a, F.A_OP), kind, lowWord, highWord, low, high, order, there)) return;
  }
  putSlot(state, pane, a, entry, lowWord, highWord);
  if (hidden) store<i64>(entry + hidden, order);
}

/** Stores a value in the slot of MIN, MAX, FIRST or LAST. */
export function putSlot(
  state: usize,
  pane: usize,
  a: usize,
  entry: usize,
  lowWord: u64,
  highWord: u64,
): void {
  const kind = load<u32>(a, F.A_KIND);
  const slot = entry + load<u32>(a, F.A_SLOT);
  if (F.isBytes(kind)) {
    const length = <u32>(lowWord >> 32);
    const had = load<u32>(slot, 4);
    // Until it points to its new bytes it points to none, for the arena may be compacted now.
    store<u32>(slot, 0, 4);
    waste(pane, had);
    const offset = keepBytes(state, pane, <usize>(<u32>lowWord), length);
    if (offset == NO_OFFSET) return;
    store<u32>(slot, offset);
    store<u32>(slot, length, 4);
  } else {
    store<u64>(slot, lowWord);
    if (kind == F.WIDE) store<u64>(slot, highWord, 8);
  }
  store<u8>(entry + load<u32>(a, F.A_NULL), 0);
}

function foldExtremes(
  state: usize,
  block: usize,
  a: usize,
  column: usize,
  count: u32,
  sequence: i64,
): void {
  for (let i: u32 = 0; i < count; i++) {
    const at = <u32>word(picked, i);
    take(column, word(block + F.B_ROWS, at));
    const pane = word(block + F.B_PANES, at);
    offer(state, pane, a, word(block + F.B_ENTRIES, at), low, high, sequence + at);
  }
}

function foldNodes(
  state: usize,
  layout: usize,
  a: usize,
  index: u32,
  column: usize,
  count: u32,
  weights: usize,
  sequence: i64,
): void {
  const block = <usize>load<u32>(state, F.S_BLOCK);
  for (let i: u32 = 0; i < count; i++) {
    const at = <u32>word(picked, i);
    const pane = word(block + F.B_PANES, at);
    const entry = word(block + F.B_ENTRIES, at);
    const weight: i64 = weights ? <i64>load<i32>(weights + (<usize>at << 2)) : 1;
    take(column, word(block + F.B_ROWS, at));
    addNodeValue(state, layout, pane, entry, a, index, weight, sequence + at);
    if (hasFailed(state)) return;
  }
}

/** Counts the value taken last for one accumulator, and lets the slot follow. */
export function addNodeValue(
  state: usize,
  layout: usize,
  pane: usize,
  entry: usize,
  a: usize,
  index: u32,
  weight: i64,
  order: i64,
): void {
  const lowWord = low;
  const highWord = high;
  const number = numberOf(layout, pane, entry);
  const change = countValue(state, pane, entry, number, a, index, weight, order);
  const op = load<u32>(a, F.A_OP);
  if (op >= F.OP_MIN && op <= F.OP_LAST) {
    // The slot is found among the nodes when it is asked for: a value may go more often than read.
    store<u8>(entry + load<u32>(a, F.A_STALE), 1);
    return;
  }
  if (change == 0) return;
  const slot = entry + load<u32>(a, F.A_SLOT);
  if (op == F.OP_COUNT) {
    store<i64>(slot, load<i64>(slot) + change);
  } else if (op == F.OP_SUM_INTEGER) {
    addWord(slot, <i64>lowWord, change);
    noteValue(a, entry, change);
  } else if (op == F.OP_SUM_WIDE) {
    addWide(slot, lowWord, highWord, change);
    noteValue(a, entry, change);
  } else {
    addReal(a, entry, realOf(op, load<u32>(a, F.A_KIND), lowWord), change);
  }
}

/** Adds what another entry has summed up. */
export function addSums(a: usize, entry: usize, other: usize): void {
  const slot = load<u32>(a, F.A_SLOT);
  const op = load<u32>(a, F.A_OP);
  const mine = entry + slot;
  const theirs = other + slot;
  if (op == F.OP_COUNT) {
    store<i64>(mine, load<i64>(mine) + load<i64>(theirs));
    return;
  }
  const nullByte = load<u32>(a, F.A_NULL);
  const hidden = load<u32>(a, F.A_HIDDEN);
  if (hidden) {
    const values = load<i64>(entry + hidden) + load<i64>(other + hidden);
    store<i64>(entry + hidden, values);
    store<u8>(entry + nullByte, values == 0 ? 1 : 0);
  } else {
    store<u8>(entry + nullByte, load<u8>(entry + nullByte) & load<u8>(other + nullByte));
  }
  if (op == F.OP_SUM_INTEGER) {
    const before = load<u64>(mine);
    const after = before + load<u64>(theirs);
    store<u64>(mine, after);
    store<i64>(mine, load<i64>(mine, 8) + load<i64>(theirs, 8) + (after < before ? 1 : 0), 8);
  } else if (op == F.OP_SUM_WIDE) {
    addWide(mine, load<u64>(theirs), load<u64>(theirs, 8), 1);
    // The addend has a third word, of which its second word's sign was added already.
    const rest = load<i64>(theirs, 16) - (load<i64>(theirs, 8) >> 63);
    store<i64>(mine, load<i64>(mine, 16) + rest, 16);
  } else {
    store<f64>(mine, load<f64>(mine) + load<f64>(theirs));
  }
}
