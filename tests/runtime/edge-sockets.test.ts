/** WebSockets of the Worker that outlive their Durable Object. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { startLibsqlHttpServer } from "../../deploy/cloudflare/libsql-http-server.ts";
import { listWorkers } from "../../src/meta/workers.ts";
import { openLibsqlServer } from "../../src/runtime/node/libsql-server.ts";
import { edgeToken, startEdgeWorker } from "../support/edge-worker.ts";
import type { Isolate } from "../support/isolate.ts";
import { SocketClient } from "../support/socket-client.ts";

/** workerd puts an object to sleep that has had nothing to do for ten seconds. */
const asleepMs = 14_000;

const headers = { Authorization: `Bearer ${edgeToken}` };

describe("a WebSocket of the Worker", () => {
  const metadata = startLibsqlHttpServer();
  const database = openLibsqlServer({ url: metadata.url, authToken: null, timeoutMs: 10_000 });
  let worker: Isolate;
  beforeAll(async () => {
    worker = await startEdgeWorker({
      ...{ MILLRACE_METADATA: metadata.url, MILLRACE_TOKEN: edgeToken },
      MILLRACE_FLUSH_RATE_MAX: "0",
    });
  });
  afterAll(async () => {
    await worker.stop();
    await metadata.close();
  });

  async function append(value: string): Promise<void> {
    const url = `${worker.url}/v1/topics/beats/records`;
    const type = { "Content-Type": "text/plain" };
    const answer = await fetch(url, {
      method: "POST",
      headers: { ...headers, ...type },
      body: value,
    });
    if (!answer.ok) throw new Error(`${await answer.text()}\n${worker.log()}`);
  }

  const open = () =>
    new SocketClient(`${worker.url}/v1/topics/beats/ws?offset=earliest`, { headers });
  const nextValue = async (socket: SocketClient) => (await socket.nextData()).data?.["value"];
  /** A new one for each activation of the object. */
  const activation = async () => {
    const [only, ...others] = await listWorkers(database);
    expect(others).toEqual([]);
    return only?.workerEpoch ?? -1;
  };

  test("outlives its sleeping object, and a message wakes it where it was", async () => {
    const created = await fetch(`${worker.url}/v1/topics`, {
      method: "POST",
      headers: { ...headers, "Content-Type": "application/json" },
      body: '{"name":"beats","partitions":1}',
    });
    expect(created.status).toBe(201);
    await append("one");
    await append("two");
    const [fed, hungry] = [open(), open()];
    await Promise.all([fed.next(), hungry.next()]);
    fed.send({ credit: 3 });
    hungry.send({ credit: 1 });
    expect([await nextValue(fed), await nextValue(fed), await nextValue(hungry)]).toEqual([
      ...["one", "two", "one"],
    ]);
    const before = await activation();
    const asked = metadata.pipelines;
    await Bun.sleep(asleepMs);
    // Nobody looked for news meanwhile.
    expect(metadata.pipelines - asked).toBe(0);
    // Who asks whether it is there is answered while it sleeps on.
    fed.send({});
    expect(await fed.next()).toEqual({});
    expect(metadata.pipelines - asked).toBe(0);
    expect(await activation()).toBe(before);
    hungry.send({ credit: 1 });
    expect(await nextValue(hungry)).toBe("two");
    expect(await activation()).toBeGreaterThan(before);
    expect(fed.waiting).toBe(0);
    await hungry.close();
    // Credit that was given before the object slept is good still.
    await append("three");
    expect(await nextValue(fed)).toBe("three");
    await append("four");
    fed.send({ credit: 1 });
    expect(await nextValue(fed)).toBe("four");
    await fed.close();
  }, 60_000);

  test("hears of what is published to an object that has just woken", async () => {
    const socket = open();
    await socket.next();
    socket.send({ credit: 100 });
    for (const value of ["one", "two", "three", "four"])
      expect(await nextValue(socket)).toBe(value);
    const before = await activation();
    await Bun.sleep(asleepMs);
    await append("five");
    expect(await nextValue(socket)).toBe("five");
    expect(await activation()).toBeGreaterThan(before);
    socket.send("nonsense");
    expect((await socket.closed).code).toBe(1008);
  }, 60_000);

  test("misses nothing that is appended while it comes to rest", async () => {
    const socket = open();
    await socket.next();
    socket.send({ credit: 1_000 });
    const values = Array.from({ length: 60 }, (_, index) => `quick ${index}`);
    const sent = (async () => {
      for (const value of values) await append(value);
    })();
    const seen: unknown[] = [];
    while (seen.at(-1) !== values.at(-1)) seen.push(await nextValue(socket));
    await sent;
    expect(seen.slice(5)).toEqual(values);
    await socket.close();
  }, 60_000);

  test("nothing went wrong unseen", () => {
    expect(worker.log()).not.toMatch(/"level":"(warn|error)"|Error|exception/);
  });
});
