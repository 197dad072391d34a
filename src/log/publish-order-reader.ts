/**
 * Follows some topics in the order of publishes, over all of their partitions: what a continuous
 * query reads. Everything of a publish comes at once, ticks in their places, and a partition that
 * was added is announced before the first publish after its creation.
 *
 * The index says what comes next; the bytes come the way of every fetch (tail cache, blocks,
 * store).
 */
import { StreamError } from "../base/stream-error.ts";
import type { TopicInfo } from "../meta/catalog.ts";
import type { Extent } from "../meta/log-index.ts";
import {
  type CommittedWatermark,
  extentsInOrder,
  type PartitionCursor,
  type Tick,
  type TopicPartitionState,
  topicStates,
} from "../meta/publish-order.ts";
import type { SqlDatabase } from "../meta/sql-database.ts";
import { readBatchHeader } from "../record/batch.ts";
import type { StoredPlace, StoredStretch } from "../segment/stored-stretch.ts";
import type { LogService } from "./log-types.ts";
import { type PartitionSlot, partitionSlot } from "./partition-slot.ts";
import type { LentExtents, StoredExtents } from "./stored-extents.ts";

/** Index rows per partition and question. */
const rowsPerRead = 256;

/**
 * Places from the index are given away no later. Whoever takes them reads them soon after, long
 * before the collector's grace for readers is over.
 */
const placesMsMax = 10_000;

/** What one publish added to one partition. */
export interface PublishedRun {
  readonly topicNumber: number;
  readonly partition: number;
  /** Records below it were read before, or are not asked for. */
  readonly fromOffset: number;
  readonly nextOffset: number;
  /** Whole record batches in order, views into the slice's buffers. */
  readonly batches: readonly Uint8Array[];
  /** In place of them, where `PublishOrderParts.stored` gave it. */
  readonly stored?: StoredStretch;
  /** In place of both: whoever asked for places reads it. */
  readonly place?: StoredPlace;
}

export interface Publish {
  readonly publishPosition: number;
  readonly publishedAt: number;
  /** By topic and partition; none in a tick. */
  readonly runs: readonly PublishedRun[];
  /** Partitions that exist from this publish on. */
  readonly created: readonly CreatedPartition[];
  /** Of commits in it, of the queries that write the topics; also where they had no results. */
  readonly watermarks: readonly CommittedWatermark[];
}

export interface CreatedPartition {
  readonly topicNumber: number;
  readonly partition: number;
}

/** Where a reader stands; saved with what was made of the publishes up to here. */
export interface ReaderPosition {
  /** Everything up to this publish was read. */
  readonly publishPosition: number;
  /** Every partition that exists at this publish, in order of topic and partition. */
  readonly cursors: readonly PartitionCursor[];
}

export interface PublishOrderParts {
  readonly database: SqlDatabase;
  readonly log: Pick<LogService, "fetch" | "release">;
  /** Monotonic milliseconds. */
  readonly monotonic: () => number;
  /** Hears of what will be fetched, in the order of publishes; false: not all is on its way. */
  readonly readAhead: (extents: readonly Extent[]) => boolean;
  /** Gives what is stored as it lies, to be summed by whoever takes it; absent: nothing is. */
  readonly stored?: Pick<StoredExtents, "from" | "lend" | "release" | "isAlone" | "gave" | "left">;
  /** Called before each look at the index: who waits next need not for what comes after it. */
  readonly onLook: () => void;
  /** Hears the ends that each look at the index brings along. */
  readonly onStates: (states: readonly TopicPartitionState[]) => void;
  /**
   * Resolves when a partition has grown beyond its cursor, after `waitMs`, or on abort; at once
   * when there was other news since the last look.
   */
  readonly waitForGrowth: (
    cursors: readonly PartitionCursor[],
    waitMs: number,
    signal?: AbortSignal,
  ) => Promise<void>;
}

interface PlannedPublish {
  readonly publishPosition: number;
  readonly publishedAt: number;
  readonly extents: readonly Extent[];
  readonly watermarks: readonly CommittedWatermark[];
}

