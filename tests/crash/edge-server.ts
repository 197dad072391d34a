/**
 * The Worker in workerd as a server to be killed: one SIGKILL ends its front, all of its objects and
 * what they had under way at once. Kafka clients reach it through `streamctl shim`.
 */
import { join } from "node:path";
import { bundleWorker, type WorkerBundle } from "../../deploy/cloudflare/bundle.ts";
import {
  type LibsqlHttpServer,
  startLibsqlHttpServer,
} from "../../deploy/cloudflare/libsql-http-server.ts";
import { workerEntry } from "../../deploy/cloudflare/worker-entry.ts";
import { edgeOptions, edgeToken } from "../support/edge-worker.ts";
import { type Isolate, startIsolate } from "../support/isolate.ts";
import { eventually, freePorts, RunningProgram, temporaryFolder } from "../support/processes.ts";
import type { CrashServer } from "./crash-server.ts";

const streamctl = [process.execPath, join(import.meta.dir, "../../src/cli/main.ts")];

export class EdgeServer implements CrashServer {
  readonly headers = { Authorization: `Bearer ${edgeToken}` };
  readonly #bundle: WorkerBundle;
  readonly #metadata: LibsqlHttpServer;
  readonly #folder = temporaryFolder("edge");
  readonly #ports: readonly number[];
  #isolate: Isolate | undefined;
  #shim: RunningProgram | undefined;
  #log = "";

  static async start(): Promise<EdgeServer> {
    const bundle = await bundleWorker({ entry: workerEntry, minify: true });
    const server = new EdgeServer(bundle, await freePorts(2));
    await server.restart();
    return server;
  }

  private constructor(bundle: WorkerBundle, ports: readonly number[]) {
    this.#bundle = bundle;
    this.#ports = ports;
    this.#metadata = startLibsqlHttpServer();
  }

  get httpUrl(): string {
    return `http://127.0.0.1:${this.#ports[0]}`;
  }

  get bootstrap(): string {
    return `127.0.0.1:${this.#ports[1]}`;
  }

  /** What all processes so far printed. */
  log(): string {
    return this.#log + (this.#isolate?.log() ?? "");
  }

  async kill(): Promise<void> {
    await this.#isolate?.stop();
    this.#log = this.log();
    this.#isolate = undefined;
  }

  async restart(): Promise<void> {
    const variables = {
      ...{ MILLRACE_METADATA: this.#metadata.url, MILLRACE_TOKEN: edgeToken },
      // Without the ceiling, so that more is under way when it is killed.
      ...{ MILLRACE_QUERIES: "on", MILLRACE_FLUSH_RATE_MAX: "0" },
    };
    this.#isolate = await startIsolate(this.#bundle, {
      ...edgeOptions(variables),
      ...{ defaultPersistRoot: this.#folder, port: this.#ports[0] ?? 0 },
    });
    const { headers } = this;
    await eventually(
      async () => (await fetch(`${this.httpUrl}/readyz`, { headers })).ok || undefined,
    );
    this.#shim ??= await this.#startShim();
  }

  async stop(): Promise<void> {
    await this.#shim?.stop();
    await this.kill();
    await this.#metadata.close();
  }

  async #startShim(): Promise<RunningProgram> {
    const shim = new RunningProgram([...streamctl, "shim", "--listen", this.bootstrap], {
      logPath: join(this.#folder, "shim.log"),
      env: { MILLRACE_TOKEN: edgeToken, MILLRACE_URL: this.httpUrl.replace("http", "ws") },
    });
    await eventually(async () => shim.log().includes("Ready") || undefined);
    return shim;
  }
}
