/**
 * Compiles the kernels of this folder to `wasm/build/<name>.wasm`, which are committed: users need
 * no compiler, and workerd takes WebAssembly only as files known at build time. The output depends
 * on nothing but the sources and the pinned compiler, so that a test can compile again and compare.
 *
 *   node wasm/build.mjs [--out DIR]
 */
import { execFileSync } from "node:child_process";
import { mkdirSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** Each kernel with the pages of 64 KiB that its imported memory must have at least. */
const kernels = [
  { name: "crc32c", pages: 1 },
  { name: "lz4", pages: 1 },
  { name: "snappy", pages: 1 },
];

const here = dirname(fileURLToPath(import.meta.url));
const compiler = createRequire(import.meta.url).resolve("assemblyscript/bin/asc.js");

/** Compiles every kernel into the folder `out`. */
function buildKernels(out) {
  mkdirSync(out, { recursive: true });
  for (const { name, pages } of kernels) {
    const file = join(out, `${name}.wasm`);
    const flags = ["-O3", "--noAssert", "--runtime", "stub", "--enable", "simd"];
    flags.push("--importMemory", "--noExportMemory", "--initialMemory", String(pages));
    execFileSync(process.execPath, [compiler, `${name}.ts`, "--outFile", file, ...flags], {
      cwd: here,
      stdio: ["ignore", "inherit", "inherit"],
    });
    console.log(`${file}: ${statSync(file).size} bytes`);
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const flag = process.argv.indexOf("--out");
  buildKernels(flag < 0 ? join(here, "build") : process.argv[flag + 1]);
}
