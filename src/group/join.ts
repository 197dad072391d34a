/**
 * JoinGroup. A dynamic member that comes without an id is first given one and told to come again
 * with it (KIP-394), so that a client that gives up leaves no member behind. A static member that
 * comes without an id takes over the place of its former process (KIP-345); while the group is
 * stable and nothing that matters changed it gets the present generation instead of a rebalance.
 */
import { StreamError } from "../base/stream-error.ts";
import { type ClassicGroup, unknownMember } from "./classic-group.ts";
import type { GroupContext } from "./group-context.ts";
import { groupBytesMax } from "./limits.ts";
import {
  type GroupMember,
  memberMetadata,
  noAssignment,
  protocolBytes,
  sameProtocols,
  touch,
  type Waiter,
} from "./member.ts";
import { completeJoinIfReady, joinResult, prepareRebalance, rebalance } from "./rebalance.ts";
import { storedSnapshot } from "./snapshot.ts";
import { consumerProtocolType, subscribedTopics } from "./subscription.ts";
import { type JoinRequest, type JoinResult, type MemberProtocol, noMemberId } from "./types.ts";

/** Answers through `waiter`, now or when the rebalance completes; refusals are thrown. */
export function joinGroup(
  group: ClassicGroup,
  request: JoinRequest,
  context: GroupContext,
  waiter: Waiter<JoinResult>,
): void {
  const isUnknown = request.memberId === noMemberId;
  if (!isUnknown && !group.known) throw unknownMember(request.groupId, request.memberId);
  acceptSize(group, request, context);
  if (!group.supports(request.protocolType, request.protocols)) {
    throw new StreamError(
      "inconsistent_group_protocol",
      `Cannot join group "${group.groupId}" as "${request.protocolType}": ` +
        "its members share no protocol with these",
    );
  }
  if (isUnknown) {
    joinWithoutId(group, request, context, waiter);
  } else if (group.pendingJoins.has(request.memberId)) {
    if (request.groupInstanceId !== null) throw unknownMember(group.groupId, request.memberId);
    addMember(group, request, request.memberId, context, waiter);
  } else {
    rejoin(group, request, context, waiter);
  }
}

function joinWithoutId(
  group: ClassicGroup,
  request: JoinRequest,
  context: GroupContext,
  waiter: Waiter<JoinResult>,
): void {
  const { groupInstanceId } = request;
  const memberId = `${groupInstanceId ?? request.clientId}-${uuid(context)}`;
  if (groupInstanceId !== null) {
    const holderId = group.staticMemberId(groupInstanceId);
    const holder = holderId === undefined ? undefined : group.member(holderId);
    if (holder === undefined) addMember(group, request, memberId, context, waiter);
    else takeOver(group, request, { holder, memberId, context, waiter });
    return;
  }
  if (!request.requireKnownMemberId) {
    addMember(group, request, memberId, context, waiter);
    return;
  }
  group.pendingJoins.set(memberId, context.clock.monotonic() + request.sessionTimeoutMs);
  throw new StreamError("member_id_required", `Join group "${group.groupId}" as "${memberId}"`, {
    details: { memberId },
  });
}

function rejoin(
  group: ClassicGroup,
  request: JoinRequest,
  context: GroupContext,
  waiter: Waiter<JoinResult>,
): void {
  const member = group.requireMember(request.memberId, request.groupInstanceId);
  const changed = !sameProtocols(member.protocols, request.protocols);
  // A leader that joins again wants to assign again: partitions of a topic may have been added.
  const mustRebalance =
    group.state === "PreparingRebalance" ||
    changed ||
    (group.state === "Stable" && group.isLeader(member.memberId));
  if (!mustRebalance) {
    // The answer to its first join may have been lost.
    touch(member, context);
    waiter.resolve(joinResult(group, member));
    return;
  }
  updateMember(group, member, request);
  group.awaitJoin(member, waiter);
  rebalance(group, context, `"${member.memberId}" joins again: ${request.reason ?? "no reason"}`);
}

function addMember(
  group: ClassicGroup,
  request: JoinRequest,
  memberId: string,
  context: GroupContext,
  waiter: Waiter<JoinResult>,
): void {
  if (group.memberCount === 0) group.protocolType = request.protocolType;
  const { newMemberTimeoutMs } = context.settings;
  group.add({
    memberId,
    groupInstanceId: request.groupInstanceId,
    clientId: request.clientId,
    clientHost: request.clientHost,
    sessionTimeoutMs: request.sessionTimeoutMs,
    rebalanceTimeoutMs: request.rebalanceTimeoutMs,
    protocols: request.protocols,
    assignment: noAssignment,
    isNew: true,
    expiresAt: context.clock.monotonic() + newMemberTimeoutMs,
    join: waiter,
    sync: null,
  });
  if (group.state === "PreparingRebalance" && group.previousState === "Empty") {
    group.newMemberAdded = true;
  }
  rebalance(group, context, `"${memberId}" joins: ${request.reason ?? "no reason"}`);
}

