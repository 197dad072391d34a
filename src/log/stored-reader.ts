/**
 * Reads the part of the log that is no longer in the tail cache: index rows tell where its batches
 * lie, blocks of objects bring them, and what goes out is a fresh copy with offsets and leader
 * epoch set and every checksum verified. Sequential readers continue where they stopped without a
 * search, and find the next stretch already on its way.
 */
import type { BufferPool } from "../base/buffer-pool.ts";
import type { Crc32c } from "../base/crc32c.ts";
import { isStreamError, StreamError } from "../base/stream-error.ts";
import type { Extent } from "../meta/log-index.ts";
import { checkBatchCrc, readBatchHeader, stampBatch } from "../record/batch.ts";
import { batchHeaderBytes } from "../record/batch-layout.ts";
import type { BlockCache, ObjectRange } from "./block-cache.ts";
import type { ExtentCache } from "./extent-cache.ts";
import { partitionSlot } from "./partition-slot.ts";

export interface StoredRange {
  /** Whole batches, stamped, in order; the caller's buffers. */
  readonly chunks: Uint8Array[];
  bytes: number;
  nextOffset: number;
}

export interface ReadFrom {
  readonly topicNumber: number;
  readonly partition: number;
  readonly offset: number;
  /** Stop after so many bytes; before one whole batch only where `atLeastOne` is false. */
  readonly bytesMax: number;
  readonly atLeastOne?: boolean;
  readonly leaderEpoch: number;
}

/** Where a reader that wants exactly this offset finds it. */
interface Hint {
  readonly key: string;
  readonly position: number;
}

/** Remembered ends of reads: one per active reader and partition. */
const hintsMax = 10_000;

/** Bytes read at once while looking for an offset inside an extent. */
const searchBytes = 1024 * 1024;

/** Segments are padded to this, so an object reaches at least to the next multiple. */
const segmentAlignmentBytes = 4096;

/** How far ahead of a sequential reader blocks are fetched. */
const readAheadBytes = 4 * 1024 * 1024;

export interface StoredReaderParts {
  readonly extents: ExtentCache;
  readonly blocks: BlockCache;
  readonly crc32c: Crc32c;
  /** Where the buffers come from that `read` returns; the caller may give them back. */
  readonly pool: BufferPool;
}

export class StoredReader {
  readonly #extents: ExtentCache;
  readonly #blocks: BlockCache;
  readonly #crc32c: Crc32c;
  readonly #pool: BufferPool;
  readonly #hints = new Map<string, Hint>();

  constructor(parts: StoredReaderParts) {
    this.#extents = parts.extents;
    this.#blocks = parts.blocks;
    this.#crc32c = parts.crc32c;
    this.#pool = parts.pool;
  }

  /**
   * Batches from the one that holds `offset`; empty when the log ends there, or when not even one
   * may be given. An object that has
   * gone since its rows were read is looked up again once. Errors: `corrupt_segment`,
   * `object_missing`, `store_unavailable`, `metadata_unavailable`.
   */
  async read(from: ReadFrom): Promise<StoredRange> {
    try {
      return await this.#read(from, await this.#extents.from(from));
    } catch (error) {
      if (!isStreamError(error, "object_missing")) throw error;
      return this.#read(from, await this.#extents.from(from, true));
    }
  }

