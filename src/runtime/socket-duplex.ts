/** A ByteDuplex over a WebSocket, either end of it: the stream of wire/http/tunnel.ts. */
import type { ByteDuplex } from "../base/byte-duplex.ts";
import type { MessageSocket, SocketHandler } from "../base/message-socket.ts";
import {
  grantedBytes,
  tunnelGrantBytes,
  tunnelMessageBytes,
  tunnelWindowBytes,
} from "../wire/http/tunnel.ts";
import { stalledSecondsMax } from "./tcp-listener.ts";
import { tcpParts } from "./tcp-parts.ts";

/** Codes of RFC 6455, 7.4.1. */
const normal = 1000;
const wrongMessage = 1008;

export class SocketDuplex implements ByteDuplex, SocketHandler {
  readonly remoteAddress: string;
  readonly incoming: AsyncIterable<Uint8Array> = {
    [Symbol.asyncIterator]: () => ({ next: () => this.#pull() }),
  };
  /** Rejects when the socket never opens. */
  readonly ready: Promise<void>;
  readonly #opening = Promise.withResolvers<void>();
  #socket: MessageSocket | undefined;
  #isClosing = false;
  #isClosed = false;
  /** Why the stream is broken. */
  #failure: Error | undefined;

  #chunks: Uint8Array[] = [];
  /** Received and not granted again: what waits, and what is done with but not yet worth a word. */
  #unreadBytes = 0;
  /** Of these, in the chunk that the consumer has. */
  #pulledBytes = 0;
  /** Of these, done with. */
  #doneBytes = 0;
  #wakeReader: () => void = nothing;

  #creditBytes = tunnelWindowBytes;
  #wakeWriter: () => void = nothing;
  /** Ends when what was written last has been sent. */
  #writing: Promise<void> = Promise.resolve();

  constructor(remoteAddress: string) {
    this.remoteAddress = remoteAddress;
    this.ready = this.#opening.promise;
    // A server's end has nobody who waits for it.
    this.ready.catch(nothing);
  }

  opened(socket: MessageSocket): void {
    this.#socket = socket;
    if (this.#isClosing) socket.close(normal, "");
    this.#opening.resolve();
  }

  received(message: string | Uint8Array): void {
    if (typeof message === "string") {
      const bytes = grantedBytes(message);
      this.#creditBytes += bytes ?? 0;
      if (bytes === undefined || this.#creditBytes > tunnelWindowBytes) {
        this.#break("a text message that grants no bytes of the window");
      } else this.#wakeWriter();
      return;
    }
    if (message.length === 0 || this.#isClosing) return;
    this.#unreadBytes += message.length;
    if (this.#unreadBytes > tunnelWindowBytes) this.#break("more bytes than the window");
    else {
      this.#chunks.push(message);
      this.#wakeReader();
    }
  }

  closed(): void {
    this.#isClosed = true;
    this.#opening.reject(gone());
    this.#wakeReader();
    this.#wakeWriter();
  }

  write(chunks: readonly Uint8Array[]): Promise<void> {
    const written = this.#writing.then(() => this.#send(chunks));
    this.#writing = written.catch(nothing);
    return written;
  }

  close(): void {
    if (this.#isClosing) return;
    this.#isClosing = true;
    this.#chunks = [];
    this.#wakeReader();
    void this.#writing.then(() => this.#socket?.close(normal, ""));
  }

  async #send(chunks: readonly Uint8Array[]): Promise<void> {
    await this.ready;
    for (const part of tcpParts(chunks)) {
      let position = 0;
      while (position < part.length) {
        await this.#credit();
        const left = part.length - position;
        const length = Math.min(left, tunnelMessageBytes, this.#creditBytes);
        this.#creditBytes -= length;
        // Runtimes take what they are given before they return.
        this.#socket?.send(part.subarray(position, position + length));
        position += length;
      }
    }
  }

  /** Waits until at least a byte may be sent. What waits is memory: the peer must take some. */
  async #credit(): Promise<void> {
    const stalled = () => this.#break(`nothing was taken for ${stalledSecondsMax} s`);
    let timer: ReturnType<typeof setTimeout> | undefined;
    while (this.#creditBytes === 0 && !this.#isClosed && this.#failure === undefined) {
      timer ??= setTimeout(stalled, stalledSecondsMax * 1000);
      await new Promise<void>((resolve) => {
        this.#wakeWriter = resolve;
      });
    }
    clearTimeout(timer);
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#isClosed) throw gone();
  }

  async #pull(): Promise<IteratorResult<Uint8Array, void>> {
    // Who asks for the next one is done with the last.
    this.#grant(this.#pulledBytes);
    this.#pulledBytes = 0;
    for (;;) {
      if (this.#failure !== undefined) throw this.#failure;
      const value = this.#chunks.shift();
      if (value !== undefined) {
        this.#pulledBytes = value.length;
        return { done: false, value };
      }
      if (this.#isClosed || this.#isClosing) return { done: true, value: undefined };
      await new Promise<void>((resolve) => {
        this.#wakeReader = resolve;
      });
    }
  }

  #grant(bytes: number): void {
    this.#doneBytes += bytes;
    if (this.#doneBytes < tunnelGrantBytes || this.#isClosed) return;
    this.#unreadBytes -= this.#doneBytes;
    this.#socket?.send(String(this.#doneBytes));
    this.#doneBytes = 0;
  }

  #break(reason: string): void {
    this.#failure ??= new Error(`The tunnel broke: ${reason}`);
    this.#chunks = [];
    this.#socket?.close(wrongMessage, reason);
    this.#wakeReader();
    this.#wakeWriter();
  }
}

function gone(): Error {
  return new Error("The connection is closed");
}

function nothing(): void {}
