/** `npm run dev:worker`, as a developer runs it. */
import { afterAll, expect, test } from "bun:test";
import { join } from "node:path";
import { freePorts, RunningProgram, temporaryFolder } from "../support/processes.ts";

const script = join(import.meta.dir, "../../deploy/cloudflare/dev.ts");
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
