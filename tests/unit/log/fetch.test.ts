import { describe, expect, test } from "bun:test";
import { AnswerMemory } from "../../../src/base/answer-memory.ts";
import type { FetchedPartition } from "../../../src/log/log-types.ts";
import type { TopicInfo } from "../../../src/meta/catalog.ts";
import { batchOf, type LogStack, openStack } from "../../support/log-stack.ts";

const KiB = 1024;

/** Ten batches of about 20 KB in each partition; a small ring leaves most of them to the store. */
async function filled(ring: Uint8Array) {
  const stack = await openStack({ ring, blockCacheBytes: 256 * KiB });
  const topic = await stack.log.topics.create({
    name: "t",
    partitionCount: 4,
    replicationFactor: -1,
    config: { "max.message.bytes": "40000" },
  });
  for (let round = 0; round < 10; round++) {
    for (let partition = 0; partition < 4; partition++) {
      const batch = batchOf(stack, topic, ["x".repeat(20_000)]);
      await stack.log.append({ ...batch, partition });
    }
  }
  return { stack, topic };
}

const rings = [
  { name: "the tail", ring: () => new Uint8Array(4096 * KiB) },
  { name: "the store", ring: () => new Uint8Array(128 * KiB) },
];

interface Limits {
  readonly bytesMax: number;
  readonly partitionBytesMax: number;
  readonly memory?: AnswerMemory;
}

function fetchAll(
  { log }: LogStack,
  topic: TopicInfo,
  { bytesMax, partitionBytesMax, memory }: Limits,
): Promise<readonly FetchedPartition[]> {
  const partitions = [0, 1, 2, 3].map((partition) => ({
    topicId: topic.topicId,
    partition,
    fetchOffset: 0,
    partitionBytesMax,
    currentLeaderEpoch: -1,
  }));
  return log.fetch({
    partitions,
    bytesMin: 1,
    bytesMax,
    waitMsMax: 1,
    ...(memory === undefined ? {} : { memory }),
  });
}

const sum = (items: readonly FetchedPartition[]) =>
  items.reduce((all, { bytes }) => all + bytes, 0);

for (const { name, ring } of rings) {
  describe(`A fetch from ${name}`, () => {
    test("gives one batch more than asked in its first partition only", async () => {
      const { stack, topic } = await filled(ring());
      const least = await fetchAll(stack, topic, { bytesMax: 1000 * KiB, partitionBytesMax: 1 });
      expect(least.map(({ bytes }) => bytes > 0)).toEqual([true, false, false, false]);
      expect(least[0]?.bytes).toBeLessThan(40_000);
      expect(least.map(({ highOffset }) => highOffset)).toEqual([10, 10, 10, 10]);
      const some = await fetchAll(stack, topic, { bytesMax: 50_000, partitionBytesMax: 30_000 });
      expect(sum(some)).toBeLessThanOrEqual(50_000);
      await stack.log.close();
    });

    test("holds what its memory has room for, and reads nothing when there is none", async () => {
      const { stack, topic } = await filled(ring());
      const memory = new AnswerMemory(800 * KiB);
      const limits = { bytesMax: 1000 * KiB, partitionBytesMax: 1000 * KiB, memory };
      const answers: FetchedPartition[][] = [];
      for (let reader = 0; reader < 9; reader++) {
        answers.push([...(await fetchAll(stack, topic, limits))]);
        if (reader === 7) memory.hold(answers, 800 * KiB);
      }
      expect(answers.slice(0, 3).every((answer) => sum(answer) > 0)).toBe(true);
      expect(answers.slice(8).map(sum)).toEqual([0]);
      expect(answers[8]?.map(({ highOffset }) => highOffset)).toEqual([10, 10, 10, 10]);
      for (const answer of answers) memory.release(answer);
      memory.release([answers]);
      expect(memory.waitingBytes).toBe(0);
      await stack.log.close();
    }, 20_000);
  });
}
