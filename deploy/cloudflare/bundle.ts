/**
 * Makes the bundle for workerd: worker.js, the JavaScript modules that it loads with itself or when
 * they are asked for, the WebAssembly modules, since workerd compiles nothing while it runs, and
 * texts.
 */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, join } from "node:path";
import { build, type Metafile, type Plugin } from "esbuild";
import { standIns } from "./stand-ins.ts";
import { withClientText } from "./with-client-text.ts";
import { withSentences } from "./with-sentences.ts";
import { withTables } from "./with-tables.ts";
import { withoutDocs } from "./without-docs.ts";
import { withoutOpenApi } from "./without-openapi.ts";

export interface WorkerBundle {
  readonly javascript: Uint8Array;
  /** Further modules, by the name that others import as `./name`. */
  readonly chunks: ReadonlyMap<string, Chunk>;
  /** By the name that the JavaScript imports as `./name`. */
  readonly wasm: ReadonlyMap<string, Uint8Array>;
  /** By the name that the JavaScript imports as `./name`. */
  readonly texts: ReadonlyMap<string, string>;
  /** What came from where, for whoever asks what weighs. */
  readonly metafile: Metafile;
}

export interface Chunk {
  readonly contents: Uint8Array;
  /** It is loaded when it is asked for first, and not when the Worker starts. */
  readonly isLazy: boolean;
}

export interface BundleOptions {
  readonly entry: string;
  readonly minify: boolean;
  readonly plugins?: readonly Plugin[];
}

const require = createRequire(import.meta.url);

/** Bundles as Wrangler does; fails where the code imports what workerd does not have. */
export async function bundleWorker(options: BundleOptions): Promise<WorkerBundle> {
  const wasm = new Map<string, Uint8Array>();
  const texts = new Map<string, string>();
  const { outputFiles, metafile } = await build({
    entryPoints: { worker: options.entry },
    outdir: ".",
    splitting: true,
    chunkNames: "[name]-[hash]",
    write: false,
    bundle: true,
    format: "esm",
    target: "esnext",
    minify: options.minify,
    metafile: true,
    conditions: ["workerd", "worker", "browser"],
    external: ["node:*", "cloudflare:*"],
    define: { "Number.POSITIVE_INFINITY": "Infinity" },
    logLevel: "error",
    // A stand-in that lacks what is imported of it.
    logOverride: { "import-is-undefined": "error" },
    plugins: [
      ...(options.plugins ?? []),
      ...[standIns(), withTables(texts), withoutOpenApi(texts), withClientText(texts)],
      ...[withSentences(texts), withoutDocs(), collectWasm(wasm)],
    ],
  });
  const started = startedWith("worker.js", metafile);
  const chunks = new Map(
    outputFiles.map(({ path, contents }) => {
      const name = basename(path);
      return [name, { contents, isLazy: !started.has(name) }];
    }),
  );
  const javascript = chunks.get("worker.js")?.contents;
  if (javascript === undefined) throw new Error(`No output of ${options.entry}`);
  chunks.delete("worker.js");
  return { javascript, chunks, wasm, texts, metafile };
}

/** The modules that are loaded with `name`, itself included. */
function startedWith(name: string, { outputs }: Metafile): ReadonlySet<string> {
  const found = new Set([name]);
  for (const each of found) {
    for (const { path, kind } of outputs[each]?.imports ?? []) {
      if (kind === "import-statement" && basename(path) in outputs) found.add(basename(path));
    }
  }
  return found;
}

/** The bundle as modules of Miniflare. */
export function modulesOf({ javascript, chunks, wasm, texts }: WorkerBundle) {
  return [
    { type: "ESModule" as const, path: "worker.js", contents: javascript },
    ...[...chunks].map(([path, { contents }]) => ({ type: "ESModule" as const, path, contents })),
    ...[...wasm].map(([path, contents]) => ({ type: "CompiledWasm" as const, path, contents })),
    ...[...texts].map(([path, contents]) => ({ type: "Text" as const, path, contents })),
  ];
}

function collectWasm(found: Map<string, Uint8Array>): Plugin {
  return {
    name: "wasm",
    setup({ onResolve }) {
      onResolve({ filter: /\.wasm$/ }, ({ path, resolveDir }) => {
        const name = basename(path);
        const file = path.startsWith(".") ? join(resolveDir, path) : require.resolve(path);
        found.set(name, readFileSync(file));
        return { path: `./${name}`, external: true };
      });
    },
  };
}
