/** From rows to entries: blocks of rows, their weights, their keys' hashes, their entries. */
import * as F from "./fields";
import { inputColumn } from "./fold";
import { FAILED_INPUT, fail, grabState, grabZeroed, release } from "./heap";
import { releaseList, releaseState, reserve } from "./heap";
import { entryAt, fillSlot, findKey, foundSlot, freePane, hashKeys, newEntry, touch } from "./pane";
import { nameEntry, numberOf } from "./pane";
import { isNull, slotOf } from "./value";

/** A state without panes; 0: memory is out. `layout` stays the caller's. */
export function newState(layout: usize, seed: u64, limit: i64): usize {
  const state = grabState(F.STATE_BYTES);
  if (state == 0) return 0;
  store<u32>(state, <u32>layout, F.S_LAYOUT);
  store<u64>(state, seed, F.S_SEED);
  store<u32>(state, 1, F.S_CHECKPOINT);
  store<u32>(state, 1, F.S_TOUCH);
  const block = grabZeroed(state, F.BLOCK_BYTES);
  const columns = grabZeroed(state, columnRoom(layout));
  store<u32>(state, <u32>block, F.S_BLOCK);
  store<u32>(state, <u32>columns, F.S_COLUMNS);
  if (block == 0 || columns == 0) {
    freeState(state);
    return 0;
  }
  for (let i: u32 = 0; i < F.BLOCK; i++) store<u32>(block + F.B_IDENTITY + (<usize>i << 2), i);
  // Only now, so that a limit below what any state needs shows when rows come.
  store<i64>(state, limit, F.S_LIMIT);
  return state;
}

function columnRoom(layout: usize): usize {
  const columns = load<u32>(layout, F.L_KEY_COUNT) + load<u32>(layout, F.L_ACCUMULATOR_COUNT) + 3;
  return <usize>columns * F.COLUMN_BYTES;
}

export function freeState(state: usize): void {
  const layout = <usize>load<u32>(state, F.S_LAYOUT);
  for (let i: u32 = 0, n = load<u32>(state, F.S_PANES + 4); i < n; i++) {
    freePane(state, load<u32>(load<u32>(state, F.S_PANES) + (<usize>i << 2)));
  }
  releaseList(state, state + F.S_PANES, 4);
  releaseList(state, state + F.S_BLOB, 1);
  releaseList(state, state + F.S_SELECTION, 4);
  releaseList(state, state + F.S_SELECTION2, 4);
  releaseList(state, state + F.S_NUMBERS, 4);
  releaseList(state, state + F.S_BUCKETS, 4);
  releaseList(state, state + F.S_INPUT, <u32>F.COLUMN_BYTES);
  releaseList(state, state + F.S_RESULTS, load<u32>(layout, F.L_ENTRY_BYTES));
  release(state, load<u32>(state, F.S_BLOCK), F.BLOCK_BYTES);
  release(state, load<u32>(state, F.S_COLUMNS), columnRoom(layout));
  releaseState(state);
}

/** Rows of a block: row numbers and weights. Gives the address of the weights, 0: all are 1. */
export function readBlock(state: usize, table: usize, weight: usize, from: u32, n: u32): usize {
  const block = <usize>load<u32>(state, F.S_BLOCK);
  const selection = <usize>load<u32>(table, F.T_SELECTION);
  const rows = block + F.B_ROWS;
  if (selection) memory.copy(rows, selection + (<usize>from << 2), <usize>n << 2);
  else for (let i: u32 = 0; i < n; i++) store<u32>(rows + (<usize>i << 2), from + i);
  if (weight == 0) return 0;
  const weights = block + F.B_WEIGHTS;
  for (let i: u32 = 0; i < n; i++) {
    const value = load<i64>(slotOf(weight, load<u32>(rows + (<usize>i << 2))));
    if (value != 1 && value != -1) fail(state, FAILED_INPUT);
    store<i32>(weights + (<usize>i << 2), <i32>value);
  }
  return weights;
}

/**
 * The columns of a table, copied, where those that the state reads say so when none of the table's
 * rows is NULL in them: what a filter has left is often free of the NULLs of other kinds of rows. `time`
 * and `weight` are columns by number + 1, 0: none. The state fails when memory is out.
 */
