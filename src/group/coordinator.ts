/**
 * Consumer groups of one worker (Kafka's classic protocol). A request finds its group under this
 * worker's lease, runs as one transition without a pause, and waits where Kafka's would. Whatever
 * is answered as done has been written under the lease's guard, and committed offsets are read
 * under it: two workers that both believe to lead a group cannot both be right about a write.
 */
import type { Platform } from "../base/platform.ts";
import { type ErrorCode, isStreamError, StreamError } from "../base/stream-error.ts";
import { describeGroup, listedGroup, listFilter, unknownDescription } from "./describe.ts";
import { defaultGroupSettings, type GroupSettings } from "./group-context.ts";
import type { GroupRunner } from "./group-runner.ts";
import type { GroupService } from "./group-service.ts";
import type { GroupLeases, GroupLocation, GroupStore } from "./group-store.ts";
import { joinGroup } from "./join.ts";
import {
  groupIdLengthMax,
  idleGroupMs,
  listPageCount,
  openedGroupsMax,
  sweepGroupsMax,
} from "./limits.ts";
import { LoadedGroups } from "./loaded-groups.ts";
import { heartbeat, leaveGroup } from "./membership.ts";
import {
  acceptCommit,
  acceptOffsetDelete,
  fetchedOffsets,
  groupNotEmpty,
  isMetadataTooLarge,
  storedOffset,
  unknownGroup,
} from "./offsets.ts";
import { syncGroup } from "./sync.ts";
import {
  type CommitRequest,
  type DeletedGroup,
  type DeleteOffsetsRequest,
  type DescribedGroup,
  type FetchedOffset,
  type FetchOffsetsRequest,
  type GroupState,
  groupStates,
  type HeartbeatRequest,
  type JoinRequest,
  type JoinResult,
  type LeaveRequest,
  type LeftMember,
  type ListedGroup,
  type ListGroupsFilter,
  type SyncRequest,
  type SyncResult,
} from "./types.ts";

export interface GroupCoordinatorOptions {
  readonly platform: Platform;
  readonly store: GroupStore;
  readonly leases: GroupLeases;
  readonly settings?: Partial<GroupSettings>;
  /** Groups held in memory; default `groupsLoadedMax`. */
  readonly loadedMax?: number;
}

export interface GroupStats {
  readonly groups: Readonly<Record<GroupState, number>>;
  readonly members: number;
}

export class GroupCoordinator implements GroupService {
  readonly #platform: Platform;
  readonly #store: GroupStore;
  readonly #leases: GroupLeases;
  readonly #settings: GroupSettings;
  readonly #groups: LoadedGroups;
  #sweepAfter = "";

