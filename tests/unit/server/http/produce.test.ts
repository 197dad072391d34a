import { describe, expect, test } from "bun:test";
import { present } from "../../../../src/base/assert.ts";
import { partitionForKey } from "../../../../src/record/partitioner.ts";
import { createHttpFixture, type HttpFixture } from "../../../support/http-fixture.ts";

const utf8 = new TextEncoder();

async function fixtureWith(partitions: number, config: Record<string, string> = {}) {
  const fixture = createHttpFixture();
  await fixture.ask("/v1/topics", { method: "POST", json: { name: "t", partitions, config } });
  return fixture;
}

function post(
  { ask }: HttpFixture,
  body: NonNullable<RequestInit["body"]>,
  headers: Record<string, string>,
  query = "",
): Promise<Response> {
  return ask(`/v1/topics/t/records${query}`, { method: "POST", body, headers });
}

const json = { "Content-Type": "application/json" };
const ndjson = { "Content-Type": "application/x-ndjson" };

interface ReadRecord {
  offset: number;
  timestamp: number;
  key?: string | null;
  value?: unknown;
  valueBase64?: string;
  headers: unknown[];
}

async function readAll({ ask }: HttpFixture, partition = 0, query = ""): Promise<ReadRecord[]> {
  const response = await ask(`/v1/topics/t/partitions/${partition}/records?${query}`);
  expect(response.status).toBe(200);
  return ((await response.json()) as { records: ReadRecord[] }).records;
}

async function problemOf(response: Response): Promise<Record<string, unknown>> {
  expect(response.headers.get("Content-Type")).toBe("application/problem+json");
  return (await response.json()) as Record<string, unknown>;
}

describe("produce of JSON", () => {
  test("stores text as text, other JSON as its source, null as nothing", async () => {
    const fixture = await fixtureWith(1);
    const body =
      '{"records":[{"key":"k","value":"caf\\u00e9"},{"value":9007199254740993},' +
      '{"value":{"a" : 1.0, "b":1e400}},{"value":null,"key":7},{"value":[ true ]}]}';
    const response = await post(fixture, body, json);
    expect(await response.json()).toEqual({
      offsets: [{ partition: 0, baseOffset: 0, count: 5 }],
    });
    const records = await readAll(fixture);
    expect(records.map(({ key, value }) => [key, value])).toEqual([
      ["k", "café"],
      [null, "9007199254740993"],
      [null, '{"a" : 1.0, "b":1e400}'],
      ["7", null],
      [null, "[ true ]"],
    ]);
  });

  test("takes bytes as base64, headers in both forms, partition and timestamp", async () => {
    const fixture = await fixtureWith(3);
    const records = [
      { keyBase64: "AP8=", valueBase64: "/w==", partition: 2, timestamp: 1_700_000_000_000 },
      { value: "a", partition: 2, headers: { trace: "x", empty: null } },
      { value: "b", partition: 2, headers: [{ key: "trace", valueBase64: "/w==" }] },
    ];
    expect(
      (await fixture.ask("/v1/topics/t/records", { method: "POST", json: { records } })).status,
    ).toBe(200);
    const read = await readAll(fixture, 2);
    expect(read[0]).toMatchObject({
      keyBase64: "AP8=",
      valueBase64: "/w==",
      timestamp: 1_700_000_000_000,
    });
    expect(read[1]?.headers).toEqual([
      { key: "trace", value: "x" },
      { key: "empty", value: null },
    ]);
    expect(read[2]?.headers).toEqual([{ key: "trace", valueBase64: "/w==" }]);
  });

  test("gives keys the partition of Kafka's Java client and keeps keyless ones together", async () => {
    const fixture = await fixtureWith(5);
    const keys = Array.from({ length: 40 }, (_, index) => `key-${index}`);
    const records = [...keys.map((key) => ({ key, value: key })), { value: 1 }, { value: 2 }];
    const response = await post(fixture, JSON.stringify({ records }), json);
    const { offsets } = (await response.json()) as { offsets: { count: number }[] };
    expect(offsets.reduce((sum, each) => sum + each.count, 0)).toBe(42);
    const placesOfKeyless = new Set<number>();
    for (let partition = 0; partition < 5; partition++) {
      for (const { key } of await readAll(fixture, partition)) {
        if (key === null || key === undefined) placesOfKeyless.add(partition);
        else expect(partitionForKey(utf8.encode(key), 5)).toBe(partition);
      }
    }
    expect(placesOfKeyless.size).toBe(1);
  });

  const refused: [string, string, string][] = [
    ["no records", '{"records":[]}', "records"],
    ["no records property", "{}", "records"],
    ["an unknown property", '{"records":[{"value":1,"vlaue":2}]}', "records[0].vlaue"],
    ["a missing value", '{"records":[{"value":1},{"key":"a"}]}', "records[1].value"],
    ["two values", '{"records":[{"value":1,"valueBase64":"AA=="}]}', "records[0].valueBase64"],
    ["a value twice", '{"records":[{"value":1,"value":2}]}', "records[0].value"],
    ["a negative partition", '{"records":[{"value":1,"partition":-1}]}', "records[0].partition"],
    ["a fraction of time", '{"records":[{"value":1,"timestamp":1.5}]}', "records[0].timestamp"],
    ["bad base64", '{"records":[{"valueBase64":"*"}]}', "records[0].valueBase64"],
    [
      "a header without value",
      '{"records":[{"value":1,"headers":[{"key":"a"}]}]}',
      "records[0].headers[0].value",
    ],
  ];
  test.each(refused)("refuses %s and names the field", async (_, body, field) => {
    const fixture = await fixtureWith(1);
    const response = await post(fixture, body, json);
    expect(response.status).toBe(400);
    expect(await problemOf(response)).toMatchObject({
      code: "invalid_request",
      field,
      status: 400,
    });
    expect(await readAll(fixture)).toEqual([]);
  });

  test("refuses the whole request for one bad partition", async () => {
    const fixture = await fixtureWith(2);
    const records = [
      { value: 1, partition: 0 },
      { value: 2, partition: 2 },
    ];
    const response = await post(fixture, JSON.stringify({ records }), json);
    expect(response.status).toBe(404);
    expect(await problemOf(response)).toMatchObject({ code: "partition_unknown" });
    expect(await readAll(fixture)).toEqual([]);
  });
});

