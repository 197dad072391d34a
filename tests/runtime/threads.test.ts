/** A thread whose query has ended well is the next one's, on Bun and on Deno. */
import { expect, test } from "bun:test";
import { join } from "node:path";
import { binaryOf } from "../run/binaries.ts";
import { run } from "../support/processes.ts";

const runtimes = {
  Bun: [process.execPath],
  Deno: [binaryOf("deno"), "run", "--no-prompt", "-A"],
};

for (const [name, command] of Object.entries(runtimes)) {
  test(`on ${name} queries share a thread, and nothing of their state, until one fails`, async () => {
    const cwd = join(import.meta.dir, "../..");
    const { stdout } = await run([...command, "tests/runtime/threads-program.ts"], { cwd });
    const found = JSON.parse(stdout.trim().split("\n").at(-1) ?? "");
    expect(found).toEqual([
      { rows: ['{"auction":1,"n":2}', '{"auction":2,"n":1}'], made: 1 },
      { rows: ['{"auction":3,"n":1}'], made: 1 },
      { rows: ['{"auction":1,"n":3}', '{"auction":2,"n":1}'], made: 1 },
      { rows: expect.stringContaining("magic"), made: 1 },
      { rows: ['{"auction":5,"n":1}'], made: 2 },
    ]);
  }, 60_000);
}
