import { describe, expect, test } from "bun:test";
import { present } from "../../../src/base/assert.ts";
import { silentLogger } from "../../../src/base/log.ts";
import { isStreamError, StreamError } from "../../../src/base/stream-error.ts";
import { readBatchHeader, setLogAppendTime } from "../../../src/record/batch.ts";
import { createPlatform } from "../../../src/runtime/node/platform.ts";
import { MemoryStore } from "../../../src/store/memory-store.ts";
import { batchOf, type LogStack, memoryDatabase, openStack } from "../../support/log-stack.ts";
import { readBack } from "../../support/read-back.ts";
import { createVirtualPlatform } from "../../support/virtual-platform.ts";

async function topicOf(stack: LogStack, partitionCount = 1) {
  return stack.log.topics.create({
    name: "orders",
    partitionCount,
    replicationFactor: -1,
    config: {},
  });
}

const values = (records: readonly { value: string }[]) => records.map(({ value }) => value);

describe("Log", () => {
  test("append gives contiguous offsets per partition, and fetch returns them", async () => {
    const stack = await openStack();
    const topic = await topicOf(stack, 2);
    const first = await stack.log.append(batchOf(stack, topic, ["a", "b"]));
    const other = await stack.log.append(batchOf(stack, topic, ["x"], { partition: 1 }));
    const second = await stack.log.append(batchOf(stack, topic, ["c"]));
    expect([first.baseOffset, other.baseOffset, second.baseOffset]).toEqual([0, 0, 2]);
    expect(values(await readBack(stack, topic))).toEqual(["a", "b", "c"]);
    expect(values(await readBack(stack, topic, { partition: 1 }))).toEqual(["x"]);
    await stack.log.close();
  });

  test("appends of one event share a segment, folded by partition", async () => {
    const stack = await openStack();
    const topic = await topicOf(stack, 4);
    const flushes = () => stack.metrics.counter({ name: "millrace_flushes_total", help: "" }).value;
    await Promise.all(
      Array.from({ length: 100 }, (_, index) =>
        stack.log.append(batchOf(stack, topic, [`${index}`], { partition: index % 4 })),
      ),
    );
    expect(flushes()).toBe(1);
    expect(values(await readBack(stack, topic, { partition: 3 }))).toHaveLength(25);
    await stack.log.close();
  });

  test("fetch reads what the ring has overwritten from the store", async () => {
    const stack = await openStack({ ring: new Uint8Array(64 * 1024) });
    const topic = await topicOf(stack, 2);
    for (let index = 0; index < 60; index++) {
      const options = { partition: index % 2, valueBytes: 3000 };
      await stack.log.append(batchOf(stack, topic, [`${index} `, `${index}'`], options));
    }
    for (const bytesMax of [1, 5_000, 100_000]) {
      const read = await readBack(stack, topic, { partition: 1, bytesMax });
      expect(read).toHaveLength(60);
      expect(read.map(({ value }) => Number.parseInt(value, 10))).toEqual(
        Array.from({ length: 60 }, (_, index) => Math.floor(index / 2) * 2 + 1),
      );
    }
    expect(await readBack(stack, topic, { from: 57 })).toHaveLength(3);
    await stack.log.close();
  });

  test("fetch waits for an append, and not longer than asked", async () => {
    const stack = await openStack();
    const topic = await topicOf(stack);
    const partitions = [
      {
        topicId: topic.topicId,
        partition: 0,
        fetchOffset: 0,
        partitionBytesMax: 1000,
        currentLeaderEpoch: -1,
      },
    ];
    const ask = { partitions, bytesMin: 1, bytesMax: 1000 };
    const empty = await stack.log.fetch({ ...ask, waitMsMax: 5 });
    expect(present(empty[0], "answer").bytes).toBe(0);
    const waiting = stack.log.fetch({ ...ask, waitMsMax: 60_000 });
    await stack.log.append(batchOf(stack, topic, ["late"]));
    expect(present((await waiting)[0], "answer").highOffset).toBe(1);
    await stack.log.close();
  });

  test("fetch outside of the log is offset_out_of_range, of an unknown topic topic_id_unknown", async () => {
    const stack = await openStack();
    const topic = await topicOf(stack);
    const at = async (fetchOffset: number, topicId = topic.topicId) => {
      const common = { partition: 0, partitionBytesMax: 1000, currentLeaderEpoch: -1 };
      const [answer] = await stack.log.fetch({
        partitions: [{ topicId, fetchOffset, ...common }],
        bytesMin: 1,
        bytesMax: 1000,
        waitMsMax: 0,
      });
      return answer?.error;
    };
    await stack.log.append(batchOf(stack, topic, ["a", "b", "c"]));
    expect(await at(3)).toBeUndefined();
    expect(await at(4)).toBe("offset_out_of_range");
    expect(await at(-1)).toBe("offset_out_of_range");
    expect(await at(0, "AAAAAAAAAAAAAAAAAAAAAQ" as typeof topic.topicId)).toBe("topic_id_unknown");
    expect(await stack.log.deleteRecords(topic, 0, 2)).toBe(2);
    expect(await at(1)).toBe("offset_out_of_range");
    await stack.log.close();
  });
});

