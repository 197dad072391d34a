import { afterEach, describe, expect, test } from "bun:test";
import { silentLogger } from "../../../src/base/log.ts";
import type { LogOptions } from "../../../src/log/log-options.ts";
import type { PublishSlice } from "../../../src/log/publish-order-reader.ts";
import type { Inflater } from "../../../src/log/shared-fetches.ts";
import type { TopicInfo } from "../../../src/meta/catalog.ts";
import { applyCuts } from "../../../src/meta/cut.ts";
import { publishTick } from "../../../src/meta/publish-order.ts";
import { batchesIn, readBatchHeader } from "../../../src/record/batch.ts";
import { encodeBatch } from "../../../src/record/batch-encode.ts";
import { decodeRecords } from "../../../src/record/batch-records.ts";
import { inflateBatches } from "../../../src/record/inflate-batches.ts";
import { createPlatform } from "../../../src/runtime/node/platform.ts";
import {
  batchesOfStretch,
  joinedParts,
  type StretchedBatch,
} from "../../../src/segment/stored-stretch.ts";
import { MemoryStore } from "../../../src/store/memory-store.ts";
import type { ObjectLocation } from "../../../src/store/object-store.ts";
import { missingObject } from "../../../src/store/store-errors.ts";
import {
  batchOf,
  type LogStack,
  lentBlocks,
  lentBytes,
  openStack,
  storedStretches,
} from "../../support/log-stack.ts";

let stack: LogStack;
afterEach(() => stack.log.close());

async function newTopic(partitionCount: number): Promise<TopicInfo> {
  return stack.log.topics.create({
    ...{ name: "t", partitionCount, replicationFactor: -1, config: {} },
  });
}

function fromStart(topic: TopicInfo, publishPosition = 0) {
  const cursors = Array.from({ length: topic.partitionCount }, (_, partition) => ({
    ...{ topicNumber: topic.topicNumber, partition, nextOffset: 0 },
  }));
  return stack.log.follow([topic], { publishPosition, cursors });
}

/** `partition:from-next×batches` per run, publishes apart by `|`; `tick` where there is none. */
function shown({ publishes }: PublishSlice): string {
  return publishes
    .map(({ runs, created }) => {
      const news = created.map(({ partition }) => `+${partition} `).join("");
      const list = runs.map(
        (run) => `${run.partition}:${run.fromOffset}-${run.nextOffset}×${run.batches.length}`,
      );
      return news + (list.length === 0 ? "tick" : list.join(" "));
    })
    .join(" | ");
}

const soon = { bytesMax: 1e6, waitMsMax: 0 };

