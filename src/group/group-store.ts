/**
 * The coordinator's two ports; `runtime/` wires them to `meta/`.
 *
 * A group belongs to the worker that holds its lease. The lease is a row with an epoch of its own
 * that only grows, also over the group's deletion. Every write below, and every read that is
 * answered to a client, holds only while the row still has `leaseEpoch`: the check is in the same
 * batch, and its failure is StreamError `coordinator_elsewhere`. So a coordinator that was paused
 * and lost its lease can neither commit an offset nor answer a stale one, whatever its clock says.
 *
 * All methods are safe to repeat after a lost reply. Other failures (`metadata_unavailable`) leave
 * it open whether the write happened.
 */
import type { ErrorCode } from "../base/stream-error.ts";
import type { TopicId } from "../record/types.ts";
import type { OffsetKey, OffsetToCommit } from "./types.ts";

export interface WorkerAddress {
  readonly nodeId: number;
  readonly host: string;
  readonly port: number;
}

export type GroupLocation =
  | { readonly kind: "self" }
  | { readonly kind: "elsewhere"; readonly worker: WorkerAddress };

export type GroupLease =
  | { readonly kind: "held"; readonly leaseEpoch: number }
  | { readonly kind: "elsewhere"; readonly worker: WorkerAddress };

export interface GroupLeases {
  /**
   * Who coordinates the group: the live worker that holds its lease, else the one that should take
   * it. Takes nothing. `coordinator_unavailable` when no worker can be named.
   */
  locate(groupId: string): Promise<GroupLocation>;
  /** Takes the lease unless another live worker has it. One's own lease keeps its epoch. */
  acquire(groupId: string): Promise<GroupLease>;
  /** Gives a lease back, if it is still held. Never fails for one lost meanwhile. */
  release(guard: GroupGuard): Promise<void>;
}

export interface GroupGuard {
  readonly groupId: string;
  readonly leaseEpoch: number;
}

/** A group's membership as it is kept: `text` is snapshot.ts's format, opaque to the store. */
export interface StoredSnapshot {
  readonly text: string;
  /** For listing groups that nobody has loaded. */
  readonly state: "Empty" | "Stable";
  readonly protocolType: string;
}

export interface StoredOffset extends OffsetToCommit {
  /** The coordinator's wall clock at the commit, milliseconds since 1970. */
  readonly committedAt: number;
  /** From the old request versions' retention time; null: the server's retention applies. */
  readonly expiresAt: number | null;
}

export interface StoredGroup {
  readonly groupId: string;
  /** null for a group that only ever committed offsets. */
  readonly snapshot: Pick<StoredSnapshot, "state" | "protocolType"> | null;
}

export interface GroupStore {
  /** `hasOffsets` tells a group of a simple consumer from one that is not there. */
  load(guard: GroupGuard): Promise<{ snapshot: string | null; hasOffsets: boolean }>;
  saveSnapshot(guard: GroupGuard, snapshot: StoredSnapshot): Promise<void>;
  /**
   * Writes all offsets, or none when the guard fails. The verdicts are in the order of `offsets`:
   * `topic_unknown` or `partition_unknown` for what was deleted meanwhile, else null.
   */
  commitOffsets(
    guard: GroupGuard,
    offsets: readonly StoredOffset[],
  ): Promise<readonly (ErrorCode | null)[]>;
  /** Only those committed, in any order, topics deleted since left out; null: all of the group. */
  fetchOffsets(
    guard: GroupGuard,
    partitions: readonly OffsetKey[] | null,
  ): Promise<readonly StoredOffset[]>;
  deleteOffsets(
    guard: GroupGuard,
    partitions: readonly { readonly topicId: TopicId; readonly partition: number }[],
  ): Promise<void>;
  /** Removes snapshot and offsets; the lease row stays, since its epoch must not go back. */
  deleteGroup(guard: GroupGuard): Promise<void>;
  /** Groups stored and led by no other live worker, by id, after `after`; confirmed, not cached. */
  listGroups(page: { after: string; limit: number }): Promise<readonly StoredGroup[]>;
  /**
   * Ids of such groups that the sweep should look at: with an offset committed at or before
   * `committedBefore` or expired by `now`, or with an Empty snapshot and no offset.
   */
  listExpirable(query: {
    now: number;
    committedBefore: number;
    after: string;
    limit: number;
  }): Promise<readonly string[]>;
}
