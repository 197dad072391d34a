import { describe, expect, test } from "bun:test";
import { joinedBytes } from "../../../../src/base/joined-bytes.ts";
import { kafkaHandlers } from "../../../../src/server/kafka/handlers.ts";
import { kafkaApis } from "../../../../src/wire/kafka/api-registry.ts";
import type { ApiShape } from "../../../../src/wire/kafka/api-table.ts";
import { encodeRequestFrame } from "../../../../src/wire/kafka/request-header.ts";
import { createKafkaFixture, type KafkaClient } from "../../../support/kafka-fixture.ts";
import { createTopic } from "../../../support/kafka-requests.ts";
import { createRandom } from "../../../support/virtual-platform.ts";

const uuid = "AAAAAAAAAAAAAAAAAAAAEQ";
const bytes = new Uint8Array(4);
const topicPartition = (name: string) => ({ name, topicId: uuid, partitions: [] as object[] });
const member = { groupId: "g", memberId: "m", generationId: 1 };
const resource = { resourceType: 2, resourceName: "orders" };

/** Requests that set fields of every version; each is sent with those that its version has. */
const samples: Readonly<Record<string, readonly object[]>> = {
  Produce: [
    {
      acks: 1,
      timeoutMs: 1,
      topicData: [{ name: "orders", topicId: uuid, partitionData: [{ index: 0, records: bytes }] }],
    },
  ],
  Fetch: [
    {
      maxWaitMs: 0,
      minBytes: 0,
      topics: [
        {
          topic: "orders",
          topicId: uuid,
          partitions: [
            { partition: 0, fetchOffset: 0, partitionMaxBytes: 1 },
            { partition: 9, fetchOffset: 0, partitionMaxBytes: 1 },
          ],
        },
      ],
    },
  ],
  ListOffsets: [
    {
      replicaId: -1,
      isolationLevel: 0,
      topics: [
        {
          name: "orders",
          partitions: [
            { partitionIndex: 0, timestamp: -1 },
            { partitionIndex: 9, timestamp: 5 },
          ],
        },
        { name: "gone", partitions: [{ partitionIndex: 0, timestamp: -2 }] },
      ],
    },
  ],
  Metadata: [{ topics: [{ name: "orders" }, { name: "b/ad" }] }, { topics: [] }],
  OffsetCommit: [
    {
      groupId: "g",
      topics: [
        {
          name: "orders",
          topicId: uuid,
          partitions: [{ partitionIndex: 0, committedOffset: 1, committedMetadata: null }],
        },
      ],
    },
  ],
  OffsetFetch: [
    {
      groupId: "g",
      topics: [{ name: "orders", partitionIndexes: [0] }],
      groups: [
        { groupId: "g", topics: [{ name: "orders", topicId: uuid, partitionIndexes: [0] }] },
      ],
    },
    { groupId: "", topics: [], groups: [{ groupId: "", topics: null }] },
  ],
  FindCoordinator: [
    { key: "g", coordinatorKeys: ["g"] },
    { key: "t", keyType: 1, coordinatorKeys: ["t"] },
  ],
  JoinGroup: [
    {
      groupId: "",
      sessionTimeoutMs: 1,
      memberId: "",
      protocolType: "consumer",
      protocols: [{ name: "range", metadata: bytes }],
    },
  ],
  Heartbeat: [member],
  LeaveGroup: [{ groupId: "g", memberId: "m", members: [{ memberId: "m" }] }],
  SyncGroup: [{ ...member, assignments: [{ memberId: "m", assignment: bytes }] }],
  DescribeGroups: [{ groups: ["g", ""], includeAuthorizedOperations: true }],
  ListGroups: [{ statesFilter: [], typesFilter: [] }],
  SaslHandshake: [{ mechanism: "PLAIN" }],
  ApiVersions: [{ clientSoftwareName: "test", clientSoftwareVersion: "1" }, {}],
  CreateTopics: [
    {
      topics: [
        { name: "orders", numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] },
        { name: "new", numPartitions: 1, replicationFactor: 3, assignments: [], configs: [] },
      ],
      validateOnly: true,
    },
  ],
  DeleteTopics: [
    { topics: [{ name: "gone", topicId: "A".repeat(22) }], topicNames: ["gone"], timeoutMs: 1 },
  ],
  DeleteRecords: [
    {
      topics: [
        { name: "orders", partitions: [{ partitionIndex: 0, offset: 99 }] },
        topicPartition("gone"),
      ],
      timeoutMs: 1,
    },
  ],
  InitProducerId: [
    { transactionalId: null, transactionTimeoutMs: 1 },
    { transactionalId: "t", transactionTimeoutMs: 1 },
  ],
  OffsetForLeaderEpoch: [
    {
      topics: [
        {
          topic: "orders",
          partitions: [
            { partition: 0, leaderEpoch: 0 },
            { partition: 9, leaderEpoch: 0 },
          ],
        },
      ],
    },
  ],
  DescribeConfigs: [
    {
      resources: [
        resource,
        { ...resource, resourceName: "gone" },
        { resourceType: 4, resourceName: "1" },
      ].map((each) => ({ ...each, configurationKeys: null })),
      includeSynonyms: true,
      includeDocumentation: true,
    },
  ],
  AlterConfigs: [
    { resources: [{ ...resource, configs: [{ name: "nope", value: "1" }] }], validateOnly: true },
  ],
  SaslAuthenticate: [{ authBytes: bytes }],
  CreatePartitions: [
    { topics: [{ name: "orders", count: 0, assignments: null }], timeoutMs: 1, validateOnly: true },
  ],
  DeleteGroups: [{ groupsNames: ["gone", ""] }],
  IncrementalAlterConfigs: [
    {
      resources: [{ ...resource, configs: [{ name: "nope", configOperation: 0, value: "1" }] }],
      validateOnly: true,
    },
  ],
  OffsetDelete: [
    { groupId: "gone", topics: [{ name: "orders", partitions: [{ partitionIndex: 0 }] }] },
  ],
  DescribeCluster: [
    { includeClusterAuthorizedOperations: true, includeFencedBrokers: false },
    { includeClusterAuthorizedOperations: true, includeFencedBrokers: false, endpointType: 2 },
  ],
  DescribeTopicPartitions: [
    { topics: [{ name: "orders" }, { name: "gone" }] },
    { topics: [{ name: "orders" }], cursor: { topicName: "orders", partitionIndex: -1 } },
  ],
};

