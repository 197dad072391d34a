/** Reads the checkpoints that image.ts writes. */
import { keepBytes, NO_OFFSET, ownsBytes, waste } from "./arena";
import { isSavedWhole, nodeAt, setValueCount, freeNodes } from "./distinct";
import { needPane } from "./away";
import * as F from "./fields";
import { hasFailed, push } from "./heap";
import { HEADER_BYTES, HEADER_BYTES_1, MAGIC, markNodes, SECTION_BYTES, VERSION } from "./image";
import { VERSION_NAMED } from "./image";
import { ADDEND_BYTES, keepAddend } from "./addends";
import { dropPaneAt, paneAt, paneCount, paneFrom } from "./panes";
import { entryAt, fillSlot, findKey, foundSlot, hashKeys, newEntry, numberOf } from "./pane";
import { removeEntry } from "./pane";
import { copyRegisters, freeRegisters } from "./registers";
import { restoreMember, takeSets } from "./set-image";
import { arm, findCreated, killSession } from "./sessions";
import { needSets } from "./sets";
import { low, takeSlot } from "./value";

export const RESTORED: u32 = 0;
export const NOT_A_CHECKPOINT: u32 = 1;
export const OTHER_VERSION: u32 = 2;
export const OTHER_LAYOUT: u32 = 3;
export const NO_MEMORY: u32 = 4;

/** Where reading stands. */
let at: usize = 0;

export function restoreBlob(state: usize, blob: usize, length: u32, fingerprint: u32): u32 {
  if (length < HEADER_BYTES_1 || load<u32>(blob) != MAGIC) return NOT_A_CHECKPOINT;
  const version = load<u16>(blob, 4);
  if (version == 0 || version > VERSION) return OTHER_VERSION;
  const headerBytes = version == 1 ? HEADER_BYTES_1 : HEADER_BYTES;
  if (length < headerBytes) return NOT_A_CHECKPOINT;
  if (load<u32>(blob, 8) != fingerprint) return OTHER_LAYOUT;
  const isFull = load<u16>(blob, 6) != 0;
  const panes = load<u32>(blob, 12);
  const isNamed = version == VERSION_NAMED;
  const layout = <usize>load<u32>(state, F.S_LAYOUT);
  store<i64>(state, load<i64>(blob, 16), F.S_SEQUENCE);
  if (isFull) while (paneCount(state)) dropPaneAt(state, paneCount(state) - 1);
  at = blob + headerBytes;
  for (let i: u32 = 0; i < panes; i++) {
    const start = load<i64>(at);
    // Panes that are not listed are gone.
    while (i < paneCount(state) && load<i64>(paneAt(state, i)) < start) dropPaneAt(state, i);
    let sets: u32 = 0;
    if (load<u32>(at, 8) && i < paneCount(state) && load<i64>(paneAt(state, i)) == start) {
      // Groups left memory; those that named them know them still.
      if (isNamed) sets = takeSets(paneAt(state, i));
      dropPaneAt(state, i);
    }
    const pane = paneFrom(state, start);
    if (pane == 0) return NO_MEMORY;
    if (sets) store<u32>(pane, sets, F.P_SETS);
    needPane(state, pane);
    restorePane(state, pane, isNamed);
    if (hasFailed(state)) return NO_MEMORY;
  }
  while (paneCount(state) > panes) dropPaneAt(state, paneCount(state) - 1);
  if (isNamed) store<u32>(state, load<u32>(blob, 36), F.S_NEXT_NAME);
  else if (load<u32>(layout, F.L_NAME) && paneCount(state)) nameEntries(state, layout, paneAt(state, 0));
  if (isSavedWhole(state)) rearm(state, load<i64>(blob, 24));
  return at == blob + length ? RESTORED : NOT_A_CHECKPOINT;
}

/** Of an older version: groups are called what members call them, the numbers of their entries. */
function nameEntries(state: usize, layout: usize, pane: usize): void {
  const name = load<u32>(layout, F.L_NAME);
  const count = load<u32>(pane, F.P_ENTRIES + 4);
  for (let i: u32 = 0; i < count; i++) store<u32>(entryAt(layout, pane, i) + name, i);
  store<u32>(state, count, F.S_NEXT_NAME);
}

