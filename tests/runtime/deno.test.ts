/** The whole server on Deno, with the permissions that its tasks give and no more. */
import { afterAll, expect, test } from "bun:test";
import { join } from "node:path";
import configuration from "../../deno.json" with { type: "json" };
import { binaryOf } from "../run/binaries.ts";
import { denoProgram } from "../support/deno-program.ts";
import { run } from "../support/processes.ts";
import { startS3FaultServer } from "../support/s3-fault-server.ts";
import { serverChecks } from "./server-checks.ts";
import { sqlChecks } from "./sql-checks.ts";

const program = denoProgram("start");

serverChecks("Deno, in a folder", { program });
sqlChecks("Deno", { program });

const s3 = await startS3FaultServer();
afterAll(() => s3.close());

serverChecks("Deno, on S3", {
  program: denoProgram("start:s3"),
  store: `s3://bucket/log?endpoint=${s3.endpoint}&region=us-east-1&path-style=true`,
  env: { AWS_ACCESS_KEY_ID: "test", AWS_SECRET_ACCESS_KEY: "secret" },
  flags: ["--flush-rate-max", "0"],
});

// `deno` as a task's first word would be the package of that name, run as a script.
test.each(Object.keys(configuration.tasks))(
  "the task %s runs the server's program",
  async (task) => {
    const cwd = join(import.meta.dir, "../..");
    const command = [binaryOf("deno"), "task", task, "--nonsense"];
    const { code, stderr } = await run(command, { cwd, anyExit: true });
    expect([code, stderr]).toEqual([2, expect.stringContaining("Unknown option --nonsense")]);
  },
);
