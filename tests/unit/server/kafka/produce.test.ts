/** The codes are those that a Kafka 4.2 broker answered to the same requests. */

import { describe, expect, test } from "bun:test";
import { joinedBytes } from "../../../../src/base/joined-bytes.ts";
import { StreamError } from "../../../../src/base/stream-error.ts";
import type { AppendBatch, LogService, TopicService } from "../../../../src/log/log-types.ts";
import type { TopicInfo } from "../../../../src/meta/catalog.ts";
import type { BatchHeader } from "../../../../src/record/batch.ts";
import { batchLayout } from "../../../../src/record/batch-layout.ts";
import type { TopicId } from "../../../../src/record/types.ts";
import { fetchApi } from "../../../../src/wire/kafka/api/fetch.ts";
import { produceApi } from "../../../../src/wire/kafka/api/produce.ts";
import { kafkaErrors } from "../../../../src/wire/kafka/error-code.ts";
import { encodeRequestFrame } from "../../../../src/wire/kafka/request-header.ts";
import { createKafkaFixture, type KafkaClient } from "../../../support/kafka-fixture.ts";
import {
  batchOf,
  createTopic,
  fetchOne,
  fetchRequest,
  produce,
  produceRequest,
} from "../../../support/kafka-requests.ts";
import type { MemoryLog } from "../../../support/memory-log.ts";
import { crc32c } from "../../../support/record-tools.ts";

async function connected(
  ...topic: Parameters<typeof createTopic> extends [unknown, ...infer T] ? T : never
) {
  const fixture = createKafkaFixture();
  const client = fixture.connect();
  const topicId = await createTopic(client, ...topic);
  return { fixture, client, topicId };
}

/** A batch with one byte changed and a CRC that fits again. */
function altered(position: number, change: (byte: number) => number): Uint8Array {
  const batch = batchOf();
  batch[position] = change(batch[position] ?? 0);
  const crc = crc32c.of(batch.subarray(batchLayout.attributes));
  new DataView(batch.buffer, batch.byteOffset).setUint32(batchLayout.crc, crc);
  return batch;
}

async function highOffset(client: KafkaClient): Promise<number> {
  return (await fetchOne(client)).highWatermark;
}

