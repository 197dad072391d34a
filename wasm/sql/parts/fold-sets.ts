/**
 * Adds rows to the sets of DISTINCT values (sets.ts), and lets counts and sums follow: a set at a
 * time, for all aggregates that share it.
 */
import * as F from "./fields";
import { hasFailed, push } from "./heap";
import { entryAt, nameOf, numberOf } from "./pane";
import { firstOfSet, kindOfSet, memberHash, needSets, noteMember, placeHash } from "./sets";
import { segmentAt, segmentOf, valueOf } from "./sets";
import { isNull, low, slotOf, take } from "./value";

// @ts-ignore: decorator
@inline
function word(list: usize, i: u32): usize {
  return <usize>load<u32>(list + (<usize>i << 2));
}

// @ts-ignore: decorator
@inline
function inputColumn(columns: usize, reference: u32): usize {
  return reference ? columns + <usize>(reference - 1) * F.COLUMN_BYTES : 0;
}

/** Which aggregates of the set count which rows. `first`: the set's first accumulator. */
function fillMasks(
  layout: usize,
  block: usize,
  columns: usize,
  first: usize,
  column: usize,
  count: u32,
): void {
  const masks = block + F.B_MASKS;
  const set = load<u32>(first, F.A_SET);
  const accumulators = <usize>load<u32>(layout, F.L_ACCUMULATORS);
  const end = accumulators + <usize>load<u32>(layout, F.L_ACCUMULATOR_COUNT) * F.ACCUMULATOR_BYTES;
  memory.fill(masks, 0, <usize>count << 2);
  for (let a = first; a < end; a += F.ACCUMULATOR_BYTES) {
    if (load<u32>(a, F.A_SET) != set) continue;
    const bit = load<u32>(a, F.A_BIT);
    const filter = inputColumn(columns, load<u32>(a, F.A_FILTER));
    if (filter != 0 && load<u32>(filter, F.C_NULLS) == 0) {
      const values = <usize>load<u32>(filter, F.C_VALUES);
      const stride = <usize>load<u32>(filter, F.C_STRIDE);
      for (let i: u32 = 0; i < count; i++) {
        const isTaken = <u32>(load<i64>(values + word(block + F.B_ROWS, i) * stride) != 0);
        const at = masks + (<usize>i << 2);
        store<u32>(at, load<u32>(at) | (bit & (0 - isTaken)));
      }
      continue;
    }
    for (let i: u32 = 0; i < count; i++) {
      if (filter != 0) {
        const row = word(block + F.B_ROWS, i);
        if (isNull(filter, row) || load<i64>(slotOf(filter, row)) == 0) continue;
      }
      const at = masks + (<usize>i << 2);
      store<u32>(at, load<u32>(at) | bit);
    }
  }
  if (load<u32>(column, F.C_NULLS) == 0) return;
  for (let i: u32 = 0; i < count; i++) {
    if (isNull(column, word(block + F.B_ROWS, i))) store<u32>(masks + (<usize>i << 2), 0);
  }
}

/** Keeps the loads below alive. */
export let warmth: u32 = 0;

/** Folds the block's rows into a set, whose first accumulator is `first`. */
export function foldSet(
  state: usize,
  layout: usize,
  columns: usize,
  first: usize,
  count: u32,
): void {
  const block = <usize>load<u32>(state, F.S_BLOCK);
  const column = inputColumn(columns, load<u32>(first, F.A_COLUMN));
  const kind = load<u32>(first, F.A_KIND);
  const set = load<u32>(first, F.A_SET) - 1;
  fillMasks(layout, block, columns, first, column, count);
  if (!findSegments(state, layout, block, column, kind, set, count)) return;
  const areCounts = listCounts(layout, block, first);
  const isNamed = load<u32>(layout, F.L_NAME) != 0;
  for (let i: u32 = 0; i < count; i++) {
    const mask = <u32>word(block + F.B_MASKS, i);
    if (mask == 0) continue;
    take(column, word(block + F.B_ROWS, i));
    const value = low;
    const entry = word(block + F.B_ENTRIES, i);
    const number = <u32>word(block + F.B_NUMBERS, i);
    const hash = <u32>word(block + F.B_MEMBER_HASHES, i);
    const segment = word(block + F.B_SEGMENTS, i);
    let fresh = noteMember(state, segment, hash, kind, value, number, set, mask);
    if (fresh) {
      if (!areCounts) countFresh(layout, first, entry, fresh, <i64>value);
      else {
        for (; fresh != 0; fresh &= fresh - 1) {
          const slot = entry + word(block + F.B_COUNTS, ctz<u32>(fresh));
          store<i64>(slot, load<i64>(slot) + 1);
        }
      }
      if (hasFailed(state)) return;
    } else if (isNamed && load<u32>(segment, F.G_AWAY)) {
      const pane = word(block + F.B_PANES, i);
      push(state, segment + F.G_PENDING_ENTRIES, numberOf(layout, pane, entry));
    }
  }
}

/** Lists the slots of a set's counts by their bits. False: some of its aggregates are no counts. */
function listCounts(layout: usize, block: usize, first: usize): bool {
  const set = load<u32>(first, F.A_SET);
  const accumulators = <usize>load<u32>(layout, F.L_ACCUMULATORS);
  const end = accumulators + <usize>load<u32>(layout, F.L_ACCUMULATOR_COUNT) * F.ACCUMULATOR_BYTES;
  for (let a = first; a < end; a += F.ACCUMULATOR_BYTES) {
    if (load<u32>(a, F.A_SET) != set) continue;
    if (load<u32>(a, F.A_OP) != F.OP_COUNT) return false;
    const bit = ctz<u32>(load<u32>(a, F.A_BIT));
    store<u32>(block + F.B_COUNTS + (<usize>bit << 2), load<u32>(a, F.A_SLOT));
  }
  return true;
}

