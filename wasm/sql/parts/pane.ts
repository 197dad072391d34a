/**
 * A pane: dense entries and the hash table that finds them. Entries keep the order in which their
 * keys appeared. Bytes of an entry are laid out by fields.ts (head) and by the layout (the rest).
 */
import { ADDEND_BYTES } from "./addends";
import { holdsBytes, keepBytes, NO_OFFSET, ownsBytes, waste } from "./arena";
import { freeNode, freeNodes, nodeAt } from "./distinct";
import * as F from "./fields";
import { FAILED_MEMORY, fail, grabZeroed, push, release, releaseList, reserve } from "./heap";
import { freeRegisters } from "./registers";
import { freeSets } from "./sets";
import { hashBytes, isNull, mix, realBits, sameBytes, slotOf } from "./value";

const SLOTS_MIN: u32 = 16;

/** `wanted` slots, a power of two, or as many as there are at least. */
export function newPane(state: usize, start: i64, wanted: u32 = 0): usize {
  const pane = grabZeroed(state, F.PANE_BYTES);
  if (pane == 0) return 0;
  const slotCount = wanted > SLOTS_MIN ? wanted : SLOTS_MIN;
  const slots = grabZeroed(state, <usize>slotCount << 3);
  if (slots == 0) return 0;
  store<i64>(pane, start, F.P_START);
  store<u32>(pane, <u32>slots, F.P_SLOTS);
  store<u32>(pane, slotCount, F.P_SLOT_COUNT);
  return pane;
}

export function freePane(state: usize, pane: usize): void {
  const layout = <usize>load<u32>(state, F.S_LAYOUT);
  const size = load<u32>(layout, F.L_ENTRY_BYTES);
  freeAllRegisters(state, pane);
  freeSets(state, pane);
  releaseList(state, pane + F.P_ENTRIES, size);
  releaseList(state, pane + F.P_IMAGES, size);
  releaseList(state, pane + F.P_ARENA, 1);
  releaseList(state, pane + F.P_DIRTY, 4);
  releaseList(state, pane + F.P_TOUCHED, 4);
  releaseList(state, pane + F.P_REMOVED, 4);
  releaseList(state, pane + F.P_NODES, <u32>F.NODE_BYTES);
  releaseList(state, pane + F.P_DIRTY_NODES, 4);
  releaseList(state, pane + F.P_QUEUE, 16);
  releaseList(state, pane + F.P_ADDENDS, ADDEND_BYTES);
  if (load<u32>(pane, F.P_HAS_PIECES)) {
    store<u32>(state, load<u32>(state, F.S_PIECED) - 1, F.S_PIECED);
  }
  release(state, load<u32>(pane, F.P_SLOTS), <usize>load<u32>(pane, F.P_SLOT_COUNT) << 3);
  release(state, load<u32>(pane, F.P_BUCKETS), <usize>load<u32>(pane, F.P_BUCKET_COUNT) << 2);
  release(state, pane, F.PANE_BYTES);
}

function freeAllRegisters(state: usize, pane: usize): void {
  // They are with the entries, on scratch disk.
  if (load<u32>(pane, F.P_AWAY)) return;
  const layout = <usize>load<u32>(state, F.S_LAYOUT);
  const size = load<u32>(layout, F.L_ENTRY_BYTES);
  let a = <usize>load<u32>(layout, F.L_ACCUMULATORS);
  for (let i: u32 = 0, n = load<u32>(layout, F.L_ACCUMULATOR_COUNT); i < n; i++) {
    if (load<u32>(a, F.A_OP) == F.OP_APPROXIMATE) {
      let slot = <usize>load<u32>(pane, F.P_ENTRIES) + load<u32>(a, F.A_HIDDEN);
      for (let j: u32 = 0, m = load<u32>(pane, F.P_ENTRIES + 4); j < m; j++, slot += size) {
        freeRegisters(state, slot);
      }
    }
    a += F.ACCUMULATOR_BYTES;
  }
}

