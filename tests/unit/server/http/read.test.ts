import { describe, expect, test } from "bun:test";
import { batchesIn } from "../../../../src/record/batch.ts";
import { decodeRecords } from "../../../../src/record/batch-records.ts";
import { createHttpFixture, type HttpFixture } from "../../../support/http-fixture.ts";
import { codecs } from "../../../support/record-tools.ts";

interface Answer {
  records: { value?: unknown }[];
  nextOffset: number;
  highOffset: number;
}

async function fixtureWith(...bodies: string[]): Promise<HttpFixture> {
  const fixture = createHttpFixture();
  await fixture.ask("/v1/topics", { method: "POST", json: { name: "t" } });
  for (const body of bodies) await append(fixture, body);
  return fixture;
}

async function append({ ask }: HttpFixture, body: string): Promise<void> {
  const headers = { "Content-Type": "application/x-ndjson" };
  const response = await ask("/v1/topics/t/records", { method: "POST", body, headers });
  expect(response.status).toBe(200);
}

function get(fixture: HttpFixture, query: string, headers: Record<string, string> = {}) {
  return fixture.ask(`/v1/topics/t/partitions/0/records?${query}`, { headers });
}

async function read(fixture: HttpFixture, query: string): Promise<Answer> {
  return (await (await get(fixture, query)).json()) as Answer;
}

const valuesOf = (answer: Answer) => answer.records.map((record) => record.value);

