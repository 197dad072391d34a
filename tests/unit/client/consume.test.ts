import { describe, expect, test } from "bun:test";
import { connect } from "../../../src/client/connection.ts";
import { consume } from "../../../src/client/consume.ts";
import type { ConsumedRecord } from "../../../src/client/consumed-record.ts";
import { MillraceError } from "../../../src/client/millrace-error.ts";
import { ClientPlace, problemAnswer } from "../../support/client-place.ts";

async function append(place: ClientPlace, values: readonly unknown[], partition = 0) {
  const records = values.map((value) => ({ value, partition }));
  const answer = await place.fixture.ask("/v1/topics/t/records", {
    method: "POST",
    json: { records },
  });
  expect(answer.status).toBe(200);
}

async function take<V>(
  records: AsyncGenerator<ConsumedRecord<V>, void>,
  count: number,
): Promise<ConsumedRecord<V>[]> {
  const taken: ConsumedRecord<V>[] = [];
  while (taken.length < count) {
    const next = await records.next();
    if (next.done === true) break;
    taken.push(next.value);
  }
  await records.return();
  return taken;
}

const valuesOf = (records: readonly ConsumedRecord<unknown>[]) => records.map(({ value }) => value);

/** The beginning of an answer, cut off behind `bytes`. */
function cut(answer: Response, bytes: number): Response {
  let left = bytes;
  const through = new TransformStream<Uint8Array, Uint8Array>({
    transform(chunk, controller) {
      controller.enqueue(chunk.subarray(0, left));
      left -= chunk.length;
      if (left <= 0) controller.error(new TypeError("cut off"));
    },
  });
  return new Response(answer.body?.pipeThrough(through) ?? null, answer);
}

