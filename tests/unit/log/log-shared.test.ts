import { describe, expect, test } from "bun:test";
import { present } from "../../../src/base/assert.ts";
import type { Log } from "../../../src/log/log.ts";
import type { TopicInfo } from "../../../src/meta/catalog.ts";
import { MemoryStore } from "../../../src/store/memory-store.ts";
import { batchOf, memoryDatabase, openStack } from "../../support/log-stack.ts";

/** Two workers of one namespace. */
async function openPair() {
  const parts = { store: new MemoryStore(), database: memoryDatabase(), shared: true };
  const one = await openStack(parts);
  const other = await openStack(parts);
  const request = {
    name: "orders",
    partitionCount: 1,
    replicationFactor: -1,
    config: { "retention.ms": "-1" },
  };
  const topic = await one.log.topics.create(request);
  return { one, other, topic };
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
