/**
 * Checkpoints of the sets of DISTINCT values, and their ways to scratch disk and back. In a
 * checkpoint sets stand behind the panes (image.ts), a chunk per segment that has changed:
 *
 *   i64 start of the pane, u32 segment, u32 members, u32 bytes, u32 0
 *   per member: i64 value, or, of text, u32 place in the bytes and u32 length;
 *     u32 number of its entry in the pane, or its group's name, u16 bits of the aggregates that count it, u16 set
 *   the bytes
 *
 * A delta names members that are new or have new bits: reading it adds them. Entries of rows that
 * are never taken back keep their numbers.
 */
import * as F from "./fields";
import { addMember } from "./fold-sets";
import { hasFailed, releaseList, reserve } from "./heap";
import { entryAt } from "./pane";
import { paneAt, paneCount, paneFrom } from "./panes";
import { enterMembers, freeMembers, kindOfSet, memberHash, needSets, noteMember } from "./sets";
import { placeHash, segmentAt, segmentOf, valueOf } from "./sets";

export const CHUNK_BYTES: u32 = 24;

/** True when a pane has sets at all. */
export function hasSets(state: usize, index: u32): bool {
  return load<u32>(paneAt(state, index), F.P_SETS) != 0;
}

/** Address of a segment of a pane that has sets. */
export function segmentOfPane(state: usize, index: u32, segment: u32): usize {
  return segmentAt(paneAt(state, index), segment);
}

/** True when a checkpoint has something to say of a segment. */
export function isSegmentDirty(segment: usize, isFull: bool): bool {
  const count = load<u32>(segment, F.G_MEMBERS + 4);
  if (isFull) return count != 0;
  return count != load<u32>(segment, F.G_SAVED) || load<u32>(segment, F.G_CHANGED + 4) != 0;
}

/** Takes its sets from a pane that goes, for the one that comes in its place. */
export function takeSets(pane: usize): u32 {
  const sets = load<u32>(pane, F.P_SETS);
  store<u32>(pane, 0, F.P_SETS);
  return sets;
}

let target: usize = 0;
let targetBytes: usize = 0;
let filled: u32 = 0;

function putMember(layout: usize, segment: usize, number: u32): void {
  const member = <usize>load<u32>(segment, F.G_MEMBERS) + <usize>number * F.MEMBER_BYTES;
  let value = load<u64>(member);
  if (F.isBytes(kindOfSet(layout, <u32>load<u16>(member, F.M_SET)))) {
    const length = <u32>(value >> 32);
    memory.copy(targetBytes + filled, load<u32>(segment, F.G_BYTES) + <usize>(<u32>value), length);
    value = ((<u64>length) << 32) | filled;
    filled += length;
  }
  store<u64>(target, value);
  store<u64>(target, load<u64>(member, F.M_ENTRY), F.M_ENTRY);
  target += F.MEMBER_BYTES;
}

function bytesOf(layout: usize, segment: usize, number: u32): u32 {
  const member = <usize>load<u32>(segment, F.G_MEMBERS) + <usize>number * F.MEMBER_BYTES;
  if (!F.isBytes(kindOfSet(layout, <u32>load<u16>(member, F.M_SET)))) return 0;
  return load<u32>(member, 4);
}

/** Writes the chunk of a segment into the state's blob. False: memory is out. */
export function saveSegment(state: usize, pane: usize, index: u32, isFull: bool): bool {
  const segment = segmentAt(pane, index);
  const layout = <usize>load<u32>(state, F.S_LAYOUT);
  const count = load<u32>(segment, F.G_MEMBERS + 4);
  const from: u32 = isFull ? 0 : load<u32>(segment, F.G_SAVED);
  const changed = <usize>load<u32>(segment, F.G_CHANGED);
  const changes: u32 = isFull ? 0 : load<u32>(segment, F.G_CHANGED + 4);
  const members = changes + count - from;
  let bytes: u32 = 0;
  for (let i: u32 = 0; i < changes; i++) {
    bytes += bytesOf(layout, segment, load<u32>(changed + (<usize>i << 2)));
  }
  for (let i = from; i < count; i++) bytes += bytesOf(layout, segment, i);
  const blob = state + F.S_BLOB;
  store<u32>(blob, 0, 4);
  const length = CHUNK_BYTES + members * <u32>F.MEMBER_BYTES + bytes;
  if (!reserve(state, blob, 1, length)) return false;
  store<u32>(blob, length, 4);
  const head = <usize>load<u32>(blob);
  store<i64>(head, load<i64>(pane, F.P_START));
  store<u32>(head, index, 8);
  store<u32>(head, members, 12);
  store<u32>(head, bytes, 16);
  store<u32>(head, 0, 20);
  target = head + CHUNK_BYTES;
  targetBytes = target + <usize>members * F.MEMBER_BYTES;
  filled = 0;
  for (let i: u32 = 0; i < changes; i++) {
    putMember(layout, segment, load<u32>(changed + (<usize>i << 2)));
  }
  for (let i = from; i < count; i++) putMember(layout, segment, i);
  settleSegment(segment);
  return true;
}

