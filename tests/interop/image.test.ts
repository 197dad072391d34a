/**
 * The image without an engine: the Dockerfile's own steps fill a folder from the files that
 * .dockerignore lets through, and a worker runs with that folder as its root, under the image's user
 * and environment. Wants root and Linux, for `unshare` and `chroot`; where a machine lets nobody mount,
 * as some containers do, the same file runs under the same user with the machine's root.
 */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import {
  chmodSync,
  chownSync,
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { freePorts, RunningProgram, run, temporaryFolder } from "../support/processes.ts";

const project = join(import.meta.dir, "../..");
const [build = "", image = ""] = readFileSync(join(project, "deploy/docker/Dockerfile"), "utf8")
  .replaceAll("\\\n", " ")
  .split(/^FROM scratch$/m);
const bytesMax = 150_000_000;
const anyUser = 65_532;

/** What follows a word of the Dockerfile, a line each. */
function linesOf(stage: string, word: string): string[] {
  const lines = stage.split("\n").filter((line) => line.startsWith(`${word} `));
  return lines.map((line) => line.slice(word.length + 1).trim());
}

/** The command in JSON behind a word. */
function commandOf(word: string): string[] {
  return JSON.parse(/\[.*\]$/.exec(linesOf(image, word)[0] ?? "")?.[0] ?? "[]");
}

const [ignored, ...sent] = readFileSync(join(project, ".dockerignore"), "utf8").trim().split("\n");

/** Takes a path of the project into the folder, as the engine's context would have it. */
function copy(path: string, folder: string): void {
  expect(
    sent.some((line) => `${path}/`.startsWith(`${line.slice(1)}/`)),
    path,
  ).toBe(true);
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  cpSync(join(project, path), join(folder, path), { recursive: true });
}

function bytesIn(folder: string): number {
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" });
  return files.map((file) => statSync(join(folder, file))).reduce((sum, { size }) => sum + size, 0);
}

describe("the image", () => {
  const context = temporaryFolder("image");
  const root = join(context, "image");
  let environment: Record<string, string>;
  let worker: RunningProgram | undefined;
  let mayMount = false;

  beforeAll(async () => {
    expect(ignored).toBe("**");
    for (const line of linesOf(build, "COPY")) {
      for (const path of line.split(" ").slice(0, -1)) copy(path, context);
    }
    symlinkSync(join(project, "node_modules"), join(context, "node_modules"));
    const [install, ...others] = linesOf(build, "RUN");
    expect(install).toStartWith("npm ci");
    for (const line of others) await run(["sh", "-ec", line], { cwd: context });
    // As the image's second COPY has it, and what an engine gives to each container.
    cpSync(join(context, "data"), join(root, "data"), { recursive: true });
    chownSync(join(root, "data"), anyUser, anyUser);
    for (const name of ["dev", "proc"]) mkdirSync(join(root, name));
    const mounted = ["unshare", "--mount", "mount", "--rbind", "/proc", join(root, "proc")];
    mayMount = (await run(mounted, { anyExit: true })).code === 0;
    const [http, kafka] = await freePorts(2);
    environment = Object.fromEntries(
      linesOf(image, "ENV").flatMap((line) => line.split(" ").map((each) => each.split("="))),
    );
    expect(Object.keys(environment)).toEqual(["MILLRACE_HTTP", "MILLRACE_KAFKA", "MILLRACE_DATA"]);
    Object.assign(environment, {
      ...{ MILLRACE_HTTP: `0.0.0.0:${http}`, MILLRACE_KAFKA: `0.0.0.0:${kafka}` },
      ...{ MILLRACE_URL: `http://127.0.0.1:${http}`, MILLRACE_TOKEN: "secret" },
      MILLRACE_KAFKA_ADVERTISED: `127.0.0.1:${kafka}`,
    });
    if (mayMount) return;
    for (const folder of [context, root]) chmodSync(folder, 0o755);
    Object.assign(environment, { MILLRACE_DATA: join(root, "data") });
  }, 120_000);
  afterAll(() => worker?.stop());

  /** A command in the image, alone with its files. */
  function inside(command: readonly string[]): string[] {
    const user = linesOf(image, "USER")[0] ?? "";
    if (!mayMount) {
      const [uid, gid] = user.split(":");
      const [program = "", ...rest] = command;
      const as = [`--reuid=${uid}`, `--regid=${gid ?? uid}`, "--clear-groups"];
      return ["setpriv", ...as, join(root, program), ...rest];
    }
    const script = `mount --rbind /dev "$0/dev"; mount --rbind /proc "$0/proc"; exec "$@"`;
    const chroot = ["/usr/sbin/chroot", `--userspec=${user}`, root, ...command];
    return ["unshare", "--mount", "sh", "-ec", script, root, ...chroot];
  }

  test("is no larger than 150 MB, with one program and the libraries of C", () => {
    const files = readdirSync(root, { recursive: true, encoding: "utf8" });
    const others = files.filter((file) => !/^(lib|lib64|etc|tmp|data|dev|proc)(\/|$)/.test(file));
    expect(others.sort()).toEqual(["usr", "usr/local", "usr/local/bin", "usr/local/bin/millrace"]);
    expect(bytesIn(root)).toBeLessThan(bytesMax);
  });

  test("runs as nobody: is well, takes a record, and stops when asked", async () => {
    const health = () => run(inside(commandOf("HEALTHCHECK")), { env: environment, anyExit: true });
    expect((await health()).code).toBe(1);
    worker = new RunningProgram(inside([...commandOf("ENTRYPOINT"), ...commandOf("CMD")]), {
      ...{ logPath: join(temporaryFolder("image-log"), "log"), env: environment },
    });
    const url = environment["MILLRACE_URL"];
    await worker.waitUntil(async () => (await fetch(`${url}/readyz`)).ok);
    const headers = { Authorization: "Bearer secret", "Content-Type": "text/plain" };
    const init = { method: "POST", headers, body: "hello" };
    const answer = await fetch(`${url}/v1/topics/test/records`, init);
    expect(await answer.json()).toEqual({ offsets: [{ partition: 0, baseOffset: 0, count: 1 }] });
    expect(await health()).toMatchObject({ code: 0, stdout: expect.stringContaining("test") });
    expect(statSync(join(root, "data/metadata.db")).uid).toBe(anyUser);
    expect(await worker.stop()).toBe(0);
  }, 60_000);
});
