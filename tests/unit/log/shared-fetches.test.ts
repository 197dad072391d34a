import { describe, expect, test } from "bun:test";
import { silentLogger } from "../../../src/base/log.ts";
import type { FetchedPartition, FetchRequest } from "../../../src/log/log-types.ts";
import { type Inflater, SharedFetches } from "../../../src/log/shared-fetches.ts";
import { batchesIn } from "../../../src/record/batch.ts";
import { encodeBatch } from "../../../src/record/batch-encode.ts";
import { decodeRecords } from "../../../src/record/batch-records.ts";
import { inflateBatches } from "../../../src/record/inflate-batches.ts";
import type { TopicId } from "../../../src/record/types.ts";
import { createPlatform } from "../../../src/runtime/node/platform.ts";

const topicId = "t" as TopicId;

function ask(fetchOffset: number, bytesMax = 100): FetchRequest {
  const partition = { topicId, partition: 0, fetchOffset };
  return {
    partitions: [{ ...partition, partitionBytesMax: bytesMax, currentLeaderEpoch: -1 }],
    ...{ bytesMin: 0, bytesMax, waitMsMax: 0 },
  };
}

/** A log whose fetches the test settles, and that counts what comes back. */
class FakeLog {
  readonly asked: PromiseWithResolvers<readonly FetchedPartition[]>[] = [];
  released = 0;

  fetch(): Promise<readonly FetchedPartition[]> {
    const answer = Promise.withResolvers<readonly FetchedPartition[]>();
    this.asked.push(answer);
    return answer.promise;
  }

  release(): void {
    this.released += 1;
  }

  give(index: number, chunks: readonly Uint8Array[]): void {
    const ends = { highOffset: 9, lastStableOffset: 9, logStartOffset: 0 };
    const bytes = chunks.reduce((sum, { length }) => sum + length, 0);
    this.asked[index]?.resolve([{ topicId, partition: 0, ...ends, chunks: [...chunks], bytes }]);
  }
}

const chunks = () => [new Uint8Array(3), new Uint8Array(4)];

describe("SharedFetches", () => {
  test("reads once for two that ask for the same, and gives back with the last", async () => {
    const log = new FakeLog();
    const shared = new SharedFetches(log);
    const first = shared.fetch(ask(5));
    const second = shared.fetch(ask(5));
    log.give(0, chunks());
    expect(await first).toBe(await second);
    const third = await shared.fetch(ask(5));
    expect(log.asked).toHaveLength(1);
    shared.release(await first);
    shared.release(await second);
    expect(log.released).toBe(0);
    shared.release(third);
    expect(log.released).toBe(1);
    void shared.fetch(ask(5));
    expect(log.asked).toHaveLength(2);
  });

  test("reads for each that asks for something else", () => {
    const log = new FakeLog();
    const shared = new SharedFetches(log);
    for (const request of [ask(5), ask(6), ask(5, 200)]) void shared.fetch(request);
    expect(log.asked).toHaveLength(3);
  });

  test("keeps neither failures nor what found nothing", async () => {
    const log = new FakeLog();
    const shared = new SharedFetches(log);
    const failing = shared.fetch(ask(5));
    log.asked[0]?.reject(new Error("no store"));
    expect(failing).rejects.toThrow("no store");
    await failing.catch(() => {});
    const empty = shared.fetch(ask(5));
    log.give(1, []);
    await empty;
    void shared.fetch(ask(5));
    expect(log.asked).toHaveLength(3);
  });

  test("finds the oldest of too many no more, and gives it back all the same", async () => {
    const log = new FakeLog();
    const shared = new SharedFetches(log);
    const oldest = shared.fetch(ask(0));
    log.give(0, chunks());
    const found = await oldest;
    for (let offset = 1; offset <= 64; offset++) void shared.fetch(ask(offset));
    void shared.fetch(ask(0));
    expect(log.asked).toHaveLength(66);
    shared.release(found);
    expect(log.released).toBe(1);
    void shared.fetch(ask(0));
    expect(log.asked).toHaveLength(66);
  });

  test("gives back what it can find no more, also among many", async () => {
    const log = new FakeLog();
    const shared = new SharedFetches(log);
    const reads = Array.from({ length: 100 }, (_, offset) => shared.fetch(ask(offset)));
    for (let index = 0; index < 100; index++) log.give(index, chunks());
    for (const items of await Promise.all(reads)) shared.release(items);
    expect(log.released).toBe(100);
  });
});

