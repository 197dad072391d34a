/**
 * Session windows: per key, intervals that grow with the rows within a gap of them and merge when a
 * row bridges them. A session is [first row, last row + gap); two that touch are one, as in Flink.
 * See parts/sessions.ts for the wheel, and `src/sql/kernel/session.ts` for who calls this and when.
 */
import { forgetGroups, missingRows, readGroups, writeGroups } from "./parts/cold";
import { foldBlock, inputColumn } from "./parts/fold";
import * as F from "./parts/fields";
import { FAILED_INPUT, fail, grabZeroed, hasFailed, push, reserve } from "./parts/heap";
import { save as saveState } from "./parts/image";
import { finish, mergeEntry } from "./parts/merge";
import { entryAt, fillSlot, findKey, foundSlot, newEntry, numberOf } from "./parts/pane";
import { paneAt, paneFrom } from "./parts/panes";
import { restoreBlob } from "./parts/restore";
import { freeResult, newResult, R_OVERFLOW, showSessions } from "./parts/result";
import { freeState, hashBlock, isPlainKey, newState, ownColumns, pointKeys, readBlock, warm } from "./parts/rows";
import { arm, BUCKET_COUNT, dueAt, floorDivide, killSession, leaveBucket } from "./parts/sessions";
import { markSession, NO_WHEEL, showTime, touchSession } from "./parts/sessions";
import { isNull, slotOf } from "./parts/value";

export { forgetGroups, freeResult, missingRows, newResult, readGroups, writeGroups };

/** Times that no calendar has: sums of them with gaps could wrap. */
const TIME_MAX: i64 = 1 << 60;

/** Where a session stands on its way out: not at all, out, and out but still in its old bucket. */
const NOT_FIRED: u32 = 0;
const FIRED: u32 = 1;
const FIRING_IN_BUCKET: u32 = 2;
const FIRING: u32 = 4;

/** 0: memory is out. `lateness`: how long a session that has ended still takes rows. */
export function create(layout: usize, gap: i64, lateness: i64, seed: u64, limit: i64): usize {
  const state = newState(layout, seed, limit);
  if (state == 0) return 0;
  store<i64>(state, gap, F.S_GAP);
  store<i64>(state, lateness, F.S_LATENESS);
  // The wheel turns once in four gaps: what is due later is met more often than it must be.
  store<i64>(state, gap / 256 + 1, F.S_TICK);
  store<i64>(state, NO_WHEEL, F.S_WHEEL);
  const buckets = grabZeroed(state, <usize>BUCKET_COUNT << 2);
  store<u32>(state, <u32>buckets, F.S_BUCKETS);
  store<u32>(state, BUCKET_COUNT, F.S_BUCKETS + 4);
  store<u32>(state, BUCKET_COUNT, F.S_BUCKETS + 8);
  if (buckets == 0 || paneFrom(state, 0) == 0) {
    if (buckets == 0) store<u32>(state, 0, F.S_BUCKETS + 8);
    freeState(state);
    return 0;
  }
  return state;
}

export function destroy(state: usize): void {
  freeState(state);
}

/** Why the state failed: 0 it has not, 1 memory, 2 a time that cannot be. */
export function failure(state: usize): u32 {
  return load<u32>(state, F.S_FAILED);
}

export function bytesHeld(state: usize): i64 {
  return load<i64>(state, F.S_BYTES);
}

/** Sessions that live, and some that do not any more. */
export function sessionCount(state: usize): u32 {
  return load<u32>(paneAt(state, 0), F.P_ENTRIES + 4);
}

/** Row numbers of the rows that the last `add` found late. */
export function lateRows(state: usize): usize {
  return load<u32>(state, F.S_SELECTION2);
}

export function lateCount(state: usize): u32 {
  return load<u32>(state, F.S_SELECTION2 + 4);
}

/**
 * Adds the rows of a table, save those that are late: the session that they would make or join,
 * after merging, has ended by the row's bound or by `watermark`, lateness added. `time` and `bound`
 * are columns by number + 1; `bound` 0: none. Gives `failure`.
 */
export function add(state: usize, table: usize, time: u32, bound: u32, watermark: i64): u32 {
  store<u32>(state, 0, F.S_SELECTION2 + 4);
  const columns = ownColumns(state, table, time, bound);
  if (hasFailed(state)) return failure(state);
  const count = load<u32>(table, F.T_ROW_COUNT);
  pointKeys(state, columns);
  const isPlain = isPlainKey(state);
  const times = inputColumn(columns, time);
  const bounds = inputColumn(columns, bound);
  const layout = <usize>load<u32>(state, F.S_LAYOUT);
  const pane = paneAt(state, 0);
  for (let from: u32 = 0; from < count; ) {
    if (hasFailed(state)) break;
    const n = count - from < F.BLOCK ? count - from : F.BLOCK;
    readBlock(state, table, 0, from, n);
    hashBlock(state, n, isPlain);
    warm(state, layout, pane, n);
    from += addBlock(state, columns, times, bounds, n, watermark);
  }
  return failure(state);
}

