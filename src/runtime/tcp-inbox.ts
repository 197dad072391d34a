/**
 * What a socket has received and nobody has pulled yet: the reading half of a ByteDuplex over a
 * socket that pushes. Holds at most `inboxBytesMax` and one more chunk; past it the socket is
 * paused, and TCP's own window makes the sender wait.
 */

/** Enough to keep the consumer busy while the socket wakes up; little enough for 1 000 sockets. */
const inboxBytesMax = 1024 * 1024;
/** The socket is read again when less than this is left. */
const inboxBytesLow = 256 * 1024;

export interface PausableSource {
  pause(): void;
  resume(): void;
}

export class TcpInbox implements AsyncIterable<Uint8Array> {
  readonly #source: PausableSource;
  #chunks: Uint8Array[] = [];
  #next = 0;
  #bytes = 0;
  #paused = false;
  #ended = false;
  #failure: Error | undefined;
  #wake: (() => void) | undefined;

  constructor(source: PausableSource) {
    this.#source = source;
  }

  /** Takes over `chunk`. */
  push(chunk: Uint8Array): void {
    if (this.#ended) return;
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    if (this.#bytes >= inboxBytesMax && !this.#paused) {
      this.#paused = true;
      this.#source.pause();
    }
    this.#wake?.();
  }

  /** The peer has sent all, or (with `failure`) the connection broke. What came before is kept. */
  end(failure?: Error): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#failure = failure;
    this.#wake?.();
  }

  /** Drops what was not pulled; the iteration ends. */
  discard(): void {
    this.#chunks = [];
    this.#next = 0;
    this.#bytes = 0;
    this.end();
  }

  /** One consumer at a time. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, undefined> {
    for (;;) {
      const chunk = this.#shift();
      if (chunk !== undefined) {
        yield chunk;
        continue;
      }
      if (this.#failure !== undefined) throw this.#failure;
      if (this.#ended) return;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      this.#wake = undefined;
    }
  }

  #shift(): Uint8Array | undefined {
    const chunk = this.#chunks[this.#next];
    if (chunk === undefined) {
      this.#chunks = [];
      this.#next = 0;
      return undefined;
    }
    this.#next += 1;
    this.#bytes -= chunk.length;
    if (this.#next === this.#chunks.length) {
      this.#chunks = [];
      this.#next = 0;
    }
    if (this.#paused && this.#bytes < inboxBytesLow) {
      this.#paused = false;
      if (!this.#ended) this.#source.resume();
    }
    return chunk;
  }
}
