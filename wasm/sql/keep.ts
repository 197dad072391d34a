/**
 * Rows kept while a window or a join may still need them: columns that grow, with the bytes of text
 * and blobs in an arena, in order of arrival. Expiry packs what is left.
 *
 * Store: the Table, the fields below, then its columns, whose slots and nulls lie where their
 * descriptors say.
 */
import * as F from "./parts/fields";
import { copyBytes } from "./parts/layout";
import { gatherRows, matchRows, releaseMatches } from "./parts/match";

export { gatherRows, matchRows, releaseMatches };

// @ts-ignore: decorator
@external("env", "malloc")
declare function malloc(bytes: usize): usize;
// @ts-ignore: decorator
@external("env", "realloc")
declare function realloc(address: usize, bytes: usize): usize;
// @ts-ignore: decorator
@external("env", "free")
declare function free(address: usize): void;

const SLACK: usize = 16;
const K_CAPACITY: usize = 32;
/** Rows in the columns, living or not; the Table's count is that of the selection. */
const K_ROWS: usize = 36;
const K_ARENA: usize = 44;
const K_ARENA_USED: usize = 48;
const K_ARENA_CAPACITY: usize = 52;
const K_SELECTION: usize = 56;
/** Of the rows in the columns, the first ones that the last checkpoint holds. */
const K_SAVED: usize = 60;
const K_COLUMNS: usize = 64;
const ROWS_MIN: u32 = 64;

// @ts-ignore: decorator
@inline
function columnAt(store_: usize, index: u32): usize {
  return store_ + K_COLUMNS + <usize>index * F.COLUMN_BYTES;
}

function widthOf(column: usize): usize {
  return load<u32>(column, F.C_KIND) == F.WIDE ? 16 : 8;
}

/** A store for rows of `count` columns whose kinds (u32) stand at `kinds`; 0: memory is out. */
export function create(kinds: usize, count: u32): usize {
  const address = malloc(K_COLUMNS + <usize>count * F.COLUMN_BYTES);
  if (address == 0) return 0;
  memory.fill(address, 0, K_COLUMNS + <usize>count * F.COLUMN_BYTES);
  store<u32>(address, <u32>(address + K_COLUMNS), F.T_COLUMNS);
  store<u32>(address, count, F.T_COLUMN_COUNT);
  for (let i: u32 = 0; i < count; i++) {
    const column = columnAt(address, i);
    store<u32>(column, load<u32>(kinds + (<usize>i << 2)), F.C_KIND);
    store<u32>(column, <u32>widthOf(column), F.C_STRIDE);
    store<u32>(column, 1, F.C_NULL_STRIDE);
  }
  return address;
}

export function destroy(address: usize): void {
  for (let i: u32 = 0, n = load<u32>(address, F.T_COLUMN_COUNT); i < n; i++) {
    const column = columnAt(address, i);
    free(load<u32>(column, F.C_VALUES));
    free(load<u32>(column, F.C_NULLS));
  }
  free(load<u32>(address, K_ARENA));
  free(load<u32>(address, K_SELECTION));
  free(address);
}

export function bytesHeld(address: usize): u32 {
  const rows = load<u32>(address, K_CAPACITY);
  let bytes = load<u32>(address, K_ARENA_CAPACITY) + rows * 4;
  for (let i: u32 = 0, n = load<u32>(address, F.T_COLUMN_COUNT); i < n; i++) {
    bytes += rows * (<u32>widthOf(columnAt(address, i)) + 1);
  }
  return bytes;
}

/** Rows in the columns: a row's number is good until rows are expired. */
export function rows(address: usize): u32 {
  return load<u32>(address, K_ROWS);
}

