/**
 * ListGroups: the groups that this broker coordinates. 4: by state (KIP-518). 5: by type (KIP-848).
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

export interface ListGroupsRequest {
  readonly statesFilter: readonly string[];
  readonly typesFilter: readonly string[];
}

export const listGroupsRequest = defineMessage<ListGroupsRequest>({
  name: "ListGroupsRequest",
  versions: { min: 0, max: 5 },
  flexibleSince: 3,
  fields: {
    statesFilter: arrayOf(string(), { since: 4 }),
    typesFilter: arrayOf(string(), { since: 5 }),
  },
});

export interface ListGroupsResponse {
  readonly throttleTimeMs?: number;
  readonly errorCode: number;
  readonly groups: readonly ListedGroup[];
}

export interface ListedGroup {
  readonly groupId: string;
  readonly protocolType: string;
  readonly groupState?: string;
  readonly groupType?: string;
}

const listedGroup: FieldTable<ListedGroup> = {
  groupId: string(),
  protocolType: string(),
  groupState: string({ since: 4, ignorable: true }),
  groupType: string({ since: 5, ignorable: true }),
};

export const listGroupsResponse = defineMessage<ListGroupsResponse>({
  name: "ListGroupsResponse",
  versions: { min: 0, max: 5 },
  flexibleSince: 3,
  fields: {
    throttleTimeMs: int32({ since: 1, ignorable: true }),
    errorCode: int16(),
    groups: structs(listedGroup),
  },
});

export const listGroupsApi = defineApi({
  name: "ListGroups",
  key: 16,
  request: listGroupsRequest,
  response: listGroupsResponse,
});
