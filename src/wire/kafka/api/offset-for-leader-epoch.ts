/**
 * OffsetForLeaderEpoch: where a leader epoch ended, by which a client finds out that the log was
 * cut (KIP-320).
 */
import { defineApi } from "../api-table.ts";
import {
  defineMessage,
  type FieldTable,
  int16,
  int32,
  int64,
  string,
  structs,
} from "../field-table.ts";

export interface OffsetForLeaderEpochRequest {
  readonly replicaId?: number;
  readonly topics: readonly OffsetForLeaderTopic[];
}

export interface OffsetForLeaderTopic {
  readonly topic: string;
  readonly partitions: readonly OffsetForLeaderPartition[];
}

export interface OffsetForLeaderPartition {
  readonly partition: number;
  readonly currentLeaderEpoch?: number;
  readonly leaderEpoch: number;
}

const offsetForLeaderPartition: FieldTable<OffsetForLeaderPartition> = {
  partition: int32(),
  currentLeaderEpoch: int32({ default: -1, ignorable: true }),
  leaderEpoch: int32(),
};

const offsetForLeaderTopic: FieldTable<OffsetForLeaderTopic> = {
  topic: string(),
  partitions: structs(offsetForLeaderPartition),
};

export const offsetForLeaderEpochRequest = defineMessage<OffsetForLeaderEpochRequest>({
  name: "OffsetForLeaderEpochRequest",
  versions: { min: 2, max: 4 },
  flexibleSince: 4,
  fields: {
    replicaId: int32({ since: 3, default: -2, ignorable: true }),
    topics: structs(offsetForLeaderTopic),
  },
});

export interface OffsetForLeaderEpochResponse {
  readonly throttleTimeMs?: number;
  readonly topics: readonly OffsetForLeaderTopicResult[];
}

export interface OffsetForLeaderTopicResult {
  readonly topic: string;
  readonly partitions: readonly EpochEndOffset[];
}

export interface EpochEndOffset {
  readonly errorCode: number;
  readonly partition: number;
  readonly leaderEpoch?: number;
  readonly endOffset?: number;
}

const epochEndOffset: FieldTable<EpochEndOffset> = {
  errorCode: int16(),
  partition: int32(),
  leaderEpoch: int32({ default: -1, ignorable: true }),
  endOffset: int64({ default: -1 }),
};

const offsetForLeaderTopicResult: FieldTable<OffsetForLeaderTopicResult> = {
  topic: string(),
  partitions: structs(epochEndOffset),
};

export const offsetForLeaderEpochResponse = defineMessage<OffsetForLeaderEpochResponse>({
  name: "OffsetForLeaderEpochResponse",
  versions: { min: 2, max: 4 },
  flexibleSince: 4,
  fields: {
    throttleTimeMs: int32({ ignorable: true }),
    topics: structs(offsetForLeaderTopicResult),
  },
});

export const offsetForLeaderEpochApi = defineApi({
  name: "OffsetForLeaderEpoch",
  key: 23,
  request: offsetForLeaderEpochRequest,
  response: offsetForLeaderEpochResponse,
});
