/**
 * Sets of the values of DISTINCT aggregates over rows that are never taken back. Aggregates over
 * one column share a set, whatever their filters: a member has a bit for each of them that has
 * counted it. A value joins and never leaves, and what it adds to (counts, exact sums) does not
 * depend on the order in which values came.
 *
 * All sets of a pane lie together, cut into segments by a hash without a seed: how members lie,
 * and so what a checkpoint looks like, depends on rows alone. Within a segment a hash with the
 * seed finds them. A segment is what goes to scratch disk when memory is short. Values that come
 * while it is away wait, and are counted when it is fetched, which is before anybody reads.
 */
import * as F from "./fields";
import { grabZeroed, hasFailed, push, release, releaseList, reserve } from "./heap";
import { hashBytes, mix, sameBytes } from "./value";

const SLOTS_MIN: u32 = 16;
const STIR: u64 = 0xd6e8feb86659fd93;
/** Takes the place of a seed where the hash must not have one. */
const PLACE: u64 = 0x2545f4914f6cdd1d;
/** Bits of the hash that choose the segment. */
const SEGMENT_SHIFT: u64 = 59;

// @ts-ignore: decorator
@inline
export function segmentAt(pane: usize, index: u32): usize {
  return <usize>load<u32>(pane, F.P_SETS) + <usize>index * F.SEGMENT_BYTES;
}

/** Gives a pane its segments. False: memory is out. */
export function needSets(state: usize, pane: usize): bool {
  if (load<u32>(pane, F.P_SETS)) return true;
  const sets = grabZeroed(state, <usize>F.SEGMENT_COUNT * F.SEGMENT_BYTES);
  store<u32>(pane, <u32>sets, F.P_SETS);
  return sets != 0;
}

export function freeSets(state: usize, pane: usize): void {
  const sets = <usize>load<u32>(pane, F.P_SETS);
  if (sets == 0) return;
  for (let i: u32 = 0; i < F.SEGMENT_COUNT; i++) freeSegment(state, segmentAt(pane, i));
  release(state, sets, <usize>F.SEGMENT_COUNT * F.SEGMENT_BYTES);
  store<u32>(pane, 0, F.P_SETS);
}

/** Empties a segment and gives its memory back. */
export function freeSegment(state: usize, segment: usize): void {
  freeMembers(state, segment);
  releaseList(state, segment + F.G_PENDING, <u32>F.MEMBER_BYTES);
  releaseList(state, segment + F.G_PENDING_BYTES, 1);
  releaseList(state, segment + F.G_PENDING_ENTRIES, 4);
  releaseList(state, segment + F.G_CHANGED, 4);
  memory.fill(segment, 0, F.SEGMENT_BYTES);
}

/** Gives back what goes to scratch disk. */
export function freeMembers(state: usize, segment: usize): void {
  releaseList(state, segment + F.G_MEMBERS, <u32>F.MEMBER_BYTES);
  releaseList(state, segment + F.G_BYTES, 1);
  release(state, load<u32>(segment, F.G_SLOTS), <usize>load<u32>(segment, F.G_SLOT_COUNT) << 3);
  store<u32>(segment, 0, F.G_SLOTS);
  store<u32>(segment, 0, F.G_SLOT_COUNT);
}

// @ts-ignore: decorator
@inline
function ownerWord(number: u32, set: u32): u64 {
  return ((<u64>number) << 16) | set;
}

/** The hash without a seed that says in which segment a value is. `low`: as in value.ts. */
// @ts-ignore: decorator
@inline
export function placeHash(kind: u32, low: u64, number: u32, set: u32): u64 {
  const owner = mix(PLACE, ownerWord(number, set));
  if (F.isBytes(kind)) return hashBytes(<usize>(<u32>low), <u32>(low >> 32), owner);
  return mix(owner, low);
}

// @ts-ignore: decorator
@inline
export function segmentOf(pane: usize, place: u64): usize {
  return segmentAt(pane, <u32>(place >> SEGMENT_SHIFT));
}

/** The hash that finds a value in its segment. */
// @ts-ignore: decorator
@inline
export function memberHash(seed: u64, kind: u32, low: u64, place: u64): u32 {
  // Who knows the hash without a seed can make texts that share it, but no integers that do.
  const own = F.isBytes(kind) ? hashBytes(<usize>(<u32>low), <u32>(low >> 32), seed) : seed;
  const x = ((own ^ place) * STIR) ^ place;
  return <u32>((x * STIR) >> 32);
}

/**
 * Notes that the aggregates in `mask` count a value of an entry: gives the bits of those that had
 * not, for whom it is new. `hash`: by `memberHash`. Nothing is new while the segment is away.
 */
export function noteMember(
  state: usize,
  segment: usize,
  hash: u32,
  kind: u32,
  low: u64,
  number: u32,
  set: u32,
  mask: u32,
): u32 {
  if (load<u32>(segment, F.G_AWAY)) {
    appendMember(state, segment + F.G_PENDING, segment + F.G_PENDING_BYTES, kind, low, number, set, mask);
    return 0;
  }
  const slotMask = load<u32>(segment, F.G_SLOT_COUNT) - 1;
  const slots = <usize>load<u32>(segment, F.G_SLOTS);
  const members = <usize>load<u32>(segment, F.G_MEMBERS);
  if (slots != 0) {
    const owner = ((<u64>set) << 48) | number;
    let j = hash & slotMask;
    while (true) {
      const slot = load<u64>(slots + (<usize>j << 3));
      if (<u32>slot == 0) break;
      const index = <u32>slot - 1;
      const member = members + <usize>index * F.MEMBER_BYTES;
      if (<u32>(slot >> 32) == hash && isMember(segment, member, kind, low, owner)) {
        const had = <u32>load<u16>(member, F.M_MASK);
        const fresh = mask & ~had;
        if (fresh == 0) return 0;
        store<u16>(member, <u16>(had | mask), F.M_MASK);
        if (index < load<u32>(segment, F.G_SAVED)) push(state, segment + F.G_CHANGED, index);
        return fresh;
      }
      j = (j + 1) & slotMask;
    }
  }
  const list = segment + F.G_MEMBERS;
  if (!appendMember(state, list, segment + F.G_BYTES, kind, low, number, set, mask)) return 0;
  return enterSlot(state, segment, hash, load<u32>(list, 4)) ? mask : 0;
}

