import { describe, expect, test } from "bun:test";
import { pooledBytes } from "../../../../src/base/buffer-pool.ts";
import { silentLogger } from "../../../../src/base/log.ts";
import { querySettingsDefault } from "../../../../src/pipeline/query-definition.ts";
import { shapeOf } from "../../../../src/pipeline/query-maker.ts";
import type { TaskRequest, TaskSetup } from "../../../../src/pipeline/task-protocol.ts";
import { encodeBatch } from "../../../../src/record/batch-encode.ts";
import { decodeRecords } from "../../../../src/record/batch-records.ts";
import { createPlatform } from "../../../../src/runtime/node/platform.ts";
import { TaskThread } from "../../../../src/runtime/node/task-thread.ts";
import { loadSqlModules } from "../../../../src/runtime/node/wasm-modules.ts";
import { planToText } from "../../../../src/sql/plan/plan-text.ts";
import { TestCatalog } from "../../../support/sql-catalog.ts";

const platform = createPlatform({ log: silentLogger });

function setupOf(sql: string, options: Partial<TaskSetup> = {}): TaskSetup {
  const catalog = new TestCatalog("CREATE STREAM bids (auction BIGINT)");
  const plan = catalog.plan(sql);
  return {
    ...{ plan: planToText(plan), shape: shapeOf(plan.root, null), isBounded: false, states: [] },
    ...querySettingsDefault,
    partitions: [{ topic: "bids", partition: 0 }],
    ...options,
  };
}

function publishOf(offset: number, texts: readonly string[]): TaskRequest {
  const records = texts.map((text) => ({
    ...{ timestamp: 1_000, key: null, value: new TextEncoder().encode(text) },
  }));
  const batch = encodeBatch({ records, codec: "none", baseOffset: offset }, platform);
  const run = { topic: "bids", partition: 0, fromOffset: offset, batches: [batch] };
  return { kind: "publishes", publishes: [{ publishedAt: 1_000, runs: [run], created: [] }] };
}

const modules = loadSqlModules();

async function startTaskThread(setup: TaskSetup): Promise<TaskThread> {
  const thread = new TaskThread();
  await thread.start(setup, modules);
  return thread;
}

const counting = "SELECT auction, COUNT(*) AS n FROM bids GROUP BY auction";

describe("TaskThread", () => {
  test("runs a task that commits, and goes on from its state in another thread", async () => {
    const one = await startTaskThread(setupOf(counting));
    await one.send(publishOf(0, ['{"auction":1}', '{"auction":1}']));
    const { state } = await one.send({ kind: "commit", state: "full" });
    one.close();
    const restored = { kind: "full" as const, bytes: state ?? new Uint8Array() };
    const other = await startTaskThread(setupOf(counting, { isRestored: true }));
    await other.send({ kind: "restore", state: restored });
    await other.send({ kind: "restore", state: null });
    await other.send(publishOf(2, ['{"auction":1}']));
    const { outputs } = await other.send({ kind: "commit", state: "delta" });
    other.close();
    const text = new TextDecoder().decode(outputs[0]?.bytes);
    expect(text).toContain('{"auction":1,"n":3}');
  });

  test("batches that were stored lend their memory to later ones", async () => {
    const thread = await startTaskThread(setupOf("SELECT auction FROM bids"));
    const numbers = Array.from({ length: 10_000 }, (_, index) => index);
    const made: (readonly number[])[] = [];
    let last = new Uint8Array();
    for (let round = 0; round < 3; round++) {
      const rows = numbers.map((each) => `{"auction":${each + round}}`);
      await thread.send(publishOf(round * rows.length, rows));
      // The message took what was given back with it.
      if (round > 0) expect(last.length).toBe(0);
      const { outputs } = await thread.send({ kind: "commit", state: "full" });
      last = outputs[0]?.bytes as Uint8Array<ArrayBuffer>;
      const options = { codecs: platform.codecs, sizeMax: 1e8 };
      const values = [...decodeRecords(last, options)].map(({ value }) => value);
      made.push(
        values.map((value) => JSON.parse(new TextDecoder().decode(value ?? undefined)).auction),
      );
      expect(last.buffer.byteLength).toBe(pooledBytes(last.length));
      thread.giveBack(outputs.map(({ bytes }) => bytes));
    }
    thread.close();
    expect(made).toEqual([0, 1, 2].map((round) => numbers.map((each) => each + round)));
  });

  test("a request that failed is the last: the others fail as it did", async () => {
    const thread = await startTaskThread(setupOf(counting));
    const torn = publishOf(0, ['{"auction":1}']);
    if (torn.kind !== "publishes") throw new Error("publishes");
    // A record that says it is longer than its batch.
    torn.publishes[0]?.runs[0]?.batches[0]?.fill(0x7e, 61, 62);
    const failed = thread.send(torn).then(
      () => "answered",
      (error: Error) => error.message,
    );
    const after = thread.send({ kind: "commit", state: "full" }).then(
      () => "answered",
      (error: Error) => error.message,
    );
    expect(await failed).not.toBe("answered");
    expect(await after).toBe(await failed);
    thread.close();
  });

  test("a state that is none keeps the task from starting", async () => {
    const states = [{ kind: "full" as const, bytes: new Uint8Array([1]) }];
    const thread = new TaskThread();
    await expect(thread.start(setupOf(counting, { states }), modules)).rejects.toMatchObject({
      code: "corrupt_state",
    });
    expect(thread.isSound).toBe(false);
    thread.close();
  });

  test("what waits when it is closed fails", async () => {
    const thread = await startTaskThread(setupOf(counting));
    const waiting = thread.send({ kind: "commit", state: "full" });
    thread.close();
    await expect(waiting).rejects.toThrow("was closed");
    await expect(thread.send({ kind: "finish" })).rejects.toThrow("was closed");
  });

  test("a task that has ended leaves a thread for another, which knows nothing of it", async () => {
    const thread = await startTaskThread(setupOf(counting));
    await thread.send(publishOf(0, ['{"auction":1}']));
    expect(await thread.endTask()).toBe(true);
    await thread.start(setupOf(counting), modules);
    await thread.send(publishOf(0, ['{"auction":1}']));
    const { outputs } = await thread.send({ kind: "commit", state: "full" });
    thread.close();
    expect(new TextDecoder().decode(outputs[0]?.bytes)).toContain('{"auction":1,"n":1}');
  });

  test("a task that took much memory ends with its thread", async () => {
    const texts = "SELECT auction, name, COUNT(*) AS n FROM bids GROUP BY auction, name";
    const catalog = new TestCatalog("CREATE STREAM bids (auction BIGINT, name STRING)");
    const plan = catalog.plan(texts);
    const shape = shapeOf(plan.root, null);
    const setup = setupOf(counting, { plan: planToText(plan), shape });
    const thread = await startTaskThread(setup);
    for (let round = 0; round < 10; round++) {
      const large = Array.from({ length: 8 }, (_, index) =>
        JSON.stringify({ auction: 8 * round + index, name: "x".repeat(1024 * 1024) }),
      );
      await thread.send(publishOf(8 * round, large));
    }
    expect(await thread.endTask()).toBe(false);
    thread.close();
  });
});
