import { describe, expect, test } from "bun:test";
import type { LogService } from "../../../../src/log/log-types.ts";
import { apiVersionsApi } from "../../../../src/wire/kafka/api/api-versions.ts";
import { fetchApi } from "../../../../src/wire/kafka/api/fetch.ts";
import { metadataApi } from "../../../../src/wire/kafka/api/metadata.ts";
import { produceApi } from "../../../../src/wire/kafka/api/produce.ts";
import { kafkaApis } from "../../../../src/wire/kafka/api-registry.ts";
import { decodeResponse } from "../../../../src/wire/kafka/request-header.ts";
import { createKafkaFixture, type KafkaFixture } from "../../../support/kafka-fixture.ts";
import {
  batchOf,
  createTopic,
  fetchRequest,
  produce,
  produceRequest,
} from "../../../support/kafka-requests.ts";
import type { MemoryLog } from "../../../support/memory-log.ts";
import { createVirtualPlatform } from "../../../support/virtual-platform.ts";

const allTopics = { topics: null };

/** A log whose appends wait until they are released one by one. */
function gatedLog(log: MemoryLog, gates: (() => void)[]): LogService {
  return new Proxy(log, {
    get(target, name) {
      if (name !== "append") {
        const value = Reflect.get(target, name);
        return typeof value === "function" ? value.bind(target) : value;
      }
      return async (batch: Parameters<LogService["append"]>[0]) => {
        const appended = target.append(batch);
        await new Promise<void>((resolve) => gates.push(resolve));
        return appended;
      };
    },
  });
}

async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
}

function warnings({ lines }: KafkaFixture): string[] {
  return lines.filter(({ level }) => level === "warn").map(({ message }) => message);
}

