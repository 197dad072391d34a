/**
 * Merging of entries (panes into a window's result, two sessions into one) and the last step before
 * entries are read: estimates, and slots that must be found among nodes.
 */
import { roomForBytes, waste } from "./arena";
import { firstOrder, keepsOrder, lastOrder, nextOrder, nodeAt, orderAt } from "./distinct";
import { takeNode } from "./distinct";
import * as F from "./fields";
import { hasFailed } from "./heap";
import { addNodeValue, addSums, isBetter, offer } from "./fold";
import { copyRegisters, estimate, mergeRegisters, registerBytes } from "./registers";
import { high, low, takeSlot } from "./value";

/**
 * Adds entry `other` of pane `from` to `entry` of `pane`, which may be the same pane. What counts
 * the members of sets follows with `mergeSets`.
 */
export function mergeEntry(
  state: usize,
  pane: usize,
  entry: usize,
  from: usize,
  other: usize,
): void {
  const layout = <usize>load<u32>(state, F.S_LAYOUT);
  const rows = load<u32>(layout, F.L_ROWS);
  if (rows) store<i64>(entry + rows, load<i64>(entry + rows) + load<i64>(other + rows));
  let a = <usize>load<u32>(layout, F.L_ACCUMULATORS);
  for (let i: u32 = 0, n = load<u32>(layout, F.L_ACCUMULATOR_COUNT); i < n; i++) {
    if (load<u32>(a, F.A_SET)) {
      a += F.ACCUMULATOR_BYTES;
      continue;
    }
    if (load<u32>(a, F.A_NODES)) mergeNodes(state, layout, pane, entry, from, other, a, i);
    else mergePlain(state, pane, entry, from, other, a);
    if (hasFailed(state)) return;
    a += F.ACCUMULATOR_BYTES;
  }
}

function mergePlain(
  state: usize,
  pane: usize,
  entry: usize,
  from: usize,
  other: usize,
  a: usize,
): void {
  const op = load<u32>(a, F.A_OP);
  if (op == F.OP_APPROXIMATE) {
    const hidden = load<u32>(a, F.A_HIDDEN);
    const block = <usize>load<u32>(other + hidden);
    if (load<u32>(entry + hidden) == 0) {
      copyRegisters(state, entry + hidden, block, registerBytes(block));
    } else mergeRegisters(state, entry + hidden, block);
    return;
  }
  if (op < F.OP_MIN) {
    addSums(a, entry, other);
    return;
  }
  if (load<u8>(other + load<u32>(a, F.A_NULL))) return;
  const kind = load<u32>(a, F.A_KIND);
  const hidden = load<u32>(a, F.A_HIDDEN);
  const order = hidden ? load<i64>(other + hidden) : 0;
  takeSlot(kind, other + load<u32>(a, F.A_SLOT), F.isBytes(kind) ? <usize>load<u32>(from, F.P_ARENA) : 0);
  if (from == pane && F.isBytes(kind)) moveBytes(pane, entry, other, a, low, high, order);
  else offer(state, pane, a, entry, low, high, order);
}

/** Within a pane text is not copied: its slot moves. */
function moveBytes(
  pane: usize,
  entry: usize,
  other: usize,
  a: usize,
  lowWord: u64,
  highWord: u64,
  order: i64,
): void {
  const slot = load<u32>(a, F.A_SLOT);
  const hidden = load<u32>(a, F.A_HIDDEN);
  const nullByte = load<u32>(a, F.A_NULL);
  const kind = load<u32>(a, F.A_KIND);
  if (load<u8>(entry + nullByte) == 0) {
    takeSlot(kind, entry + slot, <usize>load<u32>(pane, F.P_ARENA));
    const there = hidden ? load<i64>(entry + hidden) : 0;
    if (!isBetter(load<u32>(a, F.A_OP), kind, lowWord, highWord, low, high, order, there)) return;
  }
  waste(pane, load<u32>(entry + slot, 4));
  store<u64>(entry + slot, load<u64>(other + slot));
  store<u64>(other + slot, 0);
  store<u8>(entry + nullByte, 0);
  if (hidden) store<i64>(entry + hidden, order);
}

