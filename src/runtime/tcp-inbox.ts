/**
 * What a socket has received and nobody has pulled yet: the reading half of a ByteDuplex over a
 * socket that pushes. Holds at most `inboxBytesMax` and one more chunk; past it the socket is
 * paused, and TCP's own window makes the sender wait. All inboxes of a listener share an InboxRoom:
 * when it is full, all their sockets are paused but those whose bytes are accounted for already.
 */

/** Enough to keep the consumer busy while the socket wakes up; little enough for 1 000 sockets. */
const inboxBytesMax = 512 * 1024;
/** The socket is read again when less than this is left. */
const inboxBytesLow = 256 * 1024;

export interface PausableSource {
  pause(): void;
  resume(): void;
}

/**
 * Bytes received over all connections that their consumers have not done with. They wait for other
 * requests to be answered, so a full room empties without anything more being read.
 */
export class InboxRoom {
  readonly #capacityBytes: number;
  readonly #onReceived: ((bytes: number) => void) | undefined;
  readonly #inboxes = new Set<TcpInbox>();
  #bytes = 0;
  #isFull = false;

  /** `onReceived` is told of each chunk. */
  constructor(capacityBytes: number, onReceived?: (bytes: number) => void) {
    this.#capacityBytes = capacityBytes;
    this.#onReceived = onReceived;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get isFull(): boolean {
    return this.#isFull;
  }

  join(inbox: TcpInbox): void {
    this.#inboxes.add(inbox);
  }

  leave(inbox: TcpInbox): void {
    this.#inboxes.delete(inbox);
  }

  received(bytes: number): void {
    this.#onReceived?.(bytes);
  }

  /** Negative for bytes that are done with. Pauses or resumes all sockets at the edges. */
  add(bytes: number): void {
    this.#bytes += bytes;
    const isFull = this.#bytes > this.#capacityBytes * (this.#isFull ? 1 / 2 : 1);
    if (isFull === this.#isFull) return;
    this.#isFull = isFull;
    for (const inbox of this.#inboxes) inbox.look();
  }
}

interface Received {
  readonly chunk: Uint8Array;
  /** Of it, in the room. */
  readonly countedBytes: number;
}

export class TcpInbox implements AsyncIterable<Uint8Array> {
  readonly #source: PausableSource;
  readonly #room: InboxRoom | undefined;
  #chunks: Received[] = [];
  #next = 0;
  #bytes = 0;
  /** What counts in the room: chunks held, and the one that the consumer has. */
  #countedBytes = 0;
  /** Of these, in the chunk that the consumer has. */
  #pulledBytes = 0;
  #expectedBytes = 0;
  #paused = false;
  #ended = false;
  #failure: Error | undefined;
  #wake: (() => void) | undefined;

  constructor(source: PausableSource, room?: InboxRoom) {
    this.#source = source;
    this.#room = room;
    room?.join(this);
    this.look();
  }

  /** Takes over `chunk`. */
  push(chunk: Uint8Array): void {
    if (this.#ended) return;
    this.#room?.received(chunk.length);
    const expectedBytes = Math.min(this.#expectedBytes, chunk.length);
    const countedBytes = chunk.length - expectedBytes;
    this.#expectedBytes -= expectedBytes;
    this.#chunks.push({ chunk, countedBytes });
    this.#bytes += chunk.length;
    this.#count(countedBytes);
    this.look();
    this.#wake?.();
  }

  /** So many bytes more have room elsewhere: they are read however full the shared room is. */
  expect(bytes: number): void {
    this.#expectedBytes = bytes;
    this.look();
  }

  /** The peer has sent all, or (with `failure`) the connection broke. What came before is kept. */
  end(failure?: Error): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#failure = failure;
    this.#room?.leave(this);
    this.#wake?.();
  }

  /** Drops what was not pulled; the iteration ends. */
  discard(): void {
    this.#chunks = [];
    this.#next = 0;
    this.#bytes = 0;
    this.#count(-this.#countedBytes);
    this.end();
  }

  /** Pauses or resumes the socket as things stand. */
  look(): void {
    if (this.#ended) return;
    const bytesMax = this.#paused ? inboxBytesLow : inboxBytesMax;
    const isShut = this.#room?.isFull === true && this.#expectedBytes === 0;
    const isPaused = this.#bytes >= bytesMax || isShut;
    if (isPaused === this.#paused) return;
    this.#paused = isPaused;
    if (isPaused) this.#source.pause();
    else this.#source.resume();
  }

  /** One consumer at a time. */
  [Symbol.asyncIterator](): AsyncIterator<Uint8Array, void, undefined> {
    return {
      next: () => this.#pull(),
      return: async () => {
        this.#takeBack();
        return { done: true, value: undefined };
      },
    };
  }

  /**
   * No generator: one that waits still holds what it yielded last, half a megabyte for each of a
   * thousand sockets.
   */
  async #pull(): Promise<IteratorResult<Uint8Array, void>> {
    // Who asks for the next one has found room elsewhere for what is kept of this one.
    this.#takeBack();
    for (;;) {
      const value = this.#shift();
      if (value !== undefined) return { done: false, value };
      if (this.#failure !== undefined) throw this.#failure;
      if (this.#ended) return { done: true, value: undefined };
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      this.#wake = undefined;
    }
  }

  /** The chunk that the consumer has counts no more. */
  #takeBack(): void {
    const bytes = Math.min(this.#pulledBytes, this.#countedBytes);
    this.#pulledBytes = 0;
    this.#count(-bytes);
  }

  #count(bytes: number): void {
    if (bytes === 0) return;
    this.#countedBytes += bytes;
    this.#room?.add(bytes);
  }

  #shift(): Uint8Array | undefined {
    const received = this.#chunks[this.#next];
    if (received === undefined) {
      this.#chunks = [];
      this.#next = 0;
      return undefined;
    }
    this.#next += 1;
    this.#bytes -= received.chunk.length;
    if (this.#next === this.#chunks.length) {
      this.#chunks = [];
      this.#next = 0;
    }
    this.#pulledBytes = received.countedBytes;
    this.look();
    return received.chunk;
  }
}