describe("PublishOrderReader", () => {
  test("gives publishes in their order, each with the runs of all partitions", async () => {
    stack = await openStack();
    const topic = await newTopic(2);
    await stack.log.append(batchOf(stack, topic, ["a", "b"], { partition: 1 }));
    await stack.log.appendGroup({
      ...{ guards: [], effects: [] },
      batches: [
        batchOf(stack, topic, ["c"], { partition: 0 }),
        batchOf(stack, topic, ["d"], { partition: 1 }),
      ],
    });
    await publishTick(stack.database, [topic.topicNumber]);
    await stack.log.append(batchOf(stack, topic, ["e"], { partition: 0 }));
    const reader = fromStart(topic);
    const slice = await reader.next(soon);
    expect(shown(slice)).toBe("1:0-2×1 | 0:0-1×1 1:2-3×1 | tick | 0:1-2×1");
    const batch = slice.publishes[1]?.runs[1]?.batches[0] as Uint8Array;
    expect([...batchesIn(batch)].map(({ header }) => header.baseOffset)).toEqual([2]);
    const times = slice.publishes.map(({ publishedAt }) => publishedAt);
    expect(times).toEqual([...times].sort((a, b) => a - b));
    expect(shown(await reader.next(soon))).toBe("");
  });

  test("takes about as many bytes as asked, one publish at least", async () => {
    stack = await openStack();
    const topic = await newTopic(1);
    for (const value of ["a", "b", "c"]) {
      await stack.log.append(batchOf(stack, topic, [value], { valueBytes: 1_000 }));
    }
    const reader = fromStart(topic);
    expect(shown(await reader.next({ ...soon, bytesMax: 1 }))).toBe("0:0-1×1");
    expect(reader.position.cursors).toMatchObject([{ nextOffset: 1 }]);
    expect(shown(await reader.next({ ...soon, bytesMax: 2_500 }))).toBe("0:1-2×1 | 0:2-3×1");
  });

  test("goes on from a saved position without loss or repeat, wherever it stood", async () => {
    stack = await openStack();
    const topic = await newTopic(2);
    for (let n = 0; n < 6; n++) {
      await stack.log.append(batchOf(stack, topic, [`${n}`], { partition: n % 2 }));
    }
    let reader = fromStart(topic);
    const seen: string[] = [];
    for (let n = 0; n < 6; n++) {
      reader = stack.log.follow([topic], reader.position);
      seen.push(shown(await reader.next({ ...soon, bytesMax: 1 })));
    }
    expect(seen).toEqual(["0:0-1×1", "1:0-1×1", "0:1-2×1", "1:1-2×1", "0:2-3×1", "1:2-3×1"]);
  });

  test("starts inside of a batch where its cursor stands", async () => {
    stack = await openStack();
    const topic = await newTopic(1);
    const { topicNumber } = topic;
    await stack.log.append(batchOf(stack, topic, ["a", "b", "c"]));
    const cursors = [{ topicNumber, partition: 0, nextOffset: 2 }];
    const reader = stack.log.follow([topic], { publishPosition: 0, cursors });
    expect(shown(await reader.next(soon))).toBe("0:2-3×1");
  });

  test("announces a partition before the first publish after its creation", async () => {
    stack = await openStack();
    const topic = await newTopic(1);
    await stack.log.append(batchOf(stack, topic, ["a"]));
    const reader = fromStart(topic);
    const grown = await stack.log.topics.addPartitions(topic.topicId, 2);
    await stack.log.append(batchOf(stack, grown, ["b"]));
    await stack.log.append(batchOf(stack, grown, ["c"], { partition: 1 }));
    expect(shown(await reader.next(soon))).toBe("0:0-1×1 | +1 0:1-2×1 | 1:0-1×1");
    expect(reader.position.cursors).toMatchObject([{ nextOffset: 2 }, { nextOffset: 1 }]);
  });

  test("waits for the next publish and wakes with it", async () => {
    stack = await openStack();
    const topic = await newTopic(1);
    const reader = fromStart(topic);
    await reader.next(soon);
    const next = reader.next({ ...soon, waitMsMax: 60_000 });
    await stack.log.append(batchOf(stack, topic, ["late"]));
    expect(shown(await next)).toBe("0:0-1×1");
  });

  test("reads a backlog longer than one look at the index", async () => {
    stack = await openStack({ ring: new Uint8Array(64 * 4096) });
    const topic = await newTopic(2);
    for (let n = 0; n < 600; n++) {
      await stack.log.append(batchOf(stack, topic, [`${n}`], { partition: n % 3 === 0 ? 1 : 0 }));
    }
    const reader = fromStart(topic);
    const order: number[] = [];
    for (;;) {
      const { publishes } = await reader.next(soon);
      if (publishes.length === 0) break;
      for (const { publishPosition, runs } of publishes) {
        expect(runs).toHaveLength(1);
        order.push(publishPosition);
      }
    }
    expect(order).toHaveLength(600);
    expect(order).toEqual([...order].sort((a, b) => a - b));
  });

  test("says which offsets are gone, and that a topic was deleted", async () => {
    stack = await openStack();
    const topic = await newTopic(1);
    await stack.log.append(batchOf(stack, topic, ["a", "b"]));
    await stack.log.append(batchOf(stack, topic, ["c"]));
    const reader = fromStart(topic);
    await stack.log.deleteRecords(topic, 0, 2);
    await expect(reader.next(soon)).rejects.toMatchObject({
      code: "offset_out_of_range",
      message: 'Cannot go on reading "t"/0: offsets 0 to 1 are deleted',
    });
    await stack.log.topics.delete(topic.topicId);
    await expect(reader.next(soon)).rejects.toMatchObject({ code: "topic_unknown" });
  });

  test("reads once what two readers work on at a time", async () => {
    stack = await openStack();
    const topic = await newTopic(1);
    await stack.log.append(batchOf(stack, topic, ["a", "b"]));
    const [first, second] = await Promise.all([
      fromStart(topic).next(soon),
      fromStart(topic).next(soon),
    ]);
    const batchIn = ({ publishes }: PublishSlice) => publishes[0]?.runs[0]?.batches[0];
    expect(batchIn(first)?.buffer).toBe(batchIn(second)?.buffer as ArrayBuffer);
    first.release();
    second.release();
    const third = await fromStart(topic).next(soon);
    expect(third.publishes).toHaveLength(1);
  });
});