describe("Log, after the metadata lost its youngest transactions", () => {
  test("an epoch whose objects are in the store is not used again, appends go on", async () => {
    const store = new MemoryStore();
    // What a worker of epoch 1 wrote, of whom this database knows nothing.
    await store.create("segments/0000000001/000000000001.segment", new Uint8Array(4096));
    const stack = await openStack({ store, storeMayLoseTail: true });
    expect(stack.log.session.current().workerEpoch).toBe(2);
    const topic = await topicOf(stack);
    expect((await stack.log.append(batchOf(stack, topic, ["a"]))).baseOffset).toBe(0);
    expect(values(await readBack(stack, topic))).toEqual(["a"]);
    await stack.log.close();
  });
});

describe("Log, metrics", () => {
  test("records and bytes are counted by topic, in and out", async () => {
    const stack = await openStack();
    const topic = await topicOf(stack);
    const batch = batchOf(stack, topic, ["a", "b", "c"]);
    await stack.log.append(batch);
    await readBack(stack, topic);
    const lines = stack.metrics.print().split("\n");
    expect(lines).toContain('millrace_topic_appended_records_total{topic="orders"} 3');
    const { length } = batch.bytes;
    expect(lines).toContain(`millrace_topic_appended_bytes_total{topic="orders"} ${length}`);
    expect(lines).toContain(`millrace_topic_fetched_bytes_total{topic="orders"} ${length}`);
    await stack.log.close();
  });
});

describe("Log, bounds", () => {
  test("an append larger than its share of the ring is segment_too_large, others go on", async () => {
    const stack = await openStack({ ring: new Uint8Array(64 * 1024) });
    const topic = await topicOf(stack);
    const large = batchOf(stack, topic, ["x"], { valueBytes: 40_000 });
    const error = await stack.log.append(large).catch((caught: unknown) => caught);
    expect(isStreamError(error, "segment_too_large")).toBe(true);
    expect((await stack.log.append(batchOf(stack, topic, ["y"]))).baseOffset).toBe(0);
    await stack.log.close();
  });

  test("appends past the queue's bound are queue_full, what was taken is stored", async () => {
    const stack = await openStack({ queueBytesMax: 10_000 });
    const topic = await topicOf(stack);
    const sends = Array.from({ length: 10 }, () =>
      stack.log.append(batchOf(stack, topic, ["x"], { valueBytes: 3000 })),
    );
    const results = await Promise.allSettled(sends);
    const taken = results.filter(({ status }) => status === "fulfilled").length;
    expect(taken).toBe(3);
    expect(await readBack(stack, topic)).toHaveLength(taken);
    await stack.log.close();
  });
});

