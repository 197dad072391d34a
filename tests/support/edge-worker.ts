/** The Worker as it is deployed, in workerd on this machine, with R2 and Durable Objects beside it. */
import { bundleWorker } from "../../deploy/cloudflare/bundle.ts";
import { workerEntry } from "../../deploy/cloudflare/worker-entry.ts";
import { type Isolate, type IsolateOptions, startIsolate } from "./isolate.ts";

export const edgeToken = "a token for tests";

export type EdgeVariables = Readonly<Record<`MILLRACE_${string}`, string>>;

/** Starts it with these variables; give none and it has no token either. */
export async function startEdgeWorker(variables: EdgeVariables): Promise<Isolate> {
  const bundle = await bundleWorker({ entry: workerEntry, minify: true });
  return await startIsolate(bundle, edgeOptions(variables));
}

export function edgeOptions(variables: EdgeVariables): IsolateOptions {
  return {
    r2Buckets: ["BUCKET"],
    durableObjects: {
      LOG: { className: "LogObject", useSQLite: true },
      GROUPS: { className: "GroupObject", useSQLite: true },
      QUERIES: { className: "QueryObject", useSQLite: true },
    },
    bindings: { ...variables },
  };
}