describe("PublishOrderReader for queries in threads", () => {
  const blockMemory = () => new Uint8Array(new SharedArrayBuffer(8 * 1024 * 1024));
  const value = (count: number) => `${count}`.padEnd(7_000, "abc");

  /** Ten records of 7 KB in each of four partitions, half of which only the store has. */
  async function filled(codec: "none" | "zstd", parts: Partial<LogOptions>): Promise<TopicInfo> {
    stack = await openStack({
      ...{ ring: new Uint8Array(128 * 1024), hasThreads: true, lentBytesMin: 1 },
      ...parts,
    });
    const topic = await newTopic(4);
    for (let count = 0; count < 10; count++) {
      const batches = [0, 1, 2, 3].map((partition) => {
        const records = [
          { timestamp: 1_000, key: null, value: new TextEncoder().encode(value(count)) },
        ];
        const bytes = encodeBatch({ records, codec }, stack.platform);
        return { topic, partition, bytes, header: readBatchHeader(bytes) };
      });
      await stack.log.appendGroup({ guards: [], effects: [], batches });
    }
    return topic;
  }

  const batchesOf = ({ publishes }: PublishSlice) =>
    publishes.flatMap(({ runs }) => runs.flatMap(({ batches }) => batches));

  const valuesOf = (slice: PublishSlice) =>
    batchesOf(slice).flatMap((batch) =>
      [...decodeRecords(batch, { codecs: stack.platform.codecs, sizeMax: 100_000 })].map((record) =>
        new TextDecoder().decode(record.value ?? undefined),
      ),
    );

  test("reads ahead of all partitions together, and holds what it gives", async () => {
    const memory = blockMemory();
    const store = new CountingStore();
    const topic = await filled("none", { store, blockMemory: [memory] });
    const slice = await fromStart(topic).next({ bytesMax: 120_000, waitMsMax: 0 });
    expect(slice.publishes).toHaveLength(4);
    // One for each object: publishes of a folder would share theirs.
    expect(store.reads.size).toBe(store.readCount);
    const held = batchesOf(slice);
    expect(held.every(({ buffer }) => buffer === memory.buffer)).toBe(true);
    const before = valuesOf(slice);
    // Others read what there is room for, again and again.
    for (let round = 0; round < 3; round++) {
      const other = await fromStart(topic).next(soon);
      expect(valuesOf(other)).toHaveLength(40);
      other.release();
    }
    expect(valuesOf(slice)).toEqual(before);
    slice.release();
  });

  test("gives back all that it holds, also of a read that fails", async () => {
    const memory = new Uint8Array(new SharedArrayBuffer(8 * 256 * 1024));
    const topic = await filled("none", { blockMemory: [memory] });
    const { fetch } = stack.log;
    const reader = fromStart(topic);
    // Each publish has a slot of its own, and two may be held.
    for (let round = 0; round < 4; round++) {
      let fetches = 0;
      stack.log.fetch = (request, signal) => {
        if (++fetches === 4) return Promise.reject(new Error("the store is away"));
        return fetch.call(stack.log, request, signal);
      };
      await expect(reader.next({ bytesMax: 1, waitMsMax: 0 })).rejects.toThrow("away");
      stack.log.fetch = fetch;
      const slice = await reader.next({ bytesMax: 1, waitMsMax: 0 });
      expect(batchesOf(slice).map(({ buffer }) => buffer === memory.buffer)).toEqual([
        ...[true, true, true, true],
      ]);
      slice.release();
    }
  });

  test("holds stay as they are while their partitions are cut and begin new epochs", async () => {
    const topic = await filled("none", lentBlocks());
    const { topicNumber } = topic;
    const slice = await fromStart(topic).next({ bytesMax: 120_000, waitMsMax: 0 });
    const before = valuesOf(slice);
    const bytes = batchesOf(slice).map((batch) => batch.slice());
    expect(lentBytes(stack)).toBeGreaterThan(0);
    const cuts = [0, 1, 2, 3].map((partition) => ({
      ...{ topicNumber, partition, offset: 2, nextOffset: 10, leaderEpoch: 0 },
    }));
    expect(await applyCuts(stack.database, cuts)).toBe(true);
    // What is appended and read in the new epoch goes through the same blocks.
    for (let count = 0; count < 40; count++) {
      await stack.log.append(batchOf(stack, topic, [`new ${count}`], { valueBytes: 7_000 }));
    }
    const other = await fromStart(topic).next(soon);
    const seen = valuesOf(other);
    expect(seen.filter((each) => each.startsWith("new"))).toHaveLength(40);
    expect(seen).toHaveLength(4 * 2 + 40);
    expect(valuesOf(slice)).toEqual(before);
    expect(batchesOf(slice).map((batch) => batch.slice())).toEqual(bytes);
    other.release();
    expect(lentBytes(stack)).toBeGreaterThan(0);
    slice.release();
    expect(lentBytes(stack)).toBe(0);
  });

  test("five on one compressed topic decompress once, and read the same as one alone", async () => {
    const inflater = new CountingInflater();
    const topic = await filled("zstd", { inflater, blockMemory: [blockMemory()] });
    const alone = await fromStart(topic).next(soon);
    const expected = valuesOf(alone);
    alone.release();
    expect([expected.length, inflater.batchCount]).toEqual([40, 0]);
    const readers = Array.from({ length: 5 }, () => fromStart(topic));
    const slices = await Promise.all(readers.map((reader) => reader.next(soon)));
    for (const slice of slices) expect(valuesOf(slice)).toEqual(expected);
    expect(inflater.batchCount).toBe(40);
    for (const slice of slices) slice.release();
    expect(inflater.inUse).toBe(0);
  });
});

