/**
 * The coordinator's ports wired to the metadata: groups know topics by id and meta by number, and a
 * group's snapshot is kept with what listings ask for, as `{"state","protocolType","text"}`.
 */
import * as z from "zod";
import type { ErrorCode } from "../base/stream-error.ts";
import { StreamError } from "../base/stream-error.ts";
import type {
  GroupGuard,
  GroupLease,
  GroupLeases,
  GroupLocation,
  GroupStore,
  StoredGroup,
  StoredOffset,
  StoredSnapshot,
  WorkerAddress,
} from "../group/group-store.ts";
import { type OffsetKey, offsetKeyText } from "../group/types.ts";
import { rendezvous } from "../log/leader.ts";
import type { Cluster, TopicService } from "../log/log-types.ts";
import type { WorkerIdentity } from "../log/worker-identity.ts";
import { pageOfExpirableGroups, pageOfGroups } from "../meta/group-pages.ts";
import {
  type CommittedOffset,
  commitOffsets,
  deleteGroup,
  deleteOffsets,
  groupLeaseKind,
  loadGroup,
  saveGroup,
} from "../meta/group-store.ts";
import { acquireLease, type Lease, readLease, releaseLease } from "../meta/leases.ts";
import type { SqlDatabase } from "../meta/sql-database.ts";
import { listWorkers, type WorkerInfo } from "../meta/workers.ts";

export interface GroupPortParts {
  readonly database: SqlDatabase;
  readonly topics: TopicService;
  readonly identity: WorkerIdentity;
  readonly cluster: () => Cluster;
  /** The Durable Object that this worker is, whose groups nobody else takes. */
  readonly objectName?: string;
  /** Takes a new epoch for one that is closed; for an object, which no heartbeat tells. */
  readonly renew?: (closedEpoch: number) => Promise<void>;
}

export class MetadataGroupLeases implements GroupLeases {
  readonly #parts: GroupPortParts;

  constructor(parts: GroupPortParts) {
    this.#parts = parts;
  }

  async locate(groupId: string): Promise<GroupLocation> {
    const { database, identity, cluster, objectName } = this.#parts;
    const lease = await readLease(database, { kind: groupLeaseKind, name: groupId });
    const holder = lease?.workerEpoch ?? null;
    if (holder === identity.current().workerEpoch) return { kind: "self" };
    if (holder !== null) {
      const worker = (await listWorkers(database)).find((each) => each.workerEpoch === holder);
      if (worker !== undefined) return { kind: "elsewhere", worker: addressOf(worker) };
    }
    // Requests come to the group's object already.
    if (objectName !== undefined) return { kind: "self" };
    const { nodes, selfNodeId } = cluster();
    const nodeId = rendezvous(groupId, nodes);
    if (nodeId === selfNodeId) return { kind: "self" };
    const node = nodes.find((each) => each.nodeId === nodeId);
    if (node === undefined) throw unavailable(groupId);
    const worker = { nodeId, host: node.kafkaHost, port: node.kafkaPort };
    return { kind: "elsewhere", worker };
  }

  async acquire(groupId: string): Promise<GroupLease> {
    const { database, identity, renew } = this.#parts;
    const { workerEpoch: asked } = identity.current();
    let lease = await this.#acquire(groupId);
    if (lease.workerEpoch === null && renew !== undefined) {
      await renew(asked);
      lease = await this.#acquire(groupId);
    }
    const { workerEpoch } = identity.current();
    if (lease.workerEpoch === workerEpoch) return { kind: "held", leaseEpoch: lease.leaseEpoch };
    const workers = await listWorkers(database);
    const holder = workers.find((each) => each.workerEpoch === lease.workerEpoch);
    if (holder === undefined) throw unavailable(groupId);
    return { kind: "elsewhere", worker: addressOf(holder) };
  }

  #acquire(groupId: string): Promise<Lease> {
    const { database, identity, objectName } = this.#parts;
    const { workerEpoch } = identity.current();
    const name = { kind: groupLeaseKind, name: groupId };
    return acquireLease(database, { ...name, workerEpoch, objectName });
  }

  async release({ groupId, leaseEpoch }: GroupGuard): Promise<void> {
    const { database } = this.#parts;
    await releaseLease(database, { kind: groupLeaseKind, name: groupId, leaseEpoch });
  }
}

function addressOf(worker: WorkerInfo): WorkerAddress {
  return { nodeId: worker.nodeId, host: worker.kafkaHost ?? "", port: worker.kafkaPort ?? 0 };
}

function unavailable(groupId: string): StreamError {
  return new StreamError(
    "coordinator_unavailable",
    `Cannot say who coordinates group "${groupId}": its worker has just gone, ask again`,
  );
}

export class MetadataGroupStore implements GroupStore {
  readonly #parts: GroupPortParts;

  constructor(parts: GroupPortParts) {
    this.#parts = parts;
  }

