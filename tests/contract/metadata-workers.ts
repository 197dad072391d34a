/** The contract of workers, leases and groups. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { deleteTopic } from "../../src/meta/catalog.ts";
import {
  commitOffsets,
  committedOffsets,
  deleteGroup,
  deleteOffsets,
  expireOffsets,
  type GroupLease,
  listGroups,
  loadGroup,
  saveGroup,
} from "../../src/meta/group-store.ts";
import { acquireLease, readLease, releaseLease } from "../../src/meta/leases.ts";
import { statement } from "../../src/meta/sql-values.ts";
import {
  closeWorker,
  epochsToMend,
  leaveWorkers,
  listWorkers,
  markMended,
  raiseCounter,
  registerWorker,
  setDraining,
} from "../../src/meta/workers.ts";
import {
  codeOf,
  type MetadataUnderTest,
  newTopic,
  newWorker,
  type OpenMetadata,
  randomText,
} from "./metadata-fixture.ts";

export function workersContract(name: string, open: OpenMetadata): void {
  let metadata: MetadataUnderTest;
  const database = () => metadata.database;
  beforeAll(async () => {
    metadata = await open();
  });
  afterAll(() => metadata.close());

  describe(`${name}: workers`, () => {
    test("workers get fresh epochs and the smallest free node ids", async () => {
      const first = await newWorker(database());
      const second = await newWorker(database());
      expect(second.workerEpoch).toBeGreaterThan(first.workerEpoch);
      expect(second.nodeId).not.toBe(first.nodeId);
      await leaveWorkers(database(), first.workerEpoch);
      const third = await newWorker(database());
      expect(third.nodeId).toBe(first.nodeId);
      expect(third.workerEpoch).toBeGreaterThan(second.workerEpoch);
    });

    test("a registration sent again is the same worker, a wished node id is kept if free", async () => {
      const worker = {
        ...{ registration: randomText(), kind: "process" as const, nodeId: 70_001 },
        ...{ kafkaHost: null, kafkaPort: null, httpUrl: "http://x" },
      };
      const first = await registerWorker(database(), worker);
      expect(first).toMatchObject({ nodeId: 70_001, httpUrl: "http://x", kafkaPort: null });
      expect(await registerWorker(database(), worker)).toEqual(first);
      const taken = await registerWorker(database(), { ...worker, registration: randomText() });
      expect(taken.nodeId).toBeLessThan(70_001);
      await leaveWorkers(database(), first.workerEpoch);
      const closed = registerWorker(database(), worker);
      expect(await codeOf(closed)).toBe("worker_fenced");
    });

    test("only a counter that stood still lets others close an epoch", async () => {
      const { workerEpoch, counter } = await newWorker(database());
      await raiseCounter(database(), workerEpoch);
      const stale = { workerEpoch, observedCounter: counter };
      expect(await closeWorker(database(), stale)).toBe(false);
      const current = { workerEpoch, observedCounter: counter + 1 };
      expect(await closeWorker(database(), current)).toBe(true);
      expect(await closeWorker(database(), current)).toBe(true);
      const raised = raiseCounter(database(), workerEpoch);
      expect(await codeOf(raised)).toBe("worker_fenced");
    });

    test("an ended epoch is to be mended until somebody did, unless it left in order", async () => {
      const [dead, left, open] = [
        await newWorker(database()),
        await newWorker(database()),
        await newWorker(database()),
      ];
      const { workerEpoch, counter: observedCounter } = dead;
      await closeWorker(database(), { workerEpoch, observedCounter });
      await leaveWorkers(database(), left.workerEpoch, { isMended: true });
      // A clock that went back since must not hide it.
      const later = "UPDATE worker SET closed_at = closed_at + 3600000 WHERE worker_epoch = ?1";
      await database().batch([statement(later, workerEpoch)], "write");
      const ended = await epochsToMend(database());
      expect(ended).toContain(workerEpoch);
      expect(ended).not.toContain(left.workerEpoch);
      expect(ended).not.toContain(open.workerEpoch);
      expect(await epochsToMend(database(), { closedMs: 60_000 })).not.toContain(workerEpoch);
      await markMended(database(), workerEpoch);
      expect(await epochsToMend(database())).not.toContain(workerEpoch);
    });

    test("a draining worker is listed as draining until it leaves", async () => {
      const { workerEpoch } = await newWorker(database());
      await setDraining(database(), workerEpoch);
      const find = async () =>
        (await listWorkers(database())).find((worker) => worker.workerEpoch === workerEpoch);
      expect((await find())?.isDraining).toBe(true);
      await leaveWorkers(database(), workerEpoch);
      expect(await find()).toBeUndefined();
    });

    test("a lease changes hands only when it is free or its holder is closed", async () => {
      const [first, second] = [await newWorker(database()), await newWorker(database())];
      const lease = { kind: "group", name: randomText() };
      const held = await acquireLease(database(), { ...lease, workerEpoch: first.workerEpoch });
      expect(held).toMatchObject({ leaseEpoch: 1, workerEpoch: first.workerEpoch });
      const again = await acquireLease(database(), { ...lease, workerEpoch: first.workerEpoch });
      expect(again).toEqual(held);
      expect(
        await acquireLease(database(), { ...lease, ...{ workerEpoch: second.workerEpoch } }),
      ).toEqual(held);
      expect(await readLease(database(), lease)).toEqual(held);
      await releaseLease(database(), { ...lease, leaseEpoch: 99 });
      expect(await readLease(database(), lease)).toEqual(held);
      await leaveWorkers(database(), first.workerEpoch);
      expect(await readLease(database(), lease)).toMatchObject({ workerEpoch: null });
      const taken = await acquireLease(database(), { ...lease, workerEpoch: second.workerEpoch });
      expect(taken.workerEpoch).toBe(second.workerEpoch);
      expect(taken.leaseEpoch).toBeGreaterThan(held.leaseEpoch);
      const closed = await acquireLease(database(), {
        ...{ kind: "group", name: randomText(), workerEpoch: first.workerEpoch },
      });
      expect(closed.workerEpoch).toBeNull();
    });
  });

  describe(`${name}: groups`, () => {
    async function newGroup(): Promise<GroupLease> {
      const { workerEpoch } = await newWorker(database());
      const groupId = randomText();
      const lease = await acquireLease(database(), { kind: "group", name: groupId, workerEpoch });
      return { groupId, leaseEpoch: lease.leaseEpoch };
    }
    const offset = (topicNumber: number, committedOffset: number, partition = 0) => ({
      ...{ topicNumber, partition, committedOffset, leaderEpoch: 0, metadata: "" },
    });

    test("a group's snapshot and offsets are read back by its coordinator", async () => {
      const lease = await newGroup();
      const topic = await newTopic(database());
      const { topicNumber } = topic;
      expect(await loadGroup(database(), lease)).toEqual({ snapshot: null, offsets: [] });
      await saveGroup(database(), lease, "{}");
      await saveGroup(database(), lease, '{"generation":2}');
      const unknown = await commitOffsets(database(), lease, [
        offset(topicNumber, 5),
        offset(topicNumber, 1, 9),
      ]);
      expect(unknown).toEqual([{ topicNumber, partition: 9 }]);
      await commitOffsets(database(), lease, [offset(topicNumber, 3)]);
      expect(await loadGroup(database(), lease)).toMatchObject({
        snapshot: '{"generation":2}',
        offsets: [{ topicId: topic.topicId, topicName: topic.name, committedOffset: 3 }],
      });
      expect(await listGroups(database())).toContainEqual({
        ...{ groupId: lease.groupId, snapshot: '{"generation":2}' },
      });
    });

    test("a coordinator that lost its lease writes nothing", async () => {
      const lease = await newGroup();
      const { topicNumber } = await newTopic(database());
      const stale = { ...lease, leaseEpoch: lease.leaseEpoch + 1 };
      for (const write of [
        () => saveGroup(database(), stale, "x"),
        () => commitOffsets(database(), stale, [offset(topicNumber, 1)]),
        () => deleteGroup(database(), stale),
        () => loadGroup(database(), stale),
      ]) {
        const refused = write();
        expect(await codeOf(refused)).toBe("coordinator_elsewhere");
      }
      expect(await committedOffsets(database(), lease.groupId)).toEqual([]);
    });

    test("offsets expire, are deleted one by one, and go with their topic and group", async () => {
      const lease = await newGroup();
      const [kept, other] = [await newTopic(database()), await newTopic(database())];
      const rows = [offset(kept.topicNumber, 1), offset(other.topicNumber, 2)];
      await commitOffsets(database(), lease, rows);
      const expire = (retentionMs: number) =>
        expireOffsets(database(), lease, { retentionMs, keepTopicNumbers: [kept.topicNumber] });
      expect(await expire(3_600_000)).toBe(2);
      expect(await expire(-60_000)).toBe(1);
      await commitOffsets(database(), lease, rows);
      await deleteTopic(database(), other.topicNumber);
      expect(await committedOffsets(database(), lease.groupId)).toHaveLength(1);
      await deleteOffsets(database(), lease, [{ topicNumber: kept.topicNumber, partition: 0 }]);
      expect(await committedOffsets(database(), lease.groupId)).toEqual([]);
      await saveGroup(database(), lease, "x");
      await deleteGroup(database(), lease);
      const ids = (await listGroups(database())).map((group) => group.groupId);
      expect(ids).not.toContain(lease.groupId);
    });
  });
}
