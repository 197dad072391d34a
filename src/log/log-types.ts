/**
 * What the servers ask of the log and what it answers: the shapes between `server/` and `log/`.
 * Buffers given to `append` are lent until its promise settles; buffers that `fetch` returns
 * belong to the caller, save those that it asked to be lent.
 */

import type { AnswerMemory } from "../base/answer-memory.ts";
import type { CurrentBytes } from "../base/lent-bytes.ts";
import type { ErrorCode } from "../base/stream-error.ts";
import type { TopicInfo } from "../meta/catalog.ts";
import type { AppendedRange, PublishGroup } from "../meta/publish-request.ts";
import type { BatchHeader } from "../record/batch.ts";
import type { TopicId } from "../record/types.ts";

/** One record batch that `record/batch-validate` has accepted. */
export interface AppendBatch {
  readonly topic: TopicInfo;
  readonly partition: number;
  readonly bytes: Uint8Array;
  readonly header: BatchHeader;
  /** Least timestamp of its records, where that is known: reads up to a time stop by it. */
  readonly minTimestamp?: number;
}

/** Where an accepted batch stands. Its records have offsets baseOffset, baseOffset + 1, … */
export interface Appended {
  readonly baseOffset: number;
  /** The batch was there already: a producer's retry. */
  readonly duplicate: boolean;
  /** Milliseconds where the topic uses LogAppendTime, else -1. */
  readonly logAppendTime: number;
  readonly logStartOffset: number;
  readonly leaderEpoch: number;
}

/** Several batches with guards and effects that become visible together or not at all. */
export interface AppendGroup extends PublishGroup {
  readonly batches: readonly AppendBatch[];
}

export interface AppendedGroup {
  /** One per batch, in the order given; empty when the request was a repeat. */
  readonly appended: readonly Appended[];
  /** Where the records went the first time, when an HTTP producer repeated its request. */
  readonly repeated: readonly AppendedRange[] | null;
}

export interface FetchPartition {
  readonly topicId: TopicId;
  readonly partition: number;
  readonly fetchOffset: number;
  /** At least one whole batch is returned even if it is larger than this. */
  readonly partitionBytesMax: number;
  /** The epoch that the client believes in; -1 when it says none (KIP-320). */
  readonly currentLeaderEpoch: number;
}

export interface FetchRequest {
  readonly partitions: readonly FetchPartition[];
  readonly bytesMin: number;
  readonly bytesMax: number;
  readonly waitMsMax: number;
  /** Where room for the answer is taken from; without it nothing is counted. */
  readonly memory?: AnswerMemory;
  /** The caller only sends the chunks, and reads each through `LogService.lent` when it does. */
  readonly lends?: boolean;
  /** The caller hands the chunks to a thread: they lie in shared memory where there is some. */
  readonly shares?: boolean;
}

export interface FetchedPartition {
  readonly topicId: TopicId;
  readonly partition: number;
  /** Set when this partition could not be read; the others are unaffected. */
  readonly error?: ErrorCode;
  /** One past the last published offset; Kafka's high watermark. */
  readonly highOffset: number;
  /** Below every open transaction; equals highOffset until there are transactions. */
  readonly lastStableOffset: number;
  readonly logStartOffset: number;
  /**
   * Whole record batches, base offsets and leader epochs set, in order. The first may begin below
   * `fetchOffset`: clients skip what they did not ask for.
   */
  readonly chunks: readonly Uint8Array[];
  readonly bytes: number;
  /** Some chunks are views of the caches, as the request allowed. */
  readonly isLent?: boolean;
}

/** ListOffsets' special timestamps: -2, -1, -3 and any time in milliseconds. */
export type OffsetQuery = "earliest" | "latest" | "maxTimestamp" | { readonly timestamp: number };

export interface FoundOffset {
  /** -1, as the others are, when no record is that late. */
  readonly offset: number;
  readonly timestamp: number;
  readonly leaderEpoch: number;
}

export interface PartitionStatus {
  readonly logStartOffset: number;
  readonly highOffset: number;
  readonly leaderEpoch: number;
  readonly sizeBytes: number;
}

/** A live worker as clients see it: a Kafka broker. */
export interface ClusterNode {
  readonly nodeId: number;
  readonly kafkaHost: string;
  readonly kafkaPort: number;
  readonly httpUrl: string;
}

export interface Cluster {
  readonly clusterId: string;
  readonly selfNodeId: number;
  readonly nodes: readonly ClusterNode[];
}