let kept: u32 = 0;

/** Adds rows of the block, at least one; gives how many: up to one that merges sessions. */
function addBlock(
  state: usize,
  columns: usize,
  times: usize,
  bounds: usize,
  count: u32,
  watermark: i64,
): u32 {
  const layout = <usize>load<u32>(state, F.S_LAYOUT);
  const block = <usize>load<u32>(state, F.S_BLOCK);
  const pane = paneAt(state, 0);
  const lateness = load<i64>(state, F.S_LATENESS);
  if (!reserve(state, pane + F.P_ENTRIES, load<u32>(layout, F.L_ENTRY_BYTES), count)) return count;
  kept = 0;
  let i: u32 = 0;
  for (; i < count; i++) {
    const row = <usize>load<u32>(block + F.B_ROWS + (<usize>i << 2));
    const time = load<i64>(slotOf(times, row));
    if (isNull(times, row) || time > TIME_MAX || time < -TIME_MAX) {
      fail(state, FAILED_INPUT);
      return count;
    }
    let bound = watermark;
    if (bounds && load<i64>(slotOf(bounds, row)) > bound) bound = load<i64>(slotOf(bounds, row));
    // A bound from before any row is the least i64: keep it from wrapping.
    const lateBefore = bound < i64.MIN_VALUE + lateness ? i64.MIN_VALUE : bound - lateness;
    const entry = sessionOf(state, layout, pane, i, row, time, lateBefore);
    if (hasFailed(state)) return count;
    if (entry == MUST_FOLD) break;
    if (entry == IS_LATE) {
      push(state, state + F.S_SELECTION2, <u32>row);
      continue;
    }
    // Late rows leave gaps: rows that are kept move up, which those to come do not notice.
    store<u32>(block + F.B_ROWS + (<usize>kept << 2), <u32>row);
    store<u32>(block + F.B_ENTRIES + (<usize>kept << 2), <u32>entry);
    store<u32>(block + F.B_PANES + (<usize>kept << 2), <u32>pane);
    kept++;
  }
  foldBlock(state, columns, kept, 0, load<i64>(state, F.S_SEQUENCE));
  store<i64>(state, load<i64>(state, F.S_SEQUENCE) + kept, F.S_SEQUENCE);
  return i;
}

const IS_LATE: usize = 0;
/** The rows of the block before this one must be in their sessions before sessions are merged. */
const MUST_FOLD: usize = 1;

/** The session that takes a row, made, grown or merged for it. */
function sessionOf(
  state: usize,
  layout: usize,
  pane: usize,
  i: u32,
  row: usize,
  time: i64,
  lateBefore: i64,
): usize {
  const block = <usize>load<u32>(state, F.S_BLOCK);
  const startSlot = load<u32>(layout, F.L_START);
  const endSlot = load<u32>(layout, F.L_END);
  const chain = load<u32>(layout, F.L_CHAIN);
  const hash = load<u32>(block + F.B_HASHES + (<usize>i << 2));
  const first = findKey(state, pane, block + F.B_KEYS, row, hash);
  const slot = foundSlot;
  let start = time;
  let end = time + load<i64>(state, F.S_GAP);
  let found: usize = 0;
  let touching: u32 = 0;
  for (let reference = first; reference; ) {
    const entry = entryAt(layout, pane, reference - 1);
    const itsStart = load<i64>(entry + startSlot);
    const itsEnd = load<i64>(entry + endSlot);
    if (time <= itsEnd && time + load<i64>(state, F.S_GAP) >= itsStart) {
      if (touching == 0 || isOlder(layout, entry, found)) found = entry;
      touching++;
      if (itsStart < start) start = itsStart;
      if (itsEnd > end) end = itsEnd;
    }
    reference = load<u32>(entry + chain);
  }
  if (end <= lateBefore) return IS_LATE;
  if (touching > 1) {
    if (kept > 0) return MUST_FOLD;
    mergeTouching(state, layout, pane, found, first, time);
    if (hasFailed(state)) return IS_LATE;
  }
  if (touching == 0) {
    found = newEntry(state, pane, block + F.B_KEYS, row, hash);
    if (found == 0) return IS_LATE;
    const number = numberOf(layout, pane, found);
    store<i64>(found + load<u32>(layout, F.L_CREATED), load<i64>(state, F.S_SEQUENCE) + kept);
    if (first) {
      const head = entryAt(layout, pane, first - 1);
      store<u32>(found + chain, load<u32>(head + chain));
      store<u32>(head + chain, number + 1);
    } else if (!fillSlot(state, pane, slot, number, hash)) return IS_LATE;
    store<i64>(found + endSlot, end);
    arm(state, layout, found, number + 1);
  }
  touchSession(state, layout, pane, found);
  store<i64>(found + startSlot, start);
  store<i64>(found + endSlot, end);
  return found;
}

