/** `npm run dev:worker`, as a developer runs it. */
import { afterAll, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import {
  eventually,
  freePorts,
  RunningProgram,
  run,
  temporaryFolder,
} from "../support/processes.ts";

const script = join(import.meta.dir, "../../deploy/cloudflare/dev.ts");
const root = join(import.meta.dir, "../..");
const folder = temporaryFolder("dev-worker");
const [port = 0] = await freePorts(1);
const url = `http://127.0.0.1:${port}`;
const headers = { Authorization: "Bearer local", "Content-Type": "text/plain" };
let program: RunningProgram | undefined;
afterAll(() => program?.stop());

async function start(): Promise<RunningProgram> {
  const started = new RunningProgram([process.execPath, script], {
    logPath: join(folder, "worker.log"),
    env: { PORT: String(port), MILLRACE_DATA: join(folder, "data") },
  });
  await started.waitUntil(async () => (await fetch(`${url}/healthz`)).ok);
  return started;
}

test("takes the record that it suggests, and has it after a restart", async () => {
  program = await start();
  const sent = await fetch(`${url}/v1/topics/test/records`, {
    method: "POST",
    headers,
    body: "hello",
  });
  expect(await sent.json()).toEqual({ offsets: [{ partition: 0, baseOffset: 0, count: 1 }] });
  await program.stop();
  program = await start();
  const found = await fetch(`${url}/v1/topics/test/partitions/0/records`, { headers });
  expect(await found.json()).toMatchObject({ records: [{ offset: 0, value: "hello" }] });
}, 60_000);

test("the commands of docs/EDGE.md lead to a first window", async () => {
  const text = readFileSync(join(root, "docs/EDGE.md"), "utf8");
  const [, commands = ""] = /```sh\n(export MILLRACE_URL=.*?)```/s.exec(text) ?? [];
  expect(commands).toContain("http://127.0.0.1:8787");
  const streamctl = `${process.execPath} src/cli/main.ts`;
  const script = commands
    .replaceAll("http://127.0.0.1:8787", url)
    .replaceAll("npx streamctl", streamctl);
  const [select = "", ...others] = script.trimEnd().split("\n").reverse();
  const [exports = "", ...writes] = others.reverse();
  const shell = async (...lines: string[]) =>
    (await run(["sh", "-ec", lines.join("\n")], { cwd: root })).stdout;
  await shell(exports, ...writes);
  // Faster than by hand: the view commits once a second.
  const shown = await eventually(async () => {
    const text = await shell(exports, select);
    return text.includes("(0 rows)") ? undefined : text;
  });
  const row = "/a    1  2026-01-01 00:00:00.000";
  expect(shown).toBe(["page  n  window_start", row, "(1 row)", ""].join("\n"));
}, 60_000);
