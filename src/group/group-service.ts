/**
 * Consumer groups as the servers see them. Implemented by `coordinator.ts`.
 *
 * Every method may throw `coordinator_elsewhere` (ask FindCoordinator again), `shutting_down`,
 * `coordinator_unavailable` or `metadata_unavailable` (ask again here), and `invalid_group_id`.
 * Buffers passed in are kept; buffers handed out stay the coordinator's and must not be changed.
 */

import type { ErrorCode } from "../base/stream-error.ts";
import type { GroupLocation } from "./group-store.ts";
import type {
  CommitRequest,
  DeletedGroup,
  DeleteOffsetsRequest,
  DescribedGroup,
  FetchedOffset,
  FetchOffsetsRequest,
  HeartbeatRequest,
  JoinRequest,
  JoinResult,
  LeaveRequest,
  LeftMember,
  ListedGroup,
  ListGroupsFilter,
  SyncRequest,
  SyncResult,
} from "./types.ts";

export interface GroupService {
  /** FindCoordinator: who coordinates the group. Takes no lease. */
  locate(groupId: string): Promise<GroupLocation>;
  /**
   * JoinGroup. Waits until the rebalance completes, at most its rebalance timeout. Throws
   * `member_id_required` (the id is in `details.memberId`), `member_unknown`, `instance_fenced`,
   * `inconsistent_group_protocol`, `invalid_session_timeout`, `group_full`.
   */
  join(request: JoinRequest): Promise<JoinResult>;
  /**
   * SyncGroup. Waits for the leader's assignment. Throws `member_unknown`, `instance_fenced`,
   * `generation_stale`, `inconsistent_group_protocol`, `rebalance_in_progress`, and
   * `request_too_large` for an assignment over the group's bytes.
   */
  sync(request: SyncRequest): Promise<SyncResult>;
  /** Throws `member_unknown`, `instance_fenced`, `generation_stale`, `rebalance_in_progress`. */
  heartbeat(request: HeartbeatRequest): Promise<void>;
  /** LeaveGroup: one answer per member, in order; all `member_unknown` when there is no group. */
  leave(request: LeaveRequest): Promise<readonly LeftMember[]>;
  /**
   * OffsetCommit: a code or null per offset, in order. Throws as heartbeat does, `group_unknown`
   * for a generation of no group (ILLEGAL_GENERATION before version 9), and `queue_full`. A commit
   * with generation -1 needs no membership while the group is empty.
   */
  commitOffsets(request: CommitRequest): Promise<readonly (ErrorCode | null)[]>;
  /** OffsetFetch: an answer per partition asked, in order, or all that is committed. */
  fetchOffsets(request: FetchOffsetsRequest): Promise<readonly FetchedOffset[]>;
  /**
   * OffsetDelete: a code (`group_subscribed`) or null per partition. Throws `group_unknown`,
   * `group_not_empty`.
   */
  deleteOffsets(request: DeleteOffsetsRequest): Promise<readonly (ErrorCode | null)[]>;
  /** Groups led here or by nobody. */
  listGroups(filter: ListGroupsFilter): Promise<readonly ListedGroup[]>;
  /** One answer per id, in order. */
  describeGroups(groupIds: readonly string[]): Promise<readonly DescribedGroup[]>;
  /** One answer per id, in order: `group_unknown`, `group_not_empty`. */
  deleteGroups(groupIds: readonly string[]): Promise<readonly DeletedGroup[]>;
}