function isOlder(layout: usize, entry: usize, other: usize): bool {
  const created = load<u32>(layout, F.L_CREATED);
  return load<i64>(entry + created) < load<i64>(other + created);
}

/** Merges all sessions of a key that touch a row into the oldest of them. */
function mergeTouching(
  state: usize,
  layout: usize,
  pane: usize,
  oldest: usize,
  first: u32,
  time: i64,
): void {
  const gap = load<i64>(state, F.S_GAP);
  touchSession(state, layout, pane, oldest);
  for (let reference = first; reference; ) {
    const entry = entryAt(layout, pane, reference - 1);
    const next = load<u32>(entry + load<u32>(layout, F.L_CHAIN));
    const touches =
      time <= load<i64>(entry + load<u32>(layout, F.L_END)) &&
      time + gap >= load<i64>(entry + load<u32>(layout, F.L_START));
    if (entry != oldest && touches) {
      touchSession(state, layout, pane, entry);
      mergeEntry(state, pane, oldest, pane, entry);
      killSession(state, layout, pane, entry, true);
      if (hasFailed(state)) return;
    }
    reference = next;
  }
}

/**
 * Closes the sessions that end by `watermark`. `closed` shows them by end, then by the order in
 * which they began to be; `taken` shows rows that went out before and are to be taken back, in the
 * order in which rows changed them. Both are good until the next `add`.
 */
export function close(state: usize, watermark: i64, closed: usize, taken: usize): u32 {
  const layout = <usize>load<u32>(state, F.S_LAYOUT);
  const pane = paneAt(state, 0);
  const due = state + F.S_SELECTION;
  store<u32>(due, 0, 4);
  turn(state, layout, pane, watermark);
  recheck(state, layout, pane, watermark);
  if (hasFailed(state)) return failure(state);
  const count = load<u32>(due, 4);
  sortSessions(layout, pane, load<u32>(due), count);
  const size = load<u32>(layout, F.L_ENTRY_BYTES);
  store<u32>(state, 0, F.S_RESULTS + 4);
  if (!reserve(state, state + F.S_RESULTS, size, count)) return failure(state);
  store<u32>(state, count, F.S_RESULTS + 4);
  store<u32>(closed, 0, R_OVERFLOW);
  for (let i: u32 = 0; i < count; i++) {
    const entry = entryAt(layout, pane, load<u32>(load<u32>(due) + (<usize>i << 2)));
    if (!finish(state, pane, entry)) store<u32>(closed, i + 1, R_OVERFLOW);
    const copy = <usize>load<u32>(state, F.S_RESULTS) + <usize>i * size;
    memory.copy(copy, entry, size);
    showTime(layout, copy);
    fire(state, layout, pane, entry, watermark);
  }
  const arena = load<u32>(pane, F.P_ARENA);
  showSessions(state, closed, load<u32>(state, F.S_RESULTS), count, arena);
  showSessions(state, taken, load<u32>(pane, F.P_IMAGES), load<u32>(pane, F.P_IMAGES + 4), arena);
  return failure(state);
}

/** Forgets the rows to be taken back, once they are read. */
export function settle(state: usize): void {
  store<u32>(paneAt(state, 0), 0, F.P_IMAGES + 4);
}

/** True when rows to be taken back wait to be read: a checkpoint would lose them. */
export function isUnsettled(state: usize): bool {
  return load<u32>(paneAt(state, 0), F.P_IMAGES + 4) != 0;
}

function fire(state: usize, layout: usize, pane: usize, entry: usize, watermark: i64): void {
  const at = entry + load<u32>(layout, F.L_FIRED);
  const isInBucket = load<u32>(at) == FIRING_IN_BUCKET;
  markSession(state, layout, pane, entry);
  store<u32>(at, FIRED);
  if (isInBucket) return;
  if (dueAt(state, layout, entry) <= watermark) killSession(state, layout, pane, entry, false);
  else arm(state, layout, entry, numberOf(layout, pane, entry) + 1);
}

