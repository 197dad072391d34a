/** The committed WASM kernels and SQLite, read from disk: for Bun and Deno. */
import { readFileSync } from "node:fs";
import { type SqlModules, sqlKernelNames } from "../../sql/sqlite/modules.ts";

export type WasmModuleName = "crc32c" | "crc32c-shared" | "lz4" | "snappy";

/** Reads and compiles `wasm/build/<name>.wasm`. Synchronous: they are a few kilobytes each. */
export function loadWasmModule(name: WasmModuleName): WebAssembly.Module {
  return new WebAssembly.Module(readFileSync(wasmFile(name)));
}

/** Reads and compiles SQLite and its kernels: 0.9 MB, some ten milliseconds; keep the result. */
export function loadSqlModules(): SqlModules {
  const sqlite3 = new URL(import.meta.resolve("@sqlite.org/sqlite-wasm/sqlite3.wasm"));
  const files = [
    ["sqlite3", sqlite3] as const,
    ...sqlKernelNames.map((name) => [name, wasmFile(`sql/${name}`)] as const),
  ];
  return Object.fromEntries(
    files.map(([name, file]) => [name, new WebAssembly.Module(readFileSync(file))]),
  ) as SqlModules;
}

function wasmFile(name: string): URL {
  return new URL(`../../../wasm/build/${name}.wasm`, import.meta.url);
}
