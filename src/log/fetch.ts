/**
 * Answers fetches: from the tail cache, else from stored segments, copied or lent; waits for news
 * when there is too little. What the caches do not know is confirmed in the metadata before it is
 * denied to anyone, so that what one worker acknowledged no other worker calls missing.
 */
import { present } from "../base/assert.ts";
import type { Platform } from "../base/platform.ts";
import { isStreamError } from "../base/stream-error.ts";
import type { TopicInfo } from "../meta/catalog.ts";
import { partitionStates } from "../meta/log-index.ts";
import type { SqlDatabase } from "../meta/sql-database.ts";
import { topicConfigNumber } from "../meta/topic-config.ts";
import type { AnswerChunks, ChunkWishes } from "./answer-chunks.ts";
import type { ChangeFeed } from "./change-feed.ts";
import type { FetchedPartition, FetchPartition, FetchRequest, TopicService } from "./log-types.ts";
import { type PartitionSlot, partitionSlot } from "./partition-slot.ts";
import type { KnownPartition, PartitionTable } from "./partition-table.ts";
import type { ReadFrom, StoredReader } from "./stored-reader.ts";
import type { CachedRange, TailCache } from "./tail-cache.ts";
import type { TopicMetrics } from "./topic-metrics.ts";
import type { Waiters } from "./waiters.ts";

/** So long at least may a read wait for room among the answers, milliseconds. */
const roomWaitMsMin = 1_000;

export interface FetcherParts {
  readonly topicMetrics: TopicMetrics;
  readonly platform: Platform;
  readonly database: SqlDatabase;
  readonly topics: Pick<TopicService, "byId">;
  readonly table: PartitionTable;
  readonly tail: TailCache;
  readonly stored: StoredReader;
  readonly waiters: Waiters;
  readonly feed: ChangeFeed;
  readonly chunks: AnswerChunks;
}

/** A partition of a fetch with what is needed to read it. */
interface Target {
  readonly asked: FetchPartition;
  readonly slot: PartitionSlot;
  readonly topic: TopicInfo;
}

interface ReadLimit extends ChunkWishes {
  readonly bytesMax: number;
  /** One batch is given even when it is larger. */
  readonly atLeastOne: boolean;
}

const noWishes: ChunkWishes = { lends: false, shares: false };

interface Gathered {
  readonly items: readonly FetchedPartition[];
  /** As many as items, in their order, where all partitions exist. */
  readonly slots: readonly PartitionSlot[];
}

export class Fetcher {
  readonly #parts: FetcherParts;

  constructor(parts: FetcherParts) {
    this.#parts = parts;
  }

