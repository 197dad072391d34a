/**
 * Stored extents as they lie, for followers whose records go to other threads (ADR 26): views of
 * blocks, or copies where they cannot be held. Their batches are not looked at here; whoever takes
 * them walks, sums and places them. One read serves all extents that lie side by side, whatever
 * their partitions.
 *
 * What memory has anyway, what is doubtful and what several readers want decompressed once comes
 * the way of every fetch.
 */
import { isStreamError } from "../base/stream-error.ts";
import type { TopicInfo } from "../meta/catalog.ts";
import type { Extent } from "../meta/log-index.ts";
import { batchLayout } from "../record/batch-layout.ts";
import type { AnswerChunks } from "./answer-chunks.ts";
import type { BlockCache } from "./block-cache.ts";
import { BlockSpan } from "./block-span.ts";
import { partitionSlot } from "./partition-slot.ts";
import type { PartitionTable } from "./partition-table.ts";
import { paddedEnd } from "./read-hints.ts";
import type { TailCache } from "./tail-cache.ts";

/** Read at once; readers of that many blocks may be few. */
const bytesPerReadMax = 2 * 1024 * 1024;
/** Who has not read for so long does not count as a reader. */
const readerMsMax = 2_000;
/** The low byte of a batch's attributes, and the bits of it that name the codec. */
const codecPosition = batchLayout.attributes + 1;
const codecBits = 7;

export interface StoredExtentsParts {
  readonly blocks: Pick<BlockCache, "read">;
  readonly chunks: Pick<AnswerChunks, "share" | "copy" | "give">;
  readonly tail: Pick<TailCache, "holds">;
  readonly table: Pick<PartitionTable, "get">;
  /** Monotonic milliseconds. */
  readonly monotonic: () => number;
  /** Hears of what was read. */
  readonly onRead: (topic: TopicInfo, bytes: number) => void;
}

/** Neighbours in an object. */
interface Group {
  readonly key: string;
  readonly position: number;
  length: number;
  readonly extents: Extent[];
}

export type LentExtents = ReadonlyMap<Extent, readonly Uint8Array[]>;

export class StoredExtents {
  readonly #parts: StoredExtentsParts;
  /** By topic, when each of its readers last came. */
  readonly #readers = new Map<number, Map<object, number>>();
  /** Topics whose batches were compressed when last seen. */
  readonly #packed = new Set<number>();

  constructor(parts: StoredExtentsParts) {
    this.#parts = parts;
  }

  /**
   * Those of a partition's extents, from the first of these on, that are for `lend`: they are
   * stored and not in the tail, none is deleted, and the log was not cut since `leaderEpoch`, when
   * the index named them. `reader` is whoever asks.
   */
  from(
    reader: object,
    extents: readonly Extent[],
    leaderEpoch: number | undefined,
  ): readonly Extent[] {
    const [first] = extents;
    if (first === undefined) return [];
    const { topicNumber, partition } = first;
    const slot = partitionSlot(topicNumber, partition);
    const { tail, table } = this.#parts;
    const known = table.get(slot);
    const isShared = this.#othersRead(reader, topicNumber) && this.#packed.has(topicNumber);
    if (isShared || known === undefined || known.leaderEpoch !== leaderEpoch) return [];
    const end = extents.findIndex(
      ({ baseOffset, lastOffset }) =>
        known.logStartOffset > baseOffset ||
        known.highOffset <= lastOffset ||
        tail.holds(slot, baseOffset),
    );
    return end < 0 ? extents : extents.slice(0, end);
  }

  /**
   * The bytes of each extent, in shared memory and to be given back; undefined when an object is
   * gone, whose records then lie elsewhere. Errors as the store's `read`.
   */
  async lend(
    extents: readonly Extent[],
    topics: ReadonlyMap<number, TopicInfo>,
  ): Promise<LentExtents | undefined> {
    const lent = new Map<Extent, readonly Uint8Array[]>();
    const reads = groupsOf(extents).map((group) => this.#lendGroup(group, lent));
    const failed = (await Promise.allSettled(reads)).filter(({ status }) => status === "rejected");
    const [failure] = failed as PromiseRejectedResult[];
    if (failure !== undefined) {
      for (const pieces of lent.values()) this.release(pieces);
      if (isStreamError(failure.reason, "object_missing")) return undefined;
      throw failure.reason;
    }
    this.gave(extents, topics);
    return lent;
  }

  /** Whether nobody but `reader`, who has asked `from`, reads the topic now. */
  isAlone(reader: object, topicNumber: number): boolean {
    return !this.#othersRead(reader, topicNumber);
  }

  /** `reader` asks no more: whoever is left may be alone from now on. */
  left(reader: object): void {
    for (const readers of this.#readers.values()) readers.delete(reader);
  }

  /** Counts extents as read. */
  gave(extents: readonly Extent[], topics: ReadonlyMap<number, TopicInfo>): void {
    for (const { topicNumber, length } of extents) {
      const topic = topics.get(topicNumber);
      if (topic !== undefined) this.#parts.onRead(topic, length);
    }
  }

  release(pieces: readonly Uint8Array[]): void {
    this.#parts.chunks.give(pieces);
  }

  async #lendGroup(group: Group, lent: Map<Extent, readonly Uint8Array[]>): Promise<void> {
    const { blocks, chunks } = this.#parts;
    const { key, position, length, extents } = group;
    const range = { key, position, length, knownEnd: paddedEnd(position + length) };
    await blocks.read(range, (pieces) => {
      const span = new BlockSpan(pieces);
      for (const extent of extents) {
        let at = extent.position - position;
        const views = span.views(at, extent.length).map((view) => {
          const sources = span.sourcesOf(span.pieceAt(at));
          at += view.length;
          return chunks.share(view, sources);
        });
        lent.set(extent, views);
        this.#noteCodec(extent, views[0]);
      }
    });
  }

  #noteCodec({ topicNumber }: Extent, bytes: Uint8Array | undefined): void {
    const isPacked = ((bytes?.[codecPosition] ?? 0) & codecBits) !== 0;
    if (isPacked) this.#packed.add(topicNumber);
    else this.#packed.delete(topicNumber);
  }

  /** Notes that `reader` reads the topic; whether others do. */
  #othersRead(reader: object, topicNumber: number): boolean {
    const now = this.#parts.monotonic();
    const readers = this.#readers.get(topicNumber) ?? new Map<object, number>();
    this.#readers.set(topicNumber, readers);
    for (const [each, at] of readers) if (at < now - readerMsMax) readers.delete(each);
    readers.set(reader, now);
    return readers.size > 1;
  }
}

function groupsOf(extents: readonly Extent[]): Group[] {
  const groups: Group[] = [];
  let group: Group | undefined;
  for (const extent of extents.toSorted(byPlace)) {
    const { key, position, length } = extent;
    const isNeighbour = group?.key === key && group.position + group.length === position;
    if (group !== undefined && isNeighbour && group.length + length <= bytesPerReadMax) {
      group.length += length;
      group.extents.push(extent);
    } else {
      group = { key, position, length, extents: [extent] };
      groups.push(group);
    }
  }
  return groups;
}

function byPlace(left: Extent, right: Extent): number {
  if (left.key !== right.key) return left.key < right.key ? -1 : 1;
  return left.position - right.position;
}
