import { afterEach, describe, expect, test } from "bun:test";
import { present } from "../../../../src/base/assert.ts";
import { readBatchHeader } from "../../../../src/record/batch.ts";
import { encodeBatch } from "../../../../src/record/batch-encode.ts";
import { decodeCursor } from "../../../../src/wire/http/cursor.ts";
import { createHttpFixture, type HttpFixture } from "../../../support/http-fixture.ts";
import { codecs, crc32c } from "../../../support/record-tools.ts";
import { SseReader } from "../../../support/sse-reader.ts";
import { createVirtualPlatform } from "../../../support/virtual-platform.ts";

const readers: SseReader[] = [];
afterEach(async () => {
  for (const reader of readers.splice(0)) await reader.cancel();
});

async function fixtureWith(partitions: number): Promise<HttpFixture> {
  const fixture = createHttpFixture();
  await fixture.ask("/v1/topics", { method: "POST", json: { name: "t", partitions } });
  return fixture;
}

async function append({ ask }: HttpFixture, partition: number, ...values: unknown[]) {
  const records = values.map((value) => ({ value, partition }));
  const response = await ask("/v1/topics/t/records", { method: "POST", json: { records } });
  expect(response.status).toBe(200);
}

async function open(
  ask: HttpFixture["ask"],
  query = "offset=earliest",
  lastEventId?: string,
): Promise<SseReader> {
  const headers: Record<string, string> =
    lastEventId === undefined ? {} : { "Last-Event-ID": lastEventId };
  const response = await ask(`/v1/topics/t/stream?${query}`, { headers });
  expect(response.status).toBe(200);
  const reader = new SseReader(response);
  readers.push(reader);
  return reader;
}

