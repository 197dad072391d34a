/** The committed WASM kernels, read from disk: for Bun and Deno. */
import { readFileSync } from "node:fs";

export type WasmModuleName = "crc32c" | "crc32c-shared" | "lz4" | "snappy";

/** Reads and compiles `wasm/build/<name>.wasm`. Synchronous: they are a few kilobytes each. */
export function loadWasmModule(name: WasmModuleName): WebAssembly.Module {
  return new WebAssembly.Module(readFileSync(wasmFile(name)));
}

function wasmFile(name: WasmModuleName): URL {
  return new URL(`../../../wasm/build/${name}.wasm`, import.meta.url);
}
