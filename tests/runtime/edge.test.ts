/** The Worker as it is deployed: front, Durable Objects, R2, and libSQL over HTTP. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { startLibsqlHttpServer } from "../../deploy/cloudflare/libsql-http-server.ts";
import { acquireLease, readLease } from "../../src/meta/leases.ts";
import { closeWorker, listWorkers, registerWorker } from "../../src/meta/workers.ts";
import { openLibsqlServer } from "../../src/runtime/node/libsql-server.ts";
import { segmentKey } from "../../src/store/object-keys.ts";
import { edgeToken, startEdgeWorker } from "../support/edge-worker.ts";
import type { Isolate } from "../support/isolate.ts";
import { SseReader } from "../support/sse-reader.ts";
import type { JsonRecord } from "./golden-batches.ts";

const metadata = startLibsqlHttpServer();
const database = openLibsqlServer({ url: metadata.url, authToken: null, timeoutMs: 10_000 });
afterAll(() => metadata.close());

describe("the Worker without a token", () => {
  let worker: Isolate;
  beforeAll(async () => {
    worker = await startEdgeWorker({ MILLRACE_METADATA: metadata.url });
  });
  afterAll(() => worker.stop());

  test("says that it lives, and nothing else to anybody", async () => {
    expect(await (await fetch(`${worker.url}/healthz`)).json()).toEqual({ status: "ok" });
    for (const path of [
      "/readyz",
      "/metrics",
      "/v1/topics",
      "/openapi.json",
      "/client.js",
      "/",
      "/healthz/",
    ]) {
      const headers = { Authorization: `Bearer ${edgeToken}` };
      const answer = await fetch(`${worker.url}${path}`, { headers });
      expect({ path, status: answer.status }).toEqual({ path, status: 403 });
      expect(((await answer.json()) as { detail: string }).detail).toContain("MILLRACE_TOKEN");
    }
    expect(metadata.pipelines).toBe(0);
  });
});

describe("the Worker", () => {
  const records = "/v1/topics/orders/records";
  const partition0 = "/v1/topics/orders/partitions/0/records";
  const authorization = { Authorization: `Bearer ${edgeToken}` };
  let worker: Isolate;

  function ask(path: string, init: RequestInit = {}): Promise<Response> {
    const headers = { ...authorization, ...(init.headers as Record<string, string>) };
    return fetch(`${worker.url}${path}`, { ...init, headers });
  }

  async function post(path: string, body: string, headers: Record<string, string> = {}) {
    const type = { "Content-Type": body.startsWith("{") ? "application/json" : "text/plain" };
    return await ask(path, { method: "POST", headers: { ...type, ...headers }, body });
  }

  async function append(value: string): Promise<number> {
    const answer = await post(records, value);
    if (!answer.ok) throw new Error(`${await answer.text()}\n${worker.log()}`);
    const { offsets } = (await answer.json()) as { offsets: { baseOffset: number }[] };
    return offsets[0]?.baseOffset ?? -1;
  }

  async function read(path: string): Promise<JsonRecord[]> {
    const answer = await ask(path);
    if (!answer.ok) throw new Error(`${await answer.text()}\n${worker.log()}`);
    return ((await answer.json()) as { records: JsonRecord[] }).records;
  }

  async function segments(): Promise<string[]> {
    const bucket = await worker.bucket("BUCKET");
    const { objects } = await bucket.list({ prefix: "segments/" });
    return objects.map(({ key }) => key);
  }

  /** Asks again while the answer is that of a server that is gone or going. */
  async function untilOk(act: () => Promise<Response>): Promise<Response> {
    for (let attempt = 0; attempt < 200; attempt++) {
      const answer = await act().catch(() => undefined);
      if (answer !== undefined && ![500, 502, 503].includes(answer.status)) return answer;
      await Bun.sleep(20);
    }
    throw new Error(`No answer\n${worker.log()}`);
  }

  const openObjects = async () =>
    (await listWorkers(database)).filter(({ kind }) => kind === "durable_object");

  beforeAll(async () => {
    worker = await startEdgeWorker({
      ...{ MILLRACE_METADATA: metadata.url, MILLRACE_TOKEN: edgeToken },
      MILLRACE_ORIGINS: "https://shop.example",
      // Without the ceiling, which would only make for fewer segments.
      MILLRACE_FLUSH_RATE_MAX: "0",
    });
  });
  afterAll(() => worker.stop());

  test("wakes no object for who may not ask", async () => {
    for (const headers of [
      {},
      { Authorization: "Bearer another" },
      { Authorization: "Basic eA" },
    ]) {
      for (const path of ["/v1/topics", "/v1/groups/readers", "/metrics", "/nothing"]) {
        const answer = await fetch(`${worker.url}${path}`, { headers });
        expect({ path, status: answer.status }).toEqual({ path, status: 401 });
      }
    }
    const foreign = await ask("/v1/topics", {
      method: "POST",
      headers: { Origin: "https://evil.example" },
    });
    expect(foreign.status).toBe(403);
    const page = await fetch(`${worker.url}/v1/topics`, {
      headers: { Origin: "https://shop.example" },
    });
    expect(page.headers.get("Access-Control-Allow-Origin")).toBe("https://shop.example");
    expect(metadata.pipelines).toBe(0);
  });

  test("appends into R2 and reads back", async () => {
    const made = await post("/v1/topics", '{"name":"orders"}');
    expect({ status: made.status, text: await made.text() }).toMatchObject({ status: 201 });
    expect(await append("one")).toBe(0);
    expect((await read(partition0)).map(({ value }) => value)).toEqual(["one"]);
    expect(await segments()).toHaveLength(1);
  });

  test("twenty appends at once are two segments and two publishes at most", async () => {
    await append("warm");
    const before = { segments: (await segments()).length, pipelines: metadata.pipelines };
    // As far as a database is from an object that is not beside it.
    metadata.delayMs = 100;
    const values = Array.from({ length: 20 }, (_, index) => `value ${index}`);
    const offsets = await Promise.all(values.map(append));
    metadata.delayMs = 0;
    expect((await segments()).length - before.segments).toBeLessThanOrEqual(2);
    expect(metadata.pipelines - before.pipelines).toBeLessThanOrEqual(2);
    const found = await read(`${partition0}?offset=2`);
    const answered = values.map((value, index) => ({ offset: offsets[index] ?? -1, value }));
    expect(found.map(({ offset, value }) => ({ offset, value: value ?? "" }))).toEqual(
      answered.toSorted((one, other) => one.offset - other.offset),
    );
  });

  test("appends that share a call are answered also when its first client has gone", async () => {
    const made = { method: "POST", headers: { "Content-Type": "application/json" } };
    await ask("/v1/topics", { ...made, body: '{"name":"left"}' });
    const gone = new AbortController();
    metadata.delayMs = 50;
    const send = (value: string, signal?: AbortSignal) =>
      ask("/v1/topics/left/records", {
        ...{ method: "POST", headers: { "Content-Type": "text/plain" }, body: value },
        ...(signal && { signal }),
      });
    const first = send("gone", gone.signal).catch(() => undefined);
    const others = Array.from({ length: 20 }, (_, index) => send(`stays ${index}`));
    await Bun.sleep(5);
    gone.abort();
    expect((await Promise.all(others)).map(({ status }) => status)).toEqual(Array(20).fill(200));
    metadata.delayMs = 0;
    await first;
    const found = await read("/v1/topics/left/partitions/0/records");
    const stayed = found.filter(({ value }) => value?.startsWith("stays"));
    expect(stayed).toHaveLength(20);
  });

  test("readers that wait are woken by the publish, without asking the metadata", async () => {
    const waiting = Promise.all([1, 2, 3].map(() => read(`${partition0}?offset=22&waitMs=30000`)));
    const events = new SseReader(await ask("/v1/topics/orders/stream?offset=22"));
    await events.firstId();
    await Bun.sleep(200);
    const before = metadata.pipelines;
    await Bun.sleep(200);
    expect(metadata.pipelines).toBe(before);
    await append("awaited");
    expect((await waiting).map((each) => each[0]?.value)).toEqual([
      "awaited",
      "awaited",
      "awaited",
    ]);
    expect(JSON.parse((await events.next()).data)).toMatchObject({ offset: 22, value: "awaited" });
    await events.cancel();
  });

  test("an activation goes on where the last one was killed, under a new epoch", async () => {
    const headers = { "Producer-Id": "till", "Producer-Epoch": "0", "Producer-Seq": "0" };
    const first = await (await post(records, "sold", headers)).json();
    const [killed] = await openObjects();
    const unanswered = ask(`${partition0}?offset=24&waitMs=30000`).then(
      ({ status }) => status,
      () => "broken off",
    );
    await worker.restart();
    expect(["broken off", 500, 503]).toContain(await unanswered);
    expect(await (await post(records, "sold", headers)).json()).toEqual(first);
    expect((await read(partition0)).map(({ offset }) => offset)).toHaveLength(24);
    const open = await openObjects();
    expect(open).toHaveLength(1);
    expect(open[0]?.workerEpoch).toBeGreaterThan(killed?.workerEpoch ?? 0);
    expect(open[0]?.counter).toBe(0);
  });

  test("producers that send again lose and double nothing, however often it is killed", async () => {
    const headers = { "Content-Type": "application/json" };
    const made = { method: "POST", headers, body: '{"name":"tills"}' };
    expect((await ask("/v1/topics", made)).status).toBe(201);
    const sent = 40;
    async function produce(producer: string): Promise<void> {
      for (let sequence = 0; sequence < sent; sequence++) {
        const place = { "Producer-Epoch": "0", "Producer-Seq": String(sequence) };
        const send = () =>
          post("/v1/topics/tills/records", `${producer}/${sequence}`, {
            "Producer-Id": producer,
            ...place,
          });
        const answer = await untilOk(send);
        if (!answer.ok) throw new Error(`${await answer.text()}\n${worker.log()}`);
      }
    }
    const producers = Array.from({ length: 6 }, (_, index) => `till-${index}`);
    let isOver = false;
    const all = Promise.all(producers.map(produce)).finally(() => {
      isOver = true;
    });
    let kills = 0;
    for (; kills < 3; kills++) {
      await Bun.sleep(60);
      if (isOver) break;
      await worker.restart();
    }
    await all;
    expect(kills).toBeGreaterThan(0);
    const found: string[] = [];
    while (found.length < producers.length * sent) {
      const path = "/v1/topics/tills/partitions/0/records";
      const more = await read(`${path}?offset=${found.length}`);
      expect(more.length).toBeGreaterThan(0);
      found.push(...more.map(({ value }) => value ?? ""));
    }
    for (const producer of producers) {
      const values = found.filter((value) => value.startsWith(`${producer}/`));
      expect(values).toEqual(Array.from({ length: sent }, (_, each) => `${producer}/${each}`));
    }
  });

  test("an object whose epoch was closed refuses what it held and takes a new one", async () => {
    const [{ workerEpoch = 0, counter = 0 } = {}] = await openObjects();
    expect(await closeWorker(database, { workerEpoch, observedCounter: counter })).toBe(true);
    const refused = await post(records, "lost");
    expect(refused.status).toBe(503);
    expect(await refused.json()).toMatchObject({ code: "worker_fenced" });
    // Until it has its new epoch, as any client would.
    const again = await untilOk(() => post(records, "after"));
    expect(await again.json()).toMatchObject({ offsets: [{ baseOffset: 24 }] });
    const [{ workerEpoch: renewed = 0 } = {}] = await openObjects();
    expect(renewed).toBeGreaterThan(workerEpoch);
    expect((await read(`${partition0}?offset=24`)).map(({ value }) => value)).toEqual(["after"]);
  });

  test("a group has an object of its own, whose lease no process takes", async () => {
    const body = '{"offsets":[{"topic":"orders","partition":0,"offset":7}]}';
    const headers = { "Content-Type": "application/json" };
    const put = await ask("/v1/groups/readers/offsets", { method: "PUT", headers, body });
    expect({ status: put.status, text: await put.text() }).toMatchObject({ status: 200 });
    const name = { kind: "group", name: "readers" };
    const lease = await readLease(database, name);
    const holder = (await openObjects()).find(
      ({ workerEpoch }) => workerEpoch === lease?.workerEpoch,
    );
    expect(holder).toMatchObject({ kind: "durable_object" });
    const { workerEpoch: held = 0, counter = 0 } = holder ?? {};
    await closeWorker(database, { workerEpoch: held, observedCounter: counter });
    const address = { kafkaHost: null, kafkaPort: null, httpUrl: null, nodeId: null };
    const process = { registration: "a process", kind: "process", ...address } as const;
    const { workerEpoch } = await registerWorker(database, process);
    expect((await acquireLease(database, { ...name, workerEpoch })).workerEpoch).toBeNull();
    // Whoever finds out is told to ask again.
    const group = await (await untilOk(() => ask("/v1/groups/readers"))).json();
    expect(group).toMatchObject({ offsets: [{ topic: "orders", partition: 0, offset: 7 }] });
  });

  test("cron collects what nothing names, and gives the lease back", async () => {
    const bucket = await worker.bucket("BUCKET");
    const orphan = segmentKey({ workerEpoch: 1, sequence: 999_999 });
    await bucket.put(orphan, new Uint8Array(4096));
    expect(await worker.runCron("17 3 * * *")).toBe("ok");
    expect(await bucket.head(orphan)).toBeNull();
    const lease = await readLease(database, { kind: "maintenance", name: "log" });
    expect(lease?.workerEpoch).toBeNull();
    const before = (await read(partition0)).map(({ offset }) => offset);
    const after = (await read(`${partition0}?offset=24`)).map(({ offset }) => offset);
    expect([...before.slice(0, 24), ...after]).toEqual([...Array(25).keys()]);
  });

  test("nothing went wrong unseen", () => {
    const known = /worker epoch lost|coordinator_elsewhere|worker_fenced/;
    const lines = worker.log().split("\n");
    const found = lines.filter((line) => /"level":"(warn|error)"|Error|exception/.test(line));
    expect(found.filter((line) => !known.test(line))).toEqual([]);
  });
});
