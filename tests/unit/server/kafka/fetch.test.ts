/** Codes and empty fields are those that a Kafka 4.2 broker answered to the same requests. */
import { describe, expect, test } from "bun:test";
import type { FetchRequest as LogFetchRequest } from "../../../../src/log/log-types.ts";
import { fetchApi } from "../../../../src/wire/kafka/api/fetch.ts";
import { createKafkaFixture } from "../../../support/kafka-fixture.ts";
import {
  batchOf,
  createTopic,
  fetchOne,
  fetchRequest,
  produce,
} from "../../../support/kafka-requests.ts";

async function connected(partitions = 1) {
  const fixture = createKafkaFixture();
  const client = fixture.connect();
  const topicId = await createTopic(client, "orders", partitions);
  return { fixture, client, topicId };
}

describe("fetch", () => {
  test("returns the producer's bytes in each version, by name and by id", async () => {
    const { client, topicId } = await connected();
    const batch = batchOf({ count: 3, codec: "gzip" });
    await produce(client, batch);
    for (let version = 4; version <= 18; version++) {
      const request = version < 13 ? fetchRequest() : fetchRequest({ topicId });
      const { responses, errorCode } = await client.ask(fetchApi, version, request);
      expect(errorCode).toBe(0);
      const partition = responses[0]?.partitions[0];
      expect(partition).toMatchObject({ errorCode: 0, highWatermark: 3, lastStableOffset: 3 });
      expect(partition?.records?.subarray(16)).toEqual(batch.subarray(16));
    }
  });

  test("answers each kind of failure with Kafka's code and nothing else", async () => {
    const { client, topicId } = await connected(3);
    const partition = { fetchOffset: 0, partitionMaxBytes: 1000 };
    const { responses } = await client.ask(fetchApi, 17, {
      ...fetchRequest(),
      topics: [
        {
          topicId,
          partitions: [
            { ...partition, partition: 0, fetchOffset: 5 },
            { ...partition, partition: 50 },
          ],
        },
        { topicId: "AAAAAAAAAAAAAAAAAAAAEQ", partitions: [{ ...partition, partition: 0 }] },
      ],
    });
    const answers = responses.flatMap((topic) => topic.partitions);
    expect(answers.map(({ errorCode }) => errorCode)).toEqual([1, 3, 100]);
    for (const answer of answers) {
      expect(answer).toMatchObject({
        highWatermark: -1,
        lastStableOffset: -1,
        logStartOffset: -1,
        records: new Uint8Array(0),
      });
    }
    expect((await fetchOne(client, { topic: "nowhere" })).errorCode).toBe(3);
  });

  test("lists no aborted transactions to those who ask for committed records", async () => {
    const { client } = await connected();
    expect((await fetchOne(client)).abortedTransactions).toBeNull();
    expect((await fetchOne(client, { isolationLevel: 1 })).abortedTransactions).toEqual([]);
  });

  test("tells who leads to those who believe in an old epoch, where the version can", async () => {
    const fixture = createKafkaFixture({
      wrapLog: (log) =>
        new Proxy(log, {
          get(target, name) {
            const value = Reflect.get(target, name);
            if (name !== "fetch") return typeof value === "function" ? value.bind(target) : value;
            return async (request: LogFetchRequest) =>
              (await target.fetch(request)).map((each) => ({
                ...each,
                error: "leader_epoch_fenced",
              }));
          },
        }),
    });
    const client = fixture.connect();
    const topicId = await createTopic(client, "orders");
    for (let version = 4; version <= 18; version++) {
      const request = version < 13 ? fetchRequest() : fetchRequest({ topicId });
      const answer = await client.ask(fetchApi, version, request);
      const partition = answer.responses[0]?.partitions[0];
      expect(partition?.errorCode).toBe(74);
      expect(partition?.currentLeader.leaderId).toBe(version < 12 ? -1 : 1);
      expect(answer.nodeEndpoints).toHaveLength(version < 16 ? 0 : 1);
    }
  });

  test("waits for records and wakes when they come", async () => {
    const { fixture, client } = await connected();
    client.request(fetchApi, 12, fetchRequest({ maxWaitMs: 60_000 }));
    await produce(fixture.connect(), batchOf());
    const { responses } = await client.answer(fetchApi, 12);
    expect(responses[0]?.partitions[0]?.highWatermark).toBe(1);
  });

  test("returns one batch at least, however little is asked for", async () => {
    const { client } = await connected();
    await produce(client, batchOf({ valueBytes: 5000 }));
    await produce(client, batchOf({ valueBytes: 5000 }));
    const { records } = await fetchOne(client, { partitionMaxBytes: 1, maxBytes: 1 });
    expect(records?.length).toBeGreaterThan(5000);
    expect(records?.length).toBeLessThan(6000);
  });

  test("shrinks answers while others wait for slow readers", async () => {
    const fixture = createKafkaFixture({ responseBytesInFlightMax: 1_000_000 });
    const client = fixture.connect();
    await createTopic(client, "orders");
    for (let index = 0; index < 20; index++) {
      await produce(client, batchOf({ valueBytes: 50_000 }));
    }
    const lengths = [];
    for (let index = 0; index < 8; index++) {
      const slow = fixture.connect();
      slow.stopReading();
      slow.request(fetchApi, 12, fetchRequest());
      await new Promise((resolve) => setImmediate(resolve));
      lengths.push(fixture.context.answerMemory.waitingBytes);
    }
    expect(lengths.at(-1)).toBeLessThan(1_100_000);
    const { records } = await fetchOne(client);
    expect(records?.length).toBeLessThan(lengths[0] ?? 0);
  });

  test("answers a session with news only, and begins anew when the session is unknown", async () => {
    const { client } = await connected(2);
    const partitions = [0, 1].map((partition) => ({
      partition,
      fetchOffset: 0,
      partitionMaxBytes: 1000,
    }));
    const full = await client.ask(fetchApi, 12, {
      ...fetchRequest({ sessionEpoch: 0 }),
      topics: [{ topic: "orders", partitions }],
    });
    expect(full.responses[0]?.partitions).toHaveLength(2);
    const next = { ...fetchRequest(), topics: [], sessionId: full.sessionId };
    const quiet = await client.ask(fetchApi, 12, { ...next, sessionEpoch: 1 });
    expect(quiet).toMatchObject({ sessionId: full.sessionId, responses: [] });
    await produce(client, batchOf(), { partition: 1 });
    const news = await client.ask(fetchApi, 12, { ...next, sessionEpoch: 2 });
    expect(news.responses[0]?.partitions.map(({ partitionIndex }) => partitionIndex)).toEqual([1]);
    const stale = await client.ask(fetchApi, 12, { ...next, sessionEpoch: 2 });
    expect(stale).toMatchObject({ errorCode: 71, sessionId: 0, responses: [] });
    const unknown = await client.ask(fetchApi, 12, { ...next, sessionId: 1, sessionEpoch: 3 });
    expect(unknown).toMatchObject({ errorCode: 70, sessionId: 0, responses: [] });
  });

  test("shares a session over connections, as consumers do after a reconnect", async () => {
    const { fixture, client } = await connected();
    const full = await client.ask(fetchApi, 12, fetchRequest({ sessionEpoch: 0 }));
    const request = { ...fetchRequest(), topics: [], sessionId: full.sessionId, sessionEpoch: 1 };
    expect((await fixture.connect().ask(fetchApi, 12, request)).errorCode).toBe(0);
  });
});
