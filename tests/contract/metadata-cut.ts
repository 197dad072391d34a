/** The contract of cuts: what goes with a partition's end, what is rewound, and what stays. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { TopicInfo } from "../../src/meta/catalog.ts";
import { applyCuts, type Cut, extentsAt, extentsIn, groupedExtents } from "../../src/meta/cut.ts";
import { epochEndOffset, partitionStates } from "../../src/meta/log-index.ts";
import { liveObjects, releasedObjects } from "../../src/meta/object-index.ts";
import type { PublishGroup } from "../../src/meta/publish-request.ts";
import { deleteRecords } from "../../src/meta/release.ts";
import {
  type MetadataUnderTest,
  newTopic,
  type OpenMetadata,
  Publisher,
  producerRun,
} from "./metadata-fixture.ts";

export function cutContract(name: string, open: OpenMetadata): void {
  let metadata: MetadataUnderTest;
  const database = () => metadata.database;
  beforeAll(async () => {
    metadata = await open();
  });
  afterAll(() => metadata.close());

  const stateOf = async (topic: TopicInfo, partition = 0) => {
    const [state] = await partitionStates(database(), [{ ...topic, partition }]);
    if (state === undefined) throw new Error("no such partition");
    return state;
  };
  async function cutAt(topic: TopicInfo, offset: number, partition = 0): Promise<Cut> {
    const { nextOffset, leaderEpoch } = await stateOf(topic, partition);
    const { topicNumber } = topic;
    return { topicNumber, partition, offset, nextOffset, leaderEpoch };
  }
  async function objectIds(worker: Publisher, sequences: readonly number[]): Promise<number[]> {
    const keys = sequences.map((sequence) => `${worker.workerEpoch}/${sequence}`);
    const objects = await liveObjects(database(), { afterObjectId: 0, limit: 100_000 });
    return objects.filter(({ key }) => keys.includes(key)).map(({ objectId }) => objectId);
  }
  const request = (topic: TopicInfo, sequence: number): PublishGroup => ({
    guards: [],
    effects: [
      { kind: "httpProducer", topicNumber: topic.topicNumber, name: "till", epoch: 0, sequence },
    ],
  });

  describe(`${name}: cut`, () => {
    test("rows from the cut on go, the leader epoch rises, objects are released", async () => {
      const topic = await newTopic(database());
      const worker = await Publisher.open(database());
      for (const count of [3, 4, 5]) await worker.publish([{ topic, count }]);
      const cut = await cutAt(topic, 3);
      expect(await applyCuts(database(), [cut])).toBe(true);
      expect(await stateOf(topic)).toMatchObject({ nextOffset: 3, leaderEpoch: 1, sizeBytes: 30 });
      const released = await releasedObjects(database(), { graceMs: -60_000, limit: 10_000 });
      expect(released.map(({ key }) => key)).toContain(`${worker.workerEpoch}/1`);
      const again = await worker.publish([{ topic, count: 4 }]);
      expect(again.entries[0]).toMatchObject({ code: "ok", baseOffset: 3, leaderEpoch: 1 });
    });

    test("epochs that begin behind the cut never were", async () => {
      const topic = await newTopic(database());
      const worker = await Publisher.open(database());
      for (const count of [3, 4, 5]) await worker.publish([{ topic, count }]);
      await applyCuts(database(), [await cutAt(topic, 7)]);
      await worker.publish([{ topic, count: 2 }]);
      await applyCuts(database(), [await cutAt(topic, 3)]);
      await worker.publish([{ topic, count: 1 }]);
      const ask = (leaderEpoch: number) =>
        epochEndOffset(database(), { ...topic, partition: 0, leaderEpoch });
      expect([await ask(0), await ask(1), await ask(2), await ask(3)]).toEqual([
        { leaderEpoch: 0, endOffset: 3 },
        { leaderEpoch: 0, endOffset: 3 },
        { leaderEpoch: 2, endOffset: 4 },
        null,
      ]);
    });

    test("what others append while a cut is planned goes with it, in one epoch only", async () => {
      const topic = await newTopic(database());
      const worker = await Publisher.open(database());
      for (const count of [3, 4]) await worker.publish([{ topic, count }]);
      const cut = await cutAt(topic, 3);
      await worker.publish([{ topic, count: 5 }]);
      expect(await applyCuts(database(), [cut])).toBe(true);
      expect(await stateOf(topic)).toMatchObject({ nextOffset: 3, leaderEpoch: 1, sizeBytes: 30 });
      expect(await applyCuts(database(), [cut])).toBe(false);
      const places = [{ topicNumber: topic.topicNumber, partition: 0, offset: 8 }];
      expect(await extentsAt(database(), places)).toEqual([]);
    });

    test("a plan that a group has overtaken changes nothing, not even its other cuts", async () => {
      const topic = await newTopic(database(), { partitionCount: 2 });
      const worker = await Publisher.open(database());
      await worker.publish([
        { topic, count: 3 },
        { topic, count: 3, partition: 1 },
      ]);
      const plan = [await cutAt(topic, 0), await cutAt(topic, 0, 1)];
      await worker.publish([{ topic, count: 1, partition: 1, group: 0 }], [request(topic, 0)]);
      const before = [await stateOf(topic), await stateOf(topic, 1)];
      expect(await applyCuts(database(), plan)).toBe(false);
      expect([await stateOf(topic), await stateOf(topic, 1)]).toEqual(before);
    });

    test("a producer goes back to the last batch that is left, or is forgotten", async () => {
      const topic = await newTopic(database());
      const worker = await Publisher.open(database());
      const run = (id: number, firstSequence: number, counts: readonly number[]) => {
        const count = counts.reduce((sum, each) => sum + each, 0);
        return { topic, count, producer: producerRun({ id, firstSequence, counts }) };
      };
      await worker.publish([run(1, 0, [2, 3])]);
      await worker.publish([run(1, 5, [1, 1])]);
      await worker.publish([run(2, 40, [1])]);
      await applyCuts(database(), [await cutAt(topic, 5)]);
      const entryOf = async (sent: ReturnType<typeof run>) =>
        (await worker.publish([sent])).entries[0];
      expect(await entryOf(run(1, 2, [3]))).toMatchObject({ code: "ok", baseOffset: 2 });
      expect(await entryOf(run(1, 6, [1]))).toMatchObject({ code: "sequence_out_of_order" });
      expect(await entryOf(run(1, 5, [1]))).toMatchObject({ code: "ok", baseOffset: 5 });
      expect(await entryOf(run(2, 40, [1]))).toMatchObject({ code: "ok", baseOffset: 6 });
    });

    test("an HTTP producer goes back to the last request that is left", async () => {
      const topic = await newTopic(database(), { partitionCount: 2 });
      const worker = await Publisher.open(database());
      const both = [
        { topic, count: 1, group: 0 },
        { topic, count: 1, partition: 1, group: 0 },
      ];
      for (const sequence of [0, 1]) await worker.publish(both, [request(topic, sequence)]);
      await applyCuts(database(), [await cutAt(topic, 1), await cutAt(topic, 1, 1)]);
      const ask = async (sequence: number) =>
        (await worker.publish(both, [request(topic, sequence)])).groups[0];
      expect(await ask(0)).toMatchObject({ code: "ok", repeated: [{}, {}] });
      expect(await ask(2)).toMatchObject({ code: "sequence_out_of_order", expectedSequence: 1 });
      expect(await ask(1)).toMatchObject({ code: "ok", repeated: null });
    });

    test("rows are found by their bytes, save those below the log start", async () => {
      const topic = await newTopic(database());
      const worker = await Publisher.open(database());
      for (const count of [3, 4, 5]) await worker.publish([{ topic, count }]);
      const ids = await objectIds(worker, [0, 1, 2]);
      const ranges = ids.map((objectId) => ({ objectId, start: 29, end: 41 }));
      const found = async () => (await extentsIn(database(), ranges)).map((row) => row.baseOffset);
      expect(await found()).toEqual([0, 3, 7]);
      await deleteRecords(database(), { ...topic, partition: 0, beforeOffset: 4 });
      expect(await found()).toEqual([3, 7]);
    });

    test("rows are found by an offset, save what lies below the log start", async () => {
      const topic = await newTopic(database());
      const worker = await Publisher.open(database());
      for (const count of [3, 4]) await worker.publish([{ topic, count }]);
      const { topicNumber } = topic;
      const find = async (...offsets: number[]) => {
        const places = offsets.map((offset) => ({ topicNumber, partition: 0, offset }));
        return (await extentsAt(database(), places)).map((row) => row.baseOffset);
      };
      expect(await find(2, 3, 6, 7)).toEqual([0, 3]);
      await deleteRecords(database(), { ...topic, partition: 0, beforeOffset: 2 });
      expect([await find(1), await find(2)]).toEqual([[], [0]]);
    });

    test("a cut below the log start leaves the log start where it is", async () => {
      const topic = await newTopic(database());
      const worker = await Publisher.open(database());
      for (const count of [3, 4]) await worker.publish([{ topic, count }]);
      await deleteRecords(database(), { ...topic, partition: 0, beforeOffset: 5 });
      await applyCuts(database(), [await cutAt(topic, 3)]);
      expect(await stateOf(topic)).toMatchObject({ logStartOffset: 5, nextOffset: 5 });
    });

    test("only rows whose segments have groups are asked about", async () => {
      const topic = await newTopic(database());
      const worker = await Publisher.open(database());
      await worker.publish([{ topic, count: 3 }]);
      const { publishPosition } = await worker.publish(
        [{ topic, count: 3, group: 0 }],
        [request(topic, 0)],
      );
      const range = { topicNumber: topic.topicNumber, partition: 0, from: 0, before: 10 };
      expect(await groupedExtents(database(), [range])).toMatchObject([
        { publishPosition, segment: { position: 0, length: 30 } },
      ]);
    });
  });
}
