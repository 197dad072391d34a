/**
 * The Worker in workerd on this machine: R2 and Durable Objects as Cloudflare's simulator has them,
 * libSQL over HTTP in this process. Its own socket is asked, not the simulator's, which would be a
 * second Worker before it.
 */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Miniflare } from "miniflare";
import { modulesOf, type WorkerBundle } from "../../deploy/cloudflare/bundle.ts";
import {
  type LibsqlHttpServer,
  startLibsqlHttpServer,
} from "../../deploy/cloudflare/libsql-http-server.ts";
import { freePorts } from "./processes.ts";

const token = "bench";
const compatibilityDate = "2026-10-01";

export interface EdgePlaceOptions {
  readonly bundle: WorkerBundle;
  readonly variables?: Readonly<Record<`MILLRACE_${string}`, string>>;
  /** Where workerd's inspector listens; absent: nowhere. */
  readonly inspectorPort?: number;
}

interface EdgePlaceParts extends Pick<EdgePlace, "port" | "metadata" | "pid" | "firstAnswerMs"> {
  readonly mf: Miniflare;
  readonly folder: string;
}

/** Where a file is no disk's: what the simulators keep is not to wait for this machine's. */
const memoryFolder = "/dev/shm";

export class EdgePlace {
  readonly host = "127.0.0.1";
  readonly port: number;
  readonly headers = { Authorization: `Bearer ${token}` };
  readonly metadata: LibsqlHttpServer;
  /** Of workerd; undefined where the system does not tell. */
  readonly pid: number | undefined;
  /** From the start of workerd, with its simulators, to the Worker's first answer. */
  readonly firstAnswerMs: number;
  readonly #miniflare: Miniflare;
  readonly #folder: string;

  private constructor(parts: EdgePlaceParts) {
    this.firstAnswerMs = parts.firstAnswerMs;
    this.port = parts.port;
    this.metadata = parts.metadata;
    this.pid = parts.pid;
    this.#miniflare = parts.mf;
    this.#folder = parts.folder;
  }

  static async start(options: EdgePlaceOptions): Promise<EdgePlace> {
    const { bundle, variables = {}, inspectorPort } = options;
    const metadata = startLibsqlHttpServer();
    const before = new Set(childrenNamed("workerd"));
    const [port = 0] = await freePorts(1);
    const root = existsSync(memoryFolder) ? memoryFolder : tmpdir();
    const folder = mkdtempSync(join(root, "millrace-edge-"));
    const since = performance.now();
    const mf = new Miniflare({
      host: "127.0.0.1",
      compatibilityDate,
      modules: modulesOf(bundle),
      // A Worker of the simulator's own behind each request that leaves; Cloudflare has none there.
      stripCfConnectingIp: false,
      ...(inspectorPort !== undefined && { inspectorPort }),
      unsafeDirectSockets: [{ host: "127.0.0.1", port }],
      r2Buckets: ["BUCKET"],
      r2Persist: join(folder, "r2"),
      durableObjectsPersist: join(folder, "objects"),
      durableObjects: {
        LOG: { className: "LogObject", useSQLite: true },
        GROUPS: { className: "GroupObject", useSQLite: true },
        QUERIES: { className: "QueryObject", useSQLite: true },
      },
      bindings: { MILLRACE_METADATA: metadata.url, MILLRACE_TOKEN: token, ...variables },
    });
    await mf.ready;
    await fetch(`http://127.0.0.1:${port}/healthz`);
    const firstAnswerMs = performance.now() - since;
    const pid = childrenNamed("workerd").find((each) => !before.has(each));
    return new EdgePlace({ port, metadata, pid, firstAnswerMs, mf, folder });
  }

  async ask(path: string, init: RequestInit = {}): Promise<Response> {
    const headers = { ...this.headers, ...(init.headers as Record<string, string>) };
    const answer = await fetch(`http://${this.host}:${this.port}${path}`, { ...init, headers });
    if (!answer.ok) throw new Error(`${path} answered ${answer.status}: ${await answer.text()}`);
    return answer;
  }

  async newTopic(partitions: number): Promise<string> {
    const name = `bench-${crypto.randomUUID()}`;
    const headers = { "Content-Type": "application/json" };
    const body = JSON.stringify({ name, partitions });
    await this.ask("/v1/topics", { method: "POST", headers, body });
    return name;
  }

  /** A counter of the first shard. */
  async metric(name: string): Promise<number> {
    const text = await (await this.ask("/metrics")).text();
    const value = new RegExp(`^${name}(?:\\{[^}]*\\})? (\\S+)$`, "m").exec(text)?.[1];
    if (value === undefined) throw new Error(`The Worker has no metric ${name}`);
    return Number(value);
  }

  async stop(): Promise<void> {
    await this.#miniflare.dispose();
    await this.metadata.close();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** Programs of this name that this process started, where the system keeps them in /proc. */
function childrenNamed(name: string): number[] {
  try {
    return readdirSync("/proc")
      .filter((each) => /^\d+$/.test(each))
      .filter((pid) => isChild(readFileSync(`/proc/${pid}/stat`, "utf8"), name))
      .map(Number);
  } catch {
    return [];
  }
}

function isChild(stat: string, name: string): boolean {
  const end = stat.lastIndexOf(")");
  const parent = Number(stat.slice(end + 2).split(" ")[1]);
  return parent === process.pid && stat.slice(0, end).endsWith(`(${name}`);
}
