/**
 * How readers of the Worker hear of what another object has published: shards tell each other also
 * while they sleep, peers that cannot are looked for by alarm, and nobody asks for each reader.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { bundleWorker } from "../../deploy/cloudflare/bundle.ts";
import { startLibsqlHttpServer } from "../../deploy/cloudflare/libsql-http-server.ts";
import { rowsOf, statement, textAt } from "../../src/meta/sql-values.ts";
import { openLibsqlServer } from "../../src/runtime/node/libsql-server.ts";
import { ShardSpread } from "../../src/runtime/workerd/shard-spread.ts";
import { type EdgeVariables, edgeOptions, edgeToken } from "../support/edge-worker.ts";
import { type Isolate, startIsolate } from "../support/isolate.ts";
import { eventually } from "../support/processes.ts";
import { SocketClient } from "../support/socket-client.ts";
import { SseReader } from "../support/sse-reader.ts";
import { until } from "../support/until.ts";
import type { JsonRecord } from "./golden-batches.ts";

const entry = join(import.meta.dir, "workerd/faulty-worker.ts");
const headers = { Authorization: `Bearer ${edgeToken}` };
/** workerd puts an object to sleep that has had nothing to do for ten seconds. */
const asleepMs = 14_000;

/** A Worker and what its objects ask. */
function edge(variables: EdgeVariables) {
  const metadata = startLibsqlHttpServer();
  const database = openLibsqlServer({ url: metadata.url, authToken: null, timeoutMs: 10_000 });
  let worker: Isolate;
  beforeAll(async () => {
    const options = edgeOptions({
      ...{ MILLRACE_METADATA: metadata.url, MILLRACE_TOKEN: edgeToken },
      ...{ MILLRACE_FLUSH_RATE_MAX: "0", ...variables },
    });
    worker = await startIsolate(await bundleWorker({ entry, minify: true }), {
      ...options,
      durableObjects: {
        ...options["durableObjects"],
        TWINS: { className: "TwinObject", useSQLite: true },
      },
    });
  }, 60_000);
  afterAll(async () => {
    await worker.stop();
    await metadata.close();
  });
  const ask = (path: string, init: RequestInit = {}) =>
    fetch(`${worker.url}${path}`, { ...init, headers: { ...headers, ...init.headers } });

  return {
    ask,
    log: () => worker.log(),
    asked: () => metadata.pipelines,
    async create(topic: string): Promise<void> {
      const type = { "Content-Type": "application/json" };
      const body = JSON.stringify({ name: topic, partitions: 1 });
      const made = await ask("/v1/topics", { method: "POST", headers: type, body });
      expect(made.status).toBe(201);
    },
    async append(topic: string, value: string, more: Record<string, string> = {}): Promise<void> {
      const type = { "Content-Type": "text/plain", ...more };
      const path = `/v1/topics/${topic}/records`;
      const answer = await ask(path, { method: "POST", headers: type, body: value });
      if (!answer.ok) throw new Error(`${await answer.text()}\n${worker.log()}`);
    },
    open: (topic: string) =>
      new SocketClient(`${worker.url}/v1/topics/${topic}/ws?offset=latest`, { headers }),
    /** How often each object has been put into memory. */
    async activations(): Promise<Map<string, number>> {
      const sql = "SELECT object_name FROM worker WHERE object_name IS NOT NULL";
      const counts = new Map<string, number>();
      for (const row of rowsOf(await database.batch([statement(sql)], "read"), 0)) {
        const name = textAt(row, 0);
        counts.set(name, (counts.get(name) ?? 0) + 1);
      }
      return counts;
    },
  };
}

const nextValue = async (socket: SocketClient) => (await socket.nextData()).data?.["value"];

/** A producer whose appends to the topic go to that one of two shards. */
function tillOf(topic: string, shard: string): string {
  const spread = new ShardSpread({ shards: 2, shardsMax: 2 }, () => 0);
  for (let till = 0; ; till++) {
    const asked = { producer: `${topic} till-${till}`, connection: "", isRated: false };
    if (spread.place(asked).name === shard) return `till-${till}`;
  }
}

