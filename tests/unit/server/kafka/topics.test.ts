/**
 * Topics and their configs over the Kafka protocol. Codes, empty fields and the order of checks are
 * those of a Kafka 4.2 broker asked the same, save where a comment says what differs and why.
 */
import { describe, expect, test } from "bun:test";
import { alterConfigsApi } from "../../../../src/wire/kafka/api/alter-configs.ts";
import { createPartitionsApi } from "../../../../src/wire/kafka/api/create-partitions.ts";
import { createTopicsApi } from "../../../../src/wire/kafka/api/create-topics.ts";
import { deleteRecordsApi } from "../../../../src/wire/kafka/api/delete-records.ts";
import { deleteTopicsApi } from "../../../../src/wire/kafka/api/delete-topics.ts";
import { describeClusterApi } from "../../../../src/wire/kafka/api/describe-cluster.ts";
import { describeConfigsApi } from "../../../../src/wire/kafka/api/describe-configs.ts";
import { describeTopicPartitionsApi } from "../../../../src/wire/kafka/api/describe-topic-partitions.ts";
import { incrementalAlterConfigsApi } from "../../../../src/wire/kafka/api/incremental-alter-configs.ts";
import { initProducerIdApi } from "../../../../src/wire/kafka/api/init-producer-id.ts";
import { listOffsetsApi } from "../../../../src/wire/kafka/api/list-offsets.ts";
import { metadataApi } from "../../../../src/wire/kafka/api/metadata.ts";
import { offsetForLeaderEpochApi } from "../../../../src/wire/kafka/api/offset-for-leader-epoch.ts";
import { createKafkaFixture, type KafkaClient } from "../../../support/kafka-fixture.ts";
import { batchOf, createTopic, produce, topicRequest } from "../../../support/kafka-requests.ts";

const noId = "AAAAAAAAAAAAAAAAAAAAAA";
const wrongId = "AAAAAAAAAAAAAAAAAAAAEQ";

function connect(): KafkaClient {
  return createKafkaFixture().connect();
}

async function withOrders(partitions = 1, config = {}) {
  const client = connect();
  const topicId = await createTopic(client, "orders", partitions, config);
  return { client, topicId };
}