export class PublishOrderReader {
  readonly #parts: PublishOrderParts;
  readonly #topics: ReadonlyMap<number, TopicInfo>;
  readonly #writtenTopics: readonly number[];
  readonly #cursors = new Map<PartitionSlot, PartitionCursor>();
  /** Partitions seen in the index that begin with a later publish, by their creation. */
  #toCreate: TopicPartitionState[] = [];
  #planned: PlannedPublish[] = [];
  /** As the last look at the index had them. */
  readonly #leaderEpochs = new Map<PartitionSlot, number>();
  /** Everything up to here is in `#planned` or read. */
  #plannedUpTo: number;
  /** Monotonic, of the last look at the index. */
  #plannedAt = Number.NEGATIVE_INFINITY;
  #readUpTo: number;
  /** Everything up to here was asked for ahead. */
  #aheadUpTo = 0;
  /** The last look found nothing: who waits need not look again first. */
  #isAtEnd = false;
  /** What the database's clock showed less what ours did. */
  #clockAhead = Number.NEGATIVE_INFINITY;

  /** Goes on from `start`, or reads from there for the first time. */
  constructor(
    parts: PublishOrderParts,
    options: { readonly topics: readonly TopicInfo[]; readonly start: ReaderPosition },
  ) {
    const { topics, start } = options;
    this.#parts = parts;
    this.#topics = new Map(topics.map((topic) => [topic.topicNumber, topic]));
    this.#writtenTopics = topics
      .filter(({ writer }) => writer !== undefined)
      .map(({ topicNumber }) => topicNumber);
    for (const cursor of start.cursors) this.#cursors.set(slotOf(cursor), cursor);
    this.#plannedUpTo = start.publishPosition;
    this.#readUpTo = start.publishPosition;
  }

  /** Where the reader stands after what `next` returned last. */
  get position(): ReaderPosition {
    const cursors = [...this.#cursors.values()].sort(
      (a, b) => a.topicNumber - b.topicNumber || a.partition - b.partition,
    );
    return { publishPosition: this.#readUpTo, cursors };
  }

  /** Says that it reads no more; it need not, but others are taken for alone the sooner. */
  close(): void {
    this.#parts.stored?.left(this);
  }

  /**
   * The clock by which publishes get their time, as of the last look at the index and counted on by
   * our own. Before the first look it stands at −∞.
   */
  databaseNow(): number {
    return this.#parts.monotonic() + this.#clockAhead;
  }

  /**
   * The next publishes, about `bytesMax` bytes of them but one at least; none when there is nothing
   * new within `waitMsMax`. Their buffers belong to the caller, who may give them back with
   * `release`. After an error the reader stands where it stood: the same call may be tried again.
   * `waitMsMax` 0 looks at the index in any case. With `placesBytesMax`, what is stored and read by
   * nobody else comes as places, up to so many bytes beside the `bytesMax` that are brought.
   * @throws StreamError `offset_out_of_range` when records that were not read are gone,
   *   `topic_unknown` when a topic is; and as `fetch` does.
   */
  async next(options: {
    readonly bytesMax: number;
    readonly waitMsMax: number;
    readonly placesBytesMax?: number;
    readonly signal?: AbortSignal;
  }): Promise<PublishSlice> {
    const { bytesMax, waitMsMax, placesBytesMax = 0, signal } = options;
    if (placesBytesMax > 0) this.#forgetOldPlan();
    const mayWait = this.#isAtEnd && waitMsMax > 0;
    if (this.#planned.length === 0 && !mayWait) await this.#plan();
    if (this.#planned.length === 0 && waitMsMax > 0) {
      await this.#parts.waitForGrowth([...this.#cursors.values()], waitMsMax, signal);
      await this.#plan();
    }
    const places = this.#placesWithin(placesBytesMax);
    const taken = this.#within({ bytesMax, placesBytesMax, places });
    // Whoever reads places reads ahead, too.
    if (places.size === 0) this.#readAhead(3 * bytesMax);
    const slice = await this.#read(taken, places);
    this.#isAtEnd = taken.length === 0;
    this.#planned.splice(0, taken.length);
    this.#readUpTo = this.#planned.length > 0 ? lastPosition(taken) : this.#plannedUpTo;
    return slice;
  }

  /** The next publishes that may be had at once, one at least where there is one. */
  #within(limits: {
    readonly bytesMax: number;
    readonly placesBytesMax: number;
    readonly places: ReadonlySet<Extent>;
  }): PlannedPublish[] {
    const { bytesMax, placesBytesMax, places } = limits;
    const taken: PlannedPublish[] = [];
    let [bytes, placesBytes] = [0, 0];
    for (const publish of this.#planned) {
      for (const extent of publish.extents) {
        if (places.has(extent)) placesBytes += extent.length;
        else bytes += extent.length;
      }
      if (taken.length > 0 && (bytes > bytesMax || placesBytes > placesBytesMax)) break;
      taken.push(publish);
    }
    return taken;
  }

