import { describe, expect, test } from "bun:test";
import type { FetchedPartition, FetchRequest } from "../../../src/log/log-types.ts";
import { SharedFetches } from "../../../src/log/shared-fetches.ts";
import type { TopicId } from "../../../src/record/types.ts";

const topicId = "t" as TopicId;

function ask(fetchOffset: number, bytesMax = 100): FetchRequest {
  const partition = { topicId, partition: 0, fetchOffset };
  return {
    partitions: [{ ...partition, partitionBytesMax: bytesMax, currentLeaderEpoch: -1 }],
    ...{ bytesMin: 0, bytesMax, waitMsMax: 0 },
  };
}

/** A log whose fetches the test settles, and that counts what comes back. */
class FakeLog {
  readonly asked: PromiseWithResolvers<readonly FetchedPartition[]>[] = [];
  released = 0;

  fetch(): Promise<readonly FetchedPartition[]> {
    const answer = Promise.withResolvers<readonly FetchedPartition[]>();
    this.asked.push(answer);
    return answer.promise;
  }

  release(): void {
    this.released += 1;
  }

  give(index: number, chunks: readonly Uint8Array[]): void {
    const ends = { highOffset: 9, lastStableOffset: 9, logStartOffset: 0 };
    const bytes = chunks.reduce((sum, { length }) => sum + length, 0);
    this.asked[index]?.resolve([{ topicId, partition: 0, ...ends, chunks: [...chunks], bytes }]);
  }
}

const chunks = () => [new Uint8Array(3), new Uint8Array(4)];

describe("SharedFetches", () => {
  test("reads once for two that ask for the same, and gives back with the last", async () => {
    const log = new FakeLog();
    const shared = new SharedFetches(log);
    const first = shared.fetch(ask(5));
    const second = shared.fetch(ask(5));
    log.give(0, chunks());
    expect(await first).toBe(await second);
    const third = await shared.fetch(ask(5));
    expect(log.asked).toHaveLength(1);
    shared.release(await first);
    shared.release(await second);
    expect(log.released).toBe(0);
    shared.release(third);
    expect(log.released).toBe(1);
    void shared.fetch(ask(5));
    expect(log.asked).toHaveLength(2);
  });

  test("reads for each that asks for something else", () => {
    const log = new FakeLog();
    const shared = new SharedFetches(log);
    for (const request of [ask(5), ask(6), ask(5, 200)]) void shared.fetch(request);
    expect(log.asked).toHaveLength(3);
  });

  test("keeps neither failures nor what found nothing", async () => {
    const log = new FakeLog();
    const shared = new SharedFetches(log);
    const failing = shared.fetch(ask(5));
    log.asked[0]?.reject(new Error("no store"));
    expect(failing).rejects.toThrow("no store");
    await failing.catch(() => {});
    const empty = shared.fetch(ask(5));
    log.give(1, []);
    await empty;
    void shared.fetch(ask(5));
    expect(log.asked).toHaveLength(3);
  });

  test("forgets the oldest of too many, and gives nothing back that others may read", async () => {
    const log = new FakeLog();
    const shared = new SharedFetches(log);
    const oldest = shared.fetch(ask(0));
    log.give(0, chunks());
    const found = await oldest;
    for (let offset = 1; offset <= 64; offset++) void shared.fetch(ask(offset));
    shared.release(found);
    expect(log.released).toBe(0);
    void shared.fetch(ask(0));
    expect(log.asked).toHaveLength(66);
  });
});