describe("serveKafkaConnection", () => {
  test("answers requests in order, however the frames are cut", async () => {
    const fixture = createKafkaFixture();
    const client = fixture.connect();
    const frame = Uint8Array.from([0, 0, 0, 14, 0, 18, 0, 0, 0, 0, 0, 9, 0, 4, 116, 101, 115, 116]);
    for (let cut = 1; cut < frame.length; cut++) {
      client.send(frame.subarray(0, cut));
      await Promise.resolve();
      client.send(frame.subarray(cut));
      const answer = await client.answer(apiVersionsApi, 0);
      expect(answer.apiKeys).toHaveLength(kafkaApis.length);
    }
    expect(fixture.lines).toEqual([]);
  });

  test("submits pipelined produces in order before the first is acknowledged", async () => {
    const gates: (() => void)[] = [];
    const fixture = createKafkaFixture({ wrapLog: (log) => gatedLog(log, gates) });
    const client = fixture.connect();
    await createTopic(client, "orders");
    for (let index = 0; index < 5; index++) {
      client.request(produceApi, 12, produceRequest(batchOf({ count: index + 1 })));
    }
    await settle();
    expect(gates).toHaveLength(5);
    // The last is acknowledged first; the answers keep their order all the same.
    for (const open of gates.reverse()) {
      open();
      await settle();
    }
    const offsets = [];
    for (let index = 0; index < 5; index++) {
      const { responses } = await client.answer(produceApi, 12);
      offsets.push(responses[0]?.partitionResponses[0]?.baseOffset);
    }
    expect(offsets).toEqual([0, 1, 3, 6, 10]);
  });

  test("starts another kind of request only when the produces before it are answered", async () => {
    const gates: (() => void)[] = [];
    const fixture = createKafkaFixture({ wrapLog: (log) => gatedLog(log, gates) });
    const client = fixture.connect();
    await createTopic(client, "orders");
    client.request(produceApi, 12, produceRequest(batchOf()));
    client.request(fetchApi, 12, fetchRequest());
    client.request(produceApi, 12, produceRequest(batchOf()));
    await settle();
    expect(gates).toHaveLength(1);
    gates[0]?.();
    expect((await client.answer(produceApi, 12)).responses).toHaveLength(1);
    const fetched = await client.answer(fetchApi, 12);
    expect(fetched.responses[0]?.partitions[0]?.highWatermark).toBe(1);
    await settle();
    gates[1]?.();
    expect((await client.answer(produceApi, 12)).responses).toHaveLength(1);
  });

  test("holds one answer's memory for a client that does not read", async () => {
    const fixture = createKafkaFixture();
    const client = fixture.connect();
    await createTopic(client, "orders");
    await produce(client, batchOf({ valueBytes: 10_000 }));
    const resume = client.stopReading();
    for (let index = 0; index < 20; index++) client.request(fetchApi, 12, fetchRequest());
    await settle();
    const { waitingBytes } = fixture.context.answerMemory;
    expect(waitingBytes).toBeGreaterThan(10_000);
    expect(waitingBytes).toBeLessThan(20_000);
    resume();
    for (let index = 0; index < 20; index++) await client.answer(fetchApi, 12);
    await settle();
    expect(fixture.context.answerMemory.waitingBytes).toBe(0);
  });

  test("lends an answer's buffers until its write has ended, though the connection broke", async () => {
    let released = 0;
    const fixture = createKafkaFixture({
      wrapLog: (log) =>
        new Proxy(log, {
          get(target, name) {
            if (name === "release") {
              return () => {
                released += 1;
              };
            }
            const value = Reflect.get(target, name);
            return typeof value === "function" ? value.bind(target) : value;
          },
        }),
    });
    const client = fixture.connect();
    await createTopic(client, "orders");
    await produce(client, batchOf({ valueBytes: 10_000 }));
    const resume = client.stopReading();
    client.request(fetchApi, 12, fetchRequest());
    await settle();
    client.send(Uint8Array.of(0, 0, 0, 4, 255, 255, 255, 255));
    await settle();
    expect(client.closed).toBe(true);
    expect(released).toBe(0);
    resume();
    await settle();
    expect(released).toBe(1);
  });

  test("closes a connection over which nothing moves for ten minutes", async () => {
    const time = createVirtualPlatform({ seed: 1 });
    const fixture = createKafkaFixture({ time });
    const silent = fixture.connect();
    const deaf = fixture.connect();
    const busy = fixture.connect();
    const waiting = fixture.connect();
    await createTopic(busy, "orders");
    deaf.stopReading();
    deaf.request(metadataApi, 12, allTopics);
    waiting.request(fetchApi, 12, fetchRequest({ maxWaitMs: 3_600_000 }));
    for (let minute = 0; minute < 11; minute++) {
      await busy.ask(metadataApi, 12, allTopics);
      await time.advance(60_000);
    }
    expect(silent.closed).toBe(true);
    expect(deaf.closed).toBe(true);
    expect(busy.closed).toBe(false);
    expect(waiting.closed).toBe(false);
    await time.advance(600_000);
    expect(busy.closed).toBe(true);
    waiting.end();
    await settle();
    expect(fixture.context.metrics.connections.value).toBe(0);
    expect(time.timerCount).toBe(0);
  });

  test("stops reading when the server has no room, then tells how long it waited", async () => {
    const gates: (() => void)[] = [];
    const fixture = createKafkaFixture({
      wrapLog: (log) => gatedLog(log, gates),
      requestBytesInFlightMax: 50_000,
    });
    const other = fixture.connect();
    await createTopic(other, "orders");
    other.request(produceApi, 12, produceRequest(batchOf({ valueBytes: 45_000 })));
    await settle();
    const client = fixture.connect();
    client.request(produceApi, 12, produceRequest(batchOf({ valueBytes: 20_000 })));
    await settle();
    expect(gates).toHaveLength(1);
    await new Promise((resolve) => setTimeout(resolve, 5));
    gates[0]?.();
    await settle();
    gates[1]?.();
    expect((await client.answer(produceApi, 12)).throttleTimeMs).toBeGreaterThan(0);
    expect((await other.answer(produceApi, 12)).throttleTimeMs).toBe(0);
    await settle();
    expect(fixture.context.requestBudget.takenBytes).toBe(0);
  });

  test("gives all room back when a connection breaks with requests in flight", async () => {
    const gates: (() => void)[] = [];
    const fixture = createKafkaFixture({ wrapLog: (log) => gatedLog(log, gates) });
    const client = fixture.connect();
    await createTopic(client, "orders");
    client.request(produceApi, 12, produceRequest(batchOf({ valueBytes: 1000 })));
    client.request(metadataApi, 12, allTopics);
    client.send(Uint8Array.of(0, 2, 0, 0, 1, 1, 1));
    await settle();
    expect(fixture.context.requestBudget.takenBytes).toBeGreaterThan(100_000);
    client.reset();
    await settle();
    for (const open of gates) open();
    await settle();
    expect(fixture.context.requestBudget.takenBytes).toBe(0);
    expect(fixture.context.metrics.connections.value).toBe(0);
    expect(warnings(fixture)).toEqual([]);
  });

  test("ends a long poll when the peer is gone", async () => {
    const fixture = createKafkaFixture();
    const client = fixture.connect();
    await createTopic(client, "orders");
    client.request(fetchApi, 12, fetchRequest({ maxWaitMs: 600_000 }));
    await settle();
    client.reset();
    await settle();
    expect(fixture.context.metrics.connections.value).toBe(0);
  });

  test("answers what was read when the server stops, long polls with what is there", async () => {
    const fixture = createKafkaFixture();
    const client = fixture.connect();
    await createTopic(client, "orders");
    client.request(fetchApi, 12, fetchRequest({ maxWaitMs: 600_000 }));
    client.request(metadataApi, 12, allTopics);
    await settle();
    await fixture.stop();
    expect((await client.answer(fetchApi, 12)).errorCode).toBe(0);
    expect((await client.answer(metadataApi, 12)).topics).toHaveLength(1);
    expect(client.closed).toBe(true);
  });

  const nonsense: readonly (readonly [string, readonly number[]])[] = [
    ["a frame over the limit", [127, 255, 255, 255]],
    ["a negative length", [255, 255, 255, 255]],
    ["an empty frame", [0, 0, 0, 0]],
    ["an unknown API", [0, 0, 0, 10, 3, 231, 0, 0, 0, 0, 0, 1, 255, 255]],
    ["a version that is not served", [0, 0, 0, 10, 0, 3, 0, 99, 0, 0, 0, 1, 255, 255]],
    ["a produce of before Kafka 0.11", [0, 0, 0, 10, 0, 0, 0, 2, 0, 0, 0, 1, 255, 255]],
    ["a body that is cut", [0, 0, 0, 10, 0, 3, 0, 1, 0, 0, 0, 1, 255, 255]],
    ["HTTP", [...new TextEncoder().encode("GET / HTTP/1.1\r\n\r\n")]],
  ];
  for (const [what, bytes] of nonsense) {
    test(`closes the connection with one line for ${what}, and no other`, async () => {
      const fixture = createKafkaFixture();
      const bystander = fixture.connect();
      const client = fixture.connect();
      client.send(Uint8Array.from(bytes));
      expect(await client.receive()).toBeUndefined();
      await settle();
      expect(warnings(fixture)).toHaveLength(1);
      expect(fixture.context.requestBudget.takenBytes).toBe(0);
      expect((await bystander.ask(metadataApi, 12, allTopics)).errorCode).toBe(0);
    });
  }

  test("logs one line for a stream that ends within a request", async () => {
    const fixture = createKafkaFixture();
    const client = fixture.connect();
    client.send(Uint8Array.of(0, 0, 0, 10, 0, 3));
    client.end();
    expect(await client.receive()).toBeUndefined();
    expect(warnings(fixture)).toEqual([
      "Closed a Kafka connection: it ended within a request, after 6 bytes of it",
    ]);
  });

  test("answers an ApiVersions from the future as Kafka does", async () => {
    const client = createKafkaFixture().connect();
    client.send(Uint8Array.of(0, 0, 0, 12, 0, 18, 0, 99, 0, 0, 0, 7, 0, 0, 0, 0));
    const frame = await client.receive();
    // Byte for byte what a Kafka 4.2 broker sent for this request.
    expect(frame?.toHex()).toBe("00000007002300000001001200000004");
    expect((await client.ask(apiVersionsApi, 4, named)).errorCode).toBe(0);
  });

  test("refuses client software names that KIP-511 does not allow", async () => {
    const client = createKafkaFixture().connect();
    const answer = await client.ask(apiVersionsApi, 3, { ...named, clientSoftwareName: "a b" });
    expect(answer.errorCode).toBe(42);
    expect(answer.apiKeys).toEqual([]);
  });

  test("announces Produce 0 to 13 and serves what it announces otherwise", async () => {
    const client = createKafkaFixture().connect();
    const { apiKeys } = await client.ask(apiVersionsApi, 4, named);
    expect(apiKeys.find(({ apiKey }) => apiKey === 0)).toEqual({
      apiKey: 0,
      minVersion: 0,
      maxVersion: 13,
    });
    for (const { key, versions } of kafkaApis.filter((api) => api !== produceApi)) {
      expect(apiKeys).toContainEqual({
        apiKey: key,
        minVersion: versions.min,
        maxVersion: versions.max,
      });
    }
  });

  test("gives the answer of a half-closed client", async () => {
    const client = createKafkaFixture().connect();
    client.request(metadataApi, 12, allTopics);
    client.end();
    const frame = await client.receive();
    expect(frame && decodeResponse(metadataApi, 12, frame).errorCode).toBe(0);
    expect(await client.receive()).toBeUndefined();
  });
});

const named = { clientSoftwareName: "test-client", clientSoftwareVersion: "1.0.0" };
