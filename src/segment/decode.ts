/**
 * Reads segments, of every version ever written. Nothing is believed: checksums first, then each
 * length and position against the bytes that are there. What does not hold is `corrupt_segment`
 * with the place; a version from the future is `unsupported_format`.
 *
 * A reader knows where a segment ends, so one ranged GET of its last bytes brings the footer.
 */
import type { Crc32c } from "../base/crc32c.ts";
import { StreamError } from "../base/stream-error.ts";
import { type BatchSlice, batchesIn } from "../record/batch.ts";
import { ByteReader, corruptSegment } from "./byte-reader.ts";
import { type FooterInput, readFooterV1 } from "./footer-v1.ts";
import {
  headerLength,
  headerMagic,
  segmentAlignment,
  trailerLength,
  trailerMagic,
} from "./layout.ts";
import type { SegmentEntry, SegmentFooter, SegmentHeader } from "./segment.ts";

/** What one first read of a segment's end should fetch: nearly every footer fits. */
export const footerReadBytes = 65_536;

/** Readers of the footer's content by version. A version stays here for ever. */
const footerReaders: Readonly<Record<number, (input: FooterInput) => SegmentFooter>> = {
  1: readFooterV1,
};

/** Reads the header; `bytes` begins where the segment does and holds at least 64 bytes. */
export function decodeHeader(bytes: Uint8Array, crc32c: Crc32c): SegmentHeader {
  const reader = new ByteReader(bytes.subarray(0, headerLength), "a segment's header");
  if (!startsWith(reader.bytes(headerMagic.length, "mark"), headerMagic)) {
    throw reader.corrupt("no segment begins here", 0);
  }
  const version = reader.u16("version");
  const statedLength = reader.u16("header length");
  const flags = reader.u32("flags");
  const workerEpoch = reader.i64("worker epoch");
  const sequence = reader.i64("sequence");
  const createdAt = reader.i64("createdAt");
  const length = reader.i64("segment length");
  const bodyLength = reader.i64("body length");
  const reserved = reader.u32("reserved bytes");
  const crc = reader.u32("checksum");
  if (crc !== crc32c.of(bytes.subarray(0, headerLength - 4))) {
    throw reader.corrupt("its checksum does not match", headerLength - 4);
  }
  checkVersion(version);
  if (statedLength !== headerLength || flags !== 0 || reserved !== 0) {
    throw reader.corrupt("a fixed field has another value", 10);
  }
  const room = length - headerLength - trailerLength;
  if (length % segmentAlignment !== 0 || bodyLength < 0 || bodyLength > room) {
    throw reader.corrupt(`a body of ${bodyLength} bytes cannot lie in ${length}`, 40);
  }
  return { version, workerEpoch, sequence, createdAt, length, bodyLength };
}

/**
 * Bytes from the footer's start to the segment's end, read from its last bytes (20 are enough).
 * When they are more than were fetched, fetch that many and decode then.
 */
export function footerTailLength(tail: Uint8Array): number {
  return readTrailer(tail).footerLength + trailerLength;
}

export interface DecodeFooterOptions {
  readonly crc32c: Crc32c;
  /** Where `tail` begins in the segment, so that errors can tell; 0 for a whole segment. */
  readonly tailPosition?: number;
}

/**
 * Reads the footer out of a segment's last bytes, or out of the whole segment. Group descriptors
 * are views of `tail`. Errors: `corrupt_segment`, also when `tail` is shorter than the footer.
 */
export function decodeFooter(tail: Uint8Array, options: DecodeFooterOptions): SegmentFooter {
  const tailPosition = options.tailPosition ?? 0;
  const { footerLength, version, crc } = readTrailer(tail, tailPosition);
  const start = tail.length - trailerLength - footerLength;
  if (start < 0) {
    throw corruptSegment(
      `Cannot read a segment's footer: it takes ${footerLength + trailerLength} bytes, ` +
        `${tail.length} are there`,
      tailPosition,
    );
  }
  if (crc !== options.crc32c.of(tail.subarray(start, start + footerLength + 8))) {
    throw corruptSegment(
      "Cannot read a segment's footer: its checksum does not match",
      tailPosition + start,
    );
  }
  checkVersion(version);
  const content = tail.subarray(start, start + footerLength);
  const read = footerReaders[version];
  if (read === undefined) throw unsupported(version);
  return read({ content, version, contentPosition: tailPosition + start });
}

/**
 * Walks an entry's batches in `segment`, the whole object's bytes. Batches are views; checksums are
 * not computed here. Errors: `corrupt_segment` with the position.
 */
export function* batchesOf(
  segment: Uint8Array,
  entry: SegmentEntry,
): Generator<BatchSlice, void, undefined> {
  const end = entry.position + entry.length;
  if (end > segment.length) {
    throw corruptSegment(
      `Cannot read an entry of ${entry.length} bytes: the segment has ${segment.length}`,
      entry.position,
    );
  }
  let position = entry.position;
  try {
    for (const batch of batchesIn(segment.subarray(entry.position, end))) {
      position = entry.position + batch.position;
      yield { position, header: batch.header, bytes: batch.bytes };
      position += batch.bytes.length;
    }
  } catch (error) {
    if (!(error instanceof StreamError)) throw error;
    throw corruptSegment(error.message, position);
  }
}

interface Trailer {
  readonly footerLength: number;
  readonly version: number;
  readonly crc: number;
}

function readTrailer(tail: Uint8Array, tailPosition = 0): Trailer {
  const start = Math.max(0, tail.length - trailerLength);
  const reader = new ByteReader(tail.subarray(start), "a segment's trailer", tailPosition + start);
  const footerLength = reader.u32("footer length");
  const version = reader.u16("version");
  const reserved = reader.u16("reserved bytes");
  const crc = reader.u32("checksum");
  if (!startsWith(reader.bytes(trailerMagic.length, "mark"), trailerMagic)) {
    throw reader.corrupt("no segment ends here", 12);
  }
  if (reserved !== 0) throw reader.corrupt("a reserved field is not zero", 6);
  return { footerLength, version, crc };
}

/** Checked after the checksum: a flipped bit is corruption, not a version. */
function checkVersion(version: number): void {
  if (footerReaders[version] === undefined) throw unsupported(version);
}

function unsupported(version: number): StreamError {
  const known = Object.keys(footerReaders).join(", ");
  return new StreamError(
    "unsupported_format",
    `Cannot read a segment of version ${version}: this program knows ${known}; use a newer one`,
    { details: { version } },
  );
}

function startsWith(bytes: Uint8Array, magic: Uint8Array): boolean {
  return magic.every((byte, index) => bytes[index] === byte);
}
