/** Bundles worker.ts and runs it in the pinned workerd. */
import { join } from "node:path";
import { bundleWorker } from "../../../deploy/cloudflare/bundle.ts";
import { type Isolate, startIsolate } from "../../support/isolate.ts";

/** Starts the Worker with its metadata at that URL; resolves when it answers. */
export async function startWorker(metadataUrl: string): Promise<Isolate> {
  const bundle = await bundleWorker({ entry: join(import.meta.dir, "worker.ts"), minify: false });
  return await startIsolate(bundle, {
    durableObjects: { LOG: "LogObject" },
    bindings: { METADATA_URL: metadataUrl },
  });
}
