/** A query task in this thread: what worker threads run, and tests and Durable Objects directly. */
import type { Platform } from "../base/platform.ts";
import { QueryTask } from "../sql/engine/query-task.ts";
import { planFromText } from "../sql/plan/plan-text.ts";
import { SqliteHost } from "../sql/sqlite/host.ts";
import type { SqlModules } from "../sql/sqlite/modules.ts";
import type { ScratchDisk } from "../sql/sqlite/scratch-disk.ts";
import type { TaskHandle, TaskReply, TaskRequest, TaskSetup } from "./task-protocol.ts";

export interface LocalTaskParts {
  readonly platform: Platform;
  readonly modules: SqlModules;
  /** Made for each task that needs one; see `QueryTaskOptions.scratch`. */
  readonly openScratch?: () => ScratchDisk;
}

export class LocalTask implements TaskHandle {
  readonly #task: QueryTask;

  /** @throws StreamError `sql_memory_exceeded`, `corrupt_state` */
  constructor({ platform, modules, openScratch }: LocalTaskParts, setup: TaskSetup) {
    const { memoryBytesMax, states } = setup;
    const host = new SqliteHost({ modules, clock: platform.clock, memoryBytesMax });
    const seed = new DataView(platform.random.bytes(8).buffer).getBigUint64(0);
    this.#task = new QueryTask({
      plan: planFromText(setup.plan),
      shape: setup.shape,
      ...{ host, platform, seed, states, stateBytesMax: 0 },
      ...(openScratch !== undefined && { scratch: openScratch() }),
      aheadMsMax: setup.aheadMsMax,
      quietTimeoutMs: setup.quietTimeoutMs,
      isBounded: setup.isBounded,
    });
    if (states.length > 0) return;
    for (const { topic, partition } of setup.partitions) this.#task.addPartition(topic, partition);
    this.#task.begin();
  }

  async send(request: TaskRequest): Promise<TaskReply> {
    return this.answer(request);
  }

  answer(request: TaskRequest): TaskReply {
    switch (request.kind) {
      case "publishes":
        for (const publish of request.publishes) this.#task.publish(publish);
        return this.#reply();
      case "finish":
        this.#task.finish();
        return { ...this.#reply(), outputs: this.#task.takeOutputs() };
      case "drain":
        return { ...this.#reply(), outputs: this.#task.takeOutputs() };
      case "flush": {
        const outputs = this.#task.flushOutputs();
        return { ...this.#reply(), outputs };
      }
      case "commit": {
        const { outputs, state } = this.#task.commit(request.state);
        return { ...this.#reply(), outputs, state };
      }
    }
  }

  close(): void {}

  #reply(): TaskReply {
    const { statistics, nextTickAt, isFull } = this.#task;
    return { statistics, isFull, nextTickAt: nextTickAt ?? null, outputs: [], state: null };
  }
}
