/** `streamctl copy` into MinIO and sqld. */
import { copyChecks } from "../runtime/copy-checks.ts";
import { edgeToken } from "../support/edge-worker.ts";
import { StreamServer } from "../support/stream-server.ts";
import { startMinio } from "./support/minio.ts";
import { startSqld } from "./support/sqld.ts";

copyChecks("MinIO and sqld", async () => {
  const [minio, sqld] = await Promise.all([startMinio(), startSqld()]);
  const storeUrl = minio.storeUrl("copied");
  return {
    ...{ storeUrl, env: minio.env, metadataUrl: sqld.url },
    async serve() {
      const env = { ...minio.env, MILLRACE_TOKEN: edgeToken };
      const server = await StreamServer.start({ store: storeUrl, metadata: sqld.url, env });
      return { url: server.httpUrl, stop: () => server.stop() };
    },
    stop: () => Promise.all([minio.stop(), sqld.stop()]),
  };
});
