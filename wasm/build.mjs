/**
 * Compiles the kernels to `wasm/build/`, which is committed: users need no compiler, and workerd
 * takes WebAssembly only as files known at build time. The output depends on nothing but the
 * sources and the pinned compiler, so that a test can compile again and compare.
 *
 *   node wasm/build.mjs [--out DIR] [NAME…]      NAME: a kernel, as in `crc32c` or `sql/table`
 *
 * Two sorts. Those listed below have a memory of their own. Each file directly in `wasm/sql/` is a
 * kernel of the query engine (what kernels share lies in `wasm/sql/parts/`): it is linked to the
 * memory of SQLite, of which it owns nothing, so it may bring no static data and run nothing when
 * it is instantiated; memory comes from SQLite's allocator, imported as any other of its functions:
 *
 *   @external("env", "malloc") declare function malloc(bytes: usize): usize;
 */
import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const compiler = createRequire(import.meta.url).resolve("assemblyscript/bin/asc.js");

/** WebAssembly memory ends at so many pages: 4 GiB. */
const pagesMax = 65536;

/**
 * Kernels with a memory of their own, each with the pages of 64 KiB that it must have at least. A
 * module says whether its memory is shared between threads, so a kernel that works on both kinds is
 * two modules.
 */
const ownMemory = [
  { name: "crc32c", pages: 1 },
  { name: "crc32c-shared", source: "crc32c", pages: 1, isShared: true },
  { name: "lz4", pages: 1 },
  { name: "snappy", pages: 1 },
];
const sqliteMemory = readdirSync(join(here, "sql"))
  .filter((file) => file.endsWith(".ts"))
  .map((file) => ({ name: `sql/${file.slice(0, -3)}`, pages: 1, isLinked: true }))
  .toSorted((a, b) => (a.name < b.name ? -1 : 1));

/** Compiles the kernels called `names` into the folder `out`; none named: all. */
function buildKernels(out, names) {
  const kernels = [...ownMemory, ...sqliteMemory];
  for (const name of names) {
    if (kernels.some((kernel) => kernel.name === name)) continue;
    const known = kernels.map((kernel) => kernel.name).join(", ");
    throw new Error(`There is no kernel ${name}: ${known}`);
  }
  mkdirSync(join(out, "sql"), { recursive: true });
  for (const { name, source = name, pages, isShared = false, isLinked = false } of kernels) {
    if (names.length > 0 && !names.includes(name)) continue;
    const file = join(out, `${name}.wasm`);
    const flags = ["-O3", "--noAssert", "--runtime", "stub", "--enable", "simd"];
    flags.push("--importMemory", "--noExportMemory", "--initialMemory", String(pages));
    if (isShared) flags.push("--sharedMemory", "--maximumMemory", String(pagesMax));
    if (isShared) flags.push("--enable", "threads");
    if (isLinked) flags.push(...sharedMemoryFlags);
    execFileSync(process.execPath, [compiler, `${source}.ts`, "--outFile", file, ...flags], {
      cwd: here,
      stdio: ["ignore", "inherit", "inherit"],
    });
    if (isLinked) refuseOwnState(name, readFileSync(file));
    console.log(`${file}: ${statSync(file).size} bytes`);
  }
}

// An array index out of bounds cannot happen where there are no arrays; `abort` would be an import.
const sharedMemoryFlags = [
  "--uncheckedBehavior",
  "always",
  "--disableWarning",
  "201",
  "--converge",
  "--use",
  "abort=",
];

const startSection = 8;
const dataSection = 11;

/** Throws when a module that shares a memory has data segments or a start function. */
function refuseOwnState(name, bytes) {
  let position = 8;
  while (position < bytes.length) {
    const section = bytes[position++];
    let length = 0;
    for (let shift = 0, more = true; more; shift += 7) {
      more = bytes[position] >= 0x80;
      length |= (bytes[position++] & 0x7f) << shift;
    }
    if (section === dataSection) throw new Error(`${name} has static data (a string, an array?)`);
    if (section === startSection) throw new Error(`${name} has globals that need a start`);
    position += length;
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const args = process.argv.slice(2);
  const flag = args.indexOf("--out");
  const out = flag < 0 ? join(here, "build") : args.splice(flag, 2)[1];
  buildKernels(out, args);
}
