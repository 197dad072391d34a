/**
 * What GroupLeases and GroupStore promise together, whatever they are made of. A subject is one
 * metadata with the ports as two live workers see them; `closeWorker` is what happens when somebody
 * saw the first worker stand still.
 */
import { expect, test } from "bun:test";
import { isStreamError } from "../../src/base/stream-error.ts";
import type {
  GroupGuard,
  GroupLeases,
  GroupStore,
  StoredOffset,
  StoredSnapshot,
} from "../../src/group/group-store.ts";
import type { OffsetKey } from "../../src/group/types.ts";

export interface GroupWorkerPorts {
  readonly nodeId: number;
  readonly store: GroupStore;
  readonly leases: GroupLeases;
}

export interface GroupStoreSubject {
  readonly first: GroupWorkerPorts;
  readonly second: GroupWorkerPorts;
  /** Two partitions of one topic that exists. */
  readonly partitions: readonly [OffsetKey, OffsetKey];
  /** A partition of a topic that does not exist (any more). */
  readonly goneTopic: OffsetKey;
  /** The wall clock by which `committedAt` is judged, milliseconds since 1970. */
  now(): number;
  /** Closes the first worker's epoch. */
  closeFirst(): Promise<void>;
  close(): Promise<void>;
}

const snapshot: StoredSnapshot = { text: '{"a":"é"}', state: "Stable", protocolType: "consumer" };