/** Names of entries, which stand behind their fields. */
function readNames(state: usize, layout: usize, pane: usize, count: u32): void {
  const name = load<u32>(layout, F.L_NAME);
  if (name == 0) return;
  for (let i: u32 = 0; i < count; i++, at += 4) {
    store<u32>(entryOf(state, layout, pane, i) + name, load<u32>(at));
  }
}

function restorePane(state: usize, pane: usize, isNamed: bool): void {
  const layout = <usize>load<u32>(state, F.S_LAYOUT);
  const removed = load<u32>(at, 12);
  const entries = load<u32>(at, 16);
  const nodes = load<u32>(at, 20);
  at += SECTION_BYTES;
  if (removed) {
    readKeys(state, layout, removed);
    const created = at;
    if (isSavedWhole(state)) at += <usize>removed << 3;
    removeRows(state, layout, pane, removed, created);
  }
  const columns = at;
  readKeys(state, layout, entries);
  const created = fieldAt(layout, columns, entries, load<u32>(layout, F.L_CREATED));
  if (!findRows(state, layout, pane, entries, created)) return;
  readFields(state, layout, pane, entries);
  if (hasFailed(state)) return;
  if (isNamed) readNames(state, layout, pane, entries);
  if (isSavedWhole(state)) forgetNodes(state, layout, pane);
  if (nodes) readNodes(state, layout, pane, nodes);
  markNodes(pane);
  store<u32>(pane, 0, F.P_DIRTY + 4);
  store<u32>(pane, 0, F.P_REMOVED + 4);
  store<u32>(pane, 0, F.P_DIRTY_NODES + 4);
}

/**
 * Reads an entry that `saveEntry` wrote, which the last checkpoint does not hold. False: memory is
 * out.
 */
export function restoreEntry(state: usize, pane: usize, address: usize): bool {
  const layout = <usize>load<u32>(state, F.S_LAYOUT);
  const nodes = load<u32>(address);
  at = address + 4;
  const isSession = isSavedWhole(state);
  const columns = at;
  readKeys(state, layout, 1);
  const created = isSession ? fieldAt(layout, columns, 1, load<u32>(layout, F.L_CREATED)) : 0;
  if (!findRows(state, layout, pane, 1, created)) return false;
  readFields(state, layout, pane, 1);
  readNames(state, layout, pane, 1);
  if (nodes && !hasFailed(state)) readNodes(state, layout, pane, nodes);
  if (hasFailed(state)) return false;
  const entry = entryOf(state, layout, pane, 0);
  const checkpoint = load<u32>(state, F.S_CHECKPOINT);
  store<u32>(entry, checkpoint, F.E_CHECKPOINT);
  const number = numberOf(layout, pane, entry);
  if (!push(state, pane + F.P_DIRTY, number)) return false;
  if (isSession) {
    // Of sessions this says whether the last checkpoint holds them; their nodes are written whole.
    store<u32>(entry, 0, F.E_IMAGE);
    arm(state, layout, entry, number + 1);
    return true;
  }
  let a = <usize>load<u32>(layout, F.L_ACCUMULATORS);
  for (let i: u32 = 0, n = load<u32>(layout, F.L_ACCUMULATOR_COUNT); i < n; i++) {
    const owner = load<u32>(a, F.A_NODES);
    if (owner) noteRing(state, pane, load<u32>(entry + owner), checkpoint);
    a += F.ACCUMULATOR_BYTES;
  }
  return !hasFailed(state);
}

/** Reads a piece (pieces.ts), none of whose groups is in the pane. */
export function readPiece(state: usize, pane: usize, piece: usize): void {
  const layout = <usize>load<u32>(state, F.S_LAYOUT);
  const entries = load<u32>(piece);
  const nodes = load<u32>(piece, 4);
  const addends = load<u32>(piece, 8);
  at = piece + 16 + (<usize>entries << 2);
  readKeys(state, layout, entries);
  if (!findRows(state, layout, pane, entries, 0)) return;
  readFields(state, layout, pane, entries);
  if (nodes && !hasFailed(state)) readNodes(state, layout, pane, nodes);
  for (let i: u32 = 0; i < addends; i++, at += ADDEND_BYTES) {
    const entry = entryOf(state, layout, pane, load<u32>(at));
    keepAddend(state, pane, entry, load<u32>(at, 4), load<f64>(at, 8));
    if (hasFailed(state)) return;
  }
}

