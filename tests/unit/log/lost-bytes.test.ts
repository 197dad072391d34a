import { describe, expect, test } from "bun:test";
import { folderFlushPolicy } from "../../../src/log/flush-policy.ts";
import type { OffsetQuery } from "../../../src/log/log-types.ts";
import type { TopicInfo } from "../../../src/meta/catalog.ts";
import { committedOffsets } from "../../../src/meta/group-store.ts";
import { closeWorker, epochsToMend } from "../../../src/meta/workers.ts";
import { batchesIn } from "../../../src/record/batch.ts";
import { rollingFileKey } from "../../../src/store/object-keys.ts";
import { FileWithHoles } from "../../support/file-with-holes.ts";
import {
  type BatchOptions,
  batchOf,
  type LogStack,
  memoryDatabase,
  openStack,
} from "../../support/log-stack.ts";
import { readBack } from "../../support/read-back.ts";

async function writeThree(store: FileWithHoles) {
  const database = memoryDatabase();
  const parts = { store, database, flush: folderFlushPolicy, storeMayLoseTail: true };
  const stack = await openStack(parts);
  const request = { name: "orders", partitionCount: 1, replicationFactor: -1, config: {} };
  const topic = await stack.log.topics.create(request);
  for (const value of ["a", "b", "c"]) {
    await stack.log.append(batchOf(stack, topic, [value])).catch(() => {});
  }
  // The first process is never closed: it died.
  return { topic, stack, log: stack.log, restart: () => openStack(parts) };
}

const firstFile = rollingFileKey({ workerEpoch: 1, fileNumber: 0 });

/** A topic of two partitions whose worker will die; each step makes one segment of 4096 bytes. */
async function openTwoPartitions() {
  const store = new FileWithHoles();
  const parts = {
    store,
    database: memoryDatabase(),
    flush: folderFlushPolicy,
    storeMayLoseTail: true,
  };
  const stack = await openStack(parts);
  const request = { name: "orders", partitionCount: 2, replicationFactor: -1, config: {} };
  const topic = await stack.log.topics.create(request);
  const append = (value: string, options: BatchOptions = {}) =>
    stack.log.append(batchOf(stack, topic, [value], options));
  return {
    topic,
    append,
    appendTo: (log: LogStack, sequence: number, values: readonly (string | null)[]) =>
      log.log.appendGroup({
        batches: values.flatMap((value, partition) =>
          value === null ? [] : [batchOf(log, topic, [value], { partition })],
        ),
        guards: [],
        effects: [
          {
            kind: "httpProducer",
            topicNumber: topic.topicNumber,
            name: "till",
            epoch: 0,
            sequence,
          },
        ],
      }),
    stack,
    /** The power goes, and takes segment `index` with it. */
    restartWithout: (index: number) => {
      store.lose(firstFile, index * 4096, (index + 1) * 4096);
      return openStack(parts);
    },
    read: async (log: LogStack) =>
      Promise.all(
        [0, 1].map(async (partition) =>
          (await readBack(log, topic, { partition })).map(({ value }) => value),
        ),
      ),
  };
}

async function storedEpochs({ log }: LogStack, topic: TopicInfo): Promise<readonly number[]> {
  const [found] = await log.fetch({
    partitions: [
      {
        topicId: topic.topicId,
        partition: 0,
        fetchOffset: 0,
        partitionBytesMax: 1e6,
        currentLeaderEpoch: -1,
      },
    ],
    bytesMin: 1,
    bytesMax: 1e6,
    waitMsMax: 0,
  });
  return (found?.chunks ?? []).flatMap((chunk) =>
    [...batchesIn(chunk)].map(({ header }) => header.partitionLeaderEpoch),
  );
}