  constructor(options: GroupCoordinatorOptions) {
    const { platform, store, leases, loadedMax } = options;
    this.#platform = platform;
    this.#store = store;
    this.#leases = leases;
    this.#settings = { ...defaultGroupSettings, ...options.settings };
    this.#groups = new LoadedGroups({
      platform,
      store,
      leases,
      settings: this.#settings,
      ...(loadedMax === undefined ? {} : { loadedMax }),
    });
  }

  async locate(groupId: string): Promise<GroupLocation> {
    return this.#groups.has(groupId) ? { kind: "self" } : await this.#leases.locate(groupId);
  }

  async join(request: JoinRequest): Promise<JoinResult> {
    this.#checkSessionTimeout(request);
    const runner = await this.#member(request.groupId);
    return await new Promise((resolve, reject) => {
      runner.step((group, context) => joinGroup(group, request, context, { resolve, reject }));
    });
  }

  async sync(request: SyncRequest): Promise<SyncResult> {
    const runner = await this.#member(request.groupId);
    return await new Promise((resolve, reject) => {
      runner.step((group, context) => syncGroup(group, request, context, { resolve, reject }));
    });
  }

  async heartbeat(request: HeartbeatRequest): Promise<void> {
    const runner = await this.#member(request.groupId);
    runner.glance((group, context) => heartbeat(group, request, context));
  }

  async leave(request: LeaveRequest): Promise<readonly LeftMember[]> {
    const runner = await this.#member(request.groupId);
    return runner.step((group, context) => leaveGroup(group, request.members, context));
  }

  async commitOffsets(request: CommitRequest): Promise<readonly (ErrorCode | null)[]> {
    const runner = await this.#open(request.groupId);
    runner.glance((group, context) => acceptCommit(group, request, context));
    const now = this.#platform.clock.now();
    const accepted = request.offsets.filter((offset) => !isMetadataTooLarge(offset));
    const verdicts =
      accepted.length === 0
        ? []
        : await runner.writer.commit(
            accepted.map((offset) => storedOffset(offset, now, request.retentionMs)),
          );
    let next = 0;
    return request.offsets.map((offset) =>
      isMetadataTooLarge(offset) ? "offset_metadata_too_large" : (verdicts[next++] ?? null),
    );
  }

  /** No offset is pending while there are no transactions, so `requireStable` refuses nothing. */
  async fetchOffsets(request: FetchOffsetsRequest): Promise<readonly FetchedOffset[]> {
    const runner = await this.#open(request.groupId);
    const stored = await runner.writer.run((store, guard) =>
      store.fetchOffsets(guard, request.partitions),
    );
    return fetchedOffsets(stored, request.partitions);
  }

  async deleteOffsets(request: DeleteOffsetsRequest): Promise<readonly (ErrorCode | null)[]> {
    const runner = await this.#open(request.groupId);
    return await runner.writer.run(async (store, guard) => {
      const codes = runner.step((group) => {
        acceptOffsetDelete(group);
        return request.partitions.map(({ topicName }): ErrorCode | null =>
          group.isSubscribed(topicName) ? "group_subscribed" : null,
        );
      });
      const deleted = request.partitions.filter((_, index) => codes[index] === null);
      if (deleted.length > 0) await store.deleteOffsets(guard, deleted);
      return codes;
    });
  }

  async listGroups(filter: ListGroupsFilter): Promise<readonly ListedGroup[]> {
    const listed = new Map<string, ListedGroup>();
    for (let after = "", isMore = true; isMore; ) {
      const page = await this.#store.listGroups({ after, limit: listPageCount });
      for (const { groupId, snapshot } of page) {
        const state = snapshot?.state ?? "Empty";
        const protocolType = snapshot?.protocolType ?? "";
        listed.set(groupId, { groupId, protocolType, state, type: "Classic" });
      }
      after = page.at(-1)?.groupId ?? after;
      isMore = page.length === listPageCount;
    }
    for (const { group } of this.#groups.values()) {
      if (group.known) listed.set(group.groupId, listedGroup(group));
      else listed.delete(group.groupId);
    }
    return [...listed.values()].filter(listFilter(filter));
  }

  describeGroups(groupIds: readonly string[]): Promise<readonly DescribedGroup[]> {
    return this.#forEach(groupIds, async (groupId) => {
      try {
        return (await this.#open(groupId)).glance((group) => describeGroup(group));
      } catch (error) {
        return unknownDescription(groupId, codeOf(error));
      }
    });
  }

  deleteGroups(groupIds: readonly string[]): Promise<readonly DeletedGroup[]> {
    return this.#forEach(groupIds, async (groupId) => {
      try {
        const runner = await this.#open(groupId);
        runner.step((group) => {
          if (!group.known) throw unknownGroup(groupId);
          if (group.state !== "Empty") throw groupNotEmpty(groupId);
        });
        await runner.delete();
        return { groupId, error: null };
      } catch (error) {
        return { groupId, error: codeOf(error) };
      }
    });
  }

  /**
   * One bounded slice of housekeeping: deletes offsets past their retention and groups with nothing
   * left, lets idle groups go. Call it every few minutes; successive calls walk over all groups.
   * Returns the offsets deleted.
   */
  async sweep(groupsMax = sweepGroupsMax): Promise<number> {
    const { clock, log } = this.#platform;
    await this.#groups.releaseIdle(clock.monotonic() - idleGroupMs);
    const { offsetRetentionMs } = this.#settings;
    const now = clock.now();
    const groupIds = await this.#store.listExpirable({
      now,
      committedBefore: now - offsetRetentionMs,
      after: this.#sweepAfter,
      limit: groupsMax,
    });
    this.#sweepAfter = groupIds.length < groupsMax ? "" : (groupIds.at(-1) ?? "");
    let expiredCount = 0;
    for (const groupId of groupIds) {
      try {
        expiredCount += await (await this.#groups.open(groupId)).expireOffsets(offsetRetentionMs);
      } catch (error) {
        // Led elsewhere by now, or the store is away: a later sweep or another worker's does it.
        log.debug("Cannot expire offsets of a group", { group: groupId, error });
      }
    }
    return expiredCount;
  }

  /** This worker's epoch was closed: its leases have fallen, whoever waits must go elsewhere. */
  fence(): void {
    this.#groups.fence();
  }

  /** Drains: writes what is under way, sends waiting members elsewhere, gives the leases back. */
  close(): Promise<void> {
    return this.#groups.close();
  }

  stats(): GroupStats {
    const groups = Object.fromEntries(groupStates.map((state) => [state, 0])) as Record<
      GroupState,
      number
    >;
    let members = 0;
    for (const { group } of this.#groups.values()) {
      if (!group.known) continue;
      groups[group.state]++;
      members += group.memberCount;
    }
    return { groups, members };
  }

  /** As `#open`; members need an id that is not empty, commits and questions do not. */
  #member(groupId: string): Promise<GroupRunner> {
    if (groupId === "") return Promise.reject(invalidGroupId(groupId));
    return this.#open(groupId);
  }

  #open(groupId: string): Promise<GroupRunner> {
    if (groupId.length > groupIdLengthMax) return Promise.reject(invalidGroupId(groupId));
    return this.#groups.open(groupId);
  }

  #checkSessionTimeout({ groupId, sessionTimeoutMs }: JoinRequest): void {
    const { sessionTimeoutMsMin, sessionTimeoutMsMax } = this.#settings;
    if (sessionTimeoutMs >= sessionTimeoutMsMin && sessionTimeoutMs <= sessionTimeoutMsMax) return;
    throw new StreamError(
      "invalid_session_timeout",
      `Cannot join group "${groupId}" with a session timeout of ${sessionTimeoutMs} ms: ` +
        `${sessionTimeoutMsMin} to ${sessionTimeoutMsMax} are allowed`,
    );
  }

  /** Runs `ask` for each id, a bounded number at once; answers in order. */
  async #forEach<T>(
    groupIds: readonly string[],
    ask: (groupId: string) => Promise<T>,
  ): Promise<readonly T[]> {
    const answers: T[] = [];
    for (let index = 0; index < groupIds.length; index += openedGroupsMax) {
      const slice = groupIds.slice(index, index + openedGroupsMax);
      answers.push(...(await Promise.all(slice.map(ask))));
    }
    return answers;
  }
}

function codeOf(error: unknown): ErrorCode {
  if (isStreamError(error)) return error.code;
  throw error;
}

function invalidGroupId(groupId: string): StreamError {
  return new StreamError(
    "invalid_group_id",
    `A group id has 1 to ${groupIdLengthMax} characters, not ${groupId.length}`,
  );
}