export function groupStoreContract(
  subjectName: string,
  create: () => Promise<GroupStoreSubject>,
): void {
  const check = (fact: string, run: (subject: GroupStoreSubject) => Promise<void>) =>
    test(`${subjectName} ${fact}`, async () => {
      const subject = await create();
      try {
        await run(subject);
      } finally {
        await subject.close();
      }
    });

  check("gives a free lease to who asks first and keeps its epoch", async (subject) => {
    const guard = await lead(subject.first, "g");
    expect(await lead(subject.first, "g")).toEqual(guard);
    const refused = await subject.second.leases.acquire("g");
    const { nodeId } = subject.first;
    expect(refused).toMatchObject({ kind: "elsewhere", worker: { nodeId } });
    expect(await subject.second.leases.locate("g")).toMatchObject({
      kind: "elsewhere",
      worker: { nodeId },
    });
    expect(await subject.first.leases.locate("g")).toEqual({ kind: "self" });
  });

  check("raises the epoch with each holder, after a release and after a close", async (subject) => {
    const before = await lead(subject.first, "g");
    await subject.first.leases.release(before);
    const between = await lead(subject.first, "g");
    expect(between.leaseEpoch).toBeGreaterThan(before.leaseEpoch);
    await subject.first.leases.release(before);
    expect((await subject.second.leases.acquire("g")).kind).toBe("elsewhere");
    await subject.closeFirst();
    const after = await lead(subject.second, "g");
    expect(after.leaseEpoch).toBeGreaterThan(between.leaseEpoch);
  });

  check("does nothing for a lease that was lost", async (subject) => {
    const { first, second, partitions } = subject;
    const stale = await lead(first, "g");
    await subject.closeFirst();
    const guard = await lead(second, "g");
    await second.store.saveSnapshot(guard, snapshot);
    await second.store.commitOffsets(guard, [offsetAt(partitions[0], 1, subject.now())]);
    const attempts = [
      () => first.store.load(stale),
      () => first.store.saveSnapshot(stale, { ...snapshot, text: "{}" }),
      () => first.store.commitOffsets(stale, [offsetAt(partitions[0], 9, subject.now())]),
      () => first.store.fetchOffsets(stale, null),
      () => first.store.deleteOffsets(stale, partitions),
      () => first.store.deleteGroup(stale),
    ];
    for (const attempt of attempts) {
      const error = await attempt().then(
        () => undefined,
        (caught: unknown) => caught,
      );
      expect(isStreamError(error, "coordinator_elsewhere")).toBe(true);
    }
    expect(await second.store.load(guard)).toEqual({ snapshot: snapshot.text, hasOffsets: true });
    expect(await committed(second.store, guard)).toEqual([1]);
  });

  check("does nothing for a lease that was given back", async (subject) => {
    const { first } = subject;
    const stale = await lead(first, "g");
    await first.leases.release(stale);
    const error = await first.store.saveSnapshot(stale, snapshot).catch((caught) => caught);
    expect(isStreamError(error, "coordinator_elsewhere")).toBe(true);
  });

  check("keeps the last snapshot as it was given", async ({ first }) => {
    const guard = await lead(first, "g");
    expect(await first.store.load(guard)).toEqual({ snapshot: null, hasOffsets: false });
    await first.store.saveSnapshot(guard, { ...snapshot, text: "{}" });
    await first.store.saveSnapshot(guard, snapshot);
    expect(await first.store.load(guard)).toEqual({ snapshot: snapshot.text, hasOffsets: false });
  });

  check("keeps the last offset of each partition with all its parts", async (subject) => {
    const { first, partitions } = subject;
    const guard = await lead(first, "g");
    const now = subject.now();
    const one = offsetAt(partitions[0], 1, now);
    const two = {
      ...offsetAt(partitions[1], 2 ** 53 - 1, now),
      metadata: "é'\"\n",
      leaderEpoch: 7,
    };
    expect(await first.store.commitOffsets(guard, [one, two])).toEqual([null, null]);
    expect(await first.store.commitOffsets(guard, [{ ...one, offset: 0 }])).toEqual([null]);
    const fetched = await first.store.fetchOffsets(guard, [partitions[1]]);
    const { committedAt, expiresAt, ...rest } = two;
    expect(fetched).toMatchObject([rest]);
    expect(await committed(first.store, guard)).toEqual([0, 2 ** 53 - 1]);
    await first.store.deleteOffsets(guard, [partitions[1]]);
    expect(await committed(first.store, guard)).toEqual([0]);
  });

  check("refuses offsets of a topic that is gone, and writes the others", async (subject) => {
    const { first, partitions, goneTopic } = subject;
    const guard = await lead(first, "g");
    const now = subject.now();
    const offsets = [offsetAt(goneTopic, 1, now), offsetAt(partitions[0], 2, now)];
    const [gone, kept] = await first.store.commitOffsets(guard, offsets);
    expect(["topic_unknown", "partition_unknown"]).toContain(gone ?? "");
    expect(kept).toBeNull();
    expect(await committed(first.store, guard)).toEqual([2]);
    expect(await first.store.fetchOffsets(guard, [goneTopic])).toEqual([]);
  });

  check("deletes a group with its offsets and never takes its epoch back", async (subject) => {
    const { first, partitions } = subject;
    const guard = await lead(first, "g");
    await first.store.saveSnapshot(guard, snapshot);
    await first.store.commitOffsets(guard, [offsetAt(partitions[0], 1, subject.now())]);
    await first.store.deleteGroup(guard);
    await first.store.deleteGroup(guard);
    expect(await first.store.load(guard)).toEqual({ snapshot: null, hasOffsets: false });
    expect(await lead(first, "g")).toEqual(guard);
    expect(await first.store.listGroups({ after: "", limit: 10 })).toEqual([]);
  });

  check("lists groups by page, without those that another live worker leads", async (subject) => {
    const { first, second, partitions } = subject;
    for (const groupId of ["a", "b", "c"]) {
      const guard = await lead(first, groupId);
      if (groupId === "b") {
        await first.store.commitOffsets(guard, [offsetAt(partitions[0], 1, subject.now())]);
      } else await first.store.saveSnapshot(guard, snapshot);
    }
    const { state, protocolType } = snapshot;
    const page = await first.store.listGroups({ after: "", limit: 2 });
    expect(page).toMatchObject([
      { groupId: "a", snapshot: { state, protocolType } },
      { groupId: "b", snapshot: null },
    ]);
    const rest = await first.store.listGroups({ after: "b", limit: 2 });
    expect(rest.map(({ groupId }) => groupId)).toEqual(["c"]);
    expect(await second.store.listGroups({ after: "", limit: 9 })).toEqual([]);
    await subject.closeFirst();
    expect(await second.store.listGroups({ after: "", limit: 9 })).toHaveLength(3);
  });

  check("lists for the sweep what may have expired", async (subject) => {
    const { first, partitions } = subject;
    const now = subject.now();
    const committing = await lead(first, "commits");
    await first.store.commitOffsets(committing, [offsetAt(partitions[0], 1, now)]);
    await first.store.saveSnapshot(await lead(first, "empty"), { ...snapshot, state: "Empty" });
    const list = async (committedBefore: number, after = "") =>
      await first.store.listExpirable({ now, committedBefore, after, limit: 10 });
    expect(await list(now - 60_000)).toEqual(["empty"]);
    expect(await list(now + 60_000)).toEqual(["commits", "empty"]);
    expect(await list(now + 60_000, "commits")).toEqual(["empty"]);
  });
}

async function lead({ leases }: GroupWorkerPorts, groupId: string): Promise<GroupGuard> {
  const lease = await leases.acquire(groupId);
  if (lease.kind !== "held") throw new Error(`"${groupId}" is led elsewhere`);
  return { groupId, leaseEpoch: lease.leaseEpoch };
}

function offsetAt(key: OffsetKey, offset: number, now: number): StoredOffset {
  return { ...key, offset, leaderEpoch: 0, metadata: "", committedAt: now, expiresAt: null };
}

async function committed(store: GroupStore, guard: GroupGuard): Promise<readonly number[]> {
  const offsets = await store.fetchOffsets(guard, null);
  return offsets.map(({ offset }) => offset).sort((left, right) => left - right);
}
