import { describe, expect, spyOn, test } from "bun:test";
import { AnswerMemory } from "../../../src/base/answer-memory.ts";
import type { FetchedPartition } from "../../../src/log/log-types.ts";
import type { TopicInfo } from "../../../src/meta/catalog.ts";
import { batchOf, type LogStack, openStack } from "../../support/log-stack.ts";

const KiB = 1024;

/** Ten batches of about 20 KB in each partition; a small ring leaves most of them to the store. */
async function filled(ring: Uint8Array, options: { readonly lentBytesMin?: number } = {}) {
  const blockMemory = [new Uint8Array(2048 * KiB)];
  const stack = await openStack({ ring, blockMemory, ...options });
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
  readonly lends?: boolean;
  readonly fetchOffset?: number;
}

function fetchAll(
  { log }: LogStack,
  topic: TopicInfo,
  { bytesMax, partitionBytesMax, memory, lends = false, fetchOffset = 0 }: Limits,
): Promise<readonly FetchedPartition[]> {
  const partitions = [0, 1, 2, 3].map((partition) => ({
    topicId: topic.topicId,
    partition,
    fetchOffset,
    partitionBytesMax,
    currentLeaderEpoch: -1,
  }));
  return log.fetch({
    partitions,
    bytesMin: 1,
    bytesMax,
    waitMsMax: 1,
    lends,
    ...(memory === undefined ? {} : { memory }),
  });
}

/** The bytes of an answer as they would be sent now. */
function sent({ log }: LogStack, items: readonly FetchedPartition[]): Uint8Array {
  return Buffer.concat(items.flatMap(({ chunks }) => chunks.map((each) => log.lent.current(each))));
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

    test("keeps what it lent readable while the caches move on", async () => {
      const { stack, topic } = await filled(ring(), { lentBytesMin: 1 });
      const limits = { bytesMax: 1000 * KiB, partitionBytesMax: 100 * KiB };
      const copied = await fetchAll(stack, topic, limits);
      const memory = new AnswerMemory(16 * 1024 * KiB);
      const lent = await fetchAll(stack, topic, { ...limits, memory, lends: true });
      expect(lent.every(({ isLent }) => isLent)).toBe(true);
      expect(memory.waitingBytes).toBeWithin(sum(lent), 2 * sum(lent));
      const expected = sent(stack, copied);
      expect(Buffer.compare(sent(stack, lent), expected)).toBe(0);
      const isStillInPlace = lent.some(({ chunks }) =>
        chunks.some((chunk) => stack.log.lent.current(chunk) === chunk),
      );
      expect(isStillInPlace).toBe(true);
      for (let round = 0; round < 300; round++) {
        const batch = batchOf(stack, topic, ["y".repeat(20_000)]);
        await stack.log.append({ ...batch, partition: round % 4 });
      }
      for (let offset = 10; offset < 80; offset++) {
        stack.log.release(await fetchAll(stack, topic, { ...limits, fetchOffset: offset }));
      }
      expect(Buffer.compare(sent(stack, lent), expected)).toBe(0);
      stack.log.release(lent);
      memory.release(lent);
      expect(memory.waitingBytes).toBe(0);
      await stack.log.close();
    }, 20_000);

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

test("fetch ends its wait when the topic goes, though another went just before", async () => {
  const { log } = await openStack({ ring: new Uint8Array(1024 * KiB) });
  const create = (name: string) =>
    log.topics.create({ name, partitionCount: 1, replicationFactor: -1, config: {} });
  const [other, topic] = [await create("other"), await create("t")];
  const where = { partition: 0, fetchOffset: 0, partitionBytesMax: 1, currentLeaderEpoch: -1 };
  const waiting = log.fetch({
    partitions: [{ topicId: topic.topicId, ...where }],
    ...{ bytesMin: 1, bytesMax: 1, waitMsMax: 2_000 },
  });
  // It waits by then; the first deletion wakes it, and the second comes while it looks again.
  await new Promise((resolve) => setTimeout(resolve, 50));
  await log.topics.delete(other.topicId);
  await log.topics.delete(topic.topicId);
  expect((await waiting).map(({ error }) => error)).toEqual(["topic_id_unknown"]);
  await log.close();
});

test("A fetch asks the metadata for the rows of all its partitions side by side", async () => {
  const { stack, topic } = await filled(new Uint8Array(128 * KiB));
  const { database } = stack;
  const batch = database.batch.bind(database);
  let asking = 0;
  let most = 0;
  spyOn(database, "batch").mockImplementation(async (statements, mode) => {
    const isForRows = statements.some(({ sql }) => sql.includes("FROM extent e"));
    if (isForRows) most = Math.max(most, ++asking);
    await Bun.sleep(1);
    const results = await batch(statements, mode);
    if (isForRows) asking -= 1;
    return results;
  });
  await fetchAll(stack, topic, { bytesMax: 1000 * KiB, partitionBytesMax: 100 * KiB });
  expect(most).toBe(4);
  await stack.log.close();
});

describe("Fetcher for readers in other threads", () => {
  async function stored() {
    const blocks = new Uint8Array(new SharedArrayBuffer(4096 * KiB));
    const stack = await openStack({
      ...{ ring: new Uint8Array(128 * KiB), hasThreads: true, lentBytesMin: 1 },
      blockMemory: [blocks],
    });
    const topic = await stack.log.topics.create({
      ...{ name: "t", partitionCount: 1, replicationFactor: -1, config: {} },
    });
    for (let count = 0; count < 10; count++) {
      await stack.log.append(batchOf(stack, topic, [`${count}`.repeat(20_000)]));
    }
    const read = async (fetchOffset: number) => {
      const asked = { topicId: topic.topicId, partition: 0, currentLeaderEpoch: -1 };
      const partitions = [{ ...asked, fetchOffset, partitionBytesMax: 20_000 }];
      const limits = { bytesMin: 1, bytesMax: 20_000, waitMsMax: 1 };
      return await stack.log.fetch({ partitions, ...limits, shares: true });
    };
    return { stack, blocks, read };
  }

  test("gives bytes of the store where they lie, until they are released", async () => {
    const { stack, blocks, read } = await stored();
    const found = await read(0);
    expect(found[0]?.chunks.map(({ buffer }) => buffer === blocks.buffer)).toEqual([true]);
    const bytes = sent(stack, found);
    expect(Buffer.from(bytes).includes("0".repeat(20_000))).toBe(true);
    for (let offset = 1; offset < 7; offset++) stack.log.release(await read(offset));
    expect(Buffer.compare(sent(stack, found), bytes)).toBe(0);
    stack.log.release(found);
    await stack.log.close();
  });

  test("copies the tail, whose ring nobody holds up, to where they see it", async () => {
    const { stack, blocks, read } = await stored();
    const [found] = await read(9);
    const buffers = found?.chunks.map(({ buffer }) => buffer) ?? [];
    expect(buffers).toHaveLength(1);
    expect(buffers[0]).toBeInstanceOf(SharedArrayBuffer);
    expect(buffers[0]).not.toBe(blocks.buffer);
    await stack.log.close();
  });
});
