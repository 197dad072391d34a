import { afterEach, describe, expect, test } from "bun:test";
import { silentLogger } from "../../../../src/base/log.ts";
import { querySettingsDefault } from "../../../../src/pipeline/query-definition.ts";
import { shapeOf } from "../../../../src/pipeline/query-maker.ts";
import type { TaskSetup } from "../../../../src/pipeline/task-protocol.ts";
import { createPlatform } from "../../../../src/runtime/node/platform.ts";
import { TaskThreads } from "../../../../src/runtime/node/task-threads.ts";
import { planToText } from "../../../../src/sql/plan/plan-text.ts";
import { TestCatalog } from "../../../support/sql-catalog.ts";

const { timers } = createPlatform({ log: silentLogger });

function setupOf(options: Partial<TaskSetup> = {}): TaskSetup {
  const catalog = new TestCatalog("CREATE STREAM bids (auction BIGINT)");
  const plan = catalog.plan("SELECT auction, COUNT(*) AS n FROM bids GROUP BY auction");
  return {
    ...{ plan: planToText(plan), shape: shapeOf(plan.root, null), isBounded: true, states: [] },
    ...querySettingsDefault,
    partitions: [{ topic: "bids", partition: 0 }],
    ...options,
  };
}

const opened: TaskThreads[] = [];
function open(): TaskThreads {
  const threads = new TaskThreads(timers);
  opened.push(threads);
  return threads;
}

afterEach(() => {
  for (const threads of opened.splice(0)) threads.close();
});

describe("TaskThreads", () => {
  test("a thread that was made ready is the one that the next task gets", async () => {
    const threads = open();
    threads.prepare();
    threads.prepare();
    expect(threads.idleCount).toBe(1);
    const task = await threads.start(setupOf());
    expect(threads.idleCount).toBe(0);
    await task.send({ kind: "finish" });
    task.close();
  });

  test("a thread whose task has ended gets another task", async () => {
    const threads = open();
    const one = await threads.start(setupOf());
    await one.send({ kind: "finish" });
    one.close();
    one.close();
    expect(threads.idleCount).toBe(1);
    await expect(one.send({ kind: "finish" })).rejects.toThrow("was closed");
    const other = await threads.start(setupOf());
    expect(threads.idleCount).toBe(0);
    const { outputs } = await other.send({ kind: "finish" });
    expect(outputs).toEqual([]);
    other.close();
  });

  test("no more threads are kept than two", async () => {
    const threads = open();
    const tasks = await Promise.all([1, 2, 3].map(() => threads.start(setupOf())));
    for (const task of tasks) task.close();
    expect(threads.idleCount).toBe(2);
  });

  test("a thread with a request under way, or one that failed, is not kept", async () => {
    const threads = open();
    const busy = await threads.start(setupOf());
    const waiting = busy.send({ kind: "finish" });
    busy.close();
    await expect(waiting).rejects.toThrow("was closed");
    const failing = await threads.start(setupOf());
    const batches = [new Uint8Array(61)];
    const run = { topic: "bids", partition: 0, fromOffset: 0, batches };
    const publishes = [{ publishedAt: 0, runs: [run], created: [] }];
    const failure = await failing.send({ kind: "publishes", publishes }).then(
      () => "answered",
      (error: Error) => error.message,
    );
    expect(failure).toContain("magic");
    failing.close();
    expect(threads.idleCount).toBe(0);
  });

  test("closed, it keeps and starts none", async () => {
    const threads = open();
    const task = await threads.start(setupOf());
    threads.prepare();
    threads.close();
    task.close();
    threads.prepare();
    expect(threads.idleCount).toBe(0);
    await expect(threads.start(setupOf())).rejects.toThrow("are closed");
  });
});