/** Empties a pane whose memory is wanted again. */
export function clearPane(state: usize, pane: usize, start: i64): void {
  freeAllRegisters(state, pane);
  memory.fill(load<u32>(pane, F.P_SLOTS), 0, <usize>load<u32>(pane, F.P_SLOT_COUNT) << 3);
  memory.fill(load<u32>(pane, F.P_BUCKETS), 0, <usize>load<u32>(pane, F.P_BUCKET_COUNT) << 2);
  store<i64>(pane, start, F.P_START);
  store<u32>(pane, 0, F.P_DEAD);
  store<u32>(pane, 0, F.P_GARBAGE);
  store<u32>(pane, 0, F.P_WHOLE);
  store<u32>(pane, 0, F.P_LIVE_NODES);
  store<u32>(pane, 0, F.P_FREE_NODE);
  store<u32>(pane, 0, F.P_FREE_QUEUE);
  store<u32>(pane, 0, F.P_FREE_ENTRY);
  for (let list = F.P_ENTRIES; list <= F.P_QUEUE; list += 12) store<u32>(pane, 0, list + 4);
}

// @ts-ignore: decorator
@inline
export function entryAt(layout: usize, pane: usize, number: u32): usize {
  return <usize>load<u32>(pane, F.P_ENTRIES) + <usize>number * load<u32>(layout, F.L_ENTRY_BYTES);
}

// @ts-ignore: decorator
@inline
export function numberOf(layout: usize, pane: usize, entry: usize): u32 {
  return <u32>(entry - load<u32>(pane, F.P_ENTRIES)) / load<u32>(layout, F.L_ENTRY_BYTES);
}

/** Hashes the keys of `count` rows, a column at a time, into the block. */
export function hashKeys(state: usize, keys: usize, rows: usize, count: u32): void {
  const layout = <usize>load<u32>(state, F.S_LAYOUT);
  const hashes = <usize>load<u32>(state, F.S_BLOCK) + F.B_HASHES;
  const seed = load<u64>(state, F.S_SEED);
  for (let i: u32 = 0; i < count; i++) store<u64>(hashes + (<usize>i << 3), seed);
  for (let k: u32 = 0, n = load<u32>(layout, F.L_KEY_COUNT); k < n; k++) {
    const column = <usize>load<u32>(keys + (<usize>k << 2));
    if (F.isBytes(load<u32>(column, F.C_KIND))) hashTexts(column, rows, count, hashes, seed);
    else hashColumn(column, rows, count, hashes);
  }
  for (let i: u32 = 0; i < count; i++) {
    const x = load<u64>(hashes + (<usize>i << 3));
    store<u32>(hashes + (<usize>i << 2), <u32>(x ^ (x >> 29)));
  }
}

const NULL_WORD: u64 = 0x51afd7ed558ccd25;

function hashColumn(column: usize, rows: usize, count: u32, hashes: usize): void {
  const kind = load<u32>(column, F.C_KIND);
  if (kind == F.INTEGER && load<u32>(column, F.C_NULLS) == 0) {
    const values = <usize>load<u32>(column, F.C_VALUES);
    const stride = <usize>load<u32>(column, F.C_STRIDE);
    for (let i: u32 = 0; i < count; i++) {
      const at = hashes + (<usize>i << 3);
      const row = <usize>load<u32>(rows + (<usize>i << 2));
      store<u64>(at, mix(load<u64>(at), load<u64>(values + row * stride)));
    }
    return;
  }
  for (let i: u32 = 0; i < count; i++) {
    const at = hashes + (<usize>i << 3);
    const row = <usize>load<u32>(rows + (<usize>i << 2));
    const hash = load<u64>(at);
    const slot = slotOf(column, row);
    if (isNull(column, row)) store<u64>(at, mix(hash, NULL_WORD));
    else if (kind == F.INTEGER) store<u64>(at, mix(hash, load<u64>(slot)));
    else if (kind == F.REAL) store<u64>(at, mix(hash, realBits(slot)));
    else store<u64>(at, mix(mix(hash, load<u64>(slot)), load<u64>(slot, 8)));
  }
}