describe("with two shards", () => {
  const { ask, log, asked, create, append, open, activations } = edge({ MILLRACE_SHARDS: "2" });
  // Enough that readers of them are in both shards.
  const topics = Array.from({ length: 6 }, (_, index) => `topic-${index}`);
  const sequences = new Map<string, number>();

  /** Appends to each topic through that shard alone. */
  async function appendThrough(shard: string, value: string): Promise<void> {
    for (const topic of topics) {
      const till = tillOf(topic, shard);
      const sequence = sequences.get(`${topic} ${till}`) ?? 0;
      sequences.set(`${topic} ${till}`, sequence + 1);
      const place = { "Producer-Epoch": "0", "Producer-Seq": String(sequence) };
      await append(topic, value, { "Producer-Id": till, ...place });
    }
  }

  test("sockets rest in both, and hear of what either publishes", async () => {
    for (const topic of topics) await create(topic);
    const sockets = topics.map(open);
    for (const socket of sockets) {
      await socket.next();
      socket.send({ credit: 1_000 });
    }
    for (const shard of ["0", "1"]) {
      await appendThrough(shard, `awake ${shard}`);
      for (const socket of sockets) expect(await nextValue(socket)).toBe(`awake ${shard}`);
    }
    for (const shard of ["1", "0"]) {
      const before = await activations();
      expect(before.size).toBe(2);
      // What was asked when they came to rest is over.
      await Bun.sleep(2_000);
      const askedBefore = asked();
      await Bun.sleep(asleepMs - 2_000);
      expect(asked() - askedBefore).toBe(0);
      // The other one is woken by what this one publishes.
      await appendThrough(shard, `asleep ${shard}`);
      for (const socket of sockets) expect(await nextValue(socket)).toBe(`asleep ${shard}`);
      const after = await activations();
      for (const [name, count] of before) expect(after.get(name)).toBeGreaterThan(count);
    }
    for (const socket of sockets) {
      expect(socket.waiting).toBe(0);
      await socket.close();
    }
  }, 90_000);

  test("twenty readers that wait are woken by either, and ask no more than two", async () => {
    const ends = new Map<string, number>();
    for (const topic of topics) {
      const path = `/v1/topics/${topic}/partitions/0/records?offset=0`;
      const { records } = (await (await ask(path)).json()) as { records: JsonRecord[] };
      ends.set(topic, records.length);
    }
    const waiting = Array.from({ length: 20 }, async (_, index) => {
      const topic = topics[index % topics.length] ?? "";
      const path = `/v1/topics/${topic}/partitions/0/records`;
      const answer = await ask(`${path}?offset=${ends.get(topic)}&waitMs=30000`);
      const { records } = (await answer.json()) as { records: JsonRecord[] };
      return records[0]?.value;
    });
    await Bun.sleep(1_500);
    const before = asked();
    const seconds = 4;
    await Bun.sleep(seconds * 1_000);
    // Each of the two objects asks once a second, for all of its readers.
    expect(asked() - before).toBeLessThanOrEqual(2 * (seconds + 1));
    expect(asked() - before).toBeGreaterThan(0);
    await appendThrough("1", "awaited");
    expect(await Promise.all(waiting)).toEqual(Array(20).fill("awaited"));
  }, 60_000);

  test("nothing went wrong unseen", () => {
    expect(log()).not.toMatch(/"level":"(warn|error)"|Error|exception/);
  });
});

