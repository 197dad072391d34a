import { describe, expect, test } from "bun:test";
import { present } from "../../../../src/base/assert.ts";
import { batchesIn } from "../../../../src/record/batch.ts";
import { createHttpFixture, type HttpFixture } from "../../../support/http-fixture.ts";

type Fields = Record<string, string>;

const path = "/v1/topics/t/partitions/0/records";
const year = "max-age=31536000, immutable";

/** A topic t of these requests' lines, a batch each, and its id. */
async function fixtureWith(bodies: readonly string[], options: object = {}) {
  const fixture = createHttpFixture(options);
  await fixture.ask("/v1/topics", { method: "POST", json: { name: "t" } });
  for (const body of bodies) await append(fixture, body);
  const { topicId } = present(await fixture.log.byName("t"), "topic");
  return { ...fixture, topicId };
}

async function append({ ask }: Pick<HttpFixture, "ask">, body: string): Promise<void> {
  const headers = { "Content-Type": "text/plain" };
  expect((await ask("/v1/topics/t/records", { method: "POST", body, headers })).status).toBe(200);
}

async function get({ ask }: Pick<HttpFixture, "ask">, query: string, headers: Fields = {}) {
  const answer = await ask(`${path}?${query}`, { headers });
  const { status, headers: given } = answer;
  const text = await answer.text();
  const fields = {
    tag: given.get("ETag"),
    cache: given.get("Cache-Control"),
    vary: given.get("Vary"),
    high: given.get("Millrace-High-Offset"),
  };
  return { status, text, ...fields };
}

const valuesOf = ({ text }: { readonly text: string }) =>
  (JSON.parse(text).records as { value: string }[]).map(({ value }) => value);