/** Topics as a worker knows them that has not heard of partitions which a peer added. */
function staleTopics(log: MemoryLog): TopicService {
  const asFirstMade = async (topic: Promise<TopicInfo | undefined>) => {
    const found = await topic;
    return found && { ...found, partitionCount: 1 };
  };
  return new Proxy(log, {
    get(target, name) {
      if (name === "byName") return (text: string) => asFirstMade(target.byName(text));
      if (name === "byId") return (id: TopicId) => asFirstMade(target.byId(id));
      const value = Reflect.get(target, name);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

/** Topics whose first lookup by name fails. */
function failingTopics(log: MemoryLog): TopicService {
  let isFirst = true;
  return new Proxy(log, {
    get(target, name) {
      const value = Reflect.get(target, name);
      if (name !== "byName") return typeof value === "function" ? value.bind(target) : value;
      return async (text: string) => {
        if (!isFirst) return target.byName(text);
        isFirst = false;
        throw new StreamError("metadata_unavailable", "Nobody answers");
      };
    },
  });
}

describe("produce", () => {
  test("appends nothing that came behind a refused batch of an idempotent producer", async () => {
    const fixture = createKafkaFixture({ wrapTopics: failingTopics });
    const topics = fixture.connect();
    await createTopic(topics, "orders");
    const send = (client: KafkaClient, baseSequence: number) => {
      const records = batchOf({ producerId: 7, producerEpoch: 0, baseSequence });
      client.request(produceApi, 12, produceRequest(records));
    };
    const codeOf = async (client: KafkaClient) => {
      const { responses } = await client.answer(produceApi, 12);
      return responses[0]?.partitionResponses[0]?.errorCode;
    };
    const client = fixture.connect();
    send(client, 0);
    send(client, 1);
    expect(await codeOf(client)).toBe(kafkaErrors.KAFKA_STORAGE_ERROR.code);
    expect(await client.receive()).toBeUndefined();
    expect(await highOffset(topics)).toBe(0);

    const again = fixture.connect();
    send(again, 0);
    send(again, 1);
    expect([await codeOf(again), await codeOf(again)]).toEqual([0, 0]);
    expect(await highOffset(topics)).toBe(2);
  });

  test("goes on behind a refused batch of no producer", async () => {
    const fixture = createKafkaFixture({ wrapTopics: failingTopics });
    const client = fixture.connect();
    await createTopic(client, "orders");
    expect((await produce(client, batchOf())).errorCode).not.toBe(0);
    expect((await produce(client, batchOf())).errorCode).toBe(0);
  });

  test("denies no partition that a peer has added, nor does fetch", async () => {
    const fixture = createKafkaFixture({ wrapTopics: staleTopics });
    const client = fixture.connect();
    await createTopic(client, "orders", 3);
    const topicData = [
      { name: "orders", partitionData: [2, 3].map((index) => ({ index, records: batchOf() })) },
    ];
    const { responses } = await client.ask(produceApi, 12, { acks: 1, timeoutMs: 1000, topicData });
    const codes = responses[0]?.partitionResponses.map(({ errorCode }) => errorCode);
    expect(codes).toEqual([0, kafkaErrors.UNKNOWN_TOPIC_OR_PARTITION.code]);
    const fetched = await client.ask(fetchApi, 12, fetchRequest({ partition: 2 }));
    expect(fetched.responses[0]?.partitions[0]?.highWatermark).toBe(1);
  });

  test("appends in each version that is served, by name and by id", async () => {
    const { client, topicId } = await connected("orders");
    for (let version = 3; version <= 13; version++) {
      const named = version < 13 ? { name: "orders" } : { topicId };
      const { responses } = await client.ask(produceApi, version, {
        acks: 1,
        timeoutMs: 1000,
        topicData: [{ ...named, partitionData: [{ index: 0, records: batchOf({ count: 2 }) }] }],
      });
      expect(responses[0]).toMatchObject(named);
      expect(responses[0]?.partitionResponses[0]).toMatchObject({
        errorCode: 0,
        baseOffset: (version - 3) * 2,
        logAppendTimeMs: -1,
      });
    }
  });

  test("appends each partition on its own", async () => {
    const { client } = await connected("orders", 3);
    const { responses } = await client.ask(produceApi, 12, {
      acks: -1,
      timeoutMs: 1000,
      topicData: [
        {
          name: "orders",
          partitionData: [
            { index: 0, records: batchOf() },
            { index: 7, records: batchOf() },
            { index: 2, records: batchOf() },
          ],
        },
        { name: "elsewhere", partitionData: [{ index: 0, records: batchOf() }] },
      ],
    });
    const codes = responses.map((topic) => topic.partitionResponses.map((each) => each.errorCode));
    expect(codes).toEqual([[0, 3, 0], [3]]);
  });

  const refused: readonly (readonly [string, number, () => Uint8Array | null])[] = [
    ["no records", 87, () => null],
    ["an empty record set", 87, () => new Uint8Array(0)],
    ["two batches", 87, () => joinedBytes([batchOf(), batchOf()])],
    ["a cut batch", 87, () => batchOf().subarray(0, -5)],
    ["a cut header", 87, () => batchOf().subarray(0, 40)],
    ["magic 1", 87, () => altered(batchLayout.magic, () => 1)],
    ["magic 3", 2, () => altered(batchLayout.magic, () => 3)],
    ["a control batch", 87, () => altered(batchLayout.attributes + 1, (byte) => byte | 0x20)],
    ["a transactional batch", 53, () => altered(batchLayout.attributes + 1, (byte) => byte | 0x10)],
    ["a damaged batch", 2, () => batchOf().with(70, 99)],
    ["a timestamp hours ahead", 32, () => batchOf({ timestamp: Date.now() + 7_200_000 })],
  ];
  for (const [what, code, records] of refused) {
    test(`answers ${code} for ${what} and appends nothing`, async () => {
      const { client } = await connected("orders");
      const answer = await produce(client, records());
      expect(answer).toMatchObject({ errorCode: code, baseOffset: -1 });
      expect(await highOffset(client)).toBe(0);
    });
  }

  test("answers MESSAGE_TOO_LARGE by max.message.bytes", async () => {
    const { client } = await connected("orders", 1, { "max.message.bytes": "200" });
    expect((await produce(client, batchOf({ valueBytes: 300 }))).errorCode).toBe(10);
    expect((await produce(client, batchOf({ valueBytes: 100 }))).errorCode).toBe(0);
  });

  test("answers RECORD_LIST_TOO_LARGE by segment.bytes", async () => {
    const config = { "max.message.bytes": "5000000", "segment.bytes": "1048576" };
    const { client } = await connected("orders", 1, config);
    expect((await produce(client, batchOf({ valueBytes: 1_500_000 }))).errorCode).toBe(18);
  });

  test("names the record without a key in a compacted topic", async () => {
    const { client } = await connected("orders", 1, { "cleanup.policy": "compact" });
    const answer = await produce(client, batchOf({ keyless: true }));
    expect(answer.errorCode).toBe(87);
    expect(answer.recordErrors.map(({ batchIndex }) => batchIndex)).toEqual([0]);
  });

  test("gives records the time of the append under LogAppendTime, whatever they say", async () => {
    const headers: BatchHeader[] = [];
    const fixture = createKafkaFixture({
      wrapLog: (log) => appendingLog(log, async ({ header }) => void headers.push(header)),
    });
    const client = fixture.connect();
    await createTopic(client, "orders", 1, { "message.timestamp.type": "LogAppendTime" });
    const before = Date.now();
    const answer = await produce(client, batchOf({ timestamp: before + 7_200_000 }));
    expect(answer.errorCode).toBe(0);
    expect(answer.logAppendTimeMs).toBeGreaterThanOrEqual(before);
    // The log takes the batch's own word for it.
    expect(headers[0]?.timestampType).toBe("LogAppendTime");
    expect(headers[0]?.maxTimestamp).toBeLessThan(before + 60_000);
  });

  test("answers INVALID_REQUIRED_ACKS", async () => {
    const { client } = await connected("orders");
    expect((await produce(client, batchOf(), { acks: 2 })).errorCode).toBe(21);
  });

  test("refuses a transactional id in words that end a producer", async () => {
    const { client } = await connected("orders");
    expect((await produce(client, batchOf(), { transactionalId: "tx" })).errorCode).toBe(53);
  });

  test("refuses zstd from clients that could not read it back", async () => {
    const { client } = await connected("orders");
    const request = produceRequest(batchOf({ codec: "zstd" }));
    const old = await client.ask(produceApi, 6, request);
    expect(old.responses[0]?.partitionResponses[0]?.errorCode).toBe(76);
    const recent = await client.ask(produceApi, 7, request);
    expect(recent.responses[0]?.partitionResponses[0]?.errorCode).toBe(0);
  });

  test("answers UNKNOWN_TOPIC_ID for an id that is not there", async () => {
    const { client } = await connected("orders");
    const partitionData = [{ index: 0, records: batchOf() }];
    const topicData = [{ topicId: "AAAAAAAAAAAAAAAAAAAAEQ", partitionData }];
    const answer = await client.ask(produceApi, 13, { acks: -1, timeoutMs: 1000, topicData });
    expect(answer.responses[0]?.partitionResponses[0]?.errorCode).toBe(100);
  });

  test("answers a repeated batch of an idempotent producer with its first offset", async () => {
    const { client } = await connected("orders");
    const producer = { producerId: 7, producerEpoch: 0, baseSequence: 0 };
    const batch = batchOf({ ...producer, count: 3 });
    await produce(client, batchOf());
    expect((await produce(client, batch)).baseOffset).toBe(1);
    expect(await produce(client, batch)).toMatchObject({ errorCode: 0, baseOffset: 1 });
    const gap = batchOf({ ...producer, baseSequence: 9 });
    expect((await produce(client, gap)).errorCode).toBe(45);
  });

  test("sends nothing for acks 0, and closes when the append fails", async () => {
    const { client } = await connected("orders");
    client.request(produceApi, 12, produceRequest(batchOf(), { acks: 0 }));
    expect(await highOffset(client)).toBe(1);
    client.request(produceApi, 12, produceRequest(batchOf(), { acks: 0, partition: 9 }));
    expect(await client.receive()).toBeUndefined();
  });

  test("gives up waiting after timeoutMs, with acks −1 only", async () => {
    const gate = Promise.withResolvers<void>();
    const fixture = createKafkaFixture({ wrapLog: (log) => appendingLog(log, () => gate.promise) });
    const client = fixture.connect();
    await createTopic(client, "orders");
    expect((await produce(client, batchOf(), { timeoutMs: 1 })).errorCode).toBe(7);
    // The frame is the log's until the append is done.
    expect(fixture.context.requestBudget.takenBytes).toBeGreaterThan(0);
    client.request(produceApi, 12, produceRequest(batchOf(), { acks: 1, timeoutMs: 1 }));
    gate.resolve();
    const { responses } = await client.answer(produceApi, 12);
    expect(responses[0]?.partitionResponses[0]?.errorCode).toBe(0);
    expect(fixture.context.requestBudget.takenBytes).toBe(0);
  });

  const failures = [
    ["store_unavailable", 56],
    ["metadata_unavailable", 56],
    ["queue_full", 19],
    ["producer_fenced", 47],
    ["sequence_duplicate", 46],
  ] as const;
  for (const [failure, code] of failures) {
    test(`answers ${code} when the log says ${failure}`, async () => {
      const fail = () => Promise.reject(new StreamError(failure, "no"));
      const fixture = createKafkaFixture({ wrapLog: (log) => appendingLog(log, fail) });
      const client = fixture.connect();
      await createTopic(client, "orders");
      expect((await produce(client, batchOf())).errorCode).toBe(code);
    });
  }

  test("tells who leads when this worker does not serve any more", async () => {
    const fail = () => Promise.reject(new StreamError("shutting_down", "leaving"));
    const fixture = createKafkaFixture({ wrapLog: (log) => appendingLog(log, fail) });
    const client = fixture.connect();
    await createTopic(client, "orders");
    const answer = await client.ask(produceApi, 10, produceRequest(batchOf()));
    expect(answer.responses[0]?.partitionResponses[0]).toMatchObject({
      errorCode: 6,
      currentLeader: { leaderId: 1, leaderEpoch: 0 },
    });
    expect(answer.nodeEndpoints).toMatchObject([{ nodeId: 1, host: "127.0.0.1", port: 9092 }]);
  });

  test("says that this worker does not serve any more in versions without a place for the leader", async () => {
    const fail = () => Promise.reject(new StreamError("shutting_down", "leaving"));
    const fixture = createKafkaFixture({ wrapLog: (log) => appendingLog(log, fail) });
    const client = fixture.connect();
    await createTopic(client, "orders");
    for (let version = 3; version <= 12; version++) {
      const { responses } = await client.ask(produceApi, version, produceRequest(batchOf()));
      expect(responses[0]?.partitionResponses[0]?.errorCode).toBe(6);
    }
  });

  test("hides what nobody foresaw and logs it", async () => {
    const fail = () => Promise.reject(new TypeError("undefined is not a function"));
    const fixture = createKafkaFixture({ wrapLog: (log) => appendingLog(log, fail) });
    const client = fixture.connect();
    await createTopic(client, "orders");
    const answer = await produce(client, batchOf());
    expect(answer.errorCode).toBe(-1);
    expect(answer.errorMessage).not.toContain("undefined");
    expect(fixture.lines.filter(({ level }) => level === "error")).toHaveLength(1);
  });
});

describe("a produce frame", () => {
  const batch = batchOf({ count: 2, timestamp: 1_790_000_000_000 });
  const envelope = { apiVersion: 12, correlationId: 1, clientId: "fuzz" };
  const frame = joinedBytes(encodeRequestFrame(produceApi, envelope, produceRequest(batch)).chunks);

  /** Sends bytes on a connection of their own and gives what the log holds since the last time. */
  async function prober() {
    const { fixture, client } = await connected("orders");
    let fetchOffset = 0;
    return async (bytes: Uint8Array): Promise<Uint8Array> => {
      const sender = fixture.connect();
      sender.send(bytes.slice());
      sender.end();
      while ((await sender.receive()) !== undefined) {
        // All answers there are.
      }
      expect(fixture.lines.filter(({ level }) => level === "error")).toEqual([]);
      expect(fixture.context.requestBudget.takenBytes).toBe(0);
      const { records, highWatermark } = await fetchOne(client, { fetchOffset });
      fetchOffset = highWatermark;
      return records ?? new Uint8Array(0);
    };
  }

  test("cut at any byte appends nothing and harms nothing", async () => {
    const outcome = await prober();
    for (let length = 0; length < frame.length; length++) {
      expect(await outcome(frame.subarray(0, length))).toHaveLength(0);
    }
  });

  test("with any byte flipped appends the batch as it was or nothing", async () => {
    const outcome = await prober();
    // Beyond the CRC and for nobody to check: what the log overwrites itself.
    const stamped = { offset: batchLayout.baseOffset, end: batchLayout.magic };
    for (let position = 0; position < frame.length; position++) {
      for (const flip of [0x01, 0x80, 0xff]) {
        const bytes = frame.with(position, (frame[position] ?? 0) ^ flip);
        const stored = await outcome(bytes);
        if (stored.length === 0) continue;
        expect(stored.subarray(stamped.end)).toEqual(batch.subarray(stamped.end));
      }
    }
  });
});

/** A log whose appends wait for `before`, and fail as it does. */
function appendingLog(log: MemoryLog, before: (batch: AppendBatch) => Promise<void>): LogService {
  return new Proxy(log, {
    get(target, name) {
      const value = Reflect.get(target, name);
      if (name !== "append") return typeof value === "function" ? value.bind(target) : value;
      return async (batch: AppendBatch) => {
        await before(batch);
        return target.append(batch);
      };
    },
  });
}
