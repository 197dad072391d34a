/**
 * Pieces of panes: entries that left memory for a table, a part of their keys at a time, while rows
 * go on to come for their pane (`src/sql/kernel/window-pieces.ts`). What comes later makes a piece
 * of its own; when a window closes, the pieces of its panes are merged, again a part at a time.
 *
 * A piece, as bytes, little-endian; fields and nodes as in image.ts:
 *   u32 entries, u32 nodes, u32 addends, u32 0
 *   u32 per entry: its mark, which is the writer's
 *   the entries, a field of the layout after the other; the nodes
 *   the addends to sums of reals: u32 index of its entry, u32 slot, f64; of each entry in order
 */
import { ADDEND_BYTES, addAddends, addendAt } from "./addends";
import { BLOCK_COUNT, blockBytes } from "./away";
import * as F from "./fields";
import { addMember } from "./fold-sets";
import { hasFailed, releaseList, reserve } from "./heap";
import { listNodes, room, saveFields, saveNodes } from "./image";
import { finish } from "./merge";
import { mergePane, pointToEntries } from "./merge-panes";
import { entryAt, findKey, freePane, hashKeys, newPane } from "./pane";
import { lowerBound, paneAt, paneCount, paneFrom } from "./panes";
import { registerBytes } from "./registers";
import { R_END, R_OVERFLOW, R_START, R_TIME, showEntries } from "./result";
import { freeSegment, freeSets, needSets, segmentAt } from "./sets";
import { slotOf } from "./value";

export const PIECE_HEAD_BYTES: u32 = 16;

/**
 * Hashes the keys of a pane's entries with a seed that stays the same in every run; gives where the
 * words lie, 0: memory is out.
 */
export function placeEntries(state: usize, pane: usize, seed: u64): usize {
  const count = load<u32>(pane, F.P_ENTRIES + 4);
  const numbers = state + F.S_NUMBERS;
  store<u32>(numbers, 0, 4);
  if (!reserve(state, numbers, 4, count)) return 0;
  const block = <usize>load<u32>(state, F.S_BLOCK);
  const keys = pointToEntries(state, pane);
  const to = <usize>load<u32>(numbers);
  const own = load<u64>(state, F.S_SEED);
  store<u64>(state, seed, F.S_SEED);
  for (let from: u32 = 0; from < count; from += F.BLOCK) {
    const n = count - from < F.BLOCK ? count - from : F.BLOCK;
    for (let i: u32 = 0; i < n; i++) store<u32>(block + F.B_ROWS + (<usize>i << 2), from + i);
    hashKeys(state, keys, block + F.B_ROWS, n);
    memory.copy(to + (<usize>from << 2), block + F.B_HASHES, <usize>n << 2);
  }
  store<u64>(state, own, F.S_SEED);
  return to;
}

/** Writes `count` entries, whose numbers ascend in `list`, into the blob, with their marks. */
export function writePiece(state: usize, pane: usize, list: usize, count: u32, marks: usize): void {
  const layout = <usize>load<u32>(state, F.S_LAYOUT);
  const numbers = state + F.S_NUMBERS;
  store<u32>(state, 0, F.S_BLOB + 4);
  store<u32>(numbers, 0, 4);
  if (!reserve(state, numbers, 4, count)) return;
  memory.copy(load<u32>(numbers), list, <usize>count << 2);
  store<u32>(numbers, count, 4);
  const nodes = listNodes(state, layout, pane, true);
  const head = room(state, PIECE_HEAD_BYTES + (count << 2));
  if (head == 0) return;
  store<u32>(head, count);
  store<u32>(head, nodes, 4);
  store<u64>(head, 0, 8);
  memory.copy(head + PIECE_HEAD_BYTES, marks, <usize>count << 2);
  const fields = load<u32>(layout, F.L_FIELD_COUNT);
  if (!saveFields(state, layout, pane, load<u32>(numbers), count, 0, fields)) return;
  if (nodes && !saveNodes(state, layout, pane, nodes)) return;
  let addends: u32 = 0;
  if (load<u32>(pane, F.P_ADDENDS + 4)) {
    for (let i: u32 = 0; i < count; i++) {
      const entry = entryAt(layout, pane, load<u32>(load<u32>(numbers) + (<usize>i << 2)));
      addends += writeAddends(state, pane, entry, i);
      if (hasFailed(state)) return;
    }
  }
  store<u32>(<usize>load<u32>(state, F.S_BLOB), addends, 8);
}