describe("reads of a range with an end", () => {
  test("give its records alone, and may be cached once they are below the end", async () => {
    const made = await fixtureWith(["a\nb\nc", "d\ne"]);
    const range = `offset=1&endOffset=4&topicId=${made.topicId}`;
    const first = await get(made, range);
    expect(valuesOf(first)).toEqual(["b", "c", "d"]);
    expect(JSON.parse(first.text)).toMatchObject({ nextOffset: 4 });
    expect(first.text).not.toContain("highOffset");
    expect(first).toMatchObject({ cache: `public, ${year}`, vary: "Accept, Origin", high: null });
    await append(made, "f");
    expect(await get(made, range)).toEqual(first);
  });

  test("are asked again each time where the URL names no topic id", async () => {
    const made = await fixtureWith(["a\nb"]);
    const { cache, tag } = await get(made, "offset=0&endOffset=2");
    expect(cache).toBe("public, no-cache");
    const again = await get(made, "offset=0&endOffset=2", { "If-None-Match": `W/"x", ${tag}` });
    expect(again).toMatchObject({ status: 304, text: "", tag, cache });
    const other = await get(made, "offset=0&endOffset=2", { "If-None-Match": '"x"' });
    expect(other.status).toBe(200);
  });

  test("are not read for who has them already", async () => {
    const made = await fixtureWith(["a\nb", "c"]);
    const query = `offset=0&endOffset=2&topicId=${made.topicId}`;
    const first = await get(made, query);
    let fetches = 0;
    const fetch = made.log.fetch.bind(made.log);
    made.log.fetch = (...asked) => {
      fetches += 1;
      return fetch(...asked);
    };
    const has = { "If-None-Match": `"x", ${first.tag}` };
    const again = await get(made, query, has);
    expect(again).toEqual({ ...first, status: 304, text: "" });
    expect(fetches).toBe(0);
    // The tag of another topic, epoch, end or media type says nothing of these.
    const [topicId, epoch, next, type] = (first.tag ?? "").replaceAll('"', "").split(".");
    for (const other of [
      ...[
        ["x", epoch, next, type],
        [topicId, "7", next, type],
        [topicId, epoch, "9", type],
      ],
      ...[
        [topicId, epoch, "0", type],
        [topicId, epoch, next, "3"],
      ],
    ]) {
      const asked = { "If-None-Match": `"${other.join(".")}"` };
      expect((await get(made, query, asked)).status).toBe(200);
    }
    expect(fetches).toBe(5);
  });

  test("are not kept while the range goes on, nor is the tail, nor what has no offset", async () => {
    const made = await fixtureWith(["a\nb"]);
    const topicId = `topicId=${made.topicId}`;
    for (const query of [
      `offset=0&endOffset=3&${topicId}`,
      `offset=2&endOffset=3&${topicId}`,
      `offset=earliest&endOffset=2&${topicId}`,
      `offset=timestamp:0&endOffset=2&${topicId}`,
      `offset=0&${topicId}`,
    ]) {
      const answer = await get(made, query, { "If-None-Match": "*" });
      expect([query, answer.status, answer.cache, answer.tag]).toEqual([
        ...[query, 200, "no-store", null],
      ]);
    }
    await append(made, "c");
    const { cache } = await get(made, `offset=0&endOffset=3&${topicId}`);
    expect(cache).toBe(`public, ${year}`);
  });

  test("go on where maxBytes has cut them, each part to be kept", async () => {
    const made = await fixtureWith(["a".repeat(1000), "b".repeat(1000), "c".repeat(1000)]);
    const range = `endOffset=3&maxBytes=1100&topicId=${made.topicId}`;
    const first = await get(made, `offset=0&${range}`);
    const { nextOffset } = JSON.parse(first.text);
    expect(nextOffset).toBe(1);
    const rest = await get(made, `offset=${nextOffset}&${range}`);
    expect([first.cache, rest.cache]).toEqual([`public, ${year}`, `public, ${year}`]);
    expect(JSON.parse(rest.text).records[0].offset).toBe(1);
  });

  test("of batches are given whole", async () => {
    const made = await fixtureWith(["a\nb\nc", "d\ne", "f"]);
    const accept = { Accept: "application/vnd.millrace.record-batches" };
    const read = async (endOffset: number) => {
      const url = `${path}?offset=0&endOffset=${endOffset}&topicId=${made.topicId}`;
      const answer = await made.ask(url, { headers: accept });
      const batches = [...batchesIn(await answer.bytes())].map(({ header }) => header.baseOffset);
      const next = answer.headers.get("Millrace-Next-Offset");
      return { batches, next, cache: answer.headers.get("Cache-Control") };
    };
    const cache = `public, ${year}`;
    expect(await read(3)).toEqual({ batches: [0], next: "3", cache });
    expect(await read(4)).toEqual({ batches: [0, 3], next: "5", cache });
  });

  test("have a tag of their own by media type, and after a topic was made again", async () => {
    const made = await fixtureWith(["a\nb"]);
    const range = "offset=0&endOffset=2";
    const tags = [];
    for (const Accept of ["application/json", "application/x-ndjson"]) {
      tags.push((await get(made, range, { Accept })).tag);
    }
    await made.ask("/v1/topics/t", { method: "DELETE" });
    await made.ask("/v1/topics", { method: "POST", json: { name: "t" } });
    await append(made, "a\nb");
    tags.push((await get(made, range)).tag);
    expect(new Set(tags).size).toBe(3);
    const gone = await get(made, `${range}&topicId=${made.topicId}`);
    expect(gone).toMatchObject({ status: 410, cache: "no-store" });
    expect(gone.text).toContain("topic_recreated");
  });

  test("are refused below the log's start, never answered from what was", async () => {
    const made = await fixtureWith(["a", "b", "c"]);
    const topic = present(await made.log.byName("t"), "topic");
    const range = `offset=0&endOffset=2&topicId=${made.topicId}`;
    const { tag } = await get(made, range);
    await made.log.deleteRecords(topic, 0, 1);
    const gone = await get(made, range, { "If-None-Match": tag ?? "" });
    expect(gone).toMatchObject({ status: 416, cache: "no-store" });
  });

  test("of compacted topics are not kept", async () => {
    const fixture = createHttpFixture();
    const config = { "cleanup.policy": "compact,delete" };
    await fixture.ask("/v1/topics", { method: "POST", json: { name: "t", config } });
    const json = { records: [{ key: "k", value: "v" }] };
    await fixture.ask("/v1/topics/t/records", { method: "POST", json });
    const { topicId } = present(await fixture.log.byName("t"), "topic");
    const answer = await get(fixture, `offset=0&endOffset=1&topicId=${topicId}`);
    expect(answer).toMatchObject({ status: 200, cache: "no-store", tag: null });
  });

  test("end behind where they begin", async () => {
    const made = await fixtureWith(["a\nb"]);
    for (const query of ["offset=1&endOffset=1", "offset=1&endOffset=0", "endOffset=x"]) {
      expect((await get(made, query)).status).toBe(400);
    }
  });
});

