/**
 * The threads of query tasks. A thread takes 60 ms to start and its code a second to become fast,
 * so a few are kept: one that is ready before a query needs it, and those whose tasks have ended.
 * What has failed, or has become large, is not used again.
 */
import type { Timers } from "../../base/platform.ts";
import type {
  StartTask,
  TaskHandle,
  TaskReply,
  TaskRequest,
} from "../../pipeline/task-protocol.ts";
import type { SqlModules } from "../../sql/sqlite/modules.ts";
import type { SegmentFolder } from "./task-messages.ts";
import { TaskThread } from "./task-thread.ts";
import { compileSqlModules } from "./wasm-modules.ts";

/** Threads without a task; each takes some 20 MB, which the watch of resident memory counts. */
const idleThreadsMax = 2;
/** A query that has just started has the processors to itself for so long. */
const refillMs = 3000;

/** A thread without a task, and whether it can have one: false where ending the last one failed. */
interface Idle {
  readonly thread: TaskThread;
  readonly isReady: Promise<boolean>;
}

export class TaskThreads {
  readonly #timers: Timers;
  readonly #folder: SegmentFolder | null;
  readonly #idle: Idle[] = [];
  readonly #closing = new AbortController();
  /** Compiled once for all threads: their code, as it gets faster, is shared too. */
  #modules: Promise<SqlModules> | undefined;
  #isRefilling = false;
  /** Threads that have a task, or are about to. */
  readonly #lent = new Set<TaskThread>();

  /** `folder`: where tasks may read segments by themselves; null: they are given them. */
  constructor(timers: Timers, folder: SegmentFolder | null = null) {
    this.#timers = timers;
    this.#folder = folder;
  }

  /** Threads that wait for a task. */
  get idleCount(): number {
    return this.#idle.length;
  }

  /** What tasks hold: resident, and not for the event loop's collector to free. */
  get memoryBytes(): number {
    let bytes = 0;
    for (const { memoryBytes } of this.#lent) bytes += memoryBytes;
    return bytes;
  }

  /** Starts a task in a thread of its own, which has succeeded when this resolves. */
  readonly start: StartTask = async (setup) => {
    this.#refuseClosed();
    const thread = (await this.#takeIdle()) ?? new TaskThread();
    this.#lent.add(thread);
    try {
      await thread.start(setup, await this.#compiled(), this.#folder);
      this.#refuseClosed();
    } catch (error) {
      this.#lent.delete(thread);
      thread.close();
      throw error;
    }
    if (!setup.isBounded) void this.#refill();
    const readsPlaces = this.#folder !== null;
    return new LentThread(thread, { readsPlaces, release: () => this.#takeBack(thread) });
  };

  /** Makes a thread ready where none is: a query is likely to come. */
  prepare(): void {
    if (this.#idle.length > 0 || this.#closing.signal.aborted) return;
    const thread = new TaskThread();
    this.#keep({ thread, isReady: this.#prepared(thread) });
  }

  async #prepared(thread: TaskThread): Promise<boolean> {
    await thread.prepare(await this.#compiled());
    return true;
  }

  /** Closes the threads without a task; those that have one are closed as it ends. */
  close(): void {
    this.#closing.abort();
    for (const { thread } of this.#idle.splice(0)) thread.close();
  }

  #compiled(): Promise<SqlModules> {
    this.#modules ??= compileSqlModules();
    return this.#modules;
  }

  /** The warmest: the one that was given back last. */
  async #takeIdle(): Promise<TaskThread | undefined> {
    for (let idle = this.#idle.pop(); idle !== undefined; idle = this.#idle.pop()) {
      if (await idle.isReady) return idle.thread;
      idle.thread.close();
    }
    return undefined;
  }

  #takeBack(thread: TaskThread): void {
    this.#lent.delete(thread);
    const isKept = this.#idle.length < idleThreadsMax && !this.#closing.signal.aborted;
    if (isKept && thread.isSound) {
      this.#keep({ thread, isReady: thread.endTask() });
    } else thread.close();
  }

  #keep(idle: Idle): void {
    const isReady = idle.isReady.catch(() => false);
    const kept = { ...idle, isReady };
    this.#idle.push(kept);
    void isReady.then((isGood) => {
      const place = this.#idle.indexOf(kept);
      // Taken meanwhile: whoever has it sees to it.
      if (isGood || place < 0) return;
      this.#idle.splice(place, 1);
      kept.thread.close();
    });
  }

  /** The next query finds a thread too. */
  async #refill(): Promise<void> {
    if (this.#isRefilling) return;
    this.#isRefilling = true;
    await this.#timers.sleep(refillMs, this.#closing.signal);
    this.#isRefilling = false;
    this.prepare();
  }

  #refuseClosed(): void {
    if (this.#closing.signal.aborted) throw new Error("The threads of queries are closed");
  }
}

/** A thread for the life of a task. */
class LentThread implements TaskHandle {
  readonly readsPlaces: boolean;
  readonly #thread: TaskThread;
  readonly #release: () => void;
  #isClosed = false;

  constructor(
    thread: TaskThread,
    options: { readonly readsPlaces: boolean; readonly release: () => void },
  ) {
    this.#thread = thread;
    this.readsPlaces = options.readsPlaces;
    this.#release = options.release;
  }

  async send(request: TaskRequest): Promise<TaskReply> {
    if (this.#isClosed) throw new Error("The thread of a query was closed");
    return this.#thread.send(request);
  }

  giveBack(batches: readonly Uint8Array[]): void {
    if (!this.#isClosed) this.#thread.giveBack(batches);
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#release();
  }
}
