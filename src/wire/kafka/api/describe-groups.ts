/**
 * DescribeGroups: state and members of classic groups. 3: authorized operations. 4: instance ids.
 * 6: an unknown group is an error and no longer an empty group in state Dead (KIP-1043).
 */
import { defineApi } from "../api-table.ts";
import {
  arrayOf,
  bool,
  bytes,
  defineMessage,
  type FieldTable,
  int16,
  int32,
  string,
  structs,
} from "../field-table.ts";

export interface DescribeGroupsRequest {
  readonly groups: readonly string[];
  readonly includeAuthorizedOperations: boolean;
}

export const describeGroupsRequest = defineMessage<DescribeGroupsRequest>({
  name: "DescribeGroupsRequest",
  versions: { min: 0, max: 6 },
  flexibleSince: 5,
  fields: {
    groups: arrayOf(string()),
    includeAuthorizedOperations: bool({ since: 3 }),
  },
});

export interface DescribeGroupsResponse {
  readonly throttleTimeMs?: number;
  readonly groups: readonly DescribedGroup[];
}

export interface DescribedGroup {
  readonly errorCode: number;
  readonly errorMessage?: string | null;
  readonly groupId: string;
  readonly groupState: string;
  readonly protocolType: string;
  readonly protocolData: string;
  readonly members: readonly DescribedGroupMember[];
  readonly authorizedOperations?: number;
}

export interface DescribedGroupMember {
  readonly memberId: string;
  readonly groupInstanceId?: string | null;
  readonly clientId: string;
  readonly clientHost: string;
  readonly memberMetadata: Uint8Array;
  readonly memberAssignment: Uint8Array;
}

const describedGroupMember: FieldTable<DescribedGroupMember> = {
  memberId: string(),
  groupInstanceId: string({ since: 4, nullableSince: 4, default: null, ignorable: true }),
  clientId: string(),
  clientHost: string(),
  memberMetadata: bytes(),
  memberAssignment: bytes(),
};

const describedGroup: FieldTable<DescribedGroup> = {
  errorCode: int16(),
  errorMessage: string({ since: 6, nullableSince: 6, default: null }),
  groupId: string(),
  groupState: string(),
  protocolType: string(),
  protocolData: string(),
  members: structs(describedGroupMember),
  authorizedOperations: int32({ since: 3, default: -0x80000000 }),
};

export const describeGroupsResponse = defineMessage<DescribeGroupsResponse>({
  name: "DescribeGroupsResponse",
  versions: { min: 0, max: 6 },
  flexibleSince: 5,
  fields: {
    throttleTimeMs: int32({ since: 1, ignorable: true }),
    groups: structs(describedGroup),
  },
});

export const describeGroupsApi = defineApi({
  name: "DescribeGroups",
  key: 15,
  request: describeGroupsRequest,
  response: describeGroupsResponse,
});
