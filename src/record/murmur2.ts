/**
 * MurmurHash2 with 32 bits as Kafka's Java client has it (Utils.murmur2): the partition of a key
 * depends on it, so it must be theirs to the bit.
 */
const seed = 0x9747b28c;
const multiplier = 0x5bd1e995;

/** The hash as a signed 32-bit number, as Java shows it. */
export function murmur2(bytes: Uint8Array): number {
  const { length } = bytes;
  let hash = seed ^ length;
  let position = 0;
  for (; position + 4 <= length; position += 4) {
    let word =
      (bytes[position] as number) |
      ((bytes[position + 1] as number) << 8) |
      ((bytes[position + 2] as number) << 16) |
      ((bytes[position + 3] as number) << 24);
    word = Math.imul(word, multiplier);
    word ^= word >>> 24;
    hash = Math.imul(hash, multiplier) ^ Math.imul(word, multiplier);
  }
  if (position < length) {
    for (let shift = 0; position < length; shift += 8) {
      hash ^= (bytes[position++] as number) << shift;
    }
    hash = Math.imul(hash, multiplier);
  }
  hash = Math.imul(hash ^ (hash >>> 13), multiplier);
  return hash ^ (hash >>> 15);
}