function writeAddends(state: usize, pane: usize, entry: usize, index: u32): u32 {
  const last = load<u32>(entry, F.E_IMAGE);
  let count: u32 = 0;
  let reference = last;
  while (last) {
    reference = load<u32>(addendAt(pane, reference));
    const addend = addendAt(pane, reference);
    const to = room(state, ADDEND_BYTES);
    if (to == 0) return 0;
    store<u32>(to, index);
    store<u32>(to, load<u32>(addend, 4), 4);
    store<f64>(to, load<f64>(addend, 8), 8);
    count++;
    if (reference == last) break;
  }
  return count;
}

/** A pane of nobody's, with room for so many entries; 0: memory is out. */
export function newPiece(state: usize, entries: u32): usize {
  let slots: u32 = 16;
  while (slots < entries << 1) slots <<= 1;
  return newPane(state, 0, slots);
}

export function dropPiece(state: usize, pane: usize): void {
  freePane(state, pane);
}

/** Adds the entries of piece `from` to those of `pane`; S_NUMBERS has their numbers there. */
export function mergePiece(state: usize, pane: usize, from: usize): void {
  mergePane(state, pane, from);
  if (hasFailed(state) || load<u32>(from, F.P_ADDENDS + 4) == 0) return;
  const layout = <usize>load<u32>(state, F.S_LAYOUT);
  const numbers = <usize>load<u32>(state, F.S_NUMBERS);
  for (let i: u32 = 0, n = load<u32>(from, F.P_ENTRIES + 4); i < n; i++) {
    const entry = entryAt(layout, pane, load<u32>(numbers + (<usize>i << 2)));
    addAddends(entry, from, entryAt(layout, from, i));
  }
}

/** Shows `count` entries of a pane in the order of `list`, as the rows of a window. */
export function showPiece(
  state: usize,
  result: usize,
  pane: usize,
  list: usize,
  count: u32,
  start: i64,
  end: i64,
): void {
  const layout = <usize>load<u32>(state, F.S_LAYOUT);
  const size = load<u32>(layout, F.L_ENTRY_BYTES);
  const copies = state + F.S_RESULTS;
  store<u32>(copies, 0, 4);
  store<u32>(result, 0, R_OVERFLOW);
  if (!reserve(state, copies, size, count)) return;
  const to = <usize>load<u32>(copies);
  for (let i: u32 = 0; i < count; i++) {
    const entry = entryAt(layout, pane, load<u32>(list + (<usize>i << 2)));
    if (!finish(state, pane, entry) && load<u32>(result, R_OVERFLOW) == 0) {
      store<u32>(result, i + 1, R_OVERFLOW);
    }
    memory.copy(to + <usize>i * size, entry, size);
  }
  store<i64>(result, start, R_START);
  store<i64>(result, end, R_END);
  store<i64>(result, end - 1, R_TIME);
  showEntries(state, result, to, count, load<u32>(pane, F.P_ARENA));
}

/** What was needed to write and to show pieces goes. */
export function releaseWork(state: usize): void {
  releaseList(state, state + F.S_BLOB, 1);
  releaseList(state, state + F.S_NUMBERS, 4);
  releaseList(state, state + F.S_SELECTION, 4);
  releaseList(state, state + F.S_RESULTS, load<u32>(load<u32>(state, F.S_LAYOUT), F.L_ENTRY_BYTES));
}

/** All entries of a pane were written: it begins anew, and the next checkpoint says so. */
export function renewPane(state: usize, index: u32): void {
  const old = paneAt(state, index);
  const pane = newPane(state, load<i64>(old));
  if (hasFailed(state)) return;
  store<u32>(load<u32>(state, F.S_PANES) + (<usize>index << 2), <u32>pane);
  store<u32>(pane, 1, F.P_WHOLE);
  store<u32>(state, 0, F.S_LAST_PANE);
  mark(state, pane);
  freePane(state, old);
  releaseWork(state);
}

/** Notes that there are pieces of the pane that starts at `start`. */
export function markPane(state: usize, start: i64): void {
  const pane = paneFrom(state, start);
  if (pane) mark(state, pane);
}

function mark(state: usize, pane: usize): void {
  if (load<u32>(pane, F.P_HAS_PIECES)) return;
  store<u32>(pane, 1, F.P_HAS_PIECES);
  store<u32>(state, load<u32>(state, F.S_PIECED) + 1, F.S_PIECED);
}

