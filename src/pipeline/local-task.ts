/** A query task in this thread: what worker threads run, and tests and Durable Objects directly. */

import { present } from "../base/assert.ts";
import { BufferPool } from "../base/buffer-pool.ts";
import type { Platform } from "../base/platform.ts";
import { StreamError } from "../base/stream-error.ts";
import { QueryTask, type TakenPart, type TaskPublish } from "../sql/engine/query-task.ts";
import { TaskPages } from "../sql/engine/task-pages.ts";
import { planFromText } from "../sql/plan/plan-text.ts";
import { SqliteHost } from "../sql/sqlite/host.ts";
import type { SqlModules } from "../sql/sqlite/modules.ts";
import type { ScratchDisk } from "../sql/sqlite/scratch-disk.ts";
import { packState, unpackState } from "./packed-state.ts";
import type {
  PackedState,
  TaskHandle,
  TaskReply,
  TaskRequest,
  TaskSetup,
} from "./task-protocol.ts";

export interface LocalTaskParts {
  readonly platform: Platform;
  readonly modules: SqlModules;
  /** Made for each task that needs one; see `QueryTaskOptions.scratch`. */
  readonly openScratch?: () => ScratchDisk;
  /** See `QueryTaskOptions.spillBytesMax`. */
  readonly spillBytesMax?: number;
  /** What pages of tables take of memory before they go to scratch disk; see `TaskPages`. */
  readonly pageBytesMax?: number;
  /** See `QueryTaskOptions.statePagesMax`. */
  readonly statePagesMax?: number;
  /** See `QueryTaskOptions.outputBytesMax`. */
  readonly outputBytesMax?: number;
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
  readonly #parts: LocalTaskParts;
  readonly #setup: TaskSetup;
  readonly #buffers = new BufferPool(idleBytesMax);
  readonly #host: SqliteHost;
  readonly #disks: readonly ScratchDisk[];
  /** Absent while states are still to come. */
  #task: QueryTask | undefined;
  readonly #pages: TaskPages;
  /** What a request failed with: state is half changed since. */
  #failure: unknown;

  /** @throws StreamError `sql_memory_exceeded`, `corrupt_state` */
  constructor(parts: LocalTaskParts, setup: TaskSetup) {
    this.#parts = parts;
    this.#setup = setup;
    const { platform, modules, openScratch } = parts;
    const { memoryBytesMax } = setup;
    this.#host = new SqliteHost({ modules, clock: platform.clock, memoryBytesMax });
    this.#disks = openScratch === undefined ? [] : [openScratch(), openScratch()];
    this.#pages = new TaskPages(this.#host, this.#disks[0], parts.pageBytesMax);
    try {
      for (const state of setup.states) this.#restore(state);
      if (setup.isRestored !== true) this.#begin();
    } catch (error) {
      this.close();
      throw error;
    }
  }

  #restore({ kind, bytes }: PackedState): void {
    this.#pages.add({ kind, bytes: unpackState(bytes, this.#parts.platform.codecs) });
  }

  #begin(): QueryTask {
    const { platform, spillBytesMax, statePagesMax, outputBytesMax, openScratch } = this.#parts;
    const setup = this.#setup;
    const { partitionCount = 1, batchBytesMax, sideBytesMax, beganAt = 0 } = setup;
    const seed = new DataView(platform.random.bytes(8).buffer).getBigUint64(0);
    const [, spillDisk] = this.#disks;
    const task = new QueryTask({
      plan: planFromText(setup.plan),
      shape: setup.shape,
      ...{ host: this.#host, platform, seed, states: [], pages: this.#pages, stateBytesMax: 0 },
      ...(batchBytesMax !== undefined && { batchBytesMax }),
      ...(sideBytesMax !== undefined && { sideBytesMax }),
      buffers: this.#buffers,
      ...(spillDisk !== undefined && { spillDisk }),
      ...(spillBytesMax !== undefined && { spillBytesMax }),
      ...(statePagesMax !== undefined && { statePagesMax }),
      ...(outputBytesMax !== undefined && { outputBytesMax, openOutputDisk: openScratch }),
      aheadMsMax: setup.aheadMsMax,
      quietTimeoutMs: setup.quietTimeoutMs,
      ...{ isBounded: setup.isBounded, partitionCount, beganAt },
    });
    this.#task = task;
    if (this.#pages.saved.splice(0).length > 0) return task;
    for (const { topic, partition } of setup.partitions) task.addPartition(topic, partition);
    task.begin();
    return task;
  }

  /** Where it pauses, one request at a time. */
  async send(request: TaskRequest): Promise<TaskReply> {
    const { breath } = this.#parts;
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
      for (const more of this.#begun.publishInPieces(publish, () => breath.pieceRecords)) {
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

  /** One of the publishes of a request whose reply somebody else asks for. */
  take(publish: TaskPublish): void {
    if (this.#failure !== undefined) throw this.#failure;
    try {
      this.#begun.publish(publish);
    } catch (error) {
      this.#failure = error;
      throw error;
    }
  }

  /** Something that it should have taken is missing: as if a request had failed. */
  fail(error: unknown): void {
    this.#failure ??= error;
  }

  get #begun(): QueryTask {
    return present(this.#task, "a task that has begun");
  }

  #answer(request: TaskRequest): TaskReply {
    if (request.kind === "restore") {
      if (request.state !== null) this.#restore(request.state);
      return request.state === null ? replyOf(this.#begin()) : notYet;
    }
    const task = this.#begun;
    switch (request.kind) {
      case "publishes":
        for (const publish of request.publishes) task.publish(publish);
        return request.drains ? this.#replyOf(task, task.takeOutputs()) : replyOf(task);
      case "ask":
        return replyOf(task);
      case "finish":
        task.finish();
        return this.#replyOf(task, task.takeOutputs());
      case "drain":
        return this.#replyOf(task, task.takeOutputs());
      case "flush":
        return this.#replyOf(task, task.flushOutputs());
      case "commit":
        return this.#replyOf(task, task.commit(request.state));
      case "rest":
        return this.#replyOf(task, task.rest());
    }
  }

  #replyOf(task: QueryTask, { state: made, ...taken }: TakenPart): TaskReply {
    const state = made === null ? null : packState(made, this.#parts.platform.codecs);
    const committed = state === null ? null : task.committedTime;
    return replyOf(task, { ...taken, state, committed });
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
    return this.#task?.spillCount ?? 0;
  }
}

function replyOf(task: QueryTask, made: Partial<TaskReply> = {}): TaskReply {
  const { statistics, nextTickAt, isFull, outputBytes, awaitsCommit } = task;
  return {
    ...{ statistics, isFull, nextTickAt: nextTickAt ?? null, outputBytes, awaitsCommit },
    ...{ outputs: [], outputsAreLeft: false, state: null, stateIsLeft: false, committed: null },
    ...made,
  };
}

/** Of a task that has more states to come. */
const notYet: TaskReply = {
  statistics: {
    ...{ rowsIn: 0, rowsOut: 0, rowsLate: 0, rowsWrong: 0, rowsAhead: 0 },
    ...{ watermarks: [], watermarkHolders: [] },
  },
  ...{ isFull: false, nextTickAt: null, outputBytes: 0, awaitsCommit: false },
  ...{ outputs: [], outputsAreLeft: false, state: null, stateIsLeft: false, committed: null },
};
