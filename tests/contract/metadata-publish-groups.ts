/** The contract of publish groups: guards, effects, all or nothing, independent of neighbours. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { TopicInfo } from "../../src/meta/catalog.ts";
import { committedOffsets } from "../../src/meta/group-store.ts";
import { acquireLease, releaseLease } from "../../src/meta/leases.ts";
import { partitionStates } from "../../src/meta/log-index.ts";
import { publish } from "../../src/meta/publish.ts";
import type { PublishGroup } from "../../src/meta/publish-request.ts";
import {
  type MetadataUnderTest,
  newTopic,
  type OpenMetadata,
  Publisher,
  producerRun,
  randomText,
  receiptOf,
} from "./metadata-fixture.ts";

export function publishGroupsContract(name: string, open: OpenMetadata): void {
  let metadata: MetadataUnderTest;
  let worker: Publisher;
  beforeAll(async () => {
    metadata = await open();
    worker = await Publisher.open(metadata.database);
  });
  afterAll(() => metadata.close());

  const endOf = async (topic: TopicInfo, partition = 0) =>
    (await partitionStates(metadata.database, [{ ...topic, partition }]))[0]?.nextOffset;

  const http = (topic: TopicInfo, sequence: number, epoch = 0): PublishGroup => ({
    guards: [],
    effects: [
      { kind: "httpProducer", topicNumber: topic.topicNumber, name: "sensor", epoch, sequence },
    ],
  });

  /** One HTTP request of `count` records to partition 0 and one to partition 1. */
  async function post(topic: TopicInfo, group: PublishGroup, count = 2) {
    const receipt = await worker.publish(
      [
        { topic, count, group: 0 },
        { topic, partition: 1, count: 1, group: 0 },
      ],
      [group],
    );
    return { ...receipt.groups[0], entries: receipt.entries };
  }

  describe(`${name}: publish groups`, () => {
    test("a group whose entry fails falls whole, plain entries beside it stand", async () => {
      const topic = await newTopic(metadata.database, { partitionCount: 3 });
      const receipt = await worker.publish(
        [
          { topic, count: 1, group: 0 },
          { topic, count: 2 },
          { topic, count: 4, group: 1 },
          { topic, partition: 9, count: 1, group: 0 },
        ],
        [
          { guards: [], effects: [] },
          { guards: [], effects: [] },
        ],
      );
      expect(receipt.groups.map((group) => group.code)).toEqual(["partition_unknown", "ok"]);
      expect(receipt.entries.map(({ code, baseOffset }) => [code, baseOffset])).toEqual([
        ["partition_unknown", -1],
        ["ok", 0],
        ["ok", 2],
        ["partition_unknown", -1],
      ]);
      expect(await endOf(topic)).toBe(6);
    });

    test("an HTTP producer without state begins anywhere, but not behind a failed request", async () => {
      const topic = await newTopic(metadata.database, { partitionCount: 2 });
      const awaiting = (sequence: number, awaitedSequence: number): PublishGroup => {
        const [effect] = http(topic, sequence).effects;
        return { guards: [], effects: [{ ...effect, awaitedSequence } as never] };
      };
      expect(await post(topic, awaiting(8, 7))).toMatchObject({
        code: "sequence_out_of_order",
        expectedSequence: 7,
      });
      expect(await endOf(topic)).toBe(0);
      expect(await post(topic, http(topic, 7))).toMatchObject({ code: "ok" });
      expect(await post(topic, awaiting(8, 7))).toMatchObject({ code: "ok", repeated: null });
      expect(await endOf(topic)).toBe(4);
    });

    test("a lease guard holds only for its epoch and its holder", async () => {
      const topic = await newTopic(metadata.database);
      const lease = { kind: "query", name: randomText() };
      const { workerEpoch } = worker;
      const held = await acquireLease(metadata.database, { ...lease, workerEpoch });
      const group = (leaseEpoch: number): PublishGroup => ({
        guards: [{ kind: "lease", leaseKind: lease.kind, name: lease.name, leaseEpoch }],
        effects: [
          {
            kind: "groupOffsets",
            groupId: lease.name,
            offsets: [
              { ...topic, partition: 0, committedOffset: 7, leaderEpoch: -1, metadata: "m" },
            ],
          },
        ],
      });
      const run = [{ topic, count: 1, group: 0 }];
      const stale = await worker.publish(run, [group(held.leaseEpoch + 1)]);
      expect(stale.groups[0]?.code).toBe("guard_failed");
      expect(stale.entries[0]).toMatchObject({ code: "guard_failed", appendedCount: 0 });
      expect(await committedOffsets(metadata.database, lease.name)).toEqual([]);
      const good = await worker.publish(run, [group(held.leaseEpoch)]);
      expect(good.groups[0]?.code).toBe("ok");
      expect(await committedOffsets(metadata.database, lease.name)).toMatchObject([
        { partition: 0, committedOffset: 7, metadata: "m", topicName: topic.name },
      ]);
      const other = await Publisher.open(metadata.database);
      const foreign = await other.publish(run, [group(held.leaseEpoch)]);
      expect(foreign.groups[0]?.code).toBe("guard_failed");
      await releaseLease(metadata.database, held);
      const released = await worker.publish(run, [group(held.leaseEpoch)]);
      expect(released.groups[0]?.code).toBe("guard_failed");
      expect(await endOf(topic)).toBe(1);
    });

    test("a partition guard names the end that it expects", async () => {
      const topic = await newTopic(metadata.database, { partitionCount: 2 });
      await worker.publish([{ topic, count: 3 }]);
      const { topicNumber } = topic;
      const guarded = (nextOffset?: number, partition = 0): PublishGroup => ({
        guards: [
          {
            kind: "partition",
            topicNumber,
            partition,
            ...(nextOffset === undefined ? {} : { nextOffset }),
          },
        ],
        effects: [],
      });
      const codes = async (group: PublishGroup) =>
        (await worker.publish([{ topic, partition: 1, count: 1, group: 0 }], [group])).groups[0]
          ?.code;
      expect(await codes(guarded(2))).toBe("guard_failed");
      expect(await codes(guarded(3))).toBe("ok");
      expect(await codes(guarded())).toBe("ok");
      expect(await codes(guarded(0, 5))).toBe("partition_unknown");
    });

    test("an HTTP request sent again returns its first answer", async () => {
      const topic = await newTopic(metadata.database, { partitionCount: 2 });
      expect(await post(topic, http(topic, 10))).toMatchObject({ code: "ok", repeated: null });
      expect(await post(topic, http(topic, 11))).toMatchObject({ code: "ok" });
      const again = await post(topic, http(topic, 10));
      expect(again).toMatchObject({
        code: "ok",
        repeated: [
          { partition: 0, baseOffset: 0, count: 2 },
          { partition: 1, baseOffset: 0, count: 1 },
        ],
      });
      expect(again.entries).toMatchObject([
        { code: "ok", appendedCount: 0 },
        { code: "ok", appendedCount: 0 },
      ]);
      expect([await endOf(topic), await endOf(topic, 1)]).toEqual([4, 2]);
    });

    test("an HTTP producer has Kafka's rules, judged over the request", async () => {
      const topic = await newTopic(metadata.database, { partitionCount: 2 });
      for (let sequence = 0; sequence < 7; sequence++) await post(topic, http(topic, sequence));
      expect(await post(topic, http(topic, 8))).toMatchObject({
        ...{ code: "sequence_out_of_order", expectedSequence: 7 },
        entries: [{ code: "sequence_out_of_order" }, { code: "sequence_out_of_order" }],
      });
      expect(await post(topic, http(topic, 1))).toMatchObject({ code: "sequence_duplicate" });
      expect(await post(topic, http(topic, 2))).toMatchObject({ code: "ok", repeated: [{}, {}] });
      expect(await post(topic, http(topic, 5, 1))).toMatchObject({
        ...{ code: "sequence_out_of_order", expectedSequence: 0 },
      });
      expect(await post(topic, http(topic, 0, 1))).toMatchObject({ code: "ok", repeated: null });
      expect(await post(topic, http(topic, 7, 0))).toMatchObject({ code: "producer_fenced" });
      expect(await post(topic, http(topic, 0, 1))).toMatchObject({ repeated: [{}, {}] });
      expect(await endOf(topic)).toBe(16);
    });

    test("a refused group leaves no trace of its producer", async () => {
      const topic = await newTopic(metadata.database, { partitionCount: 2 });
      const failing = await worker.publish(
        [{ topic, partition: 4, count: 1, group: 0 }],
        [http(topic, 50)],
      );
      expect(failing.groups[0]?.code).toBe("partition_unknown");
      expect(await post(topic, http(topic, 3))).toMatchObject({ code: "ok", repeated: null });
    });

    test("duplicates of a Kafka producer do not fail their group", async () => {
      const topic = await newTopic(metadata.database, { partitionCount: 2 });
      const producer = producerRun({ id: 1, firstSequence: 0, counts: [2] });
      await worker.publish([{ topic, count: 2, producer }]);
      const receipt = await worker.publish(
        [
          { topic, count: 2, producer, group: 0 },
          { topic, partition: 1, count: 1, group: 0 },
        ],
        [{ guards: [], effects: [] }],
      );
      expect(receipt.groups[0]?.code).toBe("ok");
      expect(receipt.entries).toMatchObject([
        { code: "ok", appendedCount: 0, baseOffset: 0 },
        { code: "ok", appendedCount: 1 },
      ]);
    });

    test("offsets of an unknown partition fail their group", async () => {
      const topic = await newTopic(metadata.database);
      const offset = { committedOffset: 1, leaderEpoch: 0, metadata: "" };
      const receipt = await worker.publish(
        [],
        [
          {
            guards: [],
            effects: [
              {
                kind: "groupOffsets",
                groupId: randomText(),
                offsets: [
                  { ...topic, partition: 0, ...offset },
                  { ...topic, partition: 1, ...offset },
                ],
              },
            ],
          },
        ],
      );
      expect(receipt.groups[0]?.code).toBe("partition_unknown");
    });

    test("a grouped publish sent again, beside others, returns its receipt", async () => {
      const topic = await newTopic(metadata.database, { partitionCount: 2 });
      const request = worker.request([{ topic, count: 2, group: 0 }], [http(topic, 0)]);
      const first = receiptOf((await publish(metadata.database, [request]))[0]);
      const next = worker.request([{ topic, count: 1, group: 0 }], [http(topic, 1)]);
      const again = await publish(metadata.database, [request, next]);
      expect(again[0]).toEqual(first);
      expect(receiptOf(again[1])).toMatchObject({ groups: [{ code: "ok" }] });
      expect(await endOf(topic)).toBe(3);
    });
  });
}
