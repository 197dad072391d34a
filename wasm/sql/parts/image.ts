/**
 * Checkpoints of a state: full, or what changed since the last one (delta). All little-endian:
 *
 *   u32 "MRST", u16 version 2, of named groups 3 (L_NAME), of panes with pieces elsewhere 4,
 *   u16 flags (1: full), u32 fingerprint of the layout, u32 pane count,
 *   i64 rows added ever, i64 position of the wheel (sessions; else 0)
 *   u32 length of all this up to the sets, u32 the next group's name, else 0 (neither in version 1,
 *   which has no sets)
 *   per pane, by start:
 *     i64 start, u32 flags (1: whole; what an older checkpoint says of the pane is void)
 *     u32 removed, u32 entries, u32 nodes
 *     the keys of removed entries (of sessions also the i64 order of creation)
 *     the entries, a field of the layout after the other; of version 3 then u32 their names
 *     the nodes: u32 owner (index among the entries), u32 accumulator, i64 count (0: gone), value,
 *       u32 count of orders of arrival, then all orders (i64)
 *   the sets of DISTINCT values (set-image.ts), which in version 1 are nodes
 *
 * A field or value is a column: bytes; i64; 16 bytes; or, for text and blobs, per row u32 offset
 * and u32 length, then u32 total and the bytes; or, for registers, per row a u32 length, then the
 * bytes. A pane that is not listed is gone. Entries stand in the order of their first appearance.
 *
 * Restoring a full checkpoint and then its deltas in turn gives a state that goes on like the one
 * that wrote them: same results in the same order.
 */
import { NO_OFFSET, nodeHoldsBytes } from "./arena";
import { isAway, isDirty, needPane, sendBack } from "./away";
import { isSavedWhole, nextOrder, nodeAt, orderAt } from "./distinct";
import * as F from "./fields";
import { push, reserve, sortWords } from "./heap";
import { finish } from "./merge";
import { entryAt, freeGoneNodes } from "./pane";
import { registerBytes } from "./registers";
import { leaveCheckpoint } from "./sessions";

export const MAGIC: u32 = 0x5453524d;
export const VERSION: u16 = 4;
/** Of states of whose panes pieces are in a table (pieces.ts). */
const VERSION_PIECED: u16 = 4;
/** Of groups with names. */
export const VERSION_NAMED: u16 = 3;
/** Of groups without names, whose checkpoints older versions read too. */
const VERSION_UNNAMED: u16 = 2;
export const HEADER_BYTES: u32 = 40;
/** Of version 1. */
export const HEADER_BYTES_1: u32 = 32;
export const SECTION_BYTES: u32 = 24;

/** Room at the end of the blob; 0 when memory is out. */
export function room(state: usize, bytes: u32): usize {
  const blob = state + F.S_BLOB;
  if (!reserve(state, blob, 1, bytes)) return 0;
  const used = load<u32>(blob, 4);
  store<u32>(blob, used + bytes, 4);
  return <usize>load<u32>(blob) + used;
}

/** Writes a checkpoint into the state's blob. False: memory is out. */
export function save(state: usize, isFull: bool, fingerprint: u32): bool {
  const panes = load<u32>(state, F.S_PANES + 4);
  store<u32>(state, 0, F.S_BLOB + 4);
  const head = room(state, HEADER_BYTES);
  if (head == 0) return false;
  store<u32>(head, MAGIC);
  const isNamed = load<u32>(load<u32>(state, F.S_LAYOUT), F.L_NAME) != 0;
  const isPieced = load<u32>(state, F.S_PIECED) != 0;
  store<u16>(head, isNamed ? VERSION_NAMED : isPieced ? VERSION_PIECED : VERSION_UNNAMED, 4);
  store<u16>(head, isFull ? 1 : 0, 6);
  store<u32>(head, fingerprint, 8);
  store<u32>(head, panes, 12);
  store<i64>(head, load<i64>(state, F.S_SEQUENCE), 16);
  store<i64>(head, load<i64>(state, F.S_WHEEL), 24);
  for (let i: u32 = 0; i < panes; i++) {
    const pane = <usize>load<u32>(load<u32>(state, F.S_PANES) + (<usize>i << 2));
    const comes = isAway(pane) && (isFull || isDirty(pane));
    if (comes) needPane(state, pane);
    if (!savePane(state, pane, isFull)) return false;
    if (comes) sendBack(state, pane);
  }
  const length = load<u32>(state, F.S_BLOB + 4);
  const named = <u64>load<u32>(state, F.S_NEXT_NAME);
  store<u64>(<usize>load<u32>(state, F.S_BLOB), (named << 32) | length, 32);
  store<u32>(state, load<u32>(state, F.S_CHECKPOINT) + 1, F.S_CHECKPOINT);
  store<u32>(state, load<u32>(state, F.S_TOUCH) + 1, F.S_TOUCH);
  return true;
}

