/**
 * Grouped aggregation: rows with weights into panes of entries, panes into windows, and what
 * changed since it was last asked. See parts/fields.ts for the structures and
 * `src/sql/kernel/aggregate.ts` for who calls this and when.
 */
import { blockAddress, blockBytes, forgetBlocks, needPane } from "./parts/away";
import { packRegisters, placeBlocks, unpackRegisters } from "./parts/away";
import { changes, isUnsettled, looksSame, settle, settlePane } from "./parts/changes";
import { forgetGroups, missingRows, readGroups, writeGroups } from "./parts/cold";
import { inputColumn, foldBlock } from "./parts/fold";
import * as F from "./parts/fields";
import { FAILED_INPUT, fail, hasFailed, reserve } from "./parts/heap";
import { save as saveState } from "./parts/image";
import { finish } from "./parts/merge";
import { isGone, mergePane } from "./parts/merge-panes";
import { entryAt, findKey, newPane, touch } from "./parts/pane";
import { dropPaneAt, lowerBound, paneAt, paneCount, paneFrom } from "./parts/panes";
import { addMembers, boundOfTimes, bytesBetween, dropPiece, dropSegment } from "./parts/pieces";
import { findPiece, forgetMembers, markPane, mergePiece, newPiece } from "./parts/pieces";
import { placeEntries, releaseWork, renewPane, showPiece, writePiece } from "./parts/pieces";
import { readPiece, restoreBlob } from "./parts/restore";
import { freeResult, newResult, R_COLUMNS, R_END, R_OVERFLOW } from "./parts/result";
import { R_OWNS, R_PANE, R_SELECTION, R_START, R_TIME, select } from "./parts/result";
import { showEntries, showSelection } from "./parts/result";
import { countedSlot, freeState, hashBlock, hashInteger, isPlainKey, isSameKey } from "./parts/rows";
import { newState, ownColumns, pointKeys, readBlock } from "./parts/rows";
import { upsert, warm } from "./parts/rows";
import { comeBack as enter, hasSets, isSegmentDirty, leaveSegment, makeRoom } from "./parts/set-image";
import { restoreChunk, saveSegment as saveChunk, segmentOfPane } from "./parts/set-image";
import { settleSets } from "./parts/set-image";
import { isNull, slotOf } from "./parts/value";

export { freeResult };

/** Times that no calendar has: sums of them with sizes and offsets could wrap. */
const TIME_MAX: i64 = 1 << 60;

/** `size` 0: one pane for all rows, whatever their time. 0: memory is out. */
export function create(layout: usize, size: i64, offset: i64, seed: u64, limit: i64): usize {
  const state = newState(layout, seed, limit);
  if (state == 0) return 0;
  store<i64>(state, size, F.S_SIZE);
  store<i64>(state, offset, F.S_OFFSET);
  return state;
}

export function destroy(state: usize): void {
  freeState(state);
}

/** Why the state failed: 0 it has not, 1 memory, 2 a weight or a time that cannot be. */
export function failure(state: usize): u32 {
  return load<u32>(state, F.S_FAILED);
}

export function bytesHeld(state: usize): i64 {
  return load<i64>(state, F.S_BYTES);
}

/** Panes are counted from the oldest. */
export function panes(state: usize): u32 {
  return paneCount(state);
}

export function paneStart(state: usize, index: u32): i64 {
  return load<i64>(paneAt(state, index));
}

export function paneEntries(state: usize, index: u32): u32 {
  const pane = paneAt(state, index);
  return load<u32>(pane, F.P_ENTRIES + 4) - load<u32>(pane, F.P_DEAD);
}

/** Drops the panes that start before `start`. */
export function dropBefore(state: usize, start: i64): void {
  while (paneCount(state) > 0 && load<i64>(paneAt(state, 0)) < start) dropPaneAt(state, 0);
}

/**
 * Adds the rows of a table. `time` and `weight` are columns by number + 1, 0: none. Gives
 * `failure`.
 */
