import { afterEach, describe, expect, test } from "bun:test";
import type { PublishSlice } from "../../../src/log/publish-order-reader.ts";
import type { TopicInfo } from "../../../src/meta/catalog.ts";
import { publishTick } from "../../../src/meta/publish-order.ts";
import { batchesIn } from "../../../src/record/batch.ts";
import { batchOf, type LogStack, openStack } from "../../support/log-stack.ts";

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