/** The next checkpoint has these nodes to say. */
function noteRing(state: usize, pane: usize, first: u32, checkpoint: u32): void {
  let reference = first;
  while (reference) {
    const node = nodeAt(pane, reference);
    store<u32>(node, checkpoint, F.N_CHECKPOINT);
    push(state, pane + F.P_DIRTY_NODES, reference);
    reference = load<u32>(node, F.N_NEXT);
    if (reference == first) return;
  }
}

/** Bytes of a column of the checkpoint. */
function columnLength(column: usize, sort: u32, count: u32): usize {
  if (sort == F.FIELD_BYTE) return count;
  if (sort == F.FIELD_EIGHT) return <usize>count << 3;
  if (sort == F.FIELD_SIXTEEN) return <usize>count << 4;
  if (sort == F.FIELD_TEXT) return (<usize>count << 3) + 4 + load<u32>(column + (<usize>count << 3));
  let bytes = <usize>count << 2;
  for (let i: u32 = 0; i < count; i++) bytes += load<u32>(column + (<usize>i << 2));
  return bytes;
}

/** Where the column of the field with this offset stands; 0: there is none. */
function fieldAt(layout: usize, columns: usize, count: u32, offset: u32): usize {
  let field = <usize>load<u32>(layout, F.L_FIELDS);
  let column = columns;
  for (let i: u32 = 0, n = load<u32>(layout, F.L_FIELD_COUNT); i < n; i++) {
    if (load<u32>(field, F.F_OFFSET) == offset) return column;
    column += columnLength(column, load<u32>(field), count);
    field += F.FIELD_BYTES;
  }
  return 0;
}

/** Describes the keys that stand at `at` as columns of the state, and moves behind them. */
function readKeys(state: usize, layout: usize, count: u32): void {
  const keys = <usize>load<u32>(state, F.S_BLOCK) + F.B_KEYS;
  let field = <usize>load<u32>(layout, F.L_FIELDS);
  let key = <usize>load<u32>(layout, F.L_KEYS);
  let column = <usize>load<u32>(state, F.S_COLUMNS);
  for (let k: u32 = 0, n = load<u32>(layout, F.L_KEY_COUNT); k < n; k++) {
    const sort = load<u32>(field);
    store<u32>(keys + (<usize>k << 2), <u32>column);
    store<u32>(column, load<u32>(key, F.K_KIND), F.C_KIND);
    store<u32>(column, <u32>at, F.C_VALUES);
    store<u32>(column, sort == F.FIELD_SIXTEEN ? 16 : 8, F.C_STRIDE);
    store<u32>(column, sort == F.FIELD_TEXT ? <u32>at + count * 8 + 4 : 0, F.C_BASE);
    at += columnLength(at, sort, count);
    store<u32>(column, <u32>at, F.C_NULLS);
    store<u32>(column, 1, F.C_NULL_STRIDE);
    at += count;
    field += 2 * F.FIELD_BYTES;
    key += F.KEY_BYTES;
    column += F.COLUMN_BYTES;
  }
}

/** Hashes rows `from` … of the keys described last; gives how many. */
function hashRows(state: usize, from: u32, count: u32): u32 {
  const block = <usize>load<u32>(state, F.S_BLOCK);
  const n = count - from < F.BLOCK ? count - from : F.BLOCK;
  for (let i: u32 = 0; i < n; i++) store<u32>(block + F.B_ROWS + (<usize>i << 2), from + i);
  hashKeys(state, block + F.B_KEYS, block + F.B_ROWS, n);
  return n;
}

