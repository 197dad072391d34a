/**
 * Finds the Bun that package.json pins. The npm package `bun` ships a placeholder at bin/bun.exe
 * and the program in an optional package per platform; its install script moves the program over
 * the placeholder. Both layouts are served, so that `npm ci --ignore-scripts` is enough.
 */
import { existsSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

/** The placeholder is a shell script of some hundred bytes, Bun a program of some ninety MB. */
const programBytesMin = 1024 * 1024;

/**
 * The path of the pinned Bun as seen from `from` (a file's path or URL), or undefined.
 * @param {string | URL} from
 * @param {{ platform: string, arch: string, musl: boolean }} [host]
 * @returns {string | undefined}
 */
export function findBun(from, host = thisHost()) {
  const bunPackage = resolvePackage(from, "bun");
  if (bunPackage === undefined) return undefined;
  const installed = join(dirname(bunPackage), "bin", "bun.exe");
  if (isProgram(installed)) return installed;
  const suffix = host.platform === "win32" ? ".exe" : "";
  for (const name of platformPackages(host)) {
    const platformPackage = resolvePackage(bunPackage, name);
    if (platformPackage === undefined) continue;
    const program = join(dirname(platformPackage), "bin", `bun${suffix}`);
    if (isProgram(program)) return program;
  }
  return undefined;
}

/**
 * Names of the packages that may hold the program for `host`, the likeliest first.
 * @param {{ platform: string, arch: string, musl: boolean }} host
 * @returns {string[]}
 */
export function platformPackages({ platform, arch, musl }) {
  const system = platform === "win32" ? "windows" : platform;
  const processor = arch === "arm64" ? "aarch64" : arch;
  const plain = `@oven/bun-${system}-${processor}`;
  if (system === "linux") return musl ? [`${plain}-musl`, plain] : [plain, `${plain}-musl`];
  if (system === "android") return [`@oven/bun-linux-${processor}-android`];
  return [plain];
}

function thisHost() {
  const { platform, arch } = process;
  return { platform, arch, musl: platform === "linux" && !existsSync(glibcLoader(arch)) };
}

/** @param {string} arch */
function glibcLoader(arch) {
  return arch === "arm64" ? "/lib/ld-linux-aarch64.so.1" : "/lib64/ld-linux-x86-64.so.2";
}

/**
 * @param {string | URL} from
 * @param {string} name
 */
function resolvePackage(from, name) {
  try {
    return createRequire(from).resolve(`${name}/package.json`);
  } catch {
    return undefined;
  }
}

/** @param {string} path */
function isProgram(path) {
  return (statSync(path, { throwIfNoEntry: false })?.size ?? 0) >= programBytesMin;
}
