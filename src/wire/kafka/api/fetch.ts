/**
 * Fetch: record batches from given offsets on, per partition, waiting for `minBytes` up to
 * `maxWaitMs`.
 *
 * Partitions are served in the order asked. 5: log start offsets. 7: fetch sessions (KIP-227), in
 * which a request names only what changed. 9: the leader epoch that the client knows (KIP-320). 11:
 * the client's rack. 12: the epoch of the last record read. 13: topic ids in place of names
 * (KIP-516). 15: replica state as a tagged field (KIP-903). 16: addresses of new leaders (KIP-951).
 * 18: a replica's high watermark.
 */
import { defineApi } from "../api-table.ts";
import {
  arrayOf,
  defineMessage,
  type FieldTable,
  int8,
  int16,
  int32,
  int64,
  int64Max,
  type RecordsPayload,
  records,
  string,
  struct,
  structs,
  uuid,
} from "../field-table.ts";

export interface FetchRequest {
  readonly clusterId?: string | null;
  readonly replicaId?: number;
  readonly replicaState?: ReplicaState;
  readonly maxWaitMs: number;
  readonly minBytes: number;
  readonly maxBytes?: number;
  readonly isolationLevel?: number;
  readonly sessionId?: number;
  readonly sessionEpoch?: number;
  readonly topics: readonly FetchTopic[];
  readonly forgottenTopicsData?: readonly ForgottenTopic[];
  readonly rackId?: string;
}

export interface ForgottenTopic {
  readonly topic?: string;
  readonly topicId?: string;
  readonly partitions: readonly number[];
}

export interface FetchTopic {
  readonly topic?: string;
  readonly topicId?: string;
  readonly partitions: readonly FetchPartition[];
}

export interface FetchPartition {
  readonly partition: number;
  readonly currentLeaderEpoch?: number;
  readonly fetchOffset: number;
  readonly lastFetchedEpoch?: number;
  readonly logStartOffset?: number;
  readonly partitionMaxBytes: number;
  readonly replicaDirectoryId?: string;
  readonly highWatermark?: number;
}

export interface ReplicaState {
  readonly replicaId?: number;
  readonly replicaEpoch?: number;
}

const replicaState: FieldTable<ReplicaState> = {
  replicaId: int32({ default: -1 }),
  replicaEpoch: int64({ default: -1 }),
};

const fetchPartition: FieldTable<FetchPartition> = {
  partition: int32(),
  currentLeaderEpoch: int32({ since: 9, default: -1, ignorable: true }),
  fetchOffset: int64(),
  lastFetchedEpoch: int32({ since: 12, default: -1 }),
  logStartOffset: int64({ since: 5, default: -1, ignorable: true }),
  partitionMaxBytes: int32(),
  replicaDirectoryId: uuid({ since: 17, tag: 0, ignorable: true }),
  highWatermark: int64({ since: 18, tag: 1, default: int64Max, ignorable: true }),
};

const fetchTopic: FieldTable<FetchTopic> = {
  topic: string({ until: 12, ignorable: true }),
  topicId: uuid({ since: 13, ignorable: true }),
  partitions: structs(fetchPartition),
};

const forgottenTopic: FieldTable<ForgottenTopic> = {
  topic: string({ until: 12, ignorable: true }),
  topicId: uuid({ since: 13, ignorable: true }),
  partitions: arrayOf(int32()),
};

export const fetchRequest = defineMessage<FetchRequest>({
  name: "FetchRequest",
  versions: { min: 4, max: 18 },
  flexibleSince: 12,
  fields: {
    clusterId: string({ since: 12, nullableSince: 12, tag: 0, default: null, ignorable: true }),
    replicaId: int32({ until: 14, default: -1 }),
    replicaState: struct(replicaState, { since: 15, tag: 1 }),
    maxWaitMs: int32(),
    minBytes: int32(),
    maxBytes: int32({ default: 0x7fffffff, ignorable: true }),
    isolationLevel: int8({ ignorable: true }),
    sessionId: int32({ since: 7, ignorable: true }),
    sessionEpoch: int32({ since: 7, default: -1, ignorable: true }),
    topics: structs(fetchTopic),
    forgottenTopicsData: structs(forgottenTopic, { since: 7 }),
    rackId: string({ since: 11, ignorable: true }),
  },
});

