/**
 * What is asked of the coordinator and what it answers, free of wire versions: `server/kafka` turns
 * each version of an API into these. Whole-request failures are thrown as StreamError; where Kafka
 * answers per item, the item carries an ErrorCode or null.
 */
import type { ErrorCode } from "../base/stream-error.ts";
import type { TopicId, TopicName } from "../record/types.ts";

/** Kafka's own state names, as DescribeGroups and ListGroups print them. */
export const groupStates = [
  "Empty",
  "PreparingRebalance",
  "CompletingRebalance",
  "Stable",
  "Dead",
] as const;
export type GroupState = (typeof groupStates)[number];

/** The member id of one who has none yet. */
export const noMemberId = "";
/** The generation of a commit that belongs to no membership. */
export const noGenerationId = -1;

export interface JoinRequest {
  readonly groupId: string;
  /** `noMemberId` on the first join. */
  readonly memberId: string;
  /** Set for static members (KIP-345). */
  readonly groupInstanceId: string | null;
  readonly clientId: string;
  /** As DescribeGroups prints it: `/127.0.0.1`. */
  readonly clientHost: string;
  readonly protocolType: string;
  /** In the member's order of preference. The coordinator keeps the metadata: pass copies. */
  readonly protocols: readonly MemberProtocol[];
  readonly sessionTimeoutMs: number;
  /** Version 0 has none: pass the session timeout. */
  readonly rebalanceTimeoutMs: number;
  /** Versions 4 and up: a dynamic member first gets its id with `member_id_required` (KIP-394). */
  readonly requireKnownMemberId: boolean;
  /** Versions 9 and up: a static leader may be told to keep the assignment (KIP-814). */
  readonly supportSkippingAssignment: boolean;
  readonly reason: string | null;
}

export interface MemberProtocol {
  readonly name: string;
  readonly metadata: Uint8Array;
}

export interface JoinResult {
  readonly memberId: string;
  readonly generationId: number;
  readonly protocolType: string;
  readonly protocolName: string;
  readonly leaderId: string;
  readonly skipAssignment: boolean;
  /** All members for the leader, empty for the others. */
  readonly members: readonly JoinedMember[];
}

export interface JoinedMember {
  readonly memberId: string;
  readonly groupInstanceId: string | null;
  readonly metadata: Uint8Array;
}

/** Names one membership in one generation. */
export interface MemberRequest {
  readonly groupId: string;
  readonly memberId: string;
  readonly groupInstanceId: string | null;
  readonly generationId: number;
}

export type HeartbeatRequest = MemberRequest;

export interface SyncRequest extends MemberRequest {
  /** Versions 5 and up (KIP-559), else null. */
  readonly protocolType: string | null;
  readonly protocolName: string | null;
  /** From the leader. The coordinator keeps the bytes: pass copies. */
  readonly assignments: readonly MemberAssignment[];
}

export interface MemberAssignment {
  readonly memberId: string;
  readonly assignment: Uint8Array;
}

export interface SyncResult {
  readonly protocolType: string;
  readonly protocolName: string;
  readonly assignment: Uint8Array;
}

export interface LeaveRequest {
  readonly groupId: string;
  /** Versions 0 to 2 name one; its error is the answer's. */
  readonly members: readonly LeavingMember[];
}

export interface LeavingMember {
  /** May be `noMemberId` when `groupInstanceId` is given. */
  readonly memberId: string;
  readonly groupInstanceId: string | null;
  readonly reason: string | null;
}

export interface LeftMember {
  readonly memberId: string;
  readonly groupInstanceId: string | null;
  readonly error: ErrorCode | null;
}

/** One partition of one incarnation of a topic, with the name that clients know. */
export interface OffsetKey {
  readonly topicId: TopicId;
  readonly topicName: TopicName;
  readonly partition: number;
}

/** Map key of an OffsetKey. */
export function offsetKeyText(key: Pick<OffsetKey, "topicId" | "partition">): string {
  return `${key.topicId}/${key.partition}`;
}

export interface OffsetToCommit extends OffsetKey {
  readonly offset: number;
  /** -1 when unknown. */
  readonly leaderEpoch: number;
  readonly metadata: string;
}

export interface CommitRequest extends MemberRequest {
  /** Versions 2 to 4 may ask for a time to live; null: the server's retention. */
  readonly retentionMs: number | null;
  /** Only partitions that exist: the server answers the others. */
  readonly offsets: readonly OffsetToCommit[];
}

export interface FetchOffsetsRequest {
  readonly groupId: string;
  /** null: all that the group committed. */
  readonly partitions: readonly OffsetKey[] | null;
  /** Versions 7 and up (KIP-447): refuse partitions with offsets pending in a transaction. */
  readonly requireStable: boolean;
}

/** A committed offset; `offset` is -1 where nothing is committed. */
export interface FetchedOffset extends OffsetToCommit {
  readonly error: ErrorCode | null;
}

export interface DeleteOffsetsRequest {
  readonly groupId: string;
  readonly partitions: readonly OffsetKey[];
}

export interface ListGroupsFilter {
  /** Kafka's names, upper and lower case alike; empty: all. */
  readonly states: readonly string[];
  /** `classic` is all there is; empty: all. */
  readonly types: readonly string[];
}

export interface ListedGroup {
  readonly groupId: string;
  readonly protocolType: string;
  readonly state: GroupState;
  readonly type: "Classic";
}

export interface DescribedGroup {
  readonly groupId: string;
  /** `group_unknown` with state Dead: versions below 6 show only the state. */
  readonly error: ErrorCode | null;
  readonly state: GroupState;
  readonly protocolType: string;
  /** Empty unless Stable. */
  readonly protocolName: string;
  readonly members: readonly DescribedMember[];
}

export interface DescribedMember {
  readonly memberId: string;
  readonly groupInstanceId: string | null;
  readonly clientId: string;
  readonly clientHost: string;
  /** Both empty unless the group is Stable. */
  readonly metadata: Uint8Array;
  readonly assignment: Uint8Array;
}

export interface DeletedGroup {
  readonly groupId: string;
  readonly error: ErrorCode | null;
}
