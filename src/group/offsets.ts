/** The rules of committed offsets: who may commit, what may be deleted, what is too old. */
import { StreamError } from "../base/stream-error.ts";
import { type ClassicGroup, unknownMember } from "./classic-group.ts";
import type { GroupContext } from "./group-context.ts";
import type { StoredOffset } from "./group-store.ts";
import { offsetMetadataLengthMax } from "./limits.ts";
import { touch } from "./member.ts";
import { rebalancing } from "./rebalance.ts";
import { consumerProtocolType } from "./subscription.ts";
import { requireGeneration } from "./sync.ts";
import {
  type CommitRequest,
  type FetchedOffset,
  noMemberId,
  type OffsetKey,
  type OffsetToCommit,
  offsetKeyText,
} from "./types.ts";

/**
 * Accepts a commit or throws. Members commit in their own generation, also while a rebalance calls
 * them in (their positions must be down before they give partitions up), but not between join
 * and sync, when they own nothing. Outside of any membership one commits only to an empty group.
 */
export function acceptCommit(
  group: ClassicGroup,
  request: CommitRequest,
  context: GroupContext,
): void {
  if (request.generationId < 0 && group.state === "Empty") {
    group.stored = true;
    return;
  }
  if (!group.known) throw unknownGroup(group.groupId);
  const isMember =
    request.generationId >= 0 ||
    request.memberId !== noMemberId ||
    request.groupInstanceId !== null;
  if (!isMember) throw unknownMember(group.groupId, request.memberId);
  const member = requireGeneration(group, request);
  if (group.state === "CompletingRebalance") throw rebalancing(group);
  touch(member, context);
  group.stored = true;
}

export function isMetadataTooLarge(offset: OffsetToCommit): boolean {
  return offset.metadata.length > offsetMetadataLengthMax;
}

export function storedOffset(
  offset: OffsetToCommit,
  now: number,
  retentionMs: number | null,
): StoredOffset {
  const { topicId, topicName, partition, leaderEpoch, metadata } = offset;
  const expiresAt = retentionMs === null ? null : now + retentionMs;
  return {
    topicId,
    topicName,
    partition,
    offset: offset.offset,
    leaderEpoch,
    metadata,
    committedAt: now,
    expiresAt,
  };
}

/** An answer for each of `asked` in order, -1 where nothing is committed; null: what there is. */
export function fetchedOffsets(
  stored: readonly StoredOffset[],
  asked: readonly OffsetKey[] | null,
): readonly FetchedOffset[] {
  if (asked === null) return stored.map((offset) => fetched(offset, offset));
  const byKey = new Map(stored.map((offset) => [offsetKeyText(offset), offset]));
  return asked.map((key) => fetched(key, byKey.get(offsetKeyText(key))));
}

/** Throws `group_unknown`, and `group_not_empty` where topics are not ours to understand. */
export function acceptOffsetDelete(group: ClassicGroup): void {
  if (!group.known) throw unknownGroup(group.groupId);
  if (group.state === "Empty" || group.protocolType === consumerProtocolType) return;
  throw groupNotEmpty(group.groupId);
}

/**
 * Tells which offsets of the group are too old, or null while none may go. Those of an empty group
 * live on from when it became empty or from their commit, whichever is later; those of a stable one
 * go when nobody subscribes to the topic; a rebalance is no time to judge.
 */
export function offsetExpiry(
  group: ClassicGroup,
  now: number,
  retentionMs: number,
): ((offset: StoredOffset) => boolean) | null {
  const isSimple = group.protocolType === null;
  const isReadable = group.state === "Stable" && group.topics !== null;
  if (!isSimple && group.state !== "Empty" && !isReadable) return null;
  const emptySince = !isSimple && group.state === "Empty" ? group.stateSince : 0;
  return (offset) => {
    if (group.state !== "Empty" && group.isSubscribed(offset.topicName)) return false;
    if (offset.expiresAt !== null) return now >= offset.expiresAt;
    return now - Math.max(offset.committedAt, emptySince) >= retentionMs;
  };
}

export function unknownGroup(groupId: string): StreamError {
  return new StreamError("group_unknown", `There is no group "${groupId}"`);
}

export function groupNotEmpty(groupId: string): StreamError {
  return new StreamError(
    "group_not_empty",
    `Group "${groupId}" has members: stop them or remove them first`,
  );
}

function fetched(key: OffsetKey, stored: StoredOffset | undefined): FetchedOffset {
  const { topicId, topicName, partition } = key;
  return {
    topicId,
    topicName,
    partition,
    offset: stored?.offset ?? -1,
    leaderEpoch: stored?.leaderEpoch ?? -1,
    metadata: stored?.metadata ?? "",
    error: null,
  };
}
