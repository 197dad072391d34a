/**
 * A thread for query tasks, one at a time: no query stands in the way of the log. A thread whose
 * task has ended well can have another, whose code is then warm; `task-threads.ts` keeps such ones.
 */
import type {
  PackedState,
  TaskReply,
  TaskRequest,
  TaskSetup,
} from "../../pipeline/task-protocol.ts";
import type { SqlModules } from "../../sql/sqlite/modules.ts";
import { fromThreadError } from "./libsql-thread.ts";
import { SharedNames } from "./shared-names.ts";
import {
  packedBytes,
  packPublishes,
  type SegmentFolder,
  type TaskAnswer,
  type TaskMessage,
} from "./task-messages.ts";
import { threadFile } from "./thread-files.ts";

interface Waiting {
  readonly resolve: (answer: TaskAnswer) => void;
  readonly reject: (error: Error) => void;
}

/** Buffers kept for the next messages. */
const idleBuffersMax = 3;

function isOwned(bytes: Uint8Array): bytes is Uint8Array<ArrayBuffer> {
  return bytes.buffer instanceof ArrayBuffer;
}

export class TaskThread {
  readonly #thread: Worker;
  /** Requests are answered in order. */
  readonly #waiting: Waiting[] = [];
  readonly #idle: ArrayBuffer[] = [];
  readonly #names = new SharedNames();
  /** Given back, and not sent yet. */
  #stored: Uint8Array<ArrayBuffer>[] = [];
  #hasFailed = false;
  #memoryBytes = 0;
  #end: Error | null = null;

  constructor() {
    this.#thread = new Worker(threadFile("task-worker"), { type: "module" });
    this.#thread.onmessage = (event: MessageEvent<TaskAnswer>) => this.#settle(event.data);
    this.#thread.onerror = (event) => {
      event.preventDefault();
      this.#lose(new Error(`The thread of a query failed: ${event.message}`));
    };
    this.#thread.onmessageerror = () => {
      this.#lose(new Error("The thread of a query sent what cannot be read"));
    };
    // Bun tells so of a thread that ended by itself; others have no such event.
    this.#thread.addEventListener("close", () => {
      this.#lose(new Error("The thread of a query ended"));
    });
  }

  /** Loads what any task needs, ahead of the first. */
  async prepare(modules: SqlModules): Promise<void> {
    await this.#call({ kind: "prepare", modules }, []);
  }

  /** Its start, restore included, has succeeded when this resolves. */
  async start(
    setup: TaskSetup,
    modules: SqlModules,
    folder: SegmentFolder | null = null,
  ): Promise<void> {
    // Given away, as all bytes of messages are: a large state is not copied.
    const buffers = setup.states.flatMap(buffersOf);
    await this.#call({ kind: "start", setup, modules, folder }, buffers);
  }

  async send(request: TaskRequest): Promise<TaskReply> {
    const { reply } = await this.#send(request);
    if (reply === null) throw new Error("Broken invariant: a request has a reply");
    return reply;
  }

  giveBack(batches: readonly Uint8Array[]): void {
    for (const bytes of batches) if (isOwned(bytes)) this.#stored.push(bytes);
  }

  /** Whether nothing is under way, and nothing has gone wrong so far. */
  get isSound(): boolean {
    return this.#waiting.length === 0 && !this.#hasFailed && this.#end === null;
  }

  /** What its task held when it last answered: no garbage of this thread's. */
  get memoryBytes(): number {
    return this.#memoryBytes;
  }

  /** Ends the task. Gives whether the thread, whose memory is small, can have another. */
  async endTask(): Promise<boolean> {
    this.#idle.length = 0;
    this.#stored = [];
    const { isReusable } = await this.#call({ kind: "end" }, []);
    return isReusable;
  }

  close(): void {
    this.#lose(new Error("The thread of a query was closed"));
  }

  #send(request: TaskRequest): Promise<TaskAnswer> {
    if (request.kind === "restore" && request.state !== null) {
      return this.#call(request, buffersOf(request.state));
    }
    if (request.kind !== "publishes") return this.#call(request, []);
    const buffer = this.#buffer(packedBytes(request.publishes));
    const packed = packPublishes(request.publishes, buffer, this.#names);
    const { drains = false } = request;
    return this.#call({ kind: "publishes", buffer, drains, ...packed }, [buffer]);
  }

  #buffer(bytes: number): ArrayBuffer {
    const index = this.#idle.findIndex(({ byteLength }) => byteLength >= bytes);
    const [found] = index < 0 ? [] : this.#idle.splice(index, 1);
    return found ?? new ArrayBuffer(Math.max(bytes, 64 * 1024));
  }

  #call(message: TaskMessage, transfer: ArrayBuffer[]): Promise<TaskAnswer> {
    return new Promise((resolve, reject) => {
      if (this.#end !== null) {
        reject(this.#end);
        return;
      }
      this.#waiting.push({ resolve, reject });
      const stored = this.#stored;
      this.#stored = [];
      const buffers = stored.map(({ buffer }) => buffer);
      this.#thread.postMessage({ ...message, stored }, [...transfer, ...buffers]);
    });
  }

  #settle(answer: TaskAnswer): void {
    const { error, buffer } = answer;
    this.#memoryBytes = answer.memoryBytes;
    if (buffer !== null) {
      this.#idle.push(buffer);
      if (this.#idle.length > idleBuffersMax) this.#idle.shift();
    }
    const waiting = this.#waiting.shift();
    if (error === null) {
      waiting?.resolve(answer);
      return;
    }
    this.#hasFailed = true;
    waiting?.reject(fromThreadError(error));
  }

  #lose(reason: Error): void {
    if (this.#end !== null) return;
    this.#end = reason;
    this.#thread.terminate();
    for (const waiting of this.#waiting.splice(0)) waiting.reject(reason);
  }
}

function buffersOf({ bytes }: PackedState): ArrayBuffer[] {
  return isOwned(bytes) && bytes.buffer.byteLength === bytes.byteLength ? [bytes.buffer] : [];
}