describe("Log, idempotent producers", () => {
  test("a repeated batch gets its first offset and is not stored twice", async () => {
    const stack = await openStack();
    const topic = await topicOf(stack);
    const send = (value: string, sequence: number) =>
      stack.log.append(batchOf(stack, topic, [value], { producer: { id: 7, sequence } }));
    await send("a", 0);
    await send("b", 1);
    const again = await send("a", 0);
    expect(again).toMatchObject({ baseOffset: 0, duplicate: true });
    expect(values(await readBack(stack, topic))).toEqual(["a", "b"]);
    await stack.log.close();
  });

  test("a batch sent twice within one event is stored once", async () => {
    const stack = await openStack();
    const topic = await topicOf(stack);
    const send = (sequence: number) =>
      stack.log.append(batchOf(stack, topic, [`${sequence}`], { producer: { id: 7, sequence } }));
    await send(0);
    const results = await Promise.all([send(1), send(2), send(1), send(3)]);
    expect(results.map(({ baseOffset }) => baseOffset)).toEqual([1, 2, 1, 3]);
    expect(values(await readBack(stack, topic))).toEqual(["0", "1", "2", "3"]);
    await stack.log.close();
  });

  test("a gap is sequence_out_of_order and stores nothing", async () => {
    const stack = await openStack();
    const topic = await topicOf(stack);
    const send = (sequence: number) =>
      stack.log.append(batchOf(stack, topic, [`${sequence}`], { producer: { id: 7, sequence } }));
    await send(0);
    const error = await send(2).catch((caught: unknown) => caught);
    expect(isStreamError(error, "sequence_out_of_order")).toBe(true);
    expect(values(await readBack(stack, topic))).toEqual(["0"]);
    await stack.log.close();
  });
});

describe("Log, groups", () => {
  test("a repeated HTTP request answers with the first ranges", async () => {
    const stack = await openStack();
    const topic = await topicOf(stack, 2);
    const effect = {
      kind: "httpProducer" as const,
      topicNumber: topic.topicNumber,
      name: "sensor-1",
      epoch: 0,
      sequence: 0,
    };
    const send = () =>
      stack.log.appendGroup({
        batches: [
          batchOf(stack, topic, ["a", "b"]),
          batchOf(stack, topic, ["c"], { partition: 1 }),
        ],
        guards: [],
        effects: [effect],
      });
    const first = await send();
    expect(first.appended.map(({ baseOffset }) => baseOffset)).toEqual([0, 0]);
    const again = await send();
    expect(again.repeated).toEqual([
      { partition: 0, baseOffset: 0, count: 2 },
      { partition: 1, baseOffset: 0, count: 1 },
    ]);
    expect(values(await readBack(stack, topic))).toEqual(["a", "b"]);
    await stack.log.close();
  });

  test("a group whose guard fails stores nothing, its neighbours stand", async () => {
    const stack = await openStack();
    const topic = await topicOf(stack);
    const guard = { kind: "lease" as const, leaseKind: "task", name: "q", leaseEpoch: 9 };
    const [group, plain] = await Promise.allSettled([
      stack.log.appendGroup({
        batches: [batchOf(stack, topic, ["no"])],
        guards: [guard],
        effects: [],
      }),
      stack.log.append(batchOf(stack, topic, ["yes"])),
    ]);
    expect(group.status).toBe("rejected");
    expect(plain.status).toBe("fulfilled");
    expect(values(await readBack(stack, topic))).toEqual(["yes"]);
    await stack.log.close();
  });
});

describe("Log, offsets by time", () => {
  test("findOffset gives the first record at or after a timestamp, and the greatest", async () => {
    const stack = await openStack();
    const topic = await topicOf(stack);
    await stack.log.append(batchOf(stack, topic, ["a", "b"], { timestamp: 100 }));
    await stack.log.append(batchOf(stack, topic, ["c", "d"], { timestamp: 500 }));
    await stack.log.append(batchOf(stack, topic, ["e"], { timestamp: 300 }));
    const at = async (timestamp: number) =>
      (await stack.log.findOffset(topic, 0, { timestamp })).offset;
    expect([await at(0), await at(101), await at(102), await at(501), await at(502)]).toEqual([
      0, 1, 2, 3, -1,
    ]);
    expect(await stack.log.findOffset(topic, 0, "maxTimestamp")).toMatchObject({
      offset: 3,
      timestamp: 501,
    });
    expect((await stack.log.findOffset(topic, 0, "latest")).offset).toBe(5);
    await stack.log.close();
  });
});