  /** Of the next `bytesMax` bytes, what may be given as places. */
  #placesWithin(bytesMax: number): ReadonlySet<Extent> {
    const { stored } = this.#parts;
    if (stored === undefined || bytesMax === 0) return new Set();
    const extents: Extent[] = [];
    let bytes = 0;
    for (const publish of this.#planned) {
      for (const { length } of publish.extents) bytes += length;
      extents.push(...publish.extents);
      if (bytes > bytesMax) break;
    }
    const places = this.#wholeOf(stored, extents);
    return new Set(places.filter(({ topicNumber }) => stored.isAlone(this, topicNumber)));
  }

  #forgetOldPlan(): void {
    if (this.#parts.monotonic() - this.#plannedAt <= placesMsMax) return;
    this.#planned = [];
    this.#plannedUpTo = this.#readUpTo;
  }

  /**
   * What comes next, and what comes after it: whole stretches of objects, whose partitions lie side
   * by side, in few large reads.
   */
  #readAhead(bytesMax: number): void {
    const extents: Extent[] = [];
    let bytes = 0;
    let upTo = this.#aheadUpTo;
    for (const publish of this.#planned) {
      if (bytes >= bytesMax) break;
      for (const { length } of publish.extents) bytes += length;
      if (publish.publishPosition <= this.#aheadUpTo) continue;
      extents.push(...publish.extents);
      upTo = publish.publishPosition;
    }
    if (extents.length > 0 && this.#parts.readAhead(extents)) this.#aheadUpTo = upTo;
  }

  /** Looks at the index for what was published since the last look. */
  async #plan(): Promise<void> {
    const { database, onLook, onStates, monotonic } = this.#parts;
    const topicNumbers = [...this.#topics.keys()];
    onLook();
    const { head, databaseNow, partitions } = await topicStates(database, topicNumbers);
    this.#plannedAt = monotonic();
    this.#clockAhead = databaseNow - this.#plannedAt;
    onStates(partitions);
    this.#refuseGone(partitions);
    if (head.publishPosition === this.#plannedUpTo) return;
    const cursors: PartitionCursor[] = [];
    for (const state of partitions) {
      this.#leaderEpochs.set(slotOf(state), state.leaderEpoch);
      const cursor = this.#cursors.get(slotOf(state));
      if (cursor === undefined) this.#noteCreated(state);
      const nextOffset = cursor?.nextOffset ?? 0;
      if (state.nextOffset > nextOffset) cursors.push({ ...state, nextOffset });
    }
    const found = await extentsInOrder(database, {
      ...{ cursors, topicNumbers, after: this.#plannedUpTo, until: head.publishPosition },
      writtenTopics: this.#writtenTopics,
      limitRows: rowsPerRead,
    });
    this.#planned = publishesOf(
      found.extents.filter(({ publishPosition }) => publishPosition > this.#plannedUpTo),
      found,
    );
    this.#plannedUpTo = found.upTo;
  }

  #noteCreated(state: TopicPartitionState): void {
    const slot = slotOf(state);
    if (state.logStartOffset > 0) {
      throw this.#outOfRange({ ...state, nextOffset: 0 }, state);
    }
    if (this.#toCreate.some((known) => slotOf(known) === slot)) return;
    this.#toCreate.push(state);
  }

  #refuseGone(partitions: readonly TopicPartitionState[]): void {
    const live = new Map(partitions.map((state) => [slotOf(state), state]));
    for (const [slot, cursor] of this.#cursors) {
      const { topicNumber, nextOffset } = cursor;
      const name = this.#topics.get(topicNumber)?.name ?? "";
      const state = live.get(slot);
      if (state === undefined) {
        throw new StreamError("topic_unknown", `Cannot go on reading "${name}": it was deleted`, {
          details: { topic: name },
        });
      }
      if (nextOffset < state.logStartOffset || nextOffset > state.nextOffset) {
        throw this.#outOfRange(cursor, state);
      }
    }
  }

  #outOfRange(
    { topicNumber, partition, nextOffset }: PartitionCursor,
    state: TopicPartitionState,
  ): StreamError {
    const topic = this.#topics.get(topicNumber)?.name ?? "";
    const earliest = state.logStartOffset;
    const why =
      nextOffset < earliest
        ? `offsets ${nextOffset} to ${earliest - 1} are deleted`
        : `it ends at ${state.nextOffset}, before offset ${nextOffset}`;
    return new StreamError(
      "offset_out_of_range",
      `Cannot go on reading "${topic}"/${partition}: ${why}`,
      { details: { topic, partition, offset: nextOffset, earliest, isCut: nextOffset > earliest } },
    );
  }

  async #read(
    taken: readonly PlannedPublish[],
    places: ReadonlySet<Extent>,
  ): Promise<PublishSlice> {
    const all = taken.flatMap((publish) => publish.extents);
    const extents = places.size === 0 ? all : all.filter((extent) => !places.has(extent));
    const stored = await this.#storedOf(extents);
    const buffers: Uint8Array[] = [];
    const release = () => {
      for (const pieces of stored.values()) this.#parts.stored?.release(pieces);
      releaseTo(this.#parts.log, buffers);
    };
    try {
      const others = extents.filter((extent) => !stored.has(extent));
      const batches = await this.#batchesOf(others, buffers);
      const publishes = taken.map(({ extents, ...publish }): Publish => {
        const created = this.#createUpTo(publish.publishPosition);
        const found = { batches, stored, places };
        const runs = extents.flatMap((extent) => this.#takeRun(extent, found));
        return { ...publish, runs, created };
      });
      this.#parts.stored?.gave(
        all.filter((extent) => places.has(extent)),
        this.#topics,
      );
      return new PublishSlice(publishes, release);
    } catch (error) {
      release();
      throw error;
    }
  }

  /** What of it can be given as it lies: whole extents, none of which was read in part. */
  async #storedOf(extents: readonly Extent[]): Promise<LentExtents> {
    const { stored } = this.#parts;
    if (stored === undefined || extents.length === 0) return new Map();
    return (await stored.lend(this.#wholeOf(stored, extents), this.#topics)) ?? new Map();
  }

  #wholeOf(stored: Pick<StoredExtents, "from">, extents: readonly Extent[]): readonly Extent[] {
    return [...Map.groupBy(extents, slotOf)].flatMap(([slot, own]) => {
      const nextOffset = this.#cursors.get(slot)?.nextOffset ?? 0;
      const isWhole = own.every(({ baseOffset }) => baseOffset >= nextOffset);
      return isWhole ? stored.from(this, own, this.#leaderEpochs.get(slot)) : [];
    });
  }

  /** Partitions whose creation lies before the publish get a cursor. */
  #createUpTo(publishPosition: number): CreatedPartition[] {
    const created = this.#toCreate.filter((state) => state.createdPosition < publishPosition);
    this.#toCreate = this.#toCreate.filter((state) => state.createdPosition >= publishPosition);
    for (const { topicNumber, partition } of created) {
      this.#cursors.set(partitionSlot(topicNumber, partition), {
        ...{ topicNumber, partition, nextOffset: 0 },
      });
    }
    return created.map(({ topicNumber, partition }) => ({ topicNumber, partition }));
  }

  #takeRun(
    extent: Extent,
    found: {
      readonly batches: Map<PartitionSlot, Uint8Array[]>;
      readonly stored: LentExtents;
      readonly places: ReadonlySet<Extent>;
    },
  ): PublishedRun[] {
    const { topicNumber, partition, baseOffset, lastOffset, key, position, length } = extent;
    const slot = slotOf(extent);
    const fromOffset = this.#cursors.get(slot)?.nextOffset ?? 0;
    if (lastOffset < fromOffset) return [];
    const nextOffset = lastOffset + 1;
    this.#cursors.set(slot, { topicNumber, partition, nextOffset });
    const run = { topicNumber, partition, fromOffset, nextOffset };
    if (found.places.has(extent)) {
      return [{ ...run, batches: [], place: { key, position, length, baseOffset, lastOffset } }];
    }
    const pieces = found.stored.get(extent);
    if (pieces !== undefined) {
      const stored = { key, position, pieces, baseOffset, lastOffset };
      return [{ ...run, batches: [], stored }];
    }
    const waiting = found.batches.get(slot) ?? [];
    let count = 0;
    while (count < waiting.length && firstOffsetOf(waiting[count]) <= lastOffset) count += 1;
    return [{ ...run, batches: waiting.splice(0, count) }];
  }

  /** Fetches what the publishes added, a stretch per partition, and cuts it into batches. */
  async #batchesOf(
    extents: readonly Extent[],
    buffers: Uint8Array[],
  ): Promise<Map<PartitionSlot, Uint8Array[]>> {
    const stretches = new Map<PartitionSlot, { extent: Extent; end: number; bytes: number }>();
    for (const extent of extents) {
      const slot = slotOf(extent);
      const stretch = stretches.get(slot) ?? { extent, end: 0, bytes: 0 };
      stretch.end = Math.max(stretch.end, extent.lastOffset + 1);
      stretch.bytes += extent.length;
      stretches.set(slot, stretch);
    }
    const batches = new Map<PartitionSlot, Uint8Array[]>();
    const fetches = await Promise.allSettled(
      [...stretches].map(async ([slot, stretch]) => {
        batches.set(slot, await this.#fetchStretch(stretch, buffers));
      }),
    );
    const failed = fetches.find(({ status }) => status === "rejected");
    if (failed?.status !== "rejected") return batches;
    // All have ended: what the others found can go back.
    throw failed.reason;
  }

  async #fetchStretch(
    stretch: { readonly extent: Extent; readonly end: number; readonly bytes: number },
    buffers: Uint8Array[],
  ): Promise<Uint8Array[]> {
    const { topicNumber, partition, baseOffset } = stretch.extent;
    const topic = this.#topics.get(topicNumber) as TopicInfo;
    const batches: Uint8Array[] = [];
    let bytesLeft = stretch.bytes;
    let offset = Math.max(this.#cursors.get(slotOf(stretch.extent))?.nextOffset ?? 0, baseOffset);
    while (offset < stretch.end) {
      const [found] = await this.#parts.log.fetch({
        partitions: [
          {
            ...{ topicId: topic.topicId, partition, fetchOffset: offset },
            ...{ partitionBytesMax: Math.max(1, bytesLeft), currentLeaderEpoch: -1 },
          },
        ],
        ...{ bytesMin: 0, bytesMax: Math.max(1, bytesLeft), waitMsMax: 0, shares: true },
      });
      if (found?.error !== undefined || found === undefined || found.bytes === 0) {
        throw new StreamError(
          found?.error ?? "offset_out_of_range",
          `Cannot go on reading "${topic.name}"/${partition} at offset ${offset}`,
          // Cut or deleted between the look and the read: whoever looks again learns which.
          { details: { topic: topic.name, partition, offset, isCut: true } },
        );
      }
      buffers.push(...found.chunks);
      for (const chunk of found.chunks) offset = cutBatches(chunk, batches);
      bytesLeft -= found.bytes;
    }
    return batches;
  }
}

