/**
 * `fetch` for the object store, whose PUTs over plain HTTP are written from where their bytes lie:
 * the runtime's own `fetch` copies a body into fresh memory first, which for segments of megabytes
 * costs more than to send it. Everything else (other methods, TLS, a proxy) goes through that one.
 *
 * A connection carries one request at a time and is kept for the next for a few seconds. The body
 * must stay as it is until the promise settles; an abort breaks the connection with it, so that
 * nothing reads the body afterwards.
 */
import type { Fetch } from "../../store/s3-fetch-handler.ts";
import { type HttpAnswer, HttpAnswerReader } from "../http-answer.ts";

/** S3 closes what is idle for longer; a request that meets that end would have to be repeated. */
const idleMsMax = 3_000;
const idleConnectionsMax = 16;

const encoder = new TextEncoder();

export function createSocketFetch(otherwise: Fetch = (url, init) => fetch(url, init)): Fetch {
  const pool = new ConnectionPool();
  return async (given, init) => {
    const { body, method, signal } = init;
    const isPut = method === "PUT" && body instanceof Uint8Array && given.startsWith("http:");
    if (!isPut || hasProxy()) return await otherwise(given, init);
    signal?.throwIfAborted();
    const url = new URL(given);
    const connection = await pool.take(url);
    const answer = await connection.send(headOf(url, init, body.length), body, signal);
    if (answer.staysOpen) pool.give(url, connection);
    else connection.close();
    const { status, statusText, headers } = answer;
    const empty = status === 204 || status === 205 || status === 304;
    return new Response(empty ? null : answer.body, { status, statusText, headers });
  };
}

function hasProxy(): boolean {
  return Boolean(process.env["http_proxy"] ?? process.env["HTTP_PROXY"]);
}

function headOf(url: URL, init: RequestInit, length: number): Uint8Array {
  const headers = new Headers(init.headers);
  headers.delete("expect");
  headers.set("host", url.host);
  headers.set("content-length", String(length));
  const lines = [...headers].map(([name, value]) => `${name}: ${value}\r\n`);
  return encoder.encode(`PUT ${url.pathname}${url.search} HTTP/1.1\r\n${lines.join("")}\r\n`);
}

class ConnectionPool {
  readonly #idle = new Map<string, { connection: Connection; timer: Timer }[]>();

  async take(url: URL): Promise<Connection> {
    const idle = this.#idle.get(url.host) ?? [];
    for (let kept = idle.pop(); kept !== undefined; kept = idle.pop()) {
      clearTimeout(kept.timer);
      if (kept.connection.isOpen) return kept.connection;
    }
    return await Connection.open(url);
  }

  give({ host }: URL, connection: Connection): void {
    const idle = this.#idle.get(host) ?? [];
    this.#idle.set(host, idle);
    if (idle.length >= idleConnectionsMax) {
      connection.close();
      return;
    }
    const timer = setTimeout(() => {
      idle.splice(
        idle.findIndex((kept) => kept.timer === timer),
        1,
      );
      connection.close();
    }, idleMsMax);
    timer.unref();
    idle.push({ connection, timer });
  }
}

type Timer = ReturnType<typeof setTimeout>;

interface Exchange {
  /** What is left to be sent. */
  parts: Uint8Array[];
  readonly reader: HttpAnswerReader;
  readonly resolve: (answer: HttpAnswer) => void;
  readonly reject: (error: unknown) => void;
}

class Connection {
  isOpen = true;
  #socket: Bun.Socket<Connection> | undefined;
  #exchange: Exchange | undefined;

  static async open(url: URL): Promise<Connection> {
    const connection = new Connection();
    const hostname = url.hostname.replace(/^\[(.*)\]$/, "$1");
    connection.#socket = await Bun.connect<Connection>({
      hostname,
      port: url.port === "" ? 80 : Number(url.port),
      data: connection,
      socket: {
        binaryType: "uint8array",
        open: (socket) => void socket.setNoDelay(true),
        data: (socket, chunk) => socket.data.#received(chunk),
        drain: (socket) => socket.data.#write(),
        end: (socket) => socket.data.#ended(),
        close: (socket, error) => socket.data.#lost(error),
        error: (socket, error) => socket.data.#lost(error),
      },
    });
    return connection;
  }

  send(
    head: Uint8Array,
    body: Uint8Array,
    signal: AbortSignal | null | undefined,
  ): Promise<HttpAnswer> {
    return new Promise<HttpAnswer>((resolve, reject) => {
      const abort = () => {
        this.#settle(() => reject(signal?.reason));
        this.close();
      };
      signal?.addEventListener("abort", abort, { once: true });
      const done =
        <T>(settle: (what: T) => void) =>
        (what: T) => {
          signal?.removeEventListener("abort", abort);
          settle(what);
        };
      this.#exchange = {
        parts: [head, body],
        reader: new HttpAnswerReader(),
        resolve: done(resolve),
        reject: done(reject),
      };
      if (signal?.aborted) abort();
      else if (!this.isOpen) this.#lost();
      else this.#write();
    });
  }

  close(): void {
    this.isOpen = false;
    this.#socket?.terminate();
  }

  /** Hands over to the kernel what it takes. */
  #write(): void {
    const exchange = this.#exchange;
    if (exchange === undefined) return;
    for (let part = exchange.parts[0]; part !== undefined; part = exchange.parts[0]) {
      const taken = this.#socket?.write(part) ?? -1;
      if (taken < 0) {
        this.#lost();
        return;
      }
      if (taken < part.length) {
        exchange.parts[0] = part.subarray(taken);
        return;
      }
      exchange.parts.shift();
    }
  }

  #received(chunk: Uint8Array): void {
    const exchange = this.#exchange;
    if (exchange === undefined) {
      // Nothing was asked for.
      this.close();
      return;
    }
    try {
      const answer = exchange.reader.push(chunk);
      if (answer !== undefined) this.#answered(exchange, answer);
    } catch (error) {
      this.#settle(() => exchange.reject(error));
      this.close();
    }
  }

  #answered(exchange: Exchange, answer: HttpAnswer): void {
    // Answered before all was sent: the rest would be taken for the next request.
    const isSent = exchange.parts.length === 0;
    const staysOpen = answer.staysOpen && isSent;
    this.#settle(() => exchange.resolve({ ...answer, staysOpen }));
    if (!staysOpen) this.close();
  }

  #ended(): void {
    const exchange = this.#exchange;
    const answer = exchange?.reader.end();
    if (exchange !== undefined && answer !== undefined) this.#answered(exchange, answer);
    else this.#lost();
    this.close();
  }

  #lost(error?: Error): void {
    this.isOpen = false;
    const exchange = this.#exchange;
    this.#settle(() => exchange?.reject(error ?? connectionReset()));
  }

  #settle(settle: () => void): void {
    this.#exchange = undefined;
    settle();
  }
}

function connectionReset(): Error {
  const error = new Error("The connection was closed before it was answered");
  return Object.assign(error, { code: "ECONNRESET" });
}
