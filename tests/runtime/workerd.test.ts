/**
 * Append, publish to libSQL over HTTP, and fetch on workerd, asked from outside. Eval is off from
 * the start, so whatever these tests reach does without.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { startLibsqlHttpServer } from "../../deploy/cloudflare/libsql-http-server.ts";
import { codecNames } from "../../src/base/codecs.ts";
import { largeRecords, smallRecords } from "../support/golden-records.ts";
import type { Isolate } from "../support/isolate.ts";
import { SseReader } from "../support/sse-reader.ts";
import { type JsonRecord, sentBatch, textOfInput, textOfJson } from "./golden-batches.ts";
import type { sqlCheck } from "./workerd/sql-check.ts";
import { startWorker } from "./workerd/start-worker.ts";

const records = "/v1/topics/orders/records";
const partition0 = "/v1/topics/orders/partitions/0/records";

describe("the log on workerd", () => {
  const metadata = startLibsqlHttpServer();
  let worker: Isolate;
  const ask = (path: string, init?: RequestInit) => fetch(`${worker.url}${path}`, init);
  beforeAll(async () => {
    worker = await startWorker(metadata.url);
  }, 60_000);
  afterAll(async () => {
    await worker.stop();
    await metadata.close();
  });

  async function post(path: string, contentType: string, body: string): Promise<unknown> {
    const headers = { "Content-Type": contentType };
    const answer = await ask(path, { method: "POST", headers, body });
    if (!answer.ok) throw new Error(`${await answer.text()}\n${worker.log()}`);
    return answer.json();
  }

  async function read(path: string): Promise<JsonRecord[]> {
    const answer = await ask(path);
    if (!answer.ok) throw new Error(`${await answer.text()}\n${worker.log()}`);
    return ((await answer.json()) as { records: JsonRecord[] }).records;
  }

  async function flushCount(): Promise<number> {
    const text = await (await ask("/metrics")).text();
    return Number(/^millrace_flushes_total (\d+)$/m.exec(text)?.[1] ?? 0);
  }

  test("JSON and NDJSON are appended and read back", async () => {
    await post("/v1/topics", "application/json", '{"name":"orders"}');
    const body = '{"records":[{"key":"eu-1","value":{"id":9007199254740993}},{"value":null}]}';
    const json = await post(records, "application/json", body);
    expect(json).toEqual({ offsets: [{ partition: 0, baseOffset: 0, count: 2 }] });
    const lines = await post(records, "application/x-ndjson", "one\ntwo\n");
    expect(lines).toEqual({ offsets: [{ partition: 0, baseOffset: 2, count: 2 }] });
    const values = (await read(partition0)).map(({ value }) => value);
    expect(values).toEqual(['{"id":9007199254740993}', null, "one", "two"]);
  });

  test("SQLite and its kernels run without compiling anything", async () => {
    const answer = await ask("/sql-check");
    const { records, checkpointBytes } = (await answer.json()) as ReturnType<typeof sqlCheck>;
    expect(records).toContain('{"id":1,"name":"one!","third":0.3333333333333333}');
    expect(records).toContain('{"id":2,"name":"two!","third":0.6666666666666666}');
    expect(checkpointBytes).toBeGreaterThan(8192);
  });

  test("compressed bodies are taken", async () => {
    for (const [encoding, compress] of [
      ["gzip", gzipSync],
      ["zstd", zstdCompressSync],
    ] as const) {
      const headers = { "Content-Type": "text/plain", "Content-Encoding": encoding };
      const body = new Uint8Array(compress(`in ${encoding}`));
      expect((await ask(records, { method: "POST", headers, body })).status).toBe(200);
    }
    const values = (await read(`${partition0}?offset=4`)).map(({ value }) => value);
    expect(values).toEqual(["in gzip", "in zstd"]);
  });

  test("concurrent requests share flushes, and each gets its own offset", async () => {
    const before = await flushCount();
    const posts = Array.from({ length: 20 }, async (_, index) => {
      const answer = await post(records, "text/plain", `value ${index}`);
      const { offsets } = answer as { offsets: { baseOffset: number }[] };
      return { offset: offsets[0]?.baseOffset ?? -1, value: `value ${index}` };
    });
    const answered = (await Promise.all(posts)).toSorted((a, b) => a.offset - b.offset);
    const found = await read(`${partition0}?offset=6`);
    expect(found.map(({ offset, value }) => ({ offset, value: value ?? "" }))).toEqual(answered);
    expect((await flushCount()) - before).toBeLessThan(20);
  });

  test("a read that waits is answered by another request's append", async () => {
    const waiting = read(`${partition0}?offset=26&waitMs=30000`);
    await post(records, "text/plain", "awaited");
    expect((await waiting).map(({ value }) => value)).toEqual(["awaited"]);
  });

  test("events come while other requests append", async () => {
    const events = new SseReader(await ask("/v1/topics/orders/stream?offset=26"));
    expect(JSON.parse((await events.next()).data)).toMatchObject({ offset: 26, value: "awaited" });
    await post(records, "text/plain", "followed");
    expect(JSON.parse((await events.next()).data)).toMatchObject({ offset: 27, value: "followed" });
    await events.cancel();
  });

  test.each([...codecNames])("foreign batches of codec %s are taken and read", async (codec) => {
    const large = codec === "none" ? [] : ["java-large", "franz-go-large", "librdkafka-large"];
    for (const writer of ["java", "franz-go", ...large]) {
      const name = `${writer}-${codec}`;
      await post("/v1/topics", "application/json", JSON.stringify({ name }));
      const appended = await ask(`/batches/${name}`, { method: "POST", body: sentBatch(name) });
      expect(await appended.json()).toMatchObject({ baseOffset: 0, duplicate: false });
      const found = await read(`/v1/topics/${name}/partitions/0/records`);
      const expected = writer.includes("large") ? largeRecords : smallRecords;
      expect(found.map(textOfJson)).toEqual(expected.map(textOfInput));
    }
  });

  test("a repeated request of an HTTP producer gets its first answer", async () => {
    const send = async () => {
      const headers = {
        "Content-Type": "text/plain",
        "Producer-Id": "till-4",
        "Producer-Epoch": "0",
        "Producer-Seq": "0",
      };
      return (await ask(records, { method: "POST", headers, body: "sold" })).json();
    };
    const first = await send();
    expect(await send()).toEqual(first);
    expect((await read(`${partition0}?offset=28`)).map(({ value }) => value)).toEqual(["sold"]);
  });

  test("a group's offsets are set and shown", async () => {
    const body = '{"offsets":[{"topic":"orders","partition":0,"offset":7}]}';
    const headers = { "Content-Type": "application/json" };
    const put = await ask("/v1/groups/readers/offsets", { method: "PUT", headers, body });
    expect({ status: put.status, text: put.ok ? "" : await put.text() }).toEqual({
      status: 200,
      text: "",
    });
    const group = (await (await ask("/v1/groups/readers")).json()) as { offsets: object[] };
    expect(group.offsets).toMatchObject([{ topic: "orders", partition: 0, offset: 7 }]);
  });

  test("nothing went wrong unseen", () => {
    expect(worker.log()).not.toMatch(/"level":"(warn|error)"|Error|exception/);
  });
});
