/**
 * The log of one namespace as this worker serves it: what the folder's other files do, wired. The
 * servers see it as LogService and TopicService.
 */
import { BufferPool } from "../base/buffer-pool.ts";
import { LentBytes } from "../base/lent-bytes.ts";
import type { Platform } from "../base/platform.ts";
import { StreamError } from "../base/stream-error.ts";
import type { TopicInfo } from "../meta/catalog.ts";
import { type Extent, epochEndOffset, leaderEpochAt, partitionStates } from "../meta/log-index.ts";
import { migrate } from "../meta/migrate.ts";
import type { PartitionCursor } from "../meta/publish-order.ts";
import type { PublishGroup, PublishReceipt } from "../meta/publish-request.ts";
import { deleteRecords } from "../meta/release.ts";
import type { TopicId } from "../record/types.ts";
import { workerPrefix } from "../store/object-keys.ts";
import { AnswerChunks } from "./answer-chunks.ts";
import { Batcher } from "./batcher.ts";
import { BlockCache } from "./block-cache.ts";
import { ChangeFeed } from "./change-feed.ts";
import { EpochMender } from "./epoch-mender.ts";
import { ExtentCache } from "./extent-cache.ts";
import { Fetcher } from "./fetch.ts";
import { findMaxTimestamp, findTimestamp } from "./find-offset.ts";
import type { Flight } from "./flight.ts";
import { GoneTopics } from "./gone-topics.ts";
import { rendezvous } from "./leader.ts";
import type { LogOptions } from "./log-options.ts";
import type {
  AppendBatch,
  Appended,
  AppendedGroup,
  AppendGroup,
  Cluster,
  FetchedPartition,
  FetchRequest,
  FoundOffset,
  LogService,
  OffsetQuery,
  PartitionStatus,
} from "./log-types.ts";
import { Maintenance } from "./maintenance.ts";
import { anyPublish, type PartitionSlot, partitionSlot } from "./partition-slot.ts";
import { type KnownPartition, PartitionTable } from "./partition-table.ts";
import { type NewAppend, pendAppend } from "./pending-append.ts";
import {
  type PublishOrderParts,
  PublishOrderReader,
  type ReaderPosition,
} from "./publish-order-reader.ts";
import { Publisher } from "./publisher.ts";
import { ReceiptLedger } from "./receipt-ledger.ts";
import { writeReceipts } from "./receipt-store.ts";
import { SegmentRing } from "./segment-ring.ts";
import { appendedRuns, settleAppends } from "./settle.ts";
import { SharedFetches } from "./shared-fetches.ts";
import { checkStoreIdentity } from "./store-identity.ts";
import { StoredExtents } from "./stored-extents.ts";
import { StoredReader } from "./stored-reader.ts";
import { TailCache } from "./tail-cache.ts";
import { TopicCatalog } from "./topic-catalog.ts";
import { TopicMetrics } from "./topic-metrics.ts";
import { Waiters } from "./waiters.ts";
import { WorkerSession } from "./worker-session.ts";

/** Buffers of answers and blocks kept for use again. */
const idleBuffersBytesMax = 32 * 1024 * 1024;

/** A group, which is never split, may take this part of the ring, and no more than a segment. */
const groupRingShare = 8;
const groupBytesMax = 7 * 1024 * 1024;

/** At its end a worker sends publishes again for so long. */
const closeMsMax = 10_000;

