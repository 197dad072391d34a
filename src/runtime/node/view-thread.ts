/**
 * The tables of all views of a worker in one thread of their own: a pull waits neither for a
 * query's next batch nor for what the event loop is doing, and never holds either up.
 */
import type { StartViews, ViewHost, ViewReply, ViewRequest } from "../../pipeline/view-protocol.ts";
import { fromThreadError } from "./libsql-thread.ts";
import { threadFile } from "./thread-files.ts";
import type { ViewAnswer, ViewMessage } from "./view-messages.ts";

interface Waiting {
  readonly resolve: (reply: ViewReply) => void;
  readonly reject: (error: Error) => void;
}

export const startViewThread: StartViews = async () => new ViewThread();

class ViewThread implements ViewHost {
  readonly #thread: Worker;
  readonly #waiting = new Map<number, Waiting>();
  #nextId = 1;
  #end: Error | null = null;

  constructor() {
    this.#thread = new Worker(threadFile("view-worker"), { type: "module" });
    this.#thread.onmessage = (event: MessageEvent<ViewAnswer>) => this.#settle(event.data);
    this.#thread.onerror = (event) => {
      event.preventDefault();
      this.#lose(new Error(`The thread of the views failed: ${event.message}`));
    };
  }

  send(request: ViewRequest): Promise<ViewReply> {
    if (this.#end !== null) return Promise.reject(this.#end);
    return new Promise((resolve, reject) => {
      const id = this.#nextId++;
      this.#waiting.set(id, { resolve, reject });
      if (request.kind !== "apply") {
        this.#thread.postMessage({ id, request } satisfies ViewMessage);
        return;
      }
      // The log takes its buffers back as soon as this returns: the thread gets copies to keep.
      const chunks = request.chunks.map((chunk) => chunk.slice());
      const message: ViewMessage = { id, request: { ...request, chunks } };
      this.#thread.postMessage(
        message,
        chunks.map(({ buffer }) => buffer),
      );
    });
  }

  get hasEnded(): boolean {
    return this.#end !== null;
  }

  close(): void {
    this.#lose(new Error("The thread of the views was closed"));
  }

  #settle({ id, reply, error }: ViewAnswer): void {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (error !== null) waiting?.reject(fromThreadError(error));
    else if (reply !== null) waiting?.resolve(reply);
  }

  #lose(reason: Error): void {
    if (this.#end !== null) return;
    this.#end = reason;
    this.#thread.terminate();
    for (const { reject } of this.#waiting.values()) reject(reason);
    this.#waiting.clear();
  }
}