/** Publishes with the buffers that their batches lie in. */
export class PublishSlice {
  readonly publishes: readonly Publish[];
  /** Gives the buffers back; nothing may touch the batches afterwards. */
  readonly release: () => void;

  constructor(publishes: readonly Publish[], release: () => void) {
    this.publishes = publishes;
    this.release = release;
  }
}

function releaseTo(log: Pick<LogService, "release">, buffers: readonly Uint8Array[]): void {
  log.release(
    buffers.map((chunk) => ({
      ...{ topicId: "" as TopicInfo["topicId"], partition: 0, bytes: chunk.length },
      ...{ highOffset: -1, lastStableOffset: -1, logStartOffset: -1, chunks: [chunk] },
    })),
  );
}

/** Adds the batches of `chunk`; returns the offset after the last. */
function cutBatches(chunk: Uint8Array, batches: Uint8Array[]): number {
  let position = 0;
  let nextOffset = 0;
  while (position < chunk.length) {
    const header = readBatchHeader(chunk, position);
    batches.push(chunk.subarray(position, position + header.sizeBytes));
    position += header.sizeBytes;
    nextOffset = header.baseOffset + header.lastOffsetDelta + 1;
  }
  return nextOffset;
}

function firstOffsetOf(batch: Uint8Array | undefined): number {
  return batch === undefined ? Number.POSITIVE_INFINITY : readBatchHeader(batch).baseOffset;
}

function publishesOf(
  extents: readonly Extent[],
  others: { readonly ticks: readonly Tick[]; readonly watermarks: readonly CommittedWatermark[] },
): PlannedPublish[] {
  const byPosition = new Map<
    number,
    PlannedPublish & { extents: Extent[]; watermarks: CommittedWatermark[] }
  >();
  const at = ({ publishPosition, publishedAt }: Omit<Tick, "topicNumber">) => {
    const publish = byPosition.get(publishPosition) ?? {
      ...{ publishPosition, publishedAt, extents: [], watermarks: [] },
    };
    byPosition.set(publishPosition, publish);
    return publish;
  };
  for (const tick of others.ticks) at(tick);
  for (const extent of extents) at(extent).extents.push(extent);
  for (const watermark of others.watermarks) at(watermark).watermarks.push(watermark);
  return [...byPosition.values()].sort((a, b) => a.publishPosition - b.publishPosition);
}

function lastPosition(taken: readonly PlannedPublish[]): number {
  return taken.at(-1)?.publishPosition ?? 0;
}

function slotOf(where: { readonly topicNumber: number; readonly partition: number }) {
  return partitionSlot(where.topicNumber, where.partition);
}
