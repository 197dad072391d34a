/** The built client on each runtime, as a package's user imports it, against servers on two. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { binaryOf } from "../run/binaries.ts";
import { denoProgram } from "../support/deno-program.ts";
import { run } from "../support/processes.ts";
import { StreamServer } from "../support/stream-server.ts";

const root = join(import.meta.dir, "../..");
const program = "tests/runtime/client-program.mjs";

const runtimes = {
  Bun: [process.execPath],
  Node: ["node"],
  Deno: [binaryOf("deno"), "run", "--no-prompt", "--allow-net=127.0.0.1", "--allow-env"],
} as const;

const servers = [
  ["Bun", {}],
  ["Deno", { program: denoProgram("start") }],
] as const;

describe.each(servers)("millrace/client and a server on %s", (_, place) => {
  let server: StreamServer;
  beforeAll(async () => {
    server = await StreamServer.start(place);
  }, 60_000);
  afterAll(() => server?.stop());

  for (const [name, command] of Object.entries(runtimes)) {
    test(`produces, consumes and queries on ${name}`, async () => {
      const topic = `on_${name.toLowerCase()}`;
      const made = await fetch(`${server.httpUrl}/v1/topics`, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ name: topic, partitions: 1 }),
      });
      expect(made.status).toBe(201);
      const { stdout } = await run([...command, program, server.httpUrl, topic], { cwd: root });
      const rows = ["k0", "k1", "k2"].map((k, index) => ({ k, c: [18, 17, 16][index] }));
      expect(JSON.parse(stdout)).toEqual({
        produced: [{ partition: 0, baseOffset: 50, count: 1 }],
        ...{
          events: true,
          poll: true,
          websocket: true,
          shared: 51,
          ended: [],
          records: [20, 19, 20],
        },
        problem: ["sql_syntax", 1],
        ...{ rows, streamed: rows, batched: 3, live: "string" },
        arrow: rows.map(({ k, c }) => `{"k": "${k}", "c": ${c}}`),
      });
    }, 60_000);
  }
});
