/**
 * Live views of the Worker at rest (ADR 75): whoever follows a view lets its object sleep when the
 * view was still for a while, over a WebSocket and by events, and hears of what becomes of it then.
 */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { join } from "node:path";
import { bundleWorker } from "../../deploy/cloudflare/bundle.ts";
import { startLibsqlHttpServer } from "../../deploy/cloudflare/libsql-http-server.ts";
import { rowsOf, statement, textAt } from "../../src/meta/sql-values.ts";
import { openLibsqlServer } from "../../src/runtime/node/libsql-server.ts";
import { edgeOptions, edgeToken } from "../support/edge-worker.ts";
import { type Isolate, startIsolate } from "../support/isolate.ts";
import { SocketClient } from "../support/socket-client.ts";
import { SseReader } from "../support/sse-reader.ts";
import { until } from "../support/until.ts";

const entry = join(import.meta.dir, "workerd/faulty-worker.ts");
const headers = { Authorization: `Bearer ${edgeToken}` };
/** A view that was still for half a minute is followed no more, and its table goes after 30 s. */
const stillMs = 62_000;
/** workerd puts an object to sleep that has had nothing to do for ten seconds. */
const asleepMs = 14_000;

const metadata = startLibsqlHttpServer();
const database = openLibsqlServer({ url: metadata.url, authToken: null, timeoutMs: 10_000 });
let worker: Isolate;

beforeAll(async () => {
  worker = await startIsolate(
    await bundleWorker({ entry, minify: true }),
    edgeOptions({
      ...{ MILLRACE_METADATA: metadata.url, MILLRACE_TOKEN: edgeToken },
      ...{ MILLRACE_QUERIES: "on", MILLRACE_FLUSH_RATE_MAX: "0" },
    }),
  );
}, 60_000);

afterAll(async () => {
  await worker?.stop();
  await metadata.close();
});

const ask = (path: string, init: RequestInit = {}) =>
  fetch(`${worker.url}${path}`, { ...init, headers: { ...headers, ...init.headers } });

async function post(path: string, body: object): Promise<string> {
  const type = { "Content-Type": "application/json", Accept: "application/json" };
  const init = { method: "POST", headers: type, body: JSON.stringify(body) };
  const answer = await ask(path, init);
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${path}: ${text}\n${worker.log()}`);
  return text;
}

const append = (topic: string, item: string) =>
  post(`/v1/topics/${topic}/records`, { records: [{ value: { item } }] });

/** How often each object has been put into memory. */
async function activations(): Promise<Map<string, number>> {
  const sql = "SELECT object_name FROM worker WHERE object_name IS NOT NULL";
  const counts = new Map<string, number>();
  for (const row of rowsOf(await database.batch([statement(sql)], "read"), 0)) {
    const name = textAt(row, 0);
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return counts;
}

test("a live view lets its object sleep, and goes on with what becomes of it", async () => {
  await post("/v1/topics", { name: "beside", partitions: 1 });
  // The one that appends and reads.
  const [name = ""] = (await activations()).keys();
  const count = async () => (await activations()).get(name) ?? 0;
  const kept = async () => (await ask("/test/sockets")).json() as Promise<number>;
  await post("/v1/sql", {
    sql: `CREATE STREAM sold (item STRING) WITH ('partitions' = '1');
      SET 'execution.checkpointing.interval' = '50 ms';
      CREATE MATERIALIZED VIEW sums AS SELECT item, COUNT(*) AS n FROM sold GROUP BY item`,
  });
  const query = `sql=${encodeURIComponent("SELECT item, n FROM sums EMIT CHANGES")}`;
  const socket = new SocketClient(`${worker.url}/v1/sql/ws?${query}`, { headers });
  expect(await socket.next()).toMatchObject({ columns: [{ name: "item" }, { name: "n" }] });
  socket.send({ credit: 100 });
  const accept = { Accept: "text/event-stream" };
  const answer = await ask(`/v1/sql?${query}`, { headers: accept });
  expect(answer.headers.get("Content-Type")).toBe("text/event-stream");
  const events = new SseReader(answer);
  const both = async () => {
    const message = await socket.nextData();
    const { data, id } = await events.next();
    const event = JSON.parse(data) as unknown as {
      change: string;
      row: { item: string; n: number };
    };
    expect({ data: event, cursor: id }).toEqual({ ...message } as never);
    return [event.change, event.row.item, event.row.n];
  };
  await append("sold", "a");
  expect((await both()).slice(1)).toEqual(["a", 1]);
  expect(await kept()).toBe(2);
  const before = await count();
  await Bun.sleep(stillMs + asleepMs);
  // A publish that does not concern them wakes the object for a moment only.
  await append("beside", "x");
  expect(await count()).toBe(before + 1);
  await Bun.sleep(asleepMs);
  await append("sold", "a");
  expect(await both()).toEqual(["update", "a", 2]);
  expect(await count()).toBe(before + 2);
  await append("sold", "b");
  expect(await both()).toEqual(["insert", "b", 1]);
  await events.cancel();
  await socket.close();
  await until(async () => (await kept()) === 0);
}, 240_000);

test("a SELECT that ends gives its rows as events, and what is wrong is said beforehand", async () => {
  const accept = { Accept: "text/event-stream" };
  const select = `sql=${encodeURIComponent("SELECT item, n FROM sums ORDER BY item")}`;
  const text = await (await ask(`/v1/sql?${select}`, { headers: accept })).text();
  const rows = ['{"item":"a","n":2}', '{"item":"b","n":1}'].map((row) => `data: ${row}\n\n`);
  expect(text).toBe(`retry: 1000\n\n${rows.join("")}event: end\ndata: {}\n\n`);
  const many = Array.from({ length: 400 }, (_, index) => `(${index})`);
  const values = encodeURIComponent(`SELECT * FROM (VALUES ${many}) AS t (n)`);
  const all = await (await ask(`/v1/sql?sql=${values}`, { headers: accept })).text();
  expect(all.match(/^data: \{"/gm)).toHaveLength(400);
  const wrong = await ask(`/v1/sql?sql=${encodeURIComponent("SELECT")}`, { headers: accept });
  expect([wrong.status, wrong.headers.get("Content-Type")]).toEqual([
    400,
    "application/problem+json",
  ]);
  const refused = await ask("/v1/sql?sql=DROP+TABLE+x", { headers: accept });
  expect(refused.status).toBe(400);
});

test("nothing went wrong unseen", () => {
  expect(worker.log()).not.toMatch(/"level":"(warn|error)"|Error|exception/);
});
