/**
 * LeaveGroup: members go at once instead of by timeout. 3: several members, static ones by instance
 * id. 5: why they go (KIP-800).
 */
import { defineApi } from "../api-table.ts";
import { defineMessage, type FieldTable, int16, int32, string, structs } from "../field-table.ts";

export interface LeaveGroupRequest {
  readonly groupId: string;
  readonly memberId?: string;
  readonly members?: readonly MemberIdentity[];
}

export interface MemberIdentity {
  readonly memberId: string;
  readonly groupInstanceId?: string | null;
  readonly reason?: string | null;
}

const memberIdentity: FieldTable<MemberIdentity> = {
  memberId: string(),
  groupInstanceId: string({ nullableSince: 0, default: null }),
  reason: string({ since: 5, nullableSince: 5, default: null, ignorable: true }),
};

export const leaveGroupRequest = defineMessage<LeaveGroupRequest>({
  name: "LeaveGroupRequest",
  versions: { min: 0, max: 5 },
  flexibleSince: 4,
  fields: {
    groupId: string(),
    memberId: string({ until: 2 }),
    members: structs(memberIdentity, { since: 3 }),
  },
});

export interface LeaveGroupResponse {
  readonly throttleTimeMs?: number;
  readonly errorCode: number;
  readonly members: readonly MemberResponse[];
}

export interface MemberResponse {
  readonly memberId: string;
  readonly groupInstanceId: string | null;
  readonly errorCode: number;
}

const memberResponse: FieldTable<MemberResponse> = {
  memberId: string(),
  groupInstanceId: string({ nullableSince: 0 }),
  errorCode: int16(),
};

export const leaveGroupResponse = defineMessage<LeaveGroupResponse>({
  name: "LeaveGroupResponse",
  versions: { min: 0, max: 5 },
  flexibleSince: 4,
  fields: {
    throttleTimeMs: int32({ since: 1, ignorable: true }),
    errorCode: int16(),
    members: structs(memberResponse, { since: 3 }),
  },
});

export const leaveGroupApi = defineApi({
  name: "LeaveGroup",
  key: 13,
  request: leaveGroupRequest,
  response: leaveGroupResponse,
});