describe("Metadata", () => {
  test("lists all topics for null, and for an empty list in version 0 only", async () => {
    const { client } = await withOrders(2);
    const names = async (version: number, topics: [] | null) =>
      (await client.ask(metadataApi, version, { topics })).topics.map(({ name }) => name);
    expect(await names(0, [])).toEqual(["orders"]);
    expect(await names(1, [])).toEqual([]);
    expect(await names(1, null)).toEqual(["orders"]);
    expect(await names(13, null)).toEqual(["orders"]);
  });

  test("marks the server's own topics as internal", async () => {
    const { client } = await withOrders(1);
    await createTopic(client, "__millrace_checkpoint.q", 1);
    const { topics } = await client.ask(metadataApi, 12, { topics: null });
    const described = await client.ask(describeTopicPartitionsApi, 0, { topics: [] });
    for (const each of [topics, described.topics]) {
      expect(each.map(({ name, isInternal }) => [name, isInternal]).sort()).toEqual([
        ["__millrace_checkpoint.q", true],
        ["orders", false],
      ]);
    }
  });

  test("names workers, leaders and epochs", async () => {
    const { client, topicId } = await withOrders(2);
    const answer = await client.ask(metadataApi, 12, { topics: [{ name: "orders" }] });
    expect(answer).toMatchObject({
      brokers: [{ nodeId: 1, host: "127.0.0.1", port: 9092, rack: null }],
      clusterId: "memory",
      controllerId: 1,
      clusterAuthorizedOperations: -0x80000000,
    });
    expect(answer.topics[0]).toMatchObject({ errorCode: 0, topicId, isInternal: false });
    expect(answer.topics[0]?.partitions[1]).toEqual({
      errorCode: 0,
      partitionIndex: 1,
      leaderId: 1,
      leaderEpoch: 0,
      replicaNodes: [1],
      isrNodes: [1],
      offlineReplicas: [],
    });
  });

  test("answers for each name what is wrong with it", async () => {
    const { client } = await withOrders();
    const { topics } = await client.ask(metadataApi, 12, {
      topics: [{ name: "gone" }, { name: "b/ad" }, { name: "" }],
      allowAutoTopicCreation: false,
      includeTopicAuthorizedOperations: true,
    });
    expect(topics.map(({ errorCode }) => errorCode)).toEqual([3, 17, 17]);
    expect(topics[0]).toMatchObject({ topicId: noId, topicAuthorizedOperations: 3576 });
  });

  test("finds topics by id, and then looks at ids only", async () => {
    const { client, topicId } = await withOrders();
    const { topics } = await client.ask(metadataApi, 12, {
      topics: [{ topicId, name: null }, { topicId: wrongId, name: null }, { name: "gone" }],
    });
    expect(topics.map(({ name, errorCode }) => [name, errorCode])).toEqual([
      ["orders", 0],
      [null, 100],
    ]);
  });

  test("refuses ids in the versions that had the field too early", async () => {
    const { client, topicId } = await withOrders();
    const answer = await client.ask(metadataApi, 10, { topics: [{ topicId, name: null }] });
    expect(answer).toMatchObject({ brokers: [], clusterId: null, controllerId: -1 });
    expect(answer.topics[0]).toMatchObject({ errorCode: 42, name: "", topicId });
  });

  // Kafka answers UNKNOWN_TOPIC_OR_PARTITION here and has the topic when asked again.
  test("creates a missing topic where client and setting allow it", async () => {
    const { client } = await withOrders();
    const ask = async (allowAutoTopicCreation: boolean) => {
      const topics = [{ name: "fresh" }];
      const answer = await client.ask(metadataApi, 12, { topics, allowAutoTopicCreation });
      return answer.topics[0];
    };
    expect((await ask(false))?.errorCode).toBe(3);
    expect(await ask(true)).toMatchObject({ errorCode: 0, name: "fresh" });
    expect((await ask(false))?.errorCode).toBe(0);
    const off = createKafkaFixture({ settings: { autoCreateTopics: false } }).connect();
    const answer = await off.ask(metadataApi, 12, { topics: [{ name: "fresh" }] });
    expect(answer.topics[0]?.errorCode).toBe(3);
  });

  test("says why a topic could not be created on the way", async () => {
    const client = connect();
    await createTopic(client, "a.b");
    const { topics } = await client.ask(metadataApi, 12, { topics: [{ name: "a_b" }] });
    expect(topics[0]?.errorCode).toBe(17);
  });
});

describe("DescribeCluster", () => {
  test("names the workers and what may be done", async () => {
    const answer = await connect().ask(describeClusterApi, 2, {
      includeClusterAuthorizedOperations: true,
      includeFencedBrokers: false,
    });
    expect(answer).toMatchObject({
      errorCode: 0,
      clusterId: "memory",
      controllerId: 1,
      brokers: [{ brokerId: 1, host: "127.0.0.1", port: 9092, isFenced: false }],
      clusterAuthorizedOperations: 8096,
    });
  });

  test("is no endpoint of controllers", async () => {
    const answer = await connect().ask(describeClusterApi, 2, {
      includeClusterAuthorizedOperations: false,
      includeFencedBrokers: false,
      endpointType: 2,
    });
    expect(answer).toMatchObject({ errorCode: 114, endpointType: 1, brokers: [] });
  });
});

