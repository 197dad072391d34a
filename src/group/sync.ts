/**
 * SyncGroup. Members wait until the leader's assignment is stored; only then does anyone get a
 * part of it. A worker that dies in between leaves the former generation, and everybody joins
 * again; one that dies after leaves a group that its successor carries on.
 */
import { StreamError } from "../base/stream-error.ts";
import type { ClassicGroup } from "./classic-group.ts";
import type { GroupContext } from "./group-context.ts";
import { groupBytesMax } from "./limits.ts";
import { type GroupMember, noAssignment, touch, type Waiter } from "./member.ts";
import { rebalance, rebalancing, resetAssignments } from "./rebalance.ts";
import { storedSnapshot } from "./snapshot.ts";
import type { SyncRequest, SyncResult } from "./types.ts";

/** Answers through `waiter`, now or when the leader's assignment is stored; refusals are thrown. */
export function syncGroup(
  group: ClassicGroup,
  request: SyncRequest,
  context: GroupContext,
  waiter: Waiter<SyncResult>,
): void {
  const member = requireGeneration(group, request);
  if (
    (request.protocolType !== null && request.protocolType !== group.protocolType) ||
    (request.protocolName !== null && request.protocolName !== group.protocolName)
  ) {
    throw new StreamError(
      "inconsistent_group_protocol",
      `Cannot sync group "${group.groupId}": ` +
        `it speaks "${group.protocolType}" with "${group.protocolName}"`,
    );
  }
  if (group.state === "PreparingRebalance") throw rebalancing(group);
  const isAssigning =
    group.state === "CompletingRebalance" &&
    group.isLeader(member.memberId) &&
    !group.assignmentStoring;
  const assignments = isAssigning ? collectAssignments(group, request) : null;
  hasSynced(group, member);
  if (group.state === "Stable") {
    waiter.resolve(syncResult(group, member));
    return;
  }
  group.awaitSync(member, waiter);
  if (assignments !== null) storeAssignments(group, assignments, context);
}

/** `member_unknown`, `instance_fenced` or `generation_stale`. */
export function requireGeneration(
  group: ClassicGroup,
  request: Pick<SyncRequest, "memberId" | "groupInstanceId" | "generationId">,
): GroupMember {
  const member = group.requireMember(request.memberId, request.groupInstanceId);
  if (request.generationId === group.generationId) return member;
  throw new StreamError(
    "generation_stale",
    `Group "${group.groupId}" is at generation ${group.generationId}, ` +
      `not ${request.generationId}: join again`,
  );
}

function collectAssignments(
  group: ClassicGroup,
  request: SyncRequest,
): ReadonlyMap<string, Uint8Array> {
  const assignments = new Map<string, Uint8Array>();
  let bytes = 0;
  for (const { memberId, assignment } of request.assignments) {
    // What a leader assigns to somebody else than a member goes nowhere, as in Kafka.
    if (group.member(memberId) === undefined) continue;
    bytes += assignment.length;
    assignments.set(memberId, assignment);
  }
  if (bytes > groupBytesMax) {
    throw new StreamError(
      "request_too_large",
      `Cannot store the assignment of group "${group.groupId}": ` +
        `${bytes} bytes, at most ${groupBytesMax}`,
    );
  }
  return assignments;
}

function storeAssignments(
  group: ClassicGroup,
  assignments: ReadonlyMap<string, Uint8Array>,
  context: GroupContext,
): void {
  const { generationId } = group;
  group.assignmentStoring = true;
  context.persist(storedSnapshot(group, "Stable", assignments), (error) => {
    // Somebody joined or left meanwhile: this assignment came too late to count.
    if (group.state !== "CompletingRebalance" || group.generationId !== generationId) return;
    if (error !== null) {
      resetAssignments(group, error, context);
      rebalance(group, context, "the assignment could not be stored");
      return;
    }
    group.transition("Stable", context.clock.now());
    for (const member of group.members()) {
      member.assignment = assignments.get(member.memberId) ?? noAssignment;
      if (member.sync === null) continue;
      touch(member, context);
      group.resolveSync(member, syncResult(group, member));
    }
  });
}

function hasSynced(group: ClassicGroup, member: GroupMember): void {
  group.pendingSyncs.delete(member.memberId);
  if (group.pendingSyncs.size === 0) group.syncDeadlineAt = null;
}

function syncResult(group: ClassicGroup, member: GroupMember): SyncResult {
  return {
    protocolType: group.protocolType ?? "",
    protocolName: group.protocolName ?? "",
    assignment: member.assignment,
  };
}
