/** The single file that `npm run build:binary` makes, started where nothing else is. */
import { expect, test } from "bun:test";
import { chmodSync, copyFileSync } from "node:fs";
import { join } from "node:path";
import { buildBinary } from "../../deploy/binary/build-binary.ts";
import { temporaryFolder } from "../support/processes.ts";
import { serverChecks } from "./server-checks.ts";
import { sqlChecks } from "./sql-checks.ts";

const built = join(temporaryFolder("binary"), "millrace");
await buildBinary(built);

serverChecks("the single binary", { program: [built, "server"] });
sqlChecks("the single binary", { program: [built, "server"] });

test("the single binary is streamctl as well, from any folder and with no file beside it", async () => {
  const folder = temporaryFolder("alone");
  const program = join(folder, "millrace");
  copyFileSync(built, program);
  chmodSync(program, 0o755);
  const run = Bun.spawn([program, "help", "server"], { cwd: folder, env: {}, stdout: "pipe" });
  expect(await new Response(run.stdout).text()).toContain("Run a worker");
  expect(await run.exited).toBe(0);
});