describe("Log, leader epochs", () => {
  test("append time is what ListOffsets and retention go by, also after a clock went back", async () => {
    const stack = await openStack();
    const config = { "message.timestamp.type": "LogAppendTime", "retention.ms": "3600000" };
    const request = { name: "stamped", partitionCount: 1, replicationFactor: -1, config };
    const topic = await stack.log.topics.create(request);
    const now = Date.now();
    // What the servers stamp; one worker's clock is two hours behind, another's a minute ahead.
    for (const [value, ageMs] of [
      ["late", 7_200_000],
      ["ahead", -60_000],
      ["back", 0],
    ] as const) {
      const batch = batchOf(stack, topic, [value]);
      setLogAppendTime(batch.bytes, now - ageMs, stack.platform.crc32c);
      await stack.log.append({ ...batch, header: readBatchHeader(batch.bytes) });
    }
    const find = async (timestamp: number) =>
      (await stack.log.findOffset(topic, 0, { timestamp })).offset;
    expect([await find(now - 7_200_000), await find(now - 7_199_999)]).toEqual([0, 1]);
    expect([await find(now + 60_000), await find(now + 60_001)]).toEqual([1, -1]);
    await stack.log.maintenance.run();
    expect((await stack.log.findOffset(topic, 0, "earliest")).offset).toBe(1);
    await stack.log.close();
  });

  test("leaderEpochs asks the metadata once for each partition, and again for none", async () => {
    const real = memoryDatabase();
    let asked = 0;
    const database: typeof real = {
      ...real,
      async batch(statements, mode) {
        if (statements[0]?.sql.includes("topic_partition")) asked += 1;
        return real.batch(statements, mode);
      },
    };
    const stack = await openStack({ database });
    const topic = await topicOf(stack, 3);
    asked = 0;
    const four = [0, 1, 2, 3].map((partition) => ({ topic, partition }));
    expect(await stack.log.leaderEpochs(four)).toEqual([0, 0, 0, undefined]);
    expect(asked).toBe(1);
    expect(await stack.log.leaderEpochs(four.slice(0, 3))).toEqual([0, 0, 0]);
    expect(asked).toBe(1);
    await stack.log.close();
  });
});

describe("Log, the end", () => {
  test("close comes to its end without the metadata, and says so to who waits", async () => {
    const real = memoryDatabase();
    let isDown = false;
    const database: typeof real = {
      ...real,
      async batch(statements, mode) {
        if (isDown) throw new StreamError("metadata_unavailable", "down");
        return real.batch(statements, mode);
      },
    };
    const { codecs, crc32c } = createPlatform({ log: silentLogger });
    const platform = createVirtualPlatform({ seed: 1, codecs, crc32c });
    const stack = await openStack({ platform, database, shared: true });
    const topic = await topicOf(stack);
    isDown = true;
    const append = stack.log.append(batchOf(stack, topic, ["x"])).catch((error) => error);
    await platform.settle();
    const closing = stack.log.close();
    await platform.advance(60_000);
    await closing;
    expect(isStreamError(await append, "metadata_unavailable")).toBe(true);
    expect(platform.timerCount).toBe(0);
  });
});

describe("Log, deleted records", () => {
  test("findOffset sees nothing of what lies below the log start within an index row", async () => {
    const stack = await openStack();
    const topic = await topicOf(stack);
    // One row: appended in one turn, in four batches.
    await Promise.all(
      [900, 100, 800, 200].map((timestamp) =>
        stack.log.append(batchOf(stack, topic, ["x"], { timestamp })),
      ),
    );
    await stack.log.append(batchOf(stack, topic, ["y"], { timestamp: 500 }));
    await stack.log.deleteRecords(topic, 0, 3);
    const at = async (query: Parameters<typeof stack.log.findOffset>[2]) => {
      const { offset, timestamp } = await stack.log.findOffset(topic, 0, query);
      return [offset, timestamp];
    };
    expect(await at({ timestamp: 100 })).toEqual([3, 200]);
    expect(await at({ timestamp: 300 })).toEqual([4, 500]);
    expect(await at({ timestamp: 501 })).toEqual([-1, -1]);
    expect(await at("maxTimestamp")).toEqual([4, 500]);
    await stack.log.append(batchOf(stack, topic, ["z"], { timestamp: 150 }));
    await stack.log.deleteRecords(topic, 0, 5);
    expect(await at("maxTimestamp")).toEqual([5, 150]);
    await stack.log.close();
  });
});

