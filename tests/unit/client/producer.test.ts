import { describe, expect, test } from "bun:test";
import { MillraceError } from "../../../src/client/millrace-error.ts";
import { produce, producer } from "../../../src/client/producer.ts";
import { ClientPlace, hastyPlatform, problemAnswer } from "../../support/client-place.ts";
import { MemoryDisk } from "../../support/memory-disk-queue.ts";

const isAppend = (path: string) => path.includes("/records");

function placesOf(place: ClientPlace): string[] {
  return place.requests.map(({ init }) => {
    const headers = init.headers as Record<string, string>;
    return `${headers["Producer-Epoch"]}/${headers["Producer-Seq"]}`;
  });
}

async function failureOf(promise: Promise<unknown>): Promise<MillraceError> {
  const error = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (error instanceof MillraceError) return error;
  throw new Error(`Not refused, or otherwise: ${error}`);
}

describe("a producer", () => {
  test("sends what comes together in one request, in order, and says where it went", async () => {
    const place = await ClientPlace.withTopic();
    const clicks = producer(place.connect(), "t");
    const sent = await Promise.all([1, "two", { three: 3 }, null].map((each) => clicks.send(each)));
    expect(place.requests).toHaveLength(1);
    for (const { offsets } of sent) {
      expect(offsets).toEqual([{ partition: 0, baseOffset: 0, count: 4 }]);
    }
    expect(await place.values()).toEqual(["1", "two", '{"three":3}', null]);
    expect(clicks.waiting).toBe(0);
    await clicks.close();
    expect((await failureOf(clicks.send(5))).code).toBe("closed");
  });

  test("keys, headers, partitions, times and bytes arrive", async () => {
    const place = await ClientPlace.withTopic(2);
    const clicks = producer(place.connect(), "t");
    await clicks.send(new Uint8Array([0, 255]), {
      ...{ key: "k", partition: 1, timestamp: 77, headers: { trace: "x" } },
    });
    const answer = await place.fixture.ask("/v1/topics/t/partitions/1/records");
    const { records } = (await answer.json()) as { records: unknown[] };
    const headers = [{ key: "trace", value: "x" }];
    expect(records).toMatchObject([{ key: "k", timestamp: 77, valueBase64: "AP8=", headers }]);
    expect((await failureOf2(clicks.send(undefined))).message).toContain("undefined");
  });

  test("requests and answers that are lost double nothing and lose nothing", async () => {
    const place = await ClientPlace.withTopic();
    let dice = 7;
    place.fault = () => {
      dice = (dice * 48_271) % 2_147_483_647;
      if (dice % 3 === 0) return "request lost";
      return dice % 3 === 1 ? "answer lost" : undefined;
    };
    const troubles: string[] = [];
    const clicks = producer(place.connect(), "t", {
      ...{ lingerMs: 0, batchBytesMax: 200 },
      onTrouble: ({ code }) => troubles.push(code),
    });
    const numbers = Array.from({ length: 100 }, (_, index) => index);
    await Promise.all(numbers.map((number) => clicks.send(number)));
    expect((await place.values()).map(Number)).toEqual(numbers);
    expect(troubles.length).toBeGreaterThan(10);
    expect(new Set(troubles)).toEqual(new Set(["network"]));
  });

  test("waits as long as the server asks", async () => {
    const place = await ClientPlace.withTopic();
    place.fault = () =>
      place.requests.length > 1
        ? undefined
        : new Response("{}", { status: 429, headers: { "Retry-After": "7" } });
    const waits: number[] = [];
    const connection = place.connect();
    const pause = async (ms: number) => void waits.push(ms);
    const platform = { ...connection.platform, pause };
    await produce(place.connect({ platform }), "t", 1);
    expect(waits).toEqual([7000]);
  });

  test("a batch that is refused does not stop those behind it", async () => {
    const place = await ClientPlace.withTopic();
    place.fault = ({ init }) =>
      String(init.body).includes("bad") ? problemAnswer(400, "invalid_record") : undefined;
    const clicks = producer(place.connect(), "t", { lingerMs: 0 });
    await clicks.send("first");
    expect((await failureOf(clicks.send("bad"))).code).toBe("invalid_record");
    await clicks.send("last");
    expect(await place.values()).toEqual(["first", "last"]);
    expect(placesOf(place)).toEqual(["0/0", "0/1", "0/1"]);
  });

  test("what was appended too long ago to know where is appended", async () => {
    const place = await ClientPlace.withTopic();
    place.fault = () => problemAnswer(409, "sequence_duplicate");
    expect(await producer(place.connect(), "t").send(1)).toEqual({ offsets: [] });
  });

  test("begins a new epoch where the server counts otherwise", async () => {
    const place = await ClientPlace.withTopic();
    const clicks = producer(place.connect(), "t", { lingerMs: 0 });
    await clicks.send("first");
    place.fault = () =>
      place.requests.length === 2 ? problemAnswer(409, "sequence_out_of_order") : undefined;
    await clicks.send("second");
    await clicks.send("third");
    expect(placesOf(place)).toEqual(["0/0", "0/1", "1/0", "1/1"]);
    expect(await place.values()).toEqual(["first", "second", "third"]);
  });

  test("gives up in time, says that it does not know, and fences what may come late", async () => {
    const place = await ClientPlace.withTopic();
    let now = 1_000;
    const pause = async () => {
      now += 1_000;
    };
    const platform = { ...hastyPlatform, now: () => now, pause };
    place.fault = () => (now < 5_000 ? "request lost" : undefined);
    const clicks = producer(place.connect({ platform }), "t", { lingerMs: 0, retryForMs: 3_000 });
    const failure = await failureOf(clicks.send("lost"));
    expect(failure.code).toBe("timed_out");
    now = 5_000;
    await clicks.send("next");
    expect(placesOf(place).at(-1)).toBe("1/0");
    expect(await place.values()).toEqual(["next"]);
  });

  test("takes no more than it may hold", async () => {
    const place = await ClientPlace.withTopic();
    const clicks = producer(place.connect(), "t", { queueBytesMax: 100 });
    const first = clicks.send("x".repeat(50));
    const failure = await failureOf(clicks.send("y".repeat(50)));
    expect([failure.code, failure.retriable]).toEqual(["queue_full", true]);
    await first;
    await clicks.send("y".repeat(50));
    expect(await place.values()).toHaveLength(2);
  });

  test("a signal ends it, and what waits is told so", async () => {
    const place = await ClientPlace.withTopic();
    const stop = new AbortController();
    place.fault = () => "request lost";
    const clicks = producer(place.connect(), "t", { signal: stop.signal, lingerMs: 0 });
    const sent = failureOf(clicks.send(1));
    const flushed = failureOf(clicks.flush());
    setTimeout(() => stop.abort(), 20);
    expect((await sent).code).toBe("closed");
    expect((await flushed).code).toBe("closed");
    expect((await failureOf(clicks.flush())).code).toBe("closed");
    await clicks.close();
  });

  test("flush can be left without what waits being lost", async () => {
    const place = await ClientPlace.withTopic();
    place.fault = () => (place.requests.length < 3 ? "request lost" : undefined);
    const clicks = producer(place.connect(), "t", { lingerMs: 0 });
    const sent = clicks.send("kept");
    const why = new Error("in a hurry");
    const left = clicks.flush(AbortSignal.abort(why)).catch((error: unknown) => error);
    expect(await left).toBe(why);
    await sent;
    expect(await place.values()).toEqual(["kept"]);
  });

  test("flush waits for all that was sent, refused or not", async () => {
    const place = await ClientPlace.withTopic();
    place.fault = ({ path }) =>
      isAppend(path) ? problemAnswer(413, "record_too_large") : undefined;
    const clicks = producer(place.connect(), "t", { lingerMs: 60_000 });
    const refused = failureOf(clicks.send(1));
    await clicks.flush();
    expect((await refused).code).toBe("record_too_large");
    await clicks.flush();
  });
});

