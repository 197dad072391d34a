/** A WebSocket client that takes one message after another. */
export interface SocketMessage {
  readonly cursor?: string;
  readonly event?: string;
  readonly data?: { readonly [name: string]: unknown };
}

export class SocketClient {
  readonly #socket: WebSocket;
  readonly #messages: SocketMessage[] = [];
  #wake: () => void = () => {};
  readonly closed: Promise<{ readonly code: number; readonly reason: string }>;

  /** `url` as of HTTP. */
  constructor(
    url: string,
    options: {
      readonly headers?: Readonly<Record<string, string>>;
      readonly protocols?: string[];
    } = {},
  ) {
    this.#socket = new WebSocket(url.replace(/^http/, "ws"), options as unknown as string[]);
    this.#socket.addEventListener("message", ({ data }) => {
      this.#messages.push(JSON.parse(String(data)));
      this.#wake();
    });
    this.closed = new Promise((resolve) => {
      this.#socket.addEventListener("close", ({ code, reason }) => {
        resolve({ code, reason });
        this.#wake();
      });
    });
  }

  get protocol(): string {
    return this.#socket.protocol;
  }

  /** Messages that have come and were not taken. */
  get waiting(): number {
    return this.#messages.length;
  }

  /** The next message; fails when the socket closes before one comes. */
  async next(): Promise<SocketMessage> {
    for (;;) {
      const message = this.#messages.shift();
      if (message !== undefined) return message;
      if (this.#socket.readyState >= WebSocket.CLOSING) throw new Error("The socket has closed");
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  /** The next message with a record or a gap. */
  async nextData(): Promise<SocketMessage> {
    for (;;) {
      const message = await this.next();
      if (message.data !== undefined) return message;
    }
  }

  send(message: unknown): void {
    this.#socket.send(typeof message === "string" ? message : JSON.stringify(message));
  }

  close(): Promise<unknown> {
    this.#socket.close();
    return this.closed;
  }
}
