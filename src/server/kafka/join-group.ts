import { isStreamError, StreamError } from "../../base/stream-error.ts";
import {
  type JoinGroupRequest,
  type JoinGroupResponse,
  joinGroupApi,
} from "../../wire/kafka/api/join-group.ts";
import { groupFailureCode, unlessAborted } from "./group-errors.ts";
import type { KafkaHandler } from "./handler.ts";

const memberIdRequiredSince = 4;
const skipAssignmentSince = 9;
/** Since then "no protocol" is null, before an empty text. */
const nullProtocolSince = 7;

/** JoinGroup: waits for the rebalance, at most its timeout. */
export const joinGroupHandler: KafkaHandler<JoinGroupRequest, JoinGroupResponse> = {
  api: joinGroupApi,
  async handle(request, call) {
    const { version, context, clientId, clientHost, signal } = call;
    const { groupInstanceId, sessionTimeoutMs, rebalanceTimeoutMs } = request;
    try {
      const joining = context.groups.join({
        groupId: request.groupId,
        memberId: request.memberId,
        groupInstanceId,
        clientId,
        clientHost,
        protocolType: request.protocolType,
        // The frame's bytes are not ours for longer than this call.
        protocols: request.protocols.map(({ name, metadata }) => ({
          name,
          metadata: metadata.slice(),
        })),
        sessionTimeoutMs,
        rebalanceTimeoutMs: version === 0 ? sessionTimeoutMs : rebalanceTimeoutMs,
        requireKnownMemberId: version >= memberIdRequiredSince && groupInstanceId === null,
        supportSkippingAssignment: version >= skipAssignmentSince,
        reason: request.reason,
      });
      const joined = await unlessAborted(joining, signal, interrupted);
      return {
        errorCode: 0,
        generationId: joined.generationId,
        protocolType: joined.protocolType,
        protocolName: joined.protocolName,
        leader: joined.leaderId,
        skipAssignment: joined.skipAssignment,
        memberId: joined.memberId,
        members: joined.members,
      };
    } catch (error) {
      return {
        errorCode: groupFailureCode(error, call),
        generationId: -1,
        protocolType: null,
        protocolName: version >= nullProtocolSince ? null : "",
        leader: "",
        memberId: givenMemberId(error) ?? request.memberId,
        members: [],
      };
    }
  },
};

/** The server stops or the peer is gone. */
export function interrupted(): StreamError {
  return new StreamError("shutting_down", "The wait for the group was interrupted");
}

/** MEMBER_ID_REQUIRED brings the id to join with. */
function givenMemberId(error: unknown): string | undefined {
  if (!isStreamError(error, "member_id_required")) return undefined;
  const { memberId } = error.details;
  return typeof memberId === "string" ? memberId : undefined;
}
