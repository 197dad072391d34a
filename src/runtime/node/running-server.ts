/** What a runtime gives to a worker, and what it gets. */
import type { Metrics } from "../../base/metrics.ts";
import type { Fetch } from "../../store/s3-fetch-handler.ts";
import type { ListenHttp } from "../http-listener.ts";
import type { TcpListener, TcpListenOptions } from "../tcp-listener.ts";

/** What a runtime brings. */
export interface RuntimeParts {
  readonly listenHttp: ListenHttp;
  /**
   * Files are read into plain WebAssembly memory, and written from it, through buffers of the
   * runtime, but directly where that memory is shared.
   */
  readonly copiesPlainKernelMemory?: boolean;
  /** Sends requests to an S3 store; absent: the runtime's own `fetch`. */
  readonly storeFetch?: Fetch;
  readonly listenTcp: (options: TcpListenOptions) => Promise<TcpListener>;
  /** Collects garbage now, all of it; absent where the runtime does not let us. */
  readonly collectGarbage?: () => void;
}

/** A worker that takes requests. */
export interface RunningServer {
  readonly httpUrl: string;
  readonly httpPort: number;
  /** Undefined when Kafka is off. */
  readonly kafkaPort: number | undefined;
  /** For start-up lines; they hold no secret. */
  readonly storeDescription: string;
  readonly metadataDescription: string;
  readonly metrics: Metrics;
  /**
   * Stops accepting, flushes, acknowledges, leaves the worker list and closes. Idempotent. Requests
   * that take longer than ten seconds are broken off.
   */
  stop(): Promise<void>;
}
