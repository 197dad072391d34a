import { describe, expect, test } from "bun:test";
import { groupLags } from "../../../src/meta/group-lag.ts";
import { batchOf, openStack } from "../../support/log-stack.ts";

describe("groupLags", () => {
  test("adds up partitions, counts from the log start, puts the furthest behind first", async () => {
    const stack = await openStack();
    const { log, database } = stack;
    const topic = await log.topics.create({
      name: "orders",
      partitionCount: 2,
      replicationFactor: -1,
      config: {},
    });
    await log.append(batchOf(stack, topic, ["a", "b", "c", "d"]));
    await log.append(batchOf(stack, topic, ["e"], { partition: 1 }));
    const commit = (groupId: string, committed: readonly number[]) =>
      log.appendGroup({
        batches: [batchOf(stack, topic, ["x"], { partition: 1 })],
        guards: [],
        effects: [
          {
            kind: "groupOffsets",
            groupId,
            offsets: committed.map((committedOffset, partition) => ({
              topicNumber: topic.topicNumber,
              partition,
              committedOffset,
              leaderEpoch: -1,
              metadata: "",
            })),
          },
        ],
      });
    await commit("near", [4, 2]);
    await commit("far", [0, 0]);
    await log.deleteRecords(topic, 0, 1);
    expect(await groupLags(database, 10)).toEqual([
      { groupId: "far", topic: "orders", recordCount: 3 + 3 },
      { groupId: "near", topic: "orders", recordCount: 0 + 1 },
    ]);
    expect(await groupLags(database, 1)).toHaveLength(1);
    await log.close();
  });
});