describe("consume", () => {
  test("gives values, keys and times as they were sent, with a cursor", async () => {
    const place = await ClientPlace.withTopic();
    await place.fixture.ask("/v1/topics/t/records", {
      method: "POST",
      body:
        '{"records":[{"key":"k","value":{"n":1},"timestamp":5,"headers":{"a":"b"}},' +
        '{"value":"text"},{"value":null},{"valueBase64":"AP8=","keyBase64":"/w=="}]}',
      headers: { "Content-Type": "application/json" },
    });
    const records = await take(consume(place.connect(), "t", { from: "earliest" }), 4);
    expect(records[0]).toMatchObject({ partition: 0, offset: 0, key: "k", timestamp: 5 });
    expect(records[0]?.headers).toEqual([{ key: "a", value: "b" }]);
    expect(valuesOf(records)).toEqual([{ n: 1 }, "text", null, new Uint8Array([0, 255])]);
    expect(records[3]?.key).toEqual(new Uint8Array([255]));
    const [next] = await take(
      consume(place.connect(), "t", { cursor: records[1]?.cursor ?? "" }),
      1,
    );
    expect(next).toMatchObject({ offset: 2, value: null });
  });

  test("parse sees the exact text of a value", async () => {
    const place = await ClientPlace.withTopic();
    await place.fixture.ask("/v1/topics/t/records", {
      method: "POST",
      body: '{"records":[{"value":9007199254740993}]}',
      headers: { "Content-Type": "application/json" },
    });
    for (const transport of ["events", "poll"] as const) {
      const options = { from: "earliest", parse: BigInt, transport } as const;
      const [record] = await take(consume(place.connect<{ t: bigint }>(), "t", options), 1);
      expect(record?.value).toBe(9_007_199_254_740_993n);
    }
  });

  test("wherever the stream is cut, it goes on without loss or repeat", async () => {
    const place = await ClientPlace.withTopic(2);
    await append(place, [0, 1, 2, 3]);
    await append(place, [10, 11, 12, 13], 1);
    for (let bytes = 0; bytes < 1_400; bytes += 13) {
      let wasCut = false;
      place.fault = async ({ path, init }) => {
        if (wasCut) return undefined;
        wasCut = true;
        return cut(await place.fixture.ask(path, init), bytes);
      };
      const options = { from: "earliest", transport: "events" } as const;
      const records = await take(consume(place.connect<{ t: number }>(), "t", options), 8);
      const numbers = records.map(({ value }) => value);
      expect(numbers.toSorted((a, b) => a - b)).toEqual([0, 1, 2, 3, 10, 11, 12, 13]);
    }
  });

  test("a stream that was cut before its first record does not miss what came meanwhile", async () => {
    const place = await ClientPlace.withTopic();
    await append(place, ["old"]);
    let attempts = 0;
    place.fault = async ({ path, init }) => {
      attempts += 1;
      if (attempts > 1) return undefined;
      const answer = await place.fixture.ask(path, init);
      await append(place, ["new"]);
      return cut(answer, 80);
    };
    const [record] = await take(consume(place.connect(), "t"), 1);
    expect(record?.value).toBe("new");
  });

  test("records that are gone are told of", async () => {
    const place = await ClientPlace.withTopic();
    const gap = { partition: 0, from: 0, to: 7 };
    place.fault = () =>
      new Response(
        `id: c\n\nid: d\nevent: gap\ndata: ${JSON.stringify(gap)}\n\nevent: problem\n` +
          'data: {"code":"topic_unknown","detail":"gone","retriable":false}\n\n',
      );
    const gaps: unknown[] = [];
    const records = consume(place.connect(), "t", { onGap: (each) => gaps.push(each) });
    const failure = await records.next().catch((error: unknown) => error);
    expect(gaps).toEqual([gap]);
    expect(failure).toBeInstanceOf(MillraceError);
    expect((failure as MillraceError).code).toBe("topic_unknown");
  });

  test("what another attempt does not mend is thrown at once", async () => {
    const place = new ClientPlace();
    const failure = await consume(place.connect(), "nothing")
      .next()
      .catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: "topic_unknown", status: 404 });
    expect(place.requests).toHaveLength(1);
  });

  test("a signal ends the loop without an error, before, while and after it waits", async () => {
    const place = await ClientPlace.withTopic();
    await append(place, [1]);
    for (const transport of ["events", "poll"] as const) {
      const stop = new AbortController();
      const seen: unknown[] = [];
      const options = { from: "earliest", signal: stop.signal, transport } as const;
      for await (const { value } of consume(place.connect(), "t", options)) {
        seen.push(value);
        setTimeout(() => stop.abort(), 20);
      }
      expect(seen).toEqual([1]);
      expect(await Array.fromAsync(consume(place.connect(), "t", options))).toEqual([]);
    }
  });

  test("falls back to polls where events are kept back, from the same place", async () => {
    const place = await ClientPlace.withTopic(3);
    await append(place, ["a"], 0);
    await append(place, ["b"], 2);
    place.fault = ({ path }) =>
      path.includes("/stream") ? new Response(new ReadableStream()) : undefined;
    const options = { from: "earliest", silenceMs: 10 } as const;
    const records = consume(place.connect(), "t", options);
    const first = [(await records.next()).value, (await records.next()).value];
    expect(first.map((each) => each?.value)).toEqual(["a", "b"]);
    await append(place, ["c"], 1);
    const third = (await records.next()).value;
    expect(third?.value).toBe("c");
    await records.return();
    const streams = place.requests.filter(({ path }) => path.includes("/stream"));
    expect(streams).toHaveLength(2);
    place.fault = () => undefined;
    await append(place, ["d"], 0);
    const cursor = first[1]?.cursor ?? "";
    const rest = await take(consume(place.connect(), "t", { cursor }), 2);
    expect(valuesOf(rest).toSorted()).toEqual(["c", "d"]);
  });

  test("polls begin at the end, at an offset or at a time", async () => {
    const place = await ClientPlace.withTopic();
    const json = {
      records: [1_000, 2_000, 3_000].map((timestamp) => ({ value: timestamp, timestamp })),
    };
    await place.fixture.ask("/v1/topics/t/records", { method: "POST", json });
    const poll = (from: "latest" | number | { timestamp: number }) =>
      consume(place.connect(), "t", { from, transport: "poll" });
    expect(valuesOf(await take(poll(2), 1))).toEqual([3_000]);
    expect(valuesOf(await take(poll({ timestamp: 1_500 }), 2))).toEqual([2_000, 3_000]);
    const latest = poll("latest");
    const next = latest.next();
    while (!place.requests.some(({ path }) => path.includes("&waitMs=20000"))) await Bun.sleep(1);
    await append(place, ["news"]);
    expect((await next).value?.value).toBe("news");
    await latest.return();
  });

  test("polls come again after failures and tell of gaps", async () => {
    const place = await ClientPlace.withTopic();
    await append(place, ["a", "b", "c"]);
    const gap = { partition: 0, from: 0, to: 1 };
    let polls = 0;
    place.fault = async ({ path, init }) => {
      polls += 1;
      if (polls === 1) return "request lost";
      const answer = (await (await place.fixture.ask(path, init)).json()) as {
        readonly records: readonly unknown[];
        readonly cursor: string;
      };
      return Response.json({ ...answer, records: answer.records.slice(1), gaps: [gap] });
    };
    const gaps: unknown[] = [];
    const onGap = (each: unknown) => gaps.push(each);
    const options = { from: 0, transport: "poll", onGap } as const;
    expect(valuesOf(await take(consume(place.connect(), "t", options), 2))).toEqual(["b", "c"]);
    expect(gaps).toEqual([gap]);
  });

  test("each record of a poll has the cursor right behind it", async () => {
    const place = await ClientPlace.withTopic(3);
    for (const [value, partition] of [
      ["a", 0],
      ["b", 2],
      ["c", 0],
      ["d", 1],
      ["e", 2],
    ] as const) {
      await append(place, [value], partition);
    }
    const options = { from: "earliest", transport: "poll" } as const;
    const records = await take(consume(place.connect(), "t", options), 5);
    for (const [index, { cursor }] of records.entries()) {
      for (const transport of ["poll", "events"] as const) {
        const rest = await take(consume(place.connect(), "t", { cursor, transport }), 4 - index);
        const seen = [...records.slice(0, index + 1), ...rest];
        expect(valuesOf(seen).toSorted()).toEqual(["a", "b", "c", "d", "e"]);
      }
    }
  });

  test("a binding opens no WebSocket, and says so", async () => {
    const connection = connect({ fetch: async () => new Response() });
    const failure = await consume(connection, "t", { transport: "websocket" })
      .next()
      .catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: "unsupported" });
  });

  test("silence breaks a connection off, and a slow reader does not", async () => {
    const place = await ClientPlace.withTopic();
    await append(place, [1]);
    let streams = 0;
    place.fault = () => {
      streams += 1;
      const head = new TextEncoder().encode("id: x\n\ndata: {}\n\n");
      const body = new ReadableStream({ start: (controller) => controller.enqueue(head) });
      return streams === 1 ? new Response(body) : undefined;
    };
    const options = { from: "earliest", silenceMs: 30, transport: "events" } as const;
    const records = consume(place.connect(), "t", options);
    await records.next();
    await Bun.sleep(90);
    expect(streams).toBe(1);
    place.fault = ({ init }) => {
      streams += 1;
      expect((init.headers as Record<string, string>)["Last-Event-ID"]).toBe("x");
      return problemAnswer(410, "topic_recreated");
    };
    const failure = await records.next().catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: "topic_recreated" });
    expect(streams).toBe(2);
  });
});

describe("connect", () => {
  test("a binding is asked in place of a URL, with its own this, and a token goes along", async () => {
    const asked: string[] = [];
    const binding = {
      name: "binding",
      async fetch(this: { name: string }, url: string, init?: RequestInit) {
        const authorization = new Headers(init?.headers).get("Authorization");
        asked.push(`${this.name} ${new URL(url).pathname} ${authorization}`);
        return problemAnswer(404, "topic_unknown");
      },
    };
    const connection = connect(binding, { token: async () => "t1" });
    await consume(connection, "x")
      .next()
      .catch(() => undefined);
    expect(asked).toEqual(["binding /v1/topics/x/stream Bearer t1"]);
    expect(connection.signed("/p?a=b")).toBe("/p?a=b&token=t1");
  });

  test("an answer whose head does not come in time is a failure that may be tried again", async () => {
    const connection = connect("http://localhost:1/base/", {
      timeoutMs: 10,
      fetch: (_, init) =>
        new Promise((_resolve, reject) => {
          init?.signal?.addEventListener("abort", () => reject(init.signal?.reason));
        }),
    });
    expect(connection.url).toBe("http://localhost:1/base");
    const failure = await connection.request("/x").catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: "network", retriable: true });
  });
});