describe("an event stream", () => {
  const { ask, asked, create, append, activations, log } = edge({
    MILLRACE_ORIGINS: "https://shop.example",
    MILLRACE_SHARDS_MAX: "2",
  });
  const path = "/v1/topics/events/stream";

  test("lets its object sleep, and goes on with what is published then", async () => {
    await create("events");
    await append("events", '"a"\nb');
    const answer = await ask(`${path}?offset=earliest`, {
      headers: { Origin: "https://shop.example" },
    });
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      "content-type": "text/event-stream",
      "cache-control": "no-store, no-transform",
      "access-control-allow-origin": "https://shop.example",
    });
    const events = new SseReader(answer);
    expect(await events.firstId()).not.toBe("");
    const [first, second] = await events.take(2);
    expect(JSON.parse(first?.data ?? "")).toMatchObject({ offset: 0, value: '"a"' });
    expect(JSON.parse(second?.data ?? "")).toMatchObject({ offset: 1, value: "b" });
    for (const [name, count] of await activations()) expect([name, count]).toEqual([name, 1]);
    await Bun.sleep(1_000);
    const before = asked();
    await Bun.sleep(asleepMs - 1_000);
    expect(asked()).toBe(before);
    await append("events", "c");
    const third = await events.next();
    expect(JSON.parse(third.data)).toMatchObject({ offset: 2, value: "c" });
    expect([...(await activations()).values()]).toEqual([2]);
    const kept = async () => (await ask("/test/sockets")).json() as Promise<number>;
    expect(await kept()).toBe(1);
    await events.cancel();
    await until(async () => (await kept()) === 0);
    // Whoever comes again goes on behind the last event.
    await append("events", "d");
    const again = new SseReader(await ask(path, { headers: { "Last-Event-ID": third.id } }));
    expect(JSON.parse((await again.next()).data)).toMatchObject({ offset: 3, value: "d" });
    await again.cancel();
  }, 60_000);

  test("gives a reader who is behind all there is, in order, as it takes it", async () => {
    await create("many");
    const values = Array.from(
      { length: 2_000 },
      (_, index) => `${index} ${"x".repeat(index % 700)}`,
    );
    for (let start = 0; start < values.length; start += 500) {
      await append("many", values.slice(start, start + 500).join("\n"));
    }
    const events = new SseReader(await ask("/v1/topics/many/stream?offset=earliest"));
    const found = (await events.take(values.length)).map(({ data }) => JSON.parse(data));
    expect(found.map(({ value }) => value)).toEqual(values);
    await append("many", "last");
    expect(JSON.parse((await events.next()).data)).toMatchObject({ value: "last" });
    await events.cancel();
  }, 60_000);

  test("is refused as at any worker", async () => {
    const unknown = await ask("/v1/topics/nothing/stream");
    expect(unknown.status).toBe(404);
    expect(await unknown.json()).toMatchObject({ code: "topic_unknown" });
    const asJson = await ask(path, { headers: { Accept: "application/json" } });
    expect(asJson.status).toBe(406);
    const wrong = await ask(`${path}?offset=nonsense`);
    expect(wrong.status).toBe(400);
  });

  test("nothing went wrong unseen", () => {
    expect(log()).not.toMatch(/"level":"(warn|error)"|Error|exception/);
  });
});

describe("a group that is polled", () => {
  const { ask, asked, create, append, log } = edge({});
  const poll = async (groupId: string, topics: readonly string[], position?: string) => {
    const type = { "Content-Type": "application/json" };
    const body = JSON.stringify({ topics, wait_ms: 20_000, ...(position && { position }) });
    const answer = await ask(`/v1/groups/${groupId}/poll`, { method: "POST", headers: type, body });
    if (!answer.ok) throw new Error(await answer.text());
    return (await answer.json()) as { records: JsonRecord[]; position: string };
  };

  test("is woken by what it waits for, asks once a second, and not for other topics", async () => {
    for (const topic of ["bills", "noise"]) await create(topic);
    await append("bills", "first");
    const first = await poll("clerks", ["bills"]);
    expect(first.records.map(({ value }) => value)).toEqual(["first"]);
    const waiting = poll("clerks", ["bills"], first.position);
    await Bun.sleep(1_500);
    const before = asked();
    const [seconds, noises] = [4, 12];
    for (let count = 0; count < noises; count++) {
      await append("noise", "nothing for it");
      await Bun.sleep((seconds * 1_000) / noises);
    }
    // A publish each, and the questions of the group; it reads what they say was published.
    expect(asked() - before - noises).toBeLessThanOrEqual(2 * (seconds + 1));
    await append("bills", "second");
    const second = await waiting;
    expect(second.records.map(({ value }) => value)).toEqual(["second"]);
    // What comes between two polls is there for the next one at once.
    await append("bills", "third");
    const third = await poll("clerks", ["bills"], second.position);
    expect(third.records.map(({ value }) => value)).toEqual(["third"]);
  }, 60_000);

  test("is woken also after the first shard was ended", async () => {
    const { position } = await poll("cashiers", ["bills"]);
    const waiting = poll("cashiers", ["bills"], position);
    await Bun.sleep(500);
    await ask("/test/abort", { method: "POST" });
    await append("bills", "fourth");
    expect((await waiting).records.map(({ value }) => value)).toEqual(["fourth"]);
  }, 60_000);

  test("nothing went wrong unseen", () => {
    expect(log()).not.toMatch(/"level":"(warn|error)"|Error|exception/);
  });
});

