/** TCP over node:net, for Deno (and whatever else speaks node's API). */
import { createServer, type Socket } from "node:net";
import type { ByteDuplex } from "../../base/byte-duplex.ts";
import { InboxRoom, TcpInbox } from "../tcp-inbox.ts";
import {
  keepAliveDelayMs,
  lingerSeconds,
  stalledSecondsMax,
  type TcpListener,
  type TcpListenOptions,
} from "../tcp-listener.ts";
import { tcpParts } from "../tcp-parts.ts";

const keepAlive = { keepAlive: true, keepAliveInitialDelay: keepAliveDelayMs };

/**
 * Listens on `host`:`port`.
 * @throws the runtime's own error (`code` EADDRINUSE, EACCES, …) when the address cannot be bound.
 */
export async function listenTcp(options: TcpListenOptions): Promise<TcpListener> {
  const room = new InboxRoom(options.unreadBytesMax, options.onReceived);
  const server = createServer({ allowHalfOpen: true, noDelay: true, ...keepAlive }, (socket) =>
    options.onConnection(new NodeDuplex(socket, room)),
  );
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host: options.host, port: options.port, exclusive: true }, () => {
      server.off("error", reject);
      resolve();
    });
  });
  const address = server.address();
  return {
    port: typeof address === "object" && address !== null ? address.port : options.port,
    async close() {
      // Its callback waits for connections to end, which is their owners' business.
      server.close();
    },
  };
}

class NodeDuplex implements ByteDuplex {
  readonly remoteAddress: string;
  readonly incoming: TcpInbox;
  readonly #socket: Socket;
  /** Rejections of the writes that the socket has not confirmed. */
  readonly #unconfirmed = new Set<(error: Error) => void>();
  #closing = false;
  #closed = false;

  constructor(socket: Socket, room: InboxRoom) {
    this.#socket = socket;
    this.remoteAddress = `${socket.remoteAddress ?? "unknown"}:${socket.remotePort ?? 0}`;
    this.incoming = new TcpInbox(socket, room);
    socket.on("data", (chunk: Uint8Array) => this.incoming.push(chunk));
    socket.on("end", () => this.incoming.end());
    socket.on("error", (error) => this.#fail(error));
    socket.on("close", () => this.#fail());
    // Once: given to setTimeout it would be added with each write.
    socket.on("timeout", () => this.#stalled());
  }

  write(chunks: readonly Uint8Array[]): Promise<void> {
    if (this.#closed || this.#closing) return Promise.reject(connectionClosed());
    const parts = tcpParts(chunks);
    const last = parts.pop();
    if (last === undefined) return Promise.resolve();
    return new Promise((resolve, reject) => {
      this.#unconfirmed.add(reject);
      // What waits for this peer is memory that others want: it must take some in time.
      if (!this.#closing) this.#socket.setTimeout(stalledSecondsMax * 1000);
      this.#socket.cork();
      for (const part of parts) this.#socket.write(part);
      this.#socket.write(last, (error) => {
        this.#unconfirmed.delete(reject);
        if (!this.#closing && this.#unconfirmed.size === 0) this.#socket.setTimeout(0);
        if (error) reject(error);
        else resolve();
      });
      this.#socket.uncork();
    });
  }

  expect(bytes: number): void {
    this.incoming.expect(bytes);
  }

  close(): void {
    if (this.#closing) return;
    this.#closing = true;
    this.incoming.discard();
    if (this.#closed) return;
    // Unread input must not hold back the peer's end of stream, nor a peer that neither reads nor
    // closes keep the socket.
    this.#socket.resume();
    this.#socket.setTimeout(lingerSeconds * 1000);
    this.#socket.end();
  }

  #stalled(): void {
    if (this.#unconfirmed.size > 0 || this.#closing) this.#socket.destroy();
  }

  #fail(error?: Error): void {
    if (this.#closed) return;
    this.#closed = true;
    this.incoming.end(error);
    for (const reject of this.#unconfirmed) reject(error ?? connectionClosed());
    this.#unconfirmed.clear();
  }
}

function connectionClosed(): Error {
  return new Error("The connection is closed");
}
