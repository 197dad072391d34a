/**
 * LZ4 blocks and xxHash32, which LZ4 frames are checked with (lz4_Block_format.md, xxhash_spec.md).
 * The frame itself is `src/base/lz4-frame.ts`.
 *
 * The memory is imported; the module owns its first 64 KiB: from 1 024, a table of 2^13 positions
 * (u16) by hash of four bytes. Buffers are the embedding's, with 16 spare bytes behind each.
 *
 * A block is a run of sequences: a token (literal count in the high nibble, match length − 4 in the
 * low one; 15 continues in bytes that add up to and with the first below 255), the literals, the
 * offset of the match (u16, not 0). The last sequence ends after its literals.
 */
import { commonLength, copyLiterals, copyMatch } from "./copy";

const TABLE: usize = 1024;
const HASH_BITS: u32 = 13;
const TABLE_BYTES: usize = 16384;

/** The input is no LZ4 block. */
const MALFORMED: i32 = -1;
/** The output would pass its limit. */
const OVER_LIMIT: i32 = -2;

/** A block ends with at least five literals, and no match starts in its last twelve bytes. */
const LAST_LITERALS: usize = 5;
const MATCH_SEARCH_END: usize = 12;

// @ts-ignore: decorator
@inline
function slotOf(sequence: u32): usize {
  return TABLE + (<usize>((sequence * 2654435761) >>> (32 - HASH_BITS)) << 1);
}

/** Writes the rest of a count whose nibble is 15. */
// @ts-ignore: decorator
@inline
function writeRest(target: usize, count: usize): usize {
  let to = target;
  let rest = count;
  while (rest >= 255) {
    store<u8>(to++, 255);
    rest -= 255;
  }
  store<u8>(to++, <u8>rest);
  return to;
}

/**
 * Compresses `length` bytes, 65 536 at most, as one block that needs no other. `target` has room
 * for length + length / 255 + 16 bytes. Gives the bytes written.
 */
export function compress(source: usize, length: usize, target: usize): usize {
  const end = source + length;
  let to = target;
  let anchor = source;
  if (length > MATCH_SEARCH_END) {
    const matchEnd = end - LAST_LITERALS;
    const searchEnd = end - MATCH_SEARCH_END;
    memory.fill(TABLE, 0, TABLE_BYTES);
    let p = source + 1;
    let misses: usize = 64;
    while (p <= searchEnd) {
      const sequence = load<u32>(p);
      const slot = slotOf(sequence);
      let candidate = source + <usize>load<u16>(slot);
      store<u16>(slot, <u16>(p - source));
      if (load<u32>(candidate) !== sequence) {
        // The longer nothing is found, the wider the steps.
        p += misses++ >>> 6;
        continue;
      }
      misses = 64;
      while (p > anchor && candidate > source && load<u8>(p - 1) === load<u8>(candidate - 1)) {
        p--;
        candidate--;
      }
      const literals = p - anchor;
      const extra = commonLength(p + 4, candidate + 4, matchEnd);
      const token = to++;
      store<u8>(token, <u8>(((literals < 15 ? literals : 15) << 4) | (extra < 15 ? extra : 15)));
      if (literals >= 15) to = writeRest(to, literals - 15);
      copyLiterals(to, anchor, literals);
      to += literals;
      store<u16>(to, <u16>(p - candidate));
      to += 2;
      if (extra >= 15) to = writeRest(to, extra - 15);
      p += 4 + extra;
      anchor = p;
      if (p <= searchEnd) store<u16>(slotOf(load<u32>(p - 2)), <u16>(p - 2 - source));
    }
  }
  const literals = end - anchor;
  store<u8>(to++, <u8>((literals < 15 ? literals : 15) << 4));
  if (literals >= 15) to = writeRest(to, literals - 15);
  copyLiterals(to, anchor, literals);
  return to + literals - target;
}

/**
 * Decompresses one block to `target`, `limit` bytes at most. Matches may reach back to `lowest`
 * (`target` itself, or earlier output for linked blocks). Gives the bytes written, or MALFORMED or
 * OVER_LIMIT.
 */
export function decompress(
  source: usize,
  length: usize,
  target: usize,
  limit: usize,
  lowest: usize,
): i32 {
  const end = source + length;
  const targetEnd = target + limit;
  let p = source;
  let to = target;
  while (p < end) {
    const token = <usize>load<u8>(p++);
    let literals = token >>> 4;
    if (literals === 15) {
      let more: usize = 255;
      while (more === 255) {
        if (p >= end) return MALFORMED;
        more = <usize>load<u8>(p++);
        literals += more;
        if (literals > end - p) return MALFORMED;
      }
    }
    if (literals > end - p) return MALFORMED;
    if (literals > targetEnd - to) return OVER_LIMIT;
    copyLiterals(to, p, literals);
    p += literals;
    to += literals;
    // Only the last sequence ends here; a block that ends after a match is cut.
    if (p === end) return <i32>(to - target);
    if (end - p < 2) return MALFORMED;
    const offset = <usize>load<u16>(p);
    p += 2;
    if (offset === 0 || offset > to - lowest) return MALFORMED;
    let matched = token & 15;
    if (matched === 15) {
      let more: usize = 255;
      while (more === 255) {
        if (p >= end) return MALFORMED;
        more = <usize>load<u8>(p++);
        matched += more;
        if (matched > targetEnd - to) return OVER_LIMIT;
      }
    }
    matched += 4;
    if (matched > targetEnd - to) return OVER_LIMIT;
    copyMatch(to, offset, matched);
    to += matched;
  }
  return MALFORMED;
}

const PRIME_1: u32 = 2654435761;
const PRIME_2: u32 = 2246822519;
const PRIME_3: u32 = 3266489917;
const PRIME_4: u32 = 668265263;
const PRIME_5: u32 = 374761393;

// @ts-ignore: decorator
@inline
function round(state: u32, word: u32): u32 {
  return rotl<u32>(state + word * PRIME_2, 13) * PRIME_1;
}

/** xxHash32 with seed 0. */
export function xxhash32(source: usize, length: usize): u32 {
  const end = source + length;
  let p = source;
  let hash: u32;
  if (length >= 16) {
    let a: u32 = PRIME_1 + PRIME_2;
    let b: u32 = PRIME_2;
    let c: u32 = 0;
    let d: u32 = 0 - PRIME_1;
    const stripesEnd = end - 16;
    while (p <= stripesEnd) {
      a = round(a, load<u32>(p));
      b = round(b, load<u32>(p, 4));
      c = round(c, load<u32>(p, 8));
      d = round(d, load<u32>(p, 12));
      p += 16;
    }
    hash = rotl<u32>(a, 1) + rotl<u32>(b, 7) + rotl<u32>(c, 12) + rotl<u32>(d, 18);
  } else {
    hash = PRIME_5;
  }
  hash += <u32>length;
  while (p + 4 <= end) {
    hash = rotl<u32>(hash + load<u32>(p) * PRIME_3, 17) * PRIME_4;
    p += 4;
  }
  while (p < end) {
    hash = rotl<u32>(hash + <u32>load<u8>(p) * PRIME_5, 11) * PRIME_1;
    p++;
  }
  hash = (hash ^ (hash >>> 15)) * PRIME_2;
  hash = (hash ^ (hash >>> 13)) * PRIME_3;
  return hash ^ (hash >>> 16);
}
