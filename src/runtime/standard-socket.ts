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

/** Joins the two; a socket that is open already is opened for the handler at once. */
export function joinSocket(socket: StandardSocket, handler: SocketHandler): void {
  const ours: MessageSocket = {
    get bufferedBytes() {
      return socket.bufferedAmount ?? 0;
    },
    send(message) {
      if (socket.readyState === open) socket.send(message as string | Uint8Array<ArrayBuffer>);
    },
    close(code, reason) {
      if (socket.readyState <= open) socket.close(code, reason);
    },
  };
  let isClosed = false;
  const close = () => {
    if (!isClosed) handler.closed();
    isClosed = true;
  };
  socket.binaryType = "arraybuffer";
  socket.addEventListener("message", ({ data }) => {
    if (typeof data === "string") handler.received(data);
    else if (data instanceof ArrayBuffer) handler.received(new Uint8Array(data));
  });
  socket.addEventListener("close", close);
  // An error closes the socket; workerd says so once, in one way or the other.
  socket.addEventListener("error", close);
  if (socket.readyState === open) handler.opened(ours);
  else socket.addEventListener("open", () => handler.opened(ours));
}
