/**
 * What the program reads beside its code goes into the single file: each table of files is
 * replaced by one whose files Bun embeds.
 */
import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import type { BunPlugin } from "bun";
import { clientScriptFile, kernelFile, sqliteFile } from "../../src/runtime/node/data-files.ts";
import type { ThreadName } from "../../src/runtime/node/thread-files.ts";

const node = join(import.meta.dir, "../../src/runtime/node");
const require = createRequire(import.meta.url);

const threads: readonly ThreadName[] = [
  ...(["task-worker", "view-worker"] as const),
  ...(["inflate-worker", "libsql-file-worker"] as const),
];

/** Modules that threads begin with; each is an entry of its own. */
export const threadEntries: readonly string[] = threads.map((name) => join(node, `${name}.ts`));

/** `target`, such as `linux-x64-gnu`, is whose libSQL goes in. */
export function embeddedFiles(target: string): BunPlugin {
  return {
    name: "embedded-files",
    setup(build) {
      build.onLoad({ filter: /[\\/]src[\\/]runtime[\\/]node[\\/]thread-files\.ts$/ }, () => ({
        loader: "ts",
        contents: threadTable,
      }));
      build.onLoad({ filter: /[\\/]src[\\/]runtime[\\/]node[\\/]data-files\.ts$/ }, () => ({
        loader: "ts",
        contents: dataTable(),
      }));
      // It asks for its native part by a name made at run time, which no bundler can follow.
      build.onLoad({ filter: /[\\/]node_modules[\\/]libsql[\\/]index\.js$/ }, ({ path }) => ({
        loader: "js",
        contents: withNative(readFileSync(path, "utf8"), nativePart(target)),
      }));
    },
  };
}

/** Bun places entries beside the program's own, by their paths from the folder of all of them. */
const threadTable = `export const threadFile = (name) =>
  new URL(\`./runtime/node/\${name}.js\`, import.meta.url);`;

function dataTable(): string {
  const kernels = kernelNames();
  const imports = [
    ...kernels.map((name, index) => [`kernel${index}`, kernelFile(name)] as const),
    ...([
      ["sqlite", sqliteFile()],
      ["client", clientScriptFile()],
    ] as const),
  ].map(([name, { pathname }]) => {
    return `import ${name} from ${JSON.stringify(pathname)} with { type: "file" };`;
  });
  const table = kernels.map((name, index) => `[${JSON.stringify(name)}, kernel${index}]`);
  return `import { pathToFileURL } from "node:url";
${imports.join("\n")}
const kernels = new Map([${table.join(", ")}]);
export const clientScriptFile = () => pathToFileURL(client);
export const sqliteFile = () => pathToFileURL(sqlite);
export const kernelFile = (name) => pathToFileURL(kernels.get(name));`;
}

function kernelNames(): string[] {
  return readdirSync(join(import.meta.dir, "../../wasm/build"), { recursive: true })
    .map((name) => String(name).replaceAll("\\", "/"))
    .filter((name) => name.endsWith(".wasm"))
    .map((name) => name.slice(0, -".wasm".length))
    .sort();
}

function nativePart(target: string): string {
  const libsql = dirname(require.resolve("libsql/package.json"));
  return createRequire(join(libsql, "index.js")).resolve(`@libsql/${target}`);
}

function withNative(source: string, file: string): string {
  const begin = source.indexOf("function requireNative() {");
  const end = source.indexOf("\n}\n", begin);
  if (begin < 0 || end < 0) throw new Error("libsql/index.js loads its native part in a new way");
  const loads = `function requireNative() {\n  return require(${JSON.stringify(file)});`;
  return source.slice(0, begin) + loads + source.slice(end);
}
