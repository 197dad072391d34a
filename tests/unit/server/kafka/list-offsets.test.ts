import { describe, expect, test } from "bun:test";
import { listOffsetsApi } from "../../../../src/wire/kafka/api/list-offsets.ts";
import { createKafkaFixture } from "../../../support/kafka-fixture.ts";
import { batchOf, createTopic, produce } from "../../../support/kafka-requests.ts";

describe("listOffsets", () => {
  test("answers in each version, with the leader epoch where there is a place for it", async () => {
    const client = createKafkaFixture().connect();
    await createTopic(client, "orders");
    await produce(client, batchOf({ count: 3, timestamp: 1_000 }));
    for (let version = 1; version <= 11; version++) {
      for (const [timestamp, offset] of [
        [-1, 3],
        [-2, 0],
        [500, 0],
      ] as const) {
        const answer = await client.ask(listOffsetsApi, version, {
          replicaId: -1,
          isolationLevel: 0,
          topics: [{ name: "orders", partitions: [{ partitionIndex: 0, timestamp }] }],
        });
        const partition = answer.topics[0]?.partitions[0];
        expect(partition).toMatchObject({ errorCode: 0, offset });
        expect(partition?.leaderEpoch).toBe(version < 4 ? -1 : 0);
      }
    }
  });
});
