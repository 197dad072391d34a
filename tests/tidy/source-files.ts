/** The project's TypeScript files with their imports, for the tests of its structure. */
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";

export const root = join(import.meta.dir, "../..");

export interface SourceFile {
  /** Relative to the root: `src/log/fetch.ts`. */
  readonly path: string;
  readonly text: string;
  readonly lines: readonly string[];
  /** Imported files, relative to the root. */
  readonly imports: readonly string[];
  /** Imported packages and built-in modules. */
  readonly packages: readonly string[];
}

const importPattern =
  /(?:^|\n)\s*(?:import|export)\s[^;]*?from\s*["']([^"']+)["']|import\(\s*["']([^"']+)["']\s*\)|(?:^|\n)import\s+["']([^"']+)["']|new URL\(\s*["']([^"']+\.ts)["']\s*,\s*import\.meta\.url/g;

export function sourceFiles(folder: string): SourceFile[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts") && !name.endsWith(".d.ts"))
    .map((name) => readSource(join(folder, name)));
}

function readSource(path: string): SourceFile {
  const text = readFileSync(join(root, path), "utf8");
  const imports: string[] = [];
  const packages: string[] = [];
  for (const match of text.matchAll(importPattern)) {
    const target = match[1] ?? match[2] ?? match[3] ?? match[4] ?? "";
    if (target.startsWith(".")) imports.push(normalize(join(dirname(path), target)));
    else packages.push(target);
  }
  return { path, text, lines: text.split("\n"), imports, packages };
}
