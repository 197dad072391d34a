/**
 * Single values in one form for all kinds: two words, `low` and `high`. Integer: low. Real: its
 * bits in low, −0 as 0. Wide: both. Text and blob: low is the address, and the length above bit 32.
 */
import { BLOB, C_BASE, C_KIND, C_NULL_STRIDE, C_NULLS, C_STRIDE, C_VALUES } from "./fields";
import { REAL, TEXT, WIDE } from "./fields";

/** The value that was taken last. */
export let low: u64 = 0;
export let high: u64 = 0;

/** Puts back a value that was taken before. */
export function setValue(lowWord: u64, highWord: u64): void {
  low = lowWord;
  high = highWord;
}

const GOLDEN: u64 = 0x9e3779b97f4a7c15;
const STIR: u64 = 0xd6e8feb86659fd93;

// @ts-ignore: decorator
@inline
export function isNull(column: usize, row: usize): bool {
  const nulls = <usize>load<u32>(column, C_NULLS);
  return nulls != 0 && load<u8>(nulls + row * load<u32>(column, C_NULL_STRIDE)) != 0;
}

// @ts-ignore: decorator
@inline
export function slotOf(column: usize, row: usize): usize {
  return <usize>load<u32>(column, C_VALUES) + row * load<u32>(column, C_STRIDE);
}

/** The bits of a real, with one zero only. */
// @ts-ignore: decorator
@inline
export function realBits(slot: usize): u64 {
  const bits = load<u64>(slot);
  return bits == 0x8000000000000000 ? 0 : bits;
}

/** Takes the value of a slot; `base` is added to pointers. */
export function takeSlot(kind: u32, slot: usize, base: usize): void {
  high = 0;
  if (kind == TEXT || kind == BLOB) {
    low = <u64>(<u32>base + load<u32>(slot)) | (<u64>load<u32>(slot, 4) << 32);
  } else if (kind == REAL) {
    low = realBits(slot);
  } else {
    low = load<u64>(slot);
    if (kind == WIDE) high = load<u64>(slot, 8);
  }
}

export function take(column: usize, row: usize): void {
  takeSlot(load<u32>(column, C_KIND), slotOf(column, row), load<u32>(column, C_BASE));
}

// @ts-ignore: decorator
@inline
export function mix(hash: u64, word: u64): u64 {
  const x = (hash ^ word) * GOLDEN;
  return x ^ (x >> 32);
}

/** Reads whole words: behind the bytes there is room to read. */
export function hashBytes(address: usize, length: u32, seed: u64): u64 {
  let x = mix(seed, <u64>length);
  let p = address;
  let rest = length;
  while (rest >= 8) {
    x = mix(x, load<u64>(p));
    p += 8;
    rest -= 8;
  }
  if (rest) x = mix(x, load<u64>(p) & (((<u64>1) << (<u64>rest << 3)) - 1));
  return x;
}

export function hashValue(kind: u32, lowWord: u64, highWord: u64, seed: u64): u64 {
  let x: u64;
  if (kind == TEXT || kind == BLOB) x = hashBytes(<usize>(<u32>lowWord), <u32>(lowWord >> 32), seed);
  else if (kind == WIDE) x = mix(mix(seed, lowWord), highWord);
  else x = mix(seed, lowWord);
  x *= STIR;
  return x ^ (x >> 32);
}

export function sameBytes(a: usize, b: usize, length: u32): bool {
  let p = a;
  let q = b;
  let rest = length;
  while (rest >= 8) {
    if (load<u64>(p) != load<u64>(q)) return false;
    p += 8;
    q += 8;
    rest -= 8;
  }
  return rest == 0 || (load<u64>(p) ^ load<u64>(q)) << (64 - (<u64>rest << 3)) == 0;
}

export function sameValue(kind: u32, low1: u64, high1: u64, low2: u64, high2: u64): bool {
  if (kind == TEXT || kind == BLOB) {
    const length = <u32>(low1 >> 32);
    if (length != <u32>(low2 >> 32)) return false;
    return sameBytes(<usize>(<u32>low1), <usize>(<u32>low2), length);
  }
  return low1 == low2 && high1 == high2;
}

/** Order of two values: below 0, 0, above 0. Text goes by its bytes, as in Flink. */
export function compareValues(kind: u32, low1: u64, high1: u64, low2: u64, high2: u64): i32 {
  if (kind == TEXT || kind == BLOB) {
    const length1 = <u32>(low1 >> 32);
    const length2 = <u32>(low2 >> 32);
    const order = memory.compare(
      <usize>(<u32>low1),
      <usize>(<u32>low2),
      length1 < length2 ? length1 : length2,
    );
    return order != 0 ? order : length1 < length2 ? -1 : length1 > length2 ? 1 : 0;
  }
  if (kind == REAL) {
    const a = reinterpret<f64>(low1);
    const b = reinterpret<f64>(low2);
    return a < b ? -1 : a > b ? 1 : 0;
  }
  if (kind == WIDE) {
    if (high1 != high2) return <i64>high1 < <i64>high2 ? -1 : 1;
    return low1 < low2 ? -1 : low1 > low2 ? 1 : 0;
  }
  return <i64>low1 < <i64>low2 ? -1 : <i64>low1 > <i64>low2 ? 1 : 0;
}