describe("EpochMender", () => {
  test("peers look after the files of an epoch that one of them closed", async () => {
    const store = new FileWithHoles();
    const database = memoryDatabase();
    const parts = { store, database, flush: folderFlushPolicy, storeMayLoseTail: true };
    const dead = await openStack({ ...parts, shared: true });
    const request = { name: "orders", partitionCount: 1, replicationFactor: -1, config: {} };
    const topic = await dead.log.topics.create(request);
    for (const value of ["a", "b"]) await dead.log.append(batchOf(dead, topic, [value]));
    const { workerEpoch } = dead.log.session.current();
    store.lose(firstFile, 4096);
    await closeWorker(database, { workerEpoch, observedCounter: 0 });
    const peer = await openStack({ ...parts, shared: true });
    // The start waited for it: what is appended behind a loss would be cut with it.
    expect(await epochsToMend(database)).toEqual([]);
    expect((await readBack(peer, topic)).map(({ value }) => value)).toEqual(["a"]);
    const appended = await peer.log.append(batchOf(peer, topic, ["c"]));
    expect([appended.baseOffset, appended.leaderEpoch]).toEqual([1, 1]);
    await peer.log.close();
    await dead.log.close();
  });

  test("what lies behind the last published segment is cut off, and only there", async () => {
    const store = new FileWithHoles();
    store.failing.add(3);
    const { topic, restart } = await writeThree(store);
    expect(await store.sizeOf(firstFile)).toBe(3 * 4096);
    const stack = await restart();
    expect((await readBack(stack, topic)).map(({ value }) => value)).toEqual(["a", "b"]);
    // That goes on beside; at its end the worker waits for it.
    await stack.log.close();
    expect([...store.trimmed]).toEqual([[firstFile, 2 * 4096]]);
  });

  test("a worker that leaves settles its files first, and leaves nothing to mend", async () => {
    const { append, stack } = await openTwoPartitions();
    await append("a");
    await stack.log.close();
    expect((stack.store as FileWithHoles).settled).toContain(firstFile);
    expect(await epochsToMend(stack.database)).toEqual([]);
  });
});

