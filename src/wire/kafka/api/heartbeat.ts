/**
 * Heartbeat: keeps a member of a classic group alive and tells it of a rebalance. 3: static
 * members.
 */
import { defineApi } from "../api-table.ts";
import { defineMessage, int16, int32, string } from "../field-table.ts";

export interface HeartbeatRequest {
  readonly groupId: string;
  readonly generationId: number;
  readonly memberId: string;
  readonly groupInstanceId?: string | null;
}

export const heartbeatRequest = defineMessage<HeartbeatRequest>({
  name: "HeartbeatRequest",
  versions: { min: 0, max: 4 },
  flexibleSince: 4,
  fields: {
    groupId: string(),
    generationId: int32(),
    memberId: string(),
    groupInstanceId: string({ since: 3, nullableSince: 3, default: null }),
  },
});

export interface HeartbeatResponse {
  readonly throttleTimeMs?: number;
  readonly errorCode: number;
}

export const heartbeatResponse = defineMessage<HeartbeatResponse>({
  name: "HeartbeatResponse",
  versions: { min: 0, max: 4 },
  flexibleSince: 4,
  fields: {
    throttleTimeMs: int32({ since: 1, ignorable: true }),
    errorCode: int16(),
  },
});

export const heartbeatApi = defineApi({
  name: "Heartbeat",
  key: 12,
  request: heartbeatRequest,
  response: heartbeatResponse,
});
