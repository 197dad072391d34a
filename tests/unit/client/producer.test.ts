import { describe, expect, test } from "bun:test";
import type { LaneStore } from "../../../src/client/lane.ts";
import { MillraceError } from "../../../src/client/millrace-error.ts";
import { type ProducerQueue, produce, producer } from "../../../src/client/producer.ts";
import { ClientPlace, hastyPlatform, problemAnswer } from "../../support/client-place.ts";
import { MemoryDisk } from "../../support/memory-disk-queue.ts";

const isAppend = (path: string) => path.includes("/records");

function placesOf(place: ClientPlace): string[] {
  return place.requests.map(({ init }) => {
    const headers = init.headers as Record<string, string>;
    return `${headers["Producer-Epoch"]}/${headers["Producer-Seq"]}`;
  });
}

const failureCode = (error: unknown) => (error as MillraceError).code;

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

  test("a record that is refused takes none of its batch along", async () => {
    const place = await ClientPlace.withTopic();
    place.fault = ({ init }) =>
      String(init.body).includes("bad") ? problemAnswer(400, "invalid_record") : undefined;
    const clicks = producer(place.connect(), "t");
    const values = [1, 2, "bad", 3, 4, 5, "bad", 6, 7];
    const sent = values.map((value) => clicks.send(value).then(() => value, failureCode));
    const found = [1, 2, "invalid_record", 3, 4, 5, "invalid_record", 6, 7];
    expect(await Promise.all(sent)).toEqual(found);
    expect(await place.values()).toEqual(["1", "2", "3", "4", "5", "6", "7"]);
    expect(clicks.waiting).toBe(0);
  });

  test("more records than may come at once go in parts, none of them twice", async () => {
    const place = await ClientPlace.withTopic();
    let requests = 0;
    place.fault = ({ init }) => {
      const count = String(init.body).split('"value"').length - 1;
      if (count > 10) return problemAnswer(413, "request_too_large", { recordsMax: 10 });
      return requests++ % 2 === 0 ? "answer lost" : undefined;
    };
    const clicks = producer(place.connect(), "t");
    const numbers = Array.from({ length: 34 }, (_, index) => index);
    const sent = await Promise.all(numbers.map((number) => clicks.send(number)));
    expect((await place.values()).map(Number)).toEqual(numbers);
    // Each record is told of its own request.
    for (const [index, { offsets }] of sent.entries()) {
      const [{ baseOffset, count } = { baseOffset: -1, count: 0 }] = offsets;
      expect(baseOffset <= index && index < baseOffset + count).toBe(true);
      expect(count).toBeLessThanOrEqual(10);
    }
  });

  test("a rate that others use up as well is gone under with fewer records", async () => {
    const place = await ClientPlace.withTopic();
    // Never is there room for more than three at once.
    place.fault = ({ init }) =>
      String(init.body).split('"value"').length - 1 > 3
        ? problemAnswer(429, "rate_exceeded", { retriable: true })
        : undefined;
    const clicks = producer(place.connect(), "t", { retryForMs: 2_000 });
    const numbers = Array.from({ length: 20 }, (_, index) => index);
    await Promise.all(numbers.map((number) => clicks.send(number)));
    expect((await place.values()).map(Number)).toEqual(numbers);
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

  test("a record whose signal aborts is taken back as long as it has not begun to leave", async () => {
    const place = await ClientPlace.withTopic();
    const clicks = producer(place.connect(), "t", { lingerMs: 60_000, queueBytesMax: 100 });
    const why = new Error("clicked away");
    const left = new AbortController();
    const early = clicks.send("y".repeat(20), { signal: left.signal }).catch((error) => error);
    left.abort(why);
    expect(await early).toBe(why);
    const stop = new AbortController();
    const gone = clicks.send("x".repeat(50), { signal: stop.signal }).catch((error) => error);
    stop.abort(why);
    expect(await gone).toBe(why);
    expect(clicks.waiting).toBe(0);
    const again = await clicks.send(1, { signal: AbortSignal.abort(why) }).catch((error) => error);
    expect(again).toBe(why);
    // It has made room, also where none of its batch is left.
    await clicks.flush();
    const kept = clicks.send("x".repeat(50), { signal: new AbortController().signal });
    await clicks.flush();
    await kept;
    expect(await place.values()).toEqual(["x".repeat(50)]);
    expect(placesOf(place)).toEqual(["0/0"]);
  });

  test("a record whose signal aborts on its way is appended all the same", async () => {
    const place = await ClientPlace.withTopic();
    const stop = new AbortController();
    place.fault = () => {
      stop.abort(new Error("left"));
      return undefined;
    };
    const connection = place.connect();
    const failure = await produce(connection, "t", 1, stop).catch((error: Error) => error);
    expect(failure).toMatchObject({ message: "left" });
    await produce(connection, "t", 2);
    expect(await place.values()).toEqual(["1", "2"]);
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

  test("says so when the disk is full, sends all the same, and closes", async () => {
    const place = await ClientPlace.withTopic();
    const disk = new MemoryDisk();
    let isFull = true;
    const queue = disk.queue(() => true);
    const full: ProducerQueue = {
      open: async (topic, id) => {
        const { own, left } = await queue.open(topic, id);
        const add: LaneStore["add"] = async (...record) => {
          if (isFull) throw new DOMException("no room", "QuotaExceededError");
          await own.add(...record);
        };
        return { own: { ...own, add }, left };
      },
    };
    let isDown = true;
    place.fault = () => (isDown ? "request lost" : undefined);
    const troubles: string[] = [];
    const onTrouble = ({ code }: MillraceError) => void troubles.push(code);
    const clicks = producer(place.connect(), "t", { queue: full, lingerMs: 0, onTrouble });
    const sent = clicks.send("large");
    expect((await failureOf(clicks.saved())).code).toBe("unsaved");
    expect(troubles).toContain("unsaved");
    isDown = false;
    await sent;
    // Its fate is known, so nothing is left that would have to be on disk.
    await clicks.saved();
    isFull = false;
    isDown = true;
    clicks.send("small").catch(() => undefined);
    await clicks.saved();
    isFull = true;
    const lost = failureOf(clicks.send("other"));
    expect((await failureOf(clicks.close())).code).toBe("unsaved");
    expect((await lost).code).toBe("closed");
    expect((await failureOf(clicks.send(1))).code).toBe("closed");
    expect(await place.values()).toEqual(["large"]);
  });

  test("a queue that does not open is told as what it is", async () => {
    const place = await ClientPlace.withTopic();
    const queue = { open: () => Promise.reject(new DOMException("no", "InvalidStateError")) };
    const clicks = producer(place.connect(), "t", { queue });
    expect((await failureOf(clicks.send(1))).code).toBe("unsaved");
    expect((await failureOf(clicks.close())).code).toBe("unsaved");
  });

  test("a record for a partition that there is not keeps none behind it waiting", async () => {
    const place = await ClientPlace.withTopic();
    const clicks = producer(place.connect(), "t", { queue: new MemoryDisk().queue(() => true) });
    const bad = failureOf(clicks.send("bad", { partition: 7 }));
    await clicks.send("good");
    expect((await bad).code).toBe("partition_unknown");
    expect(await place.values()).toEqual(["good"]);
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
