/**
 * What an isolate of workerd holds, by workerd's inspector (the DevTools protocol) and by what
 * measured-worker.ts tells. In workerd on this machine all objects and the front share one isolate,
 * so this is a log object, a query's object and the front together.
 */
import type { EdgePlace } from "./edge-place.ts";

export interface IsolateMemory {
  /** V8's heap, garbage included. */
  readonly heapBytes: number;
  /** Array buffers outside of the heap. */
  readonly bufferBytes: number;
  readonly wasmBytes: number;
  readonly totalBytes: number;
}

interface HeapUsage {
  readonly totalSize: number;
  readonly backingStorageSize?: number;
  readonly embedderHeapUsedSize?: number;
}

export class IsolateInspector {
  readonly #socket: WebSocket;
  readonly #waiting = new Map<number, (result: unknown) => void>();
  #asked = 0;

  static async connect(port: number): Promise<IsolateInspector> {
    const listed = await fetch(`http://127.0.0.1:${port}/json/list`);
    const targets = (await listed.json()) as { title: string; webSocketDebuggerUrl: string }[];
    const url = targets.find(({ title }) => title.includes("core:user"))?.webSocketDebuggerUrl;
    if (url === undefined) throw new Error("The inspector does not list the Worker");
    const socket = new WebSocket(url);
    await new Promise((resolve, reject) => {
      socket.onopen = resolve;
      socket.onerror = () => reject(new Error("The inspector did not open"));
    });
    return new IsolateInspector(socket);
  }

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.onmessage = ({ data }) => {
      const { id, result } = JSON.parse(String(data)) as { id: number; result: unknown };
      this.#waiting.get(id)?.(result);
      this.#waiting.delete(id);
    };
  }

  async memory({ port }: Pick<EdgePlace, "port">): Promise<IsolateMemory> {
    const usage = (await this.#ask("Runtime.getHeapUsage")) as HeapUsage;
    const answer = await fetch(`http://127.0.0.1:${port}/measured/memory`);
    const memories = (await answer.json()) as number[];
    const wasmBytes = memories.reduce((sum, bytes) => sum + bytes, 0);
    const heapBytes = usage.totalSize + (usage.embedderHeapUsedSize ?? 0);
    const bufferBytes = usage.backingStorageSize ?? 0;
    const totalBytes = heapBytes + bufferBytes + wasmBytes;
    return { heapBytes, bufferBytes, wasmBytes, totalBytes };
  }

  close(): void {
    this.#socket.close();
  }

  #ask(method: string): Promise<unknown> {
    this.#asked += 1;
    const { promise, resolve } = Promise.withResolvers<unknown>();
    this.#waiting.set(this.#asked, resolve);
    this.#socket.send(JSON.stringify({ id: this.#asked, method }));
    return promise;
  }
}

/**
 * Asks for memory and for `/healthz`, again and again, while `act` goes on: the most memory that was
 * seen, and the longest time for which the isolate answered nobody, which is its longest step.
 */
export async function watched(
  place: Pick<EdgePlace, "port">,
  inspector: IsolateInspector,
  act: () => Promise<void>,
): Promise<{ readonly most: IsolateMemory; readonly longestStepMs: number }> {
  let most = await inspector.memory(place);
  let longestStepMs = 0;
  let isOver = false;
  const watch = async () => {
    for (let round = 0; !isOver; round++) {
      const since = performance.now();
      await (await fetch(`http://127.0.0.1:${place.port}/healthz`)).text();
      longestStepMs = Math.max(longestStepMs, performance.now() - since);
      if (round % 8 === 0) {
        const seen = await inspector.memory(place);
        if (seen.totalBytes > most.totalBytes) most = seen;
      }
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  };
  const watching = watch();
  await act().finally(() => {
    isOver = true;
  });
  await watching;
  return { most, longestStepMs };
}
