/**
 * What a whole server must do on every runtime that has sockets, asked from outside over HTTP and
 * the Kafka protocol. The checks of one server build on each other, in order.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { codecNames } from "../../src/base/codecs.ts";
import { batchesIn } from "../../src/record/batch.ts";
import { decodeRecords } from "../../src/record/batch-records.ts";
import type { LogRecord } from "../../src/record/types.ts";
import { fetchApi } from "../../src/wire/kafka/api/fetch.ts";
import { largeRecords, smallRecords } from "../support/golden-records.ts";
import { batchOf, fetchOne, fetchRequest, produce } from "../support/kafka-requests.ts";
import { codecs } from "../support/record-tools.ts";
import { SseReader } from "../support/sse-reader.ts";
import { type ServerPlace, StreamServer } from "../support/stream-server.ts";
import { TcpKafkaClient } from "../support/tcp-kafka-client.ts";
import {
  type JsonRecord,
  sentBatch,
  textOfBytes,
  textOfInput,
  textOfJson,
} from "./golden-batches.ts";
import { committedOffset, joinAlone } from "./group-member.ts";

const partition0 = "/v1/topics/orders/partitions/0/records";
const largeBatchBytes = 900_000;

export function serverChecks(name: string, place: ServerPlace): void {
  describe(`the server on ${name}`, () => {
    let server: StreamServer;
    let kafka: TcpKafkaClient;
    const ask = (path: string, init?: RequestInit) => fetch(`${server.httpUrl}${path}`, init);

    async function createTopic(topic: string): Promise<void> {
      const answer = await ask("/v1/topics", post("application/json", `{"name":"${topic}"}`));
      if (answer.status !== 201) throw new Error(`Not created: ${await answer.text()}`);
    }

    async function read(path: string): Promise<JsonRecord[]> {
      const answer = await ask(path);
      if (answer.status !== 200) throw new Error(`Not read: ${await answer.text()}`);
      return ((await answer.json()) as { records: JsonRecord[] }).records;
    }

    beforeAll(async () => {
      server = await StreamServer.start(place);
      kafka = await TcpKafkaClient.connect(server.bootstrap);
    }, 60_000);
    afterAll(async () => {
      kafka.close();
      await server.kill();
    });

    test("JSON and NDJSON over HTTP are fetched over the Kafka protocol", async () => {
      await createTopic("orders");
      const records = '{"records":[{"key":"eu-1","value":{"id":9007199254740993}}]}';
      const path = "/v1/topics/orders/records";
      const json = await ask(path, post("application/json", records));
      expect(await json.json()).toEqual({ offsets: [{ partition: 0, baseOffset: 0, count: 1 }] });
      const lines = await ask(path, post("application/x-ndjson", "one\ntwo\n"));
      expect(await lines.json()).toEqual({ offsets: [{ partition: 0, baseOffset: 1, count: 2 }] });

      const { errorCode, highWatermark, records: fetched } = await fetchOne(kafka);
      expect({ errorCode, highWatermark }).toEqual({ errorCode: 0, highWatermark: 3 });
      const values = recordsIn(fetched).map(({ value }) => textOfBytes(value));
      expect(values).toEqual(['{"id":9007199254740993}', "one", "two"]);
    });

    test("compressed HTTP bodies are taken", async () => {
      const path = "/v1/topics/orders/records";
      for (const [encoding, compress] of [
        ["gzip", gzipSync],
        ["zstd", zstdCompressSync],
      ] as const) {
        const headers = { "Content-Type": "text/plain", "Content-Encoding": encoding };
        const body = new Uint8Array(compress(`in ${encoding}`));
        const answer = await ask(path, { method: "POST", headers, body });
        expect(answer.status).toBe(200);
      }
      const records = await read(`${partition0}?offset=3`);
      expect(records.map(({ value }) => value)).toEqual(["in gzip", "in zstd"]);
    });

    test("a record over the Kafka protocol is read as JSON, NDJSON and events", async () => {
      const answer = await produce(kafka, batchOf({ timestamp: 1_700_000_000_000 }));
      expect(answer).toMatchObject({ errorCode: 0, baseOffset: 5 });
      const record = { offset: 5, timestamp: 1_700_000_000_000, key: "\0", value: "\0".repeat(8) };
      expect(await read(`${partition0}?offset=5`)).toEqual([{ ...record, headers: [] }]);

      const accept = { headers: { Accept: "application/x-ndjson" } };
      const lines = await (await ask(`${partition0}?offset=5`, accept)).text();
      expect(lines.trimEnd().split("\n").map(parsed)).toEqual([{ ...record, headers: [] }]);

      const events = new SseReader(await ask("/v1/topics/orders/stream?offset=5"));
      expect(parsed((await events.next()).data)).toEqual({ partition: 0, ...record, headers: [] });
      await events.cancel();
    });

    test("events of a stream resume after the last one seen", async () => {
      const first = new SseReader(await ask("/v1/topics/orders/stream?offset=earliest"));
      const [, second] = await first.take(2);
      await first.cancel();
      const headers = { "Last-Event-ID": second?.id ?? "" };
      const next = new SseReader(await ask("/v1/topics/orders/stream", { headers }));
      expect(parsed((await next.next()).data)).toMatchObject({ offset: 2, value: "two" });
      await next.cancel();
    });

    test("a fetch that waits is answered by the next produce", async () => {
      const other = await TcpKafkaClient.connect(server.bootstrap);
      const waiting = fetchOne(other, { fetchOffset: 6, maxWaitMs: 30_000 });
      await produce(kafka, batchOf({ count: 2 }));
      expect((await waiting).highWatermark).toBe(8);
      other.close();
    });

    test.each([...codecNames])("foreign batches of codec %s are taken and read", async (codec) => {
      const large = codec === "none" ? [] : ["java-large", "franz-go-large", "librdkafka-large"];
      for (const writer of ["java", "franz-go", ...large]) {
        const name = `${writer}-${codec}`;
        await createTopic(name);
        const { errorCode } = await produce(kafka, sentBatch(name), { topic: name });
        expect({ name, errorCode }).toEqual({ name, errorCode: 0 });
        const records = await read(`/v1/topics/${name}/partitions/0/records`);
        const expected = writer.includes("large") ? largeRecords : smallRecords;
        expect(records.map(textOfJson)).toEqual(expected.map(textOfInput));
      }
    });

    test("eight batches of 900 KB pipelined are fetched in one answer", async () => {
      await createTopic("large");
      const sent = Array.from({ length: 8 }, (_, index) =>
        batchOf({ valueBytes: largeBatchBytes, timestamp: index }),
      );
      const answers = sent.map((batch) => produce(kafka, batch, { topic: "large" }));
      const offsets = (await Promise.all(answers)).map(({ baseOffset }) => baseOffset);
      expect(offsets).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
      const most = { maxBytes: 16 << 20, partitionMaxBytes: 16 << 20 };
      const { records } = await fetchOne(kafka, { topic: "large", ...most });
      const fetched = recordsIn(records);
      expect(fetched.map(({ timestamp }) => timestamp)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
      expect(fetched.every(({ value }) => value?.length === largeBatchBytes)).toBe(true);
    });

    test("a consumer group joins, syncs, commits and finds its offset", async () => {
      const member = await joinAlone(kafka, { groupId: "readers", topic: "orders" });
      expect(member.assigned).toEqual([{ topic: "orders", partitions: [0] }]);
      expect(await member.commit(5)).toBe(0);
      expect(await committedOffset(kafka, { groupId: "readers", topic: "orders" })).toBe(5);
      expect(await member.leave()).toBe(0);
    });

    test("what is no Kafka request closes its connection and no other", async () => {
      const other = await TcpKafkaClient.connect(server.bootstrap);
      const nonsense = { ...fetchApi, key: 999 };
      const refused = other.ask(nonsense, 12, fetchRequest()).then(
        () => "answered",
        () => "closed",
      );
      expect(await refused).toBe("closed");
      expect((await fetchOne(kafka)).errorCode).toBe(0);
    });

    test("after kill -9 and a restart everything acknowledged is there", async () => {
      kafka.close();
      await server.kill();
      await server.restart();
      kafka = await TcpKafkaClient.connect(server.bootstrap);
      const records = await read(partition0);
      const values = ['{"id":9007199254740993}', "one", "two", "in gzip", "in zstd"];
      expect(records.slice(0, 5).map(({ value }) => value)).toEqual(values);
      expect(records.map(({ offset }) => offset)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
      expect(await committedOffset(kafka, { groupId: "readers", topic: "orders" })).toBe(5);
      expect(await produce(kafka, batchOf())).toMatchObject({ errorCode: 0, baseOffset: 8 });
    }, 60_000);

    test("SIGTERM ends waits and streams, and the server with code 0", async () => {
      const events = new SseReader(await ask("/v1/topics/orders/stream"));
      await events.firstId();
      const waiting = fetchOne(kafka, { fetchOffset: 9, maxWaitMs: 60_000 }).catch(() => undefined);
      const code = await server.stop();
      expect({ code, log: server.log().trimEnd().split("\n").at(-1) }).toEqual({
        code: 0,
        log: expect.stringContaining("stopped"),
      });
      await Promise.all([waiting, events.rest()]);
      await server.restart();
      expect((await read(`${partition0}?offset=8`)).map(({ offset }) => offset)).toEqual([8]);
    }, 60_000);
  });
}

function post(contentType: string, body: string): RequestInit {
  return { method: "POST", headers: { "Content-Type": contentType }, body };
}

function parsed(json: string): unknown {
  return JSON.parse(json);
}

function recordsIn(bytes: Uint8Array | null): LogRecord[] {
  return [...batchesIn(bytes ?? new Uint8Array())].flatMap((batch) => [
    ...decodeRecords(batch.bytes, { codecs, sizeMax: 1 << 20 }),
  ]);
}
