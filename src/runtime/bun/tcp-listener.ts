/**
 * TCP over `Bun.listen`. Bun hands each received chunk over as a fresh buffer, so nothing is copied
 * on the way in; `write` takes what the kernel takes and no more, so the rest waits here for
 * `drain`.
 */
import type { ByteDuplex } from "../../base/byte-duplex.ts";
import type { CurrentBytes } from "../../base/lent-bytes.ts";
import { InboxRoom, TcpInbox } from "../tcp-inbox.ts";
import {
  keepAliveDelayMs,
  lingerSeconds,
  stalledSecondsMax,
  type TcpListener,
  type TcpListenOptions,
} from "../tcp-listener.ts";
import { tcpParts } from "../tcp-parts.ts";

/**
 * Listens on `host`:`port`.
 * @throws the runtime's own error (`code` EADDRINUSE, EACCES, …) when the address cannot be bound.
 */
export async function listenTcp(options: TcpListenOptions): Promise<TcpListener> {
  const room = new InboxRoom(options.unreadBytesMax, options.onReceived);
  const listener = Bun.listen<BunDuplex>({
    hostname: options.host,
    port: options.port,
    // Two processes on one port would share its connections; the second must fail instead.
    exclusive: true,
    // A peer that has sent all may still read the answers.
    allowHalfOpen: true,
    socket: {
      binaryType: "uint8array",
      open(socket) {
        socket.setNoDelay(true);
        socket.setKeepAlive(true, keepAliveDelayMs);
        const duplex = new BunDuplex(socket, room);
        socket.data = duplex;
        options.onConnection(duplex);
      },
      data(socket, chunk) {
        socket.data.received(chunk);
      },
      drain(socket) {
        socket.data.drained();
      },
      timeout(socket) {
        socket.terminate();
      },
      end(socket) {
        socket.data.peerEnded();
      },
      close(socket, error) {
        socket.data.closed(error);
      },
      error(socket, error) {
        socket.data.closed(error);
      },
    },
  });
  return {
    port: listener.port,
    async close() {
      listener.stop(false);
    },
  };
}

interface PendingWrite {
  readonly parts: readonly Uint8Array[];
  readonly lent: CurrentBytes | undefined;
  resolve(): void;
  reject(error: Error): void;
}

class BunDuplex implements ByteDuplex {
  readonly remoteAddress: string;
  readonly incoming: TcpInbox;
  readonly sendsLent = true;
  readonly #socket: Bun.Socket<BunDuplex>;
  readonly #pending: PendingWrite[] = [];
  /** Where the first pending write stands: part and byte in it. */
  #part = 0;
  #position = 0;
  /** Must take some in time. */
  #isTimed = false;
  #closing = false;
  #closed = false;

  constructor(socket: Bun.Socket<BunDuplex>, room: InboxRoom) {
    this.#socket = socket;
    this.remoteAddress = `${socket.remoteAddress}:${socket.remotePort}`;
    this.incoming = new TcpInbox(socket, room);
  }

  write(chunks: readonly Uint8Array[], lent?: CurrentBytes): Promise<void> {
    if (this.#closed || this.#closing) return Promise.reject(connectionClosed());
    return new Promise((resolve, reject) => {
      this.#pending.push({ parts: tcpParts(chunks, lent), lent, resolve, reject });
      if (this.#pending.length === 1) this.#flush();
    });
  }

  /** Detaching a buffer frees its memory, which is then used for the next chunks. */
  release({ buffer }: Uint8Array): void {
    if (buffer instanceof ArrayBuffer) buffer.transfer(0);
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
    this.#socket.timeout(lingerSeconds);
    if (this.#pending.length === 0) this.#socket.end();
  }

  received(chunk: Uint8Array): void {
    this.incoming.push(chunk);
  }

  drained(): void {
    this.#flush();
  }

  peerEnded(): void {
    this.incoming.end();
  }

  closed(error?: Error): void {
    if (this.#closed) return;
    this.#closed = true;
    this.incoming.end(error);
    const failure = error ?? connectionClosed();
    for (const write of this.#pending.splice(0)) write.reject(failure);
  }

  /** Hands over to the kernel until it takes no more or nothing is left. */
  #flush(): void {
    for (let write = this.#pending[0]; write !== undefined; write = this.#pending[0]) {
      for (; this.#part < write.parts.length; this.#part++, this.#position = 0) {
        const given = write.parts[this.#part] as Uint8Array;
        const part = write.lent?.current(given) ?? given;
        const rest = this.#position === 0 ? part : part.subarray(this.#position);
        const taken = this.#socket.write(rest);
        if (taken < 0) {
          this.closed();
          return;
        }
        this.#position += taken;
        if (this.#position < part.length) {
          // What waits for this peer is memory that others want: it must take some in time.
          if (!this.#closing) this.#socket.timeout(stalledSecondsMax);
          this.#isTimed = true;
          return;
        }
      }
      this.#part = 0;
      this.#pending.shift();
      write.resolve();
    }
    if (this.#closing) this.#socket.end();
    else if (this.#isTimed) this.#socket.timeout(0);
    this.#isTimed = false;
  }
}

function connectionClosed(): Error {
  return new Error("The connection is closed");
}