function growRows(address: usize, need: u32): bool {
  const had = load<u32>(address, K_CAPACITY);
  if (need <= had) return true;
  let capacity = had + (had >> 1);
  if (capacity < need) capacity = need;
  if (capacity < ROWS_MIN) capacity = ROWS_MIN;
  if (capacity > 0x07000000) return false;
  const selection = realloc(load<u32>(address, K_SELECTION), (<usize>capacity << 2) + SLACK);
  if (selection == 0) return false;
  store<u32>(address, <u32>selection, K_SELECTION);
  for (let i: u32 = 0, n = load<u32>(address, F.T_COLUMN_COUNT); i < n; i++) {
    const column = columnAt(address, i);
    const values = realloc(load<u32>(column, F.C_VALUES), capacity * widthOf(column) + SLACK);
    if (values == 0) return false;
    store<u32>(column, <u32>values, F.C_VALUES);
    const nulls = realloc(load<u32>(column, F.C_NULLS), capacity + SLACK);
    if (nulls == 0) return false;
    store<u32>(column, <u32>nulls, F.C_NULLS);
  }
  // Last, so that after a failure the columns have at least what is said.
  store<u32>(address, capacity, K_CAPACITY);
  return true;
}

function growArena(address: usize, more: u32): bool {
  const need = <u64>load<u32>(address, K_ARENA_USED) + more;
  const had = load<u32>(address, K_ARENA_CAPACITY);
  if (need <= had) return true;
  let capacity = <u64>had + (had >> 1);
  if (capacity < need) capacity = need;
  if (capacity > 0x7ff00000) return false;
  const arena = realloc(load<u32>(address, K_ARENA), <usize>capacity + SLACK);
  if (arena == 0) return false;
  store<u32>(address, <u32>arena, K_ARENA);
  store<u32>(address, <u32>capacity, K_ARENA_CAPACITY);
  return true;
}

/** Greatest (or least) values by window end: u32 count, then i64 end and i64 value of each. */
const B_ENTRIES: usize = 8;
const B_ENTRY_BYTES: usize = 16;
const B_ENTRIES_MAX: u32 = 64;

/** Place of a window's entry among the bests; 0: it has none. */
function bestOf(bests: usize, end: i64): usize {
  let entry = bests + B_ENTRIES;
  for (let left = load<u32>(bests); left > 0; left--, entry += B_ENTRY_BYTES) {
    if (load<i64>(entry) == end) return entry;
  }
  return 0;
}

/** As `bestOf`, made where there is none, in place of that of the oldest window; 0: this is it. */
function takeBest(bests: usize, end: i64, value: i64): usize {
  const known = bestOf(bests, end);
  if (known != 0) return known;
  const count = load<u32>(bests);
  let entry = bests + B_ENTRIES;
  if (count < B_ENTRIES_MAX) {
    entry += <usize>count * B_ENTRY_BYTES;
    store<u32>(bests, count + 1);
  } else {
    for (let i: u32 = 1, at = entry + B_ENTRY_BYTES; i < count; i++, at += B_ENTRY_BYTES) {
      if (load<i64>(at) < load<i64>(entry)) entry = at;
    }
    if (end < load<i64>(entry)) return 0;
  }
  store<i64>(entry, end);
  store<i64>(entry, value, 8);
  return entry;
}

/**
 * Writes to `selection` the numbers of the rows of a table that a greatest (`isMin`: least) value
 * of their window may still meet: see `src/sql/kernel/best-rows.ts`. A row counts for its window
 * if that ends after `watermark` and its own bound (`bounds`; 0: there is none). Gives how many.
 */