  async #read(from: ReadFrom, extents: readonly Extent[]): Promise<StoredRange> {
    const range: StoredRange = { chunks: [], bytes: 0, nextOffset: from.offset };
    let sequential = false;
    let index = 0;
    for (; index < extents.length; index++) {
      const extent = extents[index] as Extent;
      if (range.bytes > 0 && extent.baseOffset !== range.nextOffset) break;
      const hint = index === 0 ? this.#takeHint(from, extent) : undefined;
      sequential ||= hint !== undefined || from.offset === extent.baseOffset;
      const whole = await this.#readExtent(range, {
        from,
        extent,
        position: hint ?? extent.position,
        knownEnd: knownEnd(extents, index),
      });
      if (!whole || range.bytes >= from.bytesMax) break;
    }
    if (sequential) this.#readAhead(extents, index);
    return range;
  }

  /** Adds the batches of one extent; false when the limit was met before its end. */
  async #readExtent(
    range: StoredRange,
    what: { from: ReadFrom; extent: Extent; position: number; knownEnd: number },
  ): Promise<boolean> {
    const { from, extent, knownEnd } = what;
    const end = extent.position + extent.length;
    let position = what.position;
    let offset = position === extent.position ? extent.baseOffset : range.nextOffset;
    while (position < end) {
      const left = from.bytesMax - range.bytes;
      const found = range.bytes > 0 || offset === from.offset;
      if (found && range.bytes > 0 && left <= 0) return false;
      const want = Math.max(found ? left : searchBytes, batchHeaderBytes);
      const place = { key: extent.key, position, knownEnd };
      // Only a batch that was found may be too large: those before it must be walked.
      const batchBytesMax = found && from.atLeastOne === false ? left : Number.POSITIVE_INFINITY;
      const bytes = await this.#window(place, { want, end, batchBytesMax });
      if (statedBatchBytes(bytes) > batchBytesMax) {
        this.#pool.give(bytes);
        break;
      }
      const walked = this.#takeBatches(range, { bytes, offset, extent, from });
      position += walked.bytes;
      offset = walked.offset;
      if (walked.full || (range.bytes > 0 && walked.bytes < bytes.length)) break;
    }
    if (position < end) {
      this.#leaveHint(from, range.nextOffset, { key: extent.key, position });
      return false;
    }
    if (offset === extent.lastOffset + 1) return true;
    throw corrupt(extent, `its batches end at offset ${offset - 1}, not at ${extent.lastOffset}`);
  }

  /** A fresh buffer from `position`, long enough for the batch there if it may be given. */
  async #window(
    place: { key: string; position: number; knownEnd: number },
    size: { want: number; end: number; batchBytesMax: number },
  ): Promise<Uint8Array> {
    const left = size.end - place.position;
    let bytes = await this.#copy({ ...place, length: Math.min(size.want, left) });
    const batchBytes = statedBatchBytes(bytes);
    if (batchBytes > bytes.length && batchBytes <= Math.min(left, size.batchBytesMax)) {
      this.#pool.give(bytes);
      bytes = await this.#copy({ ...place, length: batchBytes });
    }
    return bytes;
  }

  async #copy(range: ObjectRange): Promise<Uint8Array> {
    const bytes = this.#pool.take(range.length);
    await this.#blocks.copy(range, bytes);
    return bytes;
  }

  /** Walks whole batches of a window: skips what lies before the offset, stamps what is wanted. */
  #takeBatches(
    range: StoredRange,
    what: { bytes: Uint8Array; offset: number; extent: Extent; from: ReadFrom },
  ): { bytes: number; offset: number; full: boolean } {
    const { bytes, extent, from } = what;
    let { offset } = what;
    let position = 0;
    let start = -1;
    let full = false;
    while (position < bytes.length && !full) {
      const size = statedBatchBytes(bytes.subarray(position));
      if (size > bytes.length - position) break;
      const batch = bytes.subarray(position, position + size);
      const { lastOffsetDelta } = readBatchHeader(batch);
      const nextOffset = offset + lastOffsetDelta + 1;
      if (nextOffset > from.offset) {
        const taken = range.bytes + (start < 0 ? 0 : position - start);
        const mayExceed = taken === 0 && from.atLeastOne !== false;
        full = !mayExceed && taken + size > from.bytesMax;
        if (full) break;
        if (start < 0) start = position;
        this.#check(batch, extent);
        stampBatch(batch, 0, { baseOffset: offset, leaderEpoch: from.leaderEpoch });
        range.nextOffset = nextOffset;
      }
      offset = nextOffset;
      position += size;
    }
    if (position === 0 && !full) throw corrupt(extent, `its batch at offset ${offset} is cut`);
    if (start >= 0 && position > start) {
      range.chunks.push(this.#trim(bytes.subarray(start, position)));
      range.bytes += position - start;
    } else this.#pool.give(bytes);
    return { bytes: position, offset, full };
  }

  /** What is found in a large window does not keep all of it. */
  #trim(chunk: Uint8Array): Uint8Array {
    if (chunk.length * 2 >= chunk.buffer.byteLength) return chunk;
    const trimmed = this.#pool.take(chunk.length);
    if (trimmed.buffer.byteLength >= chunk.buffer.byteLength) {
      this.#pool.give(trimmed);
      return chunk;
    }
    trimmed.set(chunk);
    this.#pool.give(chunk);
    return trimmed;
  }

  #check(batch: Uint8Array, extent: Extent): void {
    try {
      checkBatchCrc(batch, this.#crc32c);
    } catch (error) {
      throw corrupt(extent, error instanceof Error ? error.message : String(error));
    }
  }

  #takeHint(from: ReadFrom, extent: Extent): number | undefined {
    const key = hintKey(from, from.offset);
    const hint = this.#hints.get(key);
    if (hint === undefined || hint.key !== extent.key) return undefined;
    const inside =
      hint.position >= extent.position && hint.position < extent.position + extent.length;
    return inside ? hint.position : undefined;
  }

  #leaveHint(from: ReadFrom, nextOffset: number, hint: Hint): void {
    this.#hints.set(hintKey(from, nextOffset), hint);
    if (this.#hints.size <= hintsMax) return;
    for (const oldest of this.#hints.keys()) {
      this.#hints.delete(oldest);
      return;
    }
  }

  #readAhead(extents: readonly Extent[], stoppedAt: number): void {
    let bytes = 0;
    for (let index = stoppedAt; index < extents.length && bytes < readAheadBytes; index++) {
      const extent = extents[index] as Extent;
      const length = Math.min(extent.length, readAheadBytes - bytes);
      const taken = this.#blocks.prefetch({
        key: extent.key,
        position: extent.position,
        length,
        knownEnd: knownEnd(extents, index),
      });
      if (!taken) return;
      bytes += length;
    }
  }
}

/** How far the object surely reaches: the end of the last segment of it that we know of. */
function knownEnd(extents: readonly Extent[], index: number): number {
  const { key } = extents[index] as Extent;
  let end = 0;
  for (let next = index; next < Math.min(index + 32, extents.length); next++) {
    const extent = extents[next] as Extent;
    if (extent.key !== key) break;
    end = Math.max(end, extent.position + extent.length);
  }
  return Math.ceil(end / segmentAlignmentBytes) * segmentAlignmentBytes;
}

/** Bytes of the batch at the start of `bytes`, as it states; Infinity when that is cut off. */
function statedBatchBytes(bytes: Uint8Array): number {
  if (bytes.length < batchHeaderBytes) return Number.POSITIVE_INFINITY;
  return new DataView(bytes.buffer, bytes.byteOffset).getInt32(8) + 12;
}

function hintKey(from: ReadFrom, offset: number): string {
  return `${partitionSlot(from.topicNumber, from.partition)}:${offset}`;
}

function corrupt(extent: Extent, why: string): StreamError {
  return new StreamError(
    "corrupt_segment",
    `Cannot read ${extent.key} at ${extent.position}: ${why}; run \`streamctl segment verify\``,
    { details: { key: extent.key, position: extent.position } },
  );
}
