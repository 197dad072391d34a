import { describe, expect, test } from "bun:test";
import { StreamError } from "../../../src/base/stream-error.ts";
import { folderFlushPolicy } from "../../../src/log/flush-policy.ts";
import { MemoryStore } from "../../../src/store/memory-store.ts";
import { rollingFileKey } from "../../../src/store/object-keys.ts";
import type { ObjectLocation, SegmentBytes } from "../../../src/store/object-store.ts";
import { batchOf, memoryDatabase, openStack } from "../../support/log-stack.ts";
import { readBack } from "../../support/read-back.ts";

/** One rolling file per epoch in memory; the write of some segments leaves a hole of zeros. */
class FileWithHoles extends MemoryStore {
  readonly failing = new Set<number>();
  readonly #files = new Map<string, Uint8Array>();

  override async writeSegment(segment: SegmentBytes): Promise<ObjectLocation> {
    const key = rollingFileKey({ workerEpoch: segment.workerEpoch, fileNumber: 0 });
    const old = this.#files.get(key) ?? new Uint8Array(0);
    const { length } = segment.bytes;
    const file = new Uint8Array(old.length + length);
    file.set(old);
    const fails = this.failing.has(segment.sequence);
    if (!fails) file.set(segment.bytes, old.length);
    this.#files.set(key, file);
    if (fails) throw new StreamError("store_unavailable", "EIO");
    return { key, position: old.length, length };
  }

  override async read(location: ObjectLocation): Promise<Uint8Array> {
    const file = this.#files.get(location.key);
    if (file === undefined) return super.read(location);
    return file.slice(location.position, location.position + location.length);
  }

  isAway = false;

  override async sizeOf(key: string): Promise<number | undefined> {
    if (this.isAway) throw new StreamError("store_unavailable", "away");
    return this.#files.get(key)?.length ?? super.sizeOf(key);
  }

  lose(key: string, position: number): void {
    this.#files.get(key)?.fill(0, position);
  }
}

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
  return { topic, log: stack.log, restart: () => openStack(parts) };
}

describe("cutLostBytes", () => {
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
