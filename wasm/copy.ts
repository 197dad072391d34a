/**
 * Copies of the block codecs. They move 16 bytes at a time and may write up to 15 bytes past the
 * end of what was asked: the embedding leaves that much room behind every buffer.
 */

/** Copies `length` bytes that do not overlap. */
// @ts-ignore: decorator
@inline
export function copyLiterals(target: usize, source: usize, length: usize): void {
  if (length > 256) {
    memory.copy(target, source, length);
    return;
  }
  let done: usize = 0;
  while (done < length) {
    v128.store(target + done, v128.load(source + done));
    done += 16;
  }
}

/** Repeats what lies `offset` bytes before `target` for `length` bytes; they may overlap. */
// @ts-ignore: decorator
@inline
export function copyMatch(target: usize, offset: usize, length: usize): void {
  const end = target + length;
  let to = target;
  let distance = offset;
  if (offset < 16) {
    if (offset === 1) {
      memory.fill(target, load<u8>(target - 1), length);
      return;
    }
    // Byte by byte until the pattern is as wide as a vector; then it repeats at that distance.
    distance = offset * ((15 + offset) / offset);
    const spread = target + distance - offset;
    const stop = spread < end ? spread : end;
    while (to < stop) {
      store<u8>(to, load<u8>(to - offset));
      to++;
    }
  }
  while (to < end) {
    v128.store(to, v128.load(to - distance));
    to += 16;
  }
}

/** How many bytes at `a` and at `b` (below `a`) agree, up to `limit` for `a`. */
// @ts-ignore: decorator
@inline
export function commonLength(a: usize, b: usize, limit: usize): usize {
  let p = a;
  let q = b;
  while (p + 8 <= limit) {
    const difference = load<u64>(p) ^ load<u64>(q);
    if (difference !== 0) return p - a + <usize>(ctz(difference) >>> 3);
    p += 8;
    q += 8;
  }
  while (p < limit && load<u8>(p) === load<u8>(q)) {
    p++;
    q++;
  }
  return p - a;
}