// @ts-ignore: decorator
@inline
function isMember(segment: usize, member: usize, kind: u32, low: u64, owner: u64): bool {
  if ((load<u64>(member, F.M_ENTRY) & 0xffff0000ffffffff) != owner) return false;
  const value = load<u64>(member);
  if (!F.isBytes(kind)) return value == low;
  const length = <u32>(value >> 32);
  if (length != <u32>(low >> 32)) return false;
  return sameBytes(load<u32>(segment, F.G_BYTES) + <usize>(<u32>value), <usize>(<u32>low), length);
}

function appendMember(
  state: usize,
  list: usize,
  bytes: usize,
  kind: u32,
  low: u64,
  number: u32,
  set: u32,
  mask: u32,
): bool {
  let value = low;
  if (F.isBytes(kind)) {
    const length = <u32>(low >> 32);
    if (!reserve(state, bytes, 1, length)) return false;
    const offset = load<u32>(bytes, 4);
    memory.copy(<usize>load<u32>(bytes) + offset, <usize>(<u32>low), length);
    store<u32>(bytes, offset + length, 4);
    value = ((<u64>length) << 32) | offset;
  }
  if (!reserve(state, list, <u32>F.MEMBER_BYTES, 1)) return false;
  const count = load<u32>(list, 4);
  const member = <usize>load<u32>(list) + <usize>count * F.MEMBER_BYTES;
  store<u64>(member, value);
  store<u32>(member, number, F.M_ENTRY);
  store<u32>(member, mask | (set << 16), F.M_MASK);
  store<u32>(list, count + 1, 4);
  return true;
}

/** Makes the member of this number + 1 findable. */
function enterSlot(state: usize, segment: usize, hash: u32, reference: u32): bool {
  const count = load<u32>(segment, F.G_SLOT_COUNT);
  if (<u64>reference * 4 > <u64>count * 3 && !growSlots(state, segment, count)) return false;
  place(segment, (<u64>hash << 32) | reference);
  return true;
}

function place(segment: usize, slot: u64): void {
  const mask = load<u32>(segment, F.G_SLOT_COUNT) - 1;
  const slots = <usize>load<u32>(segment, F.G_SLOTS);
  let j = <u32>(slot >> 32) & mask;
  while (load<u32>(slots + (<usize>j << 3)) != 0) j = (j + 1) & mask;
  store<u64>(slots + (<usize>j << 3), slot);
}

function growSlots(state: usize, segment: usize, had: u32): bool {
  const old = <usize>load<u32>(segment, F.G_SLOTS);
  const count = had ? had << 1 : SLOTS_MIN;
  const slots = grabZeroed(state, <usize>count << 3);
  if (slots == 0) return false;
  store<u32>(segment, <u32>slots, F.G_SLOTS);
  store<u32>(segment, count, F.G_SLOT_COUNT);
  for (let i: u32 = 0; i < had; i++) {
    const slot = load<u64>(old + (<usize>i << 3));
    if (<u32>slot != 0) place(segment, slot);
  }
  release(state, old, <usize>had << 3);
  return true;
}

/** A member's value as `low` of value.ts, its text being in `bytes`. */
// @ts-ignore: decorator
@inline
export function valueOf(member: usize, kind: u32, bytes: usize): u64 {
  const value = load<u64>(member);
  return F.isBytes(kind) ? value + bytes : value;
}

/** Kind of the values of a set. */
export function kindOfSet(layout: usize, set: u32): u32 {
  return load<u32>(firstOfSet(layout, set), F.A_KIND);
}

/** The first accumulator of a set. */
export function firstOfSet(layout: usize, set: u32): usize {
  let a = <usize>load<u32>(layout, F.L_ACCUMULATORS);
  while (load<u32>(a, F.A_SET) != set + 1) a += F.ACCUMULATOR_BYTES;
  return a;
}

/** Makes the members of a segment that came from scratch disk findable again. */
export function enterMembers(state: usize, layout: usize, segment: usize): bool {
  const seed = load<u64>(state, F.S_SEED);
  const count = load<u32>(segment, F.G_MEMBERS + 4);
  let slotCount = SLOTS_MIN;
  while (<u64>count * 4 > <u64>slotCount * 3) slotCount <<= 1;
  const slots = grabZeroed(state, <usize>slotCount << 3);
  if (slots == 0) return false;
  store<u32>(segment, <u32>slots, F.G_SLOTS);
  store<u32>(segment, slotCount, F.G_SLOT_COUNT);
  const bytes = <usize>load<u32>(segment, F.G_BYTES);
  let member = <usize>load<u32>(segment, F.G_MEMBERS);
  for (let i: u32 = 0; i < count; i++, member += F.MEMBER_BYTES) {
    const set = <u32>load<u16>(member, F.M_SET);
    const kind = kindOfSet(layout, set);
    const low = valueOf(member, kind, bytes);
    const there = placeHash(kind, low, load<u32>(member, F.M_ENTRY), set);
    place(segment, (<u64>memberHash(seed, kind, low, there) << 32) | (i + 1));
  }
  return !hasFailed(state);
}
