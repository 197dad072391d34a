/**
 * Values counted one by one: of DISTINCT aggregates, and of those whose slot cannot be computed
 * back when a row is taken back (MIN, MAX, FIRST, LAST). Each value of an accumulator of an entry
 * is a node with its multiplicity, found by hash, and member of a ring in order of first
 * appearance. FIRST and LAST keep the orders of arrival of each value as a queue; taking a value
 * back takes its oldest order, as Flink does.
 *
 * A node whose count falls to 0 is freed at once, unless the last checkpoint holds it: then it
 * stays findable, outside of its ring, until the next one has said that it has gone.
 */
import { keepBytes, nodeHoldsBytes, NO_OFFSET, waste } from "./arena";
import { A_KIND, A_NODES, A_OP, E_HASH, isBytes, L_START, N_ACCUMULATOR, N_CHAIN, N_CHECKPOINT } from "./fields";
import { N_COUNT, N_ENTRY, N_FIRST, N_HASH, N_LAST, N_NEXT, N_PREVIOUS, N_SAVED, N_VALUE } from "./fields";
import { NODE_BYTES, OP_FIRST, OP_LAST, P_ARENA, P_BUCKET_COUNT, P_BUCKETS, P_DIRTY_NODES } from "./fields";
import { P_FREE_NODE, P_FREE_QUEUE, P_LIVE_NODES, P_NODES, P_QUEUE, S_CHECKPOINT } from "./fields";
import { S_LAYOUT, S_SEED } from "./fields";
import { grabZeroed, push, release, reserve } from "./heap";
import { hashValue, high, low, sameValue, setValue, takeSlot } from "./value";

const QUEUE_BYTES: usize = 16;
const BUCKETS_MIN: u32 = 16;

// @ts-ignore: decorator
@inline
export function nodeAt(pane: usize, reference: u32): usize {
  return <usize>load<u32>(pane, P_NODES) + <usize>(reference - 1) * NODE_BYTES;
}

/** Takes a node's value: `low` and `high` of value.ts. */
export function takeNode(pane: usize, kind: u32, node: usize): void {
  takeSlot(kind, node + N_VALUE, isBytes(kind) ? <usize>load<u32>(pane, P_ARENA) : 0);
}

export function keepsOrder(accumulator: usize): bool {
  const op = load<u32>(accumulator, A_OP);
  return op == OP_FIRST || op == OP_LAST;
}

/** Sessions come and go: a checkpoint holds the nodes of a dirty one whole, not node by node. */
export function isSavedWhole(state: usize): bool {
  return load<u32>(load<u32>(state, S_LAYOUT), L_START) != 0;
}

function growBuckets(state: usize, pane: usize): bool {
  const had = load<u32>(pane, P_BUCKET_COUNT);
  const count = had ? had << 1 : BUCKETS_MIN;
  const buckets = grabZeroed(state, <usize>count << 2);
  if (buckets == 0) return false;
  release(state, load<u32>(pane, P_BUCKETS), <usize>had << 2);
  store<u32>(pane, <u32>buckets, P_BUCKETS);
  store<u32>(pane, count, P_BUCKET_COUNT);
  let node = <usize>load<u32>(pane, P_NODES);
  for (let i: u32 = 0, n = load<u32>(pane, P_NODES + 4); i < n; i++, node += NODE_BYTES) {
    if (load<u32>(node, N_ENTRY) == NO_OFFSET) continue;
    const bucket = buckets + (<usize>(load<u32>(node, N_HASH) & (count - 1)) << 2);
    store<u32>(node, load<u32>(bucket), N_CHAIN);
    store<u32>(bucket, i + 1);
  }
  return true;
}

