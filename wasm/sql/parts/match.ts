/**
 * Joins the rows of two stores (keep.ts) on columns that are equal, and writes what matches as
 * columns. Matches, 32 bytes, all zero at first:
 *
 *    0  u32 left, 4 u32 right     lists of row numbers: those at the same place match
 *    8  u32 count, 12 u32 capacity
 *   16  u32 slots                 first row of each chain + 1
 *   20  u32 chains                by row of the right side: next of its chain + 1
 *   24  u32 slotCapacity, 28 u32 chainCapacity
 */
import * as F from "./fields";
import { isNull, sameBytes, slotOf } from "./layout";
import { free, realloc } from "./sqlite";
import { hashBytes, mix } from "./value";

const M_LEFT: usize = 0;
const M_RIGHT: usize = 4;
const M_COUNT: usize = 8;
const M_CAPACITY: usize = 12;
const M_SLOTS: usize = 16;
const M_CHAINS: usize = 20;
const M_SLOT_CAPACITY: usize = 24;
const M_CHAIN_CAPACITY: usize = 28;

const SLACK: usize = 16;
const MATCHES_MIN: u32 = 256;
const MATCHES_MAX: u32 = 0x10000000;

/** A pair of columns that must be equal: u32 of the left side, u32 of the right. */
const PAIR_BYTES: usize = 8;

// @ts-ignore: decorator
@inline
function columnAt(table: usize, index: u32): usize {
  return <usize>load<u32>(table, F.T_COLUMNS) + <usize>index * F.COLUMN_BYTES;
}

/** Makes a list of u32 hold at least `need`; what was in it stays. */
function grow(matches: usize, list: usize, capacity: usize, need: u32): bool {
  if (need <= load<u32>(matches + capacity)) return true;
  const address = realloc(load<u32>(matches + list), (<usize>need << 2) + SLACK);
  if (address == 0) return false;
  store<u32>(matches + list, <u32>address);
  store<u32>(matches + capacity, need);
  return true;
}

export function releaseMatches(matches: usize): void {
  free(load<u32>(matches, M_LEFT));
  free(load<u32>(matches, M_RIGHT));
  free(load<u32>(matches, M_SLOTS));
  free(load<u32>(matches, M_CHAINS));
}

/** Set where a column of the key is NULL, which equals nothing. */
let isAbsent = false;

/** Hash of the columns of a row; `side`: 0 the left one of each pair, 4 the right one. */
function hashRow(table: usize, row: u32, pairs: usize, count: u32, side: usize, seed: u64): u32 {
  let hash = seed;
  isAbsent = false;
  for (let i: u32 = 0; i < count; i++) {
    const column = columnAt(table, load<u32>(pairs + <usize>i * PAIR_BYTES + side));
    if (isNull(column, row)) {
      isAbsent = true;
      return 0;
    }
    const slot = slotOf(column, row);
    if (F.isBytes(load<u32>(column, F.C_KIND))) {
      const address = <usize>(load<u32>(column, F.C_BASE) + load<u32>(slot));
      hash = mix(hash, hashBytes(address, load<u32>(slot, 4), seed));
    } else hash = mix(hash, load<u64>(slot));
  }
  return <u32>(hash ^ (hash >> 29));
}

function areEqual(left: usize, l: u32, right: usize, r: u32, pairs: usize, count: u32): bool {
  for (let i: u32 = 0; i < count; i++) {
    const pair = pairs + <usize>i * PAIR_BYTES;
    const one = columnAt(left, load<u32>(pair));
    const two = columnAt(right, load<u32>(pair, 4));
    const a = slotOf(one, l);
    const b = slotOf(two, r);
    const kind = load<u32>(one, F.C_KIND);
    if (F.isBytes(kind)) {
      const length = load<u32>(a, 4);
      if (length != load<u32>(b, 4)) return false;
      const here = <usize>(load<u32>(one, F.C_BASE) + load<u32>(a));
      if (!sameBytes(here, load<u32>(two, F.C_BASE) + load<u32>(b), length)) return false;
    } else {
      if (load<u64>(a) != load<u64>(b)) return false;
      if (kind == F.WIDE && load<u64>(a, 8) != load<u64>(b, 8)) return false;
    }
  }
  return true;
}

