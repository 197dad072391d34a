/**
 * `npm run dev:worker`: the Worker in workerd on this machine, with R2, Durable Objects and libSQL
 * beside it, all of which keep what they have in a folder. Needs no account and no network.
 */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { Miniflare } from "miniflare";
import { bundleWorker, modulesOf } from "./bundle.ts";
import { startLibsqlHttpServer } from "./libsql-http-server.ts";
import { workerEntry } from "./worker-entry.ts";

const port = Number(process.env["PORT"] ?? 8787);
const folder = process.env["MILLRACE_DATA"] ?? "data/worker";
const token = process.env["MILLRACE_TOKEN"] ?? "local";
const maintenanceMs = 600_000;

mkdirSync(folder, { recursive: true });
const metadata =
  process.env["MILLRACE_METADATA"] === undefined
    ? startLibsqlHttpServer(join(folder, "metadata.db"))
    : undefined;
const bundle = await bundleWorker({ entry: workerEntry, minify: false });
const miniflare = new Miniflare({
  host: "127.0.0.1",
  port,
  compatibilityDate: "2026-10-01",
  modules: modulesOf(bundle),
  // Would put a Worker of the simulator's own behind each request to the metadata.
  stripCfConnectingIp: false,
  r2Buckets: ["BUCKET"],
  r2Persist: join(folder, "r2"),
  durableObjects: {
    LOG: { className: "LogObject", useSQLite: true },
    GROUPS: { className: "GroupObject", useSQLite: true },
    QUERIES: { className: "QueryObject", useSQLite: true },
  },
  durableObjectsPersist: join(folder, "objects"),
  bindings: { MILLRACE_QUERIES: "on", ...variables(), MILLRACE_TOKEN: token },
});
const url = String(await miniflare.ready).replace(/\/$/, "");
process.stdout.write(`The Worker listens at ${url}, its data lies in ${folder}

  curl -H 'Authorization: Bearer ${token}' -H 'Content-Type: text/plain' -d hello \\
    ${url}/v1/topics/test/records
  curl -H 'Authorization: Bearer ${token}' '${url}/v1/topics/test/partitions/0/records'
`);

// Cron, which nobody else plays here. At a signal the simulator ends workerd and this process.
setInterval(() => void maintain(), maintenanceMs);

/** What the environment says, as variables and secrets of the Worker. */
function variables(): Record<string, string> {
  const given = Object.entries(process.env).filter(([name]) => name.startsWith("MILLRACE_"));
  const kept = Object.fromEntries(given) as Record<string, string>;
  return metadata === undefined ? kept : { ...kept, MILLRACE_METADATA: metadata.url };
}

async function maintain(): Promise<void> {
  const worker = (await miniflare.getWorker()) as unknown as {
    scheduled(event: { readonly cron: string }): Promise<unknown>;
  };
  await worker.scheduled({ cron: "*/10 * * * *" });
}
