/** `streamctl shim`: a local port for Kafka clients, to a worker that is reached by HTTP alone. */
import * as z from "zod";
import { hostPortSchema, option, showHostPort, text } from "../../runtime/node/option-kinds.ts";
import { listenTcp } from "../../runtime/node/tcp-listener.ts";
import { CommandError, defineCommand, exitOk } from "../command.ts";
import type { CliIo } from "../io.ts";
import { KafkaShim } from "../kafka-shim.ts";

/** Received and not sent on, over all connections. */
const unreadBytesMax = 64 * 1024 * 1024;

const urlSchema = z
  .string()
  .refine((given) => /^(?:wss?|https?):\/\//.test(given) && URL.canParse(given));

export const shimCommand = defineCommand({
  name: "shim",
  summary: "Give Kafka clients a local port to a worker behind HTTP",
  positionals: [],
  options: {
    url: option("URL", "a URL such as wss://millrace.example", urlSchema, {
      env: "MILLRACE_URL",
      fallback: "http://127.0.0.1:8080",
      doc: "the worker; ws and wss, http and https mean the same",
    }),
    token: text("TOKEN", { env: "MILLRACE_TOKEN", doc: "shared secret of the workers" }),
    listen: option("HOST:PORT", "an address such as 127.0.0.1:9092", hostPortSchema, {
      fallback: "127.0.0.1:9092",
      doc: "where Kafka clients connect, without TLS and without authentication",
    }),
    advertised: option("HOST:PORT", "an address such as shim.local:9092", hostPortSchema, {
      doc: "the shim's address as clients reach it, where it is not --listen",
    }),
  },
  examples: [
    "streamctl shim --url wss://millrace.example.workers.dev",
    "streamctl shim --url https://millrace.example --listen 127.0.0.1:19092",
  ],
  async run({ io, options }) {
    const { url, token, listen } = options;
    const connections = new Set<Promise<void>>();
    let shim: KafkaShim | undefined;
    const listener = await listenTcp({
      ...listen,
      unreadBytesMax,
      onConnection(client) {
        if (shim === undefined) return client.close();
        const carried = shim.carry(client).catch((error: unknown) => tell(io, error));
        connections.add(carried);
        void carried.finally(() => connections.delete(carried));
        io.signal.addEventListener("abort", () => client.close(), { once: true });
      },
    }).catch((error: unknown) => {
      const reason = error instanceof Error ? error.message : String(error);
      throw new CommandError(
        "address_unusable",
        `Cannot listen at ${showHostPort(listen)}: ${reason}`,
      );
    });
    const bound = { host: listen.host, port: listener.port };
    shim = new KafkaShim({ url, token, advertised: options.advertised ?? bound });
    // Whoever starts it wants to know now; the worker may come later all the same.
    const isThere = await shim.check().then(
      () => true,
      (error: unknown) => tell(io, error),
    );
    const state = isThere === true ? "Ready" : "Listening";
    await io.stdout.write(`${state}: bootstrap.servers=${showHostPort(bound)}\n`);
    if (!io.signal.aborted) {
      await new Promise<void>((resolve) => {
        io.signal.addEventListener("abort", () => resolve(), { once: true });
      });
    }
    await listener.close();
    await Promise.all(connections);
    return exitOk;
  },
});

async function tell(io: CliIo, error: unknown): Promise<void> {
  const message = error instanceof Error ? error.message : String(error);
  const advice = error instanceof CommandError && error.advice ? ` (${error.advice})` : "";
  await io.stderr.write(`streamctl shim: ${message}${advice}\n`);
}
