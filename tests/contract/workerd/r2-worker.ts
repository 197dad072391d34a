/**
 * The contract of object stores as a Worker: `/` names its cases, `/run?case=…` runs one over the
 * bucket that is bound to it, under a prefix of its own.
 */
import { silentLogger } from "../../../src/base/log.ts";
import { createPlatform } from "../../../src/runtime/workerd/platform.ts";
import { type R2Bucket, R2Store } from "../../../src/store/r2-store.ts";
import { objectStoreContract } from "../object-store.ts";
import { cases } from "./suite.ts";

let bucket: R2Bucket | undefined;
let made = 0;

objectStoreContract("R2", async () => {
  const prefix = `case-${made++}`;
  const memory = new WebAssembly.Memory({ initial: 16, maximum: 16 });
  const platform = createPlatform({ log: silentLogger, memory });
  const open = () => {
    if (bucket === undefined) throw new Error("no bucket is bound");
    return new R2Store({ bucket, prefix, platform });
  };
  return { store: open(), reopened: open, dispose: async () => {} };
});

export default {
  async fetch(request: Request, bindings: { readonly BUCKET: R2Bucket }): Promise<Response> {
    bucket = bindings.BUCKET;
    const name = new URL(request.url).searchParams.get("case");
    if (name === null) return Response.json([...cases.keys()]);
    try {
      await cases.get(name)?.();
      return new Response(cases.has(name) ? "passed" : "no such case");
    } catch (error) {
      return new Response(error instanceof Error ? error.stack : String(error), { status: 500 });
    }
  },
};