describe("produce of lines and bytes", () => {
  test("stores each line as it came, without line ends, skipping empty ones", async () => {
    const fixture = await fixtureWith(1);
    const body = '{"n": 9007199254740993}\r\n\r\n\n  x \r\r\nlast';
    for (const type of ["application/x-ndjson", "text/plain;charset=UTF-8"]) {
      expect((await post(fixture, body, { "Content-Type": type })).status).toBe(200);
    }
    const values = (await readAll(fixture)).map((record) => record.value);
    const lines = ['{"n": 9007199254740993}', "  x \r", "last"];
    expect(values).toEqual([...lines, ...lines]);
  });

  test("stores a binary body as one value under the query's key", async () => {
    const fixture = await fixtureWith(4);
    const type = { "Content-Type": "application/octet-stream" };
    const response = await post(fixture, new Uint8Array([0, 255]), type, "?key=sensor%207");
    const partition = partitionForKey(utf8.encode("sensor 7"), 4);
    expect(await response.json()).toEqual({ offsets: [{ partition, baseOffset: 0, count: 1 }] });
    expect(await readAll(fixture, partition)).toMatchObject([
      { key: "sensor 7", valueBase64: "AP8=" },
    ]);
    expect((await post(fixture, "", type, "?partition=3")).status).toBe(200);
    expect((await readAll(fixture, 3)).at(-1)).toMatchObject({ key: null, value: "" });
  });

  test("splits what is larger than max.message.bytes and answers one range", async () => {
    const fixture = await fixtureWith(1, { "max.message.bytes": "1000" });
    const lines = Array.from({ length: 100 }, (_, index) => `line ${index} ${"x".repeat(50)}`);
    const response = await post(fixture, lines.join("\n"), ndjson);
    expect(await response.json()).toEqual({
      offsets: [{ partition: 0, baseOffset: 0, count: 100 }],
    });
    expect((await readAll(fixture)).map((record) => record.value)).toEqual(lines);
    const tooLarge = await post(fixture, "y".repeat(1000), ndjson);
    expect(tooLarge.status).toBe(413);
    expect(await problemOf(tooLarge)).toMatchObject({ code: "record_too_large" });
  });

  test("gathers concurrent single records into one batch, each with its own offset", async () => {
    const fixture = await fixtureWith(1);
    const answers = await Promise.all(
      Array.from({ length: 50 }, async (_, index) => {
        const response = await post(fixture, `value ${index}`, ndjson);
        return (await response.json()) as { offsets: { baseOffset: number }[] };
      }),
    );
    const records = await readAll(fixture);
    answers.forEach(({ offsets }, index) => {
      const { baseOffset } = present(offsets[0], "offset");
      expect(records[baseOffset]?.value).toBe(`value ${index}`);
    });
    const [fetched] = await fixture.log.fetch({
      partitions: [
        {
          topicId: present(await fixture.log.byName("t"), "topic").topicId,
          partition: 0,
          fetchOffset: 0,
          partitionBytesMax: 1e9,
          currentLeaderEpoch: -1,
        },
      ],
      bytesMin: 0,
      bytesMax: 1e9,
      waitMsMax: 0,
    });
    expect(present(fetched, "answer").chunks.length).toBeLessThan(50);
  });

  test("gives records the time of the append under LogAppendTime, whatever they say", async () => {
    const fixture = await fixtureWith(1, { "message.timestamp.type": "LogAppendTime" });
    const before = Date.now();
    await post(fixture, '{"records":[{"value":"a","timestamp":5},{"value":"b"}]}', json);
    await post(fixture, "c", ndjson);
    for (const { timestamp } of await readAll(fixture)) {
      expect(timestamp).toBeGreaterThanOrEqual(before);
      expect(timestamp).toBeLessThan(before + 60_000);
    }
  });

  test("refuses keyless records and far timestamps where the topic does", async () => {
    const compacted = await fixtureWith(1, { "cleanup.policy": "compact" });
    expect((await post(compacted, "x", ndjson)).status).toBe(400);
    expect((await post(compacted, "x", ndjson, "?key=a")).status).toBe(200);
    const body = `{"records":[{"value":1,"timestamp":${Date.now() + 7_200_000}}]}`;
    const late = await post(await fixtureWith(1), body, json);
    expect(await problemOf(late)).toMatchObject({ code: "invalid_timestamp", recordIndex: 0 });
  });
});