/** Chains the rows of the right side by their hashes, ascending. False: memory is out. */
function chain(matches: usize, right: usize, pairs: usize, count: u32, seed: u64): bool {
  const rows = load<u32>(right, F.T_ROW_COUNT);
  const slotCount = slotsFor(rows);
  if (!grow(matches, M_SLOTS, M_SLOT_CAPACITY, slotCount)) return false;
  if (!grow(matches, M_CHAINS, M_CHAIN_CAPACITY, rows)) return false;
  const slots = <usize>load<u32>(matches, M_SLOTS);
  const chains = <usize>load<u32>(matches, M_CHAINS);
  memory.fill(slots, 0, <usize>slotCount << 2);
  for (let row = rows; row > 0; row--) {
    const hash = hashRow(right, row - 1, pairs, count, 4, seed);
    if (isAbsent) continue;
    const slot = slots + (<usize>(hash & (slotCount - 1)) << 2);
    store<u32>(chains + (<usize>(row - 1) << 2), load<u32>(slot));
    store<u32>(slot, row);
  }
  return true;
}

function slotsFor(rows: u32): u32 {
  let count: u32 = 16;
  while (count < 2 * rows) count <<= 1;
  return count;
}

/**
 * Finds the rows of two Tables without selections whose `pairs` of columns, of the same kind and
 * none real, are equal: by row of the left side, then of the right. False: memory is out.
 */
export function matchRows(
  matches: usize,
  left: usize,
  right: usize,
  pairs: usize,
  count: u32,
  seed: u64,
): bool {
  store<u32>(matches, 0, M_COUNT);
  if (!chain(matches, right, pairs, count, seed)) return false;
  const mask = slotsFor(load<u32>(right, F.T_ROW_COUNT)) - 1;
  const slots = <usize>load<u32>(matches, M_SLOTS);
  const chains = <usize>load<u32>(matches, M_CHAINS);
  for (let row: u32 = 0, n = load<u32>(left, F.T_ROW_COUNT); row < n; row++) {
    const hash = hashRow(left, row, pairs, count, 0, seed);
    if (isAbsent) continue;
    let other = load<u32>(slots + (<usize>(hash & mask) << 2));
    while (other) {
      if (areEqual(left, row, right, other - 1, pairs, count)) {
        if (!push(matches, row, other - 1)) return false;
      }
      other = load<u32>(chains + (<usize>(other - 1) << 2));
    }
  }
  return true;
}

function push(matches: usize, left: u32, right: u32): bool {
  const count = load<u32>(matches, M_COUNT);
  let capacity = load<u32>(matches, M_CAPACITY);
  if (count == capacity) {
    if (capacity >= MATCHES_MAX) return false;
    capacity = capacity < MATCHES_MIN ? MATCHES_MIN : capacity << 1;
    const bytes = (<usize>capacity << 2) + SLACK;
    const lefts = realloc(load<u32>(matches, M_LEFT), bytes);
    if (lefts == 0) return false;
    store<u32>(matches, <u32>lefts, M_LEFT);
    const rights = realloc(load<u32>(matches, M_RIGHT), bytes);
    if (rights == 0) return false;
    store<u32>(matches, <u32>rights, M_RIGHT);
    store<u32>(matches, capacity, M_CAPACITY);
  }
  store<u32>(<usize>load<u32>(matches, M_LEFT) + (<usize>count << 2), left);
  store<u32>(<usize>load<u32>(matches, M_RIGHT) + (<usize>count << 2), right);
  store<u32>(matches, count + 1, M_COUNT);
  return true;
}

/**
 * Writes the cells of the listed rows of a Table to the columns at `columns`, which have room for
 * them side by side. Text and blobs stay where they are.
 */
export function gatherRows(table: usize, list: usize, count: u32, columns: usize): void {
  for (let k: u32 = 0, n = load<u32>(table, F.T_COLUMN_COUNT); k < n; k++) {
    const from = columnAt(table, k);
    const to = columns + <usize>k * F.COLUMN_BYTES;
    const isWide = load<u32>(from, F.C_KIND) == F.WIDE;
    let target = <usize>load<u32>(to, F.C_VALUES);
    const nulls = <usize>load<u32>(to, F.C_NULLS);
    store<u32>(to, load<u32>(from, F.C_BASE), F.C_BASE);
    for (let i: u32 = 0; i < count; i++, target += isWide ? 16 : 8) {
      const row = load<u32>(list + (<usize>i << 2));
      const slot = slotOf(from, row);
      store<u64>(target, load<u64>(slot));
      if (isWide) store<u64>(target, load<u64>(slot, 8), 8);
      store<u8>(nulls + i, isNull(from, row) ? 1 : 0);
    }
  }
}