/** Leaves out what `version` lacks, also within: a client of that version does not have it. */
function ofVersion(fields: ApiShape["request"]["fields"], version: number, value: object): object {
  const known = Object.entries(value).filter(([name]) => {
    const { since = 0, until = Number.POSITIVE_INFINITY } = fields[name]?.options ?? {};
    return version >= since && version <= until;
  });
  const cut = known.map(([name, inner]) => {
    const type = fields[name]?.type;
    const element = type?.kind === "array" ? type.element : type;
    if (element?.kind !== "struct" || inner === null) return [name, inner];
    const one = (each: object) => ofVersion(element.fields, version, each);
    return [name, Array.isArray(inner) ? inner.map(one) : one(inner)];
  });
  return Object.fromEntries(cut);
}

async function connected() {
  const fixture = createKafkaFixture({ settings: { autoCreateTopics: false } });
  await createTopic(fixture.connect(), "orders");
  return fixture;
}

async function answers(client: KafkaClient): Promise<boolean> {
  return (await client.receive()) !== undefined;
}

describe("kafkaHandlers", () => {
  test("serves every API that has a table", () => {
    expect([...kafkaHandlers.keys()].sort()).toEqual(kafkaApis.map(({ key }) => key).sort());
  });

  for (const { api } of kafkaHandlers.values()) {
    const { min, max } = api.versions;
    test(`answers ${api.name} ${min} to ${max}, what goes well and what does not`, async () => {
      const fixture = await connected();
      const requests = samples[api.name] ?? [];
      expect(requests).not.toBeEmpty();
      for (let version = min; version <= max; version++) {
        for (const request of requests) {
          const client = fixture.connect();
          const fitted = ofVersion(api.request.fields, version, request);
          const envelope = { apiVersion: version, correlationId: 1, clientId: "test" };
          client.send(joinedBytes(encodeRequestFrame(api, envelope, fitted).chunks));
          expect([version, await answers(client)]).toEqual([version, true]);
        }
      }
      expect(fixture.lines.filter(({ level }) => level !== "info")).toEqual([]);
    });
  }

  test("survives random bodies: an answer or a closed connection, nothing unforeseen", async () => {
    const fixture = await connected();
    const random = createRandom(7);
    for (const { api } of kafkaHandlers.values()) {
      for (let round = 0; round < 20; round++) {
        const { min, max } = api.versions;
        const version = min + Math.floor(random.uniform() * (max - min + 1));
        const body = random.bytes(Math.floor(random.uniform() * 60)).map((byte) => byte & 0x03);
        const frame = new Uint8Array(15 + body.length);
        const view = new DataView(frame.buffer);
        view.setInt32(0, frame.length - 4);
        view.setInt16(4, api.key);
        view.setInt16(6, version);
        view.setInt16(12, 0);
        frame.set(body, 15);
        const client = fixture.connect();
        client.send(frame);
        client.end();
        while (await answers(client)) {
          // Until the server closes.
        }
      }
    }
    expect(fixture.lines.filter(({ level }) => level === "error")).toEqual([]);
    expect(fixture.context.requestBudget.takenBytes).toBe(0);
  });
});