/** A checkpoint holds all that the segment has. */
function settleSegment(segment: usize): void {
  store<u32>(segment, load<u32>(segment, F.G_MEMBERS + 4), F.G_SAVED);
  store<u32>(segment, 0, F.G_CHANGED + 4);
}

/**
 * Reads a chunk, of whose segment nothing is on scratch disk. Accumulators do not follow: a
 * checkpoint holds them as they were.
 */
export function restoreChunk(state: usize, chunk: usize): void {
  const layout = <usize>load<u32>(state, F.S_LAYOUT);
  const pane = paneFrom(state, load<i64>(chunk));
  if (pane == 0 || !needSets(state, pane)) return;
  const count = load<u32>(chunk, 12);
  let member = chunk + CHUNK_BYTES;
  const bytes = member + <usize>count * F.MEMBER_BYTES;
  for (let i: u32 = 0; i < count; i++, member += F.MEMBER_BYTES) {
    const set = <u32>load<u16>(member, F.M_SET);
    const kind = kindOfSet(layout, set);
    const number = load<u32>(member, F.M_ENTRY);
    const value = valueOf(member, kind, bytes);
    restoreMember(state, pane, kind, value, number, set, load<u16>(member, F.M_MASK));
    if (hasFailed(state)) return;
  }
}

export function restoreMember(
  state: usize,
  pane: usize,
  kind: u32,
  value: u64,
  number: u32,
  set: u32,
  mask: u32,
): void {
  const place = placeHash(kind, value, number, set);
  const hash = memberHash(load<u64>(state, F.S_SEED), kind, value, place);
  noteMember(state, segmentOf(pane, place), hash, kind, value, number, set, mask);
}

/** A checkpoint was read: the next one counts from here. */
export function settleSets(state: usize): void {
  for (let i: u32 = 0, n = paneCount(state); i < n; i++) {
    const pane = paneAt(state, i);
    if (load<u32>(pane, F.P_SETS) == 0) continue;
    for (let s: u32 = 0; s < F.SEGMENT_COUNT; s++) settleSegment(segmentAt(pane, s));
  }
}

/** Members and bytes of a segment were written to scratch disk: gives their memory back. */
export function leaveSegment(state: usize, segment: usize): void {
  const members = load<u32>(segment, F.G_MEMBERS + 4);
  const bytes = load<u32>(segment, F.G_BYTES + 4);
  freeMembers(state, segment);
  store<u32>(segment, members, F.G_MEMBERS + 4);
  store<u32>(segment, bytes, F.G_BYTES + 4);
  store<u32>(segment, 1, F.G_AWAY);
}

/** Makes room for what comes back from scratch disk. False: memory is out. */
export function makeRoom(state: usize, segment: usize): bool {
  const members = segment + F.G_MEMBERS;
  const bytes = segment + F.G_BYTES;
  const memberCount = load<u32>(members, 4);
  const byteCount = load<u32>(bytes, 4);
  store<u32>(members, 0, 4);
  store<u32>(bytes, 0, 4);
  const hasRoom =
    reserve(state, members, <u32>F.MEMBER_BYTES, memberCount) && reserve(state, bytes, 1, byteCount);
  store<u32>(members, memberCount, 4);
  store<u32>(bytes, byteCount, 4);
  return hasRoom;
}

/** What was on scratch disk is back: members are findable, and those that waited are counted. */
export function comeBack(state: usize, pane: usize, segment: usize): bool {
  const layout = <usize>load<u32>(state, F.S_LAYOUT);
  if (!enterMembers(state, layout, segment)) return false;
  store<u32>(segment, 0, F.G_AWAY);
  const bytes = <usize>load<u32>(segment, F.G_PENDING_BYTES);
  const isNamed = load<u32>(layout, F.L_NAME) != 0;
  const entries = <usize>load<u32>(segment, F.G_PENDING_ENTRIES);
  let member = <usize>load<u32>(segment, F.G_PENDING);
  for (let i: u32 = 0, n = load<u32>(segment, F.G_PENDING + 4); i < n; i++) {
    const name = load<u32>(member, F.M_ENTRY);
    const number = isNamed ? load<u32>(entries + (<usize>i << 2)) : name;
    addMember(state, layout, pane, entryAt(layout, pane, number), name, member, bytes);
    if (hasFailed(state)) return false;
    member += F.MEMBER_BYTES;
  }
  releaseList(state, segment + F.G_PENDING_ENTRIES, 4);
  releaseList(state, segment + F.G_PENDING, <u32>F.MEMBER_BYTES);
  releaseList(state, segment + F.G_PENDING_BYTES, 1);
  return true;
}
