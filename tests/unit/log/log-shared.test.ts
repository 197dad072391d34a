import { describe, expect, spyOn, test } from "bun:test";
import { present } from "../../../src/base/assert.ts";
import type { Log } from "../../../src/log/log.ts";
import type { TopicInfo } from "../../../src/meta/catalog.ts";
import { applyCuts } from "../../../src/meta/cut.ts";
import { MemoryStore } from "../../../src/store/memory-store.ts";
import { batchOf, memoryDatabase, openStack } from "../../support/log-stack.ts";
import { readBack } from "../../support/read-back.ts";

const request = {
  name: "orders",
  partitionCount: 1,
  replicationFactor: -1,
  config: { "retention.ms": "-1" },
};

/** Two workers of one namespace. */
async function openPair() {
  const parts = { store: new MemoryStore(), database: memoryDatabase(), shared: true };
  const one = await openStack(parts);
  const other = await openStack(parts);
  const topic = await one.log.topics.create(request);
  return { one, other, topic, database: parts.database };
}

async function fetchOne(log: Log, topic: TopicInfo, where: { partition: number; offset: number }) {
  const { partition, offset: fetchOffset } = where;
  const { topicId } = topic;
  const asked = { topicId, partition, fetchOffset, partitionBytesMax: 1, currentLeaderEpoch: -1 };
  const [item] = await log.fetch({
    partitions: [asked],
    bytesMin: 1,
    bytesMax: 1_000,
    waitMsMax: 0,
  });
  return present(item, "answer");
}

describe("Log of several workers", () => {
  test("a partition that a peer added is not denied out of a cached topic", async () => {
    const { one, other, topic } = await openPair();
    expect((await other.log.topics.byId(topic.topicId))?.partitionCount).toBe(1);
    const grown = await one.log.topics.addPartitions(topic.topicId, 2);
    await one.log.append(batchOf(one, grown, ["a"], { partition: 1 }));
    const found = await fetchOne(other.log, topic, { partition: 1, offset: 0 });
    expect([found.error, found.highOffset]).toEqual([undefined, 1]);
    const beyond = await fetchOne(other.log, topic, { partition: 2, offset: 0 });
    expect(beyond.error).toBe("partition_unknown");
    await one.log.close();
    await other.log.close();
  });

  test("a log start that a peer raised is known with the next look at the change feed", async () => {
    const { one, other, topic } = await openPair();
    for (const value of ["a", "b", "c"]) await other.log.append(batchOf(other, topic, [value]));
    await one.log.deleteRecords(topic, 0, 2);
    // Nothing is read at the end of the log, so the feed is asked; the records are in memory.
    await fetchOne(other.log, topic, { partition: 0, offset: 3 });
    const found = await fetchOne(other.log, topic, { partition: 0, offset: 0 });
    expect([found.error, found.logStartOffset]).toEqual(["offset_out_of_range", 2]);
    await one.log.close();
    await other.log.close();
  });

  test("a cut that a peer made is known too, and what memory held behind it is not read", async () => {
    const { one, other, topic, database } = await openPair();
    for (const value of ["a", "b", "c"]) await other.log.append(batchOf(other, topic, [value]));
    const { topicNumber } = topic;
    const cut = { topicNumber, partition: 0, offset: 1, nextOffset: 3, leaderEpoch: 0 };
    expect(await applyCuts(database, [cut])).toBe(true);
    await fetchOne(other.log, topic, { partition: 0, offset: 3 });
    const found = await fetchOne(other.log, topic, { partition: 0, offset: 2 });
    expect([found.error, found.highOffset]).toEqual(["offset_out_of_range", 1]);
    await one.log.append(batchOf(one, topic, ["d"]));
    await other.log.append(batchOf(other, topic, ["e"]));
    expect((await readBack(other, topic)).map(({ value }) => value)).toEqual(["a", "d", "e"]);
    await one.log.close();
    await other.log.close();
  });

  test("a cut that others wrote past before it was heard of leaves nothing in memory", async () => {
    const { one, other, topic, database } = await openPair();
    for (const value of ["a", "b", "c"]) await other.log.append(batchOf(other, topic, [value]));
    const { topicNumber } = topic;
    const cut = { topicNumber, partition: 0, offset: 1, nextOffset: 3, leaderEpoch: 0 };
    expect(await applyCuts(database, [cut])).toBe(true);
    for (const value of ["x", "y", "z"]) await one.log.append(batchOf(one, topic, [value]));
    await fetchOne(other.log, topic, { partition: 0, offset: 4 });
    expect((await readBack(other, topic)).map(({ value }) => value)).toEqual(["a", "x", "y", "z"]);
    await one.log.close();
    await other.log.close();
  });

  test("a cut that a worker hears of by its own publish leaves nothing in memory", async () => {
    const { one, other, topic, database } = await openPair();
    for (const value of ["a", "b", "c"]) await other.log.append(batchOf(other, topic, [value]));
    const { topicNumber } = topic;
    const cut = { topicNumber, partition: 0, offset: 1, nextOffset: 3, leaderEpoch: 0 };
    expect(await applyCuts(database, [cut])).toBe(true);
    for (const value of ["d", "e", "f"]) await other.log.append(batchOf(other, topic, [value]));
    expect((await readBack(other, topic)).map(({ value }) => value)).toEqual(["a", "d", "e", "f"]);
    await one.log.close();
    await other.log.close();
  });

  test("ends that moved in a topic deleted since are asked for once", async () => {
    const { one, other, topic, database } = await openPair();
    for (const value of ["a", "b"]) await one.log.append(batchOf(one, topic, [value]));
    await one.log.deleteRecords(topic, 0, 1);
    await one.log.topics.delete(topic.topicId);
    const asked = spyOn(database, "batch");
    const kept = await other.log.topics.create({ ...request, name: "kept" });
    for (let round = 0; round < 3; round++) {
      await fetchOne(other.log, kept, { partition: 0, offset: 0 });
    }
    const texts = asked.mock.calls.flatMap(([statements]) => statements.map(({ sql }) => sql));
    expect(texts.filter((sql) => sql.includes("ORDER BY p.ends_version")).length).toBe(1);
    asked.mockRestore();
    await one.log.close();
    await other.log.close();
  });

  test("records that a peer deleted are out of range, not skipped", async () => {
    const { one, other, topic } = await openPair();
    for (const value of ["a", "b", "c"]) await one.log.append(batchOf(one, topic, [value]));
    await other.log.findOffset(topic, 0, "latest");
    await one.log.deleteRecords(topic, 0, 2);
    await one.log.maintenance.run();
    const found = await fetchOne(other.log, topic, { partition: 0, offset: 0 });
    expect([found.error, found.logStartOffset]).toEqual(["offset_out_of_range", 2]);
    await one.log.close();
    await other.log.close();
  });
});
