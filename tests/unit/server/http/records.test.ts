import { describe, expect, test } from "bun:test";
import { tableFromIPC } from "apache-arrow";
import { present } from "../../../../src/base/assert.ts";
import { createHttpFixture, type HttpFixture } from "../../../support/http-fixture.ts";

interface Answer {
  readonly records: { partition: number; offset: number; value: unknown }[];
  readonly gaps: unknown[];
  readonly cursor: string;
}

const arrow = { Accept: "application/vnd.apache.arrow.stream" };

async function fixtureWith(partitions: number): Promise<HttpFixture> {
  const fixture = createHttpFixture();
  await fixture.ask("/v1/topics", { method: "POST", json: { name: "t", partitions } });
  return fixture;
}

async function append({ ask }: HttpFixture, ...records: object[]): Promise<void> {
  const answer = await ask("/v1/topics/t/records", { method: "POST", json: { records } });
  expect(answer.status).toBe(200);
}

async function poll(ask: HttpFixture["ask"], query = ""): Promise<Answer> {
  const answer = await ask(`/v1/topics/t/records?${query}`);
  expect(answer.status).toBe(200);
  const polled = (await answer.json()) as Answer;
  expect(answer.headers.get("Millrace-Cursor")).toBe(polled.cursor);
  return polled;
}

describe("reading all partitions", () => {
  test("goes on behind its cursor on any worker, so many records at a time", async () => {
    const fixture = await fixtureWith(3);
    for (let value = 0; value < 30; value++) await append(fixture, { value, partition: value % 3 });
    const seen: unknown[] = [];
    let query = "maxRecords=7";
    for (let round = 0; round < 10; round++) {
      const { records, cursor } = await poll(fixture.another(), query);
      expect(records.length).toBeLessThanOrEqual(7);
      seen.push(...records.map(({ value }) => value));
      query = `maxRecords=7&cursor=${cursor}`;
      if (records.length === 0) break;
    }
    expect(seen.map(Number).sort((a, b) => a - b)).toEqual(
      Array.from({ length: 30 }, (_, index) => index),
    );
  });

  test("waits for the next record, and no longer than it is told", async () => {
    const fixture = await fixtureWith(2);
    const empty = await poll(fixture.ask);
    expect(empty).toMatchObject({ records: [], gaps: [] });
    const waiting = poll(fixture.ask, `cursor=${empty.cursor}&waitMs=30000`);
    await append(fixture, { value: "news", partition: 1 });
    expect((await waiting).records).toMatchObject([{ partition: 1, offset: 0, value: "news" }]);
    expect((await poll(fixture.ask, `offset=latest&waitMs=10`)).records).toEqual([]);
  });

  test("tells what retention took", async () => {
    const fixture = await fixtureWith(1);
    const { cursor } = await poll(fixture.ask);
    await append(fixture, { value: 1 }, { value: 2 }, { value: 3 });
    const topic = present(await fixture.log.byName("t"), "topic");
    await fixture.log.deleteRecords(topic, 0, 2);
    const gap = await poll(fixture.ask, `cursor=${cursor}`);
    expect(gap.gaps).toEqual([{ partition: 0, from: 0, to: 2 }]);
    const next = await poll(fixture.ask, `cursor=${gap.cursor}`);
    expect(next.records).toMatchObject([{ offset: 2 }]);
  });

  test("refuses what is no cursor, and tells of a topic made again", async () => {
    const fixture = await fixtureWith(1);
    const statusOf = async (query: string) =>
      (await fixture.ask(`/v1/topics/t/records?${query}`)).status;
    const { cursor } = await poll(fixture.ask);
    for (const wrong of ["cursor=x", `cursor=${cursor}x`, "waitMs=99999", "maxRecords=0", "a=b"]) {
      expect([wrong, await statusOf(wrong)]).toEqual([wrong, 400]);
    }
    await fixture.ask("/v1/topics/t", { method: "DELETE" });
    expect(await statusOf(`cursor=${cursor}`)).toBe(404);
    await fixture.ask("/v1/topics", { method: "POST", json: { name: "t" } });
    expect(await statusOf(`cursor=${cursor}`)).toBe(410);
    expect(
      (await fixture.ask("/v1/topics/t/records", { headers: { Accept: "image/png" } })).status,
    ).toBe(406);
  });

  test("gives Arrow that apache-arrow reads", async () => {
    const fixture = await fixtureWith(2);
    await append(
      fixture,
      { value: "text", key: "k", partition: 1, timestamp: 1_700_000_000_123 },
      { valueBase64: "AP8=", partition: 1, timestamp: 5, headers: { trace: "x" } },
      { value: null, partition: 1, timestamp: 6 },
    );
    for (const path of ["/v1/topics/t/records", "/v1/topics/t/partitions/1/records"]) {
      const answer = await fixture.ask(path, { headers: arrow });
      expect(answer.headers.get("Content-Type")).toBe(arrow.Accept);
      const table = tableFromIPC(new Uint8Array(await answer.arrayBuffer()));
      const rows = table.toArray().map((row) => row?.toJSON());
      expect(rows).toEqual([
        {
          ...{ partition: 1, offset: 0n, timestamp: 1_700_000_000_123 },
          ...{ key: bytes("k"), value: bytes("text"), headers: "[]" },
        },
        {
          ...{ partition: 1, offset: 1n, timestamp: 5, key: null },
          ...{ value: new Uint8Array([0, 255]), headers: '[{"key":"trace","value":"x"}]' },
        },
        { partition: 1, offset: 2n, timestamp: 6, key: null, value: null, headers: "[]" },
      ]);
    }
  });

  test("gives Arrow of no records, and of many", async () => {
    const fixture = await fixtureWith(1);
    const read = async (path: string) =>
      tableFromIPC(await (await fixture.ask(path, { headers: arrow })).bytes());
    const partition = "/v1/topics/t/partitions/0/records";
    for (const path of ["/v1/topics/t/records", partition]) {
      expect((await read(path)).numRows).toBe(0);
    }
    const lines = Array.from({ length: 30_000 }, (_, index) => `${index} ${"x".repeat(100)}`);
    const headers = { "Content-Type": "text/plain" };
    await fixture.ask("/v1/topics/t/records", { method: "POST", body: lines.join("\n"), headers });
    const table = await read(`${partition}?maxBytes=16000000`);
    expect(table.batches.length).toBeGreaterThan(1);
    expect([...(table.getChild("offset") ?? [])].map(Number)).toEqual(
      lines.map((_, index) => index),
    );
  });
});

function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
