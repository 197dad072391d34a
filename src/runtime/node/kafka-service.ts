/** The Kafka listener of a worker: which connections there are, and how they end. */
import type { ByteDuplex } from "../../base/byte-duplex.ts";
import { serveKafkaConnection } from "../../server/kafka/connection.ts";
import type { KafkaContext } from "../../server/kafka/context.ts";
import { connectionsMax } from "../../server/kafka/limits.ts";
import type { TcpListener, TcpListenOptions } from "../tcp-listener.ts";

/** Connections that came before the log was open; more are closed at once. */
const earlyConnectionsMax = 1_000;

export class KafkaService {
  readonly #shutdown: AbortSignal;
  readonly #connectionsMax: number;
  /** The log was told that there are too many. */
  #isFull = false;
  readonly #connections = new Map<ByteDuplex, Promise<void>>();
  #early: ByteDuplex[] = [];
  #context: KafkaContext | undefined;
  #listener: TcpListener | undefined;

  /** `shutdown` ends the waits of all connections and lets them close when all is answered. */
  constructor(shutdown: AbortSignal, limit = connectionsMax) {
    this.#shutdown = shutdown;
    this.#connectionsMax = limit;
  }

  get port(): number {
    return this.#listener?.port ?? 0;
  }

  get connectionCount(): number {
    return this.#connections.size;
  }

  /** Binds the address; connections wait until `serve`. */
  async listen(
    listenTcp: (options: TcpListenOptions) => Promise<TcpListener>,
    options: Omit<TcpListenOptions, "onConnection">,
  ): Promise<void> {
    const onConnection = (duplex: ByteDuplex) => this.#accept(duplex);
    this.#listener = await listenTcp({ ...options, onConnection });
  }

  /** Serves those that wait and all that come. */
  serve(context: KafkaContext): void {
    this.#context = context;
    for (const duplex of this.#early.splice(0)) this.#accept(duplex);
  }

  /** Serves one more connection, which came by another way, with a context of its own. */
  accept(duplex: ByteDuplex, context: KafkaContext): void {
    if (this.#shutdown.aborted) duplex.close();
    else if (this.#connections.size >= this.#connectionsMax) {
      duplex.close();
      if (!this.#isFull) {
        const limit = this.#connectionsMax;
        context.platform.log.warn(`More than ${limit} Kafka connections: new ones are closed`);
      }
      this.#isFull = true;
    } else {
      this.#isFull = false;
      const served = serveKafkaConnection(duplex, context, this.#shutdown).finally(() => {
        this.#connections.delete(duplex);
      });
      this.#connections.set(duplex, served);
    }
  }

  async stopAccepting(): Promise<void> {
    for (const duplex of this.#early.splice(0)) duplex.close();
    await this.#listener?.close();
  }

  /** Resolves when every connection has ended. */
  async drained(): Promise<void> {
    while (this.#connections.size > 0) await Promise.all(this.#connections.values());
  }

  /** Closes what is still open. */
  async close(): Promise<void> {
    await this.stopAccepting();
    for (const duplex of this.#connections.keys()) duplex.close();
  }

  #accept(duplex: ByteDuplex): void {
    const context = this.#context;
    if (context !== undefined) this.accept(duplex, context);
    else if (!this.#shutdown.aborted && this.#early.length < earlyConnectionsMax) {
      this.#early.push(duplex);
    } else duplex.close();
  }
}