  /** LogService.fetch. */
  async fetch(request: FetchRequest, signal?: AbortSignal): Promise<readonly FetchedPartition[]> {
    const { platform, feed, waiters } = this.#parts;
    const deadline = platform.clock.monotonic() + request.waitMsMax;
    const until = { deadline, signal };
    let wakes = waiters.wakesOfAll;
    let found = await this.#gather(request, until);
    if (isEnough(found.items, request) && !isEmpty(found.items)) return found.items;
    // A peer may have acknowledged more than this worker has heard of.
    try {
      if (!feed.hearsWithin(request.waitMsMax)) await feed.sync();
    } catch (error) {
      this.#letGo(found, request);
      throw error;
    }
    for (;;) {
      // A topic that went while it was looked at wakes nobody who does not wait yet.
      if (!this.#hasGrown(found) && wakes === waiters.wakesOfAll) {
        if (isEnough(found.items, request)) return found.items;
        const waitMs = deadline - platform.clock.monotonic();
        if (waitMs <= 0 || signal?.aborted) return found.items;
        await waiters.wait(found.slots, waitMs, signal);
        if (platform.clock.monotonic() >= deadline && !this.#hasGrown(found)) return found.items;
      }
      // A wake without growth means that partitions came or went: look again all the same.
      this.#letGo(found, request);
      wakes = waiters.wakesOfAll;
      found = await this.#gather(request, until);
      if (isEnough(found.items, request)) return found.items;
    }
  }

  /** The partition's ends: as known, or asked for; undefined when it does not exist. */
  async known(topic: TopicInfo, partition: number): Promise<KnownPartition | undefined> {
    const slot = partitionSlot(topic.topicNumber, partition);
    return this.#parts.table.get(slot) ?? (await this.confirm(topic, partition));
  }

  /** The partition's ends as the metadata has them now. */
  async confirm(topic: TopicInfo, partition: number): Promise<KnownPartition | undefined> {
    const { database, table } = this.#parts;
    const slot = partitionSlot(topic.topicNumber, partition);
    const [state] = await partitionStates(database, [
      { topicNumber: topic.topicNumber, partition },
    ]);
    if (state === undefined) {
      table.forget(slot);
      return undefined;
    }
    const { nextOffset, logStartOffset, leaderEpoch } = state;
    table.learn(slot, { highOffset: nextOffset, logStartOffset, leaderEpoch });
    return table.get(slot);
  }

  /** Looks once; what is to be read waits for its room until `deadline`, but a second at least. */
  async #gather(
    request: FetchRequest,
    { deadline, signal }: { readonly deadline: number; readonly signal: AbortSignal | undefined },
  ): Promise<Gathered> {
    const { platform } = this.#parts;
    const slots: PartitionSlot[] = [];
    const targets = await Promise.all(
      request.partitions.map((asked, index) =>
        this.#orRefusal(
          asked,
          this.#target(asked, (slot) => {
            slots[index] = slot;
          }),
        ),
      ),
    );
    const first = targets.find(isToRead);
    if (first === undefined) return { items: targets as FetchedPartition[], slots };
    const { memory } = request;
    const { lends = false, shares = false, bytesMax } = request;
    const wishes = { lends, shares };
    if (memory === undefined) {
      return { items: await this.#readAll(targets, { bytesMax, ...wishes }), slots };
    }
    const room = await memory.reserve({
      bytesMax,
      batchBytesMax: batchBytesMaxOf(first.topic),
      waitMsMax: Math.max(roomWaitMsMin, deadline - platform.clock.monotonic()),
      timers: platform.timers,
      signal,
    });
    if (room === undefined) {
      const items = targets.map((target) => (isToRead(target) ? this.#ends(target) : target));
      return { items, slots };
    }
    let items: readonly FetchedPartition[] = [];
    try {
      items = await this.#readAll(targets, { bytesMax: room.bytesMax, ...wishes });
    } finally {
      memory.settle(room, items);
    }
    return { items, slots };
  }

  /**
   * Reads in the order of the request. As in Kafka (KIP-74) the first partition that has anything
   * gives one batch at least, the others keep to what is left.
   */
  async #readAll(
    targets: readonly (Target | FetchedPartition)[],
    { bytesMax, ...wishes }: ChunkWishes & { readonly bytesMax: number },
  ): Promise<FetchedPartition[]> {
    // Who follows in publish order has said what it will ask for, of all partitions together.
    if (!wishes.shares) await this.#prepare(targets, bytesMax);
    let bytesLeft = bytesMax;
    let atLeastOne = true;
    const reads = targets.map((target) => {
      if (!isToRead(target)) return target;
      const partitionBytesMax = Math.max(0, Math.min(target.asked.partitionBytesMax, bytesLeft));
      if (partitionBytesMax === 0 && !atLeastOne) return this.#ends(target);
      const read = this.#read(target, { bytesMax: partitionBytesMax, atLeastOne, ...wishes });
      atLeastOne = false;
      if (!(read instanceof Promise)) {
        bytesLeft -= read.bytes;
        return read;
      }
      bytesLeft -= partitionBytesMax;
      return this.#orRefusal(target.asked, read);
    });
    return Promise.all(reads);
  }

  /** What comes from the store is asked for together before it is read partition by partition. */
  async #prepare(targets: readonly (Target | FetchedPartition)[], bytesMax: number): Promise<void> {
    const reads: ReadFrom[] = [];
    let bytesLeft = bytesMax;
    for (const target of targets) {
      if (!isToRead(target)) continue;
      const partitionBytesMax = Math.min(target.asked.partitionBytesMax, bytesLeft);
      if (partitionBytesMax <= 0) break;
      bytesLeft -= partitionBytesMax;
      if (this.#parts.tail.holds(target.slot, target.asked.fetchOffset)) continue;
      const limit = { ...{ bytesMax: partitionBytesMax, atLeastOne: false }, ...noWishes };
      reads.push(this.#readFrom(target, limit));
    }
    if (reads.length > 0) await this.#parts.stored.prepare(reads);
  }

  async #orRefusal<T>(asked: FetchPartition, answer: Promise<T>): Promise<T | FetchedPartition> {
    try {
      return await answer;
    } catch (error) {
      if (!isStreamError(error)) throw error;
      this.#parts.platform.log.warn("fetch refused", { error: error.message, code: error.code });
      return { ...nothingKnown(asked), error: error.code };
    }
  }

  /** What was read is not answered. */
  #letGo({ items }: Gathered, { memory }: FetchRequest): void {
    for (const { chunks } of items) this.#parts.chunks.give(chunks);
    memory?.release(items);
  }

  /** What to read, or the answer when there is nothing to read; notes whose growth matters. */
  async #target(
    asked: FetchPartition,
    note: (slot: PartitionSlot) => void,
  ): Promise<Target | FetchedPartition> {
    const topic = await this.#parts.topics.byId(asked.topicId);
    if (topic === undefined) return { ...nothingKnown(asked), error: "topic_id_unknown" };
    if (asked.partition < 0) return { ...nothingKnown(asked), error: "partition_unknown" };
    const slot = partitionSlot(topic.topicNumber, asked.partition);
    note(slot);
    const target: Target = { asked, slot, topic };
    // Beyond the count held here the question goes to the metadata: a peer may have added it.
    let known = await this.known(topic, asked.partition);
    if (known !== undefined && isDoubtful(asked, known)) {
      known = await this.confirm(topic, asked.partition);
    }
    if (known === undefined) return { ...nothingKnown(asked), error: "partition_unknown" };
    const { currentLeaderEpoch, fetchOffset } = asked;
    if (currentLeaderEpoch >= 0 && currentLeaderEpoch < known.leaderEpoch) {
      return { ...this.#ends(target), error: "leader_epoch_fenced" };
    }
    if (currentLeaderEpoch > known.leaderEpoch) {
      return { ...this.#ends(target), error: "leader_epoch_unknown" };
    }
    if (fetchOffset < known.logStartOffset || fetchOffset > known.highOffset) {
      return { ...this.#ends(target), error: "offset_out_of_range" };
    }
    return fetchOffset === known.highOffset ? this.#ends(target) : target;
  }

  #read(target: Target, limit: ReadLimit): FetchedPartition | Promise<FetchedPartition> {
    const { asked, slot } = target;
    const cached = this.#parts.tail.read(slot, { offset: asked.fetchOffset, ...limit });
    if (cached === undefined) return this.#readStored(target, limit);
    if (cached.bytes === 0) return this.#ends(target);
    this.#parts.topicMetrics.fetched(target.topic, cached.bytes);
    const { bytes } = cached;
    const chunks = this.#chunksOf(cached, limit);
    return { ...this.#ends(target), chunks, bytes, isLent: limit.lends };
  }

  async #readStored(target: Target, limit: ReadLimit): Promise<FetchedPartition> {
    const { asked, topic, slot } = target;
    const from = this.#readFrom(target, limit);
    const { partition, offset } = from;
    const { chunks, bytes } = await this.#parts.stored.read(from);
    // The read may have brought news: what was asked for is deleted, and these are later records.
    const isDeleted = offset < (this.#parts.table.get(slot)?.logStartOffset ?? 0);
    if (bytes > 0 && !isDeleted) {
      this.#parts.topicMetrics.fetched(topic, bytes);
      return { ...this.#ends(target), chunks, bytes, isLent: limit.lends };
    }
    this.#parts.chunks.give(chunks);
    if (!limit.atLeastOne && !isDeleted) return this.#ends(target);
    // Known to exist and yet without rows: it was deleted or cut a moment ago.
    const known = await this.confirm(topic, partition);
    if (known === undefined) return { ...nothingKnown(asked), error: "partition_unknown" };
    const gone = offset < known.logStartOffset || offset > known.highOffset;
    return gone ? { ...this.#ends(target), error: "offset_out_of_range" } : this.#ends(target);
  }

  #ends({ asked, slot }: Target): FetchedPartition {
    const known = this.#parts.table.get(slot);
    if (known === undefined) return nothingKnown(asked);
    return {
      topicId: asked.topicId,
      partition: asked.partition,
      highOffset: known.highOffset,
      lastStableOffset: known.highOffset,
      logStartOffset: known.logStartOffset,
      chunks: [],
      bytes: 0,
    };
  }

  #readFrom({ asked, topic }: Target, limit: ReadLimit): ReadFrom {
    const { topicNumber } = topic;
    const { partition, fetchOffset: offset } = asked;
    return { topicNumber, partition, offset, ...limit };
  }

  /** Small runs are worth a copy together, not a view each. */
  #chunksOf({ views, bytes }: CachedRange, { lends, shares }: ChunkWishes): Uint8Array[] {
    const { chunks } = this.#parts;
    if (lends && chunks.areWorthLending(views.length, bytes)) {
      return views.map((view) => chunks.lend(view.bytes, [view.slot]));
    }
    return [
      chunks.copy(
        views.map((view) => view.bytes),
        shares,
      ),
    ];
  }

  #hasGrown({ items, slots }: Gathered): boolean {
    if (slots.length !== items.length) return false;
    return items.some((item, index) => {
      const known = this.#parts.table.get(slots[index] as PartitionSlot);
      return item.error === undefined && known !== undefined && known.highOffset > item.highOffset;
    });
  }
}

