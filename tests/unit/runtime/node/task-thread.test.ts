import { describe, expect, test } from "bun:test";
import { mkdtemp, open, rm, truncate } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pooledBytes } from "../../../../src/base/buffer-pool.ts";
import { silentLogger } from "../../../../src/base/log.ts";
import type { StreamError } from "../../../../src/base/stream-error.ts";
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

  /** Requests with `count` batches of 1 000 records, as a folder's file holds them. */
  async function storedRequests(directory: string, count: number) {
    const file: Uint8Array[] = [];
    const requests: TaskRequest[] = [];
    let position = 0;
    for (let index = 0; index < count; index++) {
      const records = Array.from({ length: 1_000 }, () => ({
        ...{ timestamp: 1_000, key: null },
        value: new TextEncoder().encode(`{"auction":${index % 3}${" ".repeat(200)}}`),
      }));
      const bytes = encodeBatch({ records, codec: "none", baseOffset: 7 }, platform);
      const [baseOffset, lastOffset] = [1_000 * index, 1_000 * index + 999];
      const where = { key: "segments/one", position, length: bytes.length };
      const place = { ...where, baseOffset, lastOffset };
      const run = { topic: "bids", partition: 0, fromOffset: baseOffset, batches: [], place };
      const publish = { publishedAt: 1_000, runs: [run], created: [] };
      requests.push({ kind: "publishes", publishes: [publish] });
      file.push(bytes);
      position += bytes.length;
    }
    file.push(new Uint8Array(4096 - (position % 4096)));
    await Bun.write(`${directory}/segments/one`, new Blob(file as Uint8Array<ArrayBuffer>[]));
    return requests;
  }

  async function withFolder(use: (directory: string) => Promise<void>): Promise<void> {
    const directory = await mkdtemp(join(tmpdir(), "millrace-task-"));
    try {
      await use(directory);
    } finally {
      await rm(directory, { recursive: true });
    }
  }

  test("reads by itself what it is given places of, in the order of requests", async () => {
    await withFolder(async (directory) => {
      const requests = await storedRequests(directory, 60);
      const thread = new TaskThread();
      await thread.start(setupOf(counting), modules, { directory });
      const replies = requests.map((request) => thread.send(request));
      const committed = thread.send({ kind: "commit", state: "full" });
      const rowsIn = (await Promise.all(replies)).map(({ statistics }) => statistics.rowsIn);
      expect(rowsIn).toEqual(requests.map((_, index) => 1_000 * (index + 1)));
      const { outputs } = await committed;
      expect(await thread.endTask()).toBe(true);
      const text = outputs.map(({ bytes }) => new TextDecoder().decode(bytes)).join();
      for (const auction of [0, 1, 2]) expect(text).toContain(`{"auction":${auction},"n":20000}`);
      // The next task of the thread reads another folder.
      await withFolder(async (other) => {
        const [only] = await storedRequests(other, 1);
        await thread.start(setupOf(counting), modules, { directory: other });
        const reply = await thread.send(only as TaskRequest);
        expect(reply.statistics.rowsIn).toBe(1_000);
        thread.close();
      });
    });
  });

  test("a place that cannot be read is the last: nothing is committed without it", async () => {
    for (const [damage, code] of [
      [async (path: string) => rm(path), "object_missing"],
      [async (path: string) => truncate(path, 300_000), "corrupt_segment"],
      [
        async (path: string) => {
          const file = await open(path, "r+");
          await file.write("!", 100_000);
          await file.close();
        },
        "corrupt_segment",
      ],
    ] as const) {
      await withFolder(async (directory) => {
        const requests = await storedRequests(directory, 2);
        await damage(`${directory}/segments/one`);
        const thread = new TaskThread();
        await thread.start(setupOf(counting), modules, { directory });
        const sent = [...requests, { kind: "commit", state: "full" } as const].map((request) =>
          thread.send(request).then(
            () => "answered",
            (error: StreamError) => error.code,
          ),
        );
        expect((await Promise.all(sent)).at(-1)).toBe(code);
        expect(thread.isSound).toBe(false);
        thread.close();
      });
    }
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
