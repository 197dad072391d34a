import type { CurrentBytes } from "./lent-bytes.ts";

/** A connected byte stream (a TCP socket, a WebSocket tunnel), as the protocol loops see it. */
export interface ByteDuplex {
  /** For log lines: `127.0.0.1:50312`. */
  readonly remoteAddress: string;
  /**
   * Chunks as they arrive, each owned by the consumer. Not pulling is backpressure: the runtime
   * stops reading the socket. Ends when the peer closes; throws when the connection breaks.
   */
  readonly incoming: AsyncIterable<Uint8Array>;
  /**
   * Queues `chunks` in order; the buffers belong to the duplex until the promise resolves, which
   * is when the runtime's own buffer has taken them. Rejects once the connection is gone.
   */
  write(chunks: readonly Uint8Array[], lent?: CurrentBytes): Promise<void>;
  /**
   * True where `write` reads chunks through `lent` whenever it hands bytes to the kernel, and keeps
   * no view otherwise: then they may be lent views (lent-bytes.ts).
   */
  readonly sendsLent?: boolean;
  /**
   * The next so many bytes have their room already: the runtime reads them however much it holds
   * for other connections. Left out where the runtime bounds each connection alone.
   */
  expect?(bytes: number): void;
  /**
   * The consumer is done with a chunk, and no view of it is left: its memory may be freed at once,
   * before garbage is collected. Left out where chunks may share their memory.
   */
  release?(chunk: Uint8Array): void;
  /** Flushes what was written, then closes. Idempotent. */
  close(): void;
}
