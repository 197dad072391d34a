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

/** WebAssembly memory ends at so many pages: 4 GiB. */
const pagesMax = 65536;

/**
 * Each kernel with the pages of 64 KiB that its imported memory must have at least. A module says
 * whether its memory is shared, so a kernel that works on both kinds is two modules.
 */
const kernels = [
  { name: "crc32c", pages: 1 },
  { name: "crc32c-shared", source: "crc32c", pages: 1, shared: true },
  { name: "lz4", pages: 1 },
  { name: "snappy", pages: 1 },
];

const here = dirname(fileURLToPath(import.meta.url));
const compiler = createRequire(import.meta.url).resolve("assemblyscript/bin/asc.js");

/** Compiles every kernel into the folder `out`. */
function buildKernels(out) {
  mkdirSync(out, { recursive: true });
  for (const { name, source = name, pages, shared = false } of kernels) {
    const file = join(out, `${name}.wasm`);
    const flags = ["-O3", "--noAssert", "--runtime", "stub", "--enable", "simd"];
    flags.push("--importMemory", "--noExportMemory", "--initialMemory", String(pages));
    if (shared) flags.push("--sharedMemory", "--maximumMemory", String(pagesMax));
    if (shared) flags.push("--enable", "threads");
    execFileSync(process.execPath, [compiler, `${source}.ts`, "--outFile", file, ...flags], {
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
