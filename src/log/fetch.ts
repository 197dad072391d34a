/**
 * Answers fetches: from the tail cache in one copy, else from stored segments; waits for news when
 * there is too little. What the caches do not know is confirmed in the metadata before it is denied
 * to anyone, so that what one worker acknowledged no other worker calls missing.
 */
import type { BufferPool } from "../base/buffer-pool.ts";
import type { Platform } from "../base/platform.ts";
import { isStreamError } from "../base/stream-error.ts";
import type { TopicInfo } from "../meta/catalog.ts";
import { partitionStates } from "../meta/log-index.ts";
import type { SqlDatabase } from "../meta/sql-database.ts";
import type { ChangeFeed } from "./change-feed.ts";
import type { FetchedPartition, FetchPartition, FetchRequest, TopicService } from "./log-types.ts";
import { type PartitionSlot, partitionSlot } from "./partition-slot.ts";
import type { KnownPartition, PartitionTable } from "./partition-table.ts";
import type { StoredReader } from "./stored-reader.ts";
import type { CachedRange, TailCache } from "./tail-cache.ts";
import type { Waiters } from "./waiters.ts";

export interface FetcherParts {
  readonly platform: Platform;
  readonly database: SqlDatabase;
  readonly topics: Pick<TopicService, "byId">;
  readonly table: PartitionTable;
  readonly tail: TailCache;
  readonly stored: StoredReader;
  readonly waiters: Waiters;
  readonly feed: ChangeFeed;
  readonly pool: BufferPool;
}

/** A partition of a fetch with what is needed to read it. */
interface Target {
  readonly asked: FetchPartition;
  readonly slot: PartitionSlot;
  readonly topic: TopicInfo;
}

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
    let found = await this.#gather(request);
    if (isEnough(found.items, request)) return found.items;
    // A peer may have acknowledged more than this worker has heard of.
    await feed.sync();
    for (;;) {
      if (!this.#hasGrown(found)) {
        const waitMs = deadline - platform.clock.monotonic();
        if (waitMs <= 0 || signal?.aborted) return found.items;
        await waiters.wait(found.slots, waitMs, signal);
        if (platform.clock.monotonic() >= deadline && !this.#hasGrown(found)) return found.items;
      }
      // A wake without growth means that partitions came or went: look again all the same.
      found = await this.#gather(request);
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

  async #gather(request: FetchRequest): Promise<Gathered> {
    let bytesLeft = request.bytesMax;
    const slots: PartitionSlot[] = [];
    const parts = request.partitions.map(async (asked): Promise<FetchedPartition> => {
      try {
        const target = await this.#target(asked, slots);
        if ("highOffset" in target) return target;
        // Without an await between here and the reservation, shares are given in request order.
        const bytesMax = Math.min(asked.partitionBytesMax, bytesLeft);
        if (bytesMax <= 0 && bytesLeft < request.bytesMax) return this.#ends(target);
        const read = this.#read(target, Math.max(bytesMax, 0));
        if (!(read instanceof Promise)) {
          bytesLeft -= read.bytes;
          return read;
        }
        bytesLeft -= Math.max(bytesMax, 0);
        return await read;
      } catch (error) {
        if (!isStreamError(error)) throw error;
        this.#parts.platform.log.warn("fetch refused", { error: error.message, code: error.code });
        return { ...nothingKnown(asked), error: error.code };
      }
    });
    return { items: await Promise.all(parts), slots };
  }

  /** What to read, or the answer when there is nothing to read; notes whose growth matters. */
  async #target(asked: FetchPartition, slots: PartitionSlot[]): Promise<Target | FetchedPartition> {
    const topic = await this.#parts.topics.byId(asked.topicId);
    if (topic === undefined) return { ...nothingKnown(asked), error: "topic_id_unknown" };
    if (asked.partition < 0) return { ...nothingKnown(asked), error: "partition_unknown" };
    const slot = partitionSlot(topic.topicNumber, asked.partition);
    slots.push(slot);
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

  #read(target: Target, bytesMax: number): FetchedPartition | Promise<FetchedPartition> {
    const { asked, slot } = target;
    const cached = this.#parts.tail.read(slot, { offset: asked.fetchOffset, bytesMax });
    if (cached === undefined) return this.#readStored(target, bytesMax);
    return { ...this.#ends(target), chunks: [this.#copyOut(cached)], bytes: cached.bytes };
  }

  async #readStored(target: Target, bytesMax: number): Promise<FetchedPartition> {
    const { asked, topic, slot } = target;
    const { partition, fetchOffset: offset } = asked;
    const leaderEpoch = this.#parts.table.get(slot)?.leaderEpoch ?? 0;
    const { topicNumber } = topic;
    const from = { topicNumber, partition, offset, bytesMax, leaderEpoch };
    const { chunks, bytes } = await this.#parts.stored.read(from);
    // The read may have brought news: what was asked for is deleted, and these are later records.
    const isDeleted = offset < (this.#parts.table.get(slot)?.logStartOffset ?? 0);
    if (bytes > 0 && !isDeleted) return { ...this.#ends(target), chunks, bytes };
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

  #copyOut(range: CachedRange): Uint8Array {
    const bytes = this.#parts.pool.take(range.bytes);
    let position = 0;
    for (const view of range.views) {
      bytes.set(view, position);
      position += view.length;
    }
    return bytes;
  }

  #hasGrown({ items, slots }: Gathered): boolean {
    if (slots.length !== items.length) return false;
    return items.some((item, index) => {
      const known = this.#parts.table.get(slots[index] as PartitionSlot);
      return item.error === undefined && known !== undefined && known.highOffset > item.highOffset;
    });
  }
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