/**
 * Finds segment and hash of each row's value, and touches the slots and then the members that they
 * lead to, each without waiting for the other, so that their cache misses overlap.
 */
function findSegments(
  state: usize,
  layout: usize,
  block: usize,
  column: usize,
  kind: u32,
  set: u32,
  count: u32,
): bool {
  const seed = load<u64>(state, F.S_SEED);
  for (let i: u32 = 0; i < count; i++) {
    if (word(block + F.B_MASKS, i) == 0) continue;
    const pane = word(block + F.B_PANES, i);
    if (!needSets(state, pane)) return false;
    take(column, word(block + F.B_ROWS, i));
    const number = nameOf(layout, pane, word(block + F.B_ENTRIES, i));
    store<u32>(block + F.B_NUMBERS + (<usize>i << 2), number);
    const there = placeHash(kind, low, number, set);
    const hash = memberHash(seed, kind, low, there);
    store<u32>(block + F.B_MEMBER_HASHES + (<usize>i << 2), hash);
    store<u32>(block + F.B_SEGMENTS + (<usize>i << 2), <u32>segmentOf(pane, there));
  }
  const found = block + F.B_PICKED;
  for (let i: u32 = 0; i < count; i++) {
    let member: usize = 0;
    if (word(block + F.B_MASKS, i)) {
      const segment = word(block + F.B_SEGMENTS, i);
      const slots = <usize>load<u32>(segment, F.G_SLOTS);
      if (slots) {
        const j = <u32>word(block + F.B_MEMBER_HASHES, i) & (load<u32>(segment, F.G_SLOT_COUNT) - 1);
        const reference = load<u32>(slots + (<usize>j << 3));
        const members = <usize>load<u32>(segment, F.G_MEMBERS);
        if (reference) member = members + <usize>(reference - 1) * F.MEMBER_BYTES;
      }
    }
    store<u32>(found + (<usize>i << 2), <u32>member);
  }
  let sum: u32 = 0;
  for (let i: u32 = 0; i < count; i++) sum += load<u32>(word(found, i));
  warmth = sum;
  return true;
}

/** A value is new to the aggregates in `fresh`. */
function countFresh(layout: usize, first: usize, entry: usize, fresh: u32, value: i64): void {
  const set = load<u32>(first, F.A_SET);
  const accumulators = <usize>load<u32>(layout, F.L_ACCUMULATORS);
  const end = accumulators + <usize>load<u32>(layout, F.L_ACCUMULATOR_COUNT) * F.ACCUMULATOR_BYTES;
  for (let a = first; a < end; a += F.ACCUMULATOR_BYTES) {
    if (load<u32>(a, F.A_SET) != set || (load<u32>(a, F.A_BIT) & fresh) == 0) continue;
    const slot = entry + load<u32>(a, F.A_SLOT);
    if (load<u32>(a, F.A_OP) == F.OP_COUNT) {
      store<i64>(slot, load<i64>(slot) + 1);
      continue;
    }
    const before = load<u64>(slot);
    const after = before + <u64>value;
    store<u64>(slot, after);
    store<i64>(slot, load<i64>(slot, 8) + (value >> 63) + (after < before ? 1 : 0), 8);
    store<u8>(entry + load<u32>(a, F.A_NULL), 0);
  }
}

/**
 * Adds a member of another pane, or one that waited, to the sets of an entry, which it knows as
 * `number`.
 */
export function addMember(
  state: usize,
  layout: usize,
  pane: usize,
  entry: usize,
  number: u32,
  member: usize,
  bytes: usize,
): void {
  const set = <u32>load<u16>(member, F.M_SET);
  const kind = kindOfSet(layout, set);
  const value = valueOf(member, kind, bytes);
  const there = placeHash(kind, value, number, set);
  const hash = memberHash(load<u64>(state, F.S_SEED), kind, value, there);
  const mask = <u32>load<u16>(member, F.M_MASK);
  const fresh = noteMember(state, segmentOf(pane, there), hash, kind, value, number, set, mask);
  if (fresh == 0) return;
  countFresh(layout, firstOfSet(layout, set), entry, fresh, <i64>value);
}

/**
 * Merges the sets of pane `from` into those of `pane`; `numbers`: what its entries are called
 * there. Counts follow.
 */
export function mergeSets(state: usize, pane: usize, from: usize, numbers: usize): void {
  if (load<u32>(from, F.P_SETS) == 0 || !needSets(state, pane)) return;
  const layout = <usize>load<u32>(state, F.S_LAYOUT);
  for (let i: u32 = 0; i < F.SEGMENT_COUNT; i++) {
    const segment = segmentAt(from, i);
    const bytes = <usize>load<u32>(segment, F.G_BYTES);
    let member = <usize>load<u32>(segment, F.G_MEMBERS);
    for (let m: u32 = 0, n = load<u32>(segment, F.G_MEMBERS + 4); m < n; m++) {
      const number = <u32>word(numbers, load<u32>(member, F.M_ENTRY));
      addMember(state, layout, pane, entryAt(layout, pane, number), number, member, bytes);
      if (hasFailed(state)) return;
      member += F.MEMBER_BYTES;
    }
  }
}
