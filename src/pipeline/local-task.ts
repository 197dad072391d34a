/** A query task in this thread: what worker threads run, and tests and Durable Objects directly. */
import { BufferPool } from "../base/buffer-pool.ts";
import type { Platform } from "../base/platform.ts";
import { StreamError } from "../base/stream-error.ts";
import { QueryTask, type TaskPublish } from "../sql/engine/query-task.ts";
import { planFromText } from "../sql/plan/plan-text.ts";
import { SqliteHost } from "../sql/sqlite/host.ts";
import type { SqlModules } from "../sql/sqlite/modules.ts";
import type { ScratchDisk } from "../sql/sqlite/scratch-disk.ts";
import { packState, unpackState } from "./packed-state.ts";
import type { TaskHandle, TaskReply, TaskRequest, TaskSetup } from "./task-protocol.ts";

export interface LocalTaskParts {
  readonly platform: Platform;
  readonly modules: SqlModules;
  /** Made for each task that needs one; see `QueryTaskOptions.scratch`. */
  readonly openScratch?: () => ScratchDisk;
  /** See `QueryTaskOptions.spillBytesMax`. */
  readonly spillBytesMax?: number;
  /** Absent: publishes are read without a pause. */
  readonly breath?: Breath;
}

/** Pauses of a task whose thread is not its own. */
export interface Breath {
  /** Records that are read between two of them, or a batch where that has more. */
  readonly pieceRecords: number;
  /** So many were read; resolves when others have had their turn. */
  take(records: number): Promise<void>;
}

/** Results of a commit that is made, of one that is on its way, and some. */
const idleBytesMax = 24 * 1024 * 1024;

export class LocalTask implements TaskHandle {
  readonly #task: QueryTask;
  readonly #codecs: Platform["codecs"];
  readonly #buffers = new BufferPool(idleBytesMax);
  readonly #host: SqliteHost;
  readonly #disks: readonly ScratchDisk[];
  readonly #breath: Breath | undefined;
  /** What a request failed with: state is half changed since. */
  #failure: unknown;

  /** @throws StreamError `sql_memory_exceeded`, `corrupt_state` */
  constructor(parts: LocalTaskParts, setup: TaskSetup) {
    const { platform, modules, openScratch, spillBytesMax } = parts;
    const { memoryBytesMax, partitionCount = 1, batchBytesMax, sideBytesMax, beganAt = 0 } = setup;
    this.#codecs = platform.codecs;
    this.#breath = parts.breath;
    const states = setup.states.map(({ kind, bytes }) => ({
      kind,
      bytes: unpackState(bytes, this.#codecs),
    }));
    const host = new SqliteHost({ modules, clock: platform.clock, memoryBytesMax });
    this.#host = host;
    const seed = new DataView(platform.random.bytes(8).buffer).getBigUint64(0);
    this.#disks = openScratch === undefined ? [] : [openScratch(), openScratch()];
    const [scratch, spillDisk] = this.#disks;
    try {
      this.#task = new QueryTask({
        plan: planFromText(setup.plan),
        shape: setup.shape,
        ...{ host, platform, seed, states, stateBytesMax: 0 },
        ...(batchBytesMax !== undefined && { batchBytesMax }),
        ...(sideBytesMax !== undefined && { sideBytesMax }),
        buffers: this.#buffers,
        ...(scratch !== undefined && spillDisk !== undefined && { scratch, spillDisk }),
        ...(spillBytesMax !== undefined && { spillBytesMax }),
        aheadMsMax: setup.aheadMsMax,
        quietTimeoutMs: setup.quietTimeoutMs,
        ...{ isBounded: setup.isBounded, partitionCount, beganAt },
      });
    } catch (error) {
      this.close();
      throw error;
    }
    if (states.length > 0) return;
    for (const { topic, partition } of setup.partitions) this.#task.addPartition(topic, partition);
    this.#task.begin();
  }

  /** Where it pauses, one request at a time. */
  async send(request: TaskRequest): Promise<TaskReply> {
    const breath = this.#breath;
    if (request.kind !== "publishes" || breath === undefined) return this.answer(request);
    if (this.#failure !== undefined) throw this.#failure;
    try {
      await this.#publish(request.publishes, breath);
    } catch (error) {
      this.#failure = error;
      throw error;
    }
    return this.answer({ ...request, publishes: [] });
  }

  async #publish(publishes: readonly TaskPublish[], breath: Breath): Promise<void> {
    let records = 0;
    for (const publish of publishes) {
      for (const more of this.#task.publishInPieces(publish, () => breath.pieceRecords)) {
        records += more;
        if (records < breath.pieceRecords) continue;
        await breath.take(records);
        records = 0;
      }
    }
  }

  /** @throws what the task failed with, now or in an earlier request. */
  answer(request: TaskRequest): TaskReply {
    if (this.#failure !== undefined) throw this.#failure;
    try {
      return this.#answer(request);
    } catch (error) {
      this.#failure = error;
      throw error;
    }
  }

  #answer(request: TaskRequest): TaskReply {
    switch (request.kind) {
      case "publishes":
        for (const publish of request.publishes) this.#task.publish(publish);
        return request.drains ? this.#gave(this.#task.takeOutputs()) : this.#reply();
      case "ask":
        return this.#reply();
      case "finish":
        this.#task.finish();
        return this.#gave(this.#task.takeOutputs());
      case "drain":
        return this.#gave(this.#task.takeOutputs());
      case "flush":
        return this.#gave(this.#task.flushOutputs());
      case "commit": {
        const { outputs, state } = this.#task.commit(request.state);
        const { committedTime: committed } = this.#task;
        return { ...this.#reply(), outputs, state: packState(state, this.#codecs), committed };
      }
    }
  }

  giveBack(batches: readonly Uint8Array[]): void {
    for (const bytes of batches) this.#buffers.give(bytes);
  }

  close(): void {
    this.#failure ??= new StreamError("sql_evaluation_failed", "Cannot go on: the task has ended");
    for (const disk of this.#disks) disk.close();
  }

  /** Of SQLite, kernels and rows; it never shrinks. */
  get memoryBytes(): number {
    return this.#host.memory.bytes.byteLength;
  }

  /** How often state has left memory for scratch disk. */
  get spillCount(): number {
    return this.#task.spillCount;
  }

  #gave(outputs: TaskReply["outputs"]): TaskReply {
    return { ...this.#reply(), outputs };
  }

  #reply(): TaskReply {
    const { statistics, nextTickAt, isFull, outputBytes, awaitsCommit } = this.#task;
    return {
      ...{ statistics, isFull, nextTickAt: nextTickAt ?? null, outputBytes },
      ...{ awaitsCommit, outputs: [], state: null, committed: null },
    };
  }
}
