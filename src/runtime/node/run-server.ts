/** The life of a worker's process: start, say where it listens, wait for the signal, stop. */
import process from "node:process";
import type { Logger } from "../../base/log.ts";
import { type Settings, strayVariables } from "../settings.ts";
import { startServer } from "./compose.ts";
import { createLogger, type LoggerOptions } from "./logger.ts";
import { showHostPort } from "./option-kinds.ts";
import { clock } from "./platform.ts";
import type { RunningServer, RuntimeParts } from "./running-server.ts";
import { version } from "./version.ts";

/**
 * Runs a worker until `signal` aborts and it has stopped in good order.
 * @throws StartupError, before anything was printed.
 */
export async function runServer(
  settings: Settings,
  runtime: RuntimeParts,
  signal: AbortSignal,
): Promise<void> {
  const format = settings.logFormat ?? (process.stderr.isTTY ? "text" : "json");
  const options = { level: settings.logLevel, format, now: () => clock.now() } as const;
  const log = createLogger({ ...options, ...written(process.stderr) });
  reportStrayErrors(log);
  const server = await startServer(settings, runtime, log);
  if (format === "text") process.stdout.write(startText(settings, server));
  else startLines(settings, server, createLogger({ ...options, ...written(process.stdout) }));
  for (const name of strayVariables(visible(process.env))) {
    log.warn(`${name} is no setting: see streamctl server --help`);
  }
  if (settings.token === undefined && settings.allowAnonymous) {
    log.warn(
      "anyone who reaches this worker may read, write and delete: MILLRACE_TOKEN is not set",
    );
  }
  if (!signal.aborted) await once(signal);
  log.info("stopping: no new requests, those under way are finished");
  await server.stop();
  log.info("stopped");
}

function written(stream: NodeJS.WriteStream): Pick<LoggerOptions, "write" | "hasColour"> {
  const { NO_COLOR, TERM } = process.env;
  const hasColour = stream.isTTY === true && !NO_COLOR && TERM !== "dumb";
  return { write: (line) => void stream.write(line), hasColour };
}

/** A promise that nobody awaits is our mistake: it is told, and must not end the process. */
function reportStrayErrors(log: Logger): void {
  process.on("unhandledRejection", (error) => {
    log.error("unexpected error", { error, stack: error instanceof Error ? error.stack : "" });
  });
}

function once(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
}

function startText(settings: Settings, server: RunningServer): string {
  return [
    `Millrace ${version}`,
    `  HTTP      ${server.httpUrl}`,
    `  Kafka     ${kafkaText(settings, server)}`,
    `  store     ${storeText(settings, server)}`,
    `  metadata  ${server.metadataDescription}`,
    "",
    "Send a first record:",
    `  ${firstRecord(settings, server)}`,
    "",
    "",
  ].join("\n");
}

function startLines(settings: Settings, server: RunningServer, log: Logger): void {
  log.info("HTTP listens", { url: server.httpUrl, version });
  log.info("Kafka listens", { address: kafkaText(settings, server) });
  log.info("store", { store: storeText(settings, server) });
  log.info("metadata", { metadata: server.metadataDescription });
  log.info("ready: send a first record", { command: firstRecord(settings, server) });
}

function kafkaText({ kafka, kafkaAdvertised }: Settings, { kafkaPort }: RunningServer): string {
  if (kafka === "off" || kafkaPort === undefined) return "off";
  const bound = showHostPort({ host: kafka.host, port: kafkaPort });
  return kafkaAdvertised === undefined
    ? bound
    : `${bound}, advertised as ${showHostPort(kafkaAdvertised)}`;
}

function storeText({ store, fsync }: Settings, server: RunningServer): string {
  const durability = store.kind === "folder" ? `, fsync ${fsync ? "on" : "off"}` : "";
  return server.storeDescription + durability;
}

/** A line to paste into a shell. */
function firstRecord({ token, autoCreateTopics }: Settings, { httpUrl }: RunningServer): string {
  const authorization = token === undefined ? "" : ' -H "Authorization: Bearer $MILLRACE_TOKEN"';
  const curl = `curl${authorization}`;
  const topic = `${httpUrl}/v1/topics`;
  const json = "-H 'Content-Type: application/json' -d";
  const create = autoCreateTopics ? "" : `${curl} ${json} '{"name":"test"}' ${topic} && `;
  return `${create}${curl} -H 'Content-Type: text/plain' -d hello ${topic}/test/records`;
}

/** All variables, where all may be seen: Deno lets a program see those alone that it is told to. */
function visible(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  try {
    return { ...env };
  } catch {
    return {};
  }
}
