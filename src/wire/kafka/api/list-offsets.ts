/**
 * ListOffsets: the offset of a timestamp, or of one of the special timestamps below 0.
 *
 * -1 is the end of the log, -2 its start; 7: -3, the record of the greatest timestamp (KIP-734); 8:
 * -4, the local start; 9: -5, the last tiered offset; 11: -6, the earliest one not yet uploaded. 2:
 * isolation level. 4: leader epochs. 10: a time limit for answers that need remote storage.
 */
import { defineApi } from "../api-table.ts";
import {
  defineMessage,
  type FieldTable,
  int8,
  int16,
  int32,
  int64,
  string,
  structs,
} from "../field-table.ts";

export interface ListOffsetsRequest {
  readonly replicaId: number;
  readonly isolationLevel: number;
  readonly topics: readonly ListOffsetsTopic[];
  readonly timeoutMs?: number;
}

export interface ListOffsetsTopic {
  readonly name: string;
  readonly partitions: readonly ListOffsetsPartition[];
}

export interface ListOffsetsPartition {
  readonly partitionIndex: number;
  readonly currentLeaderEpoch?: number;
  readonly timestamp: number;
}

const listOffsetsPartition: FieldTable<ListOffsetsPartition> = {
  partitionIndex: int32(),
  currentLeaderEpoch: int32({ since: 4, default: -1, ignorable: true }),
  timestamp: int64(),
};

const listOffsetsTopic: FieldTable<ListOffsetsTopic> = {
  name: string(),
  partitions: structs(listOffsetsPartition),
};

export const listOffsetsRequest = defineMessage<ListOffsetsRequest>({
  name: "ListOffsetsRequest",
  versions: { min: 1, max: 11 },
  flexibleSince: 6,
  fields: {
    replicaId: int32(),
    isolationLevel: int8({ since: 2 }),
    topics: structs(listOffsetsTopic),
    timeoutMs: int32({ since: 10, ignorable: true }),
  },
});

export interface ListOffsetsResponse {
  readonly throttleTimeMs?: number;
  readonly topics: readonly ListOffsetsTopicResponse[];
}

export interface ListOffsetsTopicResponse {
  readonly name: string;
  readonly partitions: readonly ListOffsetsPartitionResponse[];
}

export interface ListOffsetsPartitionResponse {
  readonly partitionIndex: number;
  readonly errorCode: number;
  readonly timestamp?: number;
  readonly offset?: number;
  readonly leaderEpoch?: number;
}

const listOffsetsPartitionResponse: FieldTable<ListOffsetsPartitionResponse> = {
  partitionIndex: int32(),
  errorCode: int16(),
  timestamp: int64({ default: -1 }),
  offset: int64({ default: -1 }),
  leaderEpoch: int32({ since: 4, default: -1 }),
};

const listOffsetsTopicResponse: FieldTable<ListOffsetsTopicResponse> = {
  name: string(),
  partitions: structs(listOffsetsPartitionResponse),
};

export const listOffsetsResponse = defineMessage<ListOffsetsResponse>({
  name: "ListOffsetsResponse",
  versions: { min: 1, max: 11 },
  flexibleSince: 6,
  fields: {
    throttleTimeMs: int32({ since: 2, ignorable: true }),
    topics: structs(listOffsetsTopicResponse),
  },
});

export const listOffsetsApi = defineApi({
  name: "ListOffsets",
  key: 2,
  request: listOffsetsRequest,
  response: listOffsetsResponse,
});