describe("with peers", () => {
  const { create, append, open, activations } = edge({ MILLRACE_PEERS: "on" });

  test("a socket hears of what a peer publishes while its object sleeps", async () => {
    const peer = { "Test-Activation": "peer" };
    await create("beats");
    await append("beats", "own");
    await append("beats", "peer's", peer);
    const socket = open("beats");
    await socket.next();
    socket.send({ credit: 100 });
    await append("beats", "one", peer);
    expect(await nextValue(socket)).toBe("one");
    const before = await activations();
    // Looks that find nothing do not open the log.
    await Bun.sleep(40_000);
    expect(await activations()).toEqual(before);
    for (const value of ["two", "three"]) {
      await append("beats", value, peer);
      expect(await nextValue(socket)).toBe(value);
    }
    await append("beats", "four");
    expect(await nextValue(socket)).toBe("four");
    await socket.close();
  }, 90_000);
});

describe("with two shards and queries", () => {
  const { ask, append, log, activations } = edge({
    ...{ MILLRACE_SHARDS: "2", MILLRACE_QUERIES: "on" },
  });
  const sql = async (text: string) => {
    const type = { "Content-Type": "application/json", Accept: "application/x-ndjson" };
    const body = JSON.stringify({ sql: text });
    const answer = await ask("/v1/sql", { method: "POST", headers: type, body });
    return await answer.text();
  };
  /** Calls of the query's object since this was asked last. */
  const rings = async () => {
    const counts = (await (await ask("/test/rings")).json()) as Record<string, number>;
    return Object.entries(counts).find(([queryId]) => queryId.startsWith("made_counts-"))?.[1];
  };
  const counted = (count: number) =>
    eventually(
      async () => (await sql("SELECT n FROM made_counts")).includes(`"n":${count}`) || undefined,
      12_000,
    );

  test("a shard that nobody told of a query calls it for its next publish", async () => {
    await sql("CREATE STREAM made (item STRING) WITH ('partitions' = '1')");
    let sequence = 0;
    const appendTo = (shard: string) => {
      const place = { "Producer-Epoch": "0", "Producer-Seq": String(sequence) };
      if (shard === "1") sequence += 1;
      const producer = shard === "1" ? { "Producer-Id": tillOf("made", "1"), ...place } : {};
      return append("made", '{"records":[{"value":{"item":"a"}}]}', {
        "Content-Type": "application/json",
        ...producer,
      });
    };
    await appendTo("1");
    expect((await activations()).size).toBe(2);
    await sql(`SET 'execution.checkpointing.interval' = '50 ms';
      CREATE MATERIALIZED VIEW made_counts AS SELECT item, COUNT(*) AS n FROM made GROUP BY item`);
    await counted(1);
    await Bun.sleep(1_000);
    for (let count = 2; count <= 4; count++) {
      await rings();
      await appendTo("1");
      await counted(count);
      expect(await rings()).toBe(1);
    }
  }, 60_000);

  test("nothing went wrong unseen", () => {
    expect(log()).not.toMatch(/"level":"(warn|error)"|Error|exception/);
  });
});