describe("CreateTopics", () => {
  const create = async (client: KafkaClient, ...topics: ReturnType<typeof topicRequest>[]) =>
    (await client.ask(createTopicsApi, 7, { topics })).topics;

  test("describes what it made", async () => {
    const [topic] = await create(connect(), topicRequest("orders", 3, { "retention.ms": "1000" }));
    expect(topic).toMatchObject({ errorCode: 0, numPartitions: 3, replicationFactor: 1 });
    const config = (name: string) => topic?.configs?.find((each) => each.name === name);
    expect(config("retention.ms")).toMatchObject({ value: "1000", configSource: 1 });
    expect(config("cleanup.policy")).toMatchObject({ value: "delete", configSource: 5 });
  });

  test("answers each refusal with its code and nothing else", async () => {
    const { client } = await withOrders();
    await createTopic(client, "a.b");
    const refused: readonly (readonly [number, object])[] = [
      [36, { name: "orders" }],
      [17, { name: "or/ders" }],
      [17, { name: "" }],
      [17, { name: "x".repeat(250) }],
      [17, { name: "a_b" }],
      [37, { numPartitions: 0 }],
      [37, { numPartitions: -5 }],
      [38, { replicationFactor: 0 }],
      [38, { replicationFactor: -3 }],
      [40, { configs: [{ name: "retention.ms", value: null }] }],
    ];
    for (const [code, change] of refused) {
      const [topic] = await create(client, { ...topicRequest("fresh"), ...change });
      expect([change, topic?.errorCode]).toEqual([change, code]);
      expect(topic).toMatchObject({ topicId: noId, numPartitions: -1, replicationFactor: -1 });
    }
  });

  // Kafka refuses more replicas than brokers; here the store replicates.
  test("accepts any replication factor", async () => {
    const [topic] = await create(connect(), { ...topicRequest("orders"), replicationFactor: 3 });
    expect(topic).toMatchObject({ errorCode: 0, replicationFactor: 3 });
  });

  test("judges manual assignments as Kafka does", async () => {
    const place = (partitionIndex: number, ...brokerIds: number[]) => ({
      partitionIndex,
      brokerIds,
    });
    const cases: readonly (readonly [number, object])[] = [
      [0, { assignments: [place(1, 1), place(0, 1)] }],
      [42, { assignments: [place(0, 1)], numPartitions: 2 }],
      [42, { assignments: [place(0, 1)], replicationFactor: 1 }],
      [39, { assignments: [place(1, 1)] }],
      [39, { assignments: [place(0, 9)] }],
      [39, { assignments: [place(0)] }],
      [39, { assignments: [place(0, 1, 1)] }],
    ];
    for (const [code, change] of cases) {
      const [topic] = await create(connect(), { ...topicRequest("orders", -1), ...change });
      expect([change, topic?.errorCode]).toEqual([change, code]);
      if (code === 0) expect(topic?.numPartitions).toBe(2);
    }
  });

  test("refuses a name that comes twice, and makes the others", async () => {
    const topics = await create(
      connect(),
      topicRequest("twice"),
      topicRequest("twice", 2),
      topicRequest("once"),
    );
    expect(topics.map(({ name, errorCode }) => [name, errorCode])).toEqual([
      ["twice", 42],
      ["once", 0],
    ]);
  });

  test("only checks when asked to", async () => {
    const client = connect();
    const topics = [topicRequest("orders", 2)];
    const checked = await client.ask(createTopicsApi, 7, { topics, validateOnly: true });
    expect(checked.topics[0]).toMatchObject({ errorCode: 0, numPartitions: 2 });
    expect((await client.ask(metadataApi, 12, { topics: null })).topics).toEqual([]);
  });
});

