/**
 * DeleteGroups: removes empty groups with their offsets.
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
} from "../field-table.ts";

export interface DeleteGroupsRequest {
  readonly groupsNames: readonly string[];
}

export const deleteGroupsRequest = defineMessage<DeleteGroupsRequest>({
  name: "DeleteGroupsRequest",
  versions: { min: 0, max: 2 },
  flexibleSince: 2,
  fields: {
    groupsNames: arrayOf(string()),
  },
});

export interface DeleteGroupsResponse {
  readonly throttleTimeMs?: number;
  readonly results: readonly DeletableGroupResult[];
}

export interface DeletableGroupResult {
  readonly groupId: string;
  readonly errorCode: number;
}

const deletableGroupResult: FieldTable<DeletableGroupResult> = {
  groupId: string(),
  errorCode: int16(),
};

export const deleteGroupsResponse = defineMessage<DeleteGroupsResponse>({
  name: "DeleteGroupsResponse",
  versions: { min: 0, max: 2 },
  flexibleSince: 2,
  fields: {
    throttleTimeMs: int32(),
    results: structs(deletableGroupResult),
  },
});

export const deleteGroupsApi = defineApi({
  name: "DeleteGroups",
  key: 42,
  request: deleteGroupsRequest,
  response: deleteGroupsResponse,
});