describe("PublishOrderReader for threads that sum", () => {
  /** `partition:from-next` per run, with `s` where it comes as it is stored. */
  const kinds = ({ publishes }: PublishSlice) =>
    publishes.flatMap(({ runs }) =>
      runs.map(({ partition, fromOffset, nextOffset, stored }) => {
        return `${partition}:${fromOffset}-${nextOffset}${stored === undefined ? "" : "s"}`;
      }),
    );

  function valuesOf({ publishes }: PublishSlice): string[] {
    const { codecs } = stack.platform;
    return publishes.flatMap(({ runs }) =>
      runs.flatMap(({ batches, stored }) => {
        const found = stored === undefined ? batches : batchesOfStretch(stored).map(joined);
        return found.flatMap((batch) =>
          [...decodeRecords(batch, { codecs, sizeMax: 100_000 })].map(({ value }) =>
            new TextDecoder().decode(value ?? undefined).replaceAll(".", ""),
          ),
        );
      }),
    );
  }

  const joined = ({ parts }: StretchedBatch) => joinedParts(parts);

  async function filled(parts: Partial<LogOptions>, codec?: "zstd"): Promise<TopicInfo> {
    stack = await openStack({ ...storedStretches(), ...parts });
    const topic = await newTopic(2);
    for (let count = 0; count < 20; count++) {
      const values = codec === undefined ? [`${count} a`, `${count} b`] : [hardToPack(20_000)];
      const batch = batchOf(stack, topic, values, { partition: count % 2, valueBytes: 7_000 });
      const records = [...decodeRecords(batch.bytes, decoding())];
      const bytes = encodeBatch({ records, codec: codec ?? "none" }, stack.platform);
      await stack.log.append({ ...batch, bytes, header: readBatchHeader(bytes) });
    }
    return topic;
  }

  function hardToPack(length: number): string {
    let state = 1;
    const digits = Array.from({ length }, () => {
      state = (state * 48_271) % 2_147_483_647;
      return (state % 36).toString(36);
    });
    return digits.join("");
  }

  const decoding = () => ({ codecs: stack.platform.codecs, sizeMax: 100_000 });
  const expected = Array.from({ length: 20 }, (_, count) => [`${count} a`, `${count} b`]).flat();

  test("gives what is stored as it lies, the tail as batches, and takes all of it back", async () => {
    const topic = await filled({});
    const reader = fromStart(topic);
    const seen: string[] = [];
    const runs: string[] = [];
    for (let round = 0; round < 20; round++) {
      const slice = await reader.next({ bytesMax: 30_000, waitMsMax: 0 });
      seen.push(...valuesOf(slice));
      runs.push(...kinds(slice));
      slice.release();
    }
    expect(seen).toEqual(expected);
    expect(runs[0]).toBe("0:0-2s");
    expect(runs.at(-1)).toBe("1:18-20");
    expect(lentBytes(stack)).toBe(0);
  });

  test("a reader in the middle of an extent gets batches, and extents behind it", async () => {
    const topic = await filled({});
    const { topicNumber } = topic;
    const cursors = [1, 0].map((nextOffset, partition) => ({ topicNumber, partition, nextOffset }));
    const reader = stack.log.follow([topic], { publishPosition: 0, cursors });
    const first = await reader.next({ bytesMax: 30_000, waitMsMax: 0 });
    expect(kinds(first)).toEqual(["0:1-2", "1:0-2s"]);
    first.release();
    const second = await reader.next({ bytesMax: 30_000, waitMsMax: 0 });
    expect(kinds(second)).toEqual(["0:2-4s", "1:2-4s"]);
    second.release();
  });

  test("looks again for what lies elsewhere since the index was asked", async () => {
    const store = new LosingStore();
    const topic = await filled({ store });
    const reader = fromStart(topic);
    const first = await reader.next({ bytesMax: 1, waitMsMax: 0 });
    expect(kinds(first)).toEqual(["0:0-2s"]);
    first.release();
    store.isLosing = true;
    await expect(reader.next({ bytesMax: 1, waitMsMax: 0 })).rejects.toMatchObject({
      message: expect.stringContaining('Cannot go on reading "t"/1 at offset 0'),
    });
    store.isLosing = false;
    const second = await reader.next({ bytesMax: 1, waitMsMax: 0 });
    expect(kinds(second)).toEqual(["1:0-2s"]);
    second.release();
  });

  test("asks anew once the log was cut", async () => {
    const topic = await filled({});
    const { topicNumber } = topic;
    const reader = fromStart(topic);
    (await reader.next({ bytesMax: 1, waitMsMax: 0 })).release();
    const cuts = [0, 1].map((partition) => ({
      ...{ topicNumber, partition, offset: 18, nextOffset: 20, leaderEpoch: 0 },
    }));
    expect(await applyCuts(stack.database, cuts)).toBe(true);
    await stack.log.append(batchOf(stack, topic, ["new"], { partition: 1 }));
    const slice = await reader.next({ bytesMax: 1, waitMsMax: 0 });
    // What it has planned is of the epoch before.
    expect(kinds(slice)).toEqual(["1:0-2"]);
    slice.release();
  });

  /** As `kinds`, with `p` where it comes as a place. */
  const given = ({ publishes }: PublishSlice) =>
    publishes.flatMap(({ runs }) =>
      runs.map(({ partition, fromOffset, nextOffset, stored, place }) => {
        const how = place === undefined ? (stored === undefined ? "" : "s") : "p";
        return `${partition}:${fromOffset}-${nextOffset}${how}`;
      }),
    );
  const asPlaces = { bytesMax: 1, waitMsMax: 0, placesBytesMax: 100_000 };

  test("who asks for places gets those of all that is stored, and reads the same there", async () => {
    const topic = await filled({});
    const reader = fromStart(topic);
    const seen: string[] = [];
    const runs: string[] = [];
    for (let round = 0; round < 20; round++) {
      const slice = await reader.next(asPlaces);
      for (const { runs } of slice.publishes) {
        for (const { place, stored, batches } of runs) {
          const own = place === undefined ? [] : [await stack.store.read(place)];
          const stretch = place === undefined ? stored : { ...place, pieces: own };
          const found = stretch === undefined ? batches : batchesOfStretch(stretch).map(joined);
          for (const batch of found) {
            for (const { value } of decodeRecords(batch, decoding())) {
              seen.push(new TextDecoder().decode(value ?? undefined).replaceAll(".", ""));
            }
          }
        }
      }
      runs.push(...given(slice));
      slice.release();
    }
    expect(seen).toEqual(expected);
    expect(runs.slice(0, 3)).toEqual(["0:0-2p", "1:0-2p", "0:2-4p"]);
    expect(runs.at(-1)).toBe("1:18-20");
    expect(lentBytes(stack)).toBe(0);
    expect(reader.position.cursors).toMatchObject([{ nextOffset: 20 }, { nextOffset: 20 }]);
  });

  test("gives no more places than asked for, nor any inside of an extent", async () => {
    const topic = await filled({});
    const { topicNumber } = topic;
    const cursors = [1, 0].map((nextOffset, partition) => ({ topicNumber, partition, nextOffset }));
    const reader = stack.log.follow([topic], { publishPosition: 0, cursors });
    const first = await reader.next({ ...asPlaces, placesBytesMax: 50_000 });
    expect(given(first)).toEqual(["0:1-2"]);
    first.release();
    const second = await reader.next({ ...asPlaces, placesBytesMax: 50_000 });
    expect(given(second)).toEqual(["1:0-2p", "0:2-4p", "1:2-4p"]);
    second.release();
  });

  test("two on one topic are given bytes, and the one that stays places again", async () => {
    const topic = await filled({});
    const [one, other] = [fromStart(topic), fromStart(topic)];
    const slices = [await one.next(asPlaces), await other.next(asPlaces), await one.next(asPlaces)];
    expect(slices.map((slice) => given(slice)[0]?.at(-1))).toEqual(["p", "s", "s"]);
    for (const slice of slices) slice.release();
    other.close();
    const last = await one.next(asPlaces);
    expect(given(last)[0]?.at(-1)).toBe("p");
    last.release();
  });

  test("looks at the index again before it gives old places away", async () => {
    let now = 0;
    const real = createPlatform({ log: silentLogger });
    const platform = { ...real, clock: { ...real.clock, monotonic: () => now } };
    const topic = await filled({ platform });
    const reader = fromStart(topic);
    (await reader.next({ ...asPlaces, placesBytesMax: 1 })).release();
    const batches: unknown[] = [];
    const { batch } = stack.database;
    stack.database.batch = (statements, mode) => {
      batches.push(mode);
      return batch.call(stack.database, statements, mode);
    };
    now = 10_000;
    expect(given(await reader.next({ ...asPlaces, placesBytesMax: 1 }))).toEqual(["1:0-2p"]);
    expect(batches).toHaveLength(0);
    now = 10_001;
    expect(given(await reader.next({ ...asPlaces, placesBytesMax: 1 }))).toEqual(["0:2-4p"]);
    expect(batches.length).toBeGreaterThan(0);
  });

  test("several on one compressed topic fetch, so that it is decompressed once", async () => {
    const inflater = new CountingInflater();
    const topic = await filled({ inflater }, "zstd");
    const readers = [fromStart(topic), fromStart(topic)];
    const step = { bytesMax: 1, waitMsMax: 0 };
    const firsts = await Promise.all(readers.map((reader) => reader.next(step)));
    expect(firsts.map(kinds)[0]).toEqual(["0:0-1s"]);
    for (const slice of firsts) slice.release();
    const before = inflater.batchCount;
    const slices = await Promise.all(readers.map((reader) => reader.next(step)));
    expect(slices.map(kinds)).toEqual([["1:0-1"], ["1:0-1"]]);
    expect(inflater.batchCount - before).toBe(1);
    for (const slice of slices) slice.release();
    expect(inflater.inUse).toBe(0);
  });
});

/** A store that says that objects are gone while it is losing. */
class LosingStore extends MemoryStore {
  isLosing = false;

  override async readInto(location: ObjectLocation, targets: readonly Uint8Array[]) {
    if (this.isLosing) throw missingObject(location.key, "the test's store");
    return super.readInto(location, targets);
  }
}

/** Objects that were read, and how often. */
class CountingStore extends MemoryStore {
  readonly reads = new Set<string>();
  readCount = 0;

  override async readInto(location: ObjectLocation, targets: readonly Uint8Array[]) {
    this.reads.add(location.key);
    this.readCount += 1;
    return super.readInto(location, targets);
  }
}

class CountingInflater implements Inflater {
  batchCount = 0;
  inUse = 0;

  async inflate(chunks: readonly Uint8Array[], bytesMax: number): Promise<Uint8Array | null> {
    for (const chunk of chunks) this.batchCount += [...batchesIn(chunk)].length;
    const { codecs } = stack.platform;
    this.inUse += 1;
    return Buffer.concat(inflateBatches(chunks, { codecs, bytesMax }).parts);
  }

  giveBack(): void {
    this.inUse -= 1;
  }
}