describe("DeleteTopics", () => {
  test("takes names and ids, and refuses both, neither and repetitions", async () => {
    const { client, topicId } = await withOrders();
    const other = await createTopic(client, "other");
    await createTopic(client, "twice");
    const { responses } = await client.ask(deleteTopicsApi, 6, {
      topics: [
        { name: "orders", topicId: noId },
        { name: null, topicId: wrongId },
        { name: "gone", topicId: noId },
        { name: "other", topicId: other },
        { name: null, topicId: noId },
        { name: "twice", topicId: noId },
        { name: "twice", topicId: noId },
      ],
      timeoutMs: 1000,
    });
    expect(responses.map(({ name, topicId: id, errorCode }) => [name, id, errorCode])).toEqual([
      ["orders", topicId, 0],
      [null, wrongId, 100],
      ["gone", noId, 3],
      ["other", other, 42],
      [null, noId, 42],
      ["twice", noId, 42],
    ]);
    const byId = await client.ask(deleteTopicsApi, 6, {
      topics: [{ name: null, topicId: other }],
      timeoutMs: 1000,
    });
    expect(byId.responses[0]).toMatchObject({ name: "other", errorCode: 0 });
  });

  test("takes plain names in old versions", async () => {
    const { client } = await withOrders();
    const request = { topicNames: ["orders", "gone"], timeoutMs: 1000 };
    const { responses } = await client.ask(deleteTopicsApi, 5, request);
    expect(responses.map(({ errorCode }) => errorCode)).toEqual([0, 3]);
  });
});

describe("CreatePartitions", () => {
  test("adds partitions, and refuses what is no increase", async () => {
    const { client } = await withOrders(3);
    const add = async (count: number, change: object = {}, validateOnly = false) => {
      const topics = [{ name: "orders", count, assignments: null, ...change }];
      const answer = await client.ask(createPartitionsApi, 3, {
        topics,
        timeoutMs: 1000,
        validateOnly,
      });
      return answer.results[0]?.errorCode;
    };
    expect(await add(3)).toBe(37);
    expect(await add(2)).toBe(37);
    expect(await add(5, { assignments: [{ brokerIds: [1] }] })).toBe(39);
    expect(await add(4, { assignments: [{ brokerIds: [7] }] })).toBe(39);
    expect(await add(4, { name: "gone" })).toBe(3);
    expect(await add(9, {}, true)).toBe(0);
    expect(await add(4)).toBe(0);
    const { topics } = await client.ask(metadataApi, 12, { topics: [{ name: "orders" }] });
    expect(topics[0]?.partitions).toHaveLength(4);
  });
});