/** A text is hashed by itself, so that the next row's is known where it is the same one. */
function hashTexts(column: usize, rows: usize, count: u32, hashes: usize, seed: u64): void {
  const base = load<u32>(column, F.C_BASE);
  let known: u64 = 0;
  let hashed = hashBytes(base, 0, seed);
  for (let i: u32 = 0; i < count; i++) {
    const at = hashes + (<usize>i << 3);
    const row = <usize>load<u32>(rows + (<usize>i << 2));
    const hash = load<u64>(at);
    if (isNull(column, row)) {
      store<u64>(at, mix(hash, NULL_WORD));
      continue;
    }
    const text = load<u64>(slotOf(column, row));
    if (text != known) {
      known = text;
      hashed = hashBytes(<usize>(base + <u32>text), <u32>(text >> 32), seed);
    }
    store<u64>(at, mix(hash, hashed));
  }
}

/** True when an entry has the key of a row. */
function hasKey(layout: usize, pane: usize, entry: usize, keys: usize, row: usize): bool {
  let key = <usize>load<u32>(layout, F.L_KEYS);
  for (let k: u32 = 0, n = load<u32>(layout, F.L_KEY_COUNT); k < n; k++, key += F.KEY_BYTES) {
    const column = <usize>load<u32>(keys + (<usize>k << 2));
    const isAbsent = isNull(column, row);
    if (<bool>load<u8>(entry + load<u32>(key, F.K_NULL)) != isAbsent) return false;
    if (isAbsent) continue;
    const mine = entry + load<u32>(key, F.K_SLOT);
    const theirs = slotOf(column, row);
    const kind = load<u32>(key, F.K_KIND);
    if (F.isBytes(kind)) {
      const length = load<u32>(mine, 4);
      if (length != load<u32>(theirs, 4)) return false;
      const a = <usize>(load<u32>(pane, F.P_ARENA) + load<u32>(mine));
      const b = <usize>(load<u32>(column, F.C_BASE) + load<u32>(theirs));
      if (!sameBytes(a, b, length)) return false;
    } else if (kind == F.REAL) {
      if (realBits(mine) != realBits(theirs)) return false;
    } else {
      if (load<u64>(mine) != load<u64>(theirs)) return false;
      if (kind == F.WIDE && load<u64>(mine, 8) != load<u64>(theirs, 8)) return false;
    }
  }
  return true;
}

/** Where the search for a key ended: the slot, and its entry's number + 1, or 0: a free slot. */
export let foundSlot: u32 = 0;

export function findKey(state: usize, pane: usize, keys: usize, row: usize, hash: u32): u32 {
  const layout = <usize>load<u32>(state, F.S_LAYOUT);
  const mask = load<u32>(pane, F.P_SLOT_COUNT) - 1;
  const slots = <usize>load<u32>(pane, F.P_SLOTS);
  let j = hash & mask;
  while (true) {
    const slot = load<u64>(slots + (<usize>j << 3));
    const reference = <u32>slot;
    if (reference == 0 || <u32>(slot >> 32) == hash) {
      foundSlot = j;
      if (reference == 0) return 0;
      const entry = entryAt(layout, pane, reference - 1);
      if (hasKey(layout, pane, entry, keys, row)) return reference;
    }
    j = (j + 1) & mask;
  }
}