describe("SharedFetches with an inflater", () => {
  const values = ["one", "two", "three"];

  test("decompresses once for all who ask, and never for one alone", async () => {
    const { log, shared, inflater } = inflating();
    const alone = shared.fetch(ask(0));
    log.give(0, [packedBatch(values)]);
    expect(codecsOf(await alone)).toEqual(["zstd"]);
    shared.release(await alone);
    expect(inflater.calls).toBe(0);

    const several = Array.from({ length: 5 }, () => shared.fetch(ask(3)));
    log.give(1, [packedBatch(values), packedBatch(values)]);
    const found = await Promise.all(several);
    expect([log.asked.length, inflater.calls]).toEqual([2, 1]);
    // What was stored is given back as soon as it is decompressed.
    expect(log.released).toBe(2);
    for (const items of found) expect(valuesOf(items)).toEqual([...values, ...values]);
    for (const items of found) shared.release(items);
    expect(inflater.given).toBe(1);
  });

  test("decompresses for those who come later where the last stretch had several", async () => {
    const { log, shared, inflater } = inflating();
    const first = [shared.fetch(ask(0)), shared.fetch(ask(0))];
    log.give(0, [packedBatch(values)]);
    for (const items of await Promise.all(first)) shared.release(items);
    const next = shared.fetch(ask(3));
    log.give(1, [packedBatch(values)]);
    expect(codecsOf(await next)).toEqual(["none"]);
    // Nobody else came: it reads alone from now on.
    shared.release(await next);
    const last = shared.fetch(ask(6));
    log.give(2, [packedBatch(values)]);
    expect(codecsOf(await last)).toEqual(["zstd"]);
    expect(inflater.calls).toBe(2);
  });

  test("leaves it to the readers where it cannot be done", async () => {
    const { log, shared, inflater } = inflating();
    inflater.fails = true;
    const reads = [shared.fetch(ask(0)), shared.fetch(ask(0))];
    log.give(0, [packedBatch(values)]);
    for (const items of await Promise.all(reads)) {
      expect(codecsOf(items)).toEqual(["zstd"]);
      shared.release(items);
    }
    expect([log.released, inflater.given]).toEqual([1, 0]);
  });
});

const platform = createPlatform({ log: silentLogger });

function inflating() {
  const log = new FakeLog();
  const inflater = new CountingInflater();
  return { log, inflater, shared: new SharedFetches(log, inflater) };
}

class CountingInflater implements Inflater {
  calls = 0;
  given = 0;
  fails = false;

  async inflate(chunks: readonly Uint8Array[], bytesMax: number): Promise<Uint8Array | null> {
    this.calls += 1;
    if (this.fails) return null;
    const { parts } = inflateBatches(chunks, { codecs: platform.codecs, bytesMax });
    return Buffer.concat(parts);
  }

  giveBack(): void {
    this.given += 1;
  }
}

/** As the log gives it to other threads. */
function packedBatch(values: readonly string[]): Uint8Array {
  const records = values.map((value) => ({
    ...{ timestamp: 1_000, key: null, value: new TextEncoder().encode(value) },
  }));
  const bytes = encodeBatch({ records, codec: "zstd" }, platform);
  const shared = new Uint8Array(new SharedArrayBuffer(bytes.length));
  shared.set(bytes);
  return shared;
}

function batches(items: readonly FetchedPartition[]) {
  return items.flatMap(({ chunks }) => chunks.flatMap((chunk) => [...batchesIn(chunk)]));
}

function codecsOf(items: readonly FetchedPartition[]): string[] {
  return batches(items).map(({ header }) => header.codec);
}

function valuesOf(items: readonly FetchedPartition[]): string[] {
  const { codecs } = platform;
  return batches(items).flatMap(({ bytes }) =>
    [...decodeRecords(bytes, { codecs, sizeMax: 1_000 })].map(({ value }) =>
      new TextDecoder().decode(value ?? undefined),
    ),
  );
}