export function ownColumns(state: usize, table: usize, time: u32, weight: u32): usize {
  const count = load<u32>(table, F.T_COLUMN_COUNT);
  if (!reserve(state, state + F.S_INPUT, <u32>F.COLUMN_BYTES, count)) return 0;
  const columns = <usize>load<u32>(state, F.S_INPUT);
  memory.copy(columns, load<u32>(table, F.T_COLUMNS), <usize>count * F.COLUMN_BYTES);
  const layout = <usize>load<u32>(state, F.S_LAYOUT);
  let key = <usize>load<u32>(layout, F.L_KEYS);
  for (let k: u32 = 0, n = load<u32>(layout, F.L_KEY_COUNT); k < n; k++, key += F.KEY_BYTES) {
    dropNulls(table, columns, load<u32>(key, F.K_COLUMN) + 1);
  }
  let a = <usize>load<u32>(layout, F.L_ACCUMULATORS);
  for (let i: u32 = 0, n = load<u32>(layout, F.L_ACCUMULATOR_COUNT); i < n; i++) {
    dropNulls(table, columns, load<u32>(a, F.A_COLUMN));
    dropNulls(table, columns, load<u32>(a, F.A_FILTER));
    a += F.ACCUMULATOR_BYTES;
  }
  dropNulls(table, columns, time);
  dropNulls(table, columns, weight);
  return columns;
}

function dropNulls(table: usize, columns: usize, reference: u32): void {
  const column = inputColumn(columns, reference);
  if (column == 0) return;
  const nulls = <usize>load<u32>(column, F.C_NULLS);
  if (nulls == 0) return;
  const stride = <usize>load<u32>(column, F.C_NULL_STRIDE);
  const selection = <usize>load<u32>(table, F.T_SELECTION);
  const count = load<u32>(table, F.T_ROW_COUNT);
  for (let from: u32 = 0; from < count; from += F.BLOCK) {
    const end = count - from < F.BLOCK ? count : from + F.BLOCK;
    let some: u32 = 0;
    if (selection) {
      for (let i = from; i < end; i++) {
        some |= load<u8>(nulls + <usize>load<u32>(selection + (<usize>i << 2)) * stride);
      }
    } else for (let i = from; i < end; i++) some |= load<u8>(nulls + <usize>i * stride);
    if (some) return;
  }
  store<u32>(column, 0, F.C_NULLS);
}

/** Points the state's keys to columns of a table. */
export function pointKeys(state: usize, columns: usize): void {
  const layout = <usize>load<u32>(state, F.S_LAYOUT);
  const keys = <usize>load<u32>(state, F.S_BLOCK) + F.B_KEYS;
  let key = <usize>load<u32>(layout, F.L_KEYS);
  for (let k: u32 = 0, n = load<u32>(layout, F.L_KEY_COUNT); k < n; k++, key += F.KEY_BYTES) {
    const column = columns + <usize>load<u32>(key, F.K_COLUMN) * F.COLUMN_BYTES;
    store<u32>(keys + (<usize>k << 2), <u32>column);
  }
}

/** True when there is one integer key without NULLs, which has a loop of its own. */
export function isPlainKey(state: usize): bool {
  const layout = <usize>load<u32>(state, F.S_LAYOUT);
  if (!(load<u32>(layout, F.L_FLAGS) & F.INTEGER_KEY)) return false;
  const column = <usize>load<u32>(<usize>load<u32>(state, F.S_BLOCK) + F.B_KEYS);
  return load<u32>(column, F.C_NULLS) == 0;
}

const GOLDEN: u64 = 0x9e3779b97f4a7c15;

/** The hash that `hashKeys` gives to one integer. */
// @ts-ignore: decorator
@inline
export function hashInteger(seed: u64, value: u64): u32 {
  let x = (seed ^ value) * GOLDEN;
  x ^= x >> 32;
  return <u32>(x ^ (x >> 29));
}

export function hashBlock(state: usize, count: u32, isPlain: bool): void {
  const block = <usize>load<u32>(state, F.S_BLOCK);
  if (!isPlain) {
    hashKeys(state, block + F.B_KEYS, block + F.B_ROWS, count);
    return;
  }
  const column = <usize>load<u32>(block + F.B_KEYS);
  const values = <usize>load<u32>(column, F.C_VALUES);
  const stride = <usize>load<u32>(column, F.C_STRIDE);
  const seed = load<u64>(state, F.S_SEED);
  for (let i: u32 = 0; i < count; i++) {
    const row = <usize>load<u32>(block + F.B_ROWS + (<usize>i << 2));
    store<u32>(block + F.B_HASHES + (<usize>i << 2), hashInteger(seed, load<u64>(values + row * stride)));
  }
}

/** Keeps the loads below alive. */
export let warmth: u32 = 0;
/** Tables above this many slots do not stay in the caches near the core. */
const FAR_SLOTS: u32 = 32768;