function link(pane: usize, owner: usize, reference: u32): void {
  const node = nodeAt(pane, reference);
  const first = load<u32>(owner);
  if (first == 0) {
    store<u32>(owner, reference);
    store<u32>(node, reference, N_PREVIOUS);
    store<u32>(node, reference, N_NEXT);
    return;
  }
  const head = nodeAt(pane, first);
  const last = load<u32>(head, N_PREVIOUS);
  store<u32>(node, last, N_PREVIOUS);
  store<u32>(node, first, N_NEXT);
  store<u32>(nodeAt(pane, last), reference, N_NEXT);
  store<u32>(head, reference, N_PREVIOUS);
}

function unlink(pane: usize, owner: usize, reference: u32): void {
  const node = nodeAt(pane, reference);
  const next = load<u32>(node, N_NEXT);
  const previous = load<u32>(node, N_PREVIOUS);
  if (next == reference) {
    store<u32>(owner, 0);
    return;
  }
  store<u32>(nodeAt(pane, previous), next, N_NEXT);
  store<u32>(nodeAt(pane, next), previous, N_PREVIOUS);
  if (load<u32>(owner) == reference) store<u32>(owner, next);
}

/** Takes a node out of its bucket and gives its memory back. It is in no ring any more. */
export function freeNode(state: usize, pane: usize, reference: u32): void {
  const node = nodeAt(pane, reference);
  const mask = load<u32>(pane, P_BUCKET_COUNT) - 1;
  let at = <usize>load<u32>(pane, P_BUCKETS) + (<usize>(load<u32>(node, N_HASH) & mask) << 2);
  while (load<u32>(at) != reference) at = nodeAt(pane, load<u32>(at)) + N_CHAIN;
  store<u32>(at, load<u32>(node, N_CHAIN));
  while (load<u32>(node, N_FIRST)) dropOrder(pane, node);
  if (nodeHoldsBytes(load<u32>(state, S_LAYOUT), node)) waste(pane, load<u32>(node, N_VALUE + 4));
  store<u32>(node, NO_OFFSET, N_ENTRY);
  store<u32>(node, 0, N_CHECKPOINT);
  store<u32>(node, load<u32>(pane, P_FREE_NODE), N_CHAIN);
  store<u32>(pane, reference, P_FREE_NODE);
  store<u32>(pane, load<u32>(pane, P_LIVE_NODES) - 1, P_LIVE_NODES);
}

function queueAt(pane: usize, reference: u32): usize {
  return <usize>load<u32>(pane, P_QUEUE) + <usize>(reference - 1) * QUEUE_BYTES;
}

/** Order of arrival of the oldest and of the newest occurrence. */
export function firstOrder(pane: usize, node: usize): i64 {
  return load<i64>(queueAt(pane, load<u32>(node, N_FIRST)));
}

export function lastOrder(pane: usize, node: usize): i64 {
  return load<i64>(queueAt(pane, load<u32>(node, N_LAST)));
}

/** Walks the queue: reference of the next order, 0 at the end. */
export function nextOrder(pane: usize, reference: u32): u32 {
  return load<u32>(queueAt(pane, reference), 8);
}

export function orderAt(pane: usize, reference: u32): i64 {
  return load<i64>(queueAt(pane, reference));
}

/** Puts an order where it belongs: merged queues are not appended in order. */
function addOrder(state: usize, pane: usize, node: usize, order: i64): bool {
  let reference = load<u32>(pane, P_FREE_QUEUE);
  if (reference) {
    store<u32>(pane, load<u32>(queueAt(pane, reference), 8), P_FREE_QUEUE);
  } else {
    if (!reserve(state, pane + P_QUEUE, <u32>QUEUE_BYTES, 1)) return false;
    reference = load<u32>(pane, P_QUEUE + 4) + 1;
    store<u32>(pane, reference, P_QUEUE + 4);
  }
  const item = queueAt(pane, reference);
  store<i64>(item, order);
  const last = load<u32>(node, N_LAST);
  if (last == 0 || load<i64>(queueAt(pane, last)) <= order) {
    store<u32>(item, 0, 8);
    if (last) store<u32>(queueAt(pane, last), reference, 8);
    else store<u32>(node, reference, N_FIRST);
    store<u32>(node, reference, N_LAST);
    return true;
  }
  let at = node + N_FIRST;
  while (load<i64>(queueAt(pane, load<u32>(at))) <= order) at = queueAt(pane, load<u32>(at)) + 8;
  store<u32>(item, load<u32>(at), 8);
  store<u32>(at, reference);
  return true;
}

