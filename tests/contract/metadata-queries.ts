/** The contract of publish order, ticks and what SQL has made. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { addPartitions, deleteTopic, type TopicInfo } from "../../src/meta/catalog.ts";
import { applyCuts } from "../../src/meta/cut.ts";
import { pageOfExpirableGroups } from "../../src/meta/group-pages.ts";
import { commitOffsets } from "../../src/meta/group-store.ts";
import { acquireLease } from "../../src/meta/leases.ts";
import { partitionStates } from "../../src/meta/log-index.ts";
import {
  extentsInOrder,
  forgetTicks,
  forgetWatermarks,
  publishTick,
  topicStates,
} from "../../src/meta/publish-order.ts";
import { queryHolders, queryPartitions, wantedQueries } from "../../src/meta/query-places.ts";
import { deleteRecords } from "../../src/meta/release.ts";
import {
  createQuery,
  createSqlObject,
  dropQuery,
  dropSqlObject,
  failQuery,
  readSqlCatalog,
  setQueryDesired,
} from "../../src/meta/sql-objects.ts";
import {
  codeOf,
  type MetadataUnderTest,
  newTopic,
  type OpenMetadata,
  Publisher,
  randomText,
} from "./metadata-fixture.ts";

export function queriesContract(name: string, open: OpenMetadata): void {
  let metadata: MetadataUnderTest;
  const database = () => metadata.database;
  beforeAll(async () => {
    metadata = await open();
  });
  afterAll(() => metadata.close());

  const cursor = (topicNumber: number, partition: number, nextOffset: number) => ({
    ...{ topicNumber, partition, nextOffset },
  });

  describe(`${name}: publish order`, () => {
    test("merges the partitions of several topics by publish position", async () => {
      const publisher = await Publisher.open(database());
      const one = await newTopic(database(), { partitionCount: 2 });
      const two = await newTopic(database());
      const topicNumbers = [one.topicNumber, two.topicNumber];
      const { head: before } = await topicStates(database(), topicNumbers);
      await publisher.publish([{ topic: one, partition: 1, count: 3 }]);
      await publisher.publish([
        { topic: two, count: 1 },
        { topic: one, partition: 0, count: 2 },
      ]);
      await publisher.publish([{ topic: one, partition: 1, count: 4 }]);
      const { head, partitions } = await topicStates(database(), topicNumbers);
      expect(partitions.map((state) => state.nextOffset)).toEqual([2, 7, 1]);
      const found = await extentsInOrder(database(), {
        cursors: partitions.map((state) => ({ ...state, nextOffset: 0 })),
        topicNumbers,
        after: before.publishPosition,
        until: head.publishPosition,
        limitRows: 100,
      });
      expect(found.upTo).toBe(head.publishPosition);
      expect(
        found.extents.map((extent) => [
          extent.publishPosition - before.publishPosition,
          topicNumbers.indexOf(extent.topicNumber),
          extent.partition,
          extent.baseOffset,
        ]),
      ).toEqual([
        [1, 0, 1, 0],
        [2, 0, 0, 0],
        [2, 1, 0, 0],
        [3, 0, 1, 3],
      ]);
    });

    test("says how far it is whole when rows are cut off", async () => {
      const publisher = await Publisher.open(database());
      const topic = await newTopic(database(), { partitionCount: 2 });
      const { topicNumber } = topic;
      for (let publishes = 0; publishes < 3; publishes++) {
        await publisher.publish([{ topic, partition: 0, count: 1 }]);
      }
      await publisher.publish([{ topic, partition: 1, count: 1 }]);
      const { head } = await topicStates(database(), [topicNumber]);
      const found = await extentsInOrder(database(), {
        cursors: [cursor(topicNumber, 0, 0), cursor(topicNumber, 1, 0)],
        topicNumbers: [topicNumber],
        after: 0,
        until: head.publishPosition,
        limitRows: 2,
      });
      expect(found.extents.map(({ partition, baseOffset }) => [partition, baseOffset])).toEqual([
        [0, 0],
        [0, 1],
      ]);
      expect(found.upTo).toBe(head.publishPosition - 2);
    });

    test("finds the extent that holds an offset inside of it", async () => {
      const publisher = await Publisher.open(database());
      const topic = await newTopic(database());
      await publisher.publish([{ topic, count: 5 }]);
      await publisher.publish([{ topic, count: 5 }]);
      const { head } = await topicStates(database(), [topic.topicNumber]);
      const found = await extentsInOrder(database(), {
        cursors: [cursor(topic.topicNumber, 0, 7)],
        topicNumbers: [topic.topicNumber],
        after: 0,
        until: head.publishPosition,
        limitRows: 10,
      });
      expect(found.extents.map((extent) => extent.baseOffset)).toEqual([5]);
    });

    test("knows the publish before which a partition was not there", async () => {
      const publisher = await Publisher.open(database());
      const topic = await newTopic(database());
      await publisher.publish([{ topic, count: 1 }]);
      const { head } = await topicStates(database(), [topic.topicNumber]);
      await addPartitions(database(), { ...topic, partitionCount: 2 });
      const { partitions } = await topicStates(database(), [topic.topicNumber]);
      expect(partitions[0]?.createdPosition).toBeLessThan(head.publishPosition);
      expect(partitions[1]?.createdPosition).toBe(head.publishPosition);
    });

    test("leaves out topics that are deleted", async () => {
      const topic = await newTopic(database());
      await deleteTopic(database(), topic.topicNumber);
      expect((await topicStates(database(), [topic.topicNumber])).partitions).toEqual([]);
    });
  });

  describe(`${name}: ticks`, () => {
    test("take a publish position and meet readers in order", async () => {
      const publisher = await Publisher.open(database());
      const topic = await newTopic(database());
      const { topicNumber } = topic;
      const first = await publisher.publish([{ topic, count: 1 }]);
      const tick = await publishTick(database(), [topicNumber]);
      const last = await publisher.publish([{ topic, count: 1 }]);
      expect(tick.publishPosition).toBe(first.publishPosition + 1);
      expect(last.publishPosition).toBe(first.publishPosition + 2);
      expect(tick.publishedAt).toBeGreaterThanOrEqual(first.publishedAt);
      const found = await extentsInOrder(database(), {
        cursors: [],
        topicNumbers: [topicNumber],
        after: first.publishPosition,
        until: last.publishPosition,
        limitRows: 10,
      });
      expect(found.ticks).toEqual([{ topicNumber, ...tick }]);
    });

    test("go when no extent before them is left", async () => {
      const publisher = await Publisher.open(database());
      const topic = await newTopic(database());
      const { topicNumber } = topic;
      const ticks = async () => {
        const { head } = await topicStates(database(), [topicNumber]);
        const found = await extentsInOrder(database(), {
          ...{ cursors: [], topicNumbers: [topicNumber], after: 0, limitRows: 10 },
          until: head.publishPosition,
        });
        return found.ticks.length;
      };
      await publisher.publish([{ topic, count: 1 }]);
      await publishTick(database(), [topicNumber]);
      await publisher.publish([{ topic, count: 1 }]);
      await publishTick(database(), [topicNumber]);
      await forgetTicks(database(), { limitRows: 100 });
      expect(await ticks()).toBe(2);
      await deleteRecords(database(), { topicNumber, partition: 0, beforeOffset: 1 });
      await forgetTicks(database(), { limitRows: 100 });
      expect(await ticks()).toBe(1);
      await deleteTopic(database(), topic.topicNumber);
      await forgetTicks(database(), { limitRows: 100 });
      expect(await ticks()).toBe(0);
    });
  });

  describe(`${name}: watermarks of commits`, () => {
    /** A query's commit: a record in its own topic, with so many results. */
    const commit = async (
      publisher: Publisher,
      topics: { readonly view: TopicInfo; readonly own: TopicInfo },
      what: { readonly watermark: number; readonly results?: number },
    ) => {
      const { view, own } = topics;
      const { watermark, results = 0 } = what;
      const effect = { kind: "watermark", topicNumber: view.topicNumber, watermark } as const;
      const runs = results === 0 ? [] : [{ topic: view, count: results, group: 0 }];
      return publisher.publish(
        [...runs, { topic: own, count: 1, group: 0 }],
        [{ guards: [], effects: [{ ...effect, activity: 2 }] }],
      );
    };
    const topicsOf = async () => {
      const writer = randomText();
      const view = await newTopic(database(), { writer });
      return { view, own: await newTopic(database(), { writer }) };
    };
    const found = async ({ topicNumber }: TopicInfo, limitRows = 10) => {
      const { head } = await topicStates(database(), [topicNumber]);
      return extentsInOrder(database(), {
        ...{ cursors: [], topicNumbers: [topicNumber], writtenTopics: [topicNumber], after: 0 },
        ...{ until: head.publishPosition, limitRows },
      });
    };
    const watermarks = async (topic: TopicInfo) =>
      (await found(topic)).watermarks.map(({ watermark }) => watermark);

    test("stand in publish order, with results and without", async () => {
      const publisher = await Publisher.open(database());
      const topics = await topicsOf();
      const first = await commit(publisher, topics, { watermark: 10, results: 2 });
      const second = await commit(publisher, topics, { watermark: 20 });
      const { topicNumber } = topics.view;
      const at = ({ publishPosition, publishedAt }: typeof first) => ({
        ...{ topicNumber, publishPosition, publishedAt, activity: 2 },
      });
      expect((await found(topics.view)).watermarks).toEqual([
        { ...at(first), watermark: 10 },
        { ...at(second), watermark: 20 },
      ]);
      const cut = await found(topics.view, 1);
      expect(cut.watermarks.map(({ watermark }) => watermark)).toEqual([10]);
      expect(cut.upTo).toBe(first.publishPosition);
    });

    test("are not there where the group fell", async () => {
      const publisher = await Publisher.open(database());
      const topics = await topicsOf();
      await deleteTopic(database(), topics.own.topicNumber);
      const { groups } = await commit(publisher, topics, { watermark: 10, results: 1 });
      expect(groups[0]?.code).toBe("topic_unknown");
      expect(await watermarks(topics.view)).toEqual([]);
    });

    test("go when nothing is left of what they were said of, but for the newest", async () => {
      const publisher = await Publisher.open(database());
      const topics = await topicsOf();
      for (const watermark of [10, 20]) await commit(publisher, topics, { watermark });
      await commit(publisher, topics, { watermark: 30, results: 2 });
      await commit(publisher, topics, { watermark: 40, results: 2 });
      await publisher.publish([{ topic: topics.view, count: 1 }]);
      await forgetWatermarks(database(), { limitRows: 100 });
      expect(await watermarks(topics.view)).toEqual([30, 40]);
      const { topicNumber } = topics.view;
      await deleteRecords(database(), { topicNumber, partition: 0, beforeOffset: 4 });
      await forgetWatermarks(database(), { limitRows: 100 });
      expect(await watermarks(topics.view)).toEqual([40]);
      await deleteTopic(database(), topicNumber);
      await forgetWatermarks(database(), { limitRows: 100 });
      expect(await watermarks(topics.view)).toEqual([]);
    });

    test("stay for a day where no record is, for who lags behind", async () => {
      const publisher = await Publisher.open(database());
      const topics = await topicsOf();
      for (const watermark of [10, 20, 30]) await commit(publisher, topics, { watermark });
      await forgetWatermarks(database(), { limitRows: 100 });
      expect(await watermarks(topics.view)).toEqual([10, 20, 30]);
      await database().batch(
        [
          {
            sql: `UPDATE watermark SET published_at = published_at - 90000000
WHERE topic_number = ?1`,
            args: [topics.view.topicNumber],
          },
        ],
        "write",
      );
      await forgetWatermarks(database(), { limitRows: 100 });
      expect(await watermarks(topics.view)).toEqual([30]);
    });

    test("go with the commits that a cut takes", async () => {
      const publisher = await Publisher.open(database());
      const topics = await topicsOf();
      const others = await topicsOf();
      await commit(publisher, topics, { watermark: 10, results: 1 });
      await commit(publisher, others, { watermark: 11, results: 1 });
      await commit(publisher, topics, { watermark: 20, results: 1 });
      await commit(publisher, others, { watermark: 21 });
      await commit(publisher, topics, { watermark: 30 });
      const cuts = await Promise.all(
        [topics.own, topics.view].map(async (topic) => {
          const { topicNumber } = topic;
          const [state] = await partitionStates(database(), [{ ...topic, partition: 0 }]);
          const { nextOffset = 0, leaderEpoch = 0 } = state ?? {};
          return { topicNumber, partition: 0, offset: 1, nextOffset, leaderEpoch };
        }),
      );
      expect(await applyCuts(database(), cuts)).toBe(true);
      expect(await watermarks(topics.view)).toEqual([10]);
      expect(await watermarks(others.view)).toEqual([11, 21]);
    });
  });

  describe(`${name}: SQL objects`, () => {
    const view = (viewName: string) => ({
      name: viewName,
      kind: "materialized_view" as const,
      statement: `CREATE MATERIALIZED VIEW ${viewName} AS SELECT 1`,
      definition: "{}",
      query: {
        ...{ queryId: `q-${viewName}`, target: viewName, definition: "{}" },
        statement: "SELECT 1",
      },
    });

    test("come with their query, go with it, and are made once", async () => {
      const viewName = `v_${randomText()}`;
      const versionOf = async () => (await readSqlCatalog(database())).catalogVersion;
      const before = await versionOf();
      await createSqlObject(database(), view(viewName));
      await createSqlObject(database(), view(viewName));
      expect(await versionOf()).toBe(before + 1);
      const { objects, queries } = await readSqlCatalog(database());
      expect(objects.filter((object) => object.name === viewName)).toMatchObject([
        { kind: "materialized_view", definition: "{}" },
      ]);
      expect(queries.filter((query) => query.target === viewName)).toMatchObject([
        { queryId: `q-${viewName}`, desired: "running", failure: null },
      ]);
      const other = { ...view(viewName), statement: "CREATE VIEW other", kind: "view" as const };
      expect(await codeOf(createSqlObject(database(), other))).toBe("sql_object_exists");
      expect(await dropSqlObject(database(), viewName)).toBe(true);
      expect(await dropSqlObject(database(), viewName)).toBe(false);
      const left = await readSqlCatalog(database());
      expect(left.queries.filter((query) => query.target === viewName)).toEqual([]);
    });

    test("queries are paused, resumed, dropped, and fail by their lease's holder only", async () => {
      const publisher = await Publisher.open(database());
      const queryId = `q-${randomText()}`;
      const target = `topic_${randomText()}`;
      await createQuery(database(), { queryId, target, statement: "INSERT", definition: "{}" });
      const row = async () =>
        (await readSqlCatalog(database())).queries.find((query) => query.queryId === queryId);
      const { workerEpoch } = publisher;
      const lease = await acquireLease(database(), { kind: "query", name: queryId, workerEpoch });
      const { leaseEpoch } = lease;
      const stale = { queryId, leaseEpoch: leaseEpoch - 1, reason: "wrong" };
      expect(await failQuery(database(), stale)).toBe(false);
      expect(await failQuery(database(), { queryId, leaseEpoch, reason: "gone" })).toBe(true);
      expect((await row())?.failure).toBe("gone");
      await setQueryDesired(database(), { queryId, desired: "paused" });
      expect(await row()).toMatchObject({ desired: "paused", failure: "gone" });
      await setQueryDesired(database(), { queryId, desired: "running" });
      expect(await row()).toMatchObject({ desired: "running", failure: null });
      expect(await dropQuery(database(), queryId)).toBe(true);
      expect(await dropQuery(database(), queryId)).toBe(false);
      expect(await row()).toBeUndefined();
    });

    test("are listed with what they read, as far as it is known, where that is asked for", async () => {
      const [one, two] = [await newTopic(database()), await newTopic(database())];
      const inputs = [one, two, { topicId: "gone" }].map(({ topicId }) => ({ topicId, name: "t" }));
      const definitions = { known: JSON.stringify({ inputs }), none: '{"inputs":[]}' };
      const ids = new Map<string, string>();
      for (const [kind, definition] of Object.entries({ ...definitions, later: "{}", odd: "?" })) {
        const queryId = `q-${randomText()}`;
        ids.set(queryId, kind);
        await createQuery(database(), { queryId, target: "t", statement: "INSERT", definition });
      }
      const readsOf = async (withReads: boolean) => {
        const found = await wantedQueries(database(), { withReads });
        const own = found.filter(({ queryId }) => ids.has(queryId));
        return Object.fromEntries(own.map(({ queryId, reads }) => [ids.get(queryId), reads]));
      };
      const known = [one.topicNumber, two.topicNumber];
      expect(await readsOf(true)).toEqual({ known, none: [], later: null, odd: null });
      expect(await readsOf(false)).toEqual({ known: null, none: null, later: null, odd: null });
      for (const queryId of ids.keys()) await dropQuery(database(), queryId);
    });

    test("show their worker and their partitions, and lose their offsets when they go", async () => {
      const publisher = await Publisher.open(database());
      const queryId = `q-${randomText()}`;
      const { workerEpoch } = publisher;
      const topic = await newTopic(database());
      const { topicId } = topic;
      await createQuery(database(), {
        ...{ queryId, target: "t", statement: "INSERT", definition: "{}" },
      });
      expect((await queryHolders(database())).find((each) => each.queryId === queryId)).toBe(
        undefined,
      );
      await acquireLease(database(), { kind: "query", name: queryId, workerEpoch });
      expect(await queryHolders(database())).toContainEqual(
        expect.objectContaining({ queryId, workerEpoch }),
      );
      const [before] = await queryPartitions(database(), [{ queryId, topicId }]);
      expect(before).toMatchObject({ topicId, partition: 0, committedOffset: null, highOffset: 0 });
      const group = { kind: "group", name: queryId, workerEpoch };
      const { leaseEpoch } = await acquireLease(database(), group);
      const { topicNumber } = topic;
      await commitOffsets(database(), { groupId: queryId, leaseEpoch }, [
        { topicNumber, partition: 0, committedOffset: 7, leaderEpoch: -1, metadata: "" },
      ]);
      const [after] = await queryPartitions(database(), [{ queryId, topicId }]);
      expect(after?.committedOffset).toBe(7);
      const expirable = async () =>
        (
          await pageOfExpirableGroups(database(), {
            ...{ workerEpoch, after: "", limitRows: 10_000, committedBefore: 2 ** 52 },
          })
        ).map(({ groupId }) => groupId);
      expect(await expirable()).not.toContain(queryId);
      await dropQuery(database(), queryId);
      const [dropped] = await queryPartitions(database(), [{ queryId, topicId }]);
      expect(dropped?.committedOffset).toBeNull();
    });
  });
}