/**
 * Appends one entry to the blob, alone: u32 count of its nodes, its fields, its nodes, as above.
 * False: memory is out.
 */
export function saveEntry(state: usize, pane: usize, number: u32): bool {
  const layout = <usize>load<u32>(state, F.S_LAYOUT);
  const numbers = state + F.S_NUMBERS;
  store<u32>(numbers, 0, 4);
  if (!push(state, numbers, number)) return false;
  finish(state, pane, entryAt(layout, pane, number));
  const nodes = listNodes(state, layout, pane, true);
  const head = room(state, 4);
  if (head == 0) return false;
  store<u32>(head, nodes);
  const all = load<u32>(layout, F.L_FIELD_COUNT);
  if (!saveFields(state, layout, pane, load<u32>(numbers), 1, 0, all)) return false;
  if (!saveNames(state, layout, pane)) return false;
  return nodes == 0 || saveNodes(state, layout, pane, nodes);
}

function savePane(state: usize, pane: usize, isFull: bool): bool {
  const layout = <usize>load<u32>(state, F.S_LAYOUT);
  const isWhole = isFull || load<u32>(pane, F.P_WHOLE) != 0;
  const numbers = state + F.S_NUMBERS;
  if (!listEntries(state, layout, pane, isWhole)) return false;
  const entries = load<u32>(numbers, 4);
  const removed = isWhole ? 0 : load<u32>(pane, F.P_REMOVED + 4);
  for (let i: u32 = 0; i < entries; i++) {
    finish(state, pane, entryAt(layout, pane, load<u32>(load<u32>(numbers) + (<usize>i << 2))));
  }
  const nodes = listNodes(state, layout, pane, isWhole || isSavedWhole(state));
  const head = room(state, SECTION_BYTES);
  if (head == 0) return false;
  store<i64>(head, load<i64>(pane, F.P_START));
  store<u32>(head, isWhole ? 1 : 0, 8);
  store<u32>(head, removed, 12);
  store<u32>(head, entries, 16);
  store<u32>(head, nodes, 20);
  const isSession = isSavedWhole(state);
  const keyFields = load<u32>(layout, F.L_KEY_COUNT) * 2;
  if (removed) {
    const list = <usize>load<u32>(pane, F.P_REMOVED);
    if (!saveFields(state, layout, pane, list, removed, 0, keyFields)) return false;
    if (isSession && !saveWords(state, layout, pane, list, removed)) return false;
  }
  const all = load<u32>(layout, F.L_FIELD_COUNT);
  if (!saveFields(state, layout, pane, load<u32>(numbers), entries, 0, all)) return false;
  if (!saveNames(state, layout, pane)) return false;
  if (nodes && !saveNodes(state, layout, pane, nodes)) return false;
  clean(state, layout, pane);
  return true;
}

