/**
 * Reads the part of the log that is no longer in the tail cache: index rows tell where its batches
 * lie, blocks of objects bring them. Checksums are verified and offsets and leader epoch set where
 * the blocks lie; what goes out is copied, or lent to a reader that sends it at once. Sequential
 * readers continue where they stopped without a search, and find the next stretch already on its
 * way.
 */
import type { Crc32c } from "../base/crc32c.ts";
import { isStreamError } from "../base/stream-error.ts";
import type { Extent } from "../meta/log-index.ts";
import { checkBatchCrc, readBatchHeader, stampBatch } from "../record/batch.ts";
import { batchHeaderBytes } from "../record/batch-layout.ts";
import { corruptStretch } from "../segment/stored-stretch.ts";
import type { AnswerChunks } from "./answer-chunks.ts";
import type { BlockCache } from "./block-cache.ts";
import { BlockSpan } from "./block-span.ts";
import type { ExtentCache } from "./extent-cache.ts";
import { type AheadPlan, knownEnd, paddedEnd, ReadHints } from "./read-hints.ts";

export interface StoredRange {
  /** Whole batches, stamped, in order; the caller's to give back. */
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
  /** Chunks may be lent views; see LentBytes. */
  readonly lends?: boolean;
  /** Chunks lie in shared memory where there is some, and stay as they are until given back. */
  readonly shares?: boolean;
}

/** Bytes read at once while looking for an offset inside an extent. */
const searchBytes = 1024 * 1024;

export interface StoredReaderParts {
  readonly extents: ExtentCache;
  readonly blocks: BlockCache;
  readonly crc32c: Crc32c;
  readonly chunks: AnswerChunks;
}

interface Walk {
  readonly from: ReadFrom;
  readonly extent: Extent;
  /** Of the first batch in the span. */
  readonly offset: number;
}

interface Walked {
  /** Of whole batches that were passed or taken. */
  readonly bytes: number;
  /** Of the batch behind them. */
  readonly offset: number;
  /** The next batch is more than may be given. */
  readonly full: boolean;
  /** Stated by the first batch, where it is longer than the span. */
  readonly batchBytes: number;
}

export class StoredReader {
  readonly #parts: StoredReaderParts;
  readonly #hints = new ReadHints();

  constructor(parts: StoredReaderParts) {
    this.#parts = parts;
  }

  /**
   * Starts fetching what these reads and the next ones behind them will want, if they are
   * sequential: all of it together, since partitions share segments. Never rejects.
   */
  async prepare(reads: readonly ReadFrom[]): Promise<void> {
    // What fails now fails again when it is read, and is told then.
    const rowsOf = (from: ReadFrom) => this.#parts.extents.from(from).catch(() => []);
    const rows = await Promise.all(reads.map(rowsOf));
    const plans: AheadPlan[] = [];
    reads.forEach((from, index) => {
      const plan = this.#hints.plan(from, rows[index] ?? []);
      if (plan !== undefined) plans.push(plan);
    });
    if (plans.length === 0) return;
    const isWhole = this.#parts.blocks.readAhead(plans.flatMap(({ ranges }) => ranges));
    if (isWhole) for (const plan of plans) plan.accept();
  }

