/**
 * DeleteRecords: raises partitions' log start; offset -1 is the high watermark.
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

export interface DeleteRecordsRequest {
  readonly topics: readonly DeleteRecordsTopic[];
  readonly timeoutMs: number;
}

export interface DeleteRecordsTopic {
  readonly name: string;
  readonly partitions: readonly DeleteRecordsPartition[];
}

export interface DeleteRecordsPartition {
  readonly partitionIndex: number;
  readonly offset: number;
}

const deleteRecordsPartition: FieldTable<DeleteRecordsPartition> = {
  partitionIndex: int32(),
  offset: int64(),
};

const deleteRecordsTopic: FieldTable<DeleteRecordsTopic> = {
  name: string(),
  partitions: structs(deleteRecordsPartition),
};

export const deleteRecordsRequest = defineMessage<DeleteRecordsRequest>({
  name: "DeleteRecordsRequest",
  versions: { min: 0, max: 2 },
  flexibleSince: 2,
  fields: {
    topics: structs(deleteRecordsTopic),
    timeoutMs: int32(),
  },
});

export interface DeleteRecordsResponse {
  readonly throttleTimeMs?: number;
  readonly topics: readonly DeleteRecordsTopicResult[];
}

export interface DeleteRecordsTopicResult {
  readonly name: string;
  readonly partitions: readonly DeleteRecordsPartitionResult[];
}

export interface DeleteRecordsPartitionResult {
  readonly partitionIndex: number;
  readonly lowWatermark: number;
  readonly errorCode: number;
}

const deleteRecordsPartitionResult: FieldTable<DeleteRecordsPartitionResult> = {
  partitionIndex: int32(),
  lowWatermark: int64(),
  errorCode: int16(),
};

const deleteRecordsTopicResult: FieldTable<DeleteRecordsTopicResult> = {
  name: string(),
  partitions: structs(deleteRecordsPartitionResult),
};

export const deleteRecordsResponse = defineMessage<DeleteRecordsResponse>({
  name: "DeleteRecordsResponse",
  versions: { min: 0, max: 2 },
  flexibleSince: 2,
  fields: {
    throttleTimeMs: int32(),
    topics: structs(deleteRecordsTopicResult),
  },
});

export const deleteRecordsApi = defineApi({
  name: "DeleteRecords",
  key: 21,
  request: deleteRecordsRequest,
  response: deleteRecordsResponse,
});
