/** The whole server on Deno, with the permissions that `deno task start` gives and no more. */
import { afterAll } from "bun:test";
import configuration from "../../deno.json" with { type: "json" };
import { binaryOf } from "../run/binaries.ts";
import { startS3FaultServer } from "../support/s3-fault-server.ts";
import { serverChecks } from "./server-checks.ts";
import { sqlChecks } from "./sql-checks.ts";

const [, ...words] = configuration.tasks.start.split(" ");
const program = [binaryOf("deno"), ...words];

serverChecks("Deno, in a folder", { program });
sqlChecks("Deno", { program });

const s3 = await startS3FaultServer();
afterAll(() => s3.close());

serverChecks("Deno, on S3", {
  program,
  store: `s3://bucket/log?endpoint=${s3.endpoint}&region=us-east-1&path-style=true`,
  env: { AWS_ACCESS_KEY_ID: "test", AWS_SECRET_ACCESS_KEY: "secret" },
  flags: ["--flush-rate-max", "0"],
});
