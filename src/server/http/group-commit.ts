/** Commits offsets of a group in the name of no member. */
import { type ErrorCode, isStreamError, StreamError } from "../../base/stream-error.ts";
import type { GroupService } from "../../group/group-service.ts";
import { noGenerationId, noMemberId, type OffsetToCommit } from "../../group/types.ts";

/** Kafka says UNKNOWN_MEMBER_ID when one who is no member commits for a group that has some. */
export async function commitByNobody(
  groups: GroupService,
  groupId: string,
  offsets: readonly OffsetToCommit[],
): Promise<readonly (ErrorCode | null)[]> {
  try {
    return await groups.commitOffsets({
      groupId,
      memberId: noMemberId,
      groupInstanceId: null,
      generationId: noGenerationId,
      retentionMs: null,
      offsets,
    });
  } catch (error) {
    if (!isStreamError(error, "member_unknown", "generation_stale")) throw error;
    throw new StreamError(
      "group_not_empty",
      `Cannot set offsets of group "${groupId}": it has members, which would not notice; stop them`,
    );
  }
}