export class Log implements LogService {
  readonly topics: TopicCatalog;
  readonly session: WorkerSession;
  readonly maintenance: Maintenance;
  readonly #options: LogOptions;
  readonly #platform: Platform;
  readonly #table = new PartitionTable((slot, leaderEpoch) => this.#onEpoch(slot, leaderEpoch));
  readonly #tail = new TailCache();
  readonly #pool = new BufferPool(idleBuffersBytesMax);
  readonly lent = new LentBytes(this.#pool);
  readonly #chunks: AnswerChunks;
  readonly #sharedFetches: SharedFetches;
  readonly #waiters: Waiters;
  readonly #gone: GoneTopics;
  readonly #feed: ChangeFeed;
  readonly #extents: ExtentCache;
  readonly #stored: StoredReader;
  /** For followers; undefined: they fetch as everybody does. */
  readonly #storedExtents: StoredExtents | undefined;
  readonly #fetcher: Fetcher;
  readonly #topicMetrics: TopicMetrics;
  readonly #mender: EpochMender;
  readonly #receipts: ReceiptLedger;
  readonly #publisher: Publisher;
  readonly #batcher: Batcher;
  readonly #catalogListeners = new Set<() => void>();

  constructor(options: LogOptions) {
    const { platform, metrics, store, database, shared } = options;
    this.#options = options;
    this.#platform = platform;
    const { lentBytesMin, blockMemory: memory } = options;
    const blocks = new BlockCache({ store, pool: this.#pool, lent: this.lent, memory, metrics });
    const sharedPool = options.hasThreads ? new BufferPool(idleBuffersBytesMax, true) : undefined;
    this.#chunks = new AnswerChunks({
      pool: this.#pool,
      sharedPool,
      lent: this.lent,
      ...(options.hasThreads && { blocks }),
      lentBytesMin,
    });
    this.#sharedFetches = new SharedFetches(this, options.inflater);
    this.#waiters = new Waiters(platform.timers);
    this.#mender = new EpochMender(options);
    this.topics = new TopicCatalog({
      platform,
      database,
      settings: options.topics,
      onChange: (topicNumber, isGone) => {
        if (isGone) this.#table.forgetTopics(new Set([topicNumber]));
        this.#waiters.wakeAll();
        options.onTopicChanged?.(topicNumber);
      },
    });
    this.#gone = new GoneTopics({ platform, database, table: this.#table });
    this.#feed = new ChangeFeed({
      platform,
      database,
      table: this.#table,
      waiters: this.#waiters,
      shared,
      pollMs: options.peerPollMs,
      onWait: options.onWait,
      onEpoch: (slot, leaderEpoch) => this.#onEpoch(slot, leaderEpoch),
      onCatalogChange: () => {
        this.topics.forget();
        this.#waiters.wakeAll();
        this.#gone.look();
        for (const hear of this.#catalogListeners) hear();
      },
    });
    this.session = new WorkerSession({
      platform,
      database,
      shared,
      worker: options.worker,
      mend: (workerEpoch) => this.#mender.mend(workerEpoch),
      onBeat: () => this.#feed.sync(),
      isUsedUp: (workerEpoch) => this.#hasObjects(workerEpoch),
      onRenewed: () => options.onEpochLost?.(),
    });
    this.#extents = new ExtentCache(database, (slot, state) => {
      const { nextOffset: highOffset, logStartOffset, leaderEpoch } = state;
      this.#table.learn(slot, { highOffset, logStartOffset, leaderEpoch });
      return this.#table.get(slot)?.leaderEpoch === leaderEpoch;
    });
    const { lent } = this;
    const chunks = this.#chunks;
    const { crc32c } = platform;
    this.#stored = new StoredReader({ extents: this.#extents, blocks, crc32c, chunks });
    this.#topicMetrics = new TopicMetrics(metrics);
    this.#storedExtents = options.threadsSum ? this.#extentsIn(blocks) : undefined;
    this.#fetcher = new Fetcher({
      topicMetrics: this.#topicMetrics,
      platform,
      database,
      topics: this.topics,
      table: this.#table,
      tail: this.#tail,
      stored: this.#stored,
      waiters: this.#waiters,
      feed: this.#feed,
      chunks,
    });
    this.#receipts = new ReceiptLedger(platform, (receipts) =>
      writeReceipts({ platform, store }, receipts),
    );
    this.#publisher = new Publisher({
      platform,
      metrics,
      database,
      onPublished: (flight, receipt) => this.#published(flight, receipt),
      onFenced: (workerEpoch) => this.#fenced(workerEpoch),
    });
    this.#batcher = new Batcher({
      platform,
      metrics,
      store,
      ring: new SegmentRing(options.ring, (slot) => lent.recall(slot)),
      publisher: this.#publisher,
      receipts: this.#receipts,
      identity: this.session,
      policy: options.flush,
      queueBytesMax: options.queueBytesMax,
    });
    this.maintenance = new Maintenance({
      platform,
      database,
      store,
      identity: this.session,
      settings: options.maintenance,
      onStartsRaised: () => this.#feed.readEnds(),
      onEndedFound: (workerEpochs) => this.session.adopt(workerEpochs),
    });
  }

  /** Migrates the database, registers, and mends what a crash of the last process left. */
  async open(): Promise<void> {
    const { database, store, storeMayLoseTail } = this.#options;
    await migrate(database);
    if (storeMayLoseTail) await checkStoreIdentity({ platform: this.#platform, database, store });
    if (this.#options.worker.objectName !== undefined) {
      await Promise.all([this.session.open(), this.#feed.open()]);
      return;
    }
    await this.session.open(async (ended) => {
      for (const workerEpoch of ended) await this.#mender.check(workerEpoch);
    });
    if (this.#options.shared && storeMayLoseTail) await this.session.awaitMended();
    await this.#feed.open();
    this.maintenance.start();
  }

  /** Only a folder and a file can lose what is young together; others are not asked. */
  async #hasObjects(workerEpoch: number): Promise<boolean> {
    const { store, storeMayLoseTail } = this.#options;
    if (!storeMayLoseTail) return false;
    for await (const { key } of store.list(workerPrefix(workerEpoch))) if (key !== "") return true;
    return false;
  }

  /**
   * Stops taking appends, flushes and acknowledges what waits, and leaves the worker list. Without
   * the metadata appends end in errors after a while, and peers notice the worker's end by
   * themselves. Never rejects.
   */
  async close(): Promise<void> {
    await this.#atTheEnd("tell peers", this.session.drain());
    const { timers } = this.#platform;
    const late = timers.after(closeMsMax, () => this.#publisher.abandon());
    await Promise.all([this.#batcher.close(), this.maintenance.close()]);
    late.cancel();
    const isProved = await this.#atTheEnd("store receipts", this.#receipts.close());
    const isSettled = await this.#atTheEnd("settle what was written", this.#settle());
    this.#feed.close();
    this.#waiters.wakeAll();
    const isMended = isProved && isSettled;
    await this.#atTheEnd("leave the worker list", this.session.close({ isMended }));
  }

  /** One failing step must not keep the others from being taken. Returns whether it succeeded. */
  async #atTheEnd(act: string, step: Promise<void>): Promise<boolean> {
    try {
      await step;
      return true;
    } catch (error) {
      this.#platform.log.warn(`Cannot ${act} at the end`, { error: String(error) });
      return false;
    }
  }

  /** Nobody looks through the files of an epoch that left in order: they must outlast the power. */
  async #settle(): Promise<void> {
    const { store, storeMayLoseTail } = this.#options;
    if (!storeMayLoseTail || store.settle === undefined) return;
    const { workerEpoch } = this.session.current();
    for await (const { key } of store.list(workerPrefix(workerEpoch))) await store.settle(key);
  }

  /** Resolves when everything published before the call is known here; wakes who waits for it. */
  hear(): Promise<void> {
    return this.#feed.sync();
  }

  /** Somebody waits for what is published. */
  get isAwaited(): boolean {
    return this.#waiters.count > 0;
  }

  /** Up to which place in the order of publishes everything is known here. */
  get knownPosition(): number {
    return this.#feed.publishPosition;
  }

  /** The version of the catalog that is known here. */
  get catalogVersion(): number {
    return this.#feed.catalogVersion;
  }

  /** Has all who wait for something new look for themselves. */
  wake(): void {
    this.#waiters.wakeAll();
  }

  async append(batch: AppendBatch): Promise<Appended> {
    const { appended } = await this.#enqueue({ batches: [batch], guards: [], effects: [] });
    return appended[0] as Appended;
  }

  appendGroup(group: AppendGroup): Promise<AppendedGroup> {
    return this.#enqueue(group);
  }

  /** Bytes that a group is sure to find room for. */
  get groupBytesMax(): number {
    return Math.min(groupBytesMax, Math.floor(this.#options.ring.length / groupRingShare));
  }

  /** A power loss may take what was acknowledged last. */
  get mayLoseTail(): boolean {
    return this.#options.storeMayLoseTail;
  }

  noteRefused(group: PublishGroup): void {
    this.#publisher.failed.addGroup(group);
  }

  fetch(request: FetchRequest, signal?: AbortSignal): Promise<readonly FetchedPartition[]> {
    return this.#fetcher.fetch(request, signal);
  }

  release(fetched: readonly FetchedPartition[]): void {
    for (const { chunks } of fetched) this.#chunks.give(chunks);
  }

  /** Follows `topics` in publish order from `start`. */
  follow(topics: readonly TopicInfo[], start: ReaderPosition): PublishOrderReader {
    // Commits without results tell how far those topics have come that queries write.
    const hearsAll = topics.some(({ writer }) => writer !== undefined);
    const newsCount = () => this.#waiters.wakesOfAll + this.#feed.publishPosition;
    let seenCount = newsCount();
    const parts = {
      database: this.#options.database,
      log: this.#sharedFetches,
      ...(this.#storedExtents !== undefined && { stored: this.#storedExtents }),
      monotonic: () => this.#platform.clock.monotonic(),
      readAhead: (extents: readonly Extent[]) => {
        const isStored = ({ topicNumber, partition, baseOffset }: Extent) =>
          !this.#tail.holds(partitionSlot(topicNumber, partition), baseOffset);
        return this.#stored.readAhead(extents.filter(isStored));
      },
      onLook: () => {
        seenCount = newsCount();
      },
      onStates: (states: Parameters<PublishOrderParts["onStates"]>[0]) => {
        for (const { nextOffset: highOffset, logStartOffset, leaderEpoch, ...state } of states) {
          const slot = partitionSlot(state.topicNumber, state.partition);
          this.#table.learn(slot, { highOffset, logStartOffset, leaderEpoch });
        }
      },
      waitForGrowth: async (
        cursors: readonly PartitionCursor[],
        waitMs: number,
        signal?: AbortSignal,
      ) => {
        if (newsCount() !== seenCount) return;
        await this.#waitForGrowth(cursors, { waitMs, hearsAll, signal });
      },
    };
    return new PublishOrderReader(parts, { topics, start });
  }

  #extentsIn(blocks: BlockCache): StoredExtents {
    return new StoredExtents({
      ...{ blocks, chunks: this.#chunks, tail: this.#tail, table: this.#table },
      monotonic: () => this.#platform.clock.monotonic(),
      onRead: (topic, bytes) => this.#topicMetrics.fetched(topic, bytes),
    });
  }

  async #waitForGrowth(
    cursors: readonly PartitionCursor[],
    options: {
      readonly waitMs: number;
      readonly hearsAll: boolean;
      readonly signal: AbortSignal | undefined;
    },
  ): Promise<void> {
    const { waitMs, hearsAll, signal } = options;
    const slots = cursors.map((cursor) => partitionSlot(cursor.topicNumber, cursor.partition));
    const hasGrown = cursors.some(({ nextOffset }, index) => {
      const known = this.#table.get(slots[index] as (typeof slots)[number]);
      return known !== undefined && known.highOffset > nextOffset;
    });
    if (hasGrown) return;
    await this.#waiters.wait(hearsAll ? [...slots, anyPublish] : slots, waitMs, signal);
  }

  /**
   * Calls `hear` when a peer has changed the catalog, topics or SQL objects; as a peer's publishes,
   * this shows with `sync`. Gives what ends it.
   */
  onCatalogChange(hear: () => void): () => void {
    this.#catalogListeners.add(hear);
    return () => this.#catalogListeners.delete(hear);
  }

  /** Resolves when what peers published and changed before the call is known here. */
  sync(): Promise<void> {
    return this.#feed.sync();
  }

  /** Where a partition ends, as of the last `sync`; undefined when it does not exist. */
  async endOffset(topic: TopicInfo, partition: number): Promise<number | undefined> {
    return (await this.#fetcher.known(topic, partition))?.highOffset;
  }

  async findOffset(topic: TopicInfo, partition: number, query: OffsetQuery): Promise<FoundOffset> {
    const known = await this.#confirm(topic, partition);
    const { leaderEpoch } = known;
    if (query === "earliest") return this.#earliest(topic, partition, known);
    if (query === "latest") return { offset: known.highOffset, timestamp: -1, leaderEpoch };
    const parts = {
      database: this.#options.database,
      stored: this.#stored,
      codecs: this.#platform.codecs,
    };
    const where = { topic, partition, known };
    if (query === "maxTimestamp") return findMaxTimestamp(parts, where);
    return findTimestamp(parts, where, query.timestamp);
  }

  /** Its leader epoch is that of the first record, which a cut further on does not change. */
  async #earliest(topic: TopicInfo, partition: number, known: KnownPartition) {
    const { logStartOffset: offset, leaderEpoch: current } = known;
    const where = { topicNumber: topic.topicNumber, partition, offset };
    const leaderEpoch = current === 0 ? 0 : await leaderEpochAt(this.#options.database, where);
    return { offset, timestamp: -1, leaderEpoch };
  }

  async epochEnd(
    topic: TopicInfo,
    partition: number,
    leaderEpoch: number,
  ): Promise<{ readonly leaderEpoch: number; readonly endOffset: number }> {
    const { topicNumber } = topic;
    const found = await epochEndOffset(this.#options.database, {
      topicNumber,
      partition,
      leaderEpoch,
    });
    return found ?? { leaderEpoch: -1, endOffset: -1 };
  }

  async status(
    partitions: readonly { readonly topic: TopicInfo; readonly partition: number }[],
  ): Promise<readonly (PartitionStatus | undefined)[]> {
    const states = await partitionStates(
      this.#options.database,
      partitions.map(({ topic, partition }) => ({ topicNumber: topic.topicNumber, partition })),
    );
    const bySlot = new Map(
      states.map((state) => [partitionSlot(state.topicNumber, state.partition), state]),
    );
    return partitions.map(({ topic, partition }) => {
      const state = bySlot.get(partitionSlot(topic.topicNumber, partition));
      if (state === undefined) return undefined;
      const { logStartOffset, nextOffset: highOffset, leaderEpoch, sizeBytes } = state;
      return { logStartOffset, highOffset, leaderEpoch, sizeBytes };
    });
  }

  async leaderEpochs(
    partitions: readonly { readonly topic: TopicInfo; readonly partition: number }[],
  ): Promise<readonly (number | undefined)[]> {
    const known = partitions.map(({ topic, partition }) =>
      this.#table.get(partitionSlot(topic.topicNumber, partition)),
    );
    const states = await this.status(partitions.filter((_, index) => known[index] === undefined));
    let next = 0;
    return partitions.map(({ topic, partition }, index) => {
      const held = known[index];
      if (held !== undefined) return held.leaderEpoch;
      const state = states[next++];
      if (state === undefined) return undefined;
      const { highOffset, logStartOffset, leaderEpoch } = state;
      const slot = partitionSlot(topic.topicNumber, partition);
      this.#table.learn(slot, { highOffset, logStartOffset, leaderEpoch });
      return leaderEpoch;
    });
  }

  async deleteRecords(topic: TopicInfo, partition: number, beforeOffset: number): Promise<number> {
    const { topicNumber } = topic;
    const { database } = this.#options;
    const start = await deleteRecords(database, { topicNumber, partition, beforeOffset });
    await this.#fetcher.confirm(topic, partition);
    return start;
  }

  cluster(): Cluster {
    return this.session.cluster();
  }

  leaderOf(topicId: TopicId, partition: number): number {
    return rendezvous(`${topicId}/${partition}`, this.cluster().nodes);
  }

  #enqueue(append: Omit<NewAppend, "enqueuedAt">): Promise<AppendedGroup> {
    const enqueuedAt = this.#platform.clock.monotonic();
    const { pending, result } = pendAppend({ ...append, enqueuedAt });
    this.#batcher.add(pending);
    return result;
  }

  #published(flight: Flight, receipt: PublishReceipt): void {
    this.#receipts.add(flight, receipt);
    const topicNumbers = new Set<number>();
    for (const { topic, key, logStartOffset, run } of appendedRuns(flight, receipt)) {
      const { batchPositions, baseOffset, nextOffset } = run;
      const bytes = (batchPositions.at(-1) ?? 0) - (batchPositions[0] ?? 0);
      this.#topicMetrics.appended(topic, { recordCount: nextOffset - baseOffset, bytes });
      // A peer may have cut the partition while the answer was on its way.
      const isCut = run.leaderEpoch < (this.#table.get(key)?.leaderEpoch ?? 0);
      if (!isCut) this.#tail.add(key, run);
      this.#table.learn(key, {
        highOffset: run.nextOffset,
        logStartOffset,
        leaderEpoch: run.leaderEpoch,
      });
      this.#waiters.wake(key);
      topicNumbers.add(topic.topicNumber);
    }
    // A commit without results moves the watermark of those who read them.
    for (const topicNumber of committedTopics(flight)) {
      this.#waiters.wake(partitionSlot(topicNumber, 0));
      topicNumbers.add(topicNumber);
    }
    settleAppends(flight, receipt);
    const { catalogVersion = 0 } = receipt;
    this.#options.onPublished?.({ topicNumbers, catalogVersion });
  }

  /** What memory holds of older epochs of the partition may have been cut. */
  #onEpoch(slot: PartitionSlot, leaderEpoch: number): void {
    this.#tail.forgetBefore(slot, leaderEpoch);
    this.#extents.forget(slot);
  }

  /** A peer closed this epoch while the worker was paused: nothing of it can be published. */
  #fenced(workerEpoch: number): void {
    this.#receipts.clear();
    void this.session.renew(workerEpoch).catch((error: unknown) => {
      this.#platform.log.error("cannot register anew", { error: String(error) });
    });
  }

  async #confirm(topic: TopicInfo, partition: number): Promise<KnownPartition> {
    const known = await this.#fetcher.confirm(topic, partition);
    if (known !== undefined) return known;
    throw new StreamError(
      "partition_unknown",
      `Topic "${topic.name}" has no partition ${partition}`,
    );
  }
}

/** Topics of which commits in the flight tell how far they have come in event time. */
function committedTopics({ draft }: Flight): number[] {
  return draft.groups.flatMap(({ group }) =>
    group.effects.flatMap((effect) => (effect.kind === "watermark" ? [effect.topicNumber] : [])),
  );
}
