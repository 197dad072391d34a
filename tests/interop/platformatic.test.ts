/** @platformatic/kafka, a client written in JavaScript alone. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { eventually } from "../support/processes.ts";
import { type BrokerUnderTest, brokerUnderTest, uniqueName } from "./support/broker-under-test.ts";
import {
  loadPlatformatic,
  type Platformatic,
  type PlatformaticAdmin,
  type PlatformaticConsumer,
  type PlatformaticMessage,
  type PlatformaticProducer,
  type PlatformaticRecord,
} from "./support/platformatic.ts";

let broker: BrokerUnderTest;
let library: Platformatic;
let producer: PlatformaticProducer;
let admin: PlatformaticAdmin;

beforeAll(async () => {
  broker = await brokerUnderTest();
  library = await loadPlatformatic();
  const client = { clientId: "interop", bootstrapBrokers: [broker.bootstrap] };
  producer = new library.Producer({ ...client, serializers: library.stringSerializers });
  admin = new library.Admin(client);
});
afterAll(async () => {
  await producer?.close(true);
  await admin?.close();
  await broker?.stop();
});

async function createTopic(prefix: string, partitions = 1): Promise<string> {
  const topic = uniqueName(prefix);
  await admin.createTopics({ topics: [topic], partitions, replicas: 1 });
  // Kafka names a leader a moment before it leads; a producer that repeats then doubles records.
  const consumer = consumerOf(uniqueName("watcher"));
  await eventually(() => consumer.listOffsets({ topics: [topic] }).catch(() => undefined));
  await consumer.close(true);
  return topic;
}

function consumerOf(groupId: string): PlatformaticConsumer {
  return new library.Consumer({
    clientId: "interop",
    bootstrapBrokers: [broker.bootstrap],
    groupId,
    deserializers: library.stringDeserializers,
  });
}

/** The next `count` records for a new member of the group, which then leaves. */
async function take(groupId: string, topic: string, count: number): Promise<PlatformaticRecord[]> {
  const consumer = consumerOf(groupId);
  const stream = await consumer.consume({
    topics: [topic],
    mode: "committed",
    fallbackMode: "earliest",
    autocommit: true,
    maxWaitTime: 250,
  });
  const found: PlatformaticRecord[] = [];
  for await (const record of stream) {
    found.push(record);
    if (found.length === count) break;
  }
  await consumer.close(true);
  return found;
}

function messages(topic: string, count: number, text: string): PlatformaticMessage[] {
  return Array.from({ length: count }, (_, index) => ({ topic, value: `${text} ${index}` }));
}

