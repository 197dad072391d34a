/**
 * Metadata: the brokers, and the leaders of topics' partitions.
 *
 * Version 1 asks for all topics by null, version 0 by an empty array. 4: the request may forbid
 * auto creation. 5: offline replicas. 7: leader epochs. 8: authorized operations. 10: topic ids in
 * answers, 12: topics asked for by id with a null name (KIP-516). 13: an error code for the whole
 * answer.
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
  structs,
  uuid,
} from "../field-table.ts";

export interface MetadataRequest {
  readonly topics: readonly MetadataRequestTopic[] | null;
  readonly allowAutoTopicCreation?: boolean;
  readonly includeClusterAuthorizedOperations?: boolean;
  readonly includeTopicAuthorizedOperations?: boolean;
}

export interface MetadataRequestTopic {
  readonly topicId?: string;
  readonly name: string | null;
}

const metadataRequestTopic: FieldTable<MetadataRequestTopic> = {
  topicId: uuid({ since: 10, ignorable: true }),
  name: string({ nullableSince: 10 }),
};

export const metadataRequest = defineMessage<MetadataRequest>({
  name: "MetadataRequest",
  versions: { min: 0, max: 13 },
  flexibleSince: 9,
  fields: {
    topics: structs(metadataRequestTopic, { nullableSince: 1 }),
    allowAutoTopicCreation: bool({ since: 4, default: true }),
    includeClusterAuthorizedOperations: bool({ since: 8, until: 10 }),
    includeTopicAuthorizedOperations: bool({ since: 8 }),
  },
});

export interface MetadataResponse {
  readonly throttleTimeMs?: number;
  readonly brokers: readonly MetadataResponseBroker[];
  readonly clusterId?: string | null;
  readonly controllerId?: number;
  readonly topics: readonly MetadataResponseTopic[];
  readonly clusterAuthorizedOperations?: number;
  readonly errorCode?: number;
}

export interface MetadataResponseTopic {
  readonly errorCode: number;
  readonly name: string | null;
  readonly topicId?: string;
  readonly isInternal?: boolean;
  readonly partitions: readonly MetadataResponsePartition[];
  readonly topicAuthorizedOperations?: number;
}

export interface MetadataResponsePartition {
  readonly errorCode: number;
  readonly partitionIndex: number;
  readonly leaderId: number;
  readonly leaderEpoch?: number;
  readonly replicaNodes: readonly number[];
  readonly isrNodes: readonly number[];
  readonly offlineReplicas?: readonly number[];
}

export interface MetadataResponseBroker {
  readonly nodeId: number;
  readonly host: string;
  readonly port: number;
  readonly rack?: string | null;
}

const metadataResponseBroker: FieldTable<MetadataResponseBroker> = {
  nodeId: int32(),
  host: string(),
  port: int32(),
  rack: string({ since: 1, nullableSince: 1, default: null, ignorable: true }),
};

const metadataResponsePartition: FieldTable<MetadataResponsePartition> = {
  errorCode: int16(),
  partitionIndex: int32(),
  leaderId: int32(),
  leaderEpoch: int32({ since: 7, default: -1, ignorable: true }),
  replicaNodes: arrayOf(int32()),
  isrNodes: arrayOf(int32()),
  offlineReplicas: arrayOf(int32(), { since: 5, ignorable: true }),
};

const metadataResponseTopic: FieldTable<MetadataResponseTopic> = {
  errorCode: int16(),
  name: string({ nullableSince: 12 }),
  topicId: uuid({ since: 10, ignorable: true }),
  isInternal: bool({ since: 1, ignorable: true }),
  partitions: structs(metadataResponsePartition),
  topicAuthorizedOperations: int32({ since: 8, default: -0x80000000 }),
};

export const metadataResponse = defineMessage<MetadataResponse>({
  name: "MetadataResponse",
  versions: { min: 0, max: 13 },
  flexibleSince: 9,
  fields: {
    throttleTimeMs: int32({ since: 3, ignorable: true }),
    brokers: structs(metadataResponseBroker),
    clusterId: string({ since: 2, nullableSince: 2, default: null, ignorable: true }),
    controllerId: int32({ since: 1, default: -1, ignorable: true }),
    topics: structs(metadataResponseTopic),
    clusterAuthorizedOperations: int32({ since: 8, until: 10, default: -0x80000000 }),
    errorCode: int16({ since: 13, ignorable: true }),
  },
});

export const metadataApi = defineApi({
  name: "Metadata",
  key: 3,
  request: metadataRequest,
  response: metadataResponse,
});