function removeRows(state: usize, layout: usize, pane: usize, count: u32, created: usize): void {
  const block = <usize>load<u32>(state, F.S_BLOCK);
  for (let from: u32 = 0; from < count; from += F.BLOCK) {
    const n = hashRows(state, from, count);
    for (let i: u32 = 0; i < n; i++) {
      const hash = load<u32>(block + F.B_HASHES + (<usize>i << 2));
      const reference = findKey(state, pane, block + F.B_KEYS, from + i, hash);
      if (reference == 0) continue;
      if (!isSavedWhole(state)) {
        removeEntry(state, pane, entryAt(layout, pane, reference - 1));
        continue;
      }
      const order = load<i64>(created + (<usize>(from + i) << 3));
      const entry = findCreated(layout, pane, reference, order);
      if (entry == 0) continue;
      store<u32>(entry, 0, F.E_IMAGE);
      killSession(state, layout, pane, entry, false);
    }
  }
}

/** Finds or makes the entries of the keys described last; their numbers go to S_NUMBERS. */
function findRows(state: usize, layout: usize, pane: usize, count: u32, created: usize): bool {
  const block = <usize>load<u32>(state, F.S_BLOCK);
  const numbers = state + F.S_NUMBERS;
  const isSession = isSavedWhole(state);
  const chain = load<u32>(layout, F.L_CHAIN);
  store<u32>(numbers, 0, 4);
  for (let from: u32 = 0; from < count; from += F.BLOCK) {
    const n = hashRows(state, from, count);
    for (let i: u32 = 0; i < n; i++) {
      const hash = load<u32>(block + F.B_HASHES + (<usize>i << 2));
      const reference = findKey(state, pane, block + F.B_KEYS, from + i, hash);
      const slot = foundSlot;
      let entry: usize = 0;
      if (reference) {
        entry = isSession
          ? findCreated(layout, pane, reference, load<i64>(created + (<usize>(from + i) << 3)))
          : entryAt(layout, pane, reference - 1);
      }
      if (entry == 0) {
        entry = newEntry(state, pane, block + F.B_KEYS, from + i, hash);
        if (entry == 0) return false;
        if (reference) {
          const first = entryAt(layout, pane, reference - 1);
          store<u32>(entry + chain, load<u32>(first + chain));
          store<u32>(first + chain, numberOf(layout, pane, entry) + 1);
        } else if (!fillSlot(state, pane, slot, numberOf(layout, pane, entry), hash)) return false;
      }
      if (isSession) store<u32>(entry, 1, F.E_IMAGE);
      if (!push(state, numbers, numberOf(layout, pane, entry))) return false;
    }
  }
  return true;
}

/** The entry of row `i` of the section. */
// @ts-ignore: decorator
@inline
function entryOf(state: usize, layout: usize, pane: usize, i: u32): usize {
  return entryAt(layout, pane, load<u32>(load<u32>(state, F.S_NUMBERS) + (<usize>i << 2)));
}

/** Reads the fields behind the keys into the entries. */
function readFields(state: usize, layout: usize, pane: usize, count: u32): void {
  const keyFields = load<u32>(layout, F.L_KEY_COUNT) * 2;
  let field = <usize>load<u32>(layout, F.L_FIELDS) + <usize>keyFields * F.FIELD_BYTES;
  for (let f = keyFields, n = load<u32>(layout, F.L_FIELD_COUNT); f < n; f++) {
    const sort = load<u32>(field);
    const offset = load<u32>(field, F.F_OFFSET);
    const column = at;
    at += columnLength(column, sort, count);
    let registers = column + (<usize>count << 2);
    const accumulator = load<u32>(field, F.F_ACCUMULATOR);
    for (let i: u32 = 0; i < count; i++) {
      const slot = entryOf(state, layout, pane, i) + offset;
      if (sort == F.FIELD_BYTE) store<u8>(slot, load<u8>(column + i));
      else if (sort == F.FIELD_EIGHT) store<u64>(slot, load<u64>(column + (<usize>i << 3)));
      else if (sort == F.FIELD_SIXTEEN) {
        store<u64>(slot, load<u64>(column + (<usize>i << 4)));
        store<u64>(slot, load<u64>(column + (<usize>i << 4), 8), 8);
      } else if (sort == F.FIELD_REGISTERS) {
        const bytes = load<u32>(column + (<usize>i << 2));
        freeRegisters(state, slot);
        if (!copyRegisters(state, slot, registers, bytes)) return;
        registers += bytes;
      } else if (!readText(state, layout, pane, slot, column, i, count, accumulator)) return;
    }
    field += F.FIELD_BYTES;
  }
}

