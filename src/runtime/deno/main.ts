/** The composition root of Deno, and its program: `deno run … main.ts server [options]`. */
import process from "node:process";
import { UsageError } from "../node/options.ts";
import { runServer } from "../node/run-server.ts";
import type { RuntimeParts } from "../node/running-server.ts";
import { stopSignal } from "../node/stop-signal.ts";
import { listenTcp } from "../node/tcp-listener.ts";
import { readSettings } from "../settings.ts";
import { StartupError } from "../startup-error.ts";
import { listenHttp } from "./http-listener.ts";

const denoParts: RuntimeParts = { listenHttp, listenTcp };

/** Runs a command line; resolves to the exit code. */
async function main(argv: readonly string[]): Promise<number> {
  try {
    if (argv[0] !== "server") throw new UsageError("On Deno there is one command: server");
    await runServer(readSettings(argv.slice(1), process.env), denoParts, stopSignal());
    return 0;
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const advice = error instanceof StartupError ? `\n${error.advice}.` : "";
    process.stderr.write(`millrace: ${message}${advice}\n`);
    return error instanceof UsageError ? 2 : 1;
  }
}

if (import.meta.main) process.exit(await main(process.argv.slice(2)));