export function add(state: usize, table: usize, time: u32, weight: u32): u32 {
  if (hasFailed(state)) return failure(state);
  const layout = <usize>load<u32>(state, F.S_LAYOUT);
  const columns = ownColumns(state, table, time, weight);
  if (hasFailed(state)) return failure(state);
  const count = load<u32>(table, F.T_ROW_COUNT);
  pointKeys(state, columns);
  const isPlain = isPlainKey(state);
  const times = load<i64>(state, F.S_SIZE) ? inputColumn(columns, time) : 0;
  const counted = isPlain && weight == 0 ? countedSlot(state, layout, columns) : 0;
  if (counted) {
    if (!countPlain(state, layout, table, times, counted)) return failure(state);
    store<i64>(state, load<i64>(state, F.S_SEQUENCE) + count, F.S_SEQUENCE);
    return 0;
  }
  for (let from: u32 = 0; from < count; from += F.BLOCK) {
    const n = count - from < F.BLOCK ? count - from : F.BLOCK;
    const weights = readBlock(state, table, inputColumn(columns, weight), from, n);
    hashBlock(state, n, isPlain);
    const last = <usize>load<u32>(state, F.S_LAST_PANE);
    if (last) warm(state, layout, last, n);
    const isFound = isPlain
      ? findPlain(state, layout, times, n)
      : findEntries(state, layout, times, n);
    if (!isFound) return failure(state);
    foldBlock(state, columns, n, weights, load<i64>(state, F.S_SEQUENCE));
    store<i64>(state, load<i64>(state, F.S_SEQUENCE) + n, F.S_SEQUENCE);
    if (hasFailed(state)) return failure(state);
  }
  return 0;
}

function floorDivide(a: i64, b: i64): i64 {
  const q = a / b;
  return a % b < 0 ? q - 1 : q;
}

/** Start of the pane of a row; `time` is not NULL and not out of bounds, else the state fails. */
function startOf(state: usize, times: usize, row: usize): i64 {
  const time = load<i64>(slotOf(times, row));
  if (isNull(times, row) || time > TIME_MAX || time < -TIME_MAX) fail(state, FAILED_INPUT);
  const size = load<i64>(state, F.S_SIZE);
  const offset = load<i64>(state, F.S_OFFSET);
  return floorDivide(time - offset, size) * size + offset;
}

/** Whether a row lies in a pane, without a division. */
// @ts-ignore: decorator
@inline
function isWithin(state: usize, times: usize, row: usize, pane: usize): bool {
  if (load<u32>(times, F.C_NULLS) != 0) return false;
  return <u64>(load<i64>(slotOf(times, row)) - load<i64>(pane)) < load<u64>(state, F.S_SIZE);
}

/** Finds or makes the entry of each row of the block. */
function findEntries(state: usize, layout: usize, times: usize, count: u32): bool {
  const block = <usize>load<u32>(state, F.S_BLOCK);
  let pane: usize = times ? 0 : paneFor(state, 0, count);
  let entry: usize = 0;
  let last: usize = 0;
  for (let i: u32 = 0; i < count; i++) {
    const at = <usize>i << 2;
    const row = <usize>load<u32>(block + F.B_ROWS + at);
    if (times && (pane == 0 || !isWithin(state, times, row, pane))) {
      const start = startOf(state, times, row);
      if (pane == 0 || load<i64>(pane) != start) {
        pane = paneFor(state, start, count - i);
        entry = 0;
      }
    }
    if (pane == 0 || hasFailed(state)) return false;
    if (entry == 0 || !isSameKey(layout, block, row, last, i)) {
      entry = upsert(state, layout, pane, i);
      if (entry == 0) return false;
    }
    last = row;
    store<u32>(block + F.B_ENTRIES + at, <u32>entry);
    store<u32>(block + F.B_PANES + at, <u32>pane);
  }
  return !hasFailed(state);
}

/**
 * As `findEntries`, for one integer key that is not NULL: nearly all rows find their entry in the
 * pane of the row before, whose places stay in locals until a row makes an entry.
 */