describe("configs", () => {
  const describeTopic = async (client: KafkaClient, ...names: string[]) => {
    const resource = { resourceType: 2, resourceName: "orders", configurationKeys: names };
    const answer = await client.ask(describeConfigsApi, 4, {
      resources: [resource],
      includeSynonyms: true,
      includeDocumentation: true,
    });
    return answer.results[0]?.configs ?? [];
  };

  test("DescribeConfigs tells value, source, synonyms and type", async () => {
    const { client } = await withOrders(1, { "cleanup.policy": "compact" });
    const configs = await describeTopic(client, "cleanup.policy", "max.message.bytes", "nope");
    expect(configs).toMatchObject([
      {
        name: "cleanup.policy",
        value: "compact",
        readOnly: false,
        configSource: 1,
        isSensitive: false,
        synonyms: [
          { name: "cleanup.policy", value: "compact", source: 1 },
          { name: "log.cleanup.policy", value: "delete", source: 5 },
        ],
        configType: 7,
      },
      {
        name: "max.message.bytes",
        value: "1048588",
        configSource: 5,
        synonyms: [{ name: "message.max.bytes", value: "1048588", source: 5 }],
        configType: 3,
      },
    ]);
    expect(configs[0]?.documentation).not.toBeEmpty();
    expect((await describeTopic(client)).length).toBeGreaterThan(30);
  });

  test("DescribeConfigs knows this worker and no other", async () => {
    const ask = async (resourceType: number, resourceName: string) => {
      const resources = [{ resourceType, resourceName, configurationKeys: null }];
      const answer = await connect().ask(describeConfigsApi, 4, { resources });
      return answer.results[0];
    };
    const self = await ask(4, "1");
    const nodeId = self?.configs.find(({ name }) => name === "node.id");
    expect(nodeId).toMatchObject({ value: "1", readOnly: true, configSource: 4 });
    expect(await ask(4, "")).toMatchObject({ errorCode: 0, configs: [] });
    expect(await ask(4, "9")).toMatchObject({ errorCode: 42, configs: [] });
    expect(await ask(4, "x")).toMatchObject({ errorCode: 42, configs: [] });
    expect(await ask(2, "gone")).toMatchObject({ errorCode: 3, configs: [] });
    expect(await ask(2, "b/ad")).toMatchObject({ errorCode: 17, configs: [] });
    expect(await ask(77, "1")).toMatchObject({ errorCode: 42, configs: [] });
  });

  const set = (name: string, value: string | null, configOperation = 0) => ({
    name,
    value,
    configOperation,
  });

  const alter = async (client: KafkaClient, ...configs: ReturnType<typeof set>[]) => {
    const resources = [{ resourceType: 2, resourceName: "orders", configs }];
    const request = { resources, validateOnly: false };
    const answer = await client.ask(incrementalAlterConfigsApi, 1, request);
    return answer.responses[0]?.errorCode;
  };

  test("IncrementalAlterConfigs sets, deletes, appends and subtracts", async () => {
    const { client } = await withOrders();
    const policy = async () => (await describeTopic(client, "cleanup.policy"))[0]?.value;
    expect(await alter(client, set("cleanup.policy", "compact", 2))).toBe(0);
    expect(await policy()).toBe("delete,compact");
    expect(await alter(client, set("cleanup.policy", "delete", 3))).toBe(0);
    expect(await policy()).toBe("compact");
    expect(await alter(client, set("cleanup.policy", null, 1))).toBe(0);
    expect(await policy()).toBe("delete");
  });

  test("IncrementalAlterConfigs refuses what Kafka refuses, and then changes nothing", async () => {
    const { client } = await withOrders();
    const good = set("segment.ms", "5");
    expect(await alter(client, good, set("retention.ms", "1", 2))).toBe(40);
    expect(await alter(client, good, set("nope", "1"))).toBe(40);
    expect(await alter(client, good, set("retention.ms", "abc"))).toBe(40);
    expect(await alter(client, good, set("retention.ms", null))).toBe(42);
    expect(await alter(client, good, good)).toBe(42);
    expect(await alter(client, good, set("retention.ms", "1", 9))).toBe(42);
    expect((await describeTopic(client, "segment.ms"))[0]?.configSource).toBe(5);
  });

  test("IncrementalAlterConfigs refuses a resource that comes twice, and unknown ones", async () => {
    const { client } = await withOrders();
    const one = { resourceType: 2, resourceName: "orders", configs: [set("segment.ms", "5")] };
    const ask = async (...resources: (typeof one)[]) => {
      const request = { resources, validateOnly: false };
      const answer = await client.ask(incrementalAlterConfigsApi, 1, request);
      return answer.responses.map(({ errorCode }) => errorCode);
    };
    expect(await ask(one, one)).toEqual([42, 42]);
    expect(await ask({ ...one, resourceName: "gone" }, { ...one, resourceType: 77 })).toEqual([
      3, 42,
    ]);
    // Kafka changes brokers' configs; here they are the worker's settings.
    expect(await ask({ ...one, resourceType: 4, resourceName: "1" })).toEqual([42]);
  });

  test("AlterConfigs returns what it does not list to the default", async () => {
    const { client } = await withOrders(1, { "retention.ms": "77", "segment.ms": "5" });
    const ask = async (validateOnly: boolean, value: string | null) => {
      const configs = [{ name: "segment.ms", value }];
      const resources = [{ resourceType: 2, resourceName: "orders", configs }];
      const answer = await client.ask(alterConfigsApi, 2, { resources, validateOnly });
      return answer.responses[0]?.errorCode;
    };
    const values = async () =>
      (await describeTopic(client, "retention.ms", "segment.ms")).map(({ value }) => value);
    expect(await ask(true, "9")).toBe(0);
    expect(await values()).toEqual(["77", "5"]);
    expect(await ask(false, "9")).toBe(0);
    expect(await values()).toEqual(["604800000", "9"]);
    expect(await ask(false, null)).toBe(42);
  });
});

