/**
 * JoinGroup: enters a classic group's rebalance and waits for its end.
 *
 * 1: the rebalance timeout apart from the session's. 4: a member without an id is given one and
 * asks again (KIP-394). 5: static members (KIP-345). 7: the protocol type in the answer. 8: why the
 * client joins (KIP-800). 9: the leader may be told to keep the assignment as it is.
 */
import { defineApi } from "../api-table.ts";
import {
  bool,
  bytes,
  defineMessage,
  type FieldTable,
  int16,
  int32,
  string,
  structs,
} from "../field-table.ts";

export interface JoinGroupRequest {
  readonly groupId: string;
  readonly sessionTimeoutMs: number;
  readonly rebalanceTimeoutMs?: number;
  readonly memberId: string;
  readonly groupInstanceId?: string | null;
  readonly protocolType: string;
  readonly protocols: readonly JoinGroupRequestProtocol[];
  readonly reason?: string | null;
}

export interface JoinGroupRequestProtocol {
  readonly name: string;
  readonly metadata: Uint8Array;
}

const joinGroupRequestProtocol: FieldTable<JoinGroupRequestProtocol> = {
  name: string(),
  metadata: bytes(),
};

export const joinGroupRequest = defineMessage<JoinGroupRequest>({
  name: "JoinGroupRequest",
  versions: { min: 0, max: 9 },
  flexibleSince: 6,
  fields: {
    groupId: string(),
    sessionTimeoutMs: int32(),
    rebalanceTimeoutMs: int32({ since: 1, default: -1, ignorable: true }),
    memberId: string(),
    groupInstanceId: string({ since: 5, nullableSince: 5, default: null }),
    protocolType: string(),
    protocols: structs(joinGroupRequestProtocol),
    reason: string({ since: 8, nullableSince: 8, default: null, ignorable: true }),
  },
});

export interface JoinGroupResponse {
  readonly throttleTimeMs?: number;
  readonly errorCode: number;
  readonly generationId?: number;
  readonly protocolType?: string | null;
  readonly protocolName: string | null;
  readonly leader: string;
  readonly skipAssignment?: boolean;
  readonly memberId: string;
  readonly members: readonly JoinGroupResponseMember[];
}

export interface JoinGroupResponseMember {
  readonly memberId: string;
  readonly groupInstanceId?: string | null;
  readonly metadata: Uint8Array;
}

const joinGroupResponseMember: FieldTable<JoinGroupResponseMember> = {
  memberId: string(),
  groupInstanceId: string({ since: 5, nullableSince: 5, default: null, ignorable: true }),
  metadata: bytes(),
};

export const joinGroupResponse = defineMessage<JoinGroupResponse>({
  name: "JoinGroupResponse",
  versions: { min: 0, max: 9 },
  flexibleSince: 6,
  fields: {
    throttleTimeMs: int32({ since: 2, ignorable: true }),
    errorCode: int16(),
    generationId: int32({ default: -1 }),
    protocolType: string({ since: 7, nullableSince: 7, default: null, ignorable: true }),
    protocolName: string({ nullableSince: 7 }),
    leader: string(),
    skipAssignment: bool({ since: 9 }),
    memberId: string(),
    members: structs(joinGroupResponseMember),
  },
});

export const joinGroupApi = defineApi({
  name: "JoinGroup",
  key: 11,
  request: joinGroupRequest,
  response: joinGroupResponse,
});
