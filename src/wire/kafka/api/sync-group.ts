/**
 * SyncGroup: the leader of a generation hands in the assignment, and every member takes its part.
 *
 * 3: static members. 5: protocol type and name, to be compared with the group's (KIP-559).
 */
import { defineApi } from "../api-table.ts";
import {
  bytes,
  defineMessage,
  type FieldTable,
  int16,
  int32,
  string,
  structs,
} from "../field-table.ts";

export interface SyncGroupRequest {
  readonly groupId: string;
  readonly generationId: number;
  readonly memberId: string;
  readonly groupInstanceId?: string | null;
  readonly protocolType?: string | null;
  readonly protocolName?: string | null;
  readonly assignments: readonly SyncGroupRequestAssignment[];
}

export interface SyncGroupRequestAssignment {
  readonly memberId: string;
  readonly assignment: Uint8Array;
}

const syncGroupRequestAssignment: FieldTable<SyncGroupRequestAssignment> = {
  memberId: string(),
  assignment: bytes(),
};

export const syncGroupRequest = defineMessage<SyncGroupRequest>({
  name: "SyncGroupRequest",
  versions: { min: 0, max: 5 },
  flexibleSince: 4,
  fields: {
    groupId: string(),
    generationId: int32(),
    memberId: string(),
    groupInstanceId: string({ since: 3, nullableSince: 3, default: null }),
    protocolType: string({ since: 5, nullableSince: 5, default: null, ignorable: true }),
    protocolName: string({ since: 5, nullableSince: 5, default: null, ignorable: true }),
    assignments: structs(syncGroupRequestAssignment),
  },
});

export interface SyncGroupResponse {
  readonly throttleTimeMs?: number;
  readonly errorCode: number;
  readonly protocolType?: string | null;
  readonly protocolName?: string | null;
  readonly assignment: Uint8Array;
}

export const syncGroupResponse = defineMessage<SyncGroupResponse>({
  name: "SyncGroupResponse",
  versions: { min: 0, max: 5 },
  flexibleSince: 4,
  fields: {
    throttleTimeMs: int32({ since: 1, ignorable: true }),
    errorCode: int16(),
    protocolType: string({ since: 5, nullableSince: 5, default: null, ignorable: true }),
    protocolName: string({ since: 5, nullableSince: 5, default: null, ignorable: true }),
    assignment: bytes(),
  },
});

export const syncGroupApi = defineApi({
  name: "SyncGroup",
  key: 14,
  request: syncGroupRequest,
  response: syncGroupResponse,
});