/** After a checkpoint nothing is dirty, and what was kept to be named in it can go. */
function clean(state: usize, layout: usize, pane: usize): void {
  const isSession = isSavedWhole(state);
  freeGoneNodes(state, pane);
  // One that stayed away has not changed, and its nodes are marked.
  if (!isAway(pane)) markNodes(pane);
  if (isSession) {
    const numbers = state + F.S_NUMBERS;
    for (let i: u32 = 0, n = load<u32>(numbers, 4); i < n; i++) {
      const entry = entryAt(layout, pane, load<u32>(load<u32>(numbers) + (<usize>i << 2)));
      store<u32>(entry, 1, F.E_IMAGE);
    }
    const removed = <usize>load<u32>(pane, F.P_REMOVED);
    for (let i: u32 = 0, n = load<u32>(pane, F.P_REMOVED + 4); i < n; i++) {
      leaveCheckpoint(layout, pane, entryAt(layout, pane, load<u32>(removed + (<usize>i << 2))));
    }
  }
  store<u32>(pane, 0, F.P_REMOVED + 4);
  store<u32>(pane, 0, F.P_DIRTY + 4);
  store<u32>(pane, 0, F.P_WHOLE);
}

/** Nodes of a checkpoint must be named when they go. Sessions' are written whole instead. */
export function markNodes(pane: usize): void {
  let node = <usize>load<u32>(pane, F.P_NODES);
  for (let i: u32 = 0, n = load<u32>(pane, F.P_NODES + 4); i < n; i++, node += F.NODE_BYTES) {
    store<u32>(node, 1, F.N_SAVED);
  }
}

function isDead(entry: usize): bool {
  return load<u32>(entry, F.E_CHECKPOINT) == F.DEAD;
}

/** Numbers of the entries to write, ascending. */
function listEntries(state: usize, layout: usize, pane: usize, isWhole: bool): bool {
  const numbers = state + F.S_NUMBERS;
  store<u32>(numbers, 0, 4);
  if (isWhole) {
    for (let i: u32 = 0, n = load<u32>(pane, F.P_ENTRIES + 4); i < n; i++) {
      if (!isDead(entryAt(layout, pane, i)) && !push(state, numbers, i)) return false;
    }
    return true;
  }
  const dirty = <usize>load<u32>(pane, F.P_DIRTY);
  const count = load<u32>(pane, F.P_DIRTY + 4);
  sortWords(dirty, count);
  for (let i: u32 = 0; i < count; i++) {
    const number = load<u32>(dirty + (<usize>i << 2));
    if (i > 0 && load<u32>(dirty + (<usize>(i - 1) << 2)) == number) continue;
    if (!isDead(entryAt(layout, pane, number)) && !push(state, numbers, number)) return false;
  }
  return true;
}

export function saveFields(
  state: usize,
  layout: usize,
  pane: usize,
  list: usize,
  count: u32,
  from: u32,
  to: u32,
): bool {
  let field = <usize>load<u32>(layout, F.L_FIELDS) + <usize>from * F.FIELD_BYTES;
  for (let i = from; i < to; i++, field += F.FIELD_BYTES) {
    if (!saveField(state, layout, pane, list, count, load<u32>(field), load<u32>(field, F.F_OFFSET))) {
      return false;
    }
  }
  return true;
}

/** Names of the entries that are written, where they have names. */
function saveNames(state: usize, layout: usize, pane: usize): bool {
  const name = load<u32>(layout, F.L_NAME);
  if (name == 0) return true;
  const list = <usize>load<u32>(state, F.S_NUMBERS);
  const count = load<u32>(state, F.S_NUMBERS + 4);
  const to = room(state, count << 2);
  if (to == 0) return false;
  for (let i: u32 = 0; i < count; i++) {
    const entry = entryAt(layout, pane, load<u32>(list + (<usize>i << 2)));
    store<u32>(to + (<usize>i << 2), load<u32>(entry + name));
  }
  return true;
}

/** Orders of creation of removed sessions. */
function saveWords(state: usize, layout: usize, pane: usize, list: usize, count: u32): bool {
  return saveField(state, layout, pane, list, count, F.FIELD_EIGHT, load<u32>(layout, F.L_CREATED));
}

