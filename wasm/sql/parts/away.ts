/**
 * Panes on scratch disk. A pane that is away is its head alone, with the counts of its lists; the
 * lists went as they lay, for all in them refers by number, and come back as they were, what they
 * say of checkpoints and changes included. So neither results nor checkpoints depend on what was
 * away. Its sets go and come by themselves (set-image.ts).
 */
import * as F from "./fields";
import { grab, release, releaseList, reserve } from "./heap";
import { copyRegisters, freeRegisters, registerBytes } from "./registers";

/** Brings a pane back; throws when it cannot. */
// @ts-ignore: decorator
@external("env", "fetchPane")
declare function fetchPane(state: usize, pane: usize): void;
/** Sends a pane that `fetchPane` brought away again. */
// @ts-ignore: decorator
@external("env", "leavePane")
declare function leavePane(state: usize, pane: usize): void;

/** Lists of a pane: entries, arena, dirty, touched, removed, images, nodes, dirty nodes, queue. */
const LIST_COUNT: u32 = 9;

// @ts-ignore: decorator
@inline
export function isAway(pane: usize): bool {
  return load<u32>(pane, F.P_AWAY) != 0;
}

// @ts-ignore: decorator
@inline
export function needPane(state: usize, pane: usize): void {
  if (isAway(pane)) fetchPane(state, pane);
}

export function sendBack(state: usize, pane: usize): void {
  leavePane(state, pane);
}

/** True when a delta has something to say of a pane. */
export function isDirty(pane: usize): bool {
  return (
    load<u32>(pane, F.P_WHOLE) != 0 ||
    load<u32>(pane, F.P_DIRTY + 4) != 0 ||
    load<u32>(pane, F.P_REMOVED + 4) != 0 ||
    load<u32>(pane, F.P_DIRTY_NODES + 4) != 0
  );
}

/** Of the pane's queue, which only FIRST and LAST of rows that may be taken back use. */
const QUEUE_BYTES: u32 = 16;

/**
 * Estimates' registers are all that an entry holds by its address: moves them into the pane's
 * queue: of rows that may be taken back there are no estimates. False: memory is out.
 */
export function packRegisters(state: usize, pane: usize): bool {
  const layout = <usize>load<u32>(state, F.S_LAYOUT);
  const size = <usize>load<u32>(layout, F.L_ENTRY_BYTES);
  const queue = pane + F.P_QUEUE;
  let a = <usize>load<u32>(layout, F.L_ACCUMULATORS);
  for (let i: u32 = 0, n = load<u32>(layout, F.L_ACCUMULATOR_COUNT); i < n; i++) {
    let slot = <usize>load<u32>(pane, F.P_ENTRIES) + load<u32>(a, F.A_HIDDEN);
    const isEstimate = load<u32>(a, F.A_OP) == F.OP_APPROXIMATE;
    a += F.ACCUMULATOR_BYTES;
    if (!isEstimate) continue;
    for (let j: u32 = 0, m = load<u32>(pane, F.P_ENTRIES + 4); j < m; j++, slot += size) {
      const block = <usize>load<u32>(slot);
      if (block == 0) continue;
      const bytes = registerBytes(block);
      const items = (bytes + QUEUE_BYTES - 1) / QUEUE_BYTES;
      if (!reserve(state, queue, QUEUE_BYTES, items)) return false;
      const at = load<u32>(queue, 4);
      memory.copy(load<u32>(queue) + at * QUEUE_BYTES, block, bytes);
      store<u32>(queue, at + items, 4);
      freeRegisters(state, slot);
      store<u32>(slot, at + 1);
    }
  }
  return true;
}

