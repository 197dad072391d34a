/** The whole server on Deno, with the permissions that its tasks give and no more. */
import { afterAll, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import configuration from "../../deno.json" with { type: "json" };
import { binaryOf } from "../run/binaries.ts";
import { denoProgram } from "../support/deno-program.ts";
import { eventually, run, temporaryFolder } from "../support/processes.ts";
import { startS3FaultServer } from "../support/s3-fault-server.ts";
import { type ServerPlace, StreamServer } from "../support/stream-server.ts";
import { serverChecks } from "./server-checks.ts";
import { sqlChecks } from "./sql-checks.ts";

const root = join(import.meta.dir, "../..");
const program = denoProgram("start");

serverChecks("Deno, in a folder", { program });
sqlChecks("Deno", { program });

const s3 = await startS3FaultServer();
afterAll(() => s3.close());

const onS3 = (folder: string) => ({
  program: denoProgram("start:s3"),
  store: `s3://bucket/${folder}?endpoint=${s3.endpoint}&region=us-east-1&path-style=true`,
  env: { AWS_ACCESS_KEY_ID: "test", AWS_SECRET_ACCESS_KEY: "secret" },
  flags: ["--flush-rate-max", "0"],
});

serverChecks("Deno, on S3", onS3("log"));

test.each([
  ["start", { program }],
  ["start:s3", onS3("audited")],
] as const)(
  "the task %s permits nothing that its server does not ask for",
  async (task, place) => {
    const audit = join(temporaryFolder("audit"), "permissions");
    const asked = await askedBy(place, audit);
    const data = asked.find(({ permission }) => permission === "write")?.value ?? "";
    const unasked = grantsOf(task).filter(({ permission, value }) => {
      const isAsked = (test: (asked: string) => boolean) =>
        asked.some((each) => each.permission === permission && test(each.value));
      if (value.endsWith("*")) return !isAsked((each) => each.startsWith(value.slice(0, -1)));
      if (["read", "write", "ffi"].includes(permission)) {
        const path = value === "data" ? data : resolve(root, value);
        return !isAsked((each) => each.startsWith(path));
      }
      if (permission === "net") return !isAsked((each) => each.startsWith(value));
      return !isAsked((each) => each === value);
    });
    // Where it listens is a setting; these are the other addresses that it may have.
    const addresses = ["localhost", "[::1]", "0.0.0.0", "[::]"];
    expect(unasked.map(({ value }) => value)).toEqual(task === "start" ? addresses : []);
  },
  60_000,
);

interface Permission {
  readonly permission: string;
  /** Empty: all. */
  readonly value: string;
}

function grantsOf(task: keyof typeof configuration.tasks): Permission[] {
  const flags = configuration.tasks[task].matchAll(/--allow-(\w+)(?:=(\S+))?/g);
  return [...flags].flatMap(([, permission = "", values = ""]) =>
    values.split(",").map((value) => ({ permission, value })),
  );
}

/** What a server asks Deno for while it takes a record and runs a query. */
async function askedBy(place: ServerPlace, audit: string): Promise<Permission[]> {
  const env = { ...place.env, DENO_AUDIT_PERMISSIONS: audit };
  const server = await StreamServer.start({ ...place, env });
  const sql = async (text: string) => {
    const body = JSON.stringify({ sql: text });
    const headers = { "Content-Type": "application/json" };
    return (await fetch(`${server.httpUrl}/v1/sql`, { method: "POST", headers, body })).text();
  };
  await sql(`SET 'execution.checkpointing.interval' = '50 ms';
    CREATE STREAM bids (price INT) WITH ('partitions' = '1');
    CREATE MATERIALIZED VIEW sums AS SELECT SUM(price) AS total FROM bids;
    INSERT INTO bids VALUES (1), (2)`);
  await eventually(async () => (await sql("SELECT * FROM sums")).includes("3") || undefined);
  expect(await server.stop()).toBe(0);
  const lines = readFileSync(audit, "utf8").trim().split("\n");
  return lines.map((line) => {
    const { permission, value } = JSON.parse(line) as { permission: string; value: unknown };
    return { permission, value: String(value ?? "") };
  });
}

// `deno` as a task's first word would be the package of that name, run as a script.
test.each(Object.keys(configuration.tasks))(
  "the task %s runs the server's program",
  async (task) => {
    const command = [binaryOf("deno"), "task", task, "--nonsense"];
    const { code, stderr } = await run(command, { cwd: root, anyExit: true });
    expect([code, stderr]).toEqual([2, expect.stringContaining("Unknown option --nonsense")]);
  },
);
