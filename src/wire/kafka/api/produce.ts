/**
 * Produce: record batches to append, per partition.
 *
 * Versions 0 to 2 are announced, since librdkafka decides by them what the broker can do
 * (KAFKA-18659), but no longer served. 5: log start offset in the answer. 8: which record was bad
 * (KIP-467). 10: the current leader in the answer (KIP-951). 13: topic ids in place of names
 * (KIP-516). With acks 0 there is no response.
 */
import { defineApi } from "../api-table.ts";
import {
  defineMessage,
  type FieldTable,
  int16,
  int32,
  int64,
  type RecordsPayload,
  records,
  string,
  struct,
  structs,
  uuid,
} from "../field-table.ts";

export interface ProduceRequest {
  readonly transactionalId?: string | null;
  readonly acks: number;
  readonly timeoutMs: number;
  readonly topicData: readonly TopicProduceData[];
}

export interface TopicProduceData {
  readonly name?: string;
  readonly topicId?: string;
  readonly partitionData: readonly PartitionProduceData[];
}

export interface PartitionProduceData {
  readonly index: number;
  readonly records: RecordsPayload | null;
}

const partitionProduceData: FieldTable<PartitionProduceData> = {
  index: int32(),
  records: records({ nullableSince: 0 }),
};

const topicProduceData: FieldTable<TopicProduceData> = {
  name: string({ until: 12, ignorable: true }),
  topicId: uuid({ since: 13, ignorable: true }),
  partitionData: structs(partitionProduceData),
};

export const produceRequest = defineMessage<ProduceRequest>({
  name: "ProduceRequest",
  versions: { min: 3, max: 13 },
  flexibleSince: 9,
  fields: {
    transactionalId: string({ nullableSince: 0, default: null }),
    acks: int16(),
    timeoutMs: int32(),
    topicData: structs(topicProduceData),
  },
});

export interface ProduceResponse {
  readonly responses: readonly TopicProduceResponse[];
  readonly throttleTimeMs?: number;
  readonly nodeEndpoints?: readonly NodeEndpoint[];
}

export interface NodeEndpoint {
  readonly nodeId: number;
  readonly host: string;
  readonly port: number;
  readonly rack?: string | null;
}

export interface TopicProduceResponse {
  readonly name?: string;
  readonly topicId?: string;
  readonly partitionResponses: readonly PartitionProduceResponse[];
}

export interface PartitionProduceResponse {
  readonly index: number;
  readonly errorCode: number;
  readonly baseOffset: number;
  readonly logAppendTimeMs?: number;
  readonly logStartOffset?: number;
  readonly recordErrors?: readonly BatchIndexAndErrorMessage[];
  readonly errorMessage?: string | null;
  readonly currentLeader?: LeaderIdAndEpoch;
}

export interface LeaderIdAndEpoch {
  readonly leaderId?: number;
  readonly leaderEpoch?: number;
}

export interface BatchIndexAndErrorMessage {
  readonly batchIndex: number;
  readonly batchIndexErrorMessage?: string | null;
}

const batchIndexAndErrorMessage: FieldTable<BatchIndexAndErrorMessage> = {
  batchIndex: int32(),
  batchIndexErrorMessage: string({ nullableSince: 0, default: null }),
};

const leaderIdAndEpoch: FieldTable<LeaderIdAndEpoch> = {
  leaderId: int32({ default: -1 }),
  leaderEpoch: int32({ default: -1 }),
};

const partitionProduceResponse: FieldTable<PartitionProduceResponse> = {
  index: int32(),
  errorCode: int16(),
  baseOffset: int64(),
  logAppendTimeMs: int64({ default: -1, ignorable: true }),
  logStartOffset: int64({ since: 5, default: -1, ignorable: true }),
  recordErrors: structs(batchIndexAndErrorMessage, { since: 8, ignorable: true }),
  errorMessage: string({ since: 8, nullableSince: 8, default: null, ignorable: true }),
  currentLeader: struct(leaderIdAndEpoch, { since: 10, tag: 0 }),
};

const topicProduceResponse: FieldTable<TopicProduceResponse> = {
  name: string({ until: 12, ignorable: true }),
  topicId: uuid({ since: 13, ignorable: true }),
  partitionResponses: structs(partitionProduceResponse),
};

const nodeEndpoint: FieldTable<NodeEndpoint> = {
  nodeId: int32(),
  host: string(),
  port: int32(),
  rack: string({ nullableSince: 0, default: null }),
};

export const produceResponse = defineMessage<ProduceResponse>({
  name: "ProduceResponse",
  versions: { min: 3, max: 13 },
  flexibleSince: 9,
  fields: {
    responses: structs(topicProduceResponse),
    throttleTimeMs: int32({ ignorable: true }),
    nodeEndpoints: structs(nodeEndpoint, { since: 10, tag: 0 }),
  },
});

export const produceApi = defineApi({
  name: "Produce",
  key: 0,
  advertisedVersions: { min: 0, max: 13 },
  request: produceRequest,
  response: produceResponse,
});