/** Meets the buckets up to the watermark, the one that was met last among them. */
function turn(state: usize, layout: usize, pane: usize, watermark: i64): void {
  let to = floorDivide(watermark, load<i64>(state, F.S_TICK));
  let from = load<i64>(state, F.S_WHEEL);
  if (from == NO_WHEEL || to - from >= <i64>BUCKET_COUNT) from = to - <i64>BUCKET_COUNT + 1;
  if (to < from) to = from;
  // What is armed again goes to a bucket from here on.
  store<i64>(state, to, F.S_WHEEL);
  for (let tick = from; tick <= to; tick++) {
    const at = load<u32>(state, F.S_BUCKETS) + ((<u32>tick & (BUCKET_COUNT - 1)) << 2);
    let reference = load<u32>(at);
    store<u32>(at, 0);
    while (reference) {
      const entry = entryAt(layout, pane, reference - 1);
      const next = load<u32>(entry + load<u32>(layout, F.L_BUCKET));
      meet(state, layout, pane, entry, reference, watermark);
      reference = next;
    }
  }
}

function meet(
  state: usize,
  layout: usize,
  pane: usize,
  entry: usize,
  reference: u32,
  watermark: i64,
): void {
  const fired = entry + load<u32>(layout, F.L_FIRED);
  if (load<u32>(entry, F.E_CHECKPOINT) == F.DEAD) leaveBucket(layout, pane, entry);
  else if (dueAt(state, layout, entry) > watermark) arm(state, layout, entry, reference);
  else if (load<u32>(fired) == FIRED) killSession(state, layout, pane, entry, false);
  else {
    store<u32>(fired, FIRING);
    push(state, state + F.S_SELECTION, reference - 1);
  }
}

/** Looks at the sessions whose row was out and that changed: their bucket may lie too far ahead. */
function recheck(state: usize, layout: usize, pane: usize, watermark: i64): void {
  const list = pane + F.P_TOUCHED;
  let waiting: u32 = 0;
  for (let i: u32 = 0, n = load<u32>(list, 4); i < n; i++) {
    const number = load<u32>(load<u32>(list) + (<usize>i << 2));
    const entry = entryAt(layout, pane, number);
    const fired = entry + load<u32>(layout, F.L_FIRED);
    if (load<u32>(entry, F.E_CHECKPOINT) == F.DEAD || load<u32>(fired) != NOT_FIRED) continue;
    if (dueAt(state, layout, entry) > watermark) {
      store<u32>(load<u32>(list) + (<usize>waiting << 2), number);
      waiting++;
      continue;
    }
    store<u32>(fired, FIRING_IN_BUCKET);
    push(state, state + F.S_SELECTION, number);
  }
  store<u32>(list, waiting, 4);
}

function isBefore(layout: usize, pane: usize, one: u32, two: u32): bool {
  const a = entryAt(layout, pane, one);
  const b = entryAt(layout, pane, two);
  const end1 = load<i64>(a + load<u32>(layout, F.L_END));
  const end2 = load<i64>(b + load<u32>(layout, F.L_END));
  return end1 != end2 ? end1 < end2 : isOlder(layout, a, b);
}

/** Heap sort by end, then by order of creation, which no two share. */
function sortSessions(layout: usize, pane: usize, list: usize, count: u32): void {
  if (count < 2) return;
  for (let i = count >> 1; i > 0; i--) sift(layout, pane, list, i - 1, count);
  for (let end = count - 1; end > 0; end--) {
    const top = load<u32>(list);
    store<u32>(list, load<u32>(list + (<usize>end << 2)));
    store<u32>(list + (<usize>end << 2), top);
    sift(layout, pane, list, 0, end);
  }
}

function sift(layout: usize, pane: usize, list: usize, from: u32, count: u32): void {
  let i = from;
  const value = load<u32>(list + (<usize>i << 2));
  while (true) {
    let child: u32 = 2 * i + 1;
    if (child >= count) break;
    const at = list + (<usize>child << 2);
    if (child + 1 < count && isBefore(layout, pane, load<u32>(at), load<u32>(at, 4))) child++;
    const greater = load<u32>(list + (<usize>child << 2));
    if (!isBefore(layout, pane, value, greater)) break;
    store<u32>(list + (<usize>i << 2), greater);
    i = child;
  }
  store<u32>(list + (<usize>i << 2), value);
}

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

/** Reads a checkpoint. 0: done, 1: not a checkpoint, 2: version, 3: layout, 4: memory. */
export function restore(state: usize, blob: usize, length: u32, fingerprint: u32): u32 {
  return restoreBlob(state, blob, length, fingerprint);
}