function findPlain(state: usize, layout: usize, times: usize, count: u32): bool {
  const block = <usize>load<u32>(state, F.S_BLOCK);
  const size = load<i64>(state, F.S_SIZE);
  const key = <usize>load<u32>(layout, F.L_KEYS);
  const keySlot = <usize>load<u32>(key, F.K_SLOT);
  const keyNull = <usize>load<u32>(key, F.K_NULL);
  const column = <usize>load<u32>(block + F.B_KEYS);
  const values = <usize>load<u32>(column, F.C_VALUES);
  const stride = <usize>load<u32>(column, F.C_STRIDE);
  const timeValues = times ? <usize>load<u32>(times, F.C_VALUES) : 0;
  const timeStride = times ? <usize>load<u32>(times, F.C_STRIDE) : 0;
  const isChecked = times != 0 && load<u32>(times, F.C_NULLS) != 0;
  const bytes = <usize>load<u32>(layout, F.L_ENTRY_BYTES);
  const epoch = load<u32>(state, F.S_TOUCH);
  let pane: usize = times ? 0 : paneFor(state, 0, count);
  if (times == 0 && pane == 0) return false;
  let start: i64 = 0;
  let slots: usize = 0;
  let mask: u32 = 0;
  let entries: usize = 0;
  let isStale = true;
  for (let i: u32 = 0; i < count; i++) {
    const at = <usize>i << 2;
    const row = <usize>load<u32>(block + F.B_ROWS + at);
    if (times) {
      const time = load<i64>(timeValues + row * timeStride);
      if (pane == 0 || <u64>(time - start) >= <u64>size || isChecked) {
        start = startOf(state, times, row);
        pane = hasFailed(state) ? 0 : paneFor(state, start, count - i);
        if (pane == 0) return false;
        isStale = true;
      }
    }
    if (isStale) {
      slots = <usize>load<u32>(pane, F.P_SLOTS);
      mask = load<u32>(pane, F.P_SLOT_COUNT) - 1;
      entries = <usize>load<u32>(pane, F.P_ENTRIES);
      isStale = false;
    }
    const hash = load<u32>(block + F.B_HASHES + at);
    const value = load<i64>(values + row * stride);
    let entry: usize = 0;
    let j = hash & mask;
    while (true) {
      const slot = load<u64>(slots + (<usize>j << 3));
      if (<u32>slot == 0) break;
      if (<u32>(slot >> 32) == hash) {
        const there = entries + <usize>(<u32>slot - 1) * bytes;
        if (load<i64>(there + keySlot) == value && load<u8>(there + keyNull) == 0) {
          entry = there;
          break;
        }
      }
      j = (j + 1) & mask;
    }
    if (entry) touch(state, layout, pane, entry, epoch);
    else {
      entry = upsert(state, layout, pane, i);
      if (entry == 0) return false;
      isStale = true;
    }
    store<u32>(block + F.B_ENTRIES + at, <u32>entry);
    store<u32>(block + F.B_PANES + at, <u32>pane);
  }
  return !hasFailed(state);
}

/**
 * COUNT by one integer key that is not NULL, in one pass: what `findPlain` and the folding of a
 * block do one after the other.
 */
function countPlain(state: usize, layout: usize, table: usize, times: usize, slot: u32): bool {
  const block = <usize>load<u32>(state, F.S_BLOCK);
  const selection = <usize>load<u32>(table, F.T_SELECTION);
  const count = load<u32>(table, F.T_ROW_COUNT);
  const seed = load<u64>(state, F.S_SEED);
  const size = load<i64>(state, F.S_SIZE);
  const key = <usize>load<u32>(layout, F.L_KEYS);
  const keySlot = <usize>load<u32>(key, F.K_SLOT);
  const keyNull = <usize>load<u32>(key, F.K_NULL);
  const column = <usize>load<u32>(block + F.B_KEYS);
  const values = <usize>load<u32>(column, F.C_VALUES);
  const stride = <usize>load<u32>(column, F.C_STRIDE);
  const timeValues = times ? <usize>load<u32>(times, F.C_VALUES) : 0;
  const timeStride = times ? <usize>load<u32>(times, F.C_STRIDE) : 0;
  const isChecked = times != 0 && load<u32>(times, F.C_NULLS) != 0;
  const bytes = <usize>load<u32>(layout, F.L_ENTRY_BYTES);
  const rowsSlot = load<u32>(layout, F.L_ROWS);
  const epoch = load<u32>(state, F.S_TOUCH);
  let pane: usize = times ? 0 : paneFor(state, 0, 1);
  if (times == 0 && pane == 0) return false;
  let start: i64 = 0;
  let slots: usize = 0;
  let mask: u32 = 0;
  let entries: usize = 0;
  let isStale = true;
  for (let i: u32 = 0; i < count; i++) {
    const row = <usize>(selection ? load<u32>(selection + (<usize>i << 2)) : i);
    if (times) {
      const time = load<i64>(timeValues + row * timeStride);
      if (pane == 0 || <u64>(time - start) >= <u64>size || isChecked) {
        start = startOf(state, times, row);
        pane = hasFailed(state) ? 0 : paneFor(state, start, 1);
        if (pane == 0) return false;
        isStale = true;
      }
    }
    if (isStale) {
      slots = <usize>load<u32>(pane, F.P_SLOTS);
      mask = load<u32>(pane, F.P_SLOT_COUNT) - 1;
      entries = <usize>load<u32>(pane, F.P_ENTRIES);
      isStale = false;
    }
    const value = load<i64>(values + row * stride);
    const hash = hashInteger(seed, <u64>value);
    let entry: usize = 0;
    let j = hash & mask;
    while (true) {
      const reference = load<u64>(slots + (<usize>j << 3));
      if (<u32>reference == 0) break;
      if (<u32>(reference >> 32) == hash) {
        const there = entries + <usize>(<u32>reference - 1) * bytes;
        if (load<i64>(there + keySlot) == value && load<u8>(there + keyNull) == 0) {
          entry = there;
          break;
        }
      }
      j = (j + 1) & mask;
    }
    if (entry) touch(state, layout, pane, entry, epoch);
    else {
      store<u32>(block + F.B_ROWS, <u32>row);
      store<u32>(block + F.B_HASHES, hash);
      entry = upsert(state, layout, pane, 0);
      if (entry == 0) return false;
      isStale = true;
    }
    store<i64>(entry + slot, load<i64>(entry + slot) + 1);
    if (rowsSlot != 0) store<i64>(entry + rowsSlot, load<i64>(entry + rowsSlot) + 1);
  }
  return !hasFailed(state);
}