/** Looks the entries of piece `from` up in `pane`, which has them all: S_NUMBERS has their numbers. */
export function findPiece(state: usize, pane: usize, from: usize): void {
  const layout = <usize>load<u32>(state, F.S_LAYOUT);
  const count = load<u32>(from, F.P_ENTRIES + 4);
  const numbers = state + F.S_NUMBERS;
  store<u32>(numbers, 0, 4);
  if (!reserve(state, numbers, 4, count)) return;
  const keys = pointToEntries(state, from);
  for (let i: u32 = 0; i < count; i++) {
    const hash = load<u32>(entryAt(layout, from, i), F.E_HASH);
    const reference = findKey(state, pane, keys, i, hash);
    store<u32>(<usize>load<u32>(numbers) + (<usize>i << 2), reference - 1);
  }
}

/** Counts members (fields.ts), whose entries are numbers in `pane`; texts lie from `bytes` on. */
export function addMembers(
  state: usize,
  pane: usize,
  members: usize,
  count: u32,
  bytes: usize,
): void {
  const layout = <usize>load<u32>(state, F.S_LAYOUT);
  if (!needSets(state, pane)) return;
  let member = members;
  for (let i: u32 = 0; i < count; i++, member += F.MEMBER_BYTES) {
    const number = load<u32>(member, F.M_ENTRY);
    addMember(state, layout, pane, entryAt(layout, pane, number), number, member, bytes);
    if (hasFailed(state)) return;
  }
}

/** Members of a pane are counted, and not asked for again. */
export function forgetMembers(state: usize, pane: usize): void {
  freeSets(state, pane);
}

/** Members of a segment went elsewhere. */
export function dropSegment(state: usize, segment: usize): void {
  freeSegment(state, segment);
}

/** The least or the greatest time of a table's rows. */
export function boundOfTimes(table: usize, time: u32, isGreatest: bool): i64 {
  const column = <usize>load<u32>(table, F.T_COLUMNS) + <usize>time * F.COLUMN_BYTES;
  const selection = <usize>load<u32>(table, F.T_SELECTION);
  let bound = isGreatest ? i64.MIN_VALUE : i64.MAX_VALUE;
  for (let i: u32 = 0, n = load<u32>(table, F.T_ROW_COUNT); i < n; i++) {
    const row = selection ? load<u32>(selection + (<usize>i << 2)) : i;
    const value = load<i64>(slotOf(column, row));
    if (isGreatest ? value > bound : value < bound) bound = value;
  }
  return bound;
}

/**
 * Bytes of the panes that start from `start` to before `end`, wherever they are, with those of their
 * sets or without.
 */
export function bytesBetween(state: usize, start: i64, end: i64, hasSets: bool): i64 {
  const layout = <usize>load<u32>(state, F.S_LAYOUT);
  let bytes: i64 = 0;
  for (let i = lowerBound(state, start), n = paneCount(state); i < n; i++) {
    const pane = paneAt(state, i);
    if (load<i64>(pane) >= end) break;
    for (let block: u32 = 0; block < BLOCK_COUNT; block++) bytes += blockBytes(state, pane, block);
    let a = <usize>load<u32>(layout, F.L_ACCUMULATORS);
    for (let k: u32 = 0, m = load<u32>(layout, F.L_ACCUMULATOR_COUNT); k < m; k++) {
      if (load<u32>(a, F.A_OP) == F.OP_APPROXIMATE) bytes += registersOf(layout, pane, a);
      a += F.ACCUMULATOR_BYTES;
    }
    if (hasSets && load<u32>(pane, F.P_SETS)) bytes += setBytes(pane);
  }
  return bytes;
}

/** Of a member there are its own bytes, and a slot and a half. */
const MEMBER_COST: i64 = <i64>F.MEMBER_BYTES + 12;

function setBytes(pane: usize): i64 {
  let bytes: i64 = 0;
  for (let i: u32 = 0; i < F.SEGMENT_COUNT; i++) {
    const segment = segmentAt(pane, i);
    bytes += <i64>load<u32>(segment, F.G_MEMBERS + 4) * MEMBER_COST;
    bytes += load<u32>(segment, F.G_BYTES + 4);
  }
  return bytes;
}

function registersOf(layout: usize, pane: usize, a: usize): i64 {
  // Those of a pane that is away are with its blocks.
  if (load<u32>(pane, F.P_AWAY)) return 0;
  const size = load<u32>(layout, F.L_ENTRY_BYTES);
  let slot = <usize>load<u32>(pane, F.P_ENTRIES) + load<u32>(a, F.A_HIDDEN);
  let bytes: i64 = 0;
  for (let i: u32 = 0, n = load<u32>(pane, F.P_ENTRIES + 4); i < n; i++, slot += size) {
    const registers = <usize>load<u32>(slot);
    if (registers) bytes += registerBytes(registers);
  }
  return bytes;
}