export function pickBest(
  table: usize,
  time: usize,
  value: usize,
  bounds: usize,
  isMin: bool,
  size: i64,
  offset: i64,
  from: i64,
  to: i64,
  watermark: i64,
  bests: usize,
  selection: usize,
): u32 {
  const count = load<u32>(table, F.T_ROW_COUNT);
  const selected = <usize>load<u32>(table, F.T_SELECTION);
  // The window of the row before, empty at first.
  let start: i64 = 0;
  let end: i64 = 0;
  let best: usize = 0;
  for (let i: u32 = 0; i < count; i++) {
    const row = selected ? load<u32>(selected + (<usize>i << 2)) : i;
    if (isNullAt(time, row) || isNullAt(value, row)) continue;
    const at = load<i64>(slotAt(time, row));
    const own = load<i64>(slotAt(value, row));
    if (at < start || at >= end) {
      start = floorTo(at, size, offset);
      end = start + size;
      best = bestOf(bests, end);
    }
    if (end <= watermark || (bounds != 0 && end <= load<i64>(slotAt(bounds, row)))) continue;
    if (best == 0) best = takeBest(bests, end, own);
    else if (isMin ? own < load<i64>(best, 8) : own > load<i64>(best, 8)) store<i64>(best, own, 8);
  }
  end = start;
  let kept: u32 = 0;
  for (let i: u32 = 0; i < count; i++) {
    const row = selected ? load<u32>(selected + (<usize>i << 2)) : i;
    if (!isNullAt(time, row) && !isNullAt(value, row)) {
      const at = load<i64>(slotAt(time, row));
      const own = load<i64>(slotAt(value, row));
      if (at < start || at >= end) {
        start = floorTo(at, size, offset);
        end = start + size;
        best = bestOf(bests, end);
      }
      const isBeaten =
        best != 0 && (isMin ? own > load<i64>(best, 8) : own < load<i64>(best, 8));
      // No window but its own ends in [at + from, at + to].
      if (isBeaten && start < at + from && end + size > at + to) continue;
    }
    store<u32>(selection + (<usize>kept << 2), row);
    kept++;
  }
  return kept;
}

/** Start of the window of `size` in which a time lies. */
// @ts-ignore: decorator
@inline
function floorTo(at: i64, size: i64, offset: i64): i64 {
  const rest = (at - offset) % size;
  return at - rest - (rest < 0 ? size : 0);
}

/** Appends copies of the rows of a table. False: memory is out, and nothing was appended. */
export function append(address: usize, table: usize): bool {
  const count = load<u32>(table, F.T_ROW_COUNT);
  const selection = <usize>load<u32>(table, F.T_SELECTION);
  const from = load<u32>(address, K_ROWS);
  const columns = load<u32>(address, F.T_COLUMN_COUNT);
  const source = <usize>load<u32>(table, F.T_COLUMNS);
  if (!growRows(address, from + count)) return false;
  let bytes: u64 = 0;
  for (let k: u32 = 0; k < columns; k++) {
    const column = source + <usize>k * F.COLUMN_BYTES;
    if (!F.isBytes(load<u32>(column, F.C_KIND))) continue;
    for (let i: u32 = 0; i < count; i++) {
      const row = selection ? load<u32>(selection + (<usize>i << 2)) : i;
      if (!isNullAt(column, row)) bytes += load<u32>(slotAt(column, row), 4);
    }
  }
  if (bytes > 0x7ff00000 || !growArena(address, <u32>bytes)) return false;
  for (let k: u32 = 0; k < columns; k++) {
    appendColumn(address, columnAt(address, k), source + <usize>k * F.COLUMN_BYTES, selection, from, count);
  }
  store<u32>(address, from + count, K_ROWS);
  return true;
}

// @ts-ignore: decorator
@inline
function slotAt(column: usize, row: u32): usize {
  return <usize>load<u32>(column, F.C_VALUES) + <usize>row * load<u32>(column, F.C_STRIDE);
}

// @ts-ignore: decorator
@inline
function isNullAt(column: usize, row: u32): bool {
  const nulls = <usize>load<u32>(column, F.C_NULLS);
  return nulls != 0 && load<u8>(nulls + <usize>row * load<u32>(column, F.C_NULL_STRIDE)) != 0;
}

