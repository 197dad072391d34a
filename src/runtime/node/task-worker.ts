/**
 * Entry of a query's thread: one task at a time, which answers requests in the order in which they
 * come. What requests have only places of is read ahead, those that wait included.
 */
import { tmpdir } from "node:os";
import { join } from "node:path";
import { silentLogger } from "../../base/log.ts";
import { LocalTask } from "../../pipeline/local-task.ts";
import { PublishIntake } from "../../pipeline/publish-intake.ts";
import { StretchReads, slotBytes, slotCount } from "../../pipeline/stretch-reads.ts";
import type { TaskReply } from "../../pipeline/task-protocol.ts";
import type { TaskPublish } from "../../sql/engine/query-task.ts";
import { memoryBytesMin, SqliteHost } from "../../sql/sqlite/host.ts";
import type { SqlModules } from "../../sql/sqlite/modules.ts";
import { FolderStore } from "../../store/folder-store.ts";
import { nodeFileSystem } from "./file-system.ts";
import { toThreadError } from "./libsql-thread.ts";
import { createPlatform } from "./platform.ts";
import { ScratchFile } from "./scratch-file.ts";
import { SharedViews } from "./shared-names.ts";
import {
  type SegmentFolder,
  type TaskAnswer,
  type TaskMessage,
  unpackPublishes,
} from "./task-messages.ts";

interface ThreadScope {
  onmessage: ((event: MessageEvent<TaskMessage>) => void) | null;
  postMessage(answer: TaskAnswer, transfer: ArrayBuffer[]): void;
  readonly Bun?: { gc(isSynchronous: boolean): void };
}

/** Larger memories go with their threads: a collection that comes late must not keep them. */
const keptMemoryBytesMax = 128 * 1024 * 1024;
/** The same where no collection can be asked for: several may wait for one that comes by itself. */
const uncollectedBytesMax = 32 * 1024 * 1024;
/** Ended tasks whose memory waits to be collected. */
const endedTasksMax = 4;
const collectAfterMs = 500;
const wasmPageBytes = 65_536;

const scope = globalThis as unknown as ThreadScope;
const platform = createPlatform({ log: silentLogger });
const views = new SharedViews();
let task: LocalTask | null = null;
/** Of the task that runs. */
const scratchFiles: ScratchFile[] = [];
let endedTasks = 0;
/** Made with the first place that is to be read. */
let reads: StretchReads | null = null;
let folder: SegmentFolder | null = null;
const intake = new PublishIntake(openReads);
const fileSystem = nodeFileSystem({ writes: "fast", waitedMs: () => reads?.waitedMs ?? 0 });

/** A request, and what it has to take in. */
interface Waiting {
  readonly message: TaskMessage;
  readonly publishes: readonly TaskPublish[];
}

const waiting: Waiting[] = [];
let isAnswering = false;

scope.onmessage = ({ data }) => {
  const publishes = data.kind === "publishes" ? unpackPublishes(data, views) : [];
  intake.announce(publishes);
  waiting.push({ message: data, publishes });
  if (!isAnswering) void answerAll();
};

async function answerAll(): Promise<void> {
  isAnswering = true;
  for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
    await answerOne(next);
  }
  isAnswering = false;
}

async function answerOne({ message, publishes }: Waiting): Promise<void> {
  const buffer = message.kind === "publishes" ? message.buffer : null;
  const back = buffer === null ? [] : [buffer];
  try {
    const isReusable = message.kind === "end" && endTask();
    if (publishes.length > 0) await intake.takeIn(publishes, running());
    const reply = answer(message);
    const given = (reply?.outputs ?? []).map(({ bytes }) => bytes.buffer as ArrayBuffer);
    if (reply?.state != null) given.push(reply.state.buffer as ArrayBuffer);
    const sent = { reply, error: null, buffer, isReusable, memoryBytes: memoryBytes() };
    scope.postMessage(sent, [...back, ...given]);
  } catch (error) {
    task?.fail(error);
    const failure = { reply: null, error: toThreadError(error), isReusable: false };
    scope.postMessage({ ...failure, buffer, memoryBytes: memoryBytes() }, back);
  }
}

function memoryBytes(): number {
  return (task?.memoryBytes ?? 0) + (reads?.memoryBytes ?? 0);
}

function openReads(): StretchReads {
  reads ??= new StretchReads({
    platform,
    allocate: () => new Uint8Array(readMemory().buffer),
    // An idle thread makes no garbage that would let its memory go.
    onIdle: () => scope.Bun?.gc(true),
    openStore: () => {
      if (folder === null) throw new Error("Broken invariant: places are of a folder");
      return new FolderStore({ fileSystem, ...folder, fsync: "off", log: silentLogger });
    },
  });
  return reads;
}

/** Shared, since runtimes copy between other memory of this kind and buffers of their own. */
function readMemory(): WebAssembly.Memory {
  const pages = (slotBytes * slotCount) / wasmPageBytes;
  return new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
}

function answer(message: TaskMessage): TaskReply | null {
  if (message.stored !== undefined) task?.giveBack(message.stored);
  switch (message.kind) {
    case "prepare":
      warm(message.modules);
      return null;
    case "start": {
      if (endedTasks >= endedTasksMax) collect();
      folder = message.folder;
      task = new LocalTask({ platform, modules: message.modules, openScratch }, message.setup);
      return null;
    }
    case "end":
      return null;
    case "publishes":
      // They were taken in before.
      return running().answer({ kind: "publishes", drains: message.drains, publishes: [] });
    default:
      return running().answer(message);
  }
}

function openScratch(): ScratchFile {
  const file = new ScratchFile(join(tmpdir(), `millrace-${crypto.randomUUID()}`));
  scratchFiles.push(file);
  return file;
}

function running(): LocalTask {
  if (task === null) throw new Error("Broken invariant: the task has started");
  return task;
}

/** The first SQLite of a thread takes twice as long to come up as those after it. */
function warm(modules: SqlModules): void {
  new SqliteHost({ modules, clock: platform.clock, memoryBytesMax: memoryBytesMin });
  endedTasks++;
}

/** Gives whether there can be another: where garbage cannot be collected, a thread has a few. */
function endTask(): boolean {
  const memoryBytes = task?.memoryBytes ?? 0;
  task = null;
  for (const file of scratchFiles.splice(0)) file.close();
  endedTasks++;
  setTimeout(() => {
    if (task === null) collect();
  }, collectAfterMs);
  if (scope.Bun !== undefined) return memoryBytes <= keptMemoryBytesMax;
  return memoryBytes <= uncollectedBytesMax && endedTasks < endedTasksMax;
}

function collect(): void {
  if (scope.Bun === undefined || endedTasks === 0) return;
  scope.Bun.gc(true);
  endedTasks = 0;
}