function readText(
  state: usize,
  layout: usize,
  pane: usize,
  slot: usize,
  column: usize,
  i: u32,
  count: u32,
  accumulator: u32,
): bool {
  const a = load<u32>(layout, F.L_ACCUMULATORS) + accumulator * F.ACCUMULATOR_BYTES;
  if (ownsBytes(a)) waste(pane, load<u32>(slot, 4));
  store<u64>(slot, 0);
  const length = load<u32>(column + (<usize>i << 3), 4);
  const bytes = column + (<usize>count << 3) + 4 + load<u32>(column + (<usize>i << 3));
  const offset = keepBytes(state, pane, bytes, length);
  if (offset == NO_OFFSET) return false;
  store<u32>(slot, offset);
  store<u32>(slot, length, 4);
  return true;
}

function readNodes(state: usize, layout: usize, pane: usize, count: u32): void {
  const counts = at + (<usize>count << 3);
  const values = counts + (<usize>count << 3);
  const lengths = values + (<usize>count << 4);
  const bytes = lengths + (<usize>count << 2) + 4;
  let orders = bytes + load<u32>(bytes - 4);
  for (let i: u32 = 0; i < count; i++) {
    const number = load<u32>(load<u32>(state, F.S_NUMBERS) + (load<u32>(at + (<usize>i << 3)) << 2));
    const index = load<u32>(at + (<usize>i << 3), 4);
    const a = <usize>load<u32>(layout, F.L_ACCUMULATORS) + <usize>index * F.ACCUMULATOR_BYTES;
    const kind = load<u32>(a, F.A_KIND);
    const orderCount = load<u32>(lengths + (<usize>i << 2));
    takeSlot(kind, values + (<usize>i << 4), F.isBytes(kind) ? bytes : 0);
    const entry = entryAt(layout, pane, number);
    const n = load<i64>(counts + (<usize>i << 3));
    const set = load<u32>(a, F.A_SET);
    if (set) {
      // Of version 1, whose nodes of rows that are not taken back never go.
      if (!needSets(state, pane)) return;
      restoreMember(state, pane, kind, low, number, set - 1, load<u32>(a, F.A_BIT));
      continue;
    }
    setValueCount(state, pane, entry, number, a, index, n, orders, orderCount);
    if (hasFailed(state)) return;
    orders += <usize>orderCount << 3;
  }
  at = orders;
}

/** The nodes of a session are written whole: what it had before does not count. */
function forgetNodes(state: usize, layout: usize, pane: usize): void {
  for (let i: u32 = 0, n = load<u32>(state, F.S_NUMBERS + 4); i < n; i++) {
    const entry = entryOf(state, layout, pane, i);
    let a = <usize>load<u32>(layout, F.L_ACCUMULATORS);
    for (let k: u32 = 0, m = load<u32>(layout, F.L_ACCUMULATOR_COUNT); k < m; k++) {
      if (load<u32>(a, F.A_NODES)) freeNodes(state, pane, entry + load<u32>(a, F.A_NODES));
      a += F.ACCUMULATOR_BYTES;
    }
  }
}

/** Hangs all sessions into a new wheel. */
function rearm(state: usize, position: i64): void {
  const layout = <usize>load<u32>(state, F.S_LAYOUT);
  const buckets = state + F.S_BUCKETS;
  memory.fill(load<u32>(buckets), 0, <usize>load<u32>(buckets, 4) << 2);
  store<i64>(state, position, F.S_WHEEL);
  const pane = paneAt(state, 0);
  for (let i: u32 = 0, n = load<u32>(pane, F.P_ENTRIES + 4); i < n; i++) {
    const entry = entryAt(layout, pane, i);
    if (load<u32>(entry, F.E_CHECKPOINT) == F.DEAD) continue;
    arm(state, layout, entry, i + 1);
  }
}
