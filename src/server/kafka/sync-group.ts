import {
  type SyncGroupRequest,
  type SyncGroupResponse,
  syncGroupApi,
} from "../../wire/kafka/api/sync-group.ts";
import { kafkaErrors } from "../../wire/kafka/error-code.ts";
import { groupFailureCode, unlessAborted } from "./group-errors.ts";
import type { KafkaHandler } from "./handler.ts";
import { interrupted } from "./join-group.ts";

/** Since then the member says which protocol it believes in (KIP-559). */
const protocolSince = 5;
const nothing = new Uint8Array(0);

/** SyncGroup: waits for the leader's assignment. */
export const syncGroupHandler: KafkaHandler<SyncGroupRequest, SyncGroupResponse> = {
  api: syncGroupApi,
  async handle(request, call) {
    const { protocolType, protocolName } = request;
    const namesProtocol = protocolType !== null && protocolName !== null;
    if (call.version >= protocolSince && !namesProtocol) {
      return { errorCode: kafkaErrors.INCONSISTENT_GROUP_PROTOCOL.code, assignment: nothing };
    }
    try {
      const syncing = call.context.groups.sync({
        groupId: request.groupId,
        memberId: request.memberId,
        groupInstanceId: request.groupInstanceId,
        generationId: request.generationId,
        protocolType,
        protocolName,
        // The frame's bytes are not ours for longer than this call.
        assignments: request.assignments.map(({ memberId, assignment }) => ({
          memberId,
          assignment: assignment.slice(),
        })),
      });
      const synced = await unlessAborted(syncing, call.signal, interrupted);
      return { errorCode: 0, ...synced };
    } catch (error) {
      return { errorCode: groupFailureCode(error, call), assignment: nothing };
    }
  },
};