interface TakeOver {
  readonly holder: GroupMember;
  readonly memberId: string;
  readonly context: GroupContext;
  readonly waiter: Waiter<JoinResult>;
}

/** A static member's next process takes its place. */
function takeOver(group: ClassicGroup, request: JoinRequest, options: TakeOver): void {
  const { holder, context, waiter } = options;
  const formerLeaderId = group.leaderId ?? "";
  const former = memberTopics(group, holder.protocols);
  const member = group.replaceStatic(holder, options.memberId, request);
  updateMember(group, member, request);
  touch(member, context);
  group.awaitJoin(member, waiter);
  const reason = `"${member.memberId}" replaces "${holder.memberId}"`;
  if (group.state === "CompletingRebalance") {
    // The leader may be assigning to the former id just now.
    prepareRebalance(group, context, reason);
    return;
  }
  const stays =
    group.state === "Stable" &&
    group.selectProtocol() === group.protocolName &&
    sameTopics(former, memberTopics(group, request.protocols));
  if (stays) keepGeneration(group, request, { member, formerLeaderId, context });
  else rebalance(group, context, reason);
}

/**
 * Stores the new id, then answers with the present generation. A leader is told to skip assigning
 * (KIP-814); before version 9 it could not be told, so it is made to believe it is a follower.
 */
function keepGeneration(
  group: ClassicGroup,
  request: JoinRequest,
  options: { member: GroupMember; formerLeaderId: string; context: GroupContext },
): void {
  const { member, context } = options;
  const { generationId } = group;
  const waiter = member.join;
  context.persist(storedSnapshot(group, "Stable"), (error) => {
    // A rebalance that began meanwhile answers the join when it completes.
    if (member.join !== waiter || group.member(member.memberId) !== member) return;
    if (error !== null) {
      group.failJoin(member, error);
      touch(member, context);
      if (group.state === "Stable") {
        prepareRebalance(group, context, `"${member.memberId}" could not be stored`);
      }
      return;
    }
    if (group.state !== "Stable" || group.generationId !== generationId) return;
    const result = joinResult(group, member);
    touch(member, context);
    group.resolveJoin(
      member,
      request.supportSkippingAssignment
        ? { ...result, skipAssignment: group.isLeader(member.memberId) }
        : { ...result, leaderId: options.formerLeaderId, members: [] },
    );
  });
}

function updateMember(group: ClassicGroup, member: GroupMember, request: JoinRequest): void {
  group.setProtocols(member, request.protocols);
  member.sessionTimeoutMs = request.sessionTimeoutMs;
  member.rebalanceTimeoutMs = request.rebalanceTimeoutMs;
}

/** `group_full` past the bounds on members, on ids given out, and on bytes. */
function acceptSize(group: ClassicGroup, request: JoinRequest, context: GroupContext): void {
  const { groupMembersMax } = context.settings;
  const memberId =
    request.groupInstanceId === null
      ? request.memberId
      : (group.staticMemberId(request.groupInstanceId) ?? request.memberId);
  const member = group.member(memberId);
  const bytes =
    group.protocolBytes +
    protocolBytes(request.protocols) -
    (member === undefined ? 0 : protocolBytes(member.protocols));
  if (bytes > groupBytesMax) throw full(group, `${groupBytesMax} bytes of metadata`);
  if (request.memberId === noMemberId && group.pendingJoins.size >= groupMembersMax) {
    throw full(group, `${groupMembersMax} members about to join`);
  }
  if (group.memberCount < groupMembersMax) return;
  if (group.state === "PreparingRebalance") {
    // Those who join first stay: members over a limit that was lowered go one by one.
    if (member !== undefined && member.join !== null) return;
    if (group.awaitingJoinCount < groupMembersMax) return;
    group.remove(request.memberId);
    completeJoinIfReady(group, context);
  } else if (member !== undefined) {
    return;
  }
  throw full(group, `${groupMembersMax} members`);
}

function full(group: ClassicGroup, bound: string): StreamError {
  return new StreamError("group_full", `Cannot join group "${group.groupId}": it has ${bound}`);
}

/**
 * The topics that a member asks for, or null where they cannot be read. Kafka looks at the
 * protocol's name only; then a process restarted with another subscription never gets its topics.
 */
function memberTopics(
  group: ClassicGroup,
  protocols: readonly MemberProtocol[],
): readonly string[] | null {
  if (group.protocolType !== consumerProtocolType) return null;
  return subscribedTopics(memberMetadata({ protocols }, group.protocolName));
}

function sameTopics(left: readonly string[] | null, right: readonly string[] | null): boolean {
  if (left === null || right === null) return left === right;
  const wanted = new Set(left);
  return wanted.size === new Set(right).size && right.every((topic) => wanted.has(topic));
}

/** A random UUID (version 4) from the platform's random bytes. */
function uuid(context: GroupContext): string {
  const bytes = context.random.bytes(16);
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = bytes.toHex();
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    hex.slice(12, 16),
    hex.slice(16, 20),
    hex.slice(20),
  ].join("-");
}
