/**
 * Two versions of the Worker at once, as in a rollout and when one is taken back: fronts of both take
 * requests, objects of both append and run queries over the same metadata and the same bucket, and the
 * next version has brought the metadata to a schema that the other does not know.
 */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Plugin } from "esbuild";
import { Miniflare, type MiniflareOptions } from "miniflare";
import { bundleWorker, modulesOf, type WorkerBundle } from "../../deploy/cloudflare/bundle.ts";
import { startLibsqlHttpServer } from "../../deploy/cloudflare/libsql-http-server.ts";
import { schemaVersion } from "../../src/meta/migrate.ts";
import { migrations } from "../../src/meta/schema.ts";
import { openLibsqlServer } from "../../src/runtime/node/libsql-server.ts";
import { persist } from "../crash/crash-server.ts";
import { LogLoad } from "../crash/log-load.ts";
import { QueryLoad } from "../crash/query-load.ts";
import { edgeToken } from "../support/edge-worker.ts";
import { freePorts, temporaryFolder } from "../support/processes.ts";

const entry = join(import.meta.dir, "../runtime/workerd/rollout-worker.ts");
const latest = migrations.at(-1)?.version ?? 0;
const loadMs = 1_000;

/** Which objects have the next version by then. */
const stages = {
  before: "^$",
  /** The second shard, and the query of the view. */
  half: "^1$|totals",
  after: ".",
} as const;

const metadata = startLibsqlHttpServer();
const database = openLibsqlServer({ url: metadata.url, authToken: null, timeoutMs: 10_000 });
const folder = temporaryFolder("rollout");
let ports: number[];
let bundles: { readonly old: WorkerBundle; readonly next: WorkerBundle };
let miniflare: Miniflare | undefined;

beforeAll(async () => {
  ports = await freePorts(3);
  const old = await bundleWorker({ entry, minify: true });
  const next = await bundleWorker({ entry, minify: true, plugins: [nextVersion()] });
  bundles = { old, next };
}, 60_000);

afterAll(async () => {
  await miniflare?.dispose();
  await metadata.close();
});

/** The sources with another version and a migration more, which adds. */
function nextVersion(): Plugin {
  const further = `{ version: ${latest + 1}, title: "of the next version", statements: [
    "ALTER TABLE worker ADD COLUMN of_the_next TEXT",
    "CREATE TABLE next_thing (name TEXT NOT NULL PRIMARY KEY) STRICT",
  ] },`;
  return {
    name: "next version",
    setup({ onLoad }) {
      onLoad({ filter: /src\/meta\/schema\.ts$/ }, ({ path }) => {
        const text = readFileSync(path, "utf8");
        const end = text.indexOf("];", text.indexOf("export const migrations"));
        return { contents: text.slice(0, end) + further + text.slice(end), loader: "ts" };
      });
    },
  };
}

/** Ends workerd, if it runs, and starts it with the objects in these versions. */
async function roll(stage: keyof typeof stages): Promise<void> {
  const classes = (version: string, prefix: string) => ({
    [`${prefix}LOG`]: { className: "LogObject", scriptName: version, useSQLite: true },
    [`${prefix}GROUPS`]: { className: "GroupObject", scriptName: version, useSQLite: true },
    [`${prefix}QUERIES`]: { className: "QueryObject", scriptName: version, useSQLite: true },
  });
  const workerOf = (name: keyof typeof bundles, port: number) => ({
    name,
    compatibilityDate: "2026-10-01",
    modules: modulesOf(bundles[name]),
    unsafeDirectSockets: [{ host: "127.0.0.1", port }],
    r2Buckets: ["BUCKET"],
    durableObjects: { ...classes("old", "OLD_"), ...classes("next", "NEXT_") },
    bindings: {
      ...{ MILLRACE_METADATA: metadata.url, MILLRACE_TOKEN: edgeToken, MILLRACE_SHARDS: "2" },
      ...{ MILLRACE_QUERIES: "on", MILLRACE_FLUSH_RATE_MAX: "0", TEST_NEXT: stages[stage] },
    },
  });
  const [old = 0, next = 0, own = 0] = ports;
  const options = {
    ...{ host: "127.0.0.1", port: own, defaultPersistRoot: folder },
    workers: [workerOf("old", old), workerOf("next", next)],
  } as MiniflareOptions;
  await miniflare?.dispose();
  miniflare = new Miniflare(options);
  await miniflare.ready;
}

test("a rollout, a step back and the rollout again lose, double and change nothing", async () => {
  const headers = { Authorization: `Bearer ${edgeToken}` };
  let requests = 0;
  // Each request meets the other front than the one before.
  const server = {
    headers,
    get httpUrl() {
      requests += 1;
      return `http://127.0.0.1:${ports[requests % 2]}`;
    },
  };
  await roll("before");
  const place = { topic: "rolled-log", partitions: 2, random: () => 0.5 };
  const log = (await LogLoad.create(server, place)).withHttp();
  const queries = await QueryLoad.create(server, "rolled");
  const over = new AbortController();
  const running = [...log.http, ...queries.producers].map((producer) =>
    persist(() => producer.run(server, over.signal), over.signal),
  );
  const versions: number[] = [];
  const progress: number[] = [];
  for (const stage of ["half", "after", "half", "before", "after"] as const) {
    await Bun.sleep(loadMs);
    versions.push(await schemaVersion(database));
    progress.push(log.acked.length);
    await roll(stage);
  }
  await Bun.sleep(loadMs);
  over.abort();
  await Promise.all(running);
  const faults = await log.faults(server);
  const { windows, faults: others } = await queries.finish(server);
  expect([...faults, ...others]).toEqual([]);
  expect(windows).toBeGreaterThan(5);
  // Before the rollout, and from its middle on.
  expect(versions).toEqual([latest, latest + 1, latest + 1, latest + 1, latest + 1]);
  // Whichever versions there were, records were taken.
  for (const [index, count] of progress.entries()) {
    expect(count).toBeGreaterThan(progress[index - 1] ?? 0);
  }
}, 120_000);