async function failureOf2(promise: Promise<unknown>): Promise<Error> {
  return await promise.then(
    () => new Error("none"),
    (thrown: Error) => thrown,
  );
}

describe("a producer with a queue", () => {
  test("what one page could not send the next one sends, from the same place", async () => {
    const place = await ClientPlace.withTopic();
    const disk = new MemoryDisk();
    let isFirst = true;
    const first = producer(place.connect(), "t", {
      ...{ lingerMs: 0, batchBytesMax: 100 },
      queue: disk.queue(() => isFirst),
    });
    // The first batch arrives, but the page hears nothing of it and goes.
    place.fault = () => "answer lost";
    for (const number of [1, 2, 3, 4, 5, 6]) first.send(number).catch(() => undefined);
    await first.saved();
    while (place.requests.length < 2) await Bun.sleep(1);
    isFirst = false;
    await first.close();
    const arrived = await place.values();
    expect(arrived.length).toBeGreaterThan(0);
    place.fault = () => undefined;
    const second = producer(place.connect(), "t", { queue: disk.queue(() => true) });
    await second.send(7);
    expect((await place.values()).map(Number)).toEqual([1, 2, 3, 4, 5, 6, 7]);
    await second.flush();
    expect([...disk.lanes.values()].flatMap(({ records }) => [...records.keys()])).toEqual([]);
    expect(disk.lanes.size).toBe(1);
  });

  test("waits for a sign-in where a producer in memory would give up", async () => {
    const place = await ClientPlace.withTopic();
    place.fault = () =>
      place.requests.length < 4 ? problemAnswer(401, "unauthenticated") : undefined;
    const troubles: string[] = [];
    const clicks = producer(place.connect(), "t", {
      ...{ retryForMs: 0, queue: new MemoryDisk().queue(() => true) },
      onTrouble: ({ code }) => troubles.push(code),
    });
    await clicks.send("patient");
    expect(troubles).toEqual(["unauthenticated", "unauthenticated", "unauthenticated"]);
    place.requests.length = 0;
    expect((await failureOf(producer(place.connect(), "t").send("hasty"))).status).toBe(401);
  });
});
