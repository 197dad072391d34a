/**
 * Files of deploy/ as the platforms' own programs read them: Docker Compose and BuildKit by their
 * parsers, Wrangler by its schema, Railway by the types of its own client. Each is seen to refuse
 * what is wrong as well.
 */
import { expect, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as z from "zod";
import { settingTable } from "../../src/runtime/settings.ts";
import { run, temporaryFolder } from "../support/processes.ts";
import { deployCheckProgram, railwayTypes, wranglerSchema } from "./support/programs.ts";

const deploy = join(import.meta.dir, "../../deploy");

async function check(kind: "compose" | "dockerfile", path: string): Promise<unknown> {
  const env = { MILLRACE_TOKEN: "secret" };
  return JSON.parse((await run([await deployCheckProgram(), kind, path], { env })).stdout);
}

/** The file at `path` with a change, in a folder of its own. */
function changed(path: string, from: string, to: string): string {
  const text = readFileSync(path, "utf8");
  expect(text).toContain(from);
  const copy = join(temporaryFolder("deploy"), "changed");
  writeFileSync(copy, text.replace(from, to));
  return copy;
}

interface Project {
  readonly services: Readonly<
    Record<
      string,
      {
        readonly environment?: Readonly<Record<string, string>>;
        readonly ports?: readonly { readonly target: number; readonly host_ip: string }[];
        readonly depends_on?: Readonly<Record<string, object>>;
      }
    >
  >;
}

test("Docker Compose loads compose.yaml: a worker on loopback, on a bucket and a libSQL server", async () => {
  const path = join(deploy, "compose.yaml");
  const { services } = (await check("compose", path)) as Project;
  expect(Object.keys(services).sort()).toEqual(["bucket", "minio", "sqld", "worker"]);
  const { worker } = services;
  expect(worker?.ports?.map(({ target }) => target)).toEqual([8080, 9092]);
  expect(new Set(worker?.ports?.map((port) => port.host_ip))).toEqual(new Set(["127.0.0.1"]));
  expect(Object.keys(worker?.depends_on ?? {}).sort()).toEqual(["bucket", "sqld"]);
  const settings = new Set<string | undefined>(Object.values(settingTable).map(({ env }) => env));
  const asked = Object.keys(worker?.environment ?? {}).filter((name) => !name.startsWith("AWS_"));
  expect(asked.filter((name) => !settings.has(name))).toEqual([]);
  const wrong = changed(path, "stop_grace_period", "stop_grace_perid");
  await expect(check("compose", wrong)).rejects.toThrow("'stop_grace_perid' not allowed");
});

test("BuildKit reads the Dockerfile and has nothing to say against it", async () => {
  const path = join(deploy, "docker/Dockerfile");
  expect(await check("dockerfile", path)).toMatchObject({ warnings: [] });
  const wrong = changed(path, "HEALTHCHECK ", "HEALTHCHECK --intervall=2s ");
  await expect(check("dockerfile", wrong)).rejects.toThrow("unknown flag: --intervall");
});

test("wrangler.jsonc is as Wrangler's schema wants it", async () => {
  const schema = z.fromJSONSchema(JSON.parse(readFileSync(await wranglerSchema(), "utf8")));
  const text = readFileSync(join(deploy, "cloudflare/wrangler.jsonc"), "utf8");
  const settings = Bun.JSONC.parse(text) as Record<string, unknown>;
  expect(schema.safeParse(settings).error).toBeUndefined();
  const { r2_buckets: buckets, ...others } = settings;
  expect(schema.safeParse({ ...others, r2_bucket: buckets }).success).toBe(false);
  expect(schema.safeParse({ ...others, r2_buckets: [{ binding: 1 }] }).success).toBe(false);
});

test("railway.json is of the types that Railway's client has for builds and deploys", async () => {
  const path = join(deploy, "railway/railway.json");
  expect(await railwayFaults(readFileSync(path, "utf8"))).toEqual([]);
  for (const [from, to] of [
    ["healthcheckPath", "healthCheckPath"],
    ["DOCKERFILE", "DOCKER"],
    ["ON_FAILURE", "on_failure"],
  ] as const) {
    const faults = await railwayFaults(readFileSync(changed(path, from, to), "utf8"));
    expect(faults).toEqual([expect.stringContaining(to)]);
  }
});

async function railwayFaults(text: string): Promise<string[]> {
  const { $schema: _, ...settings } = JSON.parse(text);
  const file = join(temporaryFolder("railway"), "railway.ts");
  const types = JSON.stringify((await railwayTypes()).replace(/\.d\.ts$/, ".js"));
  writeFileSync(
    file,
    `import type { BuildConfig, DeployConfig } from ${types};
export const settings: { build: BuildConfig; deploy: DeployConfig } = ${JSON.stringify(settings)};`,
  );
  const compiler = join(deploy, "../node_modules/typescript/bin/tsc");
  const options = ["--noEmit", "--strict", "--skipLibCheck", "--module", "nodenext"];
  const { stdout } = await run(["node", compiler, ...options, "--types", "", file], {
    ...{ cwd: temporaryFolder("railway"), anyExit: true },
  });
  return stdout.split("\n").filter((line) => line.includes("error TS"));
}