function dropOrder(pane: usize, node: usize): void {
  const reference = load<u32>(node, N_FIRST);
  if (reference == 0) return;
  const item = queueAt(pane, reference);
  const next = load<u32>(item, 8);
  store<u32>(node, next, N_FIRST);
  if (next == 0) store<u32>(node, 0, N_LAST);
  store<u32>(item, load<u32>(pane, P_FREE_QUEUE), 8);
  store<u32>(pane, reference, P_FREE_QUEUE);
}

function newNode(state: usize, pane: usize, hash: u32): u32 {
  if (load<u32>(pane, P_LIVE_NODES) >= load<u32>(pane, P_BUCKET_COUNT)) {
    if (!growBuckets(state, pane)) return 0;
  }
  let reference = load<u32>(pane, P_FREE_NODE);
  if (reference) {
    store<u32>(pane, load<u32>(nodeAt(pane, reference), N_CHAIN), P_FREE_NODE);
  } else {
    if (!reserve(state, pane + P_NODES, <u32>NODE_BYTES, 1)) return 0;
    reference = load<u32>(pane, P_NODES + 4) + 1;
    store<u32>(pane, reference, P_NODES + 4);
  }
  const node = nodeAt(pane, reference);
  memory.fill(node, 0, NODE_BYTES);
  const mask = load<u32>(pane, P_BUCKET_COUNT) - 1;
  const bucket = <usize>load<u32>(pane, P_BUCKETS) + (<usize>(hash & mask) << 2);
  store<u32>(node, hash, N_HASH);
  store<u32>(node, load<u32>(bucket), N_CHAIN);
  store<u32>(bucket, reference);
  store<u32>(pane, load<u32>(pane, P_LIVE_NODES) + 1, P_LIVE_NODES);
  return reference;
}

function nodeHash(state: usize, entry: usize, index: u32, kind: u32): u32 {
  const seed = load<u64>(state, S_SEED) ^ load<u32>(entry, E_HASH) ^ (<u64>index << 40);
  return <u32>hashValue(kind, low, high, seed);
}

function find(pane: usize, hash: u32, number: u32, index: u32, kind: u32): u32 {
  const count = load<u32>(pane, P_BUCKET_COUNT);
  if (count == 0) return 0;
  const valueLow = low;
  const valueHigh = high;
  let reference = load<u32>(load<u32>(pane, P_BUCKETS) + (<usize>(hash & (count - 1)) << 2));
  while (reference) {
    const node = nodeAt(pane, reference);
    if (
      load<u32>(node, N_HASH) == hash &&
      load<u32>(node, N_ENTRY) == number &&
      load<u32>(node, N_ACCUMULATOR) == index
    ) {
      takeNode(pane, kind, node);
      if (sameValue(kind, valueLow, valueHigh, low, high)) break;
    }
    reference = load<u32>(node, N_CHAIN);
  }
  setValue(valueLow, valueHigh);
  return reference;
}

/**
 * Adds `weight` occurrences of the value taken last; `order`: when it arrived, for FIRST and LAST.
 * Gives 1 when the value is there now and was not, −1 when it has gone, else 0; failures are marked
 * in the state.
 */