  /**
   * Starts fetching whole extents, of whatever partitions; see `prepare`. False: some of it was
   * left out.
   */
  readAhead(extents: readonly Extent[]): boolean {
    const ends = new Map<string, number>();
    for (const { key, position, length } of extents) {
      ends.set(key, Math.max(ends.get(key) ?? 0, paddedEnd(position + length)));
    }
    return this.#parts.blocks.readAhead(
      extents.map(({ key, position, length }) => ({
        ...{ key, position, length, knownEnd: ends.get(key) ?? 0 },
      })),
    );
  }

  /**
   * Batches from the one that holds `offset`; empty when the log ends there, or when not even one
   * may be given. An object that has
   * gone since its rows were read is looked up again once. Errors: `corrupt_segment`,
   * `object_missing`, `store_unavailable`, `metadata_unavailable`.
   */
  async read(from: ReadFrom): Promise<StoredRange> {
    const { extents } = this.#parts;
    try {
      return await this.#read(from, await extents.from(from));
    } catch (error) {
      if (!isStreamError(error, "object_missing")) throw error;
      return await this.#read(from, await extents.from(from, true));
    }
  }

  async #read(from: ReadFrom, extents: readonly Extent[]): Promise<StoredRange> {
    const range: StoredRange = { chunks: [], bytes: 0, nextOffset: from.offset };
    try {
      for (let index = 0; index < extents.length; index++) {
        const extent = extents[index] as Extent;
        if (range.bytes > 0 && extent.baseOffset !== range.nextOffset) break;
        const hint = index === 0 ? this.#hints.positionIn(extent, from) : undefined;
        const position = hint ?? extent.position;
        const end = knownEnd(extents, index);
        const place = { from, extent, position, knownEnd: end };
        if (!(await this.#readExtent(range, place))) break;
        const { key } = extent;
        const next = { offset: range.nextOffset, key, position: extent.position + extent.length };
        if (range.bytes >= from.bytesMax) {
          this.#hints.stoppedAt(from, next);
          break;
        }
      }
      return range;
    } catch (error) {
      this.#parts.chunks.give(range.chunks);
      throw error;
    }
  }

  /** Adds the batches of one extent; false when the limit was met before its end. */
  async #readExtent(
    range: StoredRange,
    what: { from: ReadFrom; extent: Extent; position: number; knownEnd: number },
  ): Promise<boolean> {
    const { from, extent, knownEnd } = what;
    const { key } = extent;
    const end = extent.position + extent.length;
    let position = what.position;
    let offset = position === extent.position ? extent.baseOffset : range.nextOffset;
    while (position < end) {
      const left = from.bytesMax - range.bytes;
      const found = range.bytes > 0 || offset === from.offset;
      if (found && range.bytes > 0 && left <= 0) break;
      const want = Math.max(found ? left : searchBytes, batchHeaderBytes);
      // Only a batch that was found may be too large: those before it must be walked.
      const batchBytesMax = found && from.atLeastOne === false ? left : Number.POSITIVE_INFINITY;
      const walk = { from, extent, offset };
      let length = Math.min(want, end - position);
      let walked = await this.#walk(range, { key, position, length, knownEnd }, walk);
      if (walked.batchBytes > length) {
        if (walked.batchBytes > batchBytesMax) break;
        length = Math.min(walked.batchBytes, end - position);
        walked = await this.#walk(range, { key, position, length, knownEnd }, walk);
        if (walked.bytes === 0 && !walked.full) {
          throw corruptStretch(extent, `its batch at offset ${offset} is cut`);
        }
      }
      position += walked.bytes;
      offset = walked.offset;
      if (walked.full || (range.bytes > 0 && walked.bytes < length)) break;
    }
    if (position < end) {
      this.#hints.stoppedAt(from, { offset: range.nextOffset, key, position });
      return false;
    }
    if (offset === extent.lastOffset + 1) return true;
    throw corruptStretch(
      extent,
      `its batches end at offset ${offset - 1}, not at ${extent.lastOffset}`,
    );
  }

  #walk(
    range: StoredRange,
    place: { key: string; position: number; length: number; knownEnd: number },
    walk: Walk,
  ): Promise<Walked> {
    return this.#parts.blocks.read(place, (pieces) =>
      this.#takeBatches(range, new BlockSpan(pieces), walk),
    );
  }

  /** Walks whole batches: skips what lies before the offset, verifies and stamps what is wanted. */
  #takeBatches(range: StoredRange, span: BlockSpan, { from, extent, offset: first }: Walk): Walked {
    let offset = first;
    let position = 0;
    let full = false;
    /** Where the batches begin that are taken and not yet in a chunk; all lie in one piece. */
    let start = -1;
    const closeStretch = () => {
      if (start >= 0) this.#addChunk(range, { span, start, end: position, from });
      start = -1;
    };
    while (position < span.length) {
      const size = span.batchBytesAt(position);
      if (size > span.length - position) {
        if (position === 0) return { bytes: 0, offset, full, batchBytes: size };
        break;
      }
      if (size < batchHeaderBytes)
        throw corruptStretch(extent, `its batch at offset ${offset} is cut`);
      const inPlace = span.view(position, size);
      const batch = inPlace ?? this.#parts.chunks.copy(span.views(position, size), from.shares);
      const nextOffset = offset + readBatchHeader(batch).lastOffsetDelta + 1;
      if (nextOffset > from.offset) {
        const mayExceed = range.bytes === 0 && from.atLeastOne !== false;
        full = !mayExceed && range.bytes + size > from.bytesMax;
        if (full) break;
        this.#check(batch, extent);
        stampBatch(batch, 0, { baseOffset: offset, leaderEpoch: extent.leaderEpoch });
        const continues = start >= 0 && span.pieceAt(start) === span.pieceAt(position);
        if (inPlace === undefined || !continues) closeStretch();
        if (inPlace === undefined) range.chunks.push(batch);
        else if (start < 0) start = position;
        range.bytes += size;
        range.nextOffset = nextOffset;
      } else if (inPlace === undefined) this.#parts.chunks.give([batch]);
      offset = nextOffset;
      position += size;
    }
    closeStretch();
    return { bytes: position, offset, full, batchBytes: 0 };
  }

  #addChunk(
    range: StoredRange,
    what: { span: BlockSpan; start: number; end: number; from: ReadFrom },
  ): void {
    const { span, start, end, from } = what;
    const { chunks } = this.#parts;
    const view = span.view(start, end - start);
    if (view === undefined) return;
    const sources = span.sourcesOf(span.pieceAt(start));
    if (from.lends) range.chunks.push(chunks.lend(view, sources));
    else range.chunks.push(from.shares ? chunks.share(view, sources) : chunks.copy([view]));
  }

  #check(batch: Uint8Array, extent: Extent): void {
    try {
      checkBatchCrc(batch, this.#parts.crc32c);
    } catch (error) {
      throw corruptStretch(extent, error instanceof Error ? error.message : String(error));
    }
  }
}
