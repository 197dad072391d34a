/**
 * HTTP/1.1 connections that send one prepared request over and over. A full client would be half of
 * what is measured on a small machine; answers are read as far as their status and length.
 */
export interface HttpLoad {
  readonly host: string;
  readonly port: number;
  readonly path: string;
  readonly contentType: string;
  /** Besides what the body needs. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  readonly connections: number;
  readonly seconds: number;
}

export interface HttpResult {
  readonly requestsPerSecond: number;
  /** Milliseconds. */
  readonly latencies: readonly number[];
}

/** Throws when an answer is not a success. */
export async function runHttpLoad(load: HttpLoad): Promise<HttpResult> {
  const request = requestBytes(load);
  const latencies: number[] = [];
  const since = performance.now();
  const deadline = since + load.seconds * 1000;
  await Promise.all(
    Array.from({ length: load.connections }, async () => {
      const connection = await HttpConnection.open(load);
      while (performance.now() < deadline) {
        const sentAt = performance.now();
        await connection.exchange(request);
        latencies.push(performance.now() - sentAt);
      }
      connection.close();
    }),
  );
  const seconds = (performance.now() - since) / 1000;
  return { requestsPerSecond: latencies.length / seconds, latencies };
}

function requestBytes(load: HttpLoad): Uint8Array {
  const { host, port, path, contentType, headers = {}, body } = load;
  const more = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  const head =
    `POST ${path} HTTP/1.1\r\nHost: ${host}:${port}\r\nContent-Type: ${contentType}\r\n` +
    `${more.join("")}Content-Length: ${body.length}\r\n\r\n`;
  return Buffer.concat([Buffer.from(head), body]);
}

class HttpConnection {
  #socket: Bun.Socket | undefined;
  #unsent = new Uint8Array(0);
  #received = Buffer.alloc(0);
  #resolve: (() => void) | undefined;
  #reject: ((error: Error) => void) | undefined;

  static async open({ host, port }: Pick<HttpLoad, "host" | "port">): Promise<HttpConnection> {
    const connection = new HttpConnection();
    connection.#socket = await Bun.connect({
      hostname: host,
      port,
      socket: {
        data: (_, chunk) => connection.#take(chunk),
        drain: () => connection.#flush(),
        close: () => connection.#reject?.(new Error("The worker closed the connection")),
        error: (_, error) => connection.#reject?.(error),
      },
    });
    return connection;
  }

  exchange(request: Uint8Array): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
      this.#unsent = request as Uint8Array<ArrayBuffer>;
      this.#flush();
    });
  }

  close(): void {
    this.#reject = undefined;
    this.#socket?.end();
  }

  #flush(): void {
    const taken = this.#socket?.write(this.#unsent) ?? 0;
    this.#unsent = this.#unsent.subarray(taken);
  }

  #take(chunk: Buffer): void {
    const all = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk]);
    const headEnd = all.indexOf("\r\n\r\n");
    const head = headEnd < 0 ? "" : all.toString("latin1", 0, headEnd);
    const length = Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1] ?? Number.NaN);
    if (headEnd < 0 || all.length < headEnd + 4 + length) {
      this.#received = Buffer.from(all);
      return;
    }
    this.#received = Buffer.alloc(0);
    if (/^HTTP\/1\.1 2/.test(head)) this.#resolve?.();
    else this.#reject?.(new Error(`The worker answered: ${all.toString("utf8")}`));
  }
}
