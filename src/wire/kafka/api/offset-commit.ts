/**
 * OffsetCommit: a group's position in partitions.
 *
 * 2 to 4 carry a retention time, later ones leave it to the broker. 6: the leader epoch of the last
 * record. 7: static members. 9: member epochs of the new group protocol. 10: topic ids in place of
 * names.
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
  uuid,
} from "../field-table.ts";

export interface OffsetCommitRequest {
  readonly groupId: string;
  readonly generationIdOrMemberEpoch?: number;
  readonly memberId?: string;
  readonly groupInstanceId?: string | null;
  readonly retentionTimeMs?: number;
  readonly topics: readonly OffsetCommitRequestTopic[];
}

export interface OffsetCommitRequestTopic {
  readonly name?: string;
  readonly topicId?: string;
  readonly partitions: readonly OffsetCommitRequestPartition[];
}

export interface OffsetCommitRequestPartition {
  readonly partitionIndex: number;
  readonly committedOffset: number;
  readonly committedLeaderEpoch?: number;
  readonly committedMetadata: string | null;
}

const offsetCommitRequestPartition: FieldTable<OffsetCommitRequestPartition> = {
  partitionIndex: int32(),
  committedOffset: int64(),
  committedLeaderEpoch: int32({ since: 6, default: -1, ignorable: true }),
  committedMetadata: string({ nullableSince: 0 }),
};

const offsetCommitRequestTopic: FieldTable<OffsetCommitRequestTopic> = {
  name: string({ until: 9, ignorable: true }),
  topicId: uuid({ since: 10, ignorable: true }),
  partitions: structs(offsetCommitRequestPartition),
};

export const offsetCommitRequest = defineMessage<OffsetCommitRequest>({
  name: "OffsetCommitRequest",
  versions: { min: 2, max: 10 },
  flexibleSince: 8,
  fields: {
    groupId: string(),
    generationIdOrMemberEpoch: int32({ default: -1, ignorable: true }),
    memberId: string({ ignorable: true }),
    groupInstanceId: string({ since: 7, nullableSince: 7, default: null }),
    retentionTimeMs: int64({ until: 4, default: -1, ignorable: true }),
    topics: structs(offsetCommitRequestTopic),
  },
});

export interface OffsetCommitResponse {
  readonly throttleTimeMs?: number;
  readonly topics: readonly OffsetCommitResponseTopic[];
}

export interface OffsetCommitResponseTopic {
  readonly name?: string;
  readonly topicId?: string;
  readonly partitions: readonly OffsetCommitResponsePartition[];
}

export interface OffsetCommitResponsePartition {
  readonly partitionIndex: number;
  readonly errorCode: number;
}

const offsetCommitResponsePartition: FieldTable<OffsetCommitResponsePartition> = {
  partitionIndex: int32(),
  errorCode: int16(),
};

const offsetCommitResponseTopic: FieldTable<OffsetCommitResponseTopic> = {
  name: string({ until: 9, ignorable: true }),
  topicId: uuid({ since: 10, ignorable: true }),
  partitions: structs(offsetCommitResponsePartition),
};

export const offsetCommitResponse = defineMessage<OffsetCommitResponse>({
  name: "OffsetCommitResponse",
  versions: { min: 2, max: 10 },
  flexibleSince: 8,
  fields: {
    throttleTimeMs: int32({ since: 3, ignorable: true }),
    topics: structs(offsetCommitResponseTopic),
  },
});

export const offsetCommitApi = defineApi({
  name: "OffsetCommit",
  key: 8,
  request: offsetCommitRequest,
  response: offsetCommitResponse,
});
