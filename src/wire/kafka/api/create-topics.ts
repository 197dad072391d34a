/**
 * CreateTopics. 4: -1 stands for the broker's partition count and replication factor (KIP-464). 5:
 * the configuration in the answer (KIP-525). 7: the topic id in the answer.
 */
import { defineApi } from "../api-table.ts";
import {
  arrayOf,
  bool,
  defineMessage,
  type FieldTable,
  int8,
  int16,
  int32,
  string,
  structs,
  uuid,
} from "../field-table.ts";

export interface CreateTopicsRequest {
  readonly topics: readonly CreatableTopic[];
  readonly timeoutMs?: number;
  readonly validateOnly?: boolean;
}

export interface CreatableTopic {
  readonly name: string;
  readonly numPartitions: number;
  readonly replicationFactor: number;
  readonly assignments: readonly CreatableReplicaAssignment[];
  readonly configs: readonly CreatableTopicConfig[];
}

export interface CreatableTopicConfig {
  readonly name: string;
  readonly value: string | null;
}

export interface CreatableReplicaAssignment {
  readonly partitionIndex: number;
  readonly brokerIds: readonly number[];
}

const creatableReplicaAssignment: FieldTable<CreatableReplicaAssignment> = {
  partitionIndex: int32(),
  brokerIds: arrayOf(int32()),
};

const creatableTopicConfig: FieldTable<CreatableTopicConfig> = {
  name: string(),
  value: string({ nullableSince: 0 }),
};

const creatableTopic: FieldTable<CreatableTopic> = {
  name: string(),
  numPartitions: int32(),
  replicationFactor: int16(),
  assignments: structs(creatableReplicaAssignment),
  configs: structs(creatableTopicConfig),
};

export const createTopicsRequest = defineMessage<CreateTopicsRequest>({
  name: "CreateTopicsRequest",
  versions: { min: 2, max: 7 },
  flexibleSince: 5,
  fields: {
    topics: structs(creatableTopic),
    timeoutMs: int32({ default: 60000 }),
    validateOnly: bool(),
  },
});

export interface CreateTopicsResponse {
  readonly throttleTimeMs?: number;
  readonly topics: readonly CreatableTopicResult[];
}

export interface CreatableTopicResult {
  readonly name: string;
  readonly topicId?: string;
  readonly errorCode: number;
  readonly errorMessage?: string | null;
  readonly topicConfigErrorCode?: number;
  readonly numPartitions?: number;
  readonly replicationFactor?: number;
  readonly configs?: readonly CreatableTopicConfigs[] | null;
}

export interface CreatableTopicConfigs {
  readonly name: string;
  readonly value: string | null;
  readonly readOnly: boolean;
  readonly configSource?: number;
  readonly isSensitive: boolean;
}

const creatableTopicConfigs: FieldTable<CreatableTopicConfigs> = {
  name: string(),
  value: string({ nullableSince: 0 }),
  readOnly: bool(),
  configSource: int8({ default: -1, ignorable: true }),
  isSensitive: bool(),
};

const creatableTopicResult: FieldTable<CreatableTopicResult> = {
  name: string(),
  topicId: uuid({ since: 7, ignorable: true }),
  errorCode: int16(),
  errorMessage: string({ nullableSince: 0, ignorable: true }),
  topicConfigErrorCode: int16({ since: 5, tag: 0, ignorable: true }),
  numPartitions: int32({ since: 5, default: -1, ignorable: true }),
  replicationFactor: int16({ since: 5, default: -1, ignorable: true }),
  configs: structs(creatableTopicConfigs, { since: 5, nullableSince: 5, ignorable: true }),
};

export const createTopicsResponse = defineMessage<CreateTopicsResponse>({
  name: "CreateTopicsResponse",
  versions: { min: 2, max: 7 },
  flexibleSince: 5,
  fields: {
    throttleTimeMs: int32({ ignorable: true }),
    topics: structs(creatableTopicResult),
  },
});

export const createTopicsApi = defineApi({
  name: "CreateTopics",
  key: 19,
  request: createTopicsRequest,
  response: createTopicsResponse,
});
