/**
 * The one gate: `npm test` runs every check and every tier that needs no network and no other
 * program; `npm run test:interop` runs the tier with foreign programs. Names given as arguments
 * choose among the steps: `npm test -- unit tidy`. The last line is `N passed, N failed`. `deno` runs
 * the tiers of shared code a second time, on Deno.
 *
 * `interop` fetches its programs first (tests/interop/prepare.ts; what they need stands in
 * tests/interop/support/programs.ts). One of its files alone, and the same against Apache Kafka
 * or another broker, which shows whether a test or Millrace is wrong:
 *
 *     node_modules/.bin/bun test --timeout=120000 tests/interop/kcat.test.ts
 *     MILLRACE_TEST_KAFKA=kafka node_modules/.bin/bun test --timeout=120000 tests/interop/kcat.test.ts
 *     MILLRACE_TEST_KAFKA=127.0.0.1:9092 npm run test:interop
 */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { binaryOf } from "./run/binaries.ts";
import { denoFiles, type Outcome, runOnDeno } from "./run/deno-tiers.ts";

const root = join(import.meta.dir, "..");
const typescript = join(root, "node_modules/typescript/bin/tsc");

const checks: Record<string, string[]> = {
  format: [binaryOf("biome"), "ci", "--reporter=summary", "."],
  types: ["node", typescript, "-p", "tsconfig.json"],
  "core-types": ["node", typescript, "-p", "tsconfig.core.json"],
};
const tiers = ["tidy", "unit", "golden", "property", "contract", "runtime", "sim", "crash"];
/** Tiers that run on Deno as well; the runtime and crash tiers start servers on it themselves. */
const denoTiers = ["golden", "property", "contract"];

/** Of tiers that mostly wait, how many processes share the files. */
const processes: Readonly<Record<string, number>> = { runtime: 2 };

const asked = process.argv.slice(2);
const steps = asked.length > 0 ? asked : [...Object.keys(checks), ...tiers, "deno"];
const total: Outcome = { passed: 0, failed: 0 };
for (const step of steps) {
  const outcome = await run(step);
  total.passed += outcome.passed;
  total.failed += outcome.failed;
}
console.log(`${total.passed} passed, ${total.failed} failed`);
process.exit(total.failed > 0 || total.passed === 0 ? 1 : 0);

async function run(step: string): Promise<Outcome> {
  const startedAt = performance.now();
  const check = checks[step];
  const runStep = () => (step === "deno" ? runOnDeno(denoFiles(denoTiers)) : runTier(step));
  const outcome = check === undefined ? await runStep() : await runCheck(check);
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  const verdict = outcome.failed > 0 ? `${outcome.failed} FAILED` : "ok";
  console.log(`── ${step}: ${outcome.passed} passed, ${verdict} (${seconds} s)`);
  return outcome;
}

async function runCheck(command: string[]): Promise<Outcome> {
  const child = Bun.spawn(command, { cwd: root, stdout: "inherit", stderr: "inherit" });
  return (await child.exited) === 0 ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 };
}

async function runTier(tier: string): Promise<Outcome> {
  const folder = join(root, "tests", tier);
  if (!existsSync(folder)) {
    console.log(`There is no step "${tier}". Steps: ${Object.keys(checks)} ${tiers} deno interop`);
    return { passed: 0, failed: 1 };
  }
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".test.ts"))
    .map((name) => join("tests", tier, name));
  if (files.length === 0) return { passed: 0, failed: 0 };
  const prepared = await prepare(join(folder, "prepare.ts"));
  const count = Math.min(processes[tier] ?? 1, files.length);
  const shares = Array.from({ length: count }, (_, share) =>
    files.filter((_, index) => index % count === share),
  );
  const outcomes = await Promise.all(shares.map(runFiles));
  const sum = (kind: keyof Outcome) => outcomes.reduce((all, each) => all + each[kind], 0);
  return { passed: sum("passed"), failed: sum("failed") + (prepared ? 0 : 1) };
}

async function runFiles(files: readonly string[]): Promise<Outcome> {
  const child = Bun.spawn([process.execPath, "test", "--timeout=120000", ...files], {
    cwd: root,
    stdout: "inherit",
    stderr: "pipe",
  });
  const text = await echo(child.stderr);
  const code = await child.exited;
  const passed = Number(/^\s*(\d+) pass$/m.exec(text)?.[1] ?? 0);
  const failed = Number(/^\s*(\d+) fail$/m.exec(text)?.[1] ?? 0);
  // A tier that crashed, or whose files did not load, has failed even if it counted nothing.
  return { passed, failed: code === 0 ? failed : Math.max(failed, 1) };
}

/** Runs what a tier needs before its tests, where there is such a file. */
async function prepare(file: string): Promise<boolean> {
  if (!existsSync(file)) return true;
  const child = Bun.spawn([process.execPath, file], { stdout: "inherit", stderr: "inherit" });
  return (await child.exited) === 0;
}

/** Shows failures and summaries, swallows the line per passed test, and returns all of it. */
async function echo(stream: ReadableStream<Uint8Array>): Promise<string> {
  let text = "";
  let line = "";
  const decoder = new TextDecoder();
  for await (const bytes of stream) {
    const chunk = decoder.decode(bytes, { stream: true });
    text += chunk;
    line += chunk;
    const lines = line.split("\n");
    line = lines.pop() ?? "";
    for (const whole of lines) if (!isQuiet(whole)) console.error(whole);
  }
  return text;
}

function isQuiet(line: string): boolean {
  return line.startsWith("(pass)") || line.trim() === "" || /^tests\/\S+:$/.test(line);
}
