/**
 * A log that a server wrote into a folder, copied, and served from its new place: with the same
 * offsets, groups, queries and tokens.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { edgeToken } from "../support/edge-worker.ts";
import { eventually, run, temporaryFolder } from "../support/processes.ts";
import { StreamServer } from "../support/stream-server.ts";

export interface CopyTarget {
  readonly storeUrl: string;
  readonly metadataUrl: string;
  /** For `streamctl copy`. */
  readonly env: Readonly<Record<string, string>>;
  /** Serves what was copied; its shared secret is `edgeToken`. */
  serve(): Promise<{ readonly url: string; stop(): Promise<unknown> }>;
  stop(): Promise<unknown>;
}

interface Read {
  readonly offset: number;
  readonly value: string;
}

const topic = "orders";
const script = `SET 'execution.checkpointing.interval' = '50 ms';
CREATE STREAM bids (auction BIGINT, ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '1' SECOND) WITH ('partitions' = '1');
CREATE MATERIALIZED VIEW counts AS SELECT auction, COUNT(*) AS n, window_start
  FROM TUMBLE(TABLE bids, DESCRIPTOR(ts), INTERVAL '10' SECOND)
  GROUP BY auction, window_start, window_end`;

export function copyChecks(name: string, makeTarget: () => Promise<CopyTarget>): void {
  describe(`a folder copied to ${name}`, () => {
    const folder = join(temporaryFolder("copy"), "data");
    let target: CopyTarget;
    let source: StreamServer;
    let url = "";
    let token = "";
    let position = "";
    let before: readonly Read[][] = [];
    beforeAll(async () => {
      target = await makeTarget();
      source = await StreamServer.start({
        ...{ store: `file:${folder}/objects`, metadata: `file:${folder}/metadata.db` },
        env: { MILLRACE_TOKEN: edgeToken },
      });
      url = source.httpUrl;
    }, 120_000);
    afterAll(() => target?.stop());

    async function ask(path: string, body?: unknown, secret = edgeToken): Promise<Response> {
      const headers = { Authorization: `Bearer ${secret}`, "Content-Type": "application/json" };
      if (body === undefined) return await fetch(url + path, { headers });
      return await fetch(url + path, { method: "POST", headers, body: JSON.stringify(body) });
    }
    async function call(path: string, body?: unknown): Promise<Record<string, unknown>> {
      const answer = await ask(path, body);
      const text = await answer.text();
      if (!answer.ok) throw new Error(`${path}: ${answer.status} ${text}`);
      return JSON.parse(text);
    }
    const write = (to: string, records: readonly object[]) =>
      call(`/v1/topics/${to}/records`, { records });
    const records = async (partition: number) =>
      (await call(`/v1/topics/${topic}/partitions/${partition}/records`))["records"] as Read[];
    const bid = (second: number) => ({
      value: { auction: 1, ts: new Date(Date.UTC(2026, 0, 1, 0, 0, second)).toISOString() },
    });
    const viewed = (count: number) =>
      eventually(async () => {
        const { results } = await call("/v1/sql", { sql: "SELECT * FROM counts" });
        const rows = (results as { rows?: { readonly n: number }[] }[])[0]?.rows ?? [];
        return rows.length >= count ? rows : undefined;
      });
    const poll = (given?: string) =>
      call("/v1/groups/readers/poll", {
        ...{ topics: [topic], max_records: 10, wait_ms: 2_000 },
        ...(given !== undefined && { position: given }),
      });
    const copy = (flags: readonly string[] = []) => {
      const program = [process.execPath, join(import.meta.dir, "../../src/cli/main.ts"), "copy"];
      const to = ["--to-store", target.storeUrl, "--to-metadata", target.metadataUrl];
      const options = { env: target.env, anyExit: true };
      return run([...program, "--data", folder, ...to, ...flags], options);
    };

    test("while its server runs it is refused", async () => {
      await call("/v1/topics", { name: topic, partitions: 2 });
      for (let request = 0; request < 5; request++) {
        const numbers = Array.from({ length: 20 }, (_, index) => request * 20 + index);
        await write(
          topic,
          numbers.map((each) => ({ value: `value ${each}`, partition: each % 2 })),
        );
      }
      await call("/v1/sql", { sql: script });
      await write("bids", [1, 2, 3, 12].map(bid));
      await viewed(1);
      const first = await poll();
      expect(first["records"]).toHaveLength(10);
      position = String((await poll(String(first["position"])))["position"]);
      const made = await call("/v1/tokens", { topics: [topic], operations: ["read"] });
      token = String(made["token"]);
      before = [await records(0), await records(1)];
      const refused = await copy();
      expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining("owns it")]);
    }, 60_000);

    test("once it has stopped all is copied and read back, and a second time nothing is", async () => {
      expect(await source.stop()).toBe(0);
      const done = await copy(["-o", "json"]);
      expect(done).toMatchObject({ code: 0, stderr: "" });
      expect(JSON.parse(done.stdout)).toMatchObject({ isThere: false, problems: [] });
      expect(JSON.parse(done.stdout).verified.records).toBeGreaterThanOrEqual(104);
      expect((await copy()).stdout).toContain("It is there already");
    }, 120_000);

    test("it is served with its offsets, groups, queries and tokens", async () => {
      const served = await target.serve();
      try {
        url = served.url;
        expect([await records(0), await records(1)]).toEqual([...before]);
        const path = `/v1/topics/${topic}/partitions/0/records`;
        expect((await ask(path, undefined, token)).status).toBe(200);
        expect((await ask("/v1/topics/bids/partitions/0/records", undefined, token)).status).toBe(
          403,
        );
        expect(await write(topic, [{ value: "later", partition: 1 }])).toEqual({
          offsets: [{ partition: 1, baseOffset: 50, count: 1 }],
        });
        const seen: string[] = [];
        for (let given = position; seen.length < 81; ) {
          const answer = await poll(given);
          seen.push(...(answer["records"] as Read[]).map(({ value }) => value));
          given = String(answer["position"]);
        }
        expect(new Set(seen).size).toBe(81);
        expect(seen).toContain("later");
        await write("bids", [13, 25].map(bid));
        const [first, second] = await viewed(2);
        expect([first?.n, second?.n]).toEqual([3, 2]);
      } finally {
        await served.stop();
      }
    }, 120_000);
  });
}
