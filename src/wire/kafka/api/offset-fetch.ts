/**
 * OffsetFetch: the committed positions of a group; from version 8 of several groups.
 *
 * 2: null topics mean all of them; an error code for the whole answer. 5: leader epochs. 7: the
 * answer may be held back until pending transactions end. 9: the member asking. 10: topic ids in
 * place of names.
 */
import { defineApi } from "../api-table.ts";
import {
  arrayOf,
  bool,
  defineMessage,
  type FieldTable,
  int16,
  int32,
  int64,
  string,
  structs,
  uuid,
} from "../field-table.ts";

export interface OffsetFetchRequest {
  readonly groupId?: string;
  readonly topics?: readonly OffsetFetchRequestTopic[] | null;
  readonly groups?: readonly OffsetFetchRequestGroup[];
  readonly requireStable?: boolean;
}

export interface OffsetFetchRequestGroup {
  readonly groupId: string;
  readonly memberId?: string | null;
  readonly memberEpoch?: number;
  readonly topics: readonly OffsetFetchRequestTopics[] | null;
}

export interface OffsetFetchRequestTopics {
  readonly name?: string;
  readonly topicId?: string;
  readonly partitionIndexes: readonly number[];
}

export interface OffsetFetchRequestTopic {
  readonly name?: string;
  readonly partitionIndexes?: readonly number[];
}

const offsetFetchRequestTopic: FieldTable<OffsetFetchRequestTopic> = {
  name: string({ until: 7 }),
  partitionIndexes: arrayOf(int32(), { until: 7 }),
};

const offsetFetchRequestTopics: FieldTable<OffsetFetchRequestTopics> = {
  name: string({ until: 9, ignorable: true }),
  topicId: uuid({ since: 10, ignorable: true }),
  partitionIndexes: arrayOf(int32()),
};

const offsetFetchRequestGroup: FieldTable<OffsetFetchRequestGroup> = {
  groupId: string(),
  memberId: string({ since: 9, nullableSince: 9, default: null, ignorable: true }),
  memberEpoch: int32({ since: 9, default: -1, ignorable: true }),
  topics: structs(offsetFetchRequestTopics, { nullableSince: 0 }),
};

export const offsetFetchRequest = defineMessage<OffsetFetchRequest>({
  name: "OffsetFetchRequest",
  versions: { min: 1, max: 10 },
  flexibleSince: 6,
  fields: {
    groupId: string({ until: 7 }),
    topics: structs(offsetFetchRequestTopic, { until: 7, nullableSince: 2 }),
    groups: structs(offsetFetchRequestGroup, { since: 8 }),
    requireStable: bool({ since: 7 }),
  },
});

export interface OffsetFetchResponse {
  readonly throttleTimeMs?: number;
  readonly topics?: readonly OffsetFetchResponseTopic[];
  readonly errorCode?: number;
  readonly groups?: readonly OffsetFetchResponseGroup[];
}

export interface OffsetFetchResponseGroup {
  readonly groupId: string;
  readonly topics: readonly OffsetFetchResponseTopics[];
  readonly errorCode?: number;
}

export interface OffsetFetchResponseTopics {
  readonly name?: string;
  readonly topicId?: string;
  readonly partitions: readonly OffsetFetchResponsePartitions[];
}

export interface OffsetFetchResponsePartitions {
  readonly partitionIndex: number;
  readonly committedOffset: number;
  readonly committedLeaderEpoch?: number;
  readonly metadata: string | null;
  readonly errorCode: number;
}

export interface OffsetFetchResponseTopic {
  readonly name?: string;
  readonly partitions?: readonly OffsetFetchResponsePartition[];
}

export interface OffsetFetchResponsePartition {
  readonly partitionIndex?: number;
  readonly committedOffset?: number;
  readonly committedLeaderEpoch?: number;
  readonly metadata?: string | null;
  readonly errorCode?: number;
}

const offsetFetchResponsePartition: FieldTable<OffsetFetchResponsePartition> = {
  partitionIndex: int32({ until: 7 }),
  committedOffset: int64({ until: 7 }),
  committedLeaderEpoch: int32({ since: 5, until: 7, default: -1, ignorable: true }),
  metadata: string({ until: 7, nullableSince: 0 }),
  errorCode: int16({ until: 7 }),
};

const offsetFetchResponseTopic: FieldTable<OffsetFetchResponseTopic> = {
  name: string({ until: 7 }),
  partitions: structs(offsetFetchResponsePartition, { until: 7 }),
};

const offsetFetchResponsePartitions: FieldTable<OffsetFetchResponsePartitions> = {
  partitionIndex: int32(),
  committedOffset: int64(),
  committedLeaderEpoch: int32({ default: -1, ignorable: true }),
  metadata: string({ nullableSince: 0 }),
  errorCode: int16(),
};

const offsetFetchResponseTopics: FieldTable<OffsetFetchResponseTopics> = {
  name: string({ until: 9, ignorable: true }),
  topicId: uuid({ since: 10, ignorable: true }),
  partitions: structs(offsetFetchResponsePartitions),
};

const offsetFetchResponseGroup: FieldTable<OffsetFetchResponseGroup> = {
  groupId: string(),
  topics: structs(offsetFetchResponseTopics),
  errorCode: int16(),
};

export const offsetFetchResponse = defineMessage<OffsetFetchResponse>({
  name: "OffsetFetchResponse",
  versions: { min: 1, max: 10 },
  flexibleSince: 6,
  fields: {
    throttleTimeMs: int32({ since: 3, ignorable: true }),
    topics: structs(offsetFetchResponseTopic, { until: 7 }),
    errorCode: int16({ since: 2, until: 7, ignorable: true }),
    groups: structs(offsetFetchResponseGroup, { since: 8 }),
  },
});

export const offsetFetchApi = defineApi({
  name: "OffsetFetch",
  key: 9,
  request: offsetFetchRequest,
  response: offsetFetchResponse,
});
