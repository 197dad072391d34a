/** The contract of the catalog and of reads of the log index. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import {
  addPartitions,
  alterTopicConfig,
  createTopic,
  deleteTopic,
  listTopics,
  type NewTopic,
  topicsById,
  topicsByName,
} from "../../src/meta/catalog.ts";
import {
  changeCounter,
  epochEndOffset,
  extentsFrom,
  partitionStates,
} from "../../src/meta/log-index.ts";
import { type TopicName, topicIdFromBytes } from "../../src/record/types.ts";
import {
  codeOf,
  type MetadataUnderTest,
  newTopic,
  type OpenMetadata,
  Publisher,
  randomText,
} from "./metadata-fixture.ts";

export function catalogContract(name: string, open: OpenMetadata): void {
  let metadata: MetadataUnderTest;
  const database = () => metadata.database;
  beforeAll(async () => {
    metadata = await open();
  });
  afterAll(() => metadata.close());

  const topicNamed = (topicName: string): NewTopic => ({
    topicId: topicIdFromBytes(crypto.getRandomValues(new Uint8Array(16))),
    name: topicName as TopicName,
    partitionCount: 2,
    replicationFactor: 3,
    config: { "retention.ms": "1000" },
  });

  describe(`${name}: catalog`, () => {
    test("a topic is created once, and found by name, id and in the list", async () => {
      const wanted = topicNamed(randomText());
      const before = await changeCounter(database());
      const topic = await createTopic(database(), wanted);
      expect(topic).toMatchObject({ ...wanted });
      expect((await changeCounter(database())).catalogVersion).toBeGreaterThan(
        before.catalogVersion,
      );
      expect(await topicsByName(database(), [wanted.name, "no-such"])).toEqual([topic]);
      expect(await topicsById(database(), [wanted.topicId])).toEqual([topic]);
      expect((await listTopics(database())).topics).toContainEqual(topic);
      expect(await createTopic(database(), wanted)).toEqual(topic);
      const again = createTopic(database(), topicNamed(wanted.name));
      expect(await codeOf(again)).toBe("topic_exists");
    });

    test("the answer to a publish says at which version the catalog is", async () => {
      const publisher = await Publisher.open(database());
      const topic = await newTopic(database());
      const { catalogVersion } = await publisher.publish([{ topic, count: 1 }]);
      expect(catalogVersion).toBe((await changeCounter(database())).catalogVersion);
      await newTopic(database());
      const next = await publisher.publish([{ topic, count: 1 }]);
      expect(next.catalogVersion).toBe((catalogVersion ?? 0) + 1);
    });

    test("names that differ by dots and underscores collide", async () => {
      const tail = randomText();
      await createTopic(database(), topicNamed(`a.b_${tail}`));
      const other = createTopic(database(), topicNamed(`a_b.${tail}`));
      expect(await codeOf(other)).toBe("invalid_topic_name");
      expect(await topicsByName(database(), [`a_b.${tail}`])).toEqual([]);
    });

    test("of several that create one name, one wins", async () => {
      const topicName = randomText();
      const results = await Promise.allSettled(
        Array.from({ length: 4 }, () => createTopic(database(), topicNamed(topicName))),
      );
      expect(results.filter((result) => result.status === "fulfilled")).toHaveLength(1);
    });

    test("a topic deleted and made again is another topic", async () => {
      const topicName = randomText();
      const first = await createTopic(database(), topicNamed(topicName));
      const worker = await Publisher.open(database());
      await worker.publish([{ topic: first, count: 5 }]);
      await deleteTopic(database(), first.topicNumber);
      await deleteTopic(database(), first.topicNumber);
      expect(await topicsByName(database(), [topicName])).toEqual([]);
      expect(await partitionStates(database(), [{ ...first, partition: 0 }])).toEqual([]);
      const second = await createTopic(database(), topicNamed(topicName));
      expect(second.topicNumber).toBeGreaterThan(first.topicNumber);
      const [state] = await partitionStates(database(), [{ ...second, partition: 0 }]);
      expect(state?.nextOffset).toBe(0);
      const gone = deleteTopic(database(), 2 ** 45);
      expect(await codeOf(gone)).toBe("topic_unknown");
    });

    test("partitions are added, never taken away", async () => {
      const topic = await createTopic(database(), topicNamed(randomText()));
      const { topicNumber } = topic;
      const raised = await addPartitions(database(), { topicNumber, partitionCount: 5 });
      expect(raised.partitionCount).toBe(5);
      const wanted = [0, 1, 2, 3, 4, 5].map((partition) => ({ topicNumber, partition }));
      expect(await partitionStates(database(), wanted)).toHaveLength(5);
      for (const partitionCount of [5, 4, 0]) {
        const refused = addPartitions(database(), { topicNumber, partitionCount });
        expect(await codeOf(refused)).toBe("invalid_partition_count");
      }
    });

    test("configs are set and removed, all or none", async () => {
      const { topicNumber } = await createTopic(database(), topicNamed(randomText()));
      const changes = { "retention.ms": null, "cleanup.policy": "compact,delete" };
      const altered = await alterTopicConfig(database(), { topicNumber, changes });
      expect(altered.config).toEqual({ "cleanup.policy": "compact,delete" });
      const wrong = { "retention.bytes": "5", "segment.bytes": "7" };
      const refused = alterTopicConfig(database(), { topicNumber, changes: wrong });
      expect(await codeOf(refused)).toBe("invalid_config");
    });
  });

  describe(`${name}: log index`, () => {
    test("extents start with the one that holds the offset and end with the limits", async () => {
      const topic = await newTopic(database());
      const worker = await Publisher.open(database());
      for (const count of [3, 4, 5]) await worker.publish([{ topic, count }]);
      const read = (offset: number, limitRows = 10, limitBytes = 1_000) =>
        extentsFrom(database(), { ...topic, partition: 0, offset, limitRows, limitBytes });
      expect((await read(4)).extents.map((extent) => extent.baseOffset)).toEqual([3, 7]);
      expect((await read(0, 2)).extents).toHaveLength(2);
      expect((await read(0, 10, 31)).extents).toHaveLength(2);
      expect((await read(0, 10, 1)).extents).toHaveLength(1);
      const end = await read(12);
      expect([end.extents.length, end.state?.nextOffset]).toEqual([0, 12]);
      const missing = await extentsFrom(database(), {
        ...{ ...topic, partition: 3, offset: 0, limitRows: 1, limitBytes: 1 },
      });
      expect(missing).toEqual({ state: null, extents: [] });
    });

    test("an epoch that never changed ends where the partition ends", async () => {
      const topic = await newTopic(database());
      const worker = await Publisher.open(database());
      await worker.publish([{ topic, count: 8 }]);
      const ask = (leaderEpoch: number) =>
        epochEndOffset(database(), { ...topic, partition: 0, leaderEpoch });
      expect(await ask(0)).toEqual({ leaderEpoch: 0, endOffset: 8 });
      expect(await ask(1)).toBeNull();
    });
  });
}
