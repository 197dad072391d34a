/**
 * Raw snappy (google/snappy, format_description.txt). Framing is `src/base/snappy.ts`.
 *
 * The memory is imported; the module owns its first 64 KiB: from 1 024, a table of 2^14 positions
 * (u16) by hash of four bytes. Buffers are the embedding's, with 16 spare bytes behind each.
 *
 * After the uncompressed length (unsigned varint) come elements by the low two bits of their tag:
 * 0 literal (length − 1 in the high six bits; 60 to 63: in the 1 to 4 bytes that follow), 1 copy
 * of 4 to 11 bytes with an 11-bit offset, 2 copy of 1 to 64 bytes with a 16-bit offset, 3 with a
 * 32-bit one.
 */
import { commonLength, copyLiterals, copyMatch } from "./copy";

const TABLE: usize = 1024;
const HASH_BITS: u32 = 14;
const TABLE_BYTES: usize = 32768;
/** No match is searched for in the last bytes, so that reading ahead stays inside. */
const MATCH_SEARCH_END: usize = 15;

// @ts-ignore: decorator
@inline
function slotOf(sequence: u32): usize {
  return TABLE + (<usize>((sequence * 0x1e35a7bd) >>> (32 - HASH_BITS)) << 1);
}

function writeLiterals(target: usize, source: usize, length: usize): usize {
  let to = target;
  const stored = length - 1;
  if (stored < 60) {
    store<u8>(to++, <u8>(stored << 2));
  } else if (stored < 256) {
    store<u8>(to, 60 << 2);
    store<u8>(to, <u8>stored, 1);
    to += 2;
  } else {
    store<u8>(to, 61 << 2);
    store<u16>(to, <u16>stored, 1);
    to += 3;
  }
  copyLiterals(to, source, length);
  return to + length;
}

// @ts-ignore: decorator
@inline
function writeWideCopy(target: usize, offset: usize, length: usize): usize {
  store<u8>(target, <u8>(((length - 1) << 2) | 2));
  store<u16>(target, <u16>offset, 1);
  return target + 3;
}

function writeCopy(target: usize, offset: usize, length: usize): usize {
  let to = target;
  let left = length;
  // The last copy keeps at least four bytes, so that it may be a short one.
  while (left >= 68) {
    to = writeWideCopy(to, offset, 64);
    left -= 64;
  }
  if (left > 64) {
    to = writeWideCopy(to, offset, 60);
    left -= 60;
  }
  if (left >= 12 || offset >= 2048) return writeWideCopy(to, offset, left);
  store<u8>(to, <u8>(((offset >>> 8) << 5) | ((left - 4) << 2) | 1));
  store<u8>(to, <u8>offset, 1);
  return to + 2;
}

/**
 * Compresses `length` bytes, 65 536 at most, as one raw stream. `target` has room for
 * 32 + length + length / 6 bytes. Gives the bytes written.
 */
export function compress(source: usize, length: usize, target: usize): usize {
  const end = source + length;
  let to = target;
  let header = length;
  while (header >= 0x80) {
    store<u8>(to++, <u8>(header | 0x80));
    header >>>= 7;
  }
  store<u8>(to++, <u8>header);
  let anchor = source;
  if (length > MATCH_SEARCH_END) {
    const searchEnd = end - MATCH_SEARCH_END;
    memory.fill(TABLE, 0, TABLE_BYTES);
    let p = source + 1;
    let misses: usize = 32;
    while (p <= searchEnd) {
      const sequence = load<u32>(p);
      const slot = slotOf(sequence);
      const candidate = source + <usize>load<u16>(slot);
      store<u16>(slot, <u16>(p - source));
      if (load<u32>(candidate) !== sequence) {
        // The longer nothing is found, the wider the steps.
        p += misses++ >>> 5;
        continue;
      }
      misses = 32;
      if (p > anchor) to = writeLiterals(to, anchor, p - anchor);
      const matched = commonLength(p + 4, candidate + 4, end) + 4;
      to = writeCopy(to, p - candidate, matched);
      p += matched;
      anchor = p;
      if (p <= searchEnd) store<u16>(slotOf(load<u32>(p - 1)), <u16>(p - 1 - source));
    }
  }
  if (anchor < end) to = writeLiterals(to, anchor, end - anchor);
  return to - target;
}

/**
 * Decompresses the elements in `length` bytes (the stream without its stated length), which must
 * give exactly `expected` bytes. Tells whether they did.
 */
export function decompress(source: usize, length: usize, target: usize, expected: usize): bool {
  const end = source + length;
  const targetEnd = target + expected;
  let p = source;
  let to = target;
  while (p < end) {
    const tag = <usize>load<u8>(p++);
    const kind = tag & 3;
    if (kind === 0) {
      let stored = tag >>> 2;
      if (stored >= 60) {
        const lengthBytes = stored - 59;
        if (lengthBytes > end - p) return false;
        // Reads four bytes, of which the spare room behind the buffer holds what is not there.
        stored = <usize>load<u32>(p) & (<usize>0xffffffff >>> ((4 - lengthBytes) << 3));
        p += lengthBytes;
      }
      if (stored >= end - p || stored >= targetEnd - to) return false;
      copyLiterals(to, p, stored + 1);
      p += stored + 1;
      to += stored + 1;
      continue;
    }
    let matched = (tag >>> 2) + 1;
    let offset: usize;
    if (kind === 1) {
      if (p >= end) return false;
      matched = ((tag >>> 2) & 7) + 4;
      offset = ((tag >>> 5) << 8) | <usize>load<u8>(p);
      p++;
    } else if (kind === 2) {
      if (end - p < 2) return false;
      offset = <usize>load<u16>(p);
      p += 2;
    } else {
      if (end - p < 4) return false;
      offset = <usize>load<u32>(p);
      p += 4;
    }
    if (offset === 0 || offset > to - target || matched > targetEnd - to) return false;
    copyMatch(to, offset, matched);
    to += matched;
  }
  return to === targetEnd;
}