describe("produce bodies", () => {
  test("are taken as gzip and zstd", async () => {
    const fixture = await fixtureWith(1);
    for (const [encoding, bytes] of [
      ["gzip", Bun.gzipSync(utf8.encode("a\nb"))],
      ["zstd", Bun.zstdCompressSync(utf8.encode("c\nd"))],
    ] as const) {
      const response = await post(fixture, bytes, { ...ndjson, "Content-Encoding": encoding });
      expect(response.status).toBe(200);
    }
    expect((await readAll(fixture)).map((record) => record.value)).toEqual(["a", "b", "c", "d"]);
  });

  test("that are not what their encoding says are refused", async () => {
    const fixture = await fixtureWith(1);
    const bad = await post(fixture, "not gzip", { ...ndjson, "Content-Encoding": "gzip" });
    expect(await problemOf(bad)).toMatchObject({ status: 400, field: "Content-Encoding" });
    const other = await post(fixture, "x", { ...ndjson, "Content-Encoding": "br" });
    expect(other.status).toBe(415);
    expect(other.headers.get("Accept-Encoding")).toBe("gzip, zstd");
  });

  test("over the limit get 413, stated, streamed or compressed", async () => {
    const fixture = createHttpFixture({ settings: { requestBytesMax: 1000 } });
    await fixture.ask("/v1/topics", { method: "POST", json: { name: "t" } });
    const stated = await fixture.ask("/v1/topics/t/records", {
      method: "POST",
      body: "x",
      headers: { ...ndjson, "Content-Length": "1001" },
    });
    const streamed = await post(fixture, new Blob(["x".repeat(1001)]).stream(), ndjson);
    const bomb = Bun.gzipSync(new Uint8Array(100_000));
    const compressed = await post(fixture, bomb, { ...ndjson, "Content-Encoding": "gzip" });
    for (const response of [stated, streamed, compressed]) {
      expect(response.status).toBe(413);
      expect(await problemOf(response)).toMatchObject({ code: "request_too_large" });
    }
    expect(fixture.context.bodyBudget.takenBytes).toBe(0);
  });

  test("get 429 and Retry-After while others fill the budget", async () => {
    const fixture = createHttpFixture({ bodyBudgetBytes: 100 });
    await fixture.ask("/v1/topics", { method: "POST", json: { name: "t" } });
    expect(fixture.context.bodyBudget.tryTake(90)).toBe(true);
    const response = await post(fixture, "x".repeat(20), ndjson);
    expect(response.status).toBe(429);
    expect(response.headers.get("Retry-After")).toBe("1");
    expect(await problemOf(response)).toMatchObject({ code: "queue_full", retriable: true });
    fixture.context.bodyBudget.give(90);
    expect((await post(fixture, "x".repeat(20), ndjson)).status).toBe(200);
    expect(fixture.context.bodyBudget.takenBytes).toBe(0);
  });

  test("of producers that are refused for now are noted in the log", async () => {
    const fixture = createHttpFixture({ bodyBudgetBytes: 100 });
    await fixture.ask("/v1/topics", { method: "POST", json: { name: "t" } });
    const headers = { ...ndjson, "Producer-Id": "p", "Producer-Epoch": "2", "Producer-Seq": "7" };
    fixture.context.bodyBudget.tryTake(90);
    expect((await post(fixture, "x".repeat(20), headers)).status).toBe(429);
    const place = { kind: "httpProducer", name: "p", epoch: 2, sequence: 7 };
    expect(fixture.log.refusedGroups).toMatchObject([{ guards: [], effects: [place] }]);
    fixture.context.bodyBudget.give(90);
    await post(fixture, "x".repeat(20), headers);
    expect((await post(fixture, "x", { ...headers, "Content-Type": "x/y" })).status).toBe(415);
    expect(fixture.log.refusedGroups).toHaveLength(1);
  });

  test("of other types get 415, of unknown topics 404", async () => {
    const fixture = await fixtureWith(1);
    const form = await post(fixture, "a=1", {
      "Content-Type": "application/x-www-form-urlencoded",
    });
    expect(form.status).toBe(415);
    const missing = await fixture.ask("/v1/topics/none/records", { method: "POST", body: "x" });
    expect(missing.status).toBe(404);
    expect(await problemOf(missing)).toMatchObject({ code: "topic_unknown" });
  });

  test("make the topic where auto-creation is on", async () => {
    const fixture = createHttpFixture({ log: { autoCreate: true } });
    expect((await post(fixture, "x", ndjson)).status).toBe(200);
    expect((await readAll(fixture)).length).toBe(1);
  });
});