function mergeNodes(
  state: usize,
  layout: usize,
  pane: usize,
  entry: usize,
  from: usize,
  other: usize,
  a: usize,
  index: u32,
): void {
  const kind = load<u32>(a, F.A_KIND);
  const owner = load<u32>(a, F.A_NODES);
  const first = load<u32>(other + owner);
  const isOrdered = keepsOrder(a);
  let reference = first;
  while (reference) {
    const node = nodeAt(from, reference);
    const next = load<u32>(node, F.N_NEXT);
    const count = load<i64>(node, F.N_COUNT);
    // Bytes of the same arena must not move while they are copied.
    if (from == pane && F.isBytes(kind)) roomForBytes(state, pane, load<u32>(node, F.N_VALUE + 4));
    if (hasFailed(state)) return;
    takeNode(from, kind, node);
    if (isOrdered) {
      for (let item = load<u32>(node, F.N_FIRST); item; item = nextOrder(from, item)) {
        takeNode(from, kind, nodeAt(from, reference));
        addNodeValue(state, layout, pane, entry, a, index, 1, orderAt(from, item));
        if (hasFailed(state)) return;
      }
    } else {
      addNodeValue(state, layout, pane, entry, a, index, count, 0);
    }
    if (hasFailed(state)) return;
    reference = next == first ? 0 : next;
  }
}

/** Makes the visible slots of an entry right. False: a sum does not fit its 128 bits. */
export function finish(state: usize, pane: usize, entry: usize): bool {
  const layout = <usize>load<u32>(state, F.S_LAYOUT);
  let isRight = true;
  let a = <usize>load<u32>(layout, F.L_ACCUMULATORS);
  for (let i: u32 = 0, n = load<u32>(layout, F.L_ACCUMULATOR_COUNT); i < n; i++) {
    const op = load<u32>(a, F.A_OP);
    const slot = entry + load<u32>(a, F.A_SLOT);
    if (op == F.OP_APPROXIMATE) {
      store<i64>(slot, estimate(state, load<u32>(entry + load<u32>(a, F.A_HIDDEN))));
    } else if (op == F.OP_SUM_WIDE) {
      if (load<i64>(slot, 16) != load<i64>(slot, 8) >> 63) isRight = false;
    } else if (load<u32>(a, F.A_STALE) && load<u8>(entry + load<u32>(a, F.A_STALE))) {
      findSlot(state, pane, entry, a);
    }
    a += F.ACCUMULATOR_BYTES;
  }
  return isRight;
}

function findSlot(state: usize, pane: usize, entry: usize, a: usize): void {
  const op = load<u32>(a, F.A_OP);
  const kind = load<u32>(a, F.A_KIND);
  store<u8>(entry + load<u32>(a, F.A_STALE), 0);
  const first = load<u32>(entry + load<u32>(a, F.A_NODES));
  let reference = first;
  let best: u32 = 0;
  let bestLow: u64 = 0;
  let bestHigh: u64 = 0;
  let bestOrder: i64 = 0;
  while (reference) {
    const node = nodeAt(pane, reference);
    if (load<i64>(node, F.N_COUNT) > 0) {
      takeNode(pane, kind, node);
      const order = op == F.OP_FIRST ? firstOrder(pane, node) : op == F.OP_LAST ? lastOrder(pane, node) : 0;
      if (best == 0 || isBetter(op, kind, low, high, bestLow, bestHigh, order, bestOrder)) {
        best = reference;
        bestLow = low;
        bestHigh = high;
        bestOrder = order;
      }
    }
    reference = load<u32>(node, F.N_NEXT);
    if (reference == first) break;
  }
  const slot = entry + load<u32>(a, F.A_SLOT);
  store<u8>(entry + load<u32>(a, F.A_NULL), best == 0 ? 1 : 0);
  if (best == 0) store<u64>(slot, 0);
  else {
    // Text stays the node's, in the same arena, where it outlives the node until it is compacted.
    const value = nodeAt(pane, best) + F.N_VALUE;
    store<u64>(slot, load<u64>(value));
    if (kind == F.WIDE) store<u64>(slot, load<u64>(value, 8), 8);
  }
}