/** An entry for a row's key, with the template's values; 0 when memory is out. */
export function newEntry(state: usize, pane: usize, keys: usize, row: usize, hash: u32): usize {
  const layout = <usize>load<u32>(state, F.S_LAYOUT);
  const size = load<u32>(layout, F.L_ENTRY_BYTES);
  let number = load<u32>(pane, F.P_FREE_ENTRY);
  let entry: usize;
  if (number) {
    entry = entryAt(layout, pane, number - 1);
    store<u32>(pane, load<u32>(entry + load<u32>(layout, F.L_CHAIN)), F.P_FREE_ENTRY);
  } else {
    if (!reserve(state, pane + F.P_ENTRIES, size, 1)) return 0;
    number = load<u32>(pane, F.P_ENTRIES + 4) + 1;
    entry = entryAt(layout, pane, number - 1);
    store<u32>(pane, number, F.P_ENTRIES + 4);
  }
  // Word by word: for so few bytes the engine's copy costs more than it moves.
  const template = <usize>load<u32>(layout, F.L_TEMPLATE);
  for (let at: usize = 0; at < size; at += 8) store<u64>(entry + at, load<u64>(template + at));
  store<u32>(entry, hash, F.E_HASH);
  let key = <usize>load<u32>(layout, F.L_KEYS);
  for (let k: u32 = 0, n = load<u32>(layout, F.L_KEY_COUNT); k < n; k++, key += F.KEY_BYTES) {
    const column = <usize>load<u32>(keys + (<usize>k << 2));
    if (isNull(column, row)) {
      store<u8>(entry + load<u32>(key, F.K_NULL), 1);
      continue;
    }
    const mine = entry + load<u32>(key, F.K_SLOT);
    const theirs = slotOf(column, row);
    const kind = load<u32>(key, F.K_KIND);
    if (F.isBytes(kind)) {
      const length = load<u32>(theirs, 4);
      const address = <usize>(load<u32>(column, F.C_BASE) + load<u32>(theirs));
      const offset = keepBytes(state, pane, address, length);
      if (offset == NO_OFFSET) return 0;
      store<u32>(mine, offset);
      store<u32>(mine, length, 4);
    } else {
      store<u64>(mine, kind == F.REAL ? realBits(theirs) : load<u64>(theirs));
      if (kind == F.WIDE) store<u64>(mine, load<u64>(theirs, 8), 8);
    }
  }
  return entry;
}

/** Gives a new group its name, where groups have names. False: there is no other. */
export function nameEntry(state: usize, layout: usize, entry: usize): bool {
  const at = load<u32>(layout, F.L_NAME);
  if (at == 0) return true;
  const name = load<u32>(state, F.S_NEXT_NAME);
  store<u32>(entry + at, name);
  store<u32>(state, name + 1, F.S_NEXT_NAME);
  return name != u32.MAX_VALUE || fail(state, FAILED_MEMORY);
}

/** What members of sets call a group: its name, or the number of its entry. */
// @ts-ignore: decorator
@inline
export function nameOf(layout: usize, pane: usize, entry: usize): u32 {
  const at = load<u32>(layout, F.L_NAME);
  return at ? load<u32>(entry + at) : numberOf(layout, pane, entry);
}

/** Makes the slot that `findKey` left free point to an entry. */
export function fillSlot(state: usize, pane: usize, slot: u32, number: u32, hash: u32): bool {
  const at = <usize>load<u32>(pane, F.P_SLOTS) + (<usize>slot << 3);
  store<u64>(at, (<u64>hash << 32) | (number + 1));
  const live = load<u32>(pane, F.P_ENTRIES + 4) - load<u32>(pane, F.P_DEAD);
  return live * 2 <= load<u32>(pane, F.P_SLOT_COUNT) || growSlots(state, pane);
}

function growSlots(state: usize, pane: usize): bool {
  const had = load<u32>(pane, F.P_SLOT_COUNT);
  const old = <usize>load<u32>(pane, F.P_SLOTS);
  const count = had << 1;
  const slots = grabZeroed(state, <usize>count << 3);
  if (slots == 0) return false;
  for (let i: u32 = 0; i < had; i++) {
    const slot = load<u64>(old + (<usize>i << 3));
    if (<u32>slot != 0) placeSlot(slots, count - 1, slot);
  }
  release(state, old, <usize>had << 3);
  store<u32>(pane, <u32>slots, F.P_SLOTS);
  store<u32>(pane, count, F.P_SLOT_COUNT);
  return true;
}

function placeSlot(slots: usize, mask: u32, slot: u64): void {
  let j = <u32>(slot >> 32) & mask;
  while (load<u32>(slots + (<usize>j << 3)) != 0) j = (j + 1) & mask;
  store<u64>(slots + (<usize>j << 3), slot);
}

