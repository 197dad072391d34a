/** The Cloudflare Worker over a real libSQL server. */
import { afterAll } from "bun:test";
import { httpChecks } from "../runtime/http-checks.ts";
import { edgeToken, startEdgeWorker } from "../support/edge-worker.ts";
import { startSqld } from "./support/sqld.ts";

const url = process.env["MILLRACE_TEST_SQLD"] ?? (await ownServer());

for (const shards of ["1", "3"]) {
  httpChecks(`a Cloudflare Worker with ${shards} shards over sqld`, async () => {
    const worker = await startEdgeWorker({
      MILLRACE_METADATA: url,
      MILLRACE_TOKEN: edgeToken,
      MILLRACE_SHARDS: shards,
    });
    const headers = { Authorization: `Bearer ${edgeToken}` };
    return { url: worker.url, headers, stop: () => worker.stop() };
  });
}

async function ownServer(): Promise<string> {
  const sqld = await startSqld();
  afterAll(async () => await sqld.stop());
  return sqld.url;
}