describe("read", () => {
  test("begins at the offset asked, within a batch too", async () => {
    const fixture = await fixtureWith("a\nb\nc", "d");
    const answer = await read(fixture, "offset=2");
    expect(valuesOf(answer)).toEqual(["c", "d"]);
    expect(answer).toMatchObject({ nextOffset: 4, highOffset: 4 });
    expect(await read(fixture, "offset=4")).toEqual({
      records: [],
      nextOffset: 4,
      highOffset: 4,
    });
  });

  test("knows earliest, latest and a time", async () => {
    const fixture = await fixtureWith();
    for (const timestamp of [1000, 2000, 3000]) {
      const records = [{ value: `at ${timestamp}`, timestamp }];
      await fixture.ask("/v1/topics/t/records", { method: "POST", json: { records } });
    }
    expect(valuesOf(await read(fixture, "offset=earliest"))).toHaveLength(3);
    expect((await read(fixture, "offset=latest")).nextOffset).toBe(3);
    expect(valuesOf(await read(fixture, "offset=timestamp:1001"))).toEqual(["at 2000", "at 3000"]);
    expect(await read(fixture, "offset=timestamp:9999")).toMatchObject({ nextOffset: 3 });
  });

  test("gives a whole batch at least, and goes on at nextOffset", async () => {
    const fixture = await fixtureWith("a\nb", "c\nd", "e");
    const seen: unknown[] = [];
    let offset = 0;
    for (let turn = 0; offset < 5; turn++) {
      const answer = await read(fixture, `offset=${offset}&maxBytes=1`);
      seen.push(...valuesOf(answer));
      offset = answer.nextOffset;
      expect(turn).toBeLessThan(4);
    }
    expect(seen).toEqual(["a", "b", "c", "d", "e"]);
  });

  test("waits for a record that comes, and no longer than told", async () => {
    const fixture = await fixtureWith();
    const waiting = read(fixture, "offset=0&waitMs=20000");
    await append(fixture, "news");
    expect(valuesOf(await waiting)).toEqual(["news"]);
    expect((await read(fixture, "offset=1&waitMs=10")).records).toEqual([]);
  });

  test("stops waiting when the server stops", async () => {
    const fixture = await fixtureWith();
    const waiting = read(fixture, "offset=0&waitMs=20000");
    await Bun.sleep(1);
    fixture.stop();
    expect((await waiting).records).toEqual([]);
  });

  test("embeds JSON exactly with values=json, and tells text and null apart", async () => {
    const fixture = await fixtureWith('{"n": 9007199254740993}\n1e400\n"s"\nplain\nnull');
    await fixture.ask("/v1/topics/t/records", {
      method: "POST",
      json: { records: [{ value: null }, { valueBase64: "/w==" }] },
    });
    const text = await (await get(fixture, "values=json")).text();
    const parts = [
      '"value":{"n": 9007199254740993},',
      '"value":1e400,',
      '"value":"s",',
      '"valueText":"plain",',
      '"valueText":"null",',
      '"value":null,',
      '"valueBase64":"/w==",',
    ];
    let position = 0;
    for (const part of parts) {
      const found = text.indexOf(part, position);
      expect(found, part).toBeGreaterThan(position);
      position = found;
    }
  });

  test("gives NDJSON, a record a line even where JSON has line breaks in it", async () => {
    const fixture = await fixtureWith("a");
    const body = '{"records":[{"value":{"x":\r\n 1}}]}';
    const headers = { "Content-Type": "application/json" };
    await fixture.ask("/v1/topics/t/records", { method: "POST", body, headers });
    const response = await get(fixture, "values=json", { Accept: "application/x-ndjson" });
    expect(response.headers.get("Content-Type")).toBe("application/x-ndjson");
    expect(response.headers.get("Millrace-Next-Offset")).toBe("2");
    const lines = (await response.text()).trimEnd().split("\n");
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([
      { offset: 0, valueText: "a" },
      { offset: 1, value: { x: 1 } },
    ]);
  });

  test("gives record batches as they are stored", async () => {
    const fixture = await fixtureWith("a\nb", "c");
    const accept = "application/vnd.millrace.record-batches";
    const response = await get(fixture, "offset=1", { Accept: accept });
    expect(response.headers.get("Content-Type")).toBe(accept);
    const batches = [...batchesIn(await response.bytes())];
    const records = batches.flatMap(({ bytes }) => [
      ...decodeRecords(bytes, { codecs, sizeMax: 1e6 }),
    ]);
    expect(records.map(({ offset }) => offset)).toEqual([0, 1, 2]);
  });

  test("streams a large answer whole and gives its budget back", async () => {
    const lines = Array.from({ length: 3000 }, (_, index) => `${index} ${"x".repeat(200)}`);
    const fixture = await fixtureWith(lines.join("\n"));
    const answer = await read(fixture, "offset=0&maxBytes=16000000");
    expect(valuesOf(answer)).toEqual(lines);
    expect(fixture.context.answerMemory.waitingBytes).toBe(0);
    const left = await get(fixture, "offset=0");
    expect(fixture.context.answerMemory.waitingBytes).toBeGreaterThan(0);
    await left.body?.cancel();
    expect(fixture.context.answerMemory.waitingBytes).toBe(0);
    const head = await fixture.ask("/v1/topics/t/partitions/0/records", { method: "HEAD" });
    expect(head.status).toBe(200);
    expect(fixture.context.answerMemory.waitingBytes).toBe(0);
  });

  test("gets 429 while other readers hold the budget", async () => {
    const fixture = await fixtureWith("a");
    fixture.context.answerMemory.hold({}, 64 * 1024 * 1024);
    expect((await get(fixture, "offset=0")).status).toBe(429);
  });

  test("gets 416 outside of the log, with its ends", async () => {
    const fixture = await fixtureWith("a\nb\nc");
    const topic = await fixture.log.byName("t");
    if (topic) await fixture.log.deleteRecords(topic, 0, 2);
    for (const offset of [1, 4]) {
      const response = await get(fixture, `offset=${offset}`);
      expect(response.status).toBe(416);
      expect(await response.json()).toMatchObject({
        code: "offset_out_of_range",
        logStartOffset: 2,
        highOffset: 3,
      });
    }
  });

  const refused: [string, string][] = [
    ["offset=-1", "offset"],
    ["offset=1e3", "offset"],
    ["maxBytes=0", "maxBytes"],
    ["waitMs=30001", "waitMs"],
    ["values=xml", "values"],
    ["ofset=1", "ofset"],
    ["offset=1&offset=2", "offset"],
  ];
  test.each(refused)("refuses ?%s and names the field", async (query, field) => {
    const response = await get(await fixtureWith(), query);
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ code: "invalid_request", field });
  });

  test("gets 404 for partitions and topics that are not there, 406 for other types", async () => {
    const fixture = await fixtureWith();
    const partition = await fixture.ask("/v1/topics/t/partitions/1/records");
    expect([partition.status, ((await partition.json()) as { code: string }).code]).toEqual([
      404,
      "partition_unknown",
    ]);
    expect((await fixture.ask("/v1/topics/u/partitions/0/records")).status).toBe(404);
    const accept = await get(fixture, "", { Accept: "text/html" });
    expect(accept.status).toBe(406);
    expect(await accept.json()).toMatchObject({ code: "not_acceptable", field: "Accept" });
  });
});
