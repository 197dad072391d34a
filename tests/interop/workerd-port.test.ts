/** deploy/workerd: workerd itself as a Kafka port, by its handler for inbound TCP. */
import { expect, test } from "bun:test";
import { join } from "node:path";
import { binaryOf } from "../run/binaries.ts";
import { freePorts, listens, RunningProgram, run, temporaryFolder } from "../support/processes.ts";
import { StreamServer } from "../support/stream-server.ts";
import { uniqueName } from "./support/broker-under-test.ts";
import { kcatProgram } from "./support/programs.ts";

const config = join(import.meta.dir, "../../deploy/workerd/config.capnp");

test("kcat writes and reads through workerd's TCP socket", async () => {
  const token = "a token for tests";
  const server = await StreamServer.start({ env: { MILLRACE_TOKEN: token } });
  const [port = 0] = await freePorts(1);
  const address = `127.0.0.1:${port}`;
  const workerd = new RunningProgram(
    [binaryOf("workerd"), "serve", config, `--socket-addr=kafka=${address}`],
    {
      logPath: join(temporaryFolder("workerd"), "log"),
      env: { MILLRACE_URL: server.httpUrl, MILLRACE_TOKEN: token, ADVERTISED: address },
    },
  );
  await workerd.waitUntil(() => listens(port));
  const program = await kcatProgram();
  const kcat = async (args: readonly string[], input = "") =>
    (await run([program, "-b", address, ...args], { input })).stdout;
  const topic = uniqueName("workerd");
  // Three windows, so that it passes only if windows are granted.
  const lines = Array.from({ length: 30_000 }, (_, index) => `line ${index} ${"x".repeat(100)}`);
  await kcat(["-P", "-t", topic], lines.map((line) => `${line}\n`).join(""));
  const read = await kcat(["-C", "-q", "-e", "-o", "beginning", "-t", topic]);
  expect(read.trimEnd().split("\n")).toEqual(lines);
  await workerd.kill();
  await server.stop();
}, 60_000);
