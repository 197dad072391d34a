/** The composition root of Bun. */

import { runServer as runServerOn } from "../node/run-server.ts";
import type { RuntimeParts } from "../node/running-server.ts";
import type { Settings } from "../settings.ts";
import { listenHttp } from "./http-listener.ts";
import { createSocketFetch } from "./socket-fetch.ts";
import { listenTcp } from "./tcp-listener.ts";

export const bunParts: RuntimeParts = {
  listenHttp,
  listenTcp,
  storeFetch: createSocketFetch(),
  copiesPlainKernelMemory: true,
  collectGarbage: () => void Bun.gc(true),
};

/** Runs a worker until `signal` aborts. Throws StartupError. */
export async function runServer(settings: Settings, signal: AbortSignal): Promise<void> {
  await runServerOn(settings, bunParts, signal);
}
