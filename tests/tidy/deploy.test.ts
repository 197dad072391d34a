/**
 * What stands in deploy/ for other platforms. Neither a Docker engine nor the platforms' own tools
 * are needed: each file is parsed, and every key of it must be one that the platform documents.
 *
 * Where a platform's tool, schema or types can be had, they have the last word:
 * tests/interop/deploy.test.ts (Compose, BuildKit, Wrangler, Railway),
 * tests/interop/workerd-port.test.ts (workerd reads config.capnp) and tests/runtime/deno.test.ts
 * (Deno runs the tasks of deno.json). For fly.toml there is none that needs no account, but what
 * `fly config validate --strict` does before it asks Fly had nothing against it (August 2026).
 */
import { describe, expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { settingTable } from "../../src/runtime/settings.ts";
import { root } from "./source-files.ts";

const read = (path: string) => readFileSync(join(root, "deploy", path), "utf8");
const variables = new Set(Object.values(settingTable).map(({ env }) => env));

function expectKeys(object: object, known: readonly string[]): void {
  expect(Object.keys(object).filter((key) => !known.includes(key))).toEqual([]);
}

interface Fly {
  readonly build: { readonly dockerfile: string };
  readonly env: Readonly<Record<string, string>>;
  readonly mounts: readonly { readonly source: string; readonly destination: string }[];
  readonly http_service: {
    readonly internal_port: number;
    readonly checks: readonly { readonly path: string }[];
  };
  readonly services: readonly {
    readonly protocol: string;
    readonly internal_port: number;
    readonly ports: readonly { readonly port: number }[];
    readonly tcp_checks: readonly object[];
  }[];
}

test("fly.toml has HTTP and Kafka at the ports that the image opens, and no unknown key", () => {
  const fly = Bun.TOML.parse(read("fly/fly.toml")) as Fly;
  const top = ["app", "primary_region", "kill_signal", "kill_timeout", "build", "env", "mounts"];
  expectKeys(fly, [...top, "http_service", "services", "vm"]);
  expect(existsSync(join(root, "deploy/fly", fly.build.dockerfile))).toBe(true);
  for (const name of Object.keys(fly.env)) expect(variables).toContain(name);
  expect(fly.mounts).toEqual([{ source: "data", destination: fly.env["MILLRACE_DATA"] ?? "" }]);
  const scaling = ["auto_stop_machines", "auto_start_machines", "min_machines_running"];
  expectKeys(fly.http_service, ["internal_port", "force_https", ...scaling, "checks"]);
  expect(fly.env["MILLRACE_HTTP"]).toEndWith(`:${fly.http_service.internal_port}`);
  expect(fly.http_service.checks.map(({ path }) => path)).toEqual(["/readyz"]);
  const [kafka] = fly.services;
  expectKeys(kafka ?? {}, [
    "protocol",
    "internal_port",
    "auto_stop_machines",
    "ports",
    "tcp_checks",
  ]);
  expect(kafka?.protocol).toBe("tcp");
  expect(fly.env["MILLRACE_KAFKA"]).toEndWith(`:${kafka?.internal_port}`);
  // Handlers would speak TLS or HTTP to a client that speaks Kafka.
  expect(kafka?.ports).toEqual([{ port: 9092 }]);
});

test("railway.json builds the image and asks the worker whether it is well", () => {
  const { $schema, build, deploy, ...rest } = JSON.parse(read("railway/railway.json"));
  expect($schema).toBe("https://railway.com/railway.schema.json");
  expect(rest).toEqual({});
  expect(build.builder).toBe("DOCKERFILE");
  expectKeys(build, ["builder", "dockerfilePath"]);
  expect(existsSync(join(root, build.dockerfilePath))).toBe(true);
  const restart = ["restartPolicyType", "restartPolicyMaxRetries"];
  const health = ["healthcheckPath", "healthcheckTimeout"];
  expectKeys(deploy, [...health, ...restart, "numReplicas", "drainingSeconds"]);
  expect(deploy.healthcheckPath).toBe("/readyz");
  expect(deploy.numReplicas).toBe(1);
});

/** Whether .dockerignore, which excludes everything but its exceptions, lets a path through. */
function isSent(path: string): boolean {
  const [all, ...exceptions] = readFileSync(join(root, ".dockerignore"), "utf8").trim().split("\n");
  expect(all).toBe("**");
  return exceptions.some((line) => `!${path}/`.startsWith(`${line}/`));
}

describe("the Dockerfile", () => {
  const lines = read("docker/Dockerfile")
    .replaceAll("\\\n", " ")
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"));
  const of = (word: string) => lines.filter((line) => line.startsWith(`${word} `));
  const last = lines.slice(lines.lastIndexOf(of("FROM").at(-1) ?? ""));

  test("knows every instruction, names its images' versions, and copies what is there", () => {
    const known = /^(FROM|WORKDIR|COPY|RUN|USER|VOLUME|EXPOSE|ENV|HEALTHCHECK|ENTRYPOINT|CMD) /;
    expect(lines.filter((line) => !known.test(line))).toEqual([]);
    for (const line of of("FROM")) expect(line).toMatch(/^FROM (scratch$|\S+:(?!latest)\S+)/);
    for (const line of of("COPY").filter((each) => !each.includes("--from"))) {
      const sources = line.split(" ").slice(1, -1);
      for (const source of sources) {
        expect(existsSync(join(root, source)), source).toBe(true);
        expect(isSent(source), `${source} is kept from the build`).toBe(true);
      }
    }
  });

  test("runs as nobody, with a health check and without a shell, which the image does not have", () => {
    expect(last.filter((line) => /^USER (?!0|root)\S+/.test(line))).toHaveLength(1);
    expect(last.filter((line) => /^HEALTHCHECK .* CMD \[/.test(line))).toHaveLength(1);
    expect(last.filter((line) => line.startsWith("RUN "))).toEqual([]);
    for (const word of ["ENTRYPOINT", "CMD"])
      expect(last.join("\n")).toMatch(RegExp(`${word} \\[`));
    for (const [name] of of("ENV").flatMap((line) => [...line.matchAll(/MILLRACE_\w+/g)])) {
      expect(variables).toContain(name);
    }
  });
});