describe("Log, several workers", () => {
  test("a worker reads at once what another has published", async () => {
    const one = await openStack({ shared: true });
    const { store, database } = one;
    const two = await openStack({ shared: true, store, database });
    const topic = await topicOf(one);
    await one.log.append(batchOf(one, topic, ["from one"]));
    await two.log.append(batchOf(two, topic, ["from two"]));
    await one.log.append(batchOf(one, topic, ["from one again"]));
    const expected = ["from one", "from two", "from one again"];
    expect(values(await readBack(one, topic))).toEqual(expected);
    expect(values(await readBack(two, topic))).toEqual(expected);
    expect(two.log.cluster().nodes.map(({ nodeId }) => nodeId)).toEqual([1, 2]);
    await two.log.close();
    await one.log.close();
  });

  test.each([1, 0])(
    "a read without a wait, of %d bytes at least, shows what another worker has \
acknowledged meanwhile",
    async (bytesMin) => {
      const one = await openStack({ shared: true });
      const { store, database } = one;
      const two = await openStack({ shared: true, store, database });
      const topic = await topicOf(one);
      for (const value of ["a", "b", "c"]) {
        await one.log.append(batchOf(one, topic, [value]));
        const read = await readBack(two, topic, { bytesMin });
        expect(read.at(-1)?.value).toBe(value);
      }
      await two.log.close();
      await one.log.close();
    },
  );

  test("a worker finds a partition that another has added", async () => {
    const one = await openStack({ shared: true });
    const { store, database } = one;
    const two = await openStack({ shared: true, store, database });
    const { topicId } = await topicOf(one);
    const stale = present(await two.log.topics.byId(topicId), "topic");
    await one.log.topics.addPartitions(topicId, 3);
    const topic = await two.log.topics.withPartition(stale, 2);
    expect(topic.partitionCount).toBe(3);
    expect((await two.log.topics.withPartition(topic, 3)).partitionCount).toBe(3);
    await two.log.append(batchOf(two, topic, ["x"], { partition: 2 }));
    expect(values(await readBack(one, topic, { partition: 2 }))).toEqual(["x"]);
    await two.log.close();
    await one.log.close();
  });

  test("a lookup that a change overtook is not kept", async () => {
    const database = memoryDatabase();
    let hold: Promise<void> | undefined;
    const slow = {
      ...database,
      async batch(...[statements, mode]: Parameters<typeof database.batch>) {
        const results = await database.batch(statements, mode);
        if (mode === "read") await hold;
        return results;
      },
    };
    const stack = await openStack({ database: slow });
    const { topicId, name } = await topicOf(stack);
    stack.log.topics.forget();
    const { promise, resolve } = Promise.withResolvers<void>();
    hold = promise;
    const looking = stack.log.topics.byName(name);
    hold = undefined;
    await stack.log.topics.delete(topicId);
    resolve();
    await looking;
    expect(await stack.log.topics.byName(name)).toBeUndefined();
    await stack.log.close();
  });

  test("a long-poll wakes for a record that another worker took", async () => {
    const one = await openStack({ shared: true });
    const { store, database } = one;
    const two = await openStack({ shared: true, store, database });
    const topic = await topicOf(one);
    const waiting = two.log.fetch({
      partitions: [
        {
          topicId: topic.topicId,
          partition: 0,
          fetchOffset: 0,
          partitionBytesMax: 1000,
          currentLeaderEpoch: -1,
        },
      ],
      bytesMin: 1,
      bytesMax: 1000,
      waitMsMax: 60_000,
    });
    await one.log.append(batchOf(one, topic, ["news"]));
    expect(present((await waiting)[0], "answer").highOffset).toBe(1);
    await two.log.close();
    await one.log.close();
  });
});