export interface FetchResponse {
  readonly throttleTimeMs?: number;
  readonly errorCode: number;
  readonly sessionId?: number;
  readonly responses: readonly FetchableTopicResponse[];
  readonly nodeEndpoints?: readonly NodeEndpoint[];
}

export interface NodeEndpoint {
  readonly nodeId: number;
  readonly host: string;
  readonly port: number;
  readonly rack?: string | null;
}

export interface FetchableTopicResponse {
  readonly topic?: string;
  readonly topicId?: string;
  readonly partitions: readonly PartitionData[];
}

export interface PartitionData {
  readonly partitionIndex: number;
  readonly errorCode: number;
  readonly highWatermark: number;
  readonly lastStableOffset?: number;
  readonly logStartOffset?: number;
  readonly divergingEpoch?: EpochEndOffset;
  readonly currentLeader?: LeaderIdAndEpoch;
  readonly snapshotId?: SnapshotId;
  readonly abortedTransactions?: readonly AbortedTransaction[] | null;
  readonly preferredReadReplica?: number;
  readonly records: RecordsPayload | null;
}

export interface AbortedTransaction {
  readonly producerId: number;
  readonly firstOffset: number;
}

export interface SnapshotId {
  readonly endOffset?: number;
  readonly epoch?: number;
}

export interface LeaderIdAndEpoch {
  readonly leaderId?: number;
  readonly leaderEpoch?: number;
}

export interface EpochEndOffset {
  readonly epoch?: number;
  readonly endOffset?: number;
}

const epochEndOffset: FieldTable<EpochEndOffset> = {
  epoch: int32({ default: -1 }),
  endOffset: int64({ default: -1 }),
};

const leaderIdAndEpoch: FieldTable<LeaderIdAndEpoch> = {
  leaderId: int32({ default: -1 }),
  leaderEpoch: int32({ default: -1 }),
};

const snapshotId: FieldTable<SnapshotId> = {
  endOffset: int64({ default: -1 }),
  epoch: int32({ default: -1 }),
};

const abortedTransaction: FieldTable<AbortedTransaction> = {
  producerId: int64(),
  firstOffset: int64(),
};

const partitionData: FieldTable<PartitionData> = {
  partitionIndex: int32(),
  errorCode: int16(),
  highWatermark: int64(),
  lastStableOffset: int64({ default: -1, ignorable: true }),
  logStartOffset: int64({ since: 5, default: -1, ignorable: true }),
  divergingEpoch: struct(epochEndOffset, { since: 12, tag: 0 }),
  currentLeader: struct(leaderIdAndEpoch, { since: 12, tag: 1 }),
  snapshotId: struct(snapshotId, { since: 12, tag: 2 }),
  abortedTransactions: structs(abortedTransaction, { nullableSince: 0, ignorable: true }),
  preferredReadReplica: int32({ since: 11, default: -1 }),
  records: records({ nullableSince: 0 }),
};

const fetchableTopicResponse: FieldTable<FetchableTopicResponse> = {
  topic: string({ until: 12, ignorable: true }),
  topicId: uuid({ since: 13, ignorable: true }),
  partitions: structs(partitionData),
};

const nodeEndpoint: FieldTable<NodeEndpoint> = {
  nodeId: int32(),
  host: string(),
  port: int32(),
  rack: string({ nullableSince: 0, default: null }),
};

export const fetchResponse = defineMessage<FetchResponse>({
  name: "FetchResponse",
  versions: { min: 4, max: 18 },
  flexibleSince: 12,
  fields: {
    throttleTimeMs: int32({ ignorable: true }),
    errorCode: int16({ since: 7, ignorable: true }),
    sessionId: int32({ since: 7 }),
    responses: structs(fetchableTopicResponse),
    nodeEndpoints: structs(nodeEndpoint, { since: 16, tag: 0 }),
  },
});

export const fetchApi = defineApi({
  name: "Fetch",
  key: 1,
  request: fetchRequest,
  response: fetchResponse,
});
