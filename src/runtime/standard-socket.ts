/** MessageSocket over the WebSocket of the HTML standard, as Deno and workerd have it. */
import type { MessageSocket, SocketHandler } from "../base/message-socket.ts";

/** What is used of it. */
export interface StandardSocket {
  readonly readyState: number;
  /** Not on workerd. */
  readonly bufferedAmount?: number;
  binaryType?: string;
  send(message: string | Uint8Array<ArrayBuffer>): void;
  close(code: number, reason: string): void;
  addEventListener(
    type: "open" | "message" | "close" | "error",
    listener: (event: { readonly data?: unknown }) => void,
  ): void;
}

const open = 1;
const leaveBytesPerSecond = 1024 * 1024;
const unheardBytesMax = 32 * 1024 * 1024;

/**
 * What was sent since the client last said something, for a runtime that does not tell what waits
 * to leave. It is taken to leave at a slow line's speed; a client that is slower than that, and
 * asks for much at once, loses its socket before it takes the memory.
 */
class Unheard {
  readonly #now: () => number;
  #startedAt = 0;
  bytes = 0;

  constructor(now: () => number) {
    this.#now = now;
  }

  add(bytes: number): void {
    if (this.bytes === 0) this.#startedAt = this.#now();
    this.bytes += bytes;
  }

  clear(): void {
    this.bytes = 0;
  }

  get waitingBytes(): number {
    const leftBytes = ((this.#now() - this.#startedAt) / 1000) * leaveBytesPerSecond;
    return Math.max(0, this.bytes - leftBytes);
  }
}

/** Sends and closes; `heard` says that the client has sent something. `now` in milliseconds. */
export function messageSocket(
  socket: StandardSocket,
  now: () => number,
): { readonly ours: MessageSocket; readonly heard: () => void } {
  const unheard = new Unheard(now);
  const ours: MessageSocket = {
    get bufferedBytes() {
      return socket.bufferedAmount ?? unheard.waitingBytes;
    },
    send(message) {
      if (socket.readyState !== open) return;
      unheard.add(message.length);
      socket.send(message as string | Uint8Array<ArrayBuffer>);
      const isTooMuch = socket.bufferedAmount === undefined && unheard.bytes > unheardBytesMax;
      if (isTooMuch) socket.close(1008, "nothing was heard for too long: ask for less at a time");
    },
    close(code, reason) {
      if (socket.readyState <= open) socket.close(code, reason);
    },
  };
  return { ours, heard: () => unheard.clear() };
}

/**
 * Joins the two; a socket that is open already is opened for the handler at once. `now` in
 * milliseconds.
 */
export function joinSocket(
  socket: StandardSocket,
  handler: SocketHandler,
  now: () => number = () => Date.now(),
): void {
  const { ours, heard } = messageSocket(socket, now);
  let isClosed = false;
  const close = () => {
    if (!isClosed) handler.closed();
    isClosed = true;
  };
  socket.binaryType = "arraybuffer";
  socket.addEventListener("message", ({ data }) => {
    heard();
    if (typeof data === "string") handler.received(data);
    else if (data instanceof ArrayBuffer) handler.received(new Uint8Array(data));
  });
  socket.addEventListener("close", close);
  // An error closes the socket; workerd says so once, in one way or the other.
  socket.addEventListener("error", close);
  if (socket.readyState === open) handler.opened(ours);
  else socket.addEventListener("open", () => handler.opened(ours));
}
