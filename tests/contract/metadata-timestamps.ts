/** The contract of looking for offsets by timestamp. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { TopicInfo } from "../../src/meta/catalog.ts";
import { applyCuts } from "../../src/meta/cut.ts";
import { partitionStates } from "../../src/meta/log-index.ts";
import { deleteRecords, releaseSlice } from "../../src/meta/release.ts";
import { statement } from "../../src/meta/sql-values.ts";
import {
  endsForTimestamp,
  extentForTimestamp,
  extentOfMaxTimestamp,
} from "../../src/meta/timestamp-index.ts";
import {
  type MetadataUnderTest,
  newTopic,
  type OpenMetadata,
  Publisher,
} from "./metadata-fixture.ts";

export function timestampsContract(name: string, open: OpenMetadata): void {
  let metadata: MetadataUnderTest;
  const database = () => metadata.database;
  beforeAll(async () => {
    metadata = await open();
  });
  afterAll(() => metadata.close());

  const at = async (topic: TopicInfo, timestamp: number, fromOffset = 0) =>
    (await extentForTimestamp(database(), { ...topic, partition: 0, timestamp, fromOffset }))
      ?.baseOffset;
  const newest = async (topic: TopicInfo, fromOffset = 0) =>
    (await extentOfMaxTimestamp(database(), { ...topic, partition: 0, fromOffset }))?.baseOffset;
  async function publishTimes(topic: TopicInfo, times: readonly number[]): Promise<Publisher> {
    const worker = await Publisher.open(database());
    for (const maxTimestamp of times) await worker.publish([{ topic, count: 2, maxTimestamp }]);
    return worker;
  }
  async function deleteBefore(topic: TopicInfo, beforeOffset: number): Promise<void> {
    await deleteRecords(database(), { ...topic, partition: 0, beforeOffset });
    while ((await releaseSlice(database(), { limitPartitions: 100, limitRows: 100 })) > 0);
  }

  describe(`${name}: timestamps`, () => {
    test("lead to the first extent that can hold them, in whatever order they came", async () => {
      const topic = await newTopic(database());
      const times = [100, 300, 200, 300, -1, 250, 400, 350, 500];
      await publishTimes(topic, times);
      for (let timestamp = -1; timestamp <= 501; timestamp += 1) {
        for (const fromOffset of [0, 5]) {
          const index = times.findIndex(
            (time, each) => time >= timestamp && 2 * each + 1 >= fromOffset,
          );
          const expected = index === -1 ? undefined : 2 * index;
          const where = `${timestamp} from ${fromOffset}`;
          expect([where, await at(topic, timestamp, fromOffset)]).toEqual([where, expected]);
        }
      }
      expect([await newest(topic), await newest(topic, 17), await newest(topic, 18)]).toEqual([
        ...[16, 16, undefined],
      ]);
    });

    test("end reads up to them where every later row is later", async () => {
      const topic = await newTopic(database());
      const worker = await Publisher.open(database());
      const ends = async (timestamp: number) =>
        await endsForTimestamp(database(), [{ ...topic, partition: 0 }], timestamp);
      expect(await ends(5)).toEqual([
        { topicNumber: topic.topicNumber, partition: 0, endOffset: 0 },
      ]);
      for (const minTimestamp of [100, 300, 200, 400]) {
        await worker.publish([{ topic, count: 2, maxTimestamp: 500, minTimestamp }]);
      }
      // Runs that touch are one row: its least time is that of both, if both are known.
      await worker.publish([
        { topic, count: 1, maxTimestamp: 900, minTimestamp: 700 },
        { topic, count: 1, maxTimestamp: 900, minTimestamp: 600 },
      ]);
      const endOf = async (timestamp: number) => (await ends(timestamp))[0]?.endOffset;
      expect([await endOf(99), await endOf(100), await endOf(250)]).toEqual([0, 2, 6]);
      expect([await endOf(400), await endOf(599), await endOf(600)]).toEqual([8, 8, 10]);
      await worker.publish([
        { topic, count: 1, maxTimestamp: 900, minTimestamp: 800 },
        { topic, count: 1, maxTimestamp: 900 },
      ]);
      expect(await endOf(99)).toBe(12);
    });

    test("that retention has taken are not found, nor do they hide others", async () => {
      const topic = await newTopic(database());
      await publishTimes(topic, [900, 100, 300, 200]);
      expect(await newest(topic)).toBe(0);
      await deleteBefore(topic, 3);
      expect([await at(topic, 50), await at(topic, 101), await at(topic, 301)]).toEqual([
        ...[2, 4, undefined],
      ]);
      expect(await newest(topic)).toBe(4);
    });

    test("behind a cut count no more", async () => {
      const topic = await newTopic(database());
      const worker = await publishTimes(topic, [100, 900]);
      const { topicNumber } = topic;
      const [state] = await partitionStates(database(), [{ topicNumber, partition: 0 }]);
      const planned = { nextOffset: state?.nextOffset ?? -1, leaderEpoch: 0 };
      await applyCuts(database(), [{ topicNumber, partition: 0, offset: 2, ...planned }]);
      for (const maxTimestamp of [300, 200]) {
        await worker.publish([{ topic, count: 2, maxTimestamp }]);
      }
      expect([await at(topic, 101), await at(topic, 301), await newest(topic)]).toEqual([
        ...[2, undefined, 2],
      ]);
    });

    test("are found without a look at the rows before them", async () => {
      const topic = await newTopic(database());
      await publishTimes(topic, [100, 200, 300, 400]);
      // A row that lies: whoever walks to the time asked for comes by it first.
      const lie =
        "UPDATE extent SET max_timestamp = 999 WHERE topic_number = ?1 AND base_offset = 0";
      await database().batch([statement(lie, topic.topicNumber)], "write");
      expect([await at(topic, 300), await newest(topic)]).toEqual([4, 6]);
    });
  });
}