  async load(guard: GroupGuard): Promise<{ snapshot: string | null; hasOffsets: boolean }> {
    const { snapshot, offsets } = await loadGroup(this.#parts.database, guard);
    const kept = snapshot === null ? null : keptSnapshot(guard.groupId, snapshot);
    return { snapshot: kept?.text ?? null, hasOffsets: offsets.length > 0 };
  }

  async saveSnapshot(guard: GroupGuard, snapshot: StoredSnapshot): Promise<void> {
    const { state, protocolType, text } = snapshot;
    await saveGroup(this.#parts.database, guard, JSON.stringify({ state, protocolType, text }));
  }

  async commitOffsets(
    guard: GroupGuard,
    offsets: readonly StoredOffset[],
  ): Promise<readonly (ErrorCode | null)[]> {
    const numbers = await this.#topicNumbers(offsets);
    const known = offsets.flatMap((offset) => {
      const topicNumber = numbers.get(offset.topicId);
      if (topicNumber === undefined) return [];
      const { partition, leaderEpoch, metadata } = offset;
      return [{ topicNumber, partition, committedOffset: offset.offset, leaderEpoch, metadata }];
    });
    const refused = await commitOffsets(this.#parts.database, guard, known);
    const refusedKeys = new Set(refused.map((each) => `${each.topicNumber}/${each.partition}`));
    return offsets.map(({ topicId, partition }) => {
      const topicNumber = numbers.get(topicId);
      if (topicNumber === undefined) return "topic_unknown";
      return refusedKeys.has(`${topicNumber}/${partition}`) ? "partition_unknown" : null;
    });
  }

  async fetchOffsets(
    guard: GroupGuard,
    partitions: readonly OffsetKey[] | null,
  ): Promise<readonly StoredOffset[]> {
    const { offsets } = await loadGroup(this.#parts.database, guard);
    const stored = offsets.map(storedOffset);
    if (partitions === null) return stored;
    const asked = new Set(partitions.map(offsetKeyText));
    return stored.filter((offset) => asked.has(offsetKeyText(offset)));
  }

  async deleteOffsets(
    guard: GroupGuard,
    partitions: readonly Pick<OffsetKey, "topicId" | "partition">[],
  ): Promise<void> {
    const numbers = await this.#topicNumbers(partitions);
    const known = partitions.flatMap(({ topicId, partition }) => {
      const topicNumber = numbers.get(topicId);
      return topicNumber === undefined ? [] : [{ topicNumber, partition }];
    });
    await deleteOffsets(this.#parts.database, guard, known);
  }

  async deleteGroup(guard: GroupGuard): Promise<void> {
    await deleteGroup(this.#parts.database, guard);
  }

  async listGroups(page: { after: string; limit: number }): Promise<readonly StoredGroup[]> {
    const { database, identity } = this.#parts;
    const groups = await pageOfGroups(database, {
      workerEpoch: identity.current().workerEpoch,
      after: page.after,
      limitRows: page.limit,
    });
    return groups.map(({ groupId, snapshot }) => {
      if (snapshot === null) return { groupId, snapshot };
      const { state, protocolType } = keptSnapshot(groupId, snapshot);
      return { groupId, snapshot: { state, protocolType } };
    });
  }

  async listExpirable(query: {
    now: number;
    committedBefore: number;
    after: string;
    limit: number;
  }): Promise<readonly string[]> {
    const { database, identity } = this.#parts;
    const groups = await pageOfExpirableGroups(database, {
      workerEpoch: identity.current().workerEpoch,
      after: query.after,
      limitRows: query.limit,
      committedBefore: query.committedBefore,
    });
    return groups.map(({ groupId }) => groupId);
  }

  async #topicNumbers(
    keys: readonly Pick<OffsetKey, "topicId">[],
  ): Promise<ReadonlyMap<OffsetKey["topicId"], number>> {
    const numbers = new Map<OffsetKey["topicId"], number>();
    for (const topicId of new Set(keys.map((key) => key.topicId))) {
      const topic = await this.#parts.topics.byId(topicId);
      if (topic !== undefined) numbers.set(topicId, topic.topicNumber);
    }
    return numbers;
  }
}

const snapshotShape = z.object({
  state: z.enum(["Empty", "Stable"]),
  protocolType: z.string(),
  text: z.string(),
});

function keptSnapshot(groupId: string, json: string): StoredSnapshot {
  try {
    return snapshotShape.parse(JSON.parse(json));
  } catch (error) {
    throw new StreamError("corrupt_metadata", `Cannot read the snapshot of group "${groupId}"`, {
      cause: error,
    });
  }
}

function storedOffset(offset: CommittedOffset): StoredOffset {
  const { topicId, topicName, partition, leaderEpoch, metadata, committedAt } = offset;
  return {
    ...{ topicId, topicName, partition, offset: offset.committedOffset },
    ...{ leaderEpoch, metadata, committedAt },
    // Requests with a retention time of their own are answered as Kafka answers newer ones.
    expiresAt: null,
  };
}
