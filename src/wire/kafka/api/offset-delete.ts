/**
 * OffsetDelete: removes a group's offsets of partitions to which it is not subscribed (KIP-496).
 */
import { defineApi } from "../api-table.ts";
import { defineMessage, type FieldTable, int16, int32, string, structs } from "../field-table.ts";

export interface OffsetDeleteRequest {
  readonly groupId: string;
  readonly topics: readonly OffsetDeleteRequestTopic[];
}

export interface OffsetDeleteRequestTopic {
  readonly name: string;
  readonly partitions: readonly OffsetDeleteRequestPartition[];
}

export interface OffsetDeleteRequestPartition {
  readonly partitionIndex: number;
}

const offsetDeleteRequestPartition: FieldTable<OffsetDeleteRequestPartition> = {
  partitionIndex: int32(),
};

const offsetDeleteRequestTopic: FieldTable<OffsetDeleteRequestTopic> = {
  name: string(),
  partitions: structs(offsetDeleteRequestPartition),
};

export const offsetDeleteRequest = defineMessage<OffsetDeleteRequest>({
  name: "OffsetDeleteRequest",
  versions: { min: 0, max: 0 },
  fields: {
    groupId: string(),
    topics: structs(offsetDeleteRequestTopic),
  },
});

export interface OffsetDeleteResponse {
  readonly errorCode: number;
  readonly throttleTimeMs?: number;
  readonly topics: readonly OffsetDeleteResponseTopic[];
}

export interface OffsetDeleteResponseTopic {
  readonly name: string;
  readonly partitions: readonly OffsetDeleteResponsePartition[];
}

export interface OffsetDeleteResponsePartition {
  readonly partitionIndex: number;
  readonly errorCode: number;
}

const offsetDeleteResponsePartition: FieldTable<OffsetDeleteResponsePartition> = {
  partitionIndex: int32(),
  errorCode: int16(),
};

const offsetDeleteResponseTopic: FieldTable<OffsetDeleteResponseTopic> = {
  name: string(),
  partitions: structs(offsetDeleteResponsePartition),
};

export const offsetDeleteResponse = defineMessage<OffsetDeleteResponse>({
  name: "OffsetDeleteResponse",
  versions: { min: 0, max: 0 },
  fields: {
    errorCode: int16(),
    throttleTimeMs: int32({ ignorable: true }),
    topics: structs(offsetDeleteResponseTopic),
  },
});

export const offsetDeleteApi = defineApi({
  name: "OffsetDelete",
  key: 47,
  request: offsetDeleteRequest,
  response: offsetDeleteResponse,
});
