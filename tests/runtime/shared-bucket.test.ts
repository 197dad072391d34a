/**
 * One log of the Worker, which has the bucket by its binding, and of a server on Bun, which has it
 * by S3: each reads what the other writes, and a reader that waits at one hears of the other.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { startLibsqlHttpServer } from "../../deploy/cloudflare/libsql-http-server.ts";
import { edgeToken, startEdgeWorker } from "../support/edge-worker.ts";
import type { Isolate } from "../support/isolate.ts";
import { type R2Outside, type S3OfBucket, serveBucket } from "../support/r2-through-s3.ts";
import { StreamServer } from "../support/stream-server.ts";

interface Read {
  readonly offset: number;
  readonly value: string;
}

describe("a bucket shared by the Worker and a server outside", () => {
  const metadata = startLibsqlHttpServer();
  let worker: Isolate;
  let s3: S3OfBucket;
  let server: StreamServer;
  beforeAll(async () => {
    worker = await startEdgeWorker({
      MILLRACE_METADATA: metadata.url,
      MILLRACE_TOKEN: edgeToken,
      MILLRACE_PEERS: "on",
    });
    s3 = await serveBucket(async () => (await worker.bucket("BUCKET")) as unknown as R2Outside);
    const env = { ...s3.env, MILLRACE_TOKEN: edgeToken };
    const place = { store: s3.storeUrl, metadata: metadata.url, env };
    server = await StreamServer.start({ ...place, flags: ["--flush-rate-max", "0"] });
  }, 120_000);
  afterAll(async () => {
    await server?.stop();
    await s3?.close();
    await worker?.stop();
    await metadata.close();
  });

  async function call(path: string, body?: unknown): Promise<Record<string, unknown>> {
    const headers = { Authorization: `Bearer ${edgeToken}`, "Content-Type": "application/json" };
    const init = body === undefined ? {} : { method: "POST", body: JSON.stringify(body) };
    const answer = await fetch(path, { ...init, headers });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${text}`);
    return JSON.parse(text);
  }
  const read = async (url: string, query: string) =>
    (await call(`${url}/v1/topics/shared/partitions/0/records?${query}`))["records"] as Read[];
  /** A page may end where the next object begins. */
  const readAll = async (url: string) => {
    const found: Read[] = [];
    for (;;) {
      const records = await read(url, `offset=${found.length}`);
      if (records.length === 0) return found;
      found.push(...records);
    }
  };

  test("both write one topic, and both read all of it in one order", async () => {
    const urls = [worker.url, server.httpUrl];
    await call(`${worker.url}/v1/topics`, { name: "shared", partitions: 1 });
    for (let index = 0; index < 20; index++) {
      const url = urls[index % 2];
      const other = urls[(index + 1) % 2] ?? "";
      const waiting = read(other, `offset=${index}&waitMs=20000`);
      const records = [{ value: `value ${index}`, partition: 0 }];
      expect(await call(`${url}/v1/topics/shared/records`, { records })).toEqual({
        offsets: [{ partition: 0, baseOffset: index, count: 1 }],
      });
      expect(await waiting).toMatchObject([{ offset: index, value: `value ${index}` }]);
    }
    const [first, second] = await Promise.all(urls.map(readAll));
    expect(first?.map(({ value }) => value)).toEqual(
      Array.from({ length: 20 }, (_, index) => `value ${index}`),
    );
    expect(second).toEqual(first ?? []);
  }, 60_000);

  test("what was written before either was started again is read from the bucket", async () => {
    await worker.restart();
    await server.stop();
    await server.restart();
    for (const url of [worker.url, server.httpUrl]) {
      expect(await readAll(url)).toHaveLength(20);
    }
  }, 60_000);
});
