import { expect, test } from "bun:test";
import { silentLogger } from "../../../src/base/log.ts";
import { GoneTopics } from "../../../src/log/gone-topics.ts";
import { type PartitionSlot, partitionSlot } from "../../../src/log/partition-slot.ts";
import { PartitionTable } from "../../../src/log/partition-table.ts";
import { deleteTopic } from "../../../src/meta/catalog.ts";
import { createPlatform } from "../../../src/runtime/node/platform.ts";
import { openStack } from "../../support/log-stack.ts";

const known = { highOffset: 3, logStartOffset: 0, leaderEpoch: 0 };

test("GoneTopics forgets all partitions of a deleted topic, and no others", async () => {
  const { log, database } = await openStack();
  const make = (name: string) =>
    log.topics.create({ name, partitionCount: 2, replicationFactor: -1, config: {} });
  const [kept, deleted] = [await make("kept"), await make("deleted")];
  const table = new PartitionTable();
  const slots: PartitionSlot[] = [];
  for (const { topicNumber } of [kept, deleted]) {
    for (const partition of [0, 1]) slots.push(partitionSlot(topicNumber, partition));
  }
  for (const slot of slots) table.learn(slot, known);
  const platform = createPlatform({ log: silentLogger });
  const gone = new GoneTopics({ platform, database, table });
  gone.look();
  await Bun.sleep(1);
  expect(table.topicNumbers()).toEqual([kept.topicNumber, deleted.topicNumber]);

  await deleteTopic(database, deleted.topicNumber);
  gone.look();
  gone.look();
  while (table.topicNumbers().length === 2) await Bun.sleep(1);
  expect(slots.map((slot) => table.get(slot))).toEqual([known, known, undefined, undefined]);
  await log.close();
});
