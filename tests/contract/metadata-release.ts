/** The contract of log starts, retention, the collector's questions and receipts. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { deleteTopic, type TopicInfo } from "../../src/meta/catalog.ts";
import { changesAfter, extentsFrom, partitionStates } from "../../src/meta/log-index.ts";
import {
  forgetObjects,
  forgetReceipts,
  liveObjects,
  receiptsOfWorker,
  releasedObjects,
  unreferencedKeys,
} from "../../src/meta/object-index.ts";
import { publish } from "../../src/meta/publish.ts";
import { deleteRecords, forgetDeletedTopics, releaseSlice } from "../../src/meta/release.ts";
import { applyRetention } from "../../src/meta/retention.ts";
import { leaveWorkers } from "../../src/meta/workers.ts";
import {
  codeOf,
  type MetadataUnderTest,
  newTopic,
  type OpenMetadata,
  Publisher,
  receiptOf,
} from "./metadata-fixture.ts";

const wide = { limitPartitions: 100, limitRows: 100 };

export function releaseContract(name: string, open: OpenMetadata): void {
  let metadata: MetadataUnderTest;
  const database = () => metadata.database;
  beforeAll(async () => {
    metadata = await open();
  });
  afterAll(() => metadata.close());

  const bases = async (topic: TopicInfo) => {
    const { extents } = await extentsFrom(database(), {
      ...{ ...topic, partition: 0, offset: 0, limitRows: 100, limitBytes: 1e9 },
    });
    return extents.map((extent) => extent.baseOffset);
  };
  const stateOf = async (topic: TopicInfo) =>
    (await partitionStates(database(), [{ ...topic, partition: 0 }]))[0];

  async function releaseAll(options = wide): Promise<number> {
    let released = 0;
    for (;;) {
      const slice = await releaseSlice(database(), options);
      if (slice === 0) return released;
      released += slice;
    }
  }

  const releasedKeys = async () =>
    (await releasedObjects(database(), { graceMs: -60_000, limit: 10_000 })).map(({ key }) => key);

  describe(`${name}: release`, () => {
    test("deleteRecords raises the log start; rows wholly below go, objects are released", async () => {
      const topic = await newTopic(database());
      const worker = await Publisher.open(database());
      for (const count of [3, 4, 5]) await worker.publish([{ topic, count }]);
      const cut = (beforeOffset: number) =>
        deleteRecords(database(), { ...topic, partition: 0, beforeOffset });
      expect(await cut(8)).toBe(8);
      expect(await cut(2)).toBe(8);
      // A server is shared with other suites, whose rows go too.
      expect(await releaseAll({ limitPartitions: 1, limitRows: 1 })).toBeGreaterThanOrEqual(2);
      expect(await bases(topic)).toEqual([7]);
      expect(await stateOf(topic)).toMatchObject({ logStartOffset: 8, sizeBytes: 50 });
      const keys = await releasedKeys();
      expect(keys).toContain(`${worker.workerEpoch}/0`);
      expect(keys).toContain(`${worker.workerEpoch}/1`);
      expect(keys).not.toContain(`${worker.workerEpoch}/2`);
      const past = cut(13);
      expect(await codeOf(past)).toBe("offset_out_of_range");
      expect(await cut(-1)).toBe(12);
      const unknown = deleteRecords(database(), { ...topic, partition: 4, beforeOffset: 0 });
      expect(await codeOf(unknown)).toBe("partition_unknown");
    });

    test("an object that may still grow is not handed to the collector", async () => {
      const topic = await newTopic(database());
      const worker = await Publisher.open(database());
      await worker.publish([{ topic, count: 3 }]);
      await deleteRecords(database(), { ...topic, partition: 0, beforeOffset: -1 });
      await releaseAll();
      const key = `${worker.workerEpoch}/0`;
      expect(await releasedKeys()).not.toContain(key);
      await leaveWorkers(database(), worker.workerEpoch);
      expect(await releasedKeys()).toContain(key);
      const found = await releasedObjects(database(), { graceMs: 3_600_000, limit: 10_000 });
      expect(found.map((object) => object.key)).not.toContain(key);
      const released = await releasedObjects(database(), { graceMs: -60_000, limit: 10_000 });
      await forgetObjects(
        database(),
        released.filter((object) => object.key === key).map((object) => object.objectId),
      );
      expect(await releasedKeys()).not.toContain(key);
    });

    test("a rolling object lives while one of its rows does", async () => {
      const topic = await newTopic(database());
      const worker = await Publisher.open(database());
      for (const position of [0, 4_096]) {
        const request = worker.request([{ topic, count: 2 }]);
        const location = { key: `${worker.workerEpoch}/roll`, position, length: 20 };
        await publish(database(), [{ ...request, location }]);
      }
      await worker.publish([{ topic, count: 1 }]);
      const key = `${worker.workerEpoch}/roll`;
      const objects = await liveObjects(database(), { afterObjectId: 0, limit: 100_000 });
      expect(objects.find((object) => object.key === key)?.sizeBytes).toBe(4_116);
      await deleteRecords(database(), { ...topic, partition: 0, beforeOffset: 2 });
      await releaseAll();
      expect(await releasedKeys()).not.toContain(key);
      await deleteRecords(database(), { ...topic, partition: 0, beforeOffset: 4 });
      await releaseAll();
      expect(await releasedKeys()).toContain(key);
    });

    test("retention by time takes leading rows only", async () => {
      const topic = await newTopic(database());
      const worker = await Publisher.open(database());
      for (const maxTimestamp of [1_000, 2_000, 2 ** 45, 3_000]) {
        await worker.publish([{ topic, count: 2, maxTimestamp }]);
      }
      const rule = { ...topic, retentionMs: 1_000, retentionBytes: -1 };
      const one = { limitPartitions: 10, limitRows: 1 };
      expect(await applyRetention(database(), rule, one)).toBe(1);
      expect(await stateOf(topic)).toMatchObject({ logStartOffset: 2 });
      expect(await applyRetention(database(), rule, wide)).toBe(1);
      expect(await applyRetention(database(), rule, wide)).toBe(0);
      await releaseAll();
      expect(await bases(topic)).toEqual([4, 6]);
      const never = { ...topic, retentionMs: -1, retentionBytes: -1 };
      expect(await applyRetention(database(), never, wide)).toBe(0);
    });

    test("retention by bytes keeps at least what it names", async () => {
      const topic = await newTopic(database());
      const worker = await Publisher.open(database());
      for (const count of [3, 4, 5]) {
        await worker.publish([{ topic, count, maxTimestamp: 2 ** 45 }]);
      }
      const rule = (retentionBytes: number) => ({ ...topic, retentionMs: -1, retentionBytes });
      expect(await applyRetention(database(), rule(91), wide)).toBe(0);
      expect(await applyRetention(database(), rule(90), wide)).toBe(1);
      expect(await stateOf(topic)).toMatchObject({ logStartOffset: 3 });
      await releaseAll();
      expect(await applyRetention(database(), rule(0), wide)).toBe(1);
      expect(await stateOf(topic)).toMatchObject({ logStartOffset: 12 });
    });

    test("a deleted topic's rows go in slices, then all that is left of it", async () => {
      const topic = await newTopic(database());
      const worker = await Publisher.open(database());
      for (const count of [1, 1, 1]) await worker.publish([{ topic, count }]);
      await deleteTopic(database(), topic.topicNumber);
      await releaseAll({ limitPartitions: 100, limitRows: 2 });
      while ((await forgetDeletedTopics(database(), 10)) > 0);
      await worker.publish([]);
      expect(await releasedKeys()).toContain(`${worker.workerEpoch}/1`);
    });

    test("an object nobody names is garbage once its worker went on or closed", async () => {
      const topic = await newTopic(database());
      const worker = await Publisher.open(database());
      const { workerEpoch } = worker;
      worker.request([{ topic, count: 1 }]);
      await worker.publish([{ topic, count: 1 }]);
      const stored = [0, 1, 2].map((sequence) => {
        return { key: `${workerEpoch}/${sequence}`, workerEpoch, sequence };
      });
      const foreign = { key: "x/0", workerEpoch: 2 ** 45, sequence: 0 };
      const garbage = () => unreferencedKeys(database(), [...stored, foreign]);
      expect(await garbage()).toEqual([`${workerEpoch}/0`]);
      await leaveWorkers(database(), workerEpoch);
      expect(await garbage()).toEqual([`${workerEpoch}/0`, `${workerEpoch}/2`]);
    });

    test("receipts are listed and forgotten, the last of an open worker never", async () => {
      const topic = await newTopic(database());
      const worker = await Publisher.open(database());
      const { workerEpoch } = worker;
      const requests = [1, 2, 3, 4].map((count) => worker.request([{ topic, count }]));
      const receipts = (await publish(database(), requests)).map((result) => {
        const { catalogVersion: _, ...stored } = receiptOf(result);
        return stored;
      });
      const list = (afterSequence: number) =>
        receiptsOfWorker(database(), { workerEpoch, afterSequence, limit: 10 });
      expect((await list(1)).map(({ sequence, receipt }) => [sequence, receipt])).toEqual([
        [2, receipts[2] as never],
        [3, receipts[3] as never],
      ]);
      const forget = { keepPerWorker: 0, closedMs: 3_600_000, limit: 1_000_000 };
      expect(await forgetReceipts(database(), forget)).toBeGreaterThanOrEqual(3);
      expect((await list(-1)).map(({ sequence }) => sequence)).toEqual([3]);
      const [stale] = await publish(database(), requests.slice(0, 1));
      expect(stale).toMatchObject({ code: "worker_fenced" });
      expect(await changesAfter(database(), { after: 0, limitSegments: 1 })).toMatchObject({
        complete: false,
      });
      await leaveWorkers(database(), workerEpoch);
      await forgetReceipts(database(), { ...forget, closedMs: -60_000 });
      expect(await list(-1)).toEqual([]);
      const [late] = await publish(database(), requests.slice(3));
      expect(late).toMatchObject({ code: "worker_fenced" });
    });
  });
}
