/**
 * What goes wrong on Cloudflare while the process goes on: objects are evicted or replaced without
 * knowing it, R2 throws, libSQL is slow and loses answers. Nothing acknowledged is lost, nothing of
 * an idempotent producer doubled, and SQL gives what it gives when nothing goes wrong.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { bundleWorker } from "../../deploy/cloudflare/bundle.ts";
import { startLibsqlHttpServer } from "../../deploy/cloudflare/libsql-http-server.ts";
import { listWorkers } from "../../src/meta/workers.ts";
import { openLibsqlServer } from "../../src/runtime/node/libsql-server.ts";
import { edgeOptions, edgeToken } from "../support/edge-worker.ts";
import { type Isolate, startIsolate } from "../support/isolate.ts";
import { eventually } from "../support/processes.ts";
import { SlowDatabase } from "../support/slow-database.ts";
import { type AskedServer, persist } from "./crash-server.ts";
import { LogLoad } from "./log-load.ts";
import { QueryLoad } from "./query-load.ts";

const entry = join(import.meta.dir, "../runtime/workerd/faulty-worker.ts");
/** Records that producers get answered between two things that go wrong. */
const between = 6;

const twin = { Authorization: `Bearer ${edgeToken}`, "Test-Activation": "twin" };
const metadata = startLibsqlHttpServer();
const direct = openLibsqlServer({ url: metadata.url, authToken: null, timeoutMs: 10_000 });
let database: SlowDatabase;
let worker: Isolate;
let server: AskedServer;

beforeAll(async () => {
  database = await SlowDatabase.start(metadata.url, 5);
  const options = edgeOptions({
    ...{ MILLRACE_METADATA: database.url, MILLRACE_TOKEN: edgeToken },
    ...{ MILLRACE_QUERIES: "on", MILLRACE_FLUSH_RATE_MAX: "0", MILLRACE_LOG_LEVEL: "debug" },
  });
  worker = await startIsolate(await bundleWorker({ entry, minify: true }), {
    ...options,
    durableObjects: {
      ...options["durableObjects"],
      TWINS: { className: "TwinObject", useSQLite: true },
    },
  });
  const headers = { Authorization: `Bearer ${edgeToken}` };
  server = { httpUrl: worker.url, headers };
}, 60_000);

afterAll(async () => {
  await worker?.stop();
  database?.close();
  await metadata.close();
});

/** Has the bucket throw in these shares; resolves to how often it has thrown since the last call. */
async function faultBucket(faults: object): Promise<number> {
  const init = { method: "POST", body: JSON.stringify(faults) };
  const answer = await fetch(`${worker.url}/test/faults`, init);
  return ((await answer.json()) as { thrown: number }).thrown;
}

interface Trouble {
  /** Whom producers ask; absent: the Worker. */
  readonly asked?: AskedServer;
  /** Breaks things; what it has set is mended afterwards. */
  act(load: {
    readonly queryIds: readonly string[];
    /** Waits until so many records more were acknowledged, of the log and of the queries' input. */
    progress(records: number): Promise<void>;
  }): Promise<void>;
}

/** Has producers write meanwhile, mends all, and compares. */
async function underLoad(name: string, { asked = server, act }: Trouble): Promise<void> {
  const random = () => 0.5;
  const log = await LogLoad.create(server, { topic: `${name}-log`, partitions: 2, random });
  log.withHttp({ plain: true });
  const queries = await QueryLoad.create(server, name);
  const over = new AbortController();
  const producers = [...log.http, ...queries.producers];
  const running = producers.map((producer) =>
    persist(() => producer.run(asked, over.signal), over.signal),
  );
  const progress = async (records: number) => {
    const from = [log.acked.length, queries.bids.length] as const;
    await eventually(async () => {
      const isFurther = log.acked.length >= from[0] + records;
      return (isFurther && queries.bids.length >= from[1] + records) || undefined;
    });
  };
  const queryIds = await queries.queryIds(server);
  await act({ queryIds, progress }).finally(() => over.abort());
  await Promise.all(running);
  const faults = await log.faults(server);
  const { windows, faults: others } = await queries.finish(server);
  expect([...faults, ...others]).toEqual([]);
  expect(log.acked.length).toBeGreaterThanOrEqual(8 * between);
  expect(windows).toBeGreaterThan(5);
}

const ended = (what: string) => fetch(`${worker.url}/test/abort${what}`, { method: "POST" });

const openObjects = async () =>
  (await listWorkers(direct)).filter(({ kind }) => kind === "durable_object");

describe("under load", () => {
  test("objects are evicted again and again", async () => {
    await underLoad("evicted", {
      async act({ queryIds, progress }) {
        for (let round = 0; round < 12; round++) {
          await progress(between);
          const [first = "", second = ""] = queryIds;
          await ended(["", `?query=${first}`, `?query=${second}`][round % 3] ?? "");
        }
      },
    });
  }, 120_000);

  test("an object is replaced and does not know it", async () => {
    const before = await openObjects();
    let requests = 0;
    // Each of them takes itself for the first shard; requests meet either.
    const asked = {
      httpUrl: worker.url,
      get headers() {
        requests += 1;
        return requests % 2 === 0 ? server.headers : twin;
      },
    };
    await underLoad("replaced", {
      asked,
      async act({ progress }) {
        for (let round = 0; round < 8; round++) {
          await progress(between);
          // Whichever comes to life next closes the epoch of the other, which goes on.
          await ended(round % 2 === 0 ? "?twin" : "");
        }
      },
    });
    const known = new Set(before.map(({ workerEpoch }) => workerEpoch));
    const after = (await openObjects()).filter(({ workerEpoch }) => !known.has(workerEpoch));
    expect(after.length).toBeGreaterThan(0);
    expect(worker.log()).toContain("worker_fenced");
  }, 120_000);

  test("R2 throws, also after it has stored what it was given", async () => {
    await underLoad("throwing", {
      async act({ progress }) {
        await faultBucket({ putBefore: 0.3, putAfter: 0.3, get: 0.3 });
        await progress(60);
        // No put gets through for a while, retries included.
        const thrown = await faultBucket({ putBefore: 1 });
        await Bun.sleep(500);
        expect(thrown).toBeGreaterThan(5);
        expect(await faultBucket({})).toBeGreaterThan(0);
      },
    });
  }, 120_000);

  test("libSQL is slow and loses answers", async () => {
    await underLoad("slow", {
      async act({ progress }) {
        const before = database.lost;
        Object.assign(database, { delayMsMax: 100, lostBefore: 0.1, lostAfter: 0.2 });
        await progress(60);
        Object.assign(database, { delayMsMax: 0, lostBefore: 0, lostAfter: 0 });
        expect(database.lost - before).toBeGreaterThan(5);
      },
    });
  }, 120_000);
});