describe("stream", () => {
  test("gives every record of all partitions with headers that stop buffering", async () => {
    const fixture = await fixtureWith(3);
    await append(fixture, 0, "a", "b");
    await append(fixture, 2, "c");
    const response = await fixture.ask("/v1/topics/t/stream?offset=earliest");
    expect(Object.fromEntries(response.headers)).toMatchObject({
      "content-type": "text/event-stream",
      "cache-control": "no-store, no-transform",
      "x-accel-buffering": "no",
    });
    const reader = new SseReader(response);
    readers.push(reader);
    const events = await reader.take(3);
    expect(events.map(({ data }) => JSON.parse(data))).toMatchObject([
      { partition: 0, offset: 0, value: "a" },
      { partition: 0, offset: 1, value: "b" },
      { partition: 2, offset: 0, value: "c" },
    ]);
    await append(fixture, 1, "later");
    expect(JSON.parse((await reader.next()).data)).toMatchObject({ partition: 1, value: "later" });
  });

  test("begins at the end by default, and its first id holds the place before any record", async () => {
    const fixture = await fixtureWith(1);
    await append(fixture, 0, "old");
    const first = await open(fixture.ask, "");
    const id = await first.firstId();
    await first.cancel();
    await append(fixture, 0, "meanwhile");
    const second = await open(fixture.ask, "", id);
    expect(JSON.parse((await second.next()).data)).toMatchObject({ value: "meanwhile" });
  });

  test("begins at a time", async () => {
    const fixture = await fixtureWith(2);
    for (const partition of [0, 1]) {
      const records = [1000, 2000].map((timestamp) => ({ value: timestamp, timestamp, partition }));
      await fixture.ask("/v1/topics/t/records", { method: "POST", json: { records } });
    }
    const reader = await open(fixture.ask, "offset=timestamp:1500");
    const events = await reader.take(2);
    expect(events.map(({ data }) => JSON.parse(data).timestamp)).toEqual([2000, 2000]);
  });

  test("resumes on another worker after any event, without loss or repeat", async () => {
    const fixture = await fixtureWith(4);
    for (let round = 0; round < 6; round++) {
      for (let partition = 0; partition < 4; partition++) {
        await append(fixture, partition, `${round}a`, `${round}b`);
      }
    }
    const all = await (await open(fixture.ask)).take(48);
    for (let cut = 0; cut < all.length; cut += 5) {
      const reader = await open(fixture.another(), "", present(all[cut], "event").id);
      const rest = await reader.take(all.length - cut - 1);
      const seen = [...all.slice(0, cut + 1), ...rest].map(({ data }) => placeOf(data));
      expect(new Set(seen).size).toBe(48);
      for (let partition = 0; partition < 4; partition++) {
        const offsets = seen.filter((place) => place.startsWith(`${partition}/`));
        expect(offsets).toEqual(Array.from({ length: 12 }, (_, index) => `${partition}/${index}`));
      }
    }
  });

  test("joins partitions added meanwhile, live and over a resume", async () => {
    const fixture = await fixtureWith(1);
    const live = await open(fixture.ask, "");
    const id = await live.firstId();
    const topic = present(await fixture.log.byName("t"), "topic");
    await fixture.log.addPartitions(topic.topicId, 3);
    await append(fixture, 2, "new");
    for (const reader of [live, await open(fixture.ask, "", id)]) {
      expect(JSON.parse((await reader.next()).data)).toMatchObject({ partition: 2, value: "new" });
    }
  });

  test("answers 410 to a cursor of a topic deleted and made again, 404 when it is gone", async () => {
    const fixture = await fixtureWith(1);
    const id = await (await open(fixture.ask)).firstId();
    const ask = () => fixture.ask("/v1/topics/t/stream", { headers: { "Last-Event-ID": id } });
    await fixture.ask("/v1/topics/t", { method: "DELETE" });
    expect((await ask()).status).toBe(404);
    await fixture.ask("/v1/topics", { method: "POST", json: { name: "t" } });
    const response = await ask();
    expect(response.status).toBe(410);
    expect(await response.json()).toMatchObject({ code: "topic_recreated" });
  });

  test("refuses cursors that nobody gave out", async () => {
    const fixture = await fixtureWith(1);
    const wide = await fixtureWith(1);
    await append(wide, 0, "a");
    const { id } = await (await open(wide.ask)).next();
    for (const cursor of ["x", `${id}.0.1`, `${id.split(".")[0]}.9.1`]) {
      const response = await fixture.ask(`/v1/topics/t/stream?cursor=${cursor}`);
      expect(response.status, cursor).toBe(400);
      expect(await response.json()).toMatchObject({ field: "cursor" });
    }
  });

  test("says what retention took from a reader, and goes on", async () => {
    const fixture = await fixtureWith(1);
    const id = await (await open(fixture.ask)).firstId();
    await append(fixture, 0, "a", "b", "c");
    const topic = present(await fixture.log.byName("t"), "topic");
    await fixture.log.deleteRecords(topic, 0, 2);
    const [gap, record] = await (await open(fixture.ask, "", id)).take(2);
    expect(gap).toMatchObject({ event: "gap", data: '{"partition":0,"from":0,"to":2}' });
    expect(JSON.parse(present(record, "event").data)).toMatchObject({ offset: 2, value: "c" });
  });

  test("ends with a problem when its topic is deleted, quietly when the server stops", async () => {
    const fixture = await fixtureWith(1);
    const reader = await open(fixture.ask);
    await reader.firstId();
    await fixture.ask("/v1/topics/t", { method: "DELETE" });
    expect(await reader.next()).toMatchObject({ event: "problem" });
    expect(await reader.rest()).toBe("");
    await fixture.ask("/v1/topics", { method: "POST", json: { name: "t" } });
    const other = await open(fixture.ask);
    await other.firstId();
    const rest = other.rest();
    fixture.stop();
    expect(await rest).toBe("");
  });

  test("holds one small fetch for a reader that does not read", async () => {
    const fixture = await fixtureWith(1);
    for (let index = 0; index < 50; index++) await append(fixture, 0, "x".repeat(100_000));
    let fetches = 0;
    const fetchOf = fixture.log.fetch.bind(fixture.log);
    fixture.log.fetch = (...args) => {
      fetches++;
      return fetchOf(...args);
    };
    const reader = await open(fixture.ask);
    await reader.next();
    await Bun.sleep(5);
    expect(fetches).toBe(1);
  });

  test("lets go what a reader does not take, and goes on there without loss or repeat", async () => {
    const platform = createVirtualPlatform({ seed: 1, codecs, crc32c });
    const fixture = createHttpFixture({ platform });
    await fixture.ask("/v1/topics", { method: "POST", json: { name: "t" } });
    const topic = present(await fixture.log.byName("t"), "topic");
    const records = Array.from({ length: 300 }, (_, index) => ({
      timestamp: 0,
      key: null,
      value: new TextEncoder().encode(`${index} ${"x".repeat(1000)}`),
    }));
    const bytes = encodeBatch({ records, codec: "zstd" }, platform);
    const batch = { topic, partition: 0, bytes, header: readBatchHeader(bytes) };
    await fixture.log.append(batch);
    await fixture.log.append(batch);
    const reader = await open(fixture.ask);
    const offsets: number[] = [];
    while (offsets.length < 600) {
      offsets.push(JSON.parse((await reader.next()).data).offset);
      if (offsets.length % 100 === 0) await platform.advance(1_000);
    }
    expect(offsets).toEqual(Array.from({ length: 600 }, (_, offset) => offset));
  });

  test("embeds JSON with values=json, one line an event", async () => {
    const fixture = await fixtureWith(1);
    const body = '{"records":[{"value":{"n":\n 9007199254740993}}]}';
    const headers = { "Content-Type": "application/json" };
    await fixture.ask("/v1/topics/t/records", { method: "POST", body, headers });
    const { data } = await (await open(fixture.ask, "offset=0&values=json")).next();
    expect(data).toContain('"value":{"n":  9007199254740993}');
  });

  test("writes a comment after fifteen seconds of silence", async () => {
    const platform = createVirtualPlatform({ seed: 1 });
    const fixture = createHttpFixture({ platform });
    await fixture.ask("/v1/topics", { method: "POST", json: { name: "t" } });
    const reader = await open(fixture.ask);
    await reader.firstId();
    const silence = reader.chunk();
    await platform.advance(14_000);
    expect(await Promise.race([silence, "nothing"])).toBe("nothing");
    await platform.advance(4_000);
    expect(await silence).toBe(":\n\n");
  });

  test("keeps its cursor under 8 KB at a thousand partitions", async () => {
    const fixture = await fixtureWith(1000);
    await append(fixture, 999, "a");
    const { id } = await (await open(fixture.ask)).next();
    expect(id.length).toBeLessThan(8192);
    expect(decodeCursor(id).offsets[999]).toBe(1);
  });
});

function placeOf(data: string): string {
  const { partition, offset } = JSON.parse(data);
  return `${partition}/${offset}`;
}
