/** Entry of a query's thread: one task, which answers requests in the order in which they come. */
import { tmpdir } from "node:os";
import { join } from "node:path";
import { silentLogger } from "../../base/log.ts";
import { LocalTask } from "../../pipeline/local-task.ts";
import type { TaskReply } from "../../pipeline/task-protocol.ts";
import { toThreadError } from "./libsql-thread.ts";
import { createPlatform } from "./platform.ts";
import { ScratchFile } from "./scratch-file.ts";
import { type TaskAnswer, type TaskMessage, unpackPublishes } from "./task-messages.ts";

interface ThreadScope {
  onmessage: ((event: MessageEvent<TaskMessage>) => void) | null;
  postMessage(answer: TaskAnswer, transfer: ArrayBuffer[]): void;
}

const scope = globalThis as unknown as ThreadScope;
let task: LocalTask | null = null;

scope.onmessage = ({ data }) => {
  const buffer = data.kind === "publishes" ? data.buffer : null;
  const back = buffer === null ? [] : [buffer];
  try {
    const reply = answer(data);
    const given = (reply?.outputs ?? []).map(({ bytes }) => bytes.buffer as ArrayBuffer);
    if (reply?.state != null) given.push(reply.state.buffer as ArrayBuffer);
    scope.postMessage({ reply, error: null, buffer }, [...back, ...given]);
  } catch (error) {
    scope.postMessage({ reply: null, error: toThreadError(error), buffer }, back);
  }
};

function answer(message: TaskMessage): TaskReply | null {
  if (message.kind === "start") {
    const platform = createPlatform({ log: silentLogger });
    const openScratch = () => new ScratchFile(join(tmpdir(), `millrace-${crypto.randomUUID()}`));
    task = new LocalTask({ platform, modules: message.modules, openScratch }, message.setup);
    return null;
  }
  if (task === null) throw new Error("Broken invariant: the task has started");
  if (message.stored !== undefined) task.giveBack(message.stored);
  if (message.kind !== "publishes") return task.answer(message);
  return task.answer({ kind: "publishes", publishes: unpackPublishes(message) });
}
