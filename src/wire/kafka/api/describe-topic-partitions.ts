/**
 * DescribeTopicPartitions: partitions of topics in pages; a cursor tells where the next page starts
 * (KIP-966).
 */
import { defineApi } from "../api-table.ts";
import {
  arrayOf,
  bool,
  defineMessage,
  type FieldTable,
  int16,
  int32,
  string,
  struct,
  structs,
  uuid,
} from "../field-table.ts";

export interface DescribeTopicPartitionsRequest {
  readonly topics: readonly TopicRequest[];
  readonly responsePartitionLimit?: number;
  readonly cursor?: Cursor | null;
}

export interface Cursor {
  readonly topicName: string;
  readonly partitionIndex: number;
}

export interface TopicRequest {
  readonly name: string;
}

const topicRequest: FieldTable<TopicRequest> = {
  name: string(),
};

const cursor: FieldTable<Cursor> = {
  topicName: string(),
  partitionIndex: int32(),
};

export const describeTopicPartitionsRequest = defineMessage<DescribeTopicPartitionsRequest>({
  name: "DescribeTopicPartitionsRequest",
  versions: { min: 0, max: 0 },
  flexibleSince: 0,
  fields: {
    topics: structs(topicRequest),
    responsePartitionLimit: int32({ default: 2000 }),
    cursor: struct(cursor, { nullableSince: 0, default: null }),
  },
});

export interface DescribeTopicPartitionsResponse {
  readonly throttleTimeMs?: number;
  readonly topics: readonly DescribeTopicPartitionsResponseTopic[];
  readonly nextCursor?: Cursor | null;
}

export interface DescribeTopicPartitionsResponseTopic {
  readonly errorCode: number;
  readonly name: string | null;
  readonly topicId?: string;
  readonly isInternal?: boolean;
  readonly partitions: readonly DescribeTopicPartitionsResponsePartition[];
  readonly topicAuthorizedOperations?: number;
}

export interface DescribeTopicPartitionsResponsePartition {
  readonly errorCode: number;
  readonly partitionIndex: number;
  readonly leaderId: number;
  readonly leaderEpoch?: number;
  readonly replicaNodes: readonly number[];
  readonly isrNodes: readonly number[];
  readonly eligibleLeaderReplicas?: readonly number[] | null;
  readonly lastKnownElr?: readonly number[] | null;
  readonly offlineReplicas?: readonly number[];
}

const responsePartition: FieldTable<DescribeTopicPartitionsResponsePartition> = {
  errorCode: int16(),
  partitionIndex: int32(),
  leaderId: int32(),
  leaderEpoch: int32({ default: -1, ignorable: true }),
  replicaNodes: arrayOf(int32()),
  isrNodes: arrayOf(int32()),
  eligibleLeaderReplicas: arrayOf(int32(), { nullableSince: 0, default: null }),
  lastKnownElr: arrayOf(int32(), { nullableSince: 0, default: null }),
  offlineReplicas: arrayOf(int32(), { ignorable: true }),
};

const describeTopicPartitionsResponseTopic: FieldTable<DescribeTopicPartitionsResponseTopic> = {
  errorCode: int16(),
  name: string({ nullableSince: 0 }),
  topicId: uuid({ ignorable: true }),
  isInternal: bool({ ignorable: true }),
  partitions: structs(responsePartition),
  topicAuthorizedOperations: int32({ default: -0x80000000 }),
};

export const describeTopicPartitionsResponse = defineMessage<DescribeTopicPartitionsResponse>({
  name: "DescribeTopicPartitionsResponse",
  versions: { min: 0, max: 0 },
  flexibleSince: 0,
  fields: {
    throttleTimeMs: int32({ ignorable: true }),
    topics: structs(describeTopicPartitionsResponseTopic),
    nextCursor: struct(cursor, { nullableSince: 0, default: null }),
  },
});

export const describeTopicPartitionsApi = defineApi({
  name: "DescribeTopicPartitions",
  key: 75,
  request: describeTopicPartitionsRequest,
  response: describeTopicPartitionsResponse,
});