/** The pane that starts at `start`, with room for `count` entries, which then do not move. */
function paneFor(state: usize, start: i64, count: u32): usize {
  let pane = <usize>load<u32>(state, F.S_LAST_PANE);
  if (pane == 0 || load<i64>(pane) != start) {
    pane = paneFrom(state, start);
    if (pane == 0) return 0;
    // What fetches it does so in the middle of a block, which it must leave alone.
    needPane(state, pane);
    store<u32>(state, <u32>pane, F.S_LAST_PANE);
  }
  const size = load<u32>(load<u32>(state, F.S_LAYOUT), F.L_ENTRY_BYTES);
  return reserve(state, pane + F.P_ENTRIES, size, count) ? pane : 0;
}

/**
 * The result of the window [start, end): all its panes merged. A window of one pane shows the pane
 * itself unless `isCopy`; such a result is good until rows are added or the pane is dropped. Gives
 * 0 when memory is out.
 */
export function merge(state: usize, start: i64, end: i64, isCopy: bool): usize {
  if (hasFailed(state)) return 0;
  const result = newResult(state);
  if (result == 0) return 0;
  store<i64>(result, start, R_START);
  store<i64>(result, end, R_END);
  store<i64>(result, end - 1, R_TIME);
  const first = lowerBound(state, start);
  const behind = lowerBound(state, end);
  let pane: usize = 0;
  if (behind == first + 1 && !isCopy) {
    pane = paneAt(state, first);
  } else if (behind > first) {
    pane = newPane(state, start);
    if (pane == 0) return 0;
    store<u32>(result, 1, R_OWNS);
    store<u32>(result, <u32>pane, R_PANE);
    for (let i = first; i < behind; i++) mergePane(state, pane, paneAt(state, i));
    if (hasFailed(state)) return 0;
  }
  store<u32>(result, <u32>pane, R_PANE);
  showPane(state, result, pane);
  return hasFailed(state) ? 0 : result;
}

/** The only pane of a state without windows, as it stands. */
export function all(state: usize): usize {
  return merge(state, i64.MIN_VALUE, i64.MAX_VALUE, false);
}

/** Shows the living entries of a pane; 0: no pane, no rows. */
function showPane(state: usize, result: usize, pane: usize): void {
  if (pane == 0) {
    showEntries(state, result, 0, 0, 0);
    return;
  }
  const layout = <usize>load<u32>(state, F.S_LAYOUT);
  const count = load<u32>(pane, F.P_ENTRIES + 4);
  const rows = load<u32>(layout, F.L_ROWS);
  let gaps: u32 = 0;
  for (let i: u32 = 0; i < count; i++) {
    const entry = entryAt(layout, pane, i);
    if (isGone(entry, rows)) {
      gaps++;
      continue;
    }
    if (!finish(state, pane, entry) && load<u32>(result, R_OVERFLOW) == 0) {
      store<u32>(result, i + 1, R_OVERFLOW);
    }
  }
  showEntries(state, result, load<u32>(pane, F.P_ENTRIES), count, load<u32>(pane, F.P_ARENA));
  if (gaps == 0) return;
  for (let i: u32 = 0; i < count; i++) {
    if (!isGone(entryAt(layout, pane, i), rows) && !select(state, result, i)) return;
  }
  showSelection(result);
}