describe("produce with producer headers", () => {
  const place = (epoch: number, sequence: number) => ({
    ...ndjson,
    "Producer-Id": "sensor-1",
    "Producer-Epoch": String(epoch),
    "Producer-Seq": String(sequence),
  });

  test("appends a repeat once and gives it the first answer", async () => {
    const fixture = await fixtureWith(3);
    const first = await (await post(fixture, "a\nb", place(0, 0))).text();
    await post(fixture, "between", ndjson);
    const second = await (await post(fixture, "a\nb", place(0, 0))).text();
    expect(second).toBe(first);
    const counts = await Promise.all([0, 1, 2].map((each) => readAll(fixture, each)));
    expect(counts.flat().length).toBe(3);
  });

  test("refuses a gap, a forgotten repeat and an older epoch", async () => {
    const fixture = await fixtureWith(1);
    await post(fixture, "a", place(0, 0));
    const gap = await post(fixture, "c", place(0, 2));
    expect(gap.status).toBe(409);
    expect(await problemOf(gap)).toMatchObject({
      code: "sequence_out_of_order",
      expectedSequence: 1,
    });
    expect((await post(fixture, "b", place(1, 0))).status).toBe(200);
    const old = await post(fixture, "d", place(0, 1));
    expect(old.status).toBe(403);
    expect(await problemOf(old)).toMatchObject({ code: "producer_fenced" });
  });

  test("refuses some of the three, and nonsense", async () => {
    const fixture = await fixtureWith(1);
    const { "Producer-Seq": _, ...two } = place(0, 0);
    expect(await problemOf(await post(fixture, "a", two))).toMatchObject({
      status: 400,
      field: "Producer-Seq",
    });
    const bad = await post(fixture, "a", { ...place(0, 0), "Producer-Epoch": "-1" });
    expect(await problemOf(bad)).toMatchObject({ status: 400, field: "Producer-Epoch" });
  });
});

describe("produce by a beacon, which sends text and no headers", () => {
  const text = { "Content-Type": "text/plain;charset=UTF-8" };
  const place = (sequence: number) => `Producer-Id=page&Producer-Epoch=0&Producer-Seq=${sequence}`;

  test("takes JSON as text, and the producer's place from the query", async () => {
    const fixture = await fixtureWith(1);
    const body = '{"records":[{"key":"k","value":{"n":1},"timestamp":5}]}';
    const first = await post(fixture, body, text, `?body=json&${place(0)}`);
    const offsets = [{ partition: 0, baseOffset: 0, count: 1 }];
    expect(await first.json()).toEqual({ offsets });
    const headers = { ...json, "Producer-Id": "page", "Producer-Epoch": "0", "Producer-Seq": "0" };
    expect(await (await post(fixture, body, headers)).json()).toEqual({ offsets });
    expect(await readAll(fixture)).toMatchObject([{ key: "k", value: '{"n":1}', timestamp: 5 }]);
    const gap = await post(fixture, body, text, `?body=json&${place(2)}`);
    expect(await problemOf(gap)).toMatchObject({ status: 409, expectedSequence: 1 });
  });

  test("lines keep their meaning, and what contradicts itself is refused", async () => {
    const fixture = await fixtureWith(1);
    await post(fixture, "a\nb", text, `?${place(0)}`);
    expect((await readAll(fixture)).map(({ value }) => value)).toEqual(["a", "b"]);
    const keyed = await post(fixture, '{"records":[{"value":1}]}', text, "?body=json&key=k");
    expect(await problemOf(keyed)).toMatchObject({ status: 400, field: "key" });
    const half = await post(fixture, "a", text, "?Producer-Id=page&Producer-Epoch=0");
    expect((await problemOf(half))["detail"]).toContain("Producer-Seq");
    const elsewhere = await post(fixture, '{"records":[{"value":1}]}', json, "?body=json");
    expect(elsewhere.status).toBe(400);
  });
});
