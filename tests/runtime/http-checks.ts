/**
 * What every runtime must answer over HTTP, asked from outside. Each check has a topic of its own,
 * so that a server may serve all of them at once, before and after others.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { readClientScript } from "../../src/runtime/node/client-script.ts";
import { SocketClient } from "../support/socket-client.ts";
import { SseReader } from "../support/sse-reader.ts";
import type { JsonRecord } from "./golden-batches.ts";

export interface HttpPlace {
  readonly url: string;
  /** Sent with each request. */
  readonly headers: Readonly<Record<string, string>>;
  stop(): Promise<unknown>;
}

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly json: Record<string, unknown>;
}

type Fields = Readonly<Record<string, string>>;

const json: Fields = { "Content-Type": "application/json" };
const lines: Fields = { "Content-Type": "application/x-ndjson" };

export function httpChecks(name: string, start: () => Promise<HttpPlace>): void {
  describe(`HTTP on ${name}`, () => {
    let place: HttpPlace;
    beforeAll(async () => {
      place = await start();
    }, 60_000);
    afterAll(() => place.stop());

    function ask(path: string, init: RequestInit = {}): Promise<Response> {
      const headers = { ...place.headers, ...(init.headers as Record<string, string>) };
      return fetch(`${place.url}${path}`, { ...init, headers });
    }

    async function call(path: string, init?: RequestInit): Promise<Answer> {
      const { status, headers, ...answer } = await answered(ask(path, init));
      return { status, headers, json: answer.text === "" ? {} : JSON.parse(answer.text) };
    }

    const post = (path: string, body: RequestInit["body"], headers: Fields = json) =>
      call(path, { method: "POST", body: body ?? null, headers });

    // Several servers may share their metadata.
    const prefix = crypto.randomUUID().slice(0, 8);
    let topics = 0;
    async function newTopic(options: object = {}): Promise<string> {
      const topic = `${prefix}-${topics++}`;
      const { status } = await post("/v1/topics", JSON.stringify({ name: topic, ...options }));
      expect(status).toBe(201);
      return topic;
    }

    const write = (topic: string, body: RequestInit["body"], headers = lines) =>
      post(`/v1/topics/${topic}/records`, body, headers);

    const read = (topic: string, query = "", partition = 0) =>
      call(`/v1/topics/${topic}/partitions/${partition}/records?${query}`);

    const recordsOf = ({ json }: Answer) => json["records"] as JsonRecord[];
    const valuesOf = (answer: Answer) => recordsOf(answer).map(({ value }) => value);

    test("topics are made, described, altered, listed and deleted", async () => {
      const topic = await newTopic({ partitions: 2, config: { "retention.ms": 1000 } });
      const path = `/v1/topics/${topic}`;
      expect((await call(path)).json).toMatchObject({
        ...{ name: topic, partitions: 2, config: { "retention.ms": "1000" } },
        partitionStatus: [{ partition: 0, highOffset: 0 }, { partition: 1 }],
      });
      const body = '{"partitions":3,"config":{"retention.ms":null}}';
      const altered = await call(path, { method: "PATCH", body, headers: json });
      expect(altered.json).toMatchObject({ partitions: 3, config: {} });
      const listed = (await call("/v1/topics")).json["topics"] as { name: string }[];
      expect(listed.map((each) => each.name)).toContain(topic);
      expect((await ask(path, { method: "DELETE" })).status).toBe(204);
      expect((await call(path)).status).toBe(404);
    });

    test("what is wrong with a request is told with its field", async () => {
      const topic = await newTopic();
      expect((await post("/v1/topics", `{"name":"${topic}"}`)).json).toMatchObject({
        ...{ status: 409, code: "topic_exists" },
      });
      for (const [body, field] of [
        ['{"records":[]}', "records"],
        ['{"records":[{"value":1,"vlaue":2}]}', "records[0].vlaue"],
        ['{"records":[{"valueBase64":"*"}]}', "records[0].valueBase64"],
      ] as const) {
        expect((await write(topic, body, json)).json).toMatchObject({ status: 400, field });
      }
      expect((await write(topic, "x", { "Content-Type": "image/png" })).status).toBe(415);
      expect((await call("/v1/topics/")).json).toMatchObject({ code: "route_unknown" });
      expect((await call("/v1/nothing")).json).toMatchObject({ code: "route_unknown" });
      const wrongMethod = await call("/v1/topics", { method: "PUT" });
      expect(wrongMethod.headers.get("Allow")).toBe("GET, HEAD, POST, OPTIONS");
      expect(recordsOf(await read(topic))).toEqual([]);
    });

    test("JSON records keep keys, headers, times, bytes and numbers as they are", async () => {
      const topic = await newTopic({ partitions: 3 });
      const records = [
        '{"value":{"id":9007199254740993,"x":1.0},"partition":2,"key":"k","timestamp":1700000000000}',
        '{"keyBase64":"AP8=","valueBase64":"/w==","partition":2,"headers":{"trace":"x","empty":null}}',
        '{"value":null,"partition":2}',
      ];
      await write(topic, `{"records":[${records}]}`, json);
      const [first, second, third] = recordsOf(await read(topic, "", 2));
      expect(first).toMatchObject({ key: "k", value: '{"id":9007199254740993,"x":1.0}' });
      expect(first?.timestamp).toBe(1_700_000_000_000);
      expect(second).toMatchObject({ keyBase64: "AP8=", valueBase64: "/w==" });
      expect(second?.headers).toEqual([
        { key: "trace", value: "x" },
        { key: "empty", value: null },
      ]);
      expect(third?.value).toBeNull();
    });

    test("lines, bytes and compressed bodies are taken", async () => {
      const topic = await newTopic();
      await write(topic, '{"n": 1}\r\n\n x \nlast');
      await write(topic, new Uint8Array([0, 255]), { "Content-Type": "application/octet-stream" });
      for (const [encoding, compress] of [
        ["gzip", gzipSync],
        ["zstd", zstdCompressSync],
      ] as const) {
        const body = new Uint8Array(compress(`in ${encoding}`));
        await write(topic, body, { ...lines, "Content-Encoding": encoding });
      }
      const found = await read(topic);
      const text = ['{"n": 1}', " x ", "last"];
      expect(valuesOf(found)).toEqual([...text, undefined, "in gzip", "in zstd"] as string[]);
      expect(recordsOf(found)[3]).toMatchObject({ valueBase64: "AP8=" });
    });

    test("a megabyte in one request is read back whole", async () => {
      const topic = await newTopic();
      const values = Array.from({ length: 2000 }, (_, index) => `${index} ${"x".repeat(500)}`);
      expect((await write(topic, values.join("\n"))).json).toEqual({
        offsets: [{ partition: 0, baseOffset: 0, count: 2000 }],
      });
      const seen: unknown[] = [];
      while (seen.length < values.length) {
        seen.push(...valuesOf(await read(topic, `offset=${seen.length}&maxBytes=200000`)));
      }
      expect(seen).toEqual(values);
    });

    test("reads begin where they are told, and are told where the log is", async () => {
      const topic = await newTopic();
      for (const timestamp of [1000, 2000, 3000]) {
        await write(
          topic,
          `{"records":[{"value":"at ${timestamp}","timestamp":${timestamp}}]}`,
          json,
        );
      }
      expect(valuesOf(await read(topic, "offset=2"))).toEqual(["at 3000"]);
      expect(valuesOf(await read(topic, "offset=timestamp:1001"))).toEqual(["at 2000", "at 3000"]);
      expect((await read(topic, "offset=latest")).json).toMatchObject({ nextOffset: 3 });
      const outside = await read(topic, "offset=99");
      const ends = { logStartOffset: 0, highOffset: 3 };
      expect(outside.json).toMatchObject({ code: "offset_out_of_range", ...ends });
      expect(outside.status).toBe(416);
      expect((await read(topic, "", 7)).status).toBe(404);
      const path = `/v1/topics/${topic}/partitions/0/records`;
      const text = await (
        await ask(path, { headers: { Accept: lines["Content-Type"] ?? "" } })
      ).text();
      expect(text.trimEnd().split("\n")).toHaveLength(3);
    });

    test("a range that has an end is kept by caches, the tail is not", async () => {
      const topic = await newTopic();
      await write(topic, "a\nb\nc");
      const { topicId } = (await call(`/v1/topics/${topic}`)).json as { topicId: string };
      const range = await read(topic, `offset=0&endOffset=2&topicId=${topicId}`);
      expect([valuesOf(range), range.json["nextOffset"]]).toEqual([["a", "b"], 2]);
      expect(range.headers.get("Cache-Control")).toMatch(/(public|private), max-age=31536000/);
      const headers = { "If-None-Match": range.headers.get("ETag") ?? "" };
      const path = `/v1/topics/${topic}/partitions/0/records?offset=0&endOffset=2`;
      const same = await ask(path, { headers });
      expect([same.status, await same.text()]).toEqual([304, ""]);
      const tail = await read(topic, `offset=0&endOffset=4&topicId=${topicId}`);
      expect(tail.headers.get("Cache-Control")).toBe("no-store");
      expect((await read(topic, "offset=0&topicId=other")).status).toBe(410);
    });

    test("readers that wait hear of the next record, and of silence in time", async () => {
      const topic = await newTopic();
      const waiting = read(topic, "offset=0&waitMs=30000");
      await write(topic, "news");
      expect(valuesOf(await waiting)).toEqual(["news"]);
      expect(valuesOf(await read(topic, "offset=1&waitMs=10"))).toEqual([]);
    });

    test("events go on behind the last one seen", async () => {
      const topic = await newTopic({ partitions: 2 });
      const path = `/v1/topics/${topic}/stream`;
      await write(
        topic,
        '{"records":[{"value":"a","partition":0},{"value":"b","partition":1}]}',
        json,
      );
      const first = new SseReader(await ask(`${path}?offset=earliest`));
      const seen = await first.take(2);
      await first.cancel();
      await write(topic, '{"records":[{"value":"c","partition":1}]}', json);
      const headers = { "Last-Event-ID": seen[1]?.id ?? "" };
      const next = new SseReader(await ask(path, { headers }));
      expect(JSON.parse((await next.next()).data)).toMatchObject({ value: "c", offset: 1 });
      await next.cancel();
    });

    test("a WebSocket gives records for credit, and is refused to pages of others", async () => {
      const topic = await newTopic({ partitions: 2 });
      const url = `${place.url}/v1/topics/${topic}/ws?offset=earliest`;
      await write(topic, "a\nb\nc", { ...lines, "Content-Type": "text/plain" });
      const socket = new SocketClient(url, { headers: place.headers });
      expect(await socket.next()).toEqual({ cursor: expect.any(String) });
      socket.send({ credit: 2 });
      const seen = [await socket.nextData(), await socket.nextData()];
      await write(topic, "d");
      // An answer to another request is behind what the socket was not asked for.
      await read(topic);
      expect(socket.waiting).toBe(0);
      socket.send({ credit: 2 });
      seen.push(await socket.nextData(), await socket.nextData());
      expect(seen.map(({ data }) => data?.["value"]).sort()).toEqual(["a", "b", "c", "d"]);
      socket.send("nonsense");
      expect((await socket.closed).code).toBe(1008);

      const headers = { ...place.headers, Origin: "https://evil.example" };
      const foreign = new SocketClient(url, { headers });
      expect((await foreign.closed).code).not.toBe(1000);
      expect(foreign.waiting).toBe(0);
      const plain = await call(`/v1/topics/${topic}/ws`);
      expect([plain.status, plain.json["code"]]).toEqual([426, "upgrade_required"]);
      const tokenBody = JSON.stringify({ topics: [topic], operations: ["read"] });
      const { token } = (await post("/v1/tokens", tokenBody)).json as { token: string };
      const device = new SocketClient(url, { protocols: ["millrace", token] });
      expect(await device.next()).toEqual({ cursor: expect.any(String) });
      expect(device.protocol).toBe("millrace");
      await device.close();
    });

    test("a WebSocket goes on for a client that gives credit by halves of a large one", async () => {
      const topic = await newTopic();
      const values = Array.from({ length: 700 }, (_, index) => `${index} ${"x".repeat(2_000)}`);
      await write(topic, values.join("\n"), { "Content-Type": "text/plain" });
      const url = `${place.url}/v1/topics/${topic}/ws?offset=earliest`;
      const socket = new SocketClient(url, { headers: place.headers });
      await socket.next();
      socket.send({ credit: 512 });
      const seen: unknown[] = [];
      for (let taken = 1; seen.length < values.length; taken++) {
        seen.push((await socket.nextData()).data?.["value"]);
        if (taken % 256 === 0) socket.send({ credit: 256 });
      }
      expect(seen).toEqual(values);
      await socket.close();
    }, 20_000);

    test("one cursor goes on over events, a WebSocket and polls, in any order", async () => {
      const topic = await newTopic({ partitions: 3 });
      const path = `/v1/topics/${topic}`;
      const values = Array.from({ length: 30 }, (_, index) => `value ${index}`);
      const records = values.map((value, index) => ({ value, partition: index % 3 }));
      await write(topic, JSON.stringify({ records }), json);
      const events = async (cursor: string, count: number) => {
        const reader = new SseReader(
          await ask(`${path}/stream?offset=earliest`, { headers: { "Last-Event-ID": cursor } }),
        );
        const taken = await reader.take(count);
        await reader.cancel();
        const found = taken.map(({ data }) => JSON.parse(data).value as string);
        return { found, cursor: taken.at(-1)?.id ?? "" };
      };
      const socket = async (cursor: string, count: number) => {
        const query = cursor === "" ? "offset=earliest" : `cursor=${cursor}`;
        const client = new SocketClient(`${place.url}${path}/ws?${query}`, {
          headers: place.headers,
        });
        await client.next();
        client.send({ credit: count });
        const found: string[] = [];
        let last = cursor;
        for (let index = 0; index < count; index++) {
          const { data, cursor: next } = await client.nextData();
          found.push(String(data?.["value"]));
          last = next ?? "";
        }
        await client.close();
        return { found, cursor: last };
      };
      const poll = async (cursor: string, count: number) => {
        const query = cursor === "" ? "" : `&cursor=${cursor}`;
        const { json: polled } = await call(
          `${path}/records?waitMs=30000&maxRecords=${count}${query}`,
        );
        const found = (polled["records"] as JsonRecord[]).map(({ value }) => String(value));
        return { found, cursor: String(polled["cursor"]) };
      };
      const seen: string[] = [];
      let cursor = "";
      for (const next of [poll, events, socket, events, poll, socket, poll, socket, events]) {
        const { found, cursor: behind } = await next(cursor, 3);
        expect(found.length).toBeGreaterThan(0);
        seen.push(...found);
        cursor = behind;
      }
      while (seen.length < values.length) {
        const { found, cursor: behind } = await poll(cursor, 3);
        seen.push(...found);
        cursor = behind;
      }
      expect(seen.toSorted()).toEqual(values.toSorted());
    });

    test("an HTTP producer's repeats, gaps and older epochs are told apart", async () => {
      const topic = await newTopic();
      const send = (epoch: number, sequence: number) =>
        write(topic, `${epoch}/${sequence}`, {
          ...lines,
          "Producer-Id": `till-${topic}`,
          "Producer-Epoch": String(epoch),
          "Producer-Seq": String(sequence),
        });
      const first = await send(1, 0);
      expect((await send(1, 0)).json).toEqual(first.json);
      expect((await send(1, 2)).json).toMatchObject({ status: 409, expectedSequence: 1 });
      expect((await send(1, 1)).status).toBe(200);
      expect((await send(0, 0)).json).toMatchObject({ status: 403, code: "producer_fenced" });
      expect(valuesOf(await read(topic))).toEqual(["1/0", "1/1"]);
    });

    test("groups get offsets, show their lag, and are deleted", async () => {
      const topic = await newTopic();
      await write(topic, "a\nb\nc");
      const path = `/v1/groups/readers-of-${topic}`;
      const body = JSON.stringify({ offsets: [{ topic, partition: 0, offset: 1 }] });
      const put = await call(`${path}/offsets`, { method: "PUT", body, headers: json });
      expect(put.status).toBe(200);
      expect((await call(path)).json).toMatchObject({
        ...{ state: "Empty", members: [] },
        offsets: [{ topic, partition: 0, offset: 1, highOffset: 3, lag: 2 }],
      });
      expect((await ask(path, { method: "DELETE" })).status).toBe(204);
      expect((await call(path)).json).toMatchObject({ status: 404, code: "group_unknown" });
    });

    test("access tokens are good for their topic, pages and time, as fast as they may", async () => {
      const [topic, other] = [await newTopic(), await newTopic()];
      const shop = "https://shop.example";
      const newToken = async (wanted: object) => {
        const body = JSON.stringify({ topics: [topic], operations: ["write"], ...wanted });
        const { status, json: made } = await post("/v1/tokens", body);
        expect(status).toBe(201);
        return made as { token: string; tokenId: string };
      };
      /** As a page or a device would, without the secret of the server. */
      const send = async (shown: string | Fields, to = topic, origin = shop, body = "click") => {
        const query = typeof shown === "string" ? `?token=${shown}` : "";
        const headers = { "Content-Type": "text/plain", Origin: origin };
        const answer = await fetch(`${place.url}/v1/topics/${to}/records${query}`, {
          ...{ method: "POST", body },
          headers: typeof shown === "string" ? headers : { ...headers, ...shown },
        });
        await answer.text();
        return answer;
      };
      const statusOf = async (...what: Parameters<typeof send>) => (await send(...what)).status;
      const bearer = (token: string) => ({ Authorization: `Bearer ${token}` });
      const { token, tokenId } = await newToken({ origins: [shop], ttlMs: 3_600_000 });

      const good = await send(bearer(token));
      expect([good.status, good.headers.get("Access-Control-Allow-Origin")]).toEqual([200, shop]);
      expect(await statusOf(token)).toBe(200);
      expect(valuesOf(await read(topic))).toEqual(["click", "click"]);
      const preflight = await fetch(`${place.url}/v1/topics/${topic}/records`, {
        method: "OPTIONS",
        headers: { Origin: shop, "Access-Control-Request-Method": "POST" },
      });
      expect(preflight.status).toBe(204);
      expect(preflight.headers.get("Access-Control-Allow-Origin")).toBe(shop);

      expect(await statusOf(bearer(token), other)).toBe(403);
      expect(await statusOf(bearer(token), topic, "https://evil.example")).toBe(403);
      for (const cut of [token.slice(0, -1), token.slice(0, 9), `${token}x`]) {
        expect([cut, await statusOf(bearer(cut)), await statusOf(cut)]).toEqual([cut, 401, 401]);
      }
      const reading = `${place.url}/v1/topics/${topic}/partitions/0/records`;
      expect((await fetch(reading, { headers: { ...bearer(token), Origin: shop } })).status).toBe(
        403,
      );
      for (const path of [reading, `${place.url}/v1/topics`, `${place.url}/v1/sql`]) {
        expect([path, (await fetch(`${path}?token=${token}`)).status]).toEqual([path, 401]);
      }
      expect((await fetch(`${place.url}/v1/tokens`, { headers: bearer(token) })).status).toBe(403);

      const { token: brief } = await newToken({ origins: [shop], ttlMs: 1 });
      expect(await statusOf(bearer(brief))).toBe(401);
      const { token: slow } = await newToken({ origins: [shop], recordsPerSecondMax: 0.001 });
      expect(await statusOf(slow)).toBe(200);
      const over = await send(slow);
      expect(over.status).toBe(429);
      expect(Number(over.headers.get("Retry-After"))).toBeGreaterThan(900);

      const gone = await ask(`/v1/tokens/${tokenId}`, { method: "DELETE" });
      expect(gone.status).toBe(204);
      // Whichever of several objects knew it: all have heard of it in so long.
      let late = await statusOf(bearer(token));
      for (let wait = 0; wait < 70 && late === 200; wait++) {
        await Bun.sleep(100);
        late = await statusOf(bearer(token));
      }
      expect(late).toBe(401);
      expect(await statusOf(token)).toBe(401);
    }, 30_000);

    test("a group is polled by two clients, who share its partitions and lose nothing", async () => {
      const topic = await newTopic({ partitions: 4 });
      const path = `/v1/groups/pollers-of-${topic}`;
      const values = Array.from({ length: 40 }, (_, index) => `value ${index}`);
      const records = values.map((value, index) => ({ value, partition: index % 4 }));
      const body = JSON.stringify({ records });
      const poll = async (wanted: object) => {
        const asked = JSON.stringify({ topics: [topic], max_records: 3, ...wanted });
        const { status, json: polled } = await post(`${path}/poll`, asked);
        expect({ status, polled }).toMatchObject({ status: 200 });
        return polled as { records: JsonRecord[]; position: string };
      };
      const seen: string[] = [];
      const client = async () => {
        let position: string | undefined;
        while (seen.length < values.length) {
          const polled = await poll({ ...(position && { position }), wait_ms: 200 });
          seen.push(...polled.records.map(({ value }) => String(value)));
          position = polled.position;
        }
        await poll({ position, max_records: 0 });
      };
      const clients = [client(), client()];
      await write(topic, body, json);
      await Promise.all(clients);
      expect(new Set(seen)).toEqual(new Set(values));
      const described = (await call(path)).json["offsets"] as { lag: number }[];
      expect(described.map(({ lag }) => lag)).toEqual([0, 0, 0, 0]);
      const garbled = JSON.stringify({ topics: [topic], position: "garbled" });
      expect((await post(`${path}/poll`, garbled)).status).toBe(400);
    }, 30_000);

    test("it gives pages their client, without a token, once", async () => {
      const answer = await fetch(`${place.url}/client.js`);
      expect(answer.status).toBe(200);
      expect(await answer.text()).toBe(readClientScript());
      expect(answer.headers.get("Content-Type")).toBe("text/javascript; charset=utf-8");
      const headers = { "If-None-Match": answer.headers.get("ETag") ?? "" };
      expect((await fetch(`${place.url}/client.js`, { headers })).status).toBe(304);
      const head = await fetch(`${place.url}/client.js`, { method: "HEAD" });
      expect([head.status, head.headers.get("ETag")]).toEqual([200, headers["If-None-Match"]]);
    });

    test("a beacon's query is the producer's place", async () => {
      const topic = await newTopic();
      const query = `?body=json&Producer-Id=page-${topic}&Producer-Epoch=0&Producer-Seq=0`;
      const send = () =>
        post(`/v1/topics/${topic}/records${query}`, '{"records":[{"value":"bye"}]}', {
          "Content-Type": "text/plain",
        });
      const first = await send();
      expect(await send()).toMatchObject({ status: 200, json: first.json });
      expect(valuesOf(await read(topic))).toEqual(["bye"]);
    });

    test("it tells its health, its figures and its description", async () => {
      expect((await call("/healthz")).json).toEqual({ status: "ok" });
      expect((await ask("/healthz", { method: "HEAD" })).status).toBe(200);
      expect((await call("/readyz")).json).toEqual({ status: "ok" });
      expect((await call("/openapi.json")).json).toMatchObject({ openapi: "3.1.0" });
      expect(await (await ask("/metrics")).text()).toContain("millrace_flushes_total");
    });
  });
}

async function answered(asked: Promise<Response>) {
  const answer = await asked;
  return { status: answer.status, headers: answer.headers, text: await answer.text() };
}
