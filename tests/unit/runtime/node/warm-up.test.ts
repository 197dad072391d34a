import { describe, expect, test } from "bun:test";
import { silentLogger } from "../../../../src/base/log.ts";
import { LocalTask } from "../../../../src/pipeline/local-task.ts";
import type { TaskReply, TaskRequest, TaskSetup } from "../../../../src/pipeline/task-protocol.ts";
import { createPlatform } from "../../../../src/runtime/node/platform.ts";
import {
  type WarmThread,
  warmUp,
  warmUpPublish,
  warmUpSetups,
} from "../../../../src/runtime/node/warm-up.ts";
import { loadSqlModules } from "../../../../src/runtime/node/wasm-modules.ts";

const platform = createPlatform({ log: silentLogger });
const impatient = { ...platform, timers: { ...platform.timers, sleep: async () => {} } };

/** Counts what it is asked for; `onSend` hears of each request. */
class CountingThread implements WarmThread {
  readonly started: TaskSetup[] = [];
  sent = 0;
  ended = 0;
  isFit = true;
  onSend = () => {};

  async start(setup: TaskSetup): Promise<void> {
    this.started.push(setup);
  }

  async send(_request: TaskRequest): Promise<TaskReply> {
    this.sent += 1;
    this.onSend();
    return { outputs: [] as readonly unknown[] } as TaskReply;
  }

  giveBack(): void {}

  async endTask(): Promise<boolean> {
    this.ended += 1;
    return this.isFit;
  }
}

describe("warmUp", () => {
  test("its queries take its records, and give results", () => {
    for (const setup of warmUpSetups()) {
      const task = new LocalTask({ platform, modules: loadSqlModules() }, setup);
      const publishes = [0, 1, 2, 3, 4, 5, 6, 7].map((step) => warmUpPublish(step, platform));
      task.answer({ kind: "publishes", publishes });
      const { statistics, outputs } = task.answer({ kind: "commit", state: "delta" });
      expect(statistics).toMatchObject({ rowsIn: 8_000, rowsWrong: 0, rowsLate: 0 });
      expect(statistics.rowsOut).toBeGreaterThan(200);
      expect(outputs.every(({ kind }) => kind === "result")).toBe(true);
    }
  });

  test("ends each task, and says whether the thread can have another", async () => {
    const thread = new CountingThread();
    const { signal } = new AbortController();
    expect(await warmUp(thread, { platform: impatient, signal })).toBe(true);
    expect(thread.started.length).toBe(warmUpSetups().length);
    expect(thread.ended).toBe(thread.started.length);
    const other = new CountingThread();
    other.isFit = false;
    expect(await warmUp(other, { platform: impatient, signal })).toBe(false);
    expect(other.ended).toBe(1);
  });

  test("stops behind the request under way when the thread is needed", async () => {
    const thread = new CountingThread();
    const needed = new AbortController();
    thread.onSend = () => {
      if (thread.sent === 3) needed.abort();
    };
    expect(await warmUp(thread, { platform: impatient, signal: needed.signal })).toBe(true);
    expect(thread.sent).toBe(3);
    expect(thread.ended).toBe(1);
  });

  test("does nothing with a thread that is needed before it begins", async () => {
    const thread = new CountingThread();
    const signal = AbortSignal.abort();
    expect(await warmUp(thread, { platform: impatient, signal })).toBe(true);
    expect(thread.started).toEqual([]);
  });
});
