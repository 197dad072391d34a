/** Runs a bundle in the pinned workerd, with R2 and Durable Objects as Cloudflare's simulator has them. */
import type { Readable } from "node:stream";
import { Miniflare, type WorkerOptions } from "miniflare";
import type { WorkerBundle } from "../../deploy/cloudflare/bundle.ts";

export type IsolateOptions = Omit<WorkerOptions, "modules" | "script" | "scriptPath">;

export interface Isolate {
  readonly url: string;
  readonly miniflare: Miniflare;
  /** What it printed. */
  log(): string;
  stop(): Promise<void>;
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
  const miniflare = new Miniflare({
    ...compatibility,
    ...options,
    modules: [
      { type: "ESModule", path: "worker.js", contents: bundle.javascript },
      ...[...bundle.wasm].map(([path, contents]) => {
        return { type: "CompiledWasm", path, contents } as const;
      }),
    ],
    handleRuntimeStdio: (stdout: Readable, stderr: Readable) => void [keep(stdout), keep(stderr)],
  });
  const url = String(await miniflare.ready).replace(/\/$/, "");
  return { url, miniflare, log: () => printed.join(""), stop: () => miniflare.dispose() };
}