describe("public topics", () => {
  const settings = { token: "secret", publicTopics: ["t"], isLoopback: false };
  const server = { Authorization: "Bearer secret" };

  async function fixture() {
    const made = createHttpFixture({ settings });
    for (const name of ["t", "hidden"]) {
      await made.ask("/v1/topics", { method: "POST", json: { name }, headers: server });
      const headers = { ...server, "Content-Type": "text/plain" };
      const records = `/v1/topics/${name}/records`;
      await made.ask(records, { method: "POST", body: "a", headers });
    }
    const { topicId } = present(await made.log.byName("t"), "topic");
    return { ...made, topicId };
  }

  test("are read by anybody, pages of any origin included, and by caches for all", async () => {
    const made = await fixture();
    for (const each of [path, "/v1/topics/t/records", "/v1/topics/t/stream?offset=earliest"]) {
      for (const headers of [{}, { Origin: "https://evil.example" }] as Fields[]) {
        const answer = await made.ask(each, { headers });
        await answer.body?.cancel();
        expect([each, answer.status]).toEqual([each, 200]);
        expect(answer.headers.get("Access-Control-Allow-Origin")).toBe("*");
      }
    }
    const range = `offset=0&endOffset=1&topicId=${made.topicId}`;
    const answer = await get(made, range, { Origin: "https://any.example" });
    expect(answer).toMatchObject({ cache: `public, ${year}`, vary: "Accept" });
    const headers = { Origin: "https://any.example", "Access-Control-Request-Method": "GET" };
    const preflight = await made.ask(path, { method: "OPTIONS", headers });
    expect(preflight.status).toBe(204);
    expect(preflight.headers.get("Access-Control-Allow-Origin")).toBe("*");
  });

  test("are read also by who shows a token for something else", async () => {
    const made = await fixture();
    const json = { topics: ["hidden"], operations: ["write"], origins: ["https://shop.example"] };
    const of = await made.ask("/v1/tokens", { method: "POST", json, headers: server });
    const { token } = (await of.json()) as { token: string };
    for (const shown of [token, token.slice(0, -1), "of another server"]) {
      const headers = { Authorization: `Bearer ${shown}`, Origin: "https://any.example" };
      const answer = await made.ask(path, { headers });
      expect([shown, answer.status]).toEqual([shown, 200]);
      expect(answer.headers.get("Access-Control-Allow-Origin")).toBe("*");
      expect((await made.ask("/v1/topics/hidden/records", { headers })).status).not.toBe(200);
    }
    expect((await made.ask(`${path}?token=${token}`)).status).toBe(401);
  });

  test("are not written, nor is anything else read", async () => {
    const made = await fixture();
    const headers = { "Content-Type": "text/plain" };
    const write = await made.ask("/v1/topics/t/records", { method: "POST", body: "b", headers });
    expect(write.status).toBe(401);
    for (const each of [
      ...["/v1/topics/t", "/v1/topics", "/v1/topics/hidden/records", "/v1/groups"],
      "/v1/topics/hidden/partitions/0/records",
    ]) {
      expect([each, (await made.ask(each)).status]).toEqual([each, 401]);
    }
  });

  test("others are kept by the asker's own cache alone", async () => {
    const made = await fixture();
    const { topicId } = present(await made.log.byName("hidden"), "topic");
    const url = `/v1/topics/hidden/partitions/0/records?offset=0&endOffset=1&topicId=${topicId}`;
    const answer = await made.ask(url, { headers: server });
    expect(answer.headers.get("Cache-Control")).toBe(`private, ${year}`);
  });
});
