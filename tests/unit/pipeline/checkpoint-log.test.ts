import { afterEach, describe, expect, test } from "bun:test";
import { present } from "../../../src/base/assert.ts";
import type { AppendBatch } from "../../../src/log/log-types.ts";
import type { TopicInfo } from "../../../src/meta/catalog.ts";
import { acquireLease, releaseLease } from "../../../src/meta/leases.ts";
import {
  CheckpointLog,
  type LoadedCommit,
  type QueryCommit,
  type StateBytes,
} from "../../../src/pipeline/checkpoint-log.ts";
import { batchesIn } from "../../../src/record/batch.ts";
import { decodeRecords } from "../../../src/record/batch-records.ts";
import { batchOf, type LogStack, openStack } from "../../support/log-stack.ts";
import { createRandom } from "../../support/virtual-platform.ts";

let stack: LogStack;
afterEach(() => stack.log.close());

async function newTopic(name: string): Promise<TopicInfo> {
  return stack.log.topics.create({ name, partitionCount: 1, replicationFactor: -1, config: {} });
}

async function setUp() {
  stack = await openStack({ ring: new Uint8Array(64 * 1024 * 1024) });
  const topic = await newTopic("checkpoints");
  const output = await newTopic("results");
  const { workerEpoch } = stack.log.session.current();
  const lease = await acquireLease(stack.database, { kind: "query", name: "q", workerEpoch });
  const { leaseEpoch } = lease;
  const guard = { kind: "lease" as const, leaseKind: "query", name: "q", leaseEpoch };
  const open = () =>
    new CheckpointLog({
      ...{ platform: stack.platform, log: stack.log, topic, groupId: "q", guard },
      topicOf: async (name) => present(await stack.log.topics.byName(name), name),
    });
  return { topic, output, lease, open };
}

function commitOf(n: number, options: Partial<QueryCommit> = {}): QueryCommit {
  return {
    publishPosition: n,
    cursors: [{ topicNumber: 1, partition: 0, nextOffset: n * 10 }],
    state: { kind: n === 1 ? "full" : "delta", bytes: new Uint8Array([n, n]) },
    ...{ results: [], offsets: [] },
    ...options,
  };
}

async function valuesOf(topic: TopicInfo): Promise<string[]> {
  const values: string[] = [];
  const [status] = await stack.log.status([{ topic, partition: 0 }]);
  for (let offset = 0; offset < (status?.highOffset ?? 0); ) {
    const [found] = await stack.log.fetch({
      partitions: [
        {
          ...{ topicId: topic.topicId, partition: 0, fetchOffset: offset },
          ...{ partitionBytesMax: 1e8, currentLeaderEpoch: -1 },
        },
      ],
      ...{ bytesMin: 0, bytesMax: 1e8, waitMsMax: 0 },
    });
    for (const chunk of found?.chunks ?? []) {
      for (const { bytes } of batchesIn(chunk)) {
        const { codecs } = stack.platform;
        for (const record of decodeRecords(bytes, { codecs, sizeMax: 1e8 })) {
          values.push(new TextDecoder().decode(record.value ?? new Uint8Array()).slice(0, 8));
          offset = record.offset + 1;
        }
      }
    }
  }
  return values;
}

function result(output: TopicInfo, value: string, valueBytes = 0): AppendBatch {
  return batchOf(stack, output, [value], { valueBytes });
}

async function statesOf(loaded: LoadedCommit | null): Promise<StateBytes[]> {
  return loaded === null ? [] : await Array.fromAsync(loaded.states());
}

