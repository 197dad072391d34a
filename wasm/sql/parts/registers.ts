/**
 * APPROX_COUNT_DISTINCT: HyperLogLog with 2^12 registers (standard error 1.6 %) over a hash that
 * does not depend on the seed, read by Ertl's improved estimator ("New cardinality estimation
 * algorithms for HyperLogLog sketches", 2017), which needs no tables and is right at every size.
 * Few values are kept as a sparse hash table of (register, rank); the estimate is the same.
 *
 * Block: u32 used, u32 capacity (slots of the sparse table; 0: dense), then slots of u32 (register
 * << 8 | rank; 0: free), or a byte per register.
 */
import { B_HISTOGRAM, S_BLOCK } from "./fields";
import { grabZeroed, release } from "./heap";
import { hashValue } from "./value";

const BITS: u32 = 12;
const REGISTERS: u32 = 4096;
const RANKS: u32 = 52;
const SPARSE_MIN: u32 = 8;
const SPARSE_MAX: u32 = 512;
const HEAD: usize = 8;
/** Any constant: the hash must be the same in every run, since estimates are results. */
const HASH_SEED: u64 = 0x2545f4914f6cdd1d;
const SPREAD: u64 = 0xff51afd7ed558ccd;

// @ts-ignore: decorator
@inline
function bytesOf(capacity: u32): usize {
  return HEAD + (capacity ? <usize>capacity << 2 : <usize>REGISTERS);
}

export function registerBytes(block: usize): u32 {
  return block ? <u32>bytesOf(load<u32>(block, 4)) : 0;
}

export function freeRegisters(state: usize, slot: usize): void {
  const block = <usize>load<u32>(slot);
  if (block) release(state, block, bytesOf(load<u32>(block, 4)));
  store<u32>(slot, 0);
}

/** Puts a copy of a block, as `registerBytes` measures it, in a slot that has none. */
export function copyRegisters(state: usize, slot: usize, source: usize, bytes: u32): bool {
  if (bytes == 0) return true;
  const block = grabZeroed(state, bytes);
  if (block == 0) return false;
  memory.copy(block, source, bytes);
  store<u32>(slot, <u32>block);
  return true;
}

export function addToRegisters(state: usize, slot: usize, kind: u32, low: u64, high: u64): bool {
  let x = hashValue(kind, low, high, HASH_SEED);
  x = (x ^ (x >> 33)) * SPREAD;
  x ^= x >> 33;
  const register = <u32>(x >> (64 - BITS));
  const rank = <u32>clz((x << BITS) | (1 << (BITS - 1))) + 1;
  return raise(state, slot, register, rank);
}

function raise(state: usize, slot: usize, register: u32, rank: u32): bool {
  let block = <usize>load<u32>(slot);
  if (block == 0) {
    block = grabZeroed(state, bytesOf(SPARSE_MIN));
    if (block == 0) return false;
    store<u32>(block, SPARSE_MIN, 4);
    store<u32>(slot, <u32>block);
  }
  const capacity = load<u32>(block, 4);
  if (capacity == 0) {
    const at = block + HEAD + register;
    if (load<u8>(at) < rank) store<u8>(at, <u8>rank);
    return true;
  }
  let i = register & (capacity - 1);
  while (true) {
    const at = block + HEAD + (<usize>i << 2);
    const there = load<u32>(at);
    if (there == 0) {
      store<u32>(at, (register << 8) | rank);
      const used = load<u32>(block) + 1;
      store<u32>(block, used);
      return used * 4 < capacity * 3 || grow(state, slot);
    }
    if (there >> 8 == register) {
      if ((there & 255) < rank) store<u32>(at, (register << 8) | rank);
      return true;
    }
    i = (i + 1) & (capacity - 1);
  }
}

function grow(state: usize, slot: usize): bool {
  const old = <usize>load<u32>(slot);
  const had = load<u32>(old, 4);
  const capacity = had < SPARSE_MAX ? had << 1 : 0;
  const block = grabZeroed(state, bytesOf(capacity));
  if (block == 0) return false;
  store<u32>(block, capacity, 4);
  store<u32>(slot, <u32>block);
  mergeRegisters(state, slot, old);
  release(state, old, bytesOf(had));
  return true;
}

/** Raises the registers of a slot to those of a block. */
export function mergeRegisters(state: usize, slot: usize, block: usize): bool {
  if (block == 0) return true;
  const capacity = load<u32>(block, 4);
  const count = capacity ? capacity : REGISTERS;
  for (let i: u32 = 0; i < count; i++) {
    if (capacity) {
      const there = load<u32>(block + HEAD + (<usize>i << 2));
      if (there && !raise(state, slot, there >> 8, there & 255)) return false;
    } else {
      const rank = <u32>load<u8>(block + HEAD + i);
      if (rank && !raise(state, slot, i, rank)) return false;
    }
  }
  return true;
}

/** How many distinct values a block has seen. */
export function estimate(state: usize, block: usize): i64 {
  if (block == 0) return 0;
  const histogram = <usize>load<u32>(state, S_BLOCK) + B_HISTOGRAM;
  memory.fill(histogram, 0, (RANKS + 2) << 2);
  const capacity = load<u32>(block, 4);
  const count = capacity ? capacity : REGISTERS;
  let seen: u32 = 0;
  for (let i: u32 = 0; i < count; i++) {
    const rank = capacity
      ? load<u32>(block + HEAD + (<usize>i << 2)) & 255
      : <u32>load<u8>(block + HEAD + i);
    if (rank == 0) continue;
    const at = histogram + (<usize>rank << 2);
    store<u32>(at, load<u32>(at) + 1);
    seen++;
  }
  const m = <f64>REGISTERS;
  let z = m * tau(1.0 - <f64>load<u32>(histogram + ((RANKS + 1) << 2)) / m);
  for (let k = RANKS; k >= 1; k--) z = 0.5 * (z + <f64>load<u32>(histogram + (<usize>k << 2)));
  z += m * sigma(<f64>(REGISTERS - seen) / m);
  const alpha = 0.7213475204444817;
  return <i64>Math.floor((alpha * m * m) / z + 0.5);
}

function sigma(value: f64): f64 {
  if (value == 1.0) return Infinity;
  let x = value;
  let y = 1.0;
  let z = x;
  while (true) {
    x *= x;
    const before = z;
    z += x * y;
    y += y;
    if (z == before) return z;
  }
}

function tau(value: f64): f64 {
  if (value == 0.0 || value == 1.0) return 0.0;
  let x = value;
  let y = 1.0;
  let z = 1.0 - x;
  while (true) {
    x = Math.sqrt(x);
    const before = z;
    y *= 0.5;
    z -= (1.0 - x) * (1.0 - x) * y;
    if (z == before) return z / 3.0;
  }
}