/** Undoes `packRegisters`. False: memory is out. */
export function unpackRegisters(state: usize, pane: usize): bool {
  const layout = <usize>load<u32>(state, F.S_LAYOUT);
  const size = <usize>load<u32>(layout, F.L_ENTRY_BYTES);
  const queue = pane + F.P_QUEUE;
  let a = <usize>load<u32>(layout, F.L_ACCUMULATORS);
  let isEstimated = false;
  for (let i: u32 = 0, n = load<u32>(layout, F.L_ACCUMULATOR_COUNT); i < n; i++) {
    let slot = <usize>load<u32>(pane, F.P_ENTRIES) + load<u32>(a, F.A_HIDDEN);
    const isEstimate = load<u32>(a, F.A_OP) == F.OP_APPROXIMATE;
    a += F.ACCUMULATOR_BYTES;
    if (!isEstimate) continue;
    isEstimated = true;
    for (let j: u32 = 0, m = load<u32>(pane, F.P_ENTRIES + 4); j < m; j++, slot += size) {
      const place = load<u32>(slot);
      if (place == 0) continue;
      const block = <usize>load<u32>(queue) + <usize>(place - 1) * QUEUE_BYTES;
      store<u32>(slot, 0);
      if (!copyRegisters(state, slot, block, registerBytes(block))) return false;
    }
  }
  if (isEstimated) releaseList(state, queue, QUEUE_BYTES);
  return true;
}

/** Blocks of a pane: its lists, its slots, its buckets. */
export const BLOCK_COUNT: u32 = LIST_COUNT + 2;

function widthOf(state: usize, list: u32): u32 {
  if (list == 0 || list == 5) return load<u32>(load<u32>(state, F.S_LAYOUT), F.L_ENTRY_BYTES);
  if (list == 1) return 1;
  if (list == 6) return <u32>F.NODE_BYTES;
  return list == 8 ? 16 : 4;
}

// @ts-ignore: decorator
@inline
function listAt(pane: usize, list: u32): usize {
  return pane + F.P_ENTRIES + <usize>list * 12;
}

/** Where a block of a pane's bytes lies, and how long it is: its lists, its slots, its buckets. */
export function blockAddress(pane: usize, block: u32): usize {
  if (block < LIST_COUNT) return load<u32>(listAt(pane, block));
  return block == LIST_COUNT ? load<u32>(pane, F.P_SLOTS) : load<u32>(pane, F.P_BUCKETS);
}

export function blockBytes(state: usize, pane: usize, block: u32): u32 {
  if (block < LIST_COUNT) return load<u32>(listAt(pane, block), 4) * widthOf(state, block);
  if (block == LIST_COUNT) return load<u32>(pane, F.P_SLOT_COUNT) << 3;
  return load<u32>(pane, F.P_BUCKET_COUNT) << 2;
}

/** All blocks were written to scratch disk: gives their memory back. */
export function forgetBlocks(state: usize, pane: usize): void {
  for (let i: u32 = 0; i < LIST_COUNT; i++) {
    const list = listAt(pane, i);
    const count = load<u32>(list, 4);
    releaseList(state, list, widthOf(state, i));
    store<u32>(list, count, 4);
  }
  release(state, load<u32>(pane, F.P_SLOTS), blockBytes(state, pane, LIST_COUNT));
  release(state, load<u32>(pane, F.P_BUCKETS), blockBytes(state, pane, LIST_COUNT + 1));
  store<u32>(pane, 0, F.P_SLOTS);
  store<u32>(pane, 0, F.P_BUCKETS);
  store<u32>(pane, 1, F.P_AWAY);
  if (load<u32>(state, F.S_LAST_PANE) == <u32>pane) store<u32>(state, 0, F.S_LAST_PANE);
}

/** Makes room for all blocks. False: memory is out. */
export function placeBlocks(state: usize, pane: usize): bool {
  for (let i: u32 = 0; i < LIST_COUNT; i++) {
    const list = listAt(pane, i);
    const count = load<u32>(list, 4);
    store<u32>(list, 0, 4);
    const hasRoom = count == 0 || reserve(state, list, widthOf(state, i), count);
    store<u32>(list, count, 4);
    if (!hasRoom) return false;
  }
  const slots = grab(state, blockBytes(state, pane, LIST_COUNT));
  store<u32>(pane, <u32>slots, F.P_SLOTS);
  if (slots == 0) return false;
  const bytes = blockBytes(state, pane, LIST_COUNT + 1);
  if (bytes) {
    const buckets = grab(state, bytes);
    store<u32>(pane, <u32>buckets, F.P_BUCKETS);
    if (buckets == 0) return false;
  }
  store<u32>(pane, 0, F.P_AWAY);
  return true;
}