describe("DescribeTopicPartitions", () => {
  const ask = async (
    client: KafkaClient,
    names: readonly string[],
    limit: number,
    cursor: { topicName: string; partitionIndex: number } | null = null,
  ) => {
    const answer = await client.ask(describeTopicPartitionsApi, 0, {
      topics: names.map((name) => ({ name })),
      responsePartitionLimit: limit,
      cursor,
    });
    const topics = answer.topics.map(({ name, errorCode, partitions }) => [
      name,
      errorCode,
      partitions.map(({ partitionIndex }) => partitionIndex),
    ]);
    return { topics, next: answer.nextCursor };
  };

  test("pages through partitions in the order of names", async () => {
    const { client } = await withOrders(4);
    await createTopic(client, "clicks", 2);
    expect(await ask(client, ["orders"], 2)).toEqual({
      topics: [["orders", 0, [0, 1]]],
      next: { topicName: "orders", partitionIndex: 2 },
    });
    const cursor = { topicName: "orders", partitionIndex: 2 };
    expect(await ask(client, ["orders", "users"], 2, cursor)).toEqual({
      topics: [
        ["orders", 0, [2, 3]],
        ["users", 3, []],
      ],
      next: null,
    });
    expect((await ask(client, [], 3)).topics).toEqual([
      ["clicks", 0, [0, 1]],
      ["orders", 0, [0]],
    ]);
    expect(await ask(client, [], 2)).toMatchObject({
      next: { topicName: "orders", partitionIndex: 0 },
    });
    expect((await ask(client, [], 9, { topicName: "d", partitionIndex: 0 })).topics).toHaveLength(
      1,
    );
  });

  test("gives one partition for a limit of 0 and refuses a cursor before the first", async () => {
    const { client } = await withOrders(2);
    expect((await ask(client, ["orders"], 0)).topics).toEqual([["orders", 0, [0]]]);
    const cursor = { topicName: "orders", partitionIndex: -2 };
    expect((await ask(client, ["orders"], 2, cursor)).topics).toEqual([["orders", 42, []]]);
  });
});

