/**
 * Builds the client into `src/client/build/`, which is committed as the kernels are: a server reads
 * /client.js there, and `millrace/client` works for whoever installs the package from anywhere.
 *
 * - A JavaScript file and a declaration per source file, by the TypeScript compiler: bundlers drop
 *   what a page does not import, and errors are of one class whichever entry they come from.
 * - `client.min.js`, all of it in one file for pages without a bundler.
 */
import { execFileSync } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";

const root = join(import.meta.dir, "../..");
const sources = join(root, "src/client");
const compiler = join(root, "node_modules/typescript/bin/tsc");

export const clientBuildFolder: string = join(sources, "build");

/** What a page may load of each, gzipped. */
export const gzippedBytesMax = 10_000;

/** Entries by their names in package.json's `exports`. */
const clientEntries = {
  "millrace/client": "client.ts",
  "millrace/client/sql": "sql-entry.ts",
  "millrace/client/arrow": "arrow.ts",
  "millrace/client/kafkajs": "kafkajs-socket.ts",
  "/client.js": "page-script.ts",
} as const;

export interface EntrySize {
  readonly name: keyof typeof clientEntries;
  readonly gzippedBytes: number;
}

/** Writes everything to `out`, which is emptied first; says how large each entry is by itself. */
export async function buildClient(out: string): Promise<readonly EntrySize[]> {
  rmSync(out, { recursive: true, force: true });
  mkdirSync(out, { recursive: true });
  execFileSync("node", [compiler, "-p", join(root, "tsconfig.client.json"), "--outDir", out], {
    stdio: "inherit",
  });
  // Nothing happens when a file is imported: bundlers may leave out what is not used.
  const manifest = { type: "module", sideEffects: false };
  writeFileSync(join(out, "package.json"), `${JSON.stringify(manifest, null, 2)}\n`);
  const sizes: EntrySize[] = [];
  for (const [name, file] of Object.entries(clientEntries)) {
    const script = await bundleOf(`export * from ${JSON.stringify(join(sources, file))}`);
    if (name === "/client.js") writeFileSync(join(out, "client.min.js"), script);
    sizes.push({ name: name as EntrySize["name"], gzippedBytes: gzipSync(script).length });
  }
  return sizes;
}

/** A module as a page's bundler makes it. */
export async function bundleOf(source: string): Promise<string> {
  const { outputFiles } = await build({
    stdin: { contents: source, resolveDir: root, loader: "ts" },
    write: false,
    bundle: true,
    format: "esm",
    target: "es2022",
    minify: true,
    legalComments: "none",
    logLevel: "error",
  });
  return outputFiles[0]?.text ?? "";
}