/** The slot that points to an entry by its number + 1. */
export function slotOfEntry(pane: usize, hash: u32, reference: u32): usize {
  const mask = load<u32>(pane, F.P_SLOT_COUNT) - 1;
  const slots = <usize>load<u32>(pane, F.P_SLOTS);
  let j = hash & mask;
  while (load<u32>(slots + (<usize>j << 3)) != reference) j = (j + 1) & mask;
  return slots + (<usize>j << 3);
}

/** Frees a slot and moves up what probed past it. */
export function clearSlot(pane: usize, address: usize): void {
  const mask = load<u32>(pane, F.P_SLOT_COUNT) - 1;
  const slots = <usize>load<u32>(pane, F.P_SLOTS);
  let hole = <u32>((address - slots) >> 3);
  let j = hole;
  while (true) {
    j = (j + 1) & mask;
    const slot = load<u64>(slots + (<usize>j << 3));
    if (<u32>slot == 0) break;
    const home = <u32>(slot >> 32) & mask;
    if (((j - home) & mask) >= ((j - hole) & mask)) {
      store<u64>(slots + (<usize>hole << 3), slot);
      hole = j;
    }
  }
  store<u64>(slots + (<usize>hole << 3), 0);
}

/** Notes that an entry is about to change. */
// @ts-ignore: decorator
@inline
export function touch(state: usize, layout: usize, pane: usize, entry: usize, epoch: u32): void {
  if (load<u32>(entry, F.E_TOUCH) != epoch) touchFirst(state, layout, pane, entry);
}

export function touchFirst(state: usize, layout: usize, pane: usize, entry: usize): void {
  store<u32>(entry, load<u32>(state, F.S_TOUCH), F.E_TOUCH);
  const number = numberOf(layout, pane, entry);
  const checkpoint = load<u32>(state, F.S_CHECKPOINT);
  if (load<u32>(entry, F.E_CHECKPOINT) != checkpoint) {
    store<u32>(entry, checkpoint, F.E_CHECKPOINT);
    push(state, pane + F.P_DIRTY, number);
  }
  if (!(load<u32>(layout, F.L_FLAGS) & F.TRACKS_CHANGES) || load<u32>(entry, F.E_IMAGE)) return;
  const size = load<u32>(layout, F.L_ENTRY_BYTES);
  if (!reserve(state, pane + F.P_IMAGES, size, 1)) return;
  const image = load<u32>(pane, F.P_IMAGES + 4);
  // Word by word, as for a new entry.
  const to = <usize>load<u32>(pane, F.P_IMAGES) + <usize>image * size;
  for (let at: usize = 0; at < <usize>size; at += 8) store<u64>(to + at, load<u64>(entry + at));
  store<u32>(pane, image + 1, F.P_IMAGES + 4);
  store<u32>(entry, image + 1, F.E_IMAGE);
  push(state, pane + F.P_TOUCHED, number);
}

/** Gives back what an entry holds beside its bytes. */
export function emptyEntry(state: usize, pane: usize, entry: usize): void {
  const layout = <usize>load<u32>(state, F.S_LAYOUT);
  let a = <usize>load<u32>(layout, F.L_ACCUMULATORS);
  for (let i: u32 = 0, n = load<u32>(layout, F.L_ACCUMULATOR_COUNT); i < n; i++) {
    if (load<u32>(a, F.A_NODES)) freeNodes(state, pane, entry + load<u32>(a, F.A_NODES));
    if (load<u32>(a, F.A_OP) == F.OP_APPROXIMATE) {
      freeRegisters(state, entry + load<u32>(a, F.A_HIDDEN));
    }
    if (holdsBytes(a)) {
      const slot = entry + load<u32>(a, F.A_SLOT);
      if (ownsBytes(a)) waste(pane, load<u32>(slot, 4));
      store<u64>(slot, 0);
    }
    a += F.ACCUMULATOR_BYTES;
  }
}

