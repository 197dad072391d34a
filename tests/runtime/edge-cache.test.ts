/** Catch-up out of Cloudflare's cache, in front of the objects. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { startLibsqlHttpServer } from "../../deploy/cloudflare/libsql-http-server.ts";
import { edgeToken, startEdgeWorker } from "../support/edge-worker.ts";
import type { Isolate } from "../support/isolate.ts";

const metadata = startLibsqlHttpServer();
const authorization = { Authorization: `Bearer ${edgeToken}` };
let worker: Isolate;
let topicId: string;

beforeAll(async () => {
  worker = await startEdgeWorker({
    ...{ MILLRACE_METADATA: metadata.url, MILLRACE_TOKEN: edgeToken },
    MILLRACE_PUBLIC_TOPICS: "prices",
  });
  for (const name of ["prices", "orders"]) {
    const headers = { ...authorization, "Content-Type": "application/json" };
    const body = JSON.stringify({ name });
    const made = await fetch(`${worker.url}/v1/topics`, { method: "POST", headers, body });
    if (name === "prices") ({ topicId } = (await made.json()) as { topicId: string });
    const text = { ...authorization, "Content-Type": "text/plain" };
    await fetch(`${worker.url}/v1/topics/${name}/records`, {
      ...{ method: "POST", headers: text, body: "a\nb\nc" },
    });
  }
}, 60_000);

afterAll(async () => {
  await worker.stop();
  await metadata.close();
}, 30_000);

const pathOf = (query: string, topic = "prices") =>
  `${worker.url}/v1/topics/${topic}/partitions/0/records?${query}`;

async function read(query: string, headers: Record<string, string> = {}) {
  const answer = await fetch(pathOf(query), { headers });
  return { status: answer.status, text: await answer.text(), headers: answer.headers };
}

describe("the cache before the Worker's objects", () => {
  test("serves ranges of public topics, by media type, to pages of any origin", async () => {
    const range = `offset=0&endOffset=2&topicId=${topicId}`;
    const first = await read(range);
    expect([first.status, JSON.parse(first.text).nextOffset]).toEqual([200, 2]);
    const lines = await read(range, { Accept: "application/x-ndjson" });
    expect(lines.text.trim().split("\n")).toHaveLength(2);
    // What is kept outlives what it was made of, which shows where it comes from.
    await fetch(`${worker.url}/v1/topics/prices`, { method: "DELETE", headers: authorization });
    const kept = await read(range, { Origin: "https://any.example" });
    expect(kept.text).toBe(first.text);
    expect(kept.headers.get("Access-Control-Allow-Origin")).toBe("*");
    expect((await read(range, { Accept: "application/x-ndjson" })).text).toBe(lines.text);
    // Not kept: another range, one that names no topic id, and who shows a token.
    for (const [query, headers] of [
      [`offset=0&endOffset=3&topicId=${topicId}`, {}],
      ["offset=0&endOffset=2", {}],
      [range, authorization],
    ] as const) {
      expect((await read(query, headers)).status).toBe(404);
    }
  });

  test("keeps nothing of topics that are not public, which nobody reads without a token", async () => {
    const range = "offset=0&endOffset=2";
    const read = (headers: Record<string, string>) =>
      fetch(pathOf(range, "orders"), { headers }).then(({ status }) => status);
    expect(await read(authorization)).toBe(200);
    expect(await read({})).toBe(401);
  });
});
