/**
 * Memory of the state kernels: SQLite's allocator, with an account of what each state holds and a
 * limit to it. An allocation that fails marks the state as failed; whoever meets that mark gives
 * up, and the state is good for nothing but to be freed.
 *
 * A list is three words: u32 address, u32 count, u32 capacity, the latter two in elements.
 */
import { S_BYTES, S_FAILED, S_LIMIT } from "./fields";

// @ts-ignore: decorator
@external("env", "malloc")
declare function malloc(bytes: usize): usize;
// @ts-ignore: decorator
@external("env", "realloc")
declare function realloc(address: usize, bytes: usize): usize;
// @ts-ignore: decorator
@external("env", "free")
declare function free(address: usize): void;

/** Readers may load this far behind what is theirs. */
const SLACK: usize = 16;
/** Lists longer than this grow more gently. */
const GENTLE_BYTES: u64 = 32 << 20;
const BYTES_MAX: u64 = 0x7ff00000;

export const FAILED_MEMORY: u32 = 1;
export const FAILED_INPUT: u32 = 2;

export function fail(state: usize, reason: u32): bool {
  if (load<u32>(state, S_FAILED) == 0) store<u32>(state, reason, S_FAILED);
  return false;
}

// @ts-ignore: decorator
@inline
export function hasFailed(state: usize): bool {
  return load<u32>(state, S_FAILED) != 0;
}

function isOverLimit(state: usize, more: i64): bool {
  const limit = load<i64>(state, S_LIMIT);
  return limit > 0 && load<i64>(state, S_BYTES) + more > limit;
}

function account(state: usize, bytes: i64): void {
  store<i64>(state, load<i64>(state, S_BYTES) + bytes, S_BYTES);
}

/** Memory for a new state, which has no account yet; zeroed; 0 when there is none. */
export function grabState(bytes: usize): usize {
  const address = malloc(bytes);
  if (address) memory.fill(address, 0, bytes);
  return address;
}

export function releaseState(address: usize): void {
  free(address);
}

/** Memory with room to read behind it; 0 when there is none. */
export function grab(state: usize, bytes: usize): usize {
  const address = isOverLimit(state, bytes) ? 0 : malloc(bytes + SLACK);
  if (address == 0) {
    fail(state, FAILED_MEMORY);
    return 0;
  }
  account(state, bytes);
  return address;
}

export function grabZeroed(state: usize, bytes: usize): usize {
  const address = grab(state, bytes);
  if (address) memory.fill(address, 0, bytes);
  return address;
}

export function release(state: usize, address: usize, bytes: usize): void {
  if (address == 0) return;
  free(address);
  account(state, -<i64>bytes);
}

/** Makes room for `extra` more elements of `width` bytes in a list. */
// @ts-ignore: decorator
@inline
export function reserve(state: usize, list: usize, width: u32, extra: u32): bool {
  if (load<u32>(list, 4) + extra <= load<u32>(list, 8)) return true;
  return growList(state, list, width, extra);
}

function growList(state: usize, list: usize, width: u32, extra: u32): bool {
  const had = load<u32>(list, 8);
  const need = <u64>load<u32>(list, 4) + extra;
  // Doubling copies least; once it would waste much, half as much again must do.
  let capacity = <u64>had + (<u64>had * width < GENTLE_BYTES ? had : had >> 1);
  if (capacity < need) capacity = need;
  if (capacity < 8) capacity = 8;
  const bytes = capacity * width;
  const more = <i64>bytes - <i64>had * width;
  if (bytes > BYTES_MAX || isOverLimit(state, more)) return fail(state, FAILED_MEMORY);
  const address = realloc(load<u32>(list), <usize>bytes + SLACK);
  if (address == 0) return fail(state, FAILED_MEMORY);
  account(state, more);
  store<u32>(list, <u32>address);
  store<u32>(list, <u32>capacity, 8);
  return true;
}

/** Appends a word to a list of words. */
export function push(state: usize, list: usize, word: u32): bool {
  if (!reserve(state, list, 4, 1)) return false;
  const count = load<u32>(list, 4);
  store<u32>(load<u32>(list) + (<usize>count << 2), word);
  store<u32>(list, count + 1, 4);
  return true;
}

export function releaseList(state: usize, list: usize, width: u32): void {
  release(state, load<u32>(list), <usize>load<u32>(list, 8) * width);
  store<u32>(list, 0);
  store<u32>(list, 0, 4);
  store<u32>(list, 0, 8);
}

/** Sorts a list of words ascending: heap sort, which needs no memory. */
export function sortWords(address: usize, count: u32): void {
  let isSorted = true;
  for (let i: u32 = 1; i < count; i++) {
    const at = address + (<usize>i << 2);
    if (load<u32>(at - 4) > load<u32>(at)) {
      isSorted = false;
      break;
    }
  }
  if (isSorted) return;
  for (let i = count >> 1; i > 0; i--) sift(address, i - 1, count);
  for (let end = count - 1; end > 0; end--) {
    const top = load<u32>(address);
    store<u32>(address, load<u32>(address + (<usize>end << 2)));
    store<u32>(address + (<usize>end << 2), top);
    sift(address, 0, end);
  }
}

function sift(address: usize, from: u32, count: u32): void {
  let i = from;
  const value = load<u32>(address + (<usize>i << 2));
  while (true) {
    let child: u32 = 2 * i + 1;
    if (child >= count) break;
    const at = address + (<usize>child << 2);
    if (child + 1 < count && load<u32>(at, 4) > load<u32>(at)) child++;
    const greater = load<u32>(address + (<usize>child << 2));
    if (greater <= value) break;
    store<u32>(address + (<usize>i << 2), greater);
    i = child;
  }
  store<u32>(address + (<usize>i << 2), value);
}