export function countValue(
  state: usize,
  pane: usize,
  entry: usize,
  number: u32,
  accumulator: usize,
  index: u32,
  weight: i64,
  order: i64,
): i32 {
  const kind = load<u32>(accumulator, A_KIND);
  const owner = entry + load<u32>(accumulator, A_NODES);
  const hash = nodeHash(state, entry, index, kind);
  let reference = find(pane, hash, number, index, kind);
  if (reference == 0) {
    reference = makeNode(state, pane, hash, number, index, kind);
    if (reference == 0) return 0;
  }
  const node = nodeAt(pane, reference);
  const before = load<i64>(node, N_COUNT);
  const after = before + weight;
  store<i64>(node, after, N_COUNT);
  if (keepsOrder(accumulator)) {
    if (weight > 0) {
      if (!addOrder(state, pane, node, order)) return 0;
    } else dropOrder(pane, node);
  }
  if (before == 0 && after != 0) link(pane, owner, reference);
  else if (before != 0 && after == 0) unlink(pane, owner, reference);
  if (after == 0 && load<u32>(node, N_SAVED) == 0) {
    freeNode(state, pane, reference);
  } else if (isSavedWhole(state)) {
    // Its entry is dirty, and is written with all its nodes.
  } else if (load<u32>(node, N_CHECKPOINT) != load<u32>(state, S_CHECKPOINT)) {
    store<u32>(node, load<u32>(state, S_CHECKPOINT), N_CHECKPOINT);
    if (!push(state, pane + P_DIRTY_NODES, reference)) return 0;
  }
  if (before <= 0 && after > 0) return 1;
  return before > 0 && after <= 0 ? -1 : 0;
}

/** Frees all nodes of one accumulator of an entry that goes. Those the checkpoint holds go too. */
export function freeNodes(state: usize, pane: usize, owner: usize): void {
  while (load<u32>(owner)) {
    const reference = load<u32>(owner);
    unlink(pane, owner, reference);
    freeNode(state, pane, reference);
  }
}


/**
 * Makes the value taken last occur `count` times for an accumulator, its orders of arrival being
 * `orderCount` at `orders`: a node of a checkpoint.
 */
export function setValueCount(
  state: usize,
  pane: usize,
  entry: usize,
  number: u32,
  accumulator: usize,
  index: u32,
  count: i64,
  orders: usize,
  orderCount: u32,
): void {
  const kind = load<u32>(accumulator, A_KIND);
  const hash = nodeHash(state, entry, index, kind);
  let reference = find(pane, hash, number, index, kind);
  if (reference) {
    const node = nodeAt(pane, reference);
    while (load<u32>(node, N_FIRST)) dropOrder(pane, node);
    const had = load<i64>(node, N_COUNT);
    if (had != 0 && count == 0) unlink(pane, entry + load<u32>(accumulator, A_NODES), reference);
    if (count == 0) {
      freeNode(state, pane, reference);
      return;
    }
    store<i64>(node, count, N_COUNT);
  } else {
    if (count == 0) return;
    const owner = entry + load<u32>(accumulator, A_NODES);
    reference = makeNode(state, pane, hash, number, index, kind);
    if (reference == 0) return;
    store<i64>(nodeAt(pane, reference), count, N_COUNT);
    link(pane, owner, reference);
  }
  for (let i: u32 = 0; i < orderCount; i++) {
    addOrder(state, pane, nodeAt(pane, reference), load<i64>(orders + (<usize>i << 3)));
  }
}

/** A node, in no ring, for the value taken last; 0 when memory is out. */
function makeNode(
  state: usize,
  pane: usize,
  hash: u32,
  number: u32,
  index: u32,
  kind: u32,
): u32 {
  const valueLow = low;
  const valueHigh = high;
  const reference = newNode(state, pane, hash);
  if (reference == 0) return 0;
  const node = nodeAt(pane, reference);
  store<u32>(node, number, N_ENTRY);
  store<u32>(node, index, N_ACCUMULATOR);
  if (isBytes(kind)) {
    const length = <u32>(valueLow >> 32);
    const offset = keepBytes(state, pane, <usize>(<u32>valueLow), length);
    if (offset == NO_OFFSET) return 0;
    store<u32>(node, offset, N_VALUE);
    store<u32>(node, length, N_VALUE + 4);
  } else {
    store<u64>(node, valueLow, N_VALUE);
    store<u64>(node, valueHigh, N_VALUE + 8);
  }
  return reference;
}