function saveField(
  state: usize,
  layout: usize,
  pane: usize,
  list: usize,
  count: u32,
  sort: u32,
  offset: u32,
): bool {
  if (sort == F.FIELD_TEXT) return saveText(state, layout, pane, list, count, offset);
  if (sort == F.FIELD_REGISTERS) return saveRegisters(state, layout, pane, list, count, offset);
  const width: u32 = sort == F.FIELD_BYTE ? 1 : sort == F.FIELD_EIGHT ? 8 : 16;
  let to = room(state, count * width);
  if (to == 0) return false;
  const size = <usize>load<u32>(layout, F.L_ENTRY_BYTES);
  const first = <usize>load<u32>(pane, F.P_ENTRIES) + offset;
  for (let i: u32 = 0; i < count; i++) {
    const slot = first + <usize>load<u32>(list + (<usize>i << 2)) * size;
    if (width == 1) store<u8>(to, load<u8>(slot));
    else {
      store<u64>(to, load<u64>(slot));
      if (width == 16) store<u64>(to, load<u64>(slot, 8), 8);
    }
    to += width;
  }
  return true;
}

function saveText(
  state: usize,
  layout: usize,
  pane: usize,
  list: usize,
  count: u32,
  offset: u32,
): bool {
  let total: u32 = 0;
  for (let i: u32 = 0; i < count; i++) {
    total += load<u32>(entryAt(layout, pane, load<u32>(list + (<usize>i << 2))) + offset, 4);
  }
  let to = room(state, count * 8 + 4 + total);
  if (to == 0) return false;
  const arena = <usize>load<u32>(pane, F.P_ARENA);
  const bytes = to + count * 8 + 4;
  store<u32>(bytes - 4, total);
  let filled: u32 = 0;
  for (let i: u32 = 0; i < count; i++, to += 8) {
    const slot = entryAt(layout, pane, load<u32>(list + (<usize>i << 2))) + offset;
    const length = load<u32>(slot, 4);
    store<u32>(to, filled);
    store<u32>(to, length, 4);
    memory.copy(bytes + filled, arena + load<u32>(slot), length);
    filled += length;
  }
  return true;
}

function saveRegisters(
  state: usize,
  layout: usize,
  pane: usize,
  list: usize,
  count: u32,
  offset: u32,
): bool {
  let total: u32 = 0;
  for (let i: u32 = 0; i < count; i++) {
    const entry = entryAt(layout, pane, load<u32>(list + (<usize>i << 2)));
    total += registerBytes(load<u32>(entry + offset));
  }
  let to = room(state, count * 4 + total);
  if (to == 0) return false;
  let bytes = to + count * 4;
  for (let i: u32 = 0; i < count; i++, to += 4) {
    const block = <usize>load<u32>(entryAt(layout, pane, load<u32>(list + (<usize>i << 2))) + offset);
    const length = registerBytes(block);
    store<u32>(to, length);
    memory.copy(bytes, block, length);
    bytes += length;
  }
  return true;
}

/** Puts references of the nodes to write into the state's selection. */
export function listNodes(state: usize, layout: usize, pane: usize, isWhole: bool): u32 {
  const list = state + F.S_SELECTION;
  store<u32>(list, 0, 4);
  if (!isWhole) {
    const dirty = <usize>load<u32>(pane, F.P_DIRTY_NODES);
    const checkpoint = load<u32>(state, F.S_CHECKPOINT);
    for (let i: u32 = 0, n = load<u32>(pane, F.P_DIRTY_NODES + 4); i < n; i++) {
      const reference = load<u32>(dirty + (<usize>i << 2));
      const node = nodeAt(pane, reference);
      // A node that was freed and used again stands in the list twice.
      if (load<u32>(node, F.N_CHECKPOINT) != checkpoint) continue;
      store<u32>(node, 0, F.N_CHECKPOINT);
      if (ownerIndex(state, load<u32>(node, F.N_ENTRY)) == NO_OFFSET) continue;
      push(state, list, reference);
    }
    return load<u32>(list, 4);
  }
  const numbers = state + F.S_NUMBERS;
  for (let i: u32 = 0, n = load<u32>(numbers, 4); i < n; i++) {
    const entry = entryAt(layout, pane, load<u32>(load<u32>(numbers) + (<usize>i << 2)));
    let a = <usize>load<u32>(layout, F.L_ACCUMULATORS);
    for (let k: u32 = 0, m = load<u32>(layout, F.L_ACCUMULATOR_COUNT); k < m; k++) {
      if (load<u32>(a, F.A_NODES)) listRing(state, pane, load<u32>(entry + load<u32>(a, F.A_NODES)));
      a += F.ACCUMULATOR_BYTES;
    }
  }
  return load<u32>(list, 4);
}

