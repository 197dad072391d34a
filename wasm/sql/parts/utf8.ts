/** Checks that bytes are UTF-8: sixteen bytes of ASCII at a time, others by their ranges. */

/**
 * Gives the address of the first byte that starts no valid sequence, or 0 when `length` bytes are
 * UTF-8 as RFC 3629 has it: no overlong forms, no surrogates, nothing above U+10FFFF. Reads up to
 * 15 bytes behind.
 */
export function invalidUtf8(start: usize, length: usize): usize {
  const end = start + length;
  let p = start;
  while (p < end) {
    const high = <u32>i8x16.bitmask(v128.load(p));
    if (high === 0) {
      p += 16;
      continue;
    }
    p += <usize>ctz(high);
    // Sequences one after the other, so that text in other scripts does not come back for each.
    while (p < end) {
      const lead = <u32>load<u8>(p);
      if (lead < 0x80) break;
      const size = sequenceBytes(p, lead);
      if (size === 0 || size > end - p) return p;
      p += size;
    }
  }
  return 0;
}

/** Bytes of the sequence of two to four at `p`, or 0. */
function sequenceBytes(p: usize, lead: u32): usize {
  const second = <u32>load<u8>(p, 1);
  if (lead < 0xe0) return lead >= 0xc2 && isFollowing(second) ? 2 : 0;
  if (!isFollowing(second) || !isFollowing(<u32>load<u8>(p, 2))) return 0;
  if (lead < 0xf0) {
    if (lead === 0xe0 && second < 0xa0) return 0;
    return lead === 0xed && second >= 0xa0 ? 0 : 3;
  }
  if (lead > 0xf4 || !isFollowing(<u32>load<u8>(p, 3))) return 0;
  if (lead === 0xf0 && second < 0x90) return 0;
  return lead === 0xf4 && second >= 0x90 ? 0 : 4;
}

// @ts-ignore: decorator
@inline
function isFollowing(byte: u32): bool {
  return (byte & 0xc0) === 0x80;
}
