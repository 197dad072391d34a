/** The contract of a publish without groups: order, idempotence, sequences, index rows. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { deleteTopic } from "../../src/meta/catalog.ts";
import { changesAfter, extentsFrom, partitionStates } from "../../src/meta/log-index.ts";
import { publish } from "../../src/meta/publish.ts";
import { closeWorker, leaveWorkers } from "../../src/meta/workers.ts";
import {
  type MetadataUnderTest,
  newTopic,
  type OpenMetadata,
  Publisher,
  producerRun,
  receiptOf,
} from "./metadata-fixture.ts";

export function publishContract(name: string, open: OpenMetadata): void {
  let metadata: MetadataUnderTest;
  const database = () => metadata.database;
  beforeAll(async () => {
    metadata = await open();
  });
  afterAll(() => metadata.close());

  describe(`${name}: publish`, () => {
    test("a publish gives contiguous offsets, positions and the database's time", async () => {
      const topic = await newTopic(database(), { partitionCount: 2 });
      const worker = await Publisher.open(database());
      const first = await worker.publish([
        { topic, count: 3 },
        { topic, partition: 1, count: 5 },
      ]);
      const second = await worker.publish([{ topic, count: 4 }]);
      expect(first.entries.map((entry) => [entry.baseOffset, entry.appendedCount])).toEqual([
        [0, 3],
        [0, 5],
      ]);
      expect(second.entries[0]).toEqual({
        ...{ code: "ok", baseOffset: 3, leaderEpoch: 0, logStartOffset: 0, appendedCount: 4 },
        ...{ skippedCount: 0, duplicates: [] },
      });
      expect(second.publishPosition).toBe(first.publishPosition + 1);
      expect(second.publishedAt).toBeGreaterThanOrEqual(first.publishedAt);
      const states = await partitionStates(database(), [
        { topicNumber: topic.topicNumber, partition: 0 },
        { topicNumber: topic.topicNumber, partition: 1 },
      ]);
      expect(states.map((state) => [state.nextOffset, state.sizeBytes])).toEqual([
        [7, 70],
        [5, 50],
      ]);
    });

    test("a publish sent again returns the stored receipt and changes nothing", async () => {
      const topic = await newTopic(database());
      const worker = await Publisher.open(database());
      const request = worker.request([{ topic, count: 3 }]);
      const [first] = await publish(database(), [request]);
      const [again] = await publish(database(), [request]);
      expect(again).toEqual(receiptOf(first));
      const next = worker.request([{ topic, count: 1 }]);
      const both = await publish(database(), [request, next]);
      expect(both[0]).toEqual(receiptOf(first));
      expect(receiptOf(both[1]).entries[0]?.baseOffset).toBe(3);
    });

    test("a stored receipt is returned also after the epoch was closed", async () => {
      const topic = await newTopic(database());
      const worker = await Publisher.open(database());
      const request = worker.request([{ topic, count: 3 }]);
      const [first] = await publish(database(), [request]);
      const { workerEpoch } = worker;
      expect(await closeWorker(database(), { workerEpoch, observedCounter: 0 })).toBe(true);
      expect((await publish(database(), [request]))[0]).toEqual(receiptOf(first));
      const late = (await publish(database(), [worker.request([{ topic, count: 1 }])]))[0];
      expect(late).toMatchObject({ code: "worker_fenced" });
      const [state] = await partitionStates(database(), [{ ...topic, partition: 0 }]);
      expect(state?.nextOffset).toBe(3);
    });

    test("a sequence at or below the last one without a receipt is fenced", async () => {
      const topic = await newTopic(database());
      const worker = await Publisher.open(database());
      const skipped = worker.request([{ topic, count: 3 }]);
      await worker.publish([{ topic, count: 1 }]);
      const [result] = await publish(database(), [skipped]);
      expect(result).toMatchObject({ code: "worker_fenced" });
    });

    test("one refused request leaves its neighbours in the batch", async () => {
      const topic = await newTopic(database());
      const [good, bad] = [await Publisher.open(database()), await Publisher.open(database())];
      await leaveWorkers(database(), bad.workerEpoch);
      const results = await publish(database(), [
        good.request([{ topic, count: 1 }]),
        bad.request([{ topic, count: 100 }]),
        good.request([{ topic, count: 2 }]),
      ]);
      expect(results[1]).toMatchObject({ code: "worker_fenced" });
      expect(receiptOf(results[2]).entries[0]?.baseOffset).toBe(1);
      expect(receiptOf(results[2]).publishPosition).toBe(receiptOf(results[0]).publishPosition + 1);
    });

    test("unknown topics and partitions are refused entry by entry", async () => {
      const topic = await newTopic(database());
      const deleted = await newTopic(database());
      await deleteTopic(database(), deleted.topicNumber);
      const worker = await Publisher.open(database());
      const receipt = await worker.publish([
        { topic: { ...topic, topicNumber: 2 ** 40 }, count: 1 },
        { topic, partition: 7, count: 1 },
        { topic: deleted, count: 1 },
        { topic, count: 1 },
      ]);
      expect(receipt.entries.map(({ code, baseOffset }) => [code, baseOffset])).toEqual([
        ["topic_unknown", -1],
        ["partition_unknown", -1],
        ["topic_unknown", -1],
        ["ok", 0],
      ]);
      expect(receipt.entries[0]?.leaderEpoch).toBe(-1);
    });

    test("runs that touch become one index row, others do not", async () => {
      const topic = await newTopic(database());
      const worker = await Publisher.open(database());
      await worker.publish([
        { topic, count: 2, maxTimestamp: 9 },
        { topic, count: 3, maxTimestamp: 5 },
        { topic, count: 4, gap: 16 },
      ]);
      const { extents } = await extentsFrom(database(), {
        ...{ topicNumber: topic.topicNumber, partition: 0, offset: 0 },
        ...{ limitRows: 10, limitBytes: 1_000 },
      });
      expect(extents).toMatchObject([
        { baseOffset: 0, lastOffset: 4, position: 0, length: 50, maxTimestamp: 9 },
        { baseOffset: 5, lastOffset: 8, position: 66, length: 40 },
      ]);
    });

    test("an entry refused between two leaves two index rows and contiguous offsets", async () => {
      const topic = await newTopic(database());
      const worker = await Publisher.open(database());
      const fenced = producerRun({ id: 5, epoch: 3, firstSequence: 4, counts: [10] });
      const ahead = producerRun({ id: 5, epoch: 3, firstSequence: 0, counts: [1] });
      await worker.publish([{ topic, count: 1, producer: ahead }]);
      const receipt = await worker.publish([
        { topic, count: 2 },
        { topic, count: 10, producer: fenced },
        { topic, count: 3 },
        { topic, count: 4 },
      ]);
      expect(receipt.entries.map(({ code, baseOffset }) => [code, baseOffset])).toEqual([
        ["ok", 1],
        ["sequence_out_of_order", -1],
        ["ok", 3],
        ["ok", 6],
      ]);
      const { extents } = await extentsFrom(database(), {
        ...{ topicNumber: topic.topicNumber, partition: 0, offset: 1 },
        ...{ limitRows: 10, limitBytes: 1_000 },
      });
      expect(extents).toMatchObject([
        { baseOffset: 1, lastOffset: 2, position: 0, length: 20 },
        { baseOffset: 3, lastOffset: 9, position: 120, length: 70 },
      ]);
    });

    test("a publish without entries takes a position and has a receipt", async () => {
      const worker = await Publisher.open(database());
      const first = await worker.publish([]);
      const second = await worker.publish([]);
      expect(second.publishPosition).toBe(first.publishPosition + 1);
      expect(second.entries).toEqual([]);
    });

    test("changes after a position list what was published, in order", async () => {
      const topic = await newTopic(database(), { partitionCount: 2 });
      const worker = await Publisher.open(database());
      const { publishPosition: after } = await worker.publish([]);
      await worker.publish([
        { topic, count: 1 },
        { topic, count: 2 },
      ]);
      await worker.publish([{ topic, partition: 1, count: 3 }]);
      const changes = await changesAfter(database(), { after, limitSegments: 10 });
      expect(changes).toMatchObject({ publishPosition: after + 2, complete: true });
      expect(changes.extents).toMatchObject([
        { partition: 0, baseOffset: 0, lastOffset: 2, length: 30, publishPosition: after + 1 },
        { partition: 1, baseOffset: 0, lastOffset: 2, publishPosition: after + 2 },
      ]);
      const { extents } = await extentsFrom(database(), {
        ...{ topicNumber: topic.topicNumber, partition: 0, offset: 0 },
        ...{ limitRows: 1, limitBytes: 1 },
      });
      expect(changes.extents[0]).toEqual({
        ...extents[0],
        workerEpoch: worker.workerEpoch,
      } as (typeof changes.extents)[number]);
      const bounded = await changesAfter(database(), { after, limitSegments: 1 });
      expect([bounded.publishPosition, bounded.extents.length]).toEqual([after + 1, 1]);
    });

    test("publishers at the same time never share an offset or a position", async () => {
      const topic = await newTopic(database());
      const workers = await Promise.all(
        Array.from({ length: 4 }, () => Publisher.open(database())),
      );
      const receipts = await Promise.all(
        workers.map(async (worker) => {
          const mine = [];
          for (let count = 1; count <= 5; count++)
            mine.push(await worker.publish([{ topic, count }]));
          return mine;
        }),
      );
      const all = receipts.flat().sort((a, b) => a.publishPosition - b.publishPosition);
      expect(new Set(all.map((receipt) => receipt.publishPosition)).size).toBe(20);
      let nextOffset = 0;
      for (const { entries } of all) {
        expect(entries[0]?.baseOffset).toBe(nextOffset);
        nextOffset += entries[0]?.appendedCount ?? 0;
      }
      expect(nextOffset).toBe(4 * 15);
    });
  });
}
