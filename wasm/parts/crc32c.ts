/**
 * CRC-32C (Castagnoli, reflected polynomial 0x82F63B78) over bytes in linear memory, with 43 520
 * bytes of that memory for itself:
 *
 * | position | bytes  | use                                                                  |
 * |---------:|-------:|----------------------------------------------------------------------|
 * |        0 |  8 192 | SLICE: eight tables; table j advances a byte by j zero bytes         |
 * |    8 192 |  8 192 | BRAID: the same for 24 + j zero bytes                                |
 * |   16 384 | 21 712 | RING: 5 328 folded bytes of history, then the 16 KiB being folded    |
 * |   38 144 |  5 376 | TAIL: what folding leaves                                            |
 *
 * Below 8 KiB: four words of eight bytes advance side by side (braided tables), so that the table
 * loads of one do not wait for those of another. From 8 KiB: folding. x^5321 = x^3574 + x^2491 + 1
 * modulo the polynomial; squared three times, it holds for bytes as well: a byte may be cleared
 * when it is added to those 1 747, 2 830 and 5 321 further on. That needs no tables and no
 * multiplication, 16 bytes at a time: t[i] = m[i] ^ t[i-1747] ^ t[i-2830] ^ t[i-5321]. Only the
 * last 5 321 to 5 352 bytes are left to the tables.
 */

const POLYNOMIAL: u32 = 0x82f63b78;

const SLICE: usize = 0;
const BRAID: usize = 8192;
const RING: usize = 16384;
const TAIL: usize = 38144;

const GAP_NEAR: usize = 1747;
const GAP_MIDDLE: usize = 2830;
const GAP_FAR: usize = 5321;
/** GAP_FAR rounded up to whole vectors. */
const HISTORY: usize = 5328;
const CHUNK: usize = 16384;
const FOLD_MIN: usize = 8192;

/** Bytes of the memory at `base`, which every function is given, that belong to it. */
export const CRC_BYTES: usize = 43520;

/** Fills the tables. Call once per place, before anything else. */
export function fillTables(base: usize): void {
  const slice = base + SLICE;
  const braided = base + BRAID;
  for (let i: u32 = 0; i < 256; i++) {
    let c = i;
    for (let bit = 0; bit < 8; bit++) c = (c >>> 1) ^ (POLYNOMIAL & (0 - (c & 1)));
    store<u32>(slice + ((<usize>i) << 2), c);
  }
  for (let i: u32 = 0; i < 256; i++) {
    const slot = (<usize>i) << 2;
    let c = load<u32>(slice + slot);
    for (let zeros: usize = 1; zeros < 32; zeros++) {
      c = entry(slice, c & 255) ^ (c >>> 8);
      if (zeros < 8) store<u32>(slice + (zeros << 10) + slot, c);
      if (zeros >= 24) store<u32>(braided + ((zeros - 24) << 10) + slot, c);
    }
  }
}

/** The CRC of `length` bytes at `position`, going on from `previous` (0 to begin). */
export function sum(base: usize, previous: u32, position: usize, length: usize): u32 {
  const c = ~previous;
  return ~(length < FOLD_MIN ? braid(base, c, position, length) : fold(base, c, position, length));
}

// @ts-ignore: decorator
@inline
function entry(table: usize, index: u32): u32 {
  return load<u32>(table + ((<usize>index) << 2));
}

/** Advances eight bytes, by the zero bytes that follow each of them as `tables` was made for. */
// @ts-ignore: decorator
@inline
function advance(tables: usize, word: u64): u32 {
  const low = <u32>word;
  const high = <u32>(word >>> 32);
  return (
    entry(tables + 7168, low & 255) ^
    entry(tables + 6144, (low >>> 8) & 255) ^
    entry(tables + 5120, (low >>> 16) & 255) ^
    entry(tables + 4096, low >>> 24) ^
    entry(tables + 3072, high & 255) ^
    entry(tables + 2048, (high >>> 8) & 255) ^
    entry(tables + 1024, (high >>> 16) & 255) ^
    entry(tables, high >>> 24)
  );
}

function braid(base: usize, state: u32, position: usize, length: usize): u32 {
  const slice = base + SLICE;
  const braided = base + BRAID;
  let c = state;
  let p = position;
  let left = length;
  if (left >= 64) {
    // All but the last block of 32 bytes: each word's state is due 32 bytes further on.
    const blocks = left / 32 - 1;
    const end = p + blocks * 32;
    let c0 = c;
    let c1: u32 = 0;
    let c2: u32 = 0;
    let c3: u32 = 0;
    while (p < end) {
      c0 = advance(braided, load<u64>(p) ^ c0);
      c1 = advance(braided, load<u64>(p, 8) ^ c1);
      c2 = advance(braided, load<u64>(p, 16) ^ c2);
      c3 = advance(braided, load<u64>(p, 24) ^ c3);
      p += 32;
    }
    c = advance(slice, load<u64>(p) ^ c0);
    c = advance(slice, load<u64>(p, 8) ^ c1 ^ c);
    c = advance(slice, load<u64>(p, 16) ^ c2 ^ c);
    c = advance(slice, load<u64>(p, 24) ^ c3 ^ c);
    p += 32;
    left -= (blocks + 1) * 32;
  }
  while (left >= 8) {
    c = advance(slice, load<u64>(p) ^ c);
    p += 8;
    left -= 8;
  }
  while (left > 0) {
    c = entry(slice, (c ^ load<u8>(p)) & 255) ^ (c >>> 8);
    p++;
    left--;
  }
  return c;
}

/** Sum of the three folded vectors that reach `at`. */
// @ts-ignore: decorator
@inline
function reaching(at: usize): v128 {
  return v128.xor(
    v128.load(at - GAP_NEAR),
    v128.xor(v128.load(at - GAP_MIDDLE), v128.load(at - GAP_FAR)),
  );
}

function fold(base: usize, state: u32, position: usize, length: usize): u32 {
  const ring = base + RING;
  let p = position;
  let left = (length - GAP_FAR) & ~31;
  const tail = length - left;
  memory.fill(ring, 0, HISTORY);
  // The state belongs to the first four bytes, which these four reach and no others do.
  store<u32>(ring + HISTORY - GAP_FAR, state);
  while (left > 0) {
    const chunk = left < CHUNK ? left : CHUNK;
    let t: usize = ring + HISTORY;
    const end = t + chunk;
    while (t < end) {
      v128.store(t, v128.xor(v128.load(p), reaching(t)));
      v128.store(t + 16, v128.xor(v128.load(p, 16), reaching(t + 16)));
      p += 32;
      t += 32;
    }
    left -= chunk;
    memory.copy(ring, end - HISTORY, HISTORY);
  }
  // The tail takes what the history adds to it and adds nothing itself: zeros stand in for it.
  let t: usize = ring + HISTORY;
  memory.fill(t, 0, HISTORY);
  const rest = base + TAIL;
  let out: usize = rest;
  const end = rest + tail;
  while (out + 16 <= end) {
    v128.store(out, v128.xor(v128.load(p), reaching(t)));
    p += 16;
    out += 16;
    t += 16;
  }
  while (out < end) {
    const added = load<u8>(t - GAP_NEAR) ^ load<u8>(t - GAP_MIDDLE) ^ load<u8>(t - GAP_FAR);
    store<u8>(out, load<u8>(p) ^ added);
    p++;
    out++;
    t++;
  }
  return braid(base, 0, rest, tail);
}
