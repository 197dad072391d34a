import { isStreamError } from "../../base/stream-error.ts";
import {
  type LeaveGroupRequest,
  type LeaveGroupResponse,
  leaveGroupApi,
} from "../../wire/kafka/api/leave-group.ts";
import { groupCode, groupFailureCode } from "./group-errors.ts";
import type { KafkaHandler } from "./handler.ts";

/** Since then several members may leave at once (KIP-345). */
const membersSince = 3;

export const leaveGroupHandler: KafkaHandler<LeaveGroupRequest, LeaveGroupResponse> = {
  api: leaveGroupApi,
  async handle({ groupId, memberId, members }, call) {
    const isBatch = call.version >= membersSince;
    const leaving = isBatch ? members : [{ memberId, groupInstanceId: null, reason: null }];
    try {
      const left = await call.context.groups.leave({ groupId, members: leaving });
      if (!isBatch) return { errorCode: groupCode(left[0]?.error ?? null), members: [] };
      const answers = left.map(({ error, ...member }) => ({
        memberId: member.memberId,
        groupInstanceId: member.groupInstanceId,
        errorCode: groupCode(error),
      }));
      return { errorCode: 0, members: answers };
    } catch (error) {
      // Where there is no group there is none of its members; the batch as such is well.
      if (isBatch && isStreamError(error, "member_unknown")) {
        const errorCode = groupCode(error.code);
        return { errorCode: 0, members: leaving.map((member) => ({ ...member, errorCode })) };
      }
      return { errorCode: groupFailureCode(error, call), members: [] };
    }
  },
};
