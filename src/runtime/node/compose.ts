/**
 * The composition root that Bun and Deno share: they bring their sockets; both have node's APIs for
 * the rest.
 *
 * Order of the start: the metadata first, since a second process must be refused before it touches
 * anything; then the worker (worker.ts).
 */
import type { Logger } from "../../base/log.ts";
import { isStreamError } from "../../base/stream-error.ts";
import type { SqlDatabase } from "../../meta/sql-database.ts";
import type { Settings } from "../settings.ts";
import { StartupError } from "../startup-error.ts";
import { flushPolicy } from "./flush-settings.ts";
import { openDatabase } from "./open-database.ts";
import { createPlatform } from "./platform.ts";
import { recordMemory } from "./record-memory.ts";
import type { RunningServer, RuntimeParts } from "./running-server.ts";
import { Worker } from "./worker.ts";

/**
 * Starts a worker; resolves when it takes requests.
 * @throws StartupError with what to do about it.
 */
export async function startServer(
  settings: Settings,
  runtime: RuntimeParts,
  logger: Logger,
): Promise<RunningServer> {
  const { memory, ring, blocks, frames } = recordMemory(settings.cacheBytes, {
    policy: flushPolicy(settings),
    queueBytes: settings.queueBytes,
    shared: runtime.copiesPlainKernelMemory === true && settings.store.kind === "folder",
  });
  const platform = createPlatform({ log: logger, memory });
  const database = await startDatabase(settings);
  const worker = new Worker({ settings, runtime, platform, ring, blocks, frames, database });
  try {
    await worker.start();
  } catch (error) {
    await worker.abandon();
    throw startupError(error);
  }
  return worker;
}

async function startDatabase(settings: Settings): Promise<SqlDatabase> {
  try {
    return await openDatabase(settings);
  } catch (error) {
    throw startupError(error);
  }
}

function startupError(error: unknown): unknown {
  if (!isStreamError(error)) return error;
  const advice =
    error.details["owned"] === true
      ? "Stop the other worker, or give this one a folder of its own with --data"
      : "Check --data, --store and --metadata; `streamctl server --help` tells what they may be";
  return new StartupError(error.code, error.message, advice, { cause: error });
}
