/**
 * APPROX_COUNT_DISTINCT: HyperLogLog with 2^12 registers (standard error 1.6 %) over 32 bits of a
 * hash that does not depend on the seed, read by Ertl's improved estimator ("New cardinality
 * estimation algorithms for HyperLogLog sketches", 2017), which needs no tables. Up to 383 values
 * are kept as a set of hashes instead and counted, so that small counts are exact but for values
 * whose hashes collide. Which of the two it is depends on the values alone. From some 10^8 values
 * on the 32 bits collide too often (1 % too few).
 *
 * Block: u32 used, u32 capacity (slots of the set; 0: registers), then hashes of u32 (0: free), or
 * a byte per register.
 */
import { B_HISTOGRAM, S_BLOCK } from "./fields";
import { grabZeroed, release } from "./heap";
import { hashValue } from "./value";

const BITS: u32 = 12;
const REGISTERS: u32 = 4096;
/** Bits of a hash behind the register's number. */
const RANKS: u32 = 20;
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
  const hash = <u32>(x >> 32);
  return raise(state, slot, hash ? hash : 1);
}

/** Raises the register of a hash to the place of its first 1 behind the register's number. */
function raiseRegister(block: usize, hash: u32): void {
  const at = block + HEAD + (hash >> RANKS);
  const rank = <u32>clz((hash << BITS) | (1 << (BITS - 1))) + 1;
  if (load<u8>(at) < rank) store<u8>(at, <u8>rank);
}

function raise(state: usize, slot: usize, hash: u32): bool {
  let block = <usize>load<u32>(slot);
  if (block == 0) {
    block = grabZeroed(state, bytesOf(SPARSE_MIN));
    if (block == 0) return false;
    store<u32>(block, SPARSE_MIN, 4);
    store<u32>(slot, <u32>block);
  }
  const capacity = load<u32>(block, 4);
  if (capacity == 0) {
    raiseRegister(block, hash);
    return true;
  }
  let i = hash & (capacity - 1);
  while (true) {
    const at = block + HEAD + (<usize>i << 2);
    const there = load<u32>(at);
    if (there == hash) return true;
    if (there == 0) {
      store<u32>(at, hash);
      const used = load<u32>(block) + 1;
      store<u32>(block, used);
      if (used * 4 < capacity * 3) return true;
      return rebuild(state, slot, capacity < SPARSE_MAX ? capacity << 1 : 0);
    }
    i = (i + 1) & (capacity - 1);
  }
}

/** Moves a set into a larger one, or into registers (capacity 0). */
function rebuild(state: usize, slot: usize, capacity: u32): bool {
  const old = <usize>load<u32>(slot);
  const had = load<u32>(old, 4);
  const block = grabZeroed(state, bytesOf(capacity));
  if (block == 0) return false;
  store<u32>(block, capacity, 4);
  store<u32>(slot, <u32>block);
  mergeRegisters(state, slot, old);
  release(state, old, bytesOf(had));
  return true;
}

/** Adds what a block has seen to that of a slot, which has one. */
export function mergeRegisters(state: usize, slot: usize, block: usize): bool {
  if (block == 0) return true;
  const capacity = load<u32>(block, 4);
  if (capacity) {
    for (let i: u32 = 0; i < capacity; i++) {
      const hash = load<u32>(block + HEAD + (<usize>i << 2));
      if (hash && !raise(state, slot, hash)) return false;
    }
    return true;
  }
  if (load<u32>(load<u32>(slot), 4) && !rebuild(state, slot, 0)) return false;
  const mine = <usize>load<u32>(slot) + HEAD;
  for (let i: usize = 0; i < <usize>REGISTERS; i++) {
    const rank = load<u8>(block + HEAD + i);
    if (load<u8>(mine + i) < rank) store<u8>(mine + i, rank);
  }
  return true;
}

/** How many distinct values a block has seen. */
export function estimate(state: usize, block: usize): i64 {
  if (block == 0) return 0;
  if (load<u32>(block, 4)) return load<u32>(block);
  const histogram = <usize>load<u32>(state, S_BLOCK) + B_HISTOGRAM;
  memory.fill(histogram, 0, (RANKS + 2) << 2);
  let seen: u32 = 0;
  for (let i: u32 = 0; i < REGISTERS; i++) {
    const rank = <u32>load<u8>(block + HEAD + i);
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