function appendColumn(
  address: usize,
  to: usize,
  column: usize,
  selection: usize,
  from: u32,
  count: u32,
): void {
  const isText = F.isBytes(load<u32>(column, F.C_KIND));
  const isWide = load<u32>(column, F.C_KIND) == F.WIDE;
  const base = load<u32>(column, F.C_BASE);
  const arena = <usize>load<u32>(address, K_ARENA);
  let used = load<u32>(address, K_ARENA_USED);
  let target = slotAt(to, from);
  const nulls = <usize>load<u32>(to, F.C_NULLS) + from;
  for (let i: u32 = 0; i < count; i++, target += widthOf(to)) {
    const row = selection ? load<u32>(selection + (<usize>i << 2)) : i;
    const isAbsent = isNullAt(column, row);
    store<u8>(nulls + i, isAbsent ? 1 : 0);
    const slot = slotAt(column, row);
    if (isText) {
      const length = isAbsent ? 0 : load<u32>(slot, 4);
      store<u32>(target, used);
      store<u32>(target, length, 4);
      copyBytes(arena + used, <usize>(base + load<u32>(slot)), length);
      used += length;
    } else {
      store<u64>(target, load<u64>(slot));
      if (isWide) store<u64>(target, load<u64>(slot, 8), 8);
    }
  }
  store<u32>(address, used, K_ARENA_USED);
}

/** Forgets all rows; their memory serves those that come next. */
export function clear(address: usize): void {
  store<u32>(address, 0, K_ROWS);
  store<u32>(address, 0, K_ARENA_USED);
  store<u32>(address, 0, K_SAVED);
  store<u32>(address, 0, F.T_ROW_COUNT);
  store<u32>(address, 0, F.T_SELECTION);
}

function pointBases(address: usize): void {
  for (let k: u32 = 0, n = load<u32>(address, F.T_COLUMN_COUNT); k < n; k++) {
    const column = columnAt(address, k);
    const isText = F.isBytes(load<u32>(column, F.C_KIND));
    store<u32>(column, isText ? load<u32>(address, K_ARENA) : 0, F.C_BASE);
  }
}

/** Makes the store's Table show all rows. */
export function showAll(address: usize): void {
  pointBases(address);
  store<u32>(address, load<u32>(address, K_ROWS), F.T_ROW_COUNT);
  store<u32>(address, 0, F.T_SELECTION);
}

/** Makes the store's Table show the rows whose integer column `index` is in [from, to). */
export function showBetween(address: usize, index: u32, from: i64, to: i64): void {
  const column = columnAt(address, index);
  pointBases(address);
  const selection = <usize>load<u32>(address, K_SELECTION);
  let n: u32 = 0;
  for (let row: u32 = 0, count = load<u32>(address, K_ROWS); row < count; row++) {
    const value = load<i64>(slotAt(column, row));
    if (isNullAt(column, row) || value < from || value >= to) continue;
    store<u32>(selection + (<usize>n << 2), row);
    n++;
  }
  store<u32>(address, n, F.T_ROW_COUNT);
  store<u32>(address, <u32>selection, F.T_SELECTION);
}

/**
 * Drops the rows whose integer column `index` is below `bound`, and packs the others, in order.
 * Gives how many are left.
 */
export function expire(address: usize, index: u32, bound: i64, first: u32): u32 {
  const column = columnAt(address, index);
  const count = load<u32>(address, K_ROWS);
  const columns = load<u32>(address, F.T_COLUMN_COUNT);
  let left: u32 = 0;
  let saved: u32 = 0;
  const selection = <usize>load<u32>(address, K_SELECTION);
  for (let row: u32 = 0; row < count; row++) {
    if (row < first && !isNullAt(column, row) && load<i64>(slotAt(column, row)) < bound) continue;
    store<u32>(selection + (<usize>left << 2), row);
    left++;
    if (row < load<u32>(address, K_SAVED)) saved = left;
  }
  if (left == count) return count;
  store<u32>(address, saved, K_SAVED);
  for (let k: u32 = 0; k < columns; k++) packColumn(columnAt(address, k), selection, left);
  store<u32>(address, left, K_ROWS);
  packArena(address, left);
  store<u32>(address, 0, F.T_ROW_COUNT);
  store<u32>(address, 0, F.T_SELECTION);
  return left;
}

function packColumn(column: usize, selection: usize, count: u32): void {
  const width = widthOf(column);
  const values = <usize>load<u32>(column, F.C_VALUES);
  const nulls = <usize>load<u32>(column, F.C_NULLS);
  for (let i: u32 = 0; i < count; i++) {
    const row = <usize>load<u32>(selection + (<usize>i << 2));
    store<u64>(values + <usize>i * width, load<u64>(values + row * width));
    if (width == 16) store<u64>(values + (<usize>i << 4), load<u64>(values + (row << 4), 8), 8);
    store<u8>(nulls + i, load<u8>(nulls + row));
  }
}

