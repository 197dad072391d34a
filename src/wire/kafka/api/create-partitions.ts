/**
 * CreatePartitions: raises the partition count of topics.
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
} from "../field-table.ts";

export interface CreatePartitionsRequest {
  readonly topics: readonly CreatePartitionsTopic[];
  readonly timeoutMs: number;
  readonly validateOnly: boolean;
}

export interface CreatePartitionsTopic {
  readonly name: string;
  readonly count: number;
  readonly assignments: readonly CreatePartitionsAssignment[] | null;
}

export interface CreatePartitionsAssignment {
  readonly brokerIds: readonly number[];
}

const createPartitionsAssignment: FieldTable<CreatePartitionsAssignment> = {
  brokerIds: arrayOf(int32()),
};

const createPartitionsTopic: FieldTable<CreatePartitionsTopic> = {
  name: string(),
  count: int32(),
  assignments: structs(createPartitionsAssignment, { nullableSince: 0 }),
};

export const createPartitionsRequest = defineMessage<CreatePartitionsRequest>({
  name: "CreatePartitionsRequest",
  versions: { min: 0, max: 3 },
  flexibleSince: 2,
  fields: {
    topics: structs(createPartitionsTopic),
    timeoutMs: int32(),
    validateOnly: bool(),
  },
});

export interface CreatePartitionsResponse {
  readonly throttleTimeMs?: number;
  readonly results: readonly CreatePartitionsTopicResult[];
}

export interface CreatePartitionsTopicResult {
  readonly name: string;
  readonly errorCode: number;
  readonly errorMessage?: string | null;
}

const createPartitionsTopicResult: FieldTable<CreatePartitionsTopicResult> = {
  name: string(),
  errorCode: int16(),
  errorMessage: string({ nullableSince: 0, default: null }),
};

export const createPartitionsResponse = defineMessage<CreatePartitionsResponse>({
  name: "CreatePartitionsResponse",
  versions: { min: 0, max: 3 },
  flexibleSince: 2,
  fields: {
    throttleTimeMs: int32(),
    results: structs(createPartitionsTopicResult),
  },
});

export const createPartitionsApi = defineApi({
  name: "CreatePartitions",
  key: 37,
  request: createPartitionsRequest,
  response: createPartitionsResponse,
});
