/**
 * Sessions in a pane of their own: the hash table finds the first session of a key, the others hang
 * on its chain. A wheel of buckets holds them by the time at which something is due; an update
 * never touches the wheel, a due bucket closes its sessions or arms them again.
 */
import * as F from "./fields";
import { push, reserve } from "./heap";
import { clearSlot, emptyEntry, entryAt, numberOf, touch } from "./pane";
import { waste } from "./arena";

export const BUCKET_COUNT: u32 = 1024;
export const NO_WHEEL: i64 = i64.MIN_VALUE;

// @ts-ignore: decorator
@inline
export function floorDivide(a: i64, b: i64): i64 {
  const q = a / b;
  return a % b < 0 ? q - 1 : q;
}

/** When something is due for a session: it ends, or it has ended and takes no more rows. */
export function dueAt(state: usize, layout: usize, entry: usize): i64 {
  const end = load<i64>(entry + load<u32>(layout, F.L_END));
  const isFired = load<u32>(entry + load<u32>(layout, F.L_FIRED));
  return isFired ? end + load<i64>(state, F.S_LATENESS) : end;
}

/** Puts a session into the bucket in which it is due, or into the one that is looked at next. */
export function arm(state: usize, layout: usize, entry: usize, reference: u32): void {
  let tick = floorDivide(dueAt(state, layout, entry), load<i64>(state, F.S_TICK));
  const now = load<i64>(state, F.S_WHEEL);
  if (now != NO_WHEEL && tick < now) tick = now;
  const at = load<u32>(state, F.S_BUCKETS) + (((<usize>tick) & (BUCKET_COUNT - 1)) << 2);
  store<u32>(entry + load<u32>(layout, F.L_BUCKET), load<u32>(at));
  store<u32>(at, reference);
}

/** The session of a chain that was created by the row of this order; 0: none. */
export function findCreated(layout: usize, pane: usize, first: u32, created: i64): usize {
  let reference = first;
  while (reference) {
    const entry = entryAt(layout, pane, reference - 1);
    if (load<i64>(entry + load<u32>(layout, F.L_CREATED)) == created) return entry;
    reference = load<u32>(entry + load<u32>(layout, F.L_CHAIN));
  }
  return 0;
}

/** Notes for the next checkpoint that a session is about to change. */
export function markSession(state: usize, layout: usize, pane: usize, entry: usize): void {
  touch(state, layout, pane, entry, load<u32>(state, F.S_TOUCH));
}

/**
 * As `markSession`, when rows are to come: the session's row, if it is out, is kept to be taken
 * back, and the session is looked at when windows close, wherever in the wheel it hangs.
 */
export function touchSession(state: usize, layout: usize, pane: usize, entry: usize): void {
  markSession(state, layout, pane, entry);
  const fired = entry + load<u32>(layout, F.L_FIRED);
  if (load<u32>(fired) == 0) return;
  const size = load<u32>(layout, F.L_ENTRY_BYTES);
  if (!reserve(state, pane + F.P_IMAGES, size, 1)) return;
  const count = load<u32>(pane, F.P_IMAGES + 4);
  const image = <usize>load<u32>(pane, F.P_IMAGES) + <usize>count * size;
  memory.copy(image, entry, size);
  showTime(layout, image);
  store<u32>(pane, count + 1, F.P_IMAGES + 4);
  store<u32>(fired, 0);
  push(state, pane + F.P_TOUCHED, numberOf(layout, pane, entry));
}

/** In a copy of a session, window_time stands where its order of creation was. */
export function showTime(layout: usize, copy: usize): void {
  store<i64>(copy + load<u32>(layout, F.L_CREATED), load<i64>(copy + load<u32>(layout, F.L_END)) - 1);
}

/** Takes a session out of its chain. It stays in its bucket, marked as dead. */
export function unchain(layout: usize, pane: usize, entry: usize): void {
  const chain = load<u32>(layout, F.L_CHAIN);
  const hash = load<u32>(entry, F.E_HASH);
  const reference = numberOf(layout, pane, entry) + 1;
  const next = load<u32>(entry + chain);
  // The slot of the key points to the first of its chain: look through those of the same hash.
  const mask = load<u32>(pane, F.P_SLOT_COUNT) - 1;
  const slots = <usize>load<u32>(pane, F.P_SLOTS);
  let j = hash & mask;
  while (true) {
    const slot = slots + (<usize>j << 3);
    if (load<u32>(slot, 4) == hash && load<u32>(slot) != 0) {
      if (load<u32>(slot) == reference) {
        if (next) store<u32>(slot, next);
        else clearSlot(pane, slot);
        return;
      }
      let at = load<u32>(slot);
      while (at) {
        const other = entryAt(layout, pane, at - 1);
        at = load<u32>(other + chain);
        if (at == reference) {
          store<u32>(other + chain, next);
          return;
        }
      }
    }
    j = (j + 1) & mask;
  }
}

/** What still needs a dead session's entry; held where a live one notes that it has fired. */
const IN_BUCKET: u32 = 1;
const IN_CHECKPOINT: u32 = 2;

/**
 * Ends a session's life. Its entry is kept while a bucket leads to it, and until a checkpoint has
 * named it if the last one holds it (of a session, E_IMAGE says so).
 */
export function killSession(
  state: usize,
  layout: usize,
  pane: usize,
  entry: usize,
  isInBucket: bool,
): void {
  unchain(layout, pane, entry);
  emptyEntry(state, pane, entry);
  store<u32>(entry, F.DEAD, F.E_CHECKPOINT);
  const number = numberOf(layout, pane, entry);
  const isSaved = load<u32>(entry, F.E_IMAGE) != 0;
  if (isSaved) push(state, pane + F.P_REMOVED, number);
  const needs = (isInBucket ? IN_BUCKET : 0) | (isSaved ? IN_CHECKPOINT : 0);
  store<u32>(entry + load<u32>(layout, F.L_FIRED), needs);
  if (needs == 0) freeEntry(layout, pane, number);
}

export function leaveBucket(layout: usize, pane: usize, entry: usize): void {
  leave(layout, pane, entry, IN_BUCKET);
}

export function leaveCheckpoint(layout: usize, pane: usize, entry: usize): void {
  leave(layout, pane, entry, IN_CHECKPOINT);
}

function leave(layout: usize, pane: usize, entry: usize, need: u32): void {
  const at = entry + load<u32>(layout, F.L_FIRED);
  const needs = load<u32>(at) & ~need;
  store<u32>(at, needs);
  if (needs == 0) freeEntry(layout, pane, numberOf(layout, pane, entry));
}

function freeEntry(layout: usize, pane: usize, number: u32): void {
  const entry = entryAt(layout, pane, number);
  let key = <usize>load<u32>(layout, F.L_KEYS);
  for (let k: u32 = 0, n = load<u32>(layout, F.L_KEY_COUNT); k < n; k++, key += F.KEY_BYTES) {
    const slot = entry + load<u32>(key, F.K_SLOT);
    if (!F.isBytes(load<u32>(key, F.K_KIND))) continue;
    waste(pane, load<u32>(slot, 4));
    store<u64>(slot, 0);
  }
  store<u32>(entry + load<u32>(layout, F.L_CHAIN), load<u32>(pane, F.P_FREE_ENTRY));
  store<u32>(pane, number + 1, F.P_FREE_ENTRY);
}