/** Takes out an entry whose rows are all gone. Its bytes stay until the pane is compacted. */
export function removeEntry(state: usize, pane: usize, entry: usize): bool {
  const layout = <usize>load<u32>(state, F.S_LAYOUT);
  const number = numberOf(layout, pane, entry);
  emptyEntry(state, pane, entry);
  clearSlot(pane, slotOfEntry(pane, load<u32>(entry, F.E_HASH), number + 1));
  store<u32>(entry, F.DEAD, F.E_CHECKPOINT);
  store<u32>(pane, load<u32>(pane, F.P_DEAD) + 1, F.P_DEAD);
  return push(state, pane + F.P_REMOVED, number);
}

/**
 * Closes the gaps that removed entries left. Numbers change, so nothing may be touched since
 * changes were taken; the next checkpoint holds the pane whole.
 */
export function closeGaps(state: usize, pane: usize): void {
  const layout = <usize>load<u32>(state, F.S_LAYOUT);
  const size = load<u32>(layout, F.L_ENTRY_BYTES);
  freeGoneNodes(state, pane);
  const slots = <usize>load<u32>(pane, F.P_SLOTS);
  const mask = load<u32>(pane, F.P_SLOT_COUNT) - 1;
  memory.fill(slots, 0, (<usize>mask + 1) << 3);
  let kept: u32 = 0;
  for (let i: u32 = 0, n = load<u32>(pane, F.P_ENTRIES + 4); i < n; i++) {
    const entry = entryAt(layout, pane, i);
    if (load<u32>(entry, F.E_CHECKPOINT) == F.DEAD) {
      wasteKeys(layout, pane, entry);
      continue;
    }
    const target = entryAt(layout, pane, kept);
    if (kept != i) {
      memory.copy(target, entry, size);
      renumber(layout, pane, target, kept);
    }
    store<u32>(target, 0, F.E_CHECKPOINT);
    store<u32>(target, 0, F.E_TOUCH);
    placeSlot(slots, mask, (<u64>load<u32>(target, F.E_HASH) << 32) | (kept + 1));
    kept++;
  }
  store<u32>(pane, kept, F.P_ENTRIES + 4);
  store<u32>(pane, 0, F.P_DEAD);
  store<u32>(pane, 0, F.P_DIRTY + 4);
  store<u32>(pane, 0, F.P_REMOVED + 4);
  store<u32>(pane, 1, F.P_WHOLE);
}

function wasteKeys(layout: usize, pane: usize, entry: usize): void {
  let key = <usize>load<u32>(layout, F.L_KEYS);
  for (let k: u32 = 0, n = load<u32>(layout, F.L_KEY_COUNT); k < n; k++, key += F.KEY_BYTES) {
    if (F.isBytes(load<u32>(key, F.K_KIND))) waste(pane, load<u32>(entry + load<u32>(key, F.K_SLOT), 4));
  }
}

function renumber(layout: usize, pane: usize, entry: usize, number: u32): void {
  let a = <usize>load<u32>(layout, F.L_ACCUMULATORS);
  for (let i: u32 = 0, n = load<u32>(layout, F.L_ACCUMULATOR_COUNT); i < n; i++) {
    const owner = load<u32>(a, F.A_NODES);
    const first = owner ? load<u32>(entry + owner) : 0;
    let reference = first;
    while (reference) {
      const node = nodeAt(pane, reference);
      store<u32>(node, number, F.N_ENTRY);
      reference = load<u32>(node, F.N_NEXT);
      if (reference == first) break;
    }
    a += F.ACCUMULATOR_BYTES;
  }
}

/** Frees the nodes that were only kept for the next checkpoint to say that they have gone. */
export function freeGoneNodes(state: usize, pane: usize): void {
  const list = <usize>load<u32>(pane, F.P_DIRTY_NODES);
  for (let i: u32 = 0, n = load<u32>(pane, F.P_DIRTY_NODES + 4); i < n; i++) {
    const reference = load<u32>(list + (<usize>i << 2));
    const node = nodeAt(pane, reference);
    if (load<u32>(node, F.N_ENTRY) == NO_OFFSET) continue;
    if (load<i64>(node, F.N_COUNT) == 0) freeNode(state, pane, reference);
    else store<u32>(node, 0, F.N_CHECKPOINT);
  }
  store<u32>(pane, 0, F.P_DIRTY_NODES + 4);
}