function listRing(state: usize, pane: usize, first: u32): void {
  let reference = first;
  while (reference) {
    push(state, state + F.S_SELECTION, reference);
    reference = load<u32>(nodeAt(pane, reference), F.N_NEXT);
    if (reference == first) return;
  }
}

/** Index of an entry among those that are written. */
function ownerIndex(state: usize, number: u32): u32 {
  const list = <usize>load<u32>(state, F.S_NUMBERS);
  let low: u32 = 0;
  let high = load<u32>(state, F.S_NUMBERS + 4);
  while (low < high) {
    const middle = (low + high) >> 1;
    if (load<u32>(list + (<usize>middle << 2)) < number) low = middle + 1;
    else high = middle;
  }
  const isFound =
    low < load<u32>(state, F.S_NUMBERS + 4) && load<u32>(list + (<usize>low << 2)) == number;
  return isFound ? low : NO_OFFSET;
}

export function saveNodes(state: usize, layout: usize, pane: usize, count: u32): bool {
  const list = <usize>load<u32>(state, F.S_SELECTION);
  let total: u32 = 0;
  let orders: u32 = 0;
  for (let i: u32 = 0; i < count; i++) {
    const node = nodeAt(pane, load<u32>(list + (<usize>i << 2)));
    if (nodeHoldsBytes(layout, node)) total += load<u32>(node, F.N_VALUE + 4);
    for (let item = load<u32>(node, F.N_FIRST); item; item = nextOrder(pane, item)) orders++;
  }
  let to = room(state, count * 36 + 4 + total + orders * 8);
  if (to == 0) return false;
  let counts = to + count * 8;
  let values = counts + count * 8;
  let lengths = values + count * 16;
  const bytes = lengths + count * 4 + 4;
  let order = bytes + total;
  store<u32>(bytes - 4, total);
  let filled: u32 = 0;
  for (let i: u32 = 0; i < count; i++) {
    const node = nodeAt(pane, load<u32>(list + (<usize>i << 2)));
    store<u32>(to, ownerIndex(state, load<u32>(node, F.N_ENTRY)));
    store<u32>(to, load<u32>(node, F.N_ACCUMULATOR), 4);
    store<i64>(counts, load<i64>(node, F.N_COUNT));
    store<u64>(values, load<u64>(node, F.N_VALUE));
    store<u64>(values, load<u64>(node, F.N_VALUE + 8), 8);
    if (nodeHoldsBytes(layout, node)) {
      const length = load<u32>(node, F.N_VALUE + 4);
      store<u32>(values, filled);
      memory.copy(bytes + filled, load<u32>(pane, F.P_ARENA) + load<u32>(node, F.N_VALUE), length);
      filled += length;
    }
    const before = order;
    for (let item = load<u32>(node, F.N_FIRST); item; item = nextOrder(pane, item)) {
      store<i64>(order, orderAt(pane, item));
      order += 8;
    }
    store<u32>(lengths, <u32>((order - before) >> 3));
    to += 8;
    counts += 8;
    values += 16;
    lengths += 4;
  }
  return true;
}
