/** Heartbeat and LeaveGroup. */
import { isStreamError } from "../base/stream-error.ts";
import { type ClassicGroup, unknownMember } from "./classic-group.ts";
import type { GroupContext } from "./group-context.ts";
import { touch } from "./member.ts";
import { completeJoinIfReady, rebalance, rebalancing, removeMember } from "./rebalance.ts";
import { requireGeneration } from "./sync.ts";
import { type HeartbeatRequest, type LeavingMember, type LeftMember, noMemberId } from "./types.ts";

/** Keeps the session; `rebalance_in_progress` tells the member to join again. */
export function heartbeat(
  group: ClassicGroup,
  request: HeartbeatRequest,
  context: GroupContext,
): void {
  touch(requireGeneration(group, request), context);
  if (group.state === "PreparingRebalance") throw rebalancing(group);
}

/**
 * Takes members out, one answer each. An administrator names static members by instance id alone
 * (KIP-345); a static member that merely restarts does not leave.
 */
export function leaveGroup(
  group: ClassicGroup,
  leaving: readonly LeavingMember[],
  context: GroupContext,
): readonly LeftMember[] {
  const membersBefore = group.memberCount;
  const left = leaving.map(({ memberId, groupInstanceId, reason }): LeftMember => {
    try {
      leave(group, { memberId, groupInstanceId, reason });
      return { memberId, groupInstanceId, error: null };
    } catch (error) {
      if (!isStreamError(error, "member_unknown", "instance_fenced")) throw error;
      return { memberId, groupInstanceId, error: error.code };
    }
  });
  const gone = left.filter(({ error }) => error === null);
  if (group.memberCount === membersBefore) {
    // Ids that never joined with: a rebalance may have waited for them, nobody else noticed.
    completeJoinIfReady(group, context);
  } else {
    const names = gone.map(({ memberId, groupInstanceId }) => groupInstanceId ?? memberId);
    const reasons = new Set(leaving.map(({ reason }) => reason ?? "no reason"));
    rebalance(group, context, `left: ${names.join(", ")} (${[...reasons].join("; ")})`);
  }
  return left;
}

function leave(group: ClassicGroup, { memberId, groupInstanceId }: LeavingMember): void {
  if (memberId !== noMemberId) {
    if (group.pendingJoins.delete(memberId)) return;
    removeMember(group, group.requireMember(memberId, groupInstanceId));
    return;
  }
  const holder = groupInstanceId === null ? undefined : group.staticMemberId(groupInstanceId);
  const member = holder === undefined ? undefined : group.member(holder);
  if (member === undefined) throw unknownMember(group.groupId, memberId);
  removeMember(group, member);
}
