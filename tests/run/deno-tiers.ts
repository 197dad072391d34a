/**
 * Tiers once more on Deno: the same files, with `bun:test` replaced by tests/deno/bun-test.ts. Each
 * file has a process of its own, since libSQL's native part does not bear being loaded by several
 * isolates of one.
 */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { binaryOf } from "./binaries.ts";

export interface Outcome {
  passed: number;
  failed: number;
}

const root = join(import.meta.dirname, "../..");
const processes = 2;

/** Files that have nothing to do with Deno. */
const leftOut: readonly string[] = [
  // R2's binding is workerd's.
  "tests/contract/object-store-r2.test.ts",
  // All of it passes; then libSQL's native part, loaded outside of a worker, ends the process.
  "tests/property/meta/publish.test.ts",
  // It compares with Bun's own SQLite.
  "tests/property/sql/differential.test.ts",
];

export function denoFiles(tiers: readonly string[]): string[] {
  return tiers
    .flatMap((tier) =>
      readdirSync(join(root, "tests", tier), { recursive: true, encoding: "utf8" }).map((name) =>
        join("tests", tier, name),
      ),
    )
    .filter((file) => file.endsWith(".test.ts") && !leftOut.includes(file))
    .sort();
}

export async function runOnDeno(files: readonly string[]): Promise<Outcome> {
  const total: Outcome = { passed: 0, failed: 0 };
  const waiting = [...files];
  const runNext = async (): Promise<void> => {
    for (let file = waiting.shift(); file !== undefined; file = waiting.shift()) {
      const { passed, failed } = await runFile(file);
      total.passed += passed;
      total.failed += failed;
    }
  };
  await Promise.all(Array.from({ length: processes }, runNext));
  return total;
}

async function runFile(file: string): Promise<Outcome> {
  const words = ["test", "-A", "--no-check", "--import-map=tests/deno/imports.json", file];
  const child = Bun.spawn([binaryOf("deno"), ...words], {
    ...{ cwd: root, env: { ...process.env, NO_COLOR: "1" } },
    ...{ stdout: "pipe", stderr: "pipe" },
  });
  const [stdout, stderr, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  const [, passed = 0, failed = 0] = /\| (\d+) passed .*?\| (\d+) failed/.exec(stdout) ?? [];
  if (code === 0 && Number(passed) > 0) return { passed: Number(passed), failed: Number(failed) };
  console.error(`${file} on Deno\n${stdout.slice(-20_000)}\n${stderr.slice(-4_000)}`);
  return { passed: Number(passed), failed: Math.max(Number(failed), 1) };
}