/**
 * Compares two results of one window, the older of which must be a copy: selects in `older` the
 * rows that have gone or look different now, in `newer` those that are new or look different.
 */
export function compare(state: usize, older: usize, newer: usize): u32 {
  const layout = <usize>load<u32>(state, F.S_LAYOUT);
  const keys = <usize>load<u32>(state, F.S_BLOCK) + F.B_KEYS;
  const rows = load<u32>(layout, F.L_ROWS);
  store<u32>(older, 0, R_SELECTION + 4);
  store<u32>(newer, 0, R_SELECTION + 4);
  const before = <usize>load<u32>(older, R_PANE);
  const after = <usize>load<u32>(newer, R_PANE);
  for (let side: u32 = 0; side < 2; side++) {
    const pane = side ? after : before;
    const other = side ? before : after;
    const result = side ? newer : older;
    for (let k: u32 = 0, n = load<u32>(layout, F.L_KEY_COUNT); k < n; k++) {
      store<u32>(keys + (<usize>k << 2), <u32>(result + R_COLUMNS + <usize>k * F.COLUMN_BYTES));
    }
    const count = pane ? load<u32>(pane, F.P_ENTRIES + 4) : 0;
    for (let i: u32 = 0; i < count; i++) {
      const entry = entryAt(layout, pane, i);
      if (isGone(entry, rows)) continue;
      const there = other ? findKey(state, other, keys, i, load<u32>(entry, F.E_HASH)) : 0;
      if (there) {
        const twin = entryAt(layout, other, there - 1);
        const arena1 = load<u32>(pane, F.P_ARENA);
        const arena2 = load<u32>(other, F.P_ARENA);
        if (!isGone(twin, rows) && looksSame(layout, entry, arena1, twin, arena2)) continue;
      }
      select(state, result, i);
    }
  }
  showSelection(older);
  showSelection(newer);
  return failure(state);
}

export { changes, isUnsettled, newResult, settle, settlePane };

/** Writes a checkpoint; it lies at `blobAddress` until the next call. Gives `failure`. */
export function save(state: usize, isFull: bool, fingerprint: u32): u32 {
  if (!hasFailed(state)) saveState(state, isFull, fingerprint);
  return failure(state);
}

export function blobAddress(state: usize): usize {
  return load<u32>(state, F.S_BLOB);
}

export function blobLength(state: usize): u32 {
  return load<u32>(state, F.S_BLOB + 4);
}

export { blockAddress, blockBytes, forgetBlocks, packRegisters, paneAt, placeBlocks, unpackRegisters };
export { hasSets, isSegmentDirty, leaveSegment, makeRoom, segmentOfPane, settleSets };

export { forgetGroups, missingRows, readGroups, writeGroups };

export { addMembers, boundOfTimes, bytesBetween, dropPiece, dropSegment, findPiece };
export { forgetMembers, markPane, mergePiece, newPiece, placeEntries, readPiece };
export { releaseWork, renewPane, showPiece, writePiece };

/** Writes the chunk of a segment of sets into the blob. Gives `failure`. */
export function saveSegment(state: usize, index: u32, segment: u32, isFull: bool): u32 {
  const pane = paneAt(state, index);
  if (!hasFailed(state)) saveChunk(state, pane, segment, isFull);
  return failure(state);
}

/** What was on scratch disk is in its place again. False: memory is out. */
export function comeBack(state: usize, index: u32, segment: usize): bool {
  return enter(state, paneAt(state, index), segment);
}

export function restoreSegment(state: usize, chunk: usize): u32 {
  restoreChunk(state, chunk);
  return failure(state);
}

/** Reads a checkpoint. 0: done, 1: not a checkpoint, 2: version, 3: layout, 4: memory. */
export function restore(state: usize, blob: usize, length: u32, fingerprint: u32): u32 {
  return restoreBlob(state, blob, length, fingerprint);
}
