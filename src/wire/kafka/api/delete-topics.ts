/**
 * DeleteTopics. 5: error messages. 6: topics named by name or by id.
 */
import { defineApi } from "../api-table.ts";
import {
  arrayOf,
  defineMessage,
  type FieldTable,
  int16,
  int32,
  string,
  structs,
  uuid,
} from "../field-table.ts";

export interface DeleteTopicsRequest {
  readonly topics?: readonly DeleteTopicState[];
  readonly topicNames?: readonly string[];
  readonly timeoutMs: number;
}

export interface DeleteTopicState {
  readonly name?: string | null;
  readonly topicId: string;
}

const deleteTopicState: FieldTable<DeleteTopicState> = {
  name: string({ nullableSince: 0, default: null }),
  topicId: uuid(),
};

export const deleteTopicsRequest = defineMessage<DeleteTopicsRequest>({
  name: "DeleteTopicsRequest",
  versions: { min: 1, max: 6 },
  flexibleSince: 4,
  fields: {
    topics: structs(deleteTopicState, { since: 6 }),
    topicNames: arrayOf(string(), { until: 5, ignorable: true }),
    timeoutMs: int32(),
  },
});

export interface DeleteTopicsResponse {
  readonly throttleTimeMs?: number;
  readonly responses: readonly DeletableTopicResult[];
}

export interface DeletableTopicResult {
  readonly name: string | null;
  readonly topicId?: string;
  readonly errorCode: number;
  readonly errorMessage?: string | null;
}

const deletableTopicResult: FieldTable<DeletableTopicResult> = {
  name: string({ nullableSince: 6 }),
  topicId: uuid({ since: 6, ignorable: true }),
  errorCode: int16(),
  errorMessage: string({ since: 5, nullableSince: 5, default: null, ignorable: true }),
};

export const deleteTopicsResponse = defineMessage<DeleteTopicsResponse>({
  name: "DeleteTopicsResponse",
  versions: { min: 1, max: 6 },
  flexibleSince: 4,
  fields: {
    throttleTimeMs: int32({ ignorable: true }),
    responses: structs(deletableTopicResult),
  },
});

export const deleteTopicsApi = defineApi({
  name: "DeleteTopics",
  key: 20,
  request: deleteTopicsRequest,
  response: deleteTopicsResponse,
});
