/**
 * The bytes of text and blobs of a pane: appended, never overwritten; what nothing points to any
 * more is counted as garbage and left behind when the arena must grow.
 */
import { A_KIND, A_NODES, A_OP, A_SLOT, ACCUMULATOR_BYTES, isBytes, K_KIND, K_SLOT } from "./fields";
import { KEY_BYTES, L_ACCUMULATOR_COUNT, L_ACCUMULATORS, L_ENTRY_BYTES, L_KEY_COUNT } from "./fields";
import { L_KEYS, N_ACCUMULATOR, N_VALUE, NODE_BYTES, OP_LAST, OP_MIN, P_ARENA } from "./fields";
import { N_ENTRY, P_ENTRIES, P_GARBAGE, P_IMAGES, P_NODES, S_LAYOUT } from "./fields";
import { grab, release, reserve } from "./heap";

export const NO_OFFSET: u32 = 0xffffffff;

/** Makes room for bytes; the arena may move now, and then not when they are kept. */
export function roomForBytes(state: usize, pane: usize, length: u32): bool {
  const arena = pane + P_ARENA;
  const used = load<u32>(arena, 4);
  if (used + length <= load<u32>(arena, 8)) return true;
  if (load<u32>(pane, P_GARBAGE) > used >> 1 && !compact(state, pane)) return false;
  return reserve(state, arena, 1, length);
}

/** Copies bytes into the arena, which may move. Gives their offset, or NO_OFFSET. */
export function keepBytes(state: usize, pane: usize, address: usize, length: u32): u32 {
  const arena = pane + P_ARENA;
  if (!roomForBytes(state, pane, length)) return NO_OFFSET;
  const offset = load<u32>(arena, 4);
  memory.copy(<usize>load<u32>(arena) + offset, address, length);
  store<u32>(arena, offset + length, 4);
  return offset;
}

// @ts-ignore: decorator
@inline
export function waste(pane: usize, length: u32): void {
  store<u32>(pane, load<u32>(pane, P_GARBAGE) + length, P_GARBAGE);
}

/**
 * True when the text or blob in the slot of an accumulator is its own. That of one that counts
 * values is a node's.
 */
export function ownsBytes(accumulator: usize): bool {
  return holdsBytes(accumulator) && load<u32>(accumulator, A_NODES) == 0;
}

/** True when the slot of an accumulator holds text or a blob. */
// @ts-ignore: decorator
@inline
export function holdsBytes(accumulator: usize): bool {
  const op = load<u32>(accumulator, A_OP);
  return op >= OP_MIN && op <= OP_LAST && isBytes(load<u32>(accumulator, A_KIND));
}

let target: usize = 0;
let filled: u32 = 0;

function move(slot: usize, source: usize): void {
  const length = load<u32>(slot, 4);
  memory.copy(target + filled, source + load<u32>(slot), length);
  store<u32>(slot, filled);
  filled += length;
}

function moveEntry(layout: usize, entry: usize, source: usize): void {
  let key = <usize>load<u32>(layout, L_KEYS);
  for (let i: u32 = 0, n = load<u32>(layout, L_KEY_COUNT); i < n; i++, key += KEY_BYTES) {
    if (isBytes(load<u32>(key, K_KIND))) move(entry + load<u32>(key, K_SLOT), source);
  }
  let a = <usize>load<u32>(layout, L_ACCUMULATORS);
  for (let i: u32 = 0, n = load<u32>(layout, L_ACCUMULATOR_COUNT); i < n; i++) {
    if (holdsBytes(a)) move(entry + load<u32>(a, A_SLOT), source);
    a += ACCUMULATOR_BYTES;
  }
}

/**
 * Entries and images may share bytes, and each then gets its own, so the new arena has room for
 * twice what is live. Slots that hold nothing have length 0.
 */
function compact(state: usize, pane: usize): bool {
  const layout = <usize>load<u32>(state, S_LAYOUT);
  const size = load<u32>(layout, L_ENTRY_BYTES);
  const arena = pane + P_ARENA;
  const source = <usize>load<u32>(arena);
  const bytes = measure(layout, pane);
  target = grab(state, bytes);
  if (target == 0) return false;
  filled = 0;
  let entry = <usize>load<u32>(pane, P_ENTRIES);
  for (let i: u32 = 0, n = load<u32>(pane, P_ENTRIES + 4); i < n; i++, entry += size) {
    moveEntry(layout, entry, source);
  }
  entry = <usize>load<u32>(pane, P_IMAGES);
  for (let i: u32 = 0, n = load<u32>(pane, P_IMAGES + 4); i < n; i++, entry += size) {
    moveEntry(layout, entry, source);
  }
  let node = <usize>load<u32>(pane, P_NODES);
  for (let i: u32 = 0, n = load<u32>(pane, P_NODES + 4); i < n; i++, node += NODE_BYTES) {
    if (nodeHoldsBytes(layout, node)) move(node + N_VALUE, source);
  }
  release(state, source, load<u32>(arena, 8));
  store<u32>(arena, <u32>target);
  store<u32>(arena, filled, 4);
  store<u32>(arena, <u32>bytes, 8);
  store<u32>(pane, 0, P_GARBAGE);
  return true;
}

export function nodeHoldsBytes(layout: usize, node: usize): bool {
  if (load<u32>(node, N_ENTRY) == NO_OFFSET) return false;
  const a = load<u32>(layout, L_ACCUMULATORS) + load<u32>(node, N_ACCUMULATOR) * ACCUMULATOR_BYTES;
  return isBytes(load<u32>(a, A_KIND));
}

function measureEntry(layout: usize, entry: usize): usize {
  let bytes: usize = 0;
  let key = <usize>load<u32>(layout, L_KEYS);
  for (let i: u32 = 0, n = load<u32>(layout, L_KEY_COUNT); i < n; i++, key += KEY_BYTES) {
    if (isBytes(load<u32>(key, K_KIND))) bytes += load<u32>(entry + load<u32>(key, K_SLOT), 4);
  }
  let a = <usize>load<u32>(layout, L_ACCUMULATORS);
  for (let i: u32 = 0, n = load<u32>(layout, L_ACCUMULATOR_COUNT); i < n; i++) {
    if (holdsBytes(a)) bytes += load<u32>(entry + load<u32>(a, A_SLOT), 4);
    a += ACCUMULATOR_BYTES;
  }
  return bytes;
}

function measure(layout: usize, pane: usize): usize {
  const size = load<u32>(layout, L_ENTRY_BYTES);
  let bytes: usize = 0;
  let entry = <usize>load<u32>(pane, P_ENTRIES);
  for (let i: u32 = 0, n = load<u32>(pane, P_ENTRIES + 4); i < n; i++, entry += size) {
    bytes += measureEntry(layout, entry);
  }
  entry = <usize>load<u32>(pane, P_IMAGES);
  for (let i: u32 = 0, n = load<u32>(pane, P_IMAGES + 4); i < n; i++, entry += size) {
    bytes += measureEntry(layout, entry);
  }
  let node = <usize>load<u32>(pane, P_NODES);
  for (let i: u32 = 0, n = load<u32>(pane, P_NODES + 4); i < n; i++, node += NODE_BYTES) {
    if (nodeHoldsBytes(layout, node)) bytes += load<u32>(node, N_VALUE + 4);
  }
  return bytes;
}
