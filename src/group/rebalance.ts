/**
 * How a group moves from one generation to the next, and what time does to it. A rebalance waits
 * until every member has joined again, at most the longest rebalance timeout; who has not is out,
 * unless static: static members keep their place until their session ends (KIP-345).
 *
 * Nothing here sets a timer. Deadlines stand in the group; the runner wakes at the earliest and
 * calls `expireDue`.
 */
import { StreamError } from "../base/stream-error.ts";
import { type ClassicGroup, unknownMember } from "./classic-group.ts";
import type { GroupContext } from "./group-context.ts";
import { canExpire, type GroupMember, noAssignment, touch } from "./member.ts";
import { storedSnapshot } from "./snapshot.ts";
import type { JoinResult } from "./types.ts";

/** After a change of members: rebalances, or completes the rebalance that is under way. */
export function rebalance(group: ClassicGroup, context: GroupContext, reason: string): void {
  if (group.state === "PreparingRebalance") completeJoinIfReady(group, context);
  else prepareRebalance(group, context, reason);
}

/** Calls everyone to join again. From Empty it first gives others time to come. */
export function prepareRebalance(group: ClassicGroup, context: GroupContext, reason: string): void {
  if (group.state === "CompletingRebalance") resetAssignments(group, rebalancing(group), context);
  group.pendingSyncs.clear();
  group.syncDeadlineAt = null;
  group.assignmentStoring = false;
  const isInitial = group.state === "Empty";
  group.transition("PreparingRebalance", context.clock.now());
  context.log.info("Rebalancing a group", {
    group: group.groupId,
    generation: group.generationId,
    members: group.memberCount,
    reason,
  });
  if (isInitial) startInitialDelay(group, context);
  else if (group.allJoined()) completeJoin(group, context);
  else awaitRejoins(group, context);
}

/** The initial delay is never cut short: it is there to let others come. */
export function completeJoinIfReady(group: ClassicGroup, context: GroupContext): void {
  if (group.state !== "PreparingRebalance" || group.previousState === "Empty") return;
  if (group.allJoined()) completeJoin(group, context);
}

/**
 * Fails every sync that waits, and forgets the assignments of the generation that is not to be.
 * Who waited could not heartbeat: its session starts again.
 */
export function resetAssignments(
  group: ClassicGroup,
  error: StreamError,
  context: GroupContext,
): void {
  for (const member of group.members()) {
    member.assignment = noAssignment;
    if (member.sync === null) continue;
    group.failSync(member, error);
    touch(member, context);
  }
}

export function rebalancing(group: ClassicGroup): StreamError {
  return new StreamError(
    "rebalance_in_progress",
    `Group "${group.groupId}" is rebalancing: join again`,
  );
}

/** The answer to a join in the present generation. */
export function joinResult(group: ClassicGroup, member: GroupMember): JoinResult {
  return {
    memberId: member.memberId,
    generationId: group.generationId,
    protocolType: group.protocolType ?? "",
    protocolName: group.protocolName ?? "",
    leaderId: group.leaderId ?? "",
    skipAssignment: false,
    members: group.isLeader(member.memberId) ? group.joinedMembers() : [],
  };
}

/** Takes a member out and answers what it waits for with `member_unknown`. */
export function removeMember(group: ClassicGroup, member: GroupMember): void {
  const error = unknownMember(group.groupId, member.memberId);
  group.failJoin(member, error);
  group.failSync(member, error);
  group.remove(member.memberId);
}

/** Monotonic time of the earliest deadline, or null when nothing can fall due. */
export function nextDeadline(group: ClassicGroup): number | null {
  let earliest = group.joinDeadline?.at ?? Number.POSITIVE_INFINITY;
  if (group.syncDeadlineAt !== null) earliest = Math.min(earliest, group.syncDeadlineAt);
  for (const expiresAt of group.pendingJoins.values()) earliest = Math.min(earliest, expiresAt);
  for (const member of group.members()) {
    if (canExpire(member)) earliest = Math.min(earliest, member.expiresAt);
  }
  return earliest === Number.POSITIVE_INFINITY ? null : earliest;
}

/** Does what has fallen due by now. */
export function expireDue(group: ClassicGroup, context: GroupContext): void {
  const now = context.clock.monotonic();
  expireSessions(group, context, now);
  if (group.joinDeadline !== null && group.joinDeadline.at <= now) endJoinPhase(group, context);
  if (group.syncDeadlineAt !== null && group.syncDeadlineAt <= now) endSyncPhase(group, context);
}

/**
 * Restarts every session and phase. For a worker that did not run for a while: what members sent
 * meanwhile waits unread in its sockets, and judging them now would expel everybody.
 */