function isToRead(target: Target | FetchedPartition): target is Target {
  return "asked" in target;
}

/** The largest batch that the topic takes now, bytes. */
function batchBytesMaxOf({ config }: TopicInfo): number {
  return present(topicConfigNumber(config, "max.message.bytes"), "max.message.bytes");
}

/** Enough to answer: bytes as asked, or an error that the client must hear of at once. */
function isEnough(answer: readonly FetchedPartition[], request: FetchRequest): boolean {
  if (request.partitions.length === 0) return request.waitMsMax <= 0;
  let bytes = 0;
  for (const item of answer) {
    if (item.error !== undefined) return true;
    bytes += item.bytes;
  }
  return bytes >= request.bytesMin;
}

/** Partitions were asked for, and none has a record or an error. */
function isEmpty(answer: readonly FetchedPartition[]): boolean {
  return (
    answer.length > 0 && answer.every(({ error, bytes }) => error === undefined && bytes === 0)
  );
}

/** The caches alone would deny something; they may only say yes. */
function isDoubtful(asked: FetchPartition, known: KnownPartition): boolean {
  return (
    asked.fetchOffset > known.highOffset ||
    asked.fetchOffset < known.logStartOffset ||
    asked.currentLeaderEpoch > known.leaderEpoch
  );
}

function nothingKnown(asked: FetchPartition): FetchedPartition {
  return {
    topicId: asked.topicId,
    partition: asked.partition,
    highOffset: -1,
    lastStableOffset: -1,
    logStartOffset: -1,
    chunks: [],
    bytes: 0,
  };
}