describe("cutLostBytes", () => {
  test("batches keep the leader epoch of their publish, and epochs their ends", async () => {
    const { append, topic, restartWithout } = await openTwoPartitions();
    await append("a", { timestamp: 1_000 });
    await append("lost");
    const cut = await restartWithout(1);
    await cut.log.append(batchOf(cut, topic, ["b"], { timestamp: 2_000 }));
    await cut.log.close();
    const after = await openStack({ store: cut.store, database: cut.database });
    expect(await storedEpochs(after, topic)).toEqual([0, 1]);
    const epochOf = async (query: OffsetQuery) =>
      (await after.log.findOffset(topic, 0, query)).leaderEpoch;
    expect(await epochOf("earliest")).toBe(0);
    expect(await epochOf({ timestamp: 1_000 })).toBe(0);
    expect(await epochOf("maxTimestamp")).toBe(1);
    expect(await epochOf("latest")).toBe(1);
    const ends = [0, 1].map((leaderEpoch) => after.log.epochEnd(topic, 0, leaderEpoch));
    expect(await Promise.all(ends)).toEqual([
      { leaderEpoch: 0, endOffset: 1 },
      { leaderEpoch: 1, endOffset: 2 },
    ]);
    await after.log.close();
  });

  test("a group that loses one entry loses the others, and what follows them", async () => {
    const { append, appendTo, stack, restartWithout, read } = await openTwoPartitions();
    await append("a1");
    await append("b1", { partition: 1 });
    await append("lost");
    await appendTo(stack, 0, ["a2", "b2"]);
    await append("b3", { partition: 1 });
    const after = await restartWithout(2);
    expect(await read(after)).toEqual([["a1"], ["b1"]]);
    const { appended } = await appendTo(after, 0, ["a2", "b2"]);
    expect(appended.map((each) => [each.baseOffset, each.leaderEpoch])).toEqual([
      [1, 1],
      [1, 1],
    ]);
    await after.log.close();
  });

  test("what shares a segment with a cut group stays", async () => {
    const { append, appendTo, topic, stack, restartWithout, read } = await openTwoPartitions();
    const other = await stack.log.topics.create({
      ...{ name: "other", partitionCount: 1, replicationFactor: -1, config: {} },
    });
    await append("lost");
    // The first goes alone, the other two leave together when it has landed.
    await Promise.all([
      append("lost too"),
      appendTo(stack, 0, ["a1", "b1"]),
      stack.log.append(batchOf(stack, other, ["kept"])),
    ]);
    const after = await restartWithout(0);
    expect(await read(after)).toEqual([[], []]);
    expect((await readBack(after, other)).map(({ value }) => value)).toEqual(["kept"]);
    expect(topic.partitionCount).toBe(2);
    await after.log.close();
  });

  test("a producer goes on from its last batch that is kept, and a repeat of it is known", async () => {
    const { append, topic, restartWithout, read } = await openTwoPartitions();
    const producer = (sequence: number) => ({ producer: { id: 7, sequence } });
    await append("a1", producer(0));
    await append("a2", producer(1));
    await append("lost", producer(2));
    const after = await restartWithout(2);
    const again = (value: string, sequence: number) =>
      after.log.append(batchOf(after, topic, [value], producer(sequence)));
    expect(await again("a2", 1)).toMatchObject({ duplicate: true, baseOffset: 1 });
    await expect(again("a4", 3)).rejects.toMatchObject({ code: "sequence_out_of_order" });
    expect(await again("lost", 2)).toMatchObject({ duplicate: false, baseOffset: 2 });
    expect(await read(after)).toEqual([["a1", "a2", "lost"], []]);
    await after.log.close();
  });

  test("an HTTP producer's requests behind a lost one go with it, and it is told where", async () => {
    const { appendTo, stack, restartWithout, read } = await openTwoPartitions();
    await appendTo(stack, 0, ["a1", null]);
    await appendTo(stack, 1, ["lost", null]);
    await appendTo(stack, 2, [null, "b1"]);
    const after = await restartWithout(1);
    expect(await read(after)).toEqual([["a1"], []]);
    await expect(appendTo(after, 3, [null, "b2"])).rejects.toMatchObject({
      code: "sequence_out_of_order",
      details: { expectedSequence: 1 },
    });
    const { repeated } = await appendTo(after, 0, ["a1", null]);
    expect(repeated).toEqual([{ partition: 0, baseOffset: 0, count: 1 }]);
    await appendTo(after, 1, ["lost", null]);
    expect(await read(after)).toEqual([["a1", "lost"], []]);
    await after.log.close();
  });

  test("a hole that a failed write left costs nothing behind it", async () => {
    const store = new FileWithHoles();
    store.failing.add(2);
    const { topic, restart } = await writeThree(store);
    const stack = await restart();
    const read = await readBack(stack, topic);
    expect(read.map(({ value }) => value)).toEqual(["a", "c"]);
    await stack.log.close();
  });

  test("rows whose bytes are gone are cut, with a raised leader epoch", async () => {
    const store = new FileWithHoles();
    const { topic, restart } = await writeThree(store);
    store.lose(rollingFileKey({ workerEpoch: 1, fileNumber: 0 }), 8192);
    const stack = await restart();
    const read = await readBack(stack, topic);
    expect(read.map(({ value }) => value)).toEqual(["a", "b"]);
    const appended = await stack.log.append(batchOf(stack, topic, ["d"]));
    expect([appended.baseOffset, appended.leaderEpoch]).toEqual([2, 1]);
    await stack.log.close();
  });

  test("a start that breaks off leaves the check to the next one", async () => {
    const store = new FileWithHoles();
    const { topic, restart } = await writeThree(store);
    store.lose(rollingFileKey({ workerEpoch: 1, fileNumber: 0 }), 8192);
    store.isAway = true;
    await expect(restart()).rejects.toThrow("away");
    store.isAway = false;
    const stack = await restart();
    expect((await readBack(stack, topic)).map(({ value }) => value)).toEqual(["a", "b"]);
    await stack.log.close();
  });

  test("a store that takes no receipts keeps nobody from starting, and gets them later", async () => {
    const store = new FileWithHoles();
    const { topic, restart } = await writeThree(store);
    const { promise, resolve } = Promise.withResolvers<void>();
    store.creating = promise;
    const stack = await restart();
    await stack.log.append(batchOf(stack, topic, ["d"]));
    const read = await readBack(stack, topic);
    expect(read.map(({ value }) => value)).toEqual(["a", "b", "c", "d"]);
    expect(await epochsToMend(stack.database)).toEqual([1]);
    resolve();
    await stack.log.close();
    expect(await epochsToMend(stack.database)).toEqual([]);
  });

  test("offsets that groups committed beyond the cut move to the new end", async () => {
    const store = new FileWithHoles();
    const { topic, stack: first, restart } = await writeThree(store);
    const { topicNumber } = topic;
    const commit = (groupId: string, committedOffset: number) =>
      first.log.appendGroup({
        batches: [batchOf(first, topic, [groupId])],
        guards: [],
        effects: [
          {
            kind: "groupOffsets",
            groupId,
            offsets: [
              { topicNumber, partition: 0, committedOffset, leaderEpoch: 0, metadata: "m" },
            ],
          },
        ],
      });
    await Promise.all([commit("ahead", 3), commit("behind", 1)]);
    store.lose(rollingFileKey({ workerEpoch: 1, fileNumber: 0 }), 8192);
    const stack = await restart();
    const committed = async (groupId: string) =>
      (await committedOffsets(stack.database, groupId)).map((each) => [
        each.committedOffset,
        each.metadata,
      ]);
    expect(await committed("ahead")).toEqual([[2, "m"]]);
    expect(await committed("behind")).toEqual([[1, "m"]]);
    await stack.log.close();
  });

  test("lost bytes of a deleted topic do not keep the worker from starting", async () => {
    const store = new FileWithHoles();
    const { topic, log, restart } = await writeThree(store);
    await log.topics.delete(topic.topicId);
    store.lose(rollingFileKey({ workerEpoch: 1, fileNumber: 0 }), 0);
    const stack = await restart();
    expect(await stack.log.topics.list()).toEqual([]);
    await stack.log.close();
  });
});
