/** The same requests and the same answers on each runtime. */

import { startLibsqlHttpServer } from "../../deploy/cloudflare/libsql-http-server.ts";
import { denoProgram } from "../support/deno-program.ts";
import { edgeToken, startEdgeWorker } from "../support/edge-worker.ts";
import { type ServerPlace, StreamServer } from "../support/stream-server.ts";
import { type HttpPlace, httpChecks } from "./http-checks.ts";

async function server(place: ServerPlace): Promise<HttpPlace> {
  const started = await StreamServer.start(place);
  return { url: started.httpUrl, headers: {}, stop: () => started.stop() };
}

httpChecks("Bun", () => server({}));

httpChecks("Deno", () => server({ program: denoProgram("start") }));

for (const shards of ["1", "3"]) {
  httpChecks(`a Cloudflare Worker of ${shards} shards`, async () => {
    const metadata = startLibsqlHttpServer();
    const worker = await startEdgeWorker({
      MILLRACE_METADATA: metadata.url,
      MILLRACE_TOKEN: edgeToken,
      MILLRACE_SHARDS: shards,
    });
    const stop = async () => {
      await worker.stop();
      await metadata.close();
    };
    return { url: worker.url, headers: { Authorization: `Bearer ${edgeToken}` }, stop };
  });
}
