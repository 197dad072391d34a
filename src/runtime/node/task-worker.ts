/**
 * Entry of a query's thread: one task at a time, which answers requests in the order in which they
 * come.
 */
import { tmpdir } from "node:os";
import { join } from "node:path";
import { silentLogger } from "../../base/log.ts";
import { LocalTask } from "../../pipeline/local-task.ts";
import type { TaskReply } from "../../pipeline/task-protocol.ts";
import { memoryBytesMin, SqliteHost } from "../../sql/sqlite/host.ts";
import type { SqlModules } from "../../sql/sqlite/modules.ts";
import { toThreadError } from "./libsql-thread.ts";
import { createPlatform } from "./platform.ts";
import { ScratchFile } from "./scratch-file.ts";
import { SharedViews } from "./shared-names.ts";
import { type TaskAnswer, type TaskMessage, unpackPublishes } from "./task-messages.ts";

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

const scope = globalThis as unknown as ThreadScope;
const platform = createPlatform({ log: silentLogger });
const views = new SharedViews();
let task: LocalTask | null = null;
/** Of the task that runs. */
const scratchFiles: ScratchFile[] = [];
let endedTasks = 0;

scope.onmessage = ({ data }) => {
  const buffer = data.kind === "publishes" ? data.buffer : null;
  const back = buffer === null ? [] : [buffer];
  try {
    const isReusable = data.kind === "end" && endTask();
    const reply = answer(data);
    const given = (reply?.outputs ?? []).map(({ bytes }) => bytes.buffer as ArrayBuffer);
    if (reply?.state != null) given.push(reply.state.buffer as ArrayBuffer);
    scope.postMessage({ reply, error: null, buffer, isReusable }, [...back, ...given]);
  } catch (error) {
    const failure = { reply: null, error: toThreadError(error), isReusable: false };
    scope.postMessage({ ...failure, buffer }, back);
  }
};

function answer(message: TaskMessage): TaskReply | null {
  if (message.stored !== undefined) task?.giveBack(message.stored);
  switch (message.kind) {
    case "prepare":
      warm(message.modules);
      return null;
    case "start": {
      if (endedTasks >= endedTasksMax) collect();
      task = new LocalTask({ platform, modules: message.modules, openScratch }, message.setup);
      return null;
    }
    case "end":
      return null;
    case "publishes":
      return running().answer({
        ...{ kind: "publishes", drains: message.drains },
        publishes: unpackPublishes(message, views),
      });
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
