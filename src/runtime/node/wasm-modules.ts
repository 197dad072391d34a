/** The committed WASM kernels and SQLite, read from disk: for Bun and Deno. */
import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { type SqlModules, sqlKernelNames } from "../../sql/sqlite/modules.ts";
import { kernelFile, sqliteFile } from "./data-files.ts";

export type WasmModuleName = "crc32c" | "crc32c-shared" | "lz4" | "snappy";

/** Reads and compiles `wasm/build/<name>.wasm`. Synchronous: they are a few kilobytes each. */
export function loadWasmModule(name: WasmModuleName): WebAssembly.Module {
  return new WebAssembly.Module(readFileSync(kernelFile(name)));
}

/** Reads and compiles SQLite and its kernels: 0.9 MB, some ten milliseconds; keep the result. */
export function loadSqlModules(): SqlModules {
  return Object.fromEntries(
    sqlFiles().map(([name, file]) => [name, new WebAssembly.Module(readFileSync(file))]),
  ) as SqlModules;
}

/** The same beside other work, for threads: a compiled module is given to each as it is. */
export async function compileSqlModules(): Promise<SqlModules> {
  const compiled = sqlFiles().map(async ([name, file]) => {
    return [name, await WebAssembly.compile(await readFile(file))] as const;
  });
  return Object.fromEntries(await Promise.all(compiled)) as SqlModules;
}

function sqlFiles(): (readonly [name: string, file: URL])[] {
  const kernels = sqlKernelNames.map((name) => [name, kernelFile(`sql/${name}`)] as const);
  return [["sqlite3", sqliteFile()], ...kernels];
}
