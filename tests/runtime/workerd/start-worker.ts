/** Bundles worker.ts and runs it in the pinned workerd, without miniflare. */
import { copyFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, join } from "node:path";
import { build } from "esbuild";
import { binaryOf } from "../../run/binaries.ts";
import { freePorts, RunningProgram, temporaryFolder } from "../../support/processes.ts";

export interface RunningWorker {
  readonly url: string;
  /** What it printed. */
  log(): string;
  stop(): Promise<void>;
}

const require = createRequire(import.meta.url);

/** Starts the Worker with its metadata at that URL; resolves when it answers. */
export async function startWorker(metadataUrl: string): Promise<RunningWorker> {
  const folder = temporaryFolder("workerd");
  const [port = 0] = await freePorts(1);
  const kernels = await bundle(folder);
  const config = join(folder, "config.capnp");
  writeFileSync(config, configuration({ port, metadataUrl, kernels }));
  const program = new RunningProgram([binaryOf("workerd"), "serve", config], {
    logPath: join(folder, "workerd.log"),
  });
  const url = `http://127.0.0.1:${port}`;
  await program.waitUntil(async () => (await fetch(`${url}/readyz`)).ok);
  return { url, log: () => program.log(), stop: () => program.kill() };
}

/** Writes worker.js and the kernels that it imports; resolves to their names. */
async function bundle(folder: string): Promise<string[]> {
  const kernels = new Set<string>();
  await build({
    entryPoints: [join(import.meta.dir, "worker.ts")],
    outfile: join(folder, "worker.js"),
    bundle: true,
    format: "esm",
    target: "esnext",
    // As Wrangler bundles.
    conditions: ["workerd", "worker", "browser"],
    external: ["node:*", "cloudflare:*"],
    logLevel: "error",
    plugins: [
      {
        name: "kernels",
        setup({ onResolve }) {
          onResolve({ filter: /\.wasm$/ }, ({ path, resolveDir }) => {
            const name = basename(path);
            const file = path.startsWith(".") ? join(resolveDir, path) : require.resolve(path);
            copyFileSync(file, join(folder, name));
            kernels.add(name);
            return { path: `./${name}`, external: true };
          });
        },
      },
    ],
  });
  return [...kernels];
}

/** Eval is off also while the Worker starts, where workerd would allow it. */
function configuration(options: {
  readonly port: number;
  readonly metadataUrl: string;
  readonly kernels: readonly string[];
}): string {
  const { port, metadataUrl, kernels } = options;
  const modules = [
    `(name = "worker.js", esModule = embed "worker.js")`,
    ...kernels.map((name) => `(name = "${name}", wasm = embed "${name}")`),
  ];
  return `using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [
    (name = "log", worker = .log),
    (name = "network", network = (allow = ["private"])),
  ],
  sockets = [(name = "http", address = "127.0.0.1:${port}", http = (), service = "log")],
);

const log :Workerd.Worker = (
  modules = [${modules.join(", ")}],
  compatibilityDate = "2026-10-01",
  compatibilityFlags = ["disallow_eval_during_startup"],
  bindings = [
    (name = "METADATA_URL", text = "${metadataUrl}"),
    (name = "LOG", durableObjectNamespace = "LogObject"),
  ],
  durableObjectNamespaces = [(className = "LogObject", uniqueKey = "log")],
  durableObjectStorage = (inMemory = void),
  globalOutbound = "network",
);
`;
}
