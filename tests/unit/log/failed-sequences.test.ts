import { describe, expect, test } from "bun:test";
import { StreamError } from "../../../src/base/stream-error.ts";
import { folderFlushPolicy } from "../../../src/log/flush-policy.ts";
import type { PublishGroup } from "../../../src/meta/publish-request.ts";
import { MemoryStore } from "../../../src/store/memory-store.ts";
import type { ObjectLocation, SegmentBytes } from "../../../src/store/object-store.ts";
import { batchOf, openStack } from "../../support/log-stack.ts";
import { readBack } from "../../support/read-back.ts";

/** Fails the first segment, after the second one has been written. */
class FirstFails extends MemoryStore {
  readonly #second = Promise.withResolvers<void>();
  #count = 0;

  override async writeSegment(segment: SegmentBytes): Promise<ObjectLocation> {
    this.#count += 1;
    if (this.#count === 1) {
      await this.#second.promise;
      throw new StreamError("store_unavailable", "out of order");
    }
    const location = await super.writeSegment(segment);
    this.#second.resolve();
    return location;
  }
}

describe("FailedSequences", () => {
  test("a new producer's second batch is not taken for its first when that failed", async () => {
    const flush = { ...folderFlushPolicy, sealBytes: 1 };
    const stack = await openStack({ store: new FirstFails(), flush });
    const request = { name: "orders", partitionCount: 1, replicationFactor: -1, config: {} };
    const topic = await stack.log.topics.create(request);
    const send = (value: string, sequence: number) =>
      stack.log.append(batchOf(stack, topic, [value], { producer: { id: 7, sequence } }));
    const first = send("a", 0).catch((error: StreamError) => error.code);
    await Promise.resolve();
    const second = send("b", 1).catch((error: StreamError) => error.code);
    expect(await first).toBe("store_unavailable");
    expect(await second).toBe("sequence_out_of_order");

    const again = await Promise.all([send("a", 0), send("b", 1)]);
    expect(again.map(({ baseOffset, duplicate }) => [baseOffset, duplicate])).toEqual([
      [0, false],
      [1, false],
    ]);
    expect((await readBack(stack, topic)).map(({ value }) => value)).toEqual(["a", "b"]);
    await stack.log.close();
  });

  test("an HTTP producer's second request is not taken for its first when that failed", async () => {
    const flush = { ...folderFlushPolicy, sealBytes: 1 };
    const stack = await openStack({ store: new FirstFails(), flush });
    const request = { name: "orders", partitionCount: 1, replicationFactor: -1, config: {} };
    const topic = await stack.log.topics.create(request);
    const { topicNumber } = topic;
    const send = (value: string, sequence: number) =>
      stack.log.appendGroup({
        guards: [],
        effects: [{ kind: "httpProducer", topicNumber, name: "sensor", epoch: 0, sequence }],
        batches: [batchOf(stack, topic, [value])],
      });
    const first = send("a", 4).catch((error: StreamError) => error.code);
    await Promise.resolve();
    const second = send("b", 5).catch(({ code, details }: StreamError) => [code, details]);
    expect(await first).toBe("store_unavailable");
    expect(await second).toEqual(["sequence_out_of_order", { expectedSequence: 4 }]);

    const again = await Promise.all([send("a", 4), send("b", 5)]);
    expect(again.map(({ repeated }) => repeated)).toEqual([null, null]);
    expect((await readBack(stack, topic)).map(({ value }) => value)).toEqual(["a", "b"]);
    await stack.log.close();
  });

  test("nor when the first was refused before it came to the log", async () => {
    const stack = await openStack();
    const request = { name: "orders", partitionCount: 1, replicationFactor: -1, config: {} };
    const topic = await stack.log.topics.create(request);
    const { topicNumber } = topic;
    const groupOf = (sequence: number): PublishGroup => ({
      guards: [],
      effects: [{ kind: "httpProducer", topicNumber, name: "sensor", epoch: 0, sequence }],
    });
    const send = (value: string, sequence: number) =>
      stack.log.appendGroup({ ...groupOf(sequence), batches: [batchOf(stack, topic, [value])] });
    stack.log.noteRefused(groupOf(1));
    stack.log.noteRefused(groupOf(0));
    const early = await send("b", 1).catch(({ code, details }: StreamError) => [code, details]);
    expect(early).toEqual(["sequence_out_of_order", { expectedSequence: 0 }]);
    await send("a", 0);
    await send("b", 1);
    expect((await readBack(stack, topic)).map(({ value }) => value)).toEqual(["a", "b"]);
    await stack.log.close();
  });

  test("a producer that nothing is known of may start anywhere", async () => {
    const stack = await openStack();
    const request = { name: "orders", partitionCount: 1, replicationFactor: -1, config: {} };
    const topic = await stack.log.topics.create(request);
    const batch = batchOf(stack, topic, ["late"], { producer: { id: 7, sequence: 91 } });
    expect((await stack.log.append(batch)).baseOffset).toBe(0);
    await stack.log.close();
  });
});
