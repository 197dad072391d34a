/**
 * Objects of queries at rest (ADR 59): they ask nobody anything while nothing happens, are put to
 * sleep, and come back when they are called or when it is time; what a lost call would have told
 * them they find out by themselves.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { bundleWorker } from "../../deploy/cloudflare/bundle.ts";
import { startLibsqlHttpServer } from "../../deploy/cloudflare/libsql-http-server.ts";
import { queryHolders } from "../../src/meta/query-places.ts";
import { statement } from "../../src/meta/sql-values.ts";
import { openLibsqlServer } from "../../src/runtime/node/libsql-server.ts";
import { edgeOptions, edgeToken } from "../support/edge-worker.ts";
import { type Isolate, startIsolate } from "../support/isolate.ts";
import { eventually } from "../support/processes.ts";

const entry = join(import.meta.dir, "workerd/faulty-worker.ts");
/** workerd puts an object to sleep that has had nothing to do for ten seconds. */
const asleepMs = 14_000;
/** Partitions go idle after five seconds, which is another commit. */
const settledMs = 9_000;
/** Less than the time after which an object looks for itself. */
const rungMsMax = 12_000;
const longMs = 120_000;

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

async function post(path: string, body: string, accept = "application/json"): Promise<string> {
  const headers = {
    ...{ Authorization: `Bearer ${edgeToken}`, Accept: accept },
    "Content-Type": "application/json",
  };
  const answer = await fetch(`${worker.url}${path}`, { method: "POST", headers, body });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${path}: ${text}\n${worker.log()}`);
  return text;
}

const sql = (text: string) =>
  post("/v1/sql", JSON.stringify({ sql: text }), "application/x-ndjson");
const rowsOf = async (view: string) =>
  (await sql(`SELECT * FROM ${view}`)).split("\n").filter(Boolean);

const rows = (view: string, count: number, timeoutMs = rungMsMax) =>
  eventually(async () => {
    const found = await rowsOf(view);
    return found.length >= count ? found : undefined;
  }, timeoutMs);

/** A row of second `second` to the first partition of the stream's topic. */
async function append(stream: string, second: number): Promise<void> {
  const ts = new Date(Date.UTC(2026, 0, 1, 0, 0, second)).toISOString();
  const record = `{"partition":0,"value":{"item":"a","ts":"${ts}"}}`;
  await post(`/v1/topics/${stream}/records`, `{"records":[${record}]}`);
}

async function faults(given: object): Promise<void> {
  await fetch(`${worker.url}/test/faults`, { method: "POST", body: JSON.stringify(given) });
}

/** A stream, and the query of a view that counts its windows of ten seconds. */
async function define(name: string, partitions = 1, idle = "5 s"): Promise<string> {
  await sql(`CREATE STREAM ${name} (item STRING, ts TIMESTAMP(3), WATERMARK FOR ts AS ts)
    WITH ('partitions' = '${partitions}', 'idle-timeout' = '${idle}')`);
  await sql(`SET 'execution.checkpointing.interval' = '50 ms';
    CREATE MATERIALIZED VIEW ${name}_counts AS SELECT COUNT(*) AS n, window_start
    FROM TUMBLE(TABLE ${name}, DESCRIPTOR(ts), INTERVAL '10' SECOND)
    GROUP BY window_start, window_end`);
  const { queryId } = await holderOf(name);
  return queryId;
}

const holderOf = (name: string, after = -1) =>
  eventually(async () => {
    const holders = await queryHolders(database);
    return holders.find(
      ({ queryId, workerEpoch }) => queryId.startsWith(`${name}_counts-`) && workerEpoch > after,
    );
  }, rungMsMax);

describe("the object of a query", () => {
  test(
    "asks nothing while nothing happens, sleeps, and is woken by a publish",
    async () => {
      await define("calm");
      await append("calm", 1);
      await append("calm", 12);
      expect(await rows("calm_counts", 1)).toHaveLength(1);
      await Bun.sleep(settledMs);
      const before = await holderOf("calm");
      const asked = metadata.pipelines;
      await Bun.sleep(asleepMs);
      // What the alarms of half a minute ask, of an object that has to open its log for it.
      expect(metadata.pipelines - asked).toBeLessThanOrEqual(20);
      await append("calm", 23);
      expect(await rows("calm_counts", 2)).toHaveLength(2);
      // A new activation has a new epoch.
      expect((await holderOf("calm")).workerEpoch).toBeGreaterThan(before.workerEpoch);
    },
    longMs,
  );

  test(
    "wakes by itself when a window closes by time",
    async () => {
      await define("timed", 2, "16 s");
      await append("timed", 1);
      await append("timed", 12);
      await Bun.sleep(3_000);
      const before = await holderOf("timed");
      // The other partition is awaited until it has been silent for so long.
      expect(await rowsOf("timed_counts")).toEqual([]);
      expect(await rows("timed_counts", 1, 24_000)).toHaveLength(1);
      expect((await holderOf("timed")).workerEpoch).toBeGreaterThan(before.workerEpoch);
    },
    longMs,
  );

  test(
    "hears of a pause, gives its lease back, and goes on when it is resumed",
    async () => {
      const queryId = await define("paused");
      await append("paused", 1);
      await post(`/v1/queries/${queryId}/pause`, "");
      await eventually(async () => {
        const holders = await queryHolders(database);
        return holders.every((holder) => holder.queryId !== queryId) || undefined;
      }, rungMsMax);
      await append("paused", 12);
      await Bun.sleep(2_000);
      expect(await rowsOf("paused_counts")).toEqual([]);
      await post(`/v1/queries/${queryId}/resume`, "");
      expect(await rows("paused_counts", 1)).toHaveLength(1);
      // Paused, it sleeps for good; and is resumed all the same.
      await post(`/v1/queries/${queryId}/pause`, "");
      await Bun.sleep(asleepMs);
      await post(`/v1/queries/${queryId}/resume`, "");
      await holderOf("paused");
      await append("paused", 23);
      expect(await rows("paused_counts", 2)).toHaveLength(2);
      await sql("DROP MATERIALIZED VIEW paused_counts");
      const isGone = async () =>
        (await queryHolders(database)).every((holder) => holder.queryId !== queryId) || undefined;
      expect(await eventually(isGone, rungMsMax)).toBe(true);
    },
    longMs,
  );

  test(
    "finds out for itself what a lost call would have told it",
    async () => {
      const queryId = await define("unrung");
      await append("unrung", 1);
      await faults({ ring: 1 });
      await append("unrung", 12);
      expect(await rows("unrung_counts", 1, 45_000)).toHaveLength(1);
      await post(`/v1/queries/${queryId}/pause`, "");
      await eventually(async () => {
        const holders = await queryHolders(database);
        return holders.every((holder) => holder.queryId !== queryId) || undefined;
      }, 45_000);
      await faults({});
    },
    longMs,
  );

  test(
    "is called for what its query reads, directly or by a view, and for nothing else",
    async () => {
      const rungs = async () => {
        const counts = (await (await fetch(`${worker.url}/test/rings`)).json()) as object;
        return new Map(Object.entries(counts));
      };
      const read = await define("read");
      const beside = await define("beside");
      await sql(`CREATE MATERIALIZED VIEW above AS SELECT n, window_start FROM read_counts`);
      const above = await eventually(async () => {
        const ids = (await queryHolders(database)).map(({ queryId }) => queryId);
        return ids.find((queryId) => queryId.startsWith("above-"));
      }, rungMsMax);
      await append("read", 1);
      await append("beside", 1);
      await append("read", 12);
      expect(await rows("above", 1)).toHaveLength(1);
      await Bun.sleep(settledMs);
      await rungs();
      for (let second = 30; second < 34; second++) await append("read", second);
      expect(await rows("above", 2)).toHaveLength(2);
      const calls = await rungs();
      expect(calls.get(read)).toBeGreaterThan(0);
      expect(calls.get(above)).toBeGreaterThan(0);
      expect([...calls.keys()].toSorted()).toEqual([above, read].toSorted());
      await append("beside", 12);
      expect(await rows("beside_counts", 1)).toHaveLength(1);
      const later = await rungs();
      expect(later.get(beside)).toBeGreaterThan(0);
      expect(later.has(read)).toBeFalse();
    },
    longMs,
  );

  test("nothing went wrong unseen", () => {
    expect(worker.log()).not.toMatch(/"level":"(warn|error)"|Error|exception/);
  });
});

test(
  "a backlog is worked off in shares, none of which an event takes too much of",
  async () => {
    const stepsOf = async () => {
      const answer = await fetch(`${worker.url}/test/steps`);
      return (await answer.json()) as { total: number; most: number; events: number };
    };
    await sql("CREATE STREAM behind (item STRING) WITH ('partitions' = '1')");
    // Two of them are more than a slice, so each publish is a step.
    const value = JSON.stringify({ item: "x".repeat(1_000) });
    const body = `{"records":[${Array.from({ length: 300 }, () => `{"value":${value}}`)}]}`;
    const publishes = 150;
    for (let count = 0; count < publishes; count++) await post("/v1/topics/behind/records", body);
    await stepsOf();
    await sql(
      "CREATE MATERIALIZED VIEW behind_counts AS SELECT item, COUNT(*) AS n FROM behind GROUP BY item",
    );
    await eventually(async () => {
      const [row = ""] = await rowsOf("behind_counts");
      return row.includes(`"n":${300 * publishes}`) || undefined;
    }, 60_000);
    const { total, most, events } = await stepsOf();
    expect(total).toBeGreaterThanOrEqual(publishes);
    // 64, and the last one's commit.
    expect(most).toBeLessThanOrEqual(66);
    expect(events).toBeGreaterThanOrEqual(3);
  },
  longMs,
);

test("an object that meets a schema of a later era asks to be asked again", async () => {
  const headers = { Authorization: `Bearer ${edgeToken}`, "Content-Type": "application/json" };
  const ask = (path: string, body: string) =>
    fetch(`${worker.url}${path}`, { method: "POST", headers, body });
  const records = '{"records":[{"value":{"item":"a"}}]}';
  const paths: readonly (readonly [string, string])[] = [
    ["/v1/topics/calm/records", records],
    ["/v1/sql", '{"sql":"SHOW TABLES"}'],
    ["/v1/groups/late/poll", '{"topics":["calm"]}'],
  ];
  await database.batch(
    [statement("INSERT INTO migration (version, title, applied_at) VALUES (1000, 'later', 0)")],
    "write",
  );
  // Those that are at work go on; the next activation meets it.
  await fetch(`${worker.url}/test/abort`, { method: "POST" });
  for (const [path, body] of paths) {
    const answer = await ask(path, body);
    const problem = (await answer.json()) as { code: string; retriable: boolean };
    expect([path, answer.status, answer.headers.get("Retry-After")]).toEqual([path, 503, "10"]);
    expect(problem).toMatchObject({ code: "metadata_newer", retriable: true });
  }
  const tunnel = await fetch(`${worker.url}/kafka`, {
    headers: { ...headers, Upgrade: "websocket", Connection: "Upgrade" },
  });
  expect(tunnel.status).toBe(503);
  await database.batch([statement("DELETE FROM migration WHERE version = 1000")], "write");
  expect((await ask("/v1/topics/calm/records", records)).status).toBe(200);
}, 60_000);
