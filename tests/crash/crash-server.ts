/** What crash cases kill and ask: `streamctl server`, or the Worker in workerd. */

/** A server as its HTTP clients know it. */
export interface AskedServer {
  readonly httpUrl: string;
  /** What every request carries. */
  readonly headers: Readonly<Record<string, string>>;
}

export interface CrashServer extends AskedServer {
  /** Where Kafka clients connect. */
  readonly bootstrap: string;
  /** Ends it as a power cut would. */
  kill(): Promise<void>;
  /** Starts it again: same addresses, same data. */
  restart(): Promise<void>;
  stop(): Promise<unknown>;
}

/** Waits, when a request failed, before the next. */
const pauseMs = 20;

/** Runs a producer until `signal`, however often its server is away meanwhile. */
export async function persist(run: () => Promise<void>, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await run();
    await Bun.sleep(pauseMs);
  }
}

/** Whether the server that answered, or somebody before it, may answer otherwise the next time. */
export function mayPass({ status }: Response): boolean {
  return status === 503 || status === 504;
}
