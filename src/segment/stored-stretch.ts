/**
 * Batches of one partition as they lie in a stored object, behind each other: neither summed nor
 * stamped since they were read. On a record's path this stands between the block cache and a query,
 * which sums batches where it has copied them, while they are at hand (ADR 26).
 */
import { isStreamError, StreamError } from "../base/stream-error.ts";
import { type BatchHeader, readBatchHeader } from "../record/batch.ts";
import { batchLayout, batchPrefixBytes } from "../record/batch-layout.ts";
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

export interface StretchedBatch {
  readonly bytes: Uint8Array;
  readonly header: BatchHeader;
  /** The header has what the producer wrote there. */
  readonly baseOffset: number;
}

/**
 * Its batches in order: views, or copies of those that lie in two pieces.
 * @throws StreamError `corrupt_segment` when they are not whole, or not those that the index names;
 *   sums are not looked at.
 */
export function batchesOfStretch(stretch: StoredStretch): StretchedBatch[] {
  const batches: StretchedBatch[] = [];
  let offset = stretch.baseOffset;
  let rest = new Uint8Array();
  for (const piece of stretch.pieces) {
    const bytes = rest.length === 0 ? piece : joined(rest, piece);
    let position = 0;
    for (;;) {
      const end = position + sizeAt(bytes, position);
      if (end > bytes.length) break;
      const batch = bytes.subarray(position, end);
      const header = headerOf(batch, stretch, offset);
      batches.push({ bytes: batch, header, baseOffset: offset });
      offset += header.lastOffsetDelta + 1;
      position = end;
    }
    rest = bytes.slice(position);
  }
  if (rest.length > 0) throw corruptStretch(stretch, `its batch at offset ${offset} is cut`);
  if (offset === stretch.lastOffset + 1) return batches;
  throw corruptStretch(
    stretch,
    `its batches end at offset ${offset - 1}, not at ${stretch.lastOffset}`,
  );
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
function sizeAt(bytes: Uint8Array, position: number): number {
  if (position + batchLayout.batchLength + 4 > bytes.length) return Number.POSITIVE_INFINITY;
  return readInt32(bytes, position + batchLayout.batchLength) + batchPrefixBytes;
}

function headerOf(batch: Uint8Array, stretch: StoredStretch, offset: number): BatchHeader {
  try {
    return readBatchHeader(batch);
  } catch (error) {
    if (!isStreamError(error)) throw error;
    throw corruptStretch(stretch, `its batch at offset ${offset} is none: ${error.message}`);
  }
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(first.length + second.length);
  bytes.set(first);
  bytes.set(second, first.length);
  return bytes;
}
