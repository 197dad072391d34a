/** Runs a bundle in the pinned workerd, with R2 and Durable Objects as Cloudflare's simulator has them. */
import type { Readable } from "node:stream";
import { Miniflare, type MiniflareOptions, type WorkerOptions } from "miniflare";
import { modulesOf, type WorkerBundle } from "../../deploy/cloudflare/bundle.ts";

export type IsolateOptions = Omit<WorkerOptions, "modules" | "script" | "scriptPath"> & {
  /** Where it keeps R2 and what objects store; absent: with this process. */
  readonly defaultPersistRoot?: string;
  /** Absent: a free one. */
  readonly port?: number;
};

/** What tests do with a bucket from outside the Worker. */
export interface BucketOutside {
  list(options: { readonly prefix: string }): Promise<{ objects: readonly { key: string }[] }>;
  put(key: string, bytes: Uint8Array): Promise<unknown>;
  head(key: string): Promise<{ readonly size: number } | null>;
}

export interface Isolate {
  readonly url: string;
  bucket(binding: string): Promise<BucketOutside>;
  /** Fires a cron trigger; resolves to `ok` or what became of it else. */
  runCron(cron: string): Promise<string>;
  /** What it printed. */
  log(): string;
  /** Ends workerd without a word and starts it anew; R2 and its address stay. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

interface Scheduled {
  scheduled(event: { readonly cron: string }): Promise<{ readonly outcome: string }>;
}

/** Eval is off also while the Worker starts, where workerd would allow it. */
const compatibility = {
  compatibilityDate: "2026-10-01",
  compatibilityFlags: ["disallow_eval_during_startup"],
};

/** Starts it on a free port; resolves when it takes requests. */
export async function startIsolate(
  bundle: WorkerBundle,
  options: IsolateOptions = {},
): Promise<Isolate> {
  const printed: string[] = [];
  const keep = (stream: Readable) => stream.on("data", (chunk) => printed.push(String(chunk)));
  const all = {
    ...compatibility,
    ...options,
    modules: modulesOf(bundle),
    host: "127.0.0.1",
    handleRuntimeStdio: (stdout: Readable, stderr: Readable) => void [keep(stdout), keep(stderr)],
  } satisfies MiniflareOptions;
  const miniflare = new Miniflare(all);
  const { origin: url, port } = await miniflare.ready;
  return {
    url,
    bucket: async (binding) => (await miniflare.getR2Bucket(binding)) as unknown as BucketOutside,
    async runCron(cron) {
      const worker = (await miniflare.getWorker()) as unknown as Scheduled;
      return (await worker.scheduled({ cron })).outcome;
    },
    log: () => printed.join(""),
    restart: () => miniflare.setOptions({ ...all, port: Number(port) }),
    stop: () => miniflare.dispose(),
  };
}
