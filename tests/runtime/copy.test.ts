import { startLibsqlHttpServer } from "../../deploy/cloudflare/libsql-http-server.ts";
import { edgeToken, startEdgeWorker } from "../support/edge-worker.ts";
import { type R2Outside, serveBucket } from "../support/r2-through-s3.ts";
import { copyChecks } from "./copy-checks.ts";

copyChecks("R2, for a Cloudflare Worker", async () => {
  const metadata = startLibsqlHttpServer();
  const worker = await startEdgeWorker({
    MILLRACE_METADATA: metadata.url,
    MILLRACE_TOKEN: edgeToken,
    MILLRACE_QUERIES: "on",
  });
  const s3 = await serveBucket(async () => (await worker.bucket("BUCKET")) as unknown as R2Outside);
  return {
    ...{ storeUrl: s3.storeUrl, env: s3.env, metadataUrl: metadata.url },
    // It has looked at nothing before its first request.
    serve: async () => ({ url: worker.url, stop: async () => {} }),
    async stop() {
      await worker.stop();
      await Promise.all([s3.close(), metadata.close()]);
    },
  };
});
