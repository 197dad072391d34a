/**
 * Batches of one partition as they lie in a stored object, behind each other: neither summed nor
 * stamped since they were read. On a record's path this stands between the block cache and a query,
 * which sums batches where it has copied them, while they are at hand (ADR 26).
 */
import { joinedBytes } from "../base/joined-bytes.ts";
import { isStreamError, StreamError } from "../base/stream-error.ts";
import { type BatchHeader, readHeaderAlone } from "../record/batch.ts";
import { batchHeaderBytes, batchLayout, batchPrefixBytes } from "../record/batch-layout.ts";
import { readInt32 } from "../record/big-endian.ts";

export interface StoredStretch {
  /** Where it lies, for whoever meets damage. */
  readonly key: string;
  readonly position: number;
  /** All of its bytes in order, never written to. */
  readonly pieces: readonly Uint8Array[];
  readonly baseOffset: number;
  readonly lastOffset: number;
}

/** A stretch that nobody has read yet: whoever takes it reads it (ADR 57). */
export interface StoredPlace extends Omit<StoredStretch, "pieces"> {
  readonly length: number;
}

export interface StretchedBatch {
  /** Its bytes in order: more than one view where pieces end inside it. */
  readonly parts: readonly Uint8Array[];
  readonly header: BatchHeader;
  /** The header has what the producer wrote there. */
  readonly baseOffset: number;
}

/**
 * Its batches in order, views of its pieces.
 * @throws StreamError `corrupt_segment` when they are not whole, or not those that the index names;
 *   sums are not looked at.
 */
export function batchesOfStretch(stretch: StoredStretch): StretchedBatch[] {
  const batches: StretchedBatch[] = [];
  let offset = stretch.baseOffset;
  let rest = stretch.pieces;
  while (rest.length > 0) {
    const start = gathered(rest, batchHeaderBytes);
    const size = sizeOf(start);
    const { taken, left } = split(rest, size);
    if (taken === null) throw corruptStretch(stretch, `its batch at offset ${offset} is cut`);
    const header = headerOf(start, stretch, offset);
    batches.push({ parts: taken, header, baseOffset: offset });
    offset += header.lastOffsetDelta + 1;
    rest = left;
  }
  if (offset === stretch.lastOffset + 1) return batches;
  throw corruptStretch(
    stretch,
    `its batches end at offset ${offset - 1}, not at ${stretch.lastOffset}`,
  );
}

/** Parts as one: themselves where there is one, else a copy. */
export function joinedParts(parts: readonly Uint8Array[]): Uint8Array {
  const [only] = parts;
  if (only !== undefined && parts.length === 1) return only;
  return joinedBytes(parts);
}

/** The parts behind the first `length` bytes, which lie in them. */
export function partsFrom(parts: readonly Uint8Array[], length: number): readonly Uint8Array[] {
  return split(parts, length).left;
}

export function corruptStretch(
  { key, position }: Pick<StoredStretch, "key" | "position">,
  why: string,
): StreamError {
  return new StreamError(
    "corrupt_segment",
    `Cannot read ${key} at ${position}: ${why}; run \`streamctl segment verify\``,
    { details: { key, position } },
  );
}

/** As the batch states it; Infinity when that is cut off. */
function sizeOf(start: Uint8Array): number {
  if (start.length < batchHeaderBytes) return Number.POSITIVE_INFINITY;
  const size = readInt32(start, batchLayout.batchLength) + batchPrefixBytes;
  return size < batchHeaderBytes ? Number.POSITIVE_INFINITY : size;
}

/** The first `length` bytes, null when there are fewer, and what is behind them. */
function split(
  parts: readonly Uint8Array[],
  length: number,
): { readonly taken: readonly Uint8Array[] | null; readonly left: readonly Uint8Array[] } {
  const taken: Uint8Array[] = [];
  let wanted = length;
  for (const [index, part] of parts.entries()) {
    if (part.length > wanted) {
      if (wanted > 0) taken.push(part.subarray(0, wanted));
      return { taken, left: [part.subarray(wanted), ...parts.slice(index + 1)] };
    }
    taken.push(part);
    wanted -= part.length;
  }
  return { taken: wanted > 0 ? null : taken, left: [] };
}

/** The first bytes in one: a view where one part has them all. */
function gathered(parts: readonly Uint8Array[], bytesMax: number): Uint8Array {
  const [first] = parts;
  if (first !== undefined && first.length >= bytesMax) return first.subarray(0, bytesMax);
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const bytes = new Uint8Array(Math.min(length, bytesMax));
  let position = 0;
  for (const part of parts) {
    if (position === bytes.length) break;
    const view = part.subarray(0, bytes.length - position);
    bytes.set(view, position);
    position += view.length;
  }
  return bytes;
}

function headerOf(start: Uint8Array, stretch: StoredStretch, offset: number): BatchHeader {
  try {
    return readHeaderAlone(start);
  } catch (error) {
    if (!isStreamError(error)) throw error;
    throw corruptStretch(stretch, `its batch at offset ${offset} is none: ${error.message}`);
  }
}
