/** A user's Worker produces and reads through a service binding, both in workerd. */
import { expect, test } from "bun:test";
import { join } from "node:path";
import { Miniflare } from "miniflare";
import { bundleWorker, modulesOf } from "../../deploy/cloudflare/bundle.ts";
import { startLibsqlHttpServer } from "../../deploy/cloudflare/libsql-http-server.ts";
import { workerEntry } from "../../deploy/cloudflare/worker-entry.ts";
import { edgeOptions, edgeToken } from "../support/edge-worker.ts";

test("a Worker with a binding in place of a URL produces, consumes and queries", async () => {
  const metadata = startLibsqlHttpServer();
  const variables = {
    MILLRACE_METADATA: metadata.url,
    MILLRACE_TOKEN: edgeToken,
    MILLRACE_QUERIES: "on",
  };
  const entry = join(import.meta.dir, "workerd/user-worker.ts");
  const base = { compatibilityDate: "2026-10-01" };
  const miniflare = new Miniflare({
    host: "127.0.0.1",
    workers: [
      {
        ...{ name: "user", ...base },
        modules: modulesOf(await bundleWorker({ entry, minify: true })),
        serviceBindings: { MILLRACE: "millrace" },
        bindings: { TOKEN: edgeToken },
      },
      {
        ...{ name: "millrace", ...base, ...edgeOptions(variables) },
        modules: modulesOf(await bundleWorker({ entry: workerEntry, minify: true })),
      },
    ],
  });
  try {
    await miniflare.ready;
    const millrace = (await miniflare.getWorker("millrace")) as unknown as {
      fetch(url: string, init: RequestInit): Promise<Response>;
    };
    const made = await millrace.fetch("http://millrace/v1/sql", {
      method: "POST",
      headers: { "Content-Type": "application/json", Authorization: `Bearer ${edgeToken}` },
      body: JSON.stringify({
        sql: `CREATE STREAM orders (total INT) WITH ('partitions' = '1');
          SET 'execution.checkpointing.interval' = '50 ms';
          CREATE MATERIALIZED VIEW sums AS SELECT SUM(total) AS total FROM orders`,
      }),
    });
    expect([made.status, await made.text()]).toEqual([200, expect.stringContaining("sums")]);
    const answer = await miniflare.dispatchFetch("http://user/");
    const offsets = [{ partition: 0, baseOffset: 0, count: 3 }];
    expect(await answer.json()).toEqual({
      sent: [{ offsets }, { offsets }, { offsets }],
      consumed: [5, 7, 11],
      rows: [{ total: 23 }],
      change: { total: 23 },
      ...{ refused: "unauthenticated", queue: "unsupported" },
    });
  } finally {
    await miniflare.dispose();
    await metadata.close();
  }
}, 60_000);
