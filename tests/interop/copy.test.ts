/** `streamctl copy` into MinIO and sqld, from where a worker on either runtime serves it. */
import { copyChecks } from "../runtime/copy-checks.ts";
import { denoProgram } from "../support/deno-program.ts";
import { edgeToken } from "../support/edge-worker.ts";
import { StreamServer } from "../support/stream-server.ts";
import { startMinio } from "./support/minio.ts";
import { startSqld } from "./support/sqld.ts";

for (const [runtime, place] of [
  ["Bun", {}],
  ["Deno", { program: denoProgram("start:s3") }],
] as const) {
  copyChecks(`MinIO and sqld, for a worker on ${runtime}`, async () => {
    const [minio, sqld] = await Promise.all([startMinio(), startSqld()]);
    const storeUrl = minio.storeUrl("copied");
    return {
      ...{ storeUrl, env: minio.env, metadataUrl: sqld.url },
      async serve() {
        const env = { ...minio.env, MILLRACE_TOKEN: edgeToken };
        const to = { store: storeUrl, metadata: sqld.url };
        const server = await StreamServer.start({ ...place, ...to, env });
        return { url: server.httpUrl, stop: () => server.stop() };
      },
      stop: () => Promise.all([minio.stop(), sqld.stop()]),
    };
  });
}
