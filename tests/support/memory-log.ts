/**
 * The log's two services held in memory: the contract of `log/log-types.ts` without store and
 * metadata database. For tests of the servers, which must not depend on how the log works.
 */
import { assert, present } from "../../src/base/assert.ts";
import type { Platform } from "../../src/base/platform.ts";
import { StreamError } from "../../src/base/stream-error.ts";
import type {
  AppendBatch,
  Appended,
  AppendedGroup,
  AppendGroup,
  Cluster,
  CreateTopic,
  FetchedPartition,
  FetchPartition,
  FetchRequest,
  FoundOffset,
  LogService,
  OffsetQuery,
  PartitionStatus,
  TopicService,
} from "../../src/log/log-types.ts";
import type { TopicInfo } from "../../src/meta/catalog.ts";
import type { AppendedRange, PublishEffect, PublishGroup } from "../../src/meta/publish-request.ts";
import { type readBatchHeader, stampBatch } from "../../src/record/batch.ts";
import { decodeRecords } from "../../src/record/batch-records.ts";
import { hasCollision, parseTopicName } from "../../src/record/topic-name.ts";
import { type TopicId, topicIdFromBytes } from "../../src/record/types.ts";

export interface MemoryLogOptions {
  readonly platform: Platform;
  readonly autoCreate?: boolean;
  readonly partitionCountDefault?: number;
  readonly nodes?: Cluster["nodes"];
}

interface StoredBatch {
  readonly baseOffset: number;
  readonly nextOffset: number;
  readonly bytes: Uint8Array;
}

interface SequenceState {
  readonly producerEpoch: number;
  /** The last five batches, oldest first. */
  readonly batches: readonly { first: number; last: number; baseOffset: number }[];
}

interface Partition {
  readonly batches: StoredBatch[];
  readonly producers: Map<number, SequenceState>;
  logStartOffset: number;
  highOffset: number;
}

interface Topic {
  info: TopicInfo;
  readonly partitions: Partition[];
  readonly httpProducers: Map<
    string,
    { epoch: number; sequence: number; answers: Map<number, readonly AppendedRange[]> }
  >;
}

type HttpProducerEffect = Extract<PublishEffect, { readonly kind: "httpProducer" }>;

export class MemoryLog implements LogService, TopicService {
  readonly lent = { current: (view: Uint8Array) => view };
  /** Groups that a server refused before they came here. */
  readonly refusedGroups: PublishGroup[] = [];
  readonly #platform: Platform;
  readonly #options: MemoryLogOptions;
  readonly #topics = new Map<TopicId, Topic>();
  #wakers: (() => void)[] = [];
  #changes = 0;
  #topicNumber = 0;

  constructor(options: MemoryLogOptions) {
    this.#platform = options.platform;
    this.#options = options;
  }

  async append(batch: AppendBatch): Promise<Appended> {
    const { appended } = await this.appendGroup({ guards: [], effects: [], batches: [batch] });
    return present(appended[0], "answer");
  }

  noteRefused(group: PublishGroup): void {
    this.refusedGroups.push(group);
  }

