/** Paths of the native programs that npm packages bring, without their install scripts. */
import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";

const modules = join(import.meta.dir, "../../node_modules");

/** What a placeholder script is smaller than and a real program is larger than, in bytes. */
const programBytesMin = 1_000_000;

/** The pinned program of that name for this platform. */
export function binaryOf(name: "biome" | "deno" | "workerd"): string {
  const { arch, platform } = process;
  const places: Record<typeof name, string[]> = {
    biome: [
      `@biomejs/cli-${platform}-${arch}/biome`,
      `@biomejs/cli-${platform}-${arch}-musl/biome`,
    ],
    deno: denoPlaces(),
    workerd: [`@cloudflare/workerd-${platform}-${arch === "x64" ? "64" : arch}/bin/workerd`],
  };
  for (const place of places[name]) {
    const path = join(modules, place);
    if (existsSync(path) && statSync(path).size > programBytesMin) return path;
  }
  throw new Error(`No ${name} for ${platform} ${arch} in node_modules: run \`npm ci\``);
}

function denoPlaces(): string[] {
  const scope = join(modules, "@deno");
  const packages = existsSync(scope) ? readdirSync(scope) : [];
  return ["deno/deno", ...packages.map((name) => `@deno/${name}/deno`)];
}