describe("@platformatic/kafka", () => {
  for (const compression of ["none", "gzip", "snappy", "lz4", "zstd"]) {
    test(`reads what it wrote with ${compression}`, async () => {
      const topic = await createTopic(`platformatic-${compression}`);
      const sent = messages(topic, 500, compression);
      const answer = await producer.send({ messages: sent, compression, acks: -1 });
      expect(answer.offsets).toEqual([{ topic, partition: 0, offset: 0n }]);
      const read = await take(uniqueName("group"), topic, 500);
      expect(read.map(({ value }) => value)).toEqual(sent.map(({ value }) => value ?? ""));
      expect(read.map(({ offset }) => Number(offset))).toEqual(sent.map((_, index) => index));
    });
  }

  test("keys, headers, partitions and times come back as they were", async () => {
    const topic = await createTopic("platformatic-parts", 3);
    const timestamp = 1_700_000_000_123n;
    const headers = { trace: "a-1", other: "é" };
    const message = { topic, key: "k", value: "v", headers, partition: 2, timestamp };
    await producer.send({ messages: [message], acks: -1 });
    const [read] = await take(uniqueName("group"), topic, 1);
    expect(read).toMatchObject({ key: "k", value: "v", partition: 2, offset: 0n, timestamp });
    expect([...(read?.headers ?? [])]).toEqual(Object.entries(headers));
  });

  test("an idempotent producer's requests follow one another", async () => {
    const topic = await createTopic("platformatic-idempotent");
    for (let round = 0; round < 20; round += 1) {
      const answer = await producer.send({
        messages: messages(topic, 10, `round ${round}`),
        idempotent: true,
        acks: -1,
      });
      expect(answer.offsets?.[0]?.offset).toBe(BigInt(round * 10));
    }
    expect((await take(uniqueName("group"), topic, 200)).length).toBe(200);
  });

  test("a group goes on after what it committed, and shows it", async () => {
    const topic = await createTopic("platformatic-group", 2);
    const group = uniqueName("platformatic");
    const numbered = messages(topic, 10, "line");
    await producer.send({
      messages: numbered.map((message, index) => ({ ...message, partition: index % 2 })),
      acks: -1,
    });
    const first = await take(group, topic, 10);
    expect(first.map(({ value }) => value).sort()).toEqual(
      numbered.map(({ value }) => value ?? "").sort(),
    );
    const [committed] = await admin.listConsumerGroupOffsets({ groups: [group] });
    const [offsets] = committed?.topics ?? [];
    expect(offsets?.name).toBe(topic);
    const byPartition = offsets?.partitions.map((each) => [
      each.partitionIndex,
      Number(each.committedOffset),
    ]);
    expect(byPartition?.sort()).toEqual([
      [0, 5],
      [1, 5],
    ]);
    await producer.send({ messages: messages(topic, 1, "later"), acks: -1 });
    expect((await take(group, topic, 1)).map(({ value }) => value)).toEqual(["later 0"]);
    expect((await admin.listGroups()).get(group)?.state).toBe("Empty");
    expect((await admin.describeGroups({ groups: [group] })).get(group)?.members.size).toBe(0);
    await admin.deleteGroups({ groups: [group] });
    expect((await admin.listGroups()).has(group)).toBe(false);
  }, 60_000);

  test("two members share the partitions of a topic", async () => {
    const topic = await createTopic("platformatic-share", 4);
    const group = uniqueName("platformatic-share");
    const members = [consumerOf(group), consumerOf(group)];
    const found: string[] = [];
    const done = Promise.withResolvers<void>();
    for (const member of members) {
      const stream = await member.consume({
        topics: [topic],
        mode: "committed",
        fallbackMode: "earliest",
        autocommit: true,
        maxWaitTime: 250,
        heartbeatInterval: 250,
      });
      void (async () => {
        for await (const { value } of stream) {
          found.push(value);
          if (new Set(found).size === 40) done.resolve();
        }
      })().catch(done.reject);
    }
    const sent = messages(topic, 40, "shared");
    await producer.send({
      messages: sent.map((message, index) => ({ ...message, partition: index % 4 })),
      acks: -1,
    });
    await done.promise;
    expect(new Set(found)).toEqual(new Set(sent.map(({ value }) => value ?? "")));
    const described = (await admin.describeGroups({ groups: [group] })).get(group);
    expect(described?.members.size).toBe(2);
    for (const member of members) await member.close(true);
  }, 60_000);

  test("administers topics", async () => {
    const topic = uniqueName("platformatic-admin");
    const configs = [{ name: "retention.ms", value: "3600000" }];
    const made = await admin.createTopics({ topics: [topic], partitions: 2, replicas: 1, configs });
    expect(made).toMatchObject([{ name: topic, partitions: 2, replicas: 1 }]);
    const [brokerId = 0] = (await admin.metadata({ topics: [topic] })).brokers.keys();
    const assignments = Array.from({ length: 3 }, () => ({ brokerIds: [brokerId] }));
    await admin.createPartitions({ topics: [{ name: topic, count: 5, assignments }] });
    const widened = await eventually(async () => {
      const seen = await admin.metadata({ topics: [topic], forceUpdate: true });
      const found = seen.topics.get(topic);
      return found?.partitions.length === 5 ? found : undefined;
    });
    expect(widened.id).toBe(made[0]?.id ?? "");
    const resources = [{ resourceType: 2, resourceName: topic }];
    const [described] = await admin.describeConfigs({ resources });
    const retention = described?.configs.find(({ name }) => name === "retention.ms");
    expect(retention?.value).toBe("3600000");
    expect(await admin.listTopics()).toContain(topic);
    await admin.deleteTopics({ topics: [topic] });
    await eventually(async () => (await admin.listTopics()).includes(topic) === false || undefined);
  });

  test("offsets are found by time", async () => {
    const topic = await createTopic("platformatic-offsets");
    const stamped = messages(topic, 3, "at").map((message, index) => ({
      ...message,
      timestamp: 1_700_000_000_000n + BigInt(index * 1000),
    }));
    await producer.send({ messages: stamped, acks: -1 });
    const consumer = consumerOf(uniqueName("group"));
    const at = async (timestamp: bigint) =>
      (await consumer.listOffsets({ topics: [topic], timestamp })).get(topic);
    expect(await at(1_700_000_000_500n)).toEqual([1n]);
    expect(await at(-2n)).toEqual([0n]);
    expect(await at(-1n)).toEqual([3n]);
    await consumer.close(true);
  });
});