  async appendGroup(group: AppendGroup): Promise<AppendedGroup> {
    await Promise.resolve();
    assert(group.guards.length === 0, "this log has no guarded rows");
    const effect = group.effects[0];
    if (effect === undefined) return { appended: this.#appendAll(group.batches), repeated: null };
    assert(effect.kind === "httpProducer", "this log knows HTTP producers only");
    return this.#appendOnce(group.batches, effect);
  }

  /** Whoever still looks at a buffer that was given back sees nonsense. */
  release(fetched: readonly FetchedPartition[]): void {
    for (const { chunks } of fetched) for (const chunk of chunks) chunk.fill(0xdd);
  }

  async fetch(request: FetchRequest, signal?: AbortSignal): Promise<readonly FetchedPartition[]> {
    const deadline = this.#platform.clock.monotonic() + request.waitMsMax;
    for (;;) {
      const before = this.#changes;
      const result = await this.#readWithin(request, signal);
      const bytes = result.reduce((sum, partition) => sum + partition.bytes, 0);
      const waitMs = deadline - this.#platform.clock.monotonic();
      const isDone = bytes >= request.bytesMin || result.some((each) => each.error !== undefined);
      if (isDone || waitMs <= 0 || signal?.aborted) return result;
      request.memory?.release(result);
      if (before === this.#changes) await this.#change(waitMs, signal);
    }
  }

  async findOffset(topic: TopicInfo, partition: number, query: OffsetQuery): Promise<FoundOffset> {
    const found = this.#partition(topic.topicId, partition);
    if (found === undefined) throw unknownPartition(topic, partition);
    if (query === "earliest") return at(found.logStartOffset);
    if (query === "latest") return at(found.highOffset);
    let best: FoundOffset = at(-1);
    for (const record of this.#records(found)) {
      if (query === "maxTimestamp") {
        if (record.timestamp > best.timestamp) best = at(record.offset, record.timestamp);
      } else if (record.timestamp >= query.timestamp) return at(record.offset, record.timestamp);
    }
    return best;
  }

  async epochEnd(topic: TopicInfo, partition: number, leaderEpoch: number) {
    const found = this.#partition(topic.topicId, partition);
    if (found === undefined || leaderEpoch < 0) return { leaderEpoch: -1, endOffset: -1 };
    return { leaderEpoch: 0, endOffset: found.highOffset };
  }

  async leaderEpochs(
    partitions: readonly { readonly topic: TopicInfo; readonly partition: number }[],
  ): Promise<readonly (number | undefined)[]> {
    return (await this.status(partitions)).map((status) => status?.leaderEpoch);
  }

  async status(
    partitions: readonly { readonly topic: TopicInfo; readonly partition: number }[],
  ): Promise<readonly (PartitionStatus | undefined)[]> {
    return partitions.map(({ topic, partition }) => {
      const found = this.#partition(topic.topicId, partition);
      if (found === undefined) return undefined;
      const { logStartOffset, highOffset } = found;
      const sizeBytes = found.batches.reduce((sum, batch) => sum + batch.bytes.length, 0);
      return { logStartOffset, highOffset, leaderEpoch: 0, sizeBytes };
    });
  }

  async deleteRecords(topic: TopicInfo, partition: number, beforeOffset: number): Promise<number> {
    const found = this.#partition(topic.topicId, partition);
    if (found === undefined) throw unknownPartition(topic, partition);
    const before = beforeOffset === -1 ? found.highOffset : beforeOffset;
    if (before < 0 || before > found.highOffset) {
      throw new StreamError("offset_out_of_range", `Cannot delete records before ${before}`);
    }
    found.logStartOffset = Math.max(found.logStartOffset, before);
    const kept = found.batches.findIndex((batch) => batch.nextOffset > found.logStartOffset);
    found.batches.splice(0, kept === -1 ? found.batches.length : kept);
    return found.logStartOffset;
  }

  cluster(): Cluster {
    const self = {
      nodeId: 1,
      kafkaHost: "127.0.0.1",
      kafkaPort: 9092,
      httpUrl: "http://localhost",
    };
    return { clusterId: "memory", selfNodeId: 1, nodes: this.#options.nodes ?? [self] };
  }

  leaderOf(_topicId: TopicId, _partition: number): number {
    return 1;
  }

  async byName(name: string): Promise<TopicInfo | undefined> {
    return [...this.#topics.values()].find((topic) => topic.info.name === name)?.info;
  }

  async byId(topicId: TopicId): Promise<TopicInfo | undefined> {
    return this.#topics.get(topicId)?.info;
  }

  async withPartition(topic: TopicInfo, partition: number): Promise<TopicInfo> {
    if (partition < topic.partitionCount) return topic;
    return this.#topics.get(topic.topicId)?.info ?? topic;
  }

  async list(): Promise<readonly TopicInfo[]> {
    const infos = [...this.#topics.values()].map((topic) => topic.info);
    return infos.sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  async create(request: CreateTopic): Promise<TopicInfo> {
    const info = await this.checkCreate(request);
    const partitions = Array.from({ length: info.partitionCount }, newPartition);
    this.#topics.set(info.topicId, { info, partitions, httpProducers: new Map() });
    this.#wake();
    return info;
  }

  async checkCreate(request: CreateTopic): Promise<TopicInfo> {
    const name = parseTopicName(request.name);
    for (const { info } of this.#topics.values()) {
      if (info.name === name) {
        throw new StreamError("topic_exists", `Cannot create topic "${name}": it exists`);
      }
      if (hasCollision(info.name, name)) {
        throw new StreamError("invalid_topic_name", `"${name}" collides with "${info.name}"`);
      }
    }
    const { replicationFactor, partitionCount } = request;
    if (partitionCount === 0 || partitionCount < -1) {
      throw new StreamError("invalid_partition_count", `${partitionCount} partitions`);
    }
    if (replicationFactor === 0 || replicationFactor < -1) {
      throw new StreamError("invalid_replication_factor", `${replicationFactor} replicas`);
    }
    return {
      topicNumber: ++this.#topicNumber,
      topicId: topicIdFromBytes(this.#platform.random.bytes(16)),
      name,
      partitionCount:
        partitionCount === -1 ? (this.#options.partitionCountDefault ?? 1) : partitionCount,
      config: request.config,
      replicationFactor: replicationFactor === -1 ? 1 : replicationFactor,
      createdAt: this.#platform.clock.now(),
    };
  }

  async delete(topicId: TopicId): Promise<void> {
    if (!this.#topics.delete(topicId)) throw unknownTopic(topicId);
    this.#wake();
  }

  async addPartitions(topicId: TopicId, partitionCount: number): Promise<TopicInfo> {
    const topic = this.#topic(topicId);
    if (partitionCount <= topic.info.partitionCount) {
      throw new StreamError("invalid_partition_count", "Partitions can only be added");
    }
    topic.info = { ...topic.info, partitionCount };
    while (topic.partitions.length < partitionCount) topic.partitions.push(newPartition());
    this.#wake();
    return topic.info;
  }

  async alterConfig(
    topicId: TopicId,
    changes: Readonly<Record<string, string | null>>,
  ): Promise<TopicInfo> {
    const topic = this.#topic(topicId);
    const config = { ...topic.info.config };
    for (const [key, value] of Object.entries(changes)) {
      if (value === null) delete config[key];
      else config[key] = value;
    }
    topic.info = { ...topic.info, config };
    return topic.info;
  }

  async autoCreate(name: string): Promise<TopicInfo | undefined> {
    if (this.#options.autoCreate !== true) return undefined;
    return this.create({ name, partitionCount: -1, replicationFactor: -1, config: {} });
  }

  #appendOnce(batches: readonly AppendBatch[], effect: HttpProducerEffect): AppendedGroup {
    const topic = [...this.#topics.values()].find(
      (each) => each.info.topicNumber === effect.topicNumber,
    );
    if (topic === undefined) throw unknownTopic(String(effect.topicNumber));
    const { name, epoch, sequence } = effect;
    const known = topic.httpProducers.get(name);
    if (known !== undefined && epoch < known.epoch) {
      throw new StreamError("producer_fenced", `Producer "${name}" is at epoch ${known.epoch}`);
    }
    const isSameEpoch = known !== undefined && epoch === known.epoch;
    const first = isSameEpoch ? known.answers.get(sequence) : undefined;
    if (first !== undefined) return { appended: [], repeated: first };
    if (isSameEpoch && sequence <= known.sequence) {
      throw new StreamError("sequence_duplicate", `Sequence ${sequence} is past`);
    }
    const expected = isSameEpoch ? known.sequence + 1 : 0;
    if (known !== undefined && sequence !== expected) {
      throw new StreamError(
        "sequence_out_of_order",
        `Cannot append sequence ${sequence} of producer "${name}": ${expected} is next`,
        { details: { expectedSequence: expected } },
      );
    }
    const appended = this.#appendAll(batches);
    const ranges = rangesOf(batches, appended);
    const answers = new Map([...(isSameEpoch ? known.answers : []), [sequence, ranges] as const]);
    topic.httpProducers.set(name, { epoch, sequence, answers });
    return { appended, repeated: null };
  }

  /** Judges every batch before it appends the first. */
  #appendAll(batches: readonly AppendBatch[]): readonly Appended[] {
    const judged = batches.map((batch) => {
      const partition = this.#topic(batch.topic.topicId).partitions[batch.partition];
      if (partition === undefined) throw unknownPartition(batch.topic, batch.partition);
      return { batch, partition, duplicate: judgeSequence(partition, batch.header) };
    });
    const appended = judged.map(({ batch, partition, duplicate }) =>
      duplicate === undefined
        ? this.#appendOne(batch, partition)
        : answer(partition, duplicate, { duplicate: true, logAppendTime: -1 }),
    );
    this.#wake();
    return appended;
  }

  #appendOne(batch: AppendBatch, partition: Partition): Appended {
    const bytes = batch.bytes.slice();
    const baseOffset = partition.highOffset;
    stampBatch(bytes, 0, { baseOffset, leaderEpoch: 0 });
    // As the log does, which takes the batch's own word for it.
    const { timestampType, maxTimestamp } = batch.header;
    const logAppendTime = timestampType === "LogAppendTime" ? maxTimestamp : -1;
    partition.highOffset += batch.header.lastOffsetDelta + 1;
    partition.batches.push({ baseOffset, nextOffset: partition.highOffset, bytes });
    rememberSequence(partition, batch.header, baseOffset);
    return answer(partition, baseOffset, { duplicate: false, logAppendTime });
  }

  async #readWithin(request: FetchRequest, signal?: AbortSignal): Promise<FetchedPartition[]> {
    const { memory, bytesMax } = request;
    if (memory === undefined) return this.#read(request);
    const { timers } = this.#platform;
    const options = { bytesMax, batchBytesMax: 0, waitMsMax: 10, timers, signal };
    const room = await memory.reserve(options);
    const found = this.#read({ ...request, bytesMax: room?.bytesMax ?? 0 });
    if (room === undefined) return found.map((each) => ({ ...each, chunks: [], bytes: 0 }));
    memory.settle(room, found);
    return found;
  }

  #read(request: FetchRequest): FetchedPartition[] {
    let left = request.bytesMax;
    return request.partitions.map((asked) => {
      const partition = this.#partition(asked.topicId, asked.partition);
      if (partition === undefined) return this.#refused(asked);
      const { highOffset, logStartOffset } = partition;
      const common = {
        topicId: asked.topicId,
        partition: asked.partition,
        highOffset,
        lastStableOffset: highOffset,
        logStartOffset,
      };
      if (asked.fetchOffset < logStartOffset || asked.fetchOffset > highOffset) {
        return { ...common, error: "offset_out_of_range", chunks: [], bytes: 0 };
      }
      const isFirst = left === request.bytesMax;
      const chunks = chunksFrom(partition, asked, Math.min(left, asked.partitionBytesMax), isFirst);
      const bytes = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
      left -= bytes;
      return { ...common, chunks, bytes };
    });
  }

  #refused(asked: FetchPartition): FetchedPartition {
    const error = this.#topics.has(asked.topicId) ? "partition_unknown" : "topic_id_unknown";
    const { topicId, partition } = asked;
    const nothing = { highOffset: -1, lastStableOffset: -1, logStartOffset: -1 };
    return { topicId, partition, error, ...nothing, chunks: [], bytes: 0 };
  }

  #change(waitMs: number, signal?: AbortSignal): Promise<void> {
    const ended = new AbortController();
    const woken = new Promise<void>((resolve) => this.#wakers.push(resolve));
    const either = signal ? AbortSignal.any([signal, ended.signal]) : ended.signal;
    return Promise.race([woken, this.#platform.timers.sleep(waitMs, either)]).then(() =>
      ended.abort(),
    );
  }

  #wake(): void {
    this.#changes += 1;
    const wakers = this.#wakers;
    this.#wakers = [];
    for (const wake of wakers) wake();
  }

  *#records(partition: Partition) {
    for (const { bytes } of partition.batches) {
      yield* decodeRecords(bytes, {
        codecs: this.#platform.codecs,
        sizeMax: 2 ** 30,
        fromOffset: partition.logStartOffset,
      });
    }
  }

  #topic(topicId: TopicId): Topic {
    const topic = this.#topics.get(topicId);
    if (topic === undefined) throw unknownTopic(topicId);
    return topic;
  }

  #partition(topicId: TopicId, partition: number): Partition | undefined {
    return this.#topics.get(topicId)?.partitions[partition];
  }
}

/** A line per partition: the batches that a group has for one follow each other. */
function rangesOf(batches: readonly AppendBatch[], appended: readonly Appended[]): AppendedRange[] {
  const ranges = new Map<number, AppendedRange>();
  batches.forEach(({ partition, header }, index) => {
    const { baseOffset } = present(appended[index], "answer");
    const range = ranges.get(partition) ?? { partition, baseOffset, count: 0 };
    ranges.set(partition, { ...range, count: range.count + header.recordCount });
  });
  return [...ranges.values()];
}

function newPartition(): Partition {
  return { batches: [], producers: new Map(), logStartOffset: 0, highOffset: 0 };
}

function chunksFrom(
  partition: Partition,
  asked: FetchPartition,
  bytesMax: number,
  isFirst: boolean,
): Uint8Array[] {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for (const batch of partition.batches) {
    if (batch.nextOffset <= asked.fetchOffset) continue;
    const mayPass = isFirst && chunks.length === 0;
    if (bytes + batch.bytes.length > bytesMax && !mayPass) break;
    chunks.push(batch.bytes.slice());
    bytes += batch.bytes.length;
  }
  return chunks;
}

type Header = ReturnType<typeof readBatchHeader>;

/** The offset that a duplicate got first; undefined for what is to be appended. */
function judgeSequence(partition: Partition, header: Header): number | undefined {
  if (header.producerId < 0) return undefined;
  const state = partition.producers.get(header.producerId);
  if (state === undefined) return undefined;
  if (header.producerEpoch < state.producerEpoch) {
    throw new StreamError("producer_fenced", `Producer epoch ${header.producerEpoch} is fenced`);
  }
  const last = present(state.batches.at(-1), "last batch").last;
  const isNewEpoch = header.producerEpoch > state.producerEpoch;
  const expected = isNewEpoch ? 0 : (last + 1) % 2 ** 31;
  if (header.baseSequence === expected) return undefined;
  const lastSequence = (header.baseSequence + header.lastOffsetDelta) % 2 ** 31;
  const seen = isNewEpoch
    ? undefined
    : state.batches.find(
        (batch) => batch.first === header.baseSequence && batch.last === lastSequence,
      );
  if (seen !== undefined) return seen.baseOffset;
  const isPast = !isNewEpoch && lastSequence <= last;
  throw new StreamError(
    isPast ? "sequence_duplicate" : "sequence_out_of_order",
    `Sequence ${header.baseSequence}, expected ${expected}`,
  );
}

function rememberSequence(partition: Partition, header: Header, baseOffset: number): void {
  if (header.producerId < 0) return;
  const state = partition.producers.get(header.producerId);
  const isSameEpoch = state?.producerEpoch === header.producerEpoch;
  const first = header.baseSequence;
  const last = (first + header.lastOffsetDelta) % 2 ** 31;
  const batches = [...(isSameEpoch ? state.batches : []), { first, last, baseOffset }].slice(-5);
  partition.producers.set(header.producerId, { producerEpoch: header.producerEpoch, batches });
}

function answer(
  partition: Partition,
  baseOffset: number,
  how: { readonly duplicate: boolean; readonly logAppendTime: number },
): Appended {
  return { baseOffset, ...how, logStartOffset: partition.logStartOffset, leaderEpoch: 0 };
}

function at(offset: number, timestamp = -1): FoundOffset {
  return { offset, timestamp, leaderEpoch: offset === -1 ? -1 : 0 };
}

function unknownTopic(which: string): StreamError {
  return new StreamError("topic_unknown", `No topic ${which}`);
}

function unknownPartition(topic: TopicInfo, partition: number): StreamError {
  return new StreamError(
    "partition_unknown",
    `Cannot use partition ${partition} of "${topic.name}": it has ${topic.partitionCount}`,
  );
}