/** Copies the bytes that are left into a new arena, when half of them or more are dead. */
function packArena(address: usize, count: u32): void {
  let live: u32 = 0;
  const columns = load<u32>(address, F.T_COLUMN_COUNT);
  for (let k: u32 = 0; k < columns; k++) {
    const column = columnAt(address, k);
    if (!F.isBytes(load<u32>(column, F.C_KIND))) continue;
    for (let i: u32 = 0; i < count; i++) live += load<u32>(slotAt(column, i), 4);
  }
  if (<u64>live * 2 > load<u32>(address, K_ARENA_USED)) return;
  const arena = malloc(<usize>live + SLACK);
  // Without memory for a smaller arena the old one serves on.
  if (arena == 0) return;
  const old = <usize>load<u32>(address, K_ARENA);
  let used: u32 = 0;
  for (let k: u32 = 0; k < columns; k++) {
    const column = columnAt(address, k);
    if (!F.isBytes(load<u32>(column, F.C_KIND))) continue;
    for (let i: u32 = 0; i < count; i++) {
      const slot = slotAt(column, i);
      const length = load<u32>(slot, 4);
      memory.copy(arena + used, old + load<u32>(slot), length);
      store<u32>(slot, used);
      used += length;
    }
  }
  free(old);
  store<u32>(address, <u32>arena, K_ARENA);
  store<u32>(address, used, K_ARENA_USED);
  store<u32>(address, live, K_ARENA_CAPACITY);
}

/** Number of the first row that the last checkpoint does not hold. */
export function firstUnsaved(address: usize): u32 {
  return load<u32>(address, K_SAVED);
}

export function markSaved(address: usize): void {
  store<u32>(address, load<u32>(address, K_ROWS), K_SAVED);
}

/** Bytes that `write` writes of the rows from number `first` on. */
export function measure(address: usize, first: u32): u32 {
  const count = load<u32>(address, K_ROWS) - first;
  let bytes: u32 = 0;
  for (let k: u32 = 0, n = load<u32>(address, F.T_COLUMN_COUNT); k < n; k++) {
    const column = columnAt(address, k);
    bytes += count * (<u32>widthOf(column) + 1);
    if (F.isBytes(load<u32>(column, F.C_KIND))) bytes += 4 + textBytes(column, first, count);
  }
  return bytes;
}

function textBytes(column: usize, first: u32, count: u32): u32 {
  let bytes: u32 = 0;
  for (let i: u32 = 0; i < count; i++) bytes += load<u32>(slotAt(column, first + i), 4);
  return bytes;
}

/**
 * Writes the rows from number `first` on, column by column: slots, null bytes, and for text and
 * blobs u32 total and the bytes, into which the slots point.
 */
export function write(address: usize, first: u32, target: usize): void {
  const count = load<u32>(address, K_ROWS) - first;
  const arena = <usize>load<u32>(address, K_ARENA);
  let to = target;
  for (let k: u32 = 0, n = load<u32>(address, F.T_COLUMN_COUNT); k < n; k++) {
    const column = columnAt(address, k);
    const width = widthOf(column);
    const slots = to;
    memory.copy(slots, slotAt(column, first), count * width);
    to += count * width;
    memory.copy(to, <usize>load<u32>(column, F.C_NULLS) + first, count);
    to += count;
    if (!F.isBytes(load<u32>(column, F.C_KIND))) continue;
    store<u32>(to, textBytes(column, first, count));
    to += 4;
    let filled: u32 = 0;
    for (let i: u32 = 0; i < count; i++) {
      const slot = slots + (<usize>i << 3);
      const length = load<u32>(slot, 4);
      memory.copy(to + filled, arena + load<u32>(slot), length);
      store<u32>(slot, filled);
      filled += length;
    }
    to += filled;
  }
}