describe("CheckpointLog", () => {
  test("has nothing before the first commit, then the newest with its chain of state", async () => {
    const { open } = await setUp();
    expect(await open().load()).toBeNull();
    const log = open();
    for (const n of [1, 2, 3]) await log.commit(commitOf(n));
    const loaded = await open().load();
    expect(loaded).toMatchObject({
      publishPosition: 3,
      cursors: [{ topicNumber: 1, partition: 0, nextOffset: 30 }],
    });
    expect(await statesOf(loaded)).toEqual([
      { kind: "full", bytes: new Uint8Array([1, 1]) },
      { kind: "delta", bytes: new Uint8Array([2, 2]) },
      { kind: "delta", bytes: new Uint8Array([3, 3]) },
    ]);
  });

  test("goes on committing after it was loaded", async () => {
    const { open } = await setUp();
    await open().commit(commitOf(1));
    for (const n of [2, 3]) {
      const log = open();
      await log.load();
      await log.commit(commitOf(n));
    }
    const loaded = await open().load();
    expect((await statesOf(loaded)).map(({ bytes }) => bytes[0])).toEqual([1, 2, 3]);
  });

  test("publishes results with the commit, and offsets as a consumer group's", async () => {
    const { open, output } = await setUp();
    const offset = {
      ...{ topicNumber: output.topicNumber, partition: 0, committedOffset: 7 },
      ...{ leaderEpoch: -1, metadata: "" },
    };
    await open().commit(commitOf(1, { results: [result(output, "a")], offsets: [offset] }));
    expect(await valuesOf(output)).toEqual(["a"]);
    const [rows] = await stack.database.batch(
      [{ sql: "SELECT group_id, committed_offset FROM group_offset", args: [] }],
      "read",
    );
    expect(rows?.rows).toEqual([["q", 7]]);
  });

  test("keeps large state in records of its own and deletes what is superseded", async () => {
    const { open, topic } = await setUp();
    const large = (seed: number) => createRandom(seed).bytes(6_000_000);
    const log = open();
    await log.commit(commitOf(1, { state: { kind: "full", bytes: large(1) } }));
    await log.commit(commitOf(2));
    expect((await statesOf(await open().load()))[0]?.bytes).toEqual(large(1));
    await log.commit(commitOf(3, { state: { kind: "full", bytes: large(3) } }));
    const states = await statesOf(await open().load());
    expect(states).toHaveLength(1);
    expect(states[0]?.bytes).toEqual(large(3));
    const [status] = await stack.log.status([{ topic, partition: 0 }]);
    expect(status?.logStartOffset).toBeGreaterThan(10);
  });

  test("asks for a full state when the chain has grown long", async () => {
    const { open } = await setUp();
    const log = open();
    expect(log.wantsFull).toBe(true);
    await log.commit(commitOf(1));
    for (let n = 2; !log.wantsFull; n++) await log.commit(commitOf(n));
    expect(await statesOf(await open().load())).toHaveLength(61);
  });

  test("a state in several parts is one, and its deltas are counted against all of it", async () => {
    const { open, topic } = await setUp();
    const log = open();
    const part = (kind: "full" | "delta", n: number, size: number) => ({
      kind,
      bytes: new Uint8Array(size).fill(n),
    });
    await log.commit(commitOf(1));
    await log.store(part("full", 1, 700_000));
    await log.store(part("delta", 2, 300_000));
    await log.commit(commitOf(2, { state: part("delta", 3, 100) }));
    const bytes = async () =>
      (await statesOf(await open().load())).map((each) => [each.kind, each.bytes[0]]);
    expect(await bytes()).toEqual([
      ["full", 1],
      ["delta", 2],
      ["delta", 3],
    ]);
    // What was before it went.
    const [status] = await stack.log.status([{ topic, partition: 0 }]);
    expect(status?.logStartOffset).toBe(1);
    expect(log.wantsFull).toBe(false);
    const next = open();
    await next.load();
    expect(next.wantsFull).toBe(false);
    await next.store(part("delta", 4, 900_000));
    await next.commit(commitOf(3, { state: part("delta", 5, 200_000) }));
    expect(next.wantsFull).toBe(true);
    expect((await bytes()).map(([, n]) => n)).toEqual([1, 2, 3, 4, 5]);
  });

  test("parts without the commit behind them are nothing", async () => {
    const { open } = await setUp();
    await open().commit(commitOf(1));
    const dying = open();
    await dying.load();
    await dying.store({ kind: "full", bytes: new Uint8Array(600_000) });
    const log = open();
    expect(await statesOf(await log.load())).toHaveLength(1);
    await log.commit(commitOf(2));
    expect(await statesOf(await open().load())).toHaveLength(2);
  });

  test("publishes results beyond a group's bound over several commits, in order", async () => {
    const { open, output } = await setUp();
    const values = Array.from({ length: 12 }, (_, n) => `r${n}`.padEnd(8, "."));
    const results = values.map((value) => result(output, value, 500_000));
    const log = open();
    await log.commit(commitOf(1, { results }));
    expect(await valuesOf(output)).toEqual(values);
    await log.commit(commitOf(2, { results: [result(output, "after...")] }));
    expect(await valuesOf(output)).toEqual([...values, "after..."]);
  });

  test("publishes results that were stored a part at a time, before a state in parts", async () => {
    const { open, output } = await setUp();
    const log = open();
    const values = Array.from({ length: 9 }, (_, n) => `r${n}`.padEnd(8, "."));
    const store = (of: CheckpointLog, some: readonly string[]) =>
      of.storeResults(some.map((value) => result(output, value, 500_000)));
    await store(log, values.slice(0, 4));
    await store(log, values.slice(4, 8));
    await store(log, values.slice(8));
    await log.store({ kind: "full", bytes: new Uint8Array(600_000) });
    expect(await valuesOf(output)).toEqual([]);
    await log.commit(commitOf(1, { state: { kind: "delta", bytes: new Uint8Array([1]) } }));
    expect(await valuesOf(output)).toEqual(values);
    // Of another that ends before its commit nothing is seen.
    const dying = open();
    await dying.load();
    await store(dying, ["never..."]);
    const next = open();
    expect((await statesOf(await next.load())).map(({ bytes }) => bytes.length)).toEqual([
      600_000, 1,
    ]);
    await store(next, ["after..."]);
    await next.commit(commitOf(2));
    expect(await valuesOf(output)).toEqual([...values, "after..."]);
  });

  test("goes on publishing results that a crash left waiting, each once", async () => {
    const { open, output, topic } = await setUp();
    const values = Array.from({ length: 12 }, (_, n) => `r${n}`.padEnd(8, "."));
    const results = values.map((value) => result(output, value, 500_000));
    // The process ends after the group that follows the given number of groups.
    for (const groupsBefore of [3, 4, 5, 6, 7]) {
      const { appendGroup } = stack.log;
      let groups = 0;
      const dying = open();
      await dying.load();
      stack.log.appendGroup = (group) =>
        groups++ < groupsBefore
          ? appendGroup.call(stack.log, group)
          : Promise.reject(new Error("the process ends"));
      const before = await valuesOf(output);
      await dying.commit(commitOf(1, { results })).catch(() => {});
      stack.log.appendGroup = appendGroup;
      await open().load();
      const added = (await valuesOf(output)).slice(before.length);
      expect([[], values]).toContainEqual(added);
    }
    expect(topic.name).toBe("checkpoints" as typeof topic.name);
  });

  test("publishes nothing for a task whose lease is another's", async () => {
    const { open, output, lease } = await setUp();
    const stale = open();
    await stale.commit(commitOf(1));
    await releaseLease(stack.database, lease);
    const commit = stale.commit(commitOf(2, { results: [result(output, "stale")] }));
    await expect(commit).rejects.toMatchObject({ code: "guard_failed" });
    expect(await valuesOf(output)).toEqual([]);
  });
});
