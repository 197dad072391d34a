/**
 * Sizes and marks of the segment object, version 1 (docs/FORMATS.md, "Segment object"). Integers
 * are big-endian, as in the record batches between them.
 *
 *     0                header, 64 bytes
 *     64               body: record batches, those of one partition side by side
 *     64 + bodyLength  zeros, so that the whole is a multiple of 4096
 *     ...              footer content, then the trailer, 20 bytes, which ends the segment
 */
export const segmentVersion = 1;

/** Segments begin and end at multiples of this: what O_DIRECT asks for, and the step of a scan. */
export const segmentAlignment = 4096;

export const headerLength = 64;
export const trailerLength = 20;
/** Footer content before its first topic. */
export const footerHeadLength = 60;
/** A topic's bytes apart from its name. */
export const topicFixedLength = 22;
export const entryLength = 68;
export const pointLength = 20;
export const receiptHeadLength = 32;
export const receiptEntryLength = 21;

/** "MILLRSEG": begins a segment. */
export const headerMagic = Uint8Array.of(0x4d, 0x49, 0x4c, 0x4c, 0x52, 0x53, 0x45, 0x47);
/** "MILLREND": ends a segment. */
export const trailerMagic = Uint8Array.of(0x4d, 0x49, 0x4c, 0x4c, 0x52, 0x45, 0x4e, 0x44);

/** Distance in bytes after which the sparse index takes another batch. */
export const pointSpacingBytes = 65_536;

/** `length` rounded up to the alignment. */
export function aligned(length: number): number {
  return Math.ceil(length / segmentAlignment) * segmentAlignment;
}