/**
 * The log of one namespace as this worker serves it. Every error is a StreamError.
 * Implemented by `log/log.ts`.
 */
export interface LogService {
  /** Appends one batch on its own. Resolves once stored and published. */
  append(batch: AppendBatch): Promise<Appended>;
  /**
   * Appends all or nothing and applies the group's effects with it. Without guards and effects its
   * batches are stored together and judged each by itself.
   */
  appendGroup(group: AppendGroup): Promise<AppendedGroup>;
  /**
   * A group was refused before it came here and will be sent again: what its HTTP producer sent
   * behind it is not to be taken for the producer's beginning.
   */
  noteRefused(group: PublishGroup): void;
  /**
   * Reads; waits until `bytesMin` are there or `waitMsMax` passed. Answers one item per partition
   * asked, in the order asked. Aborting `signal` ends the wait and returns what is there.
   *
   * Where `memory` is given and has no room for a second (or `waitMsMax`), nothing is read: the
   * partitions' ends alone are answered.
   */
  fetch(request: FetchRequest, signal?: AbortSignal): Promise<readonly FetchedPartition[]>;
  /**
   * Gives an answer's buffers back once they have left, to be used again. May be left out; after it
   * nothing may touch them. The `memory` of the request is the caller's to release.
   */
  release(fetched: readonly FetchedPartition[]): void;
  /** What chunks of answers that were lent are to be read through. */
  readonly lent: CurrentBytes;
  findOffset(topic: TopicInfo, partition: number, query: OffsetQuery): Promise<FoundOffset>;
  /**
   * End offset of the largest epoch at or below `leaderEpoch`; -1/-1 when unknown (KIP-101), also
   * where there is no such partition.
   */
  epochEnd(
    topic: TopicInfo,
    partition: number,
    leaderEpoch: number,
  ): Promise<{ readonly leaderEpoch: number; readonly endOffset: number }>;
  /** Confirmed in the metadata; undefined for a partition that does not exist. */
  status(
    partitions: readonly { readonly topic: TopicInfo; readonly partition: number }[],
  ): Promise<readonly (PartitionStatus | undefined)[]>;
  /**
   * Leader epochs as far as they are known here, the others asked for at once; undefined for a
   * partition that does not exist. For Metadata, which names every partition there is.
   */
  leaderEpochs(
    partitions: readonly { readonly topic: TopicInfo; readonly partition: number }[],
  ): Promise<readonly (number | undefined)[]>;
  /**
   * Raises the log start offset; `beforeOffset` -1 means the high offset. Returns the new start.
   */
  deleteRecords(topic: TopicInfo, partition: number, beforeOffset: number): Promise<number>;
  cluster(): Cluster;
  /** The node that Metadata names as leader: advice for locality, stable while workers live. */
  leaderOf(topicId: TopicId, partition: number): number;
}

/** The catalog as this worker knows it: a hit may be cached, a miss is confirmed. */
export interface TopicService {
  byName(name: string): Promise<TopicInfo | undefined>;
  byId(topicId: TopicId): Promise<TopicInfo | undefined>;
  /**
   * The topic as it is now where `topic` does not have this partition: a peer may have added it.
   * Who still finds no such partition may deny it.
   */
  withPartition(topic: TopicInfo, partition: number): Promise<TopicInfo>;
  list(): Promise<readonly TopicInfo[]>;
  /** Validates name, counts and config. Errors: invalid_*, topic_exists. */
  create(request: CreateTopic): Promise<TopicInfo>;
  /** Checks everything that `create` would and changes nothing. */
  checkCreate(request: CreateTopic): Promise<TopicInfo>;
  delete(topicId: TopicId): Promise<void>;
  addPartitions(topicId: TopicId, partitionCount: number): Promise<TopicInfo>;
  /** `null` returns a key to its default. */
  alterConfig(
    topicId: TopicId,
    changes: Readonly<Record<string, string | null>>,
  ): Promise<TopicInfo>;
  /** Makes the topic with default partitions if auto-creation is on; else undefined. */
  autoCreate(name: string): Promise<TopicInfo | undefined>;
}

export interface CreateTopic {
  readonly name: string;
  /** -1: the default. */
  readonly partitionCount: number;
  /** Accepted and described as what it is; the store replicates. -1: 1. */
  readonly replicationFactor: number;
  readonly config: Readonly<Record<string, string>>;
  /** The query whose results it will hold, which alone may write to it. */
  readonly writer?: string;
}