describe("offsets", () => {
  test("ListOffsets answers special timestamps by version", async () => {
    const { client } = await withOrders();
    await produce(client, batchOf({ count: 3, timestamp: 1000 }));
    const ask = async (timestamp: number, version = 11, change: object = {}) => {
      const partitions = [{ partitionIndex: 0, timestamp, ...change }];
      const topics = [{ name: "orders", partitions }];
      const request = { replicaId: -1, isolationLevel: 0, topics };
      const answer = await client.ask(listOffsetsApi, version, request);
      const { errorCode, offset, timestamp: found } = answer.topics[0]?.partitions[0] ?? {};
      return [errorCode, offset, found];
    };
    expect(await ask(-1)).toEqual([0, 3, -1]);
    expect(await ask(-2)).toEqual([0, 0, -1]);
    expect(await ask(-3)).toEqual([0, 0, 1000]);
    expect(await ask(-4)).toEqual([0, 0, -1]);
    expect(await ask(-5)).toEqual([0, -1, -1]);
    expect(await ask(-6)).toEqual([0, -1, -1]);
    expect(await ask(-7)).toEqual([35, -1, -1]);
    expect(await ask(-3, 6)).toEqual([35, -1, -1]);
    expect(await ask(-4, 7)).toEqual([35, -1, -1]);
    expect(await ask(0)).toEqual([0, 0, 1000]);
    expect(await ask(1001)).toEqual([0, -1, -1]);
    expect(await ask(-1, 11, { partitionIndex: 9 })).toEqual([3, -1, -1]);
    expect(await ask(-1, 11, { currentLeaderEpoch: 0 })).toEqual([0, 3, -1]);
    expect(await ask(-1, 11, { currentLeaderEpoch: 5 })).toEqual([75, -1, -1]);
  });

  test("ListOffsets refuses a partition that comes twice, once", async () => {
    const { client } = await withOrders();
    const partition = { partitionIndex: 0, timestamp: -1 };
    const topics = [{ name: "orders", partitions: [partition, partition] }];
    const request = { replicaId: -1, isolationLevel: 0, topics };
    const answer = await client.ask(listOffsetsApi, 11, request);
    expect(answer.topics[0]?.partitions.map(({ errorCode }) => errorCode)).toEqual([42]);
  });

  test("DeleteRecords moves the start, and refuses what lies outside", async () => {
    const { client } = await withOrders(1);
    await createTopic(client, "compacted", 1, { "cleanup.policy": "compact" });
    await produce(client, batchOf({ count: 3 }));
    const ask = async (offset: number, partitionIndex = 0, name = "orders") => {
      const topics = [{ name, partitions: [{ partitionIndex, offset }] }];
      const answer = await client.ask(deleteRecordsApi, 2, { topics, timeoutMs: 1000 });
      const { errorCode, lowWatermark } = answer.topics[0]?.partitions[0] ?? {};
      return [errorCode, lowWatermark];
    };
    expect(await ask(2)).toEqual([0, 2]);
    expect(await ask(4)).toEqual([1, -1]);
    expect(await ask(-2)).toEqual([1, -1]);
    expect(await ask(-1)).toEqual([0, 3]);
    expect(await ask(0, 9)).toEqual([3, -1]);
    expect(await ask(0, 0, "gone")).toEqual([3, -1]);
    expect(await ask(-1, 0, "compacted")).toEqual([44, -1]);
  });

  test("OffsetForLeaderEpoch tells ends, and who believes in a wrong epoch", async () => {
    const { client } = await withOrders();
    await produce(client, batchOf({ count: 3 }));
    const ask = async (partition: object) => {
      const partitions = [{ partition: 0, leaderEpoch: 0, ...partition }];
      const topics = [{ topic: "orders", partitions }];
      const answer = await client.ask(offsetForLeaderEpochApi, 4, { topics });
      const { errorCode, leaderEpoch, endOffset } = answer.topics[0]?.partitions[0] ?? {};
      return [errorCode, leaderEpoch, endOffset];
    };
    expect(await ask({})).toEqual([0, 0, 3]);
    expect(await ask({ currentLeaderEpoch: 0 })).toEqual([0, 0, 3]);
    expect(await ask({ currentLeaderEpoch: 3 })).toEqual([75, -1, -1]);
    expect(await ask({ partition: 8 })).toEqual([3, -1, -1]);
  });
});

describe("InitProducerId", () => {
  test("gives fresh ids, also to who brings one, and refuses transactions for good", async () => {
    const client = connect();
    const ask = async (request: object) => {
      const base = { transactionalId: null, transactionTimeoutMs: 1000 };
      const answer = await client.ask(initProducerIdApi, 5, { ...base, ...request });
      return [answer.errorCode, answer.producerId, answer.producerEpoch];
    };
    expect(await ask({})).toEqual([0, 1000, 0]);
    expect(await ask({ producerId: 1000, producerEpoch: 3 })).toEqual([0, 1001, 0]);
    expect(await ask({ producerId: 1000 })).toEqual([42, -1, -1]);
    expect(await ask({ transactionalId: "" })).toEqual([42, -1, -1]);
    expect(await ask({ transactionalId: "tx" })).toEqual([53, -1, -1]);
  });
});