export function restartDeadlines(group: ClassicGroup, context: GroupContext): void {
  const now = context.clock.monotonic();
  for (const member of group.members()) {
    member.expiresAt = Math.max(member.expiresAt, now + member.sessionTimeoutMs);
  }
  const pendingUntil = now + context.settings.sessionTimeoutMsMin;
  for (const [memberId, expiresAt] of group.pendingJoins) {
    group.pendingJoins.set(memberId, Math.max(expiresAt, pendingUntil));
  }
  const phaseUntil = now + group.rebalanceTimeoutMs();
  if (group.syncDeadlineAt !== null) group.syncDeadlineAt = phaseUntil;
  const join = group.joinDeadline;
  if (join === null) return;
  const at = join.initial === null ? phaseUntil : now + join.initial.delayMs;
  group.joinDeadline = { at, initial: join.initial };
}

function startInitialDelay(group: ClassicGroup, context: GroupContext): void {
  const delayMs = context.settings.initialRebalanceDelayMs;
  const remainingMs = Math.max(group.rebalanceTimeoutMs() - delayMs, 0);
  group.newMemberAdded = false;
  const at = context.clock.monotonic() + delayMs;
  group.joinDeadline = { at, initial: { delayMs, remainingMs } };
}

function awaitRejoins(group: ClassicGroup, context: GroupContext): void {
  const at = context.clock.monotonic() + group.rebalanceTimeoutMs();
  group.joinDeadline = { at, initial: null };
}

function endJoinPhase(group: ClassicGroup, context: GroupContext): void {
  const initial = group.joinDeadline?.initial ?? null;
  if (initial !== null && group.newMemberAdded && initial.remainingMs > 0) {
    group.newMemberAdded = false;
    const delayMs = Math.min(context.settings.initialRebalanceDelayMs, initial.remainingMs);
    const remainingMs = Math.max(initial.remainingMs - delayMs, 0);
    const at = context.clock.monotonic() + delayMs;
    group.joinDeadline = { at, initial: { delayMs, remainingMs } };
    return;
  }
  completeJoin(group, context);
}

/** Ends the join phase with those who came. */
function completeJoin(group: ClassicGroup, context: GroupContext): void {
  group.joinDeadline = null;
  for (const member of [...group.members()]) {
    if (member.join === null && member.groupInstanceId === null) group.remove(member.memberId);
  }
  if (group.memberCount > 0 && !electJoinedLeader(group)) {
    // Only static members are left and none of them came: their sessions decide.
    awaitRejoins(group, context);
    return;
  }
  group.nextGeneration(context.clock.now());
  if (group.state === "Empty") {
    storeEmpty(group, context);
    return;
  }
  for (const member of group.members()) {
    group.resolveJoin(member, joinResult(group, member));
    member.isNew = false;
    touch(member, context);
    group.pendingSyncs.add(member.memberId);
  }
  group.syncDeadlineAt = context.clock.monotonic() + group.rebalanceTimeoutMs();
}

/** A leader that did not come back cannot assign: the first member that did takes its place. */
function electJoinedLeader(group: ClassicGroup): boolean {
  const leader = group.leaderId === null ? undefined : group.member(group.leaderId);
  if (leader !== undefined && leader.join !== null) return true;
  for (const member of group.members()) {
    if (member.join === null) continue;
    group.leaderId = member.memberId;
    return true;
  }
  return false;
}

/**
 * Stores that nobody is left. Where that fails, the generation before comes back when another
 * worker takes over; its members are gone and time out there.
 */
function storeEmpty(group: ClassicGroup, context: GroupContext): void {
  context.persist(storedSnapshot(group, "Empty"), (error) => {
    if (error === null) return;
    context.log.warn("Cannot store that a group is empty", { group: group.groupId, error });
  });
}

function expireSessions(group: ClassicGroup, context: GroupContext, now: number): void {
  for (const [memberId, expiresAt] of [...group.pendingJoins]) {
    if (expiresAt <= now) group.pendingJoins.delete(memberId);
  }
  const expired = [...group.members()].filter(
    (member) => canExpire(member) && member.expiresAt <= now,
  );
  for (const member of expired) removeMember(group, member);
  if (group.state === "PreparingRebalance") completeJoinIfReady(group, context);
  else if (expired.length > 0) {
    const names = expired.map((member) => member.memberId).join(", ");
    prepareRebalance(group, context, `silent beyond the session timeout: ${names}`);
  }
}

/** Members that took the new generation but never asked for their assignment are gone. */
function endSyncPhase(group: ClassicGroup, context: GroupContext): void {
  group.syncDeadlineAt = null;
  const silent = [...group.pendingSyncs];
  if (silent.length === 0) return;
  for (const memberId of silent) {
    const member = group.member(memberId);
    if (member !== undefined) removeMember(group, member);
  }
  prepareRebalance(group, context, `no sync within the rebalance timeout: ${silent.join(", ")}`);
}
