/** Shards of the Worker: how many there are follows the load, and nothing is lost or doubled. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { bundleWorker } from "../../deploy/cloudflare/bundle.ts";
import { startLibsqlHttpServer } from "../../deploy/cloudflare/libsql-http-server.ts";
import { changeCounter } from "../../src/meta/log-index.ts";
import { rowsOf, statement, textAt } from "../../src/meta/sql-values.ts";
import { openLibsqlServer } from "../../src/runtime/node/libsql-server.ts";
import { edgeOptions, edgeToken } from "../support/edge-worker.ts";
import { type Isolate, startIsolate } from "../support/isolate.ts";
import { until } from "../support/until.ts";
import type { JsonRecord } from "./golden-batches.ts";

const entry = join(import.meta.dir, "workerd/faulty-worker.ts");
const authorization = { Authorization: `Bearer ${edgeToken}` };
/** Longer than the front waits before it takes a moment for calm, and per shard again. */
const calmMs = 32_000;

describe("shards of the Worker", () => {
  const metadata = startLibsqlHttpServer();
  const database = openLibsqlServer({ url: metadata.url, authToken: null, timeoutMs: 10_000 });
  let worker: Isolate;
  beforeAll(async () => {
    const options = edgeOptions({
      ...{ MILLRACE_METADATA: metadata.url, MILLRACE_TOKEN: edgeToken },
      ...{ MILLRACE_SHARDS_MAX: "3", MILLRACE_FLUSH_RATE_MAX: "0" },
      // So few that the load of a test is much.
      MILLRACE_SHARD_RATE_MAX: "20",
    });
    worker = await startIsolate(await bundleWorker({ entry, minify: true }), {
      ...options,
      durableObjects: {
        ...options["durableObjects"],
        TWINS: { className: "TwinObject", useSQLite: true },
      },
    });
    const headers = { ...authorization, "Content-Type": "application/json" };
    const body = '{"name":"tills","partitions":2}';
    const made = await fetch(`${worker.url}/v1/topics`, { method: "POST", headers, body });
    expect(made.status).toBe(201);
  }, 60_000);
  afterAll(async () => {
    await worker.stop();
    await metadata.close();
  });

  async function append(
    value: string,
    partition: number,
    place: Record<string, string> = {},
  ): Promise<Response> {
    return await fetch(`${worker.url}/v1/topics/tills/records?partition=${partition}`, {
      ...{ method: "POST", body: value },
      headers: { ...authorization, "Content-Type": "text/plain", ...place },
    });
  }

  /** Objects that have published behind a place of the log. */
  async function writers(after = 0): Promise<Set<string>> {
    const sql = `SELECT DISTINCT w.object_name FROM segment s
      JOIN worker w ON w.worker_epoch = s.worker_epoch WHERE s.publish_position > ?1`;
    const results = await database.batch([statement(sql, after)], "read");
    return new Set(rowsOf(results, 0).map((row) => textAt(row, 0)));
  }

  const end = async () => (await changeCounter(database)).publishPosition;

  /** Sends until it is answered, as who has lost an answer does. */
  async function produce(producer: string, sequence: number, partition: number): Promise<void> {
    const place = { "Producer-Id": producer, "Producer-Epoch": "0" };
    await until(async () => {
      const answer = await append(`${producer}/${sequence}`, partition, {
        ...place,
        "Producer-Seq": String(sequence),
      }).catch(() => undefined);
      if (answer === undefined || [429, 500, 502, 503].includes(answer.status)) return undefined;
      if (!answer.ok) throw new Error(`${await answer.text()}\n${worker.log()}`);
      return true;
    });
  }

  /** Follows a partition by long-polls until `isEnough`; fails where offsets have a gap. */
  async function follow(partition: number, isEnough: (values: string[]) => boolean) {
    const values: string[] = [];
    while (!isEnough(values)) {
      const path = `/v1/topics/tills/partitions/${partition}/records`;
      const url = `${worker.url}${path}?offset=${values.length}&waitMs=500`;
      const answer = await fetch(url, { headers: authorization }).catch(() => undefined);
      if (answer?.ok !== true) continue;
      const { records } = (await answer.json()) as { records: JsonRecord[] };
      for (const { offset, value } of records) {
        expect(offset).toBe(values.length);
        values.push(value ?? "");
      }
    }
    return values;
  }

  test("are one while it is calm, more under load, and one again", async () => {
    for (let each = 0; each < 10; each++) {
      expect((await append("calm", 0)).status).toBe(200);
      await Bun.sleep(150);
    }
    expect((await writers()).size).toBe(1);
    const isOver = new AbortController();
    const load = Array.from({ length: 12 }, async () => {
      while (!isOver.signal.aborted) expect((await append("busy", 0)).status).toBe(200);
    });
    await until(async () => (await writers()).size === 3);
    isOver.abort();
    await Promise.all(load);
    await Bun.sleep(calmMs);
    const known = await end();
    const late = Array.from({ length: 8 }, (_, each) => append(`late ${each}`, 0));
    expect((await Promise.all(late)).map(({ status }) => status)).toEqual(Array(8).fill(200));
    expect((await writers(known)).size).toBe(1);
  }, 120_000);

  test("lose and double nothing of producers that they hand on, in order of offsets", async () => {
    const producers = Array.from({ length: 16 }, (_, index) => `till-${index}`);
    const sent = 24;
    const before = await follow(0, (values) => values.includes("late 7"));
    const known = await end();
    const reading = [0, 1].map((partition) =>
      follow(partition, (values) => {
        const ends = values.filter((value) => value.endsWith(`/${sent - 1}`));
        return ends.length === producers.length / 2;
      }),
    );
    let acknowledged = 0;
    const producing = Promise.all(
      producers.map(async (producer, index) => {
        for (let each = 0; each < sent; each++) {
          await produce(producer, each, index % 2);
          acknowledged += 1;
        }
      }),
    );
    // Answers are lost also while producers move.
    for (let round = 0; round < 8; round++) {
      await until(() => acknowledged >= 40 * round);
      const url = `${worker.url}/test/abort?shard=${round % 3}`;
      await fetch(url, { method: "POST" });
    }
    await producing;
    expect((await writers(known)).size).toBeGreaterThan(1);
    const found = await Promise.all(reading);
    producers.forEach((producer, index) => {
      const values = found[index % 2]?.filter((value) => value.startsWith(`${producer}/`));
      expect(values).toEqual(Array.from({ length: sent }, (_, each) => `${producer}/${each}`));
    });
    expect(found[0]?.slice(0, before.length)).toEqual(before);
  }, 120_000);
});