/** Whether a pane's table is too large for the caches near the core. */
// @ts-ignore: decorator
@inline
export function isFar(pane: usize): bool {
  return load<u32>(pane, F.P_SLOT_COUNT) > FAR_SLOTS;
}

/**
 * Loads the slots of a block, then the entries that they lead to, each without waiting for the
 * other, so that their cache misses overlap: WebAssembly has no prefetch.
 */
export function warm(state: usize, layout: usize, pane: usize, count: u32): void {
  if (!isFar(pane)) return;
  const block = <usize>load<u32>(state, F.S_BLOCK);
  const slots = <usize>load<u32>(pane, F.P_SLOTS);
  const mask = load<u32>(pane, F.P_SLOT_COUNT) - 1;
  const entries = <usize>load<u32>(pane, F.P_ENTRIES);
  const size = <usize>load<u32>(layout, F.L_ENTRY_BYTES);
  const numbers = block + F.B_ENTRIES;
  for (let i: u32 = 0; i < count; i++) {
    const hash = load<u32>(block + F.B_HASHES + (<usize>i << 2));
    const reference = load<u32>(slots + (<usize>(hash & mask) << 3));
    store<u32>(numbers + (<usize>i << 2), reference ? reference - 1 : 0);
  }
  let sum: u32 = 0;
  for (let i: u32 = 0; i < count; i++) {
    sum += load<u32>(entries + <usize>load<u32>(numbers + (<usize>i << 2)) * size);
  }
  warmth = sum;
}

/** The entry of row `i` of the block in a pane that has room for one more; 0: memory is out. */
export function upsert(state: usize, layout: usize, pane: usize, i: u32): usize {
  const block = <usize>load<u32>(state, F.S_BLOCK);
  const hash = load<u32>(block + F.B_HASHES + (<usize>i << 2));
  const row = <usize>load<u32>(block + F.B_ROWS + (<usize>i << 2));
  const reference = findKey(state, pane, block + F.B_KEYS, row, hash);
  let entry: usize;
  if (reference) {
    entry = entryAt(layout, pane, reference - 1);
  } else {
    const slot = foundSlot;
    entry = newEntry(state, pane, block + F.B_KEYS, row, hash);
    if (entry == 0 || !nameEntry(state, layout, entry)) return 0;
    if (!fillSlot(state, pane, slot, numberOf(layout, pane, entry), hash)) return 0;
  }
  touch(state, layout, pane, entry, load<u32>(state, F.S_TOUCH));
  return entry;
}

/**
 * Whether row `i` of the block, not its first, has the key of the row before by a look at their
 * slots: texts that lie at one place, as those of an expression often do, and integers.
 */
// @ts-ignore: decorator
@inline
export function isSameKey(layout: usize, block: usize, row: usize, last: usize, i: u32): bool {
  const hashes = block + F.B_HASHES + (<usize>i << 2);
  if (load<u32>(hashes) != load<u32>(hashes - 4)) return false;
  for (let k: u32 = 0, n = load<u32>(layout, F.L_KEY_COUNT); k < n; k++) {
    const column = <usize>load<u32>(block + F.B_KEYS + (<usize>k << 2));
    const kind = load<u32>(column, F.C_KIND);
    if (load<u32>(column, F.C_NULLS) != 0 || kind == F.WIDE || kind == F.REAL) return false;
    if (load<u64>(slotOf(column, row)) != load<u64>(slotOf(column, last))) return false;
  }
  return true;
}

/**
 * Where an entry counts its rows when that is all it does and the table of the last pane is near;
 * else 0.
 */
export function countedSlot(state: usize, layout: usize, columns: usize): u32 {
  const accumulator = <usize>load<u32>(layout, F.L_ACCUMULATORS);
  if (load<u32>(layout, F.L_ACCUMULATOR_COUNT) != 1) return 0;
  if (load<u32>(accumulator, F.A_OP) != F.OP_COUNT) return 0;
  if (load<u32>(accumulator, F.A_FILTER) != 0 || load<u32>(accumulator, F.A_NODES) != 0) return 0;
  // DISTINCT.
  if (load<u32>(accumulator, F.A_SET) != 0) return 0;
  const column = inputColumn(columns, load<u32>(accumulator, F.A_COLUMN));
  if (column != 0 && load<u32>(column, F.C_NULLS) != 0) return 0;
  const last = <usize>load<u32>(state, F.S_LAST_PANE);
  if (last != 0 && isFar(last)) return 0;
  return load<u32>(accumulator, F.A_SLOT);
}
