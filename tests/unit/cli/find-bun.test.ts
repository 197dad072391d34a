import { afterAll, describe, expect, test } from "bun:test";
import {
  chmodSync,
  copyFileSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { findBun, platformPackages } from "../../../src/cli/find-bun.mjs";

const sources = join(import.meta.dir, "../../../src/cli");
const root = mkdtempSync(join(tmpdir(), "millrace-launcher-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const host = { platform: "linux", arch: "x64", musl: false };

/** An installation with the launcher, a main.ts that tells what reached it, and packages. */
function installation(name: string, layout: { scriptsRan: boolean; hasPlatform: boolean }): string {
  const folder = join(root, name);
  write(join(folder, "package.json"), '{"type":"module"}');
  for (const file of ["launcher.mjs", "engine-env.mjs", "find-bun.mjs"]) {
    mkdirSync(join(folder, "src/cli"), { recursive: true });
    copyFileSync(join(sources, file), join(folder, "src/cli", file));
  }
  const told = "JSON.stringify({ argv: process.argv.slice(2), bun: Bun.version })";
  write(
    join(folder, "src/cli/main.ts"),
    `console.log(${told}); process.exit(Number(process.env.CODE ?? 0));`,
  );
  write(join(folder, "other.ts"), `console.log("other", process.argv.slice(2).join());`);
  write(
    join(folder, "wait.ts"),
    `process.on("SIGTERM", () => process.exit(7));
    console.log("waits"); setInterval(() => {}, 1000);`,
  );
  write(join(folder, "die.ts"), `process.kill(process.pid, "SIGKILL"); setInterval(() => {}, 9);`);
  write(join(folder, "node_modules/bun/package.json"), '{"name":"bun"}');
  const installed = join(folder, "node_modules/bun/bin/bun.exe");
  if (layout.scriptsRan) program(installed);
  else write(installed, 'echo "postinstall was not run" >&2\nexit 1\n');
  for (const platformPackage of layout.hasPlatform ? platformPackages(thisHost()) : []) {
    const packageFolder = join(folder, "node_modules", platformPackage);
    write(join(packageFolder, "package.json"), "{}");
    // The install script moves the program away and leaves the folder.
    if (layout.scriptsRan) mkdirSync(join(packageFolder, "bin"));
    else program(join(packageFolder, "bin", process.platform === "win32" ? "bun.exe" : "bun"));
  }
  return folder;
}

function thisHost() {
  return { platform: process.platform, arch: process.arch, musl: false };
}

function write(path: string, content: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
  chmodSync(path, 0o755);
}

/** The Bun that runs this test, without a copy of its hundred megabytes. */
function program(path: string): void {
  mkdirSync(dirname(path), { recursive: true });
  try {
    linkSync(process.execPath, path);
  } catch {
    symlinkSync(process.execPath, path);
  }
}

const layouts = {
  "install scripts ran": { scriptsRan: true, hasPlatform: true },
  "install scripts did not run": { scriptsRan: false, hasPlatform: true },
} as const;

async function launch(folder: string, words: string[], env: Record<string, string> = {}) {
  const child = Bun.spawn(["node", "src/cli/launcher.mjs", ...words], {
    cwd: folder,
    env: { PATH: process.env["PATH"] ?? "", ...env },
    stdout: "pipe",
    stderr: "pipe",
  });
  const [stdout, stderr] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ]);
  await child.exited;
  return { stdout, stderr, exitCode: child.exitCode, signalCode: child.signalCode };
}

describe.each(Object.entries(layouts))("launcher where %s", (title, layout) => {
  const folder = installation(title.replaceAll(" ", "-"), layout);

  test("findBun finds the program", () => {
    const found = findBun(join(folder, "src/cli/launcher.mjs"));
    const expected = layout.scriptsRan ? "node_modules/bun/bin/bun.exe" : "node_modules/@oven/";
    expect(found).toContain(join(folder, expected));
  });

  test("runs main.ts with the arguments and hands back its code", async () => {
    const result = await launch(folder, ["topic", "--x", "a b"], { CODE: "3" });
    expect(JSON.parse(result.stdout)).toEqual({
      argv: ["topic", "--x", "a b"],
      bun: Bun.version,
    });
    expect(result.exitCode).toBe(3);
  });

  test("runs another script with --run", async () => {
    const result = await launch(folder, ["--run", "other.ts", "1", "--two"]);
    expect(result.stdout).toBe("other 1,--two\n");
    expect(result.exitCode).toBe(0);
  });
});

describe("launcher", () => {
  test("says what to do where there is no Bun", async () => {
    const folder = installation("none", { scriptsRan: false, hasPlatform: false });
    const result = await launch(folder, ["version"]);
    expect(result.exitCode).toBe(1);
    expect(result.stderr).toContain("npm ci");
  });

  for (const [name, value] of [
    ["BUN_JSC_maxNumWasmFastMemories", "128"],
    ["BUN_JSC_thresholdForFTLOptimizeAfterWarmUp", "1000000"],
  ] as const) {
    test(`sets ${name} for the engine, unless the environment does`, async () => {
      const folder = installation(name, { scriptsRan: true, hasPlatform: true });
      write(join(folder, "other.ts"), `console.log(process.env["${name}"]);`);
      const usual = await launch(folder, ["--run", "other.ts"]);
      expect(usual.stdout).toBe(`${value}\n`);
      const told = await launch(folder, ["--run", "other.ts"], { [name]: "9" });
      expect(told.stdout).toBe("9\n");
    });
  }

  test("passes a signal on and ends with the code of the child's own choice", async () => {
    const folder = installation("signal", { scriptsRan: true, hasPlatform: true });
    const child = Bun.spawn(["node", "src/cli/launcher.mjs", "--run", "wait.ts"], {
      cwd: folder,
      stdout: "pipe",
    });
    const reader = child.stdout.getReader();
    await reader.read();
    child.kill("SIGTERM");
    await child.exited;
    expect(child.exitCode).toBe(7);
  });

  test("dies of the signal that its child died of", async () => {
    const folder = installation("death", { scriptsRan: true, hasPlatform: true });
    const result = await launch(folder, ["--run", "die.ts"]);
    expect(result.signalCode).toBe("SIGKILL");
  });
});

test("platformPackages names the packages as npm does", () => {
  expect(platformPackages(host)).toEqual(["@oven/bun-linux-x64", "@oven/bun-linux-x64-musl"]);
  expect(platformPackages({ ...host, arch: "arm64", musl: true })[0]).toBe(
    "@oven/bun-linux-aarch64-musl",
  );
  expect(platformPackages({ platform: "darwin", arch: "arm64", musl: false })).toEqual([
    "@oven/bun-darwin-aarch64",
  ]);
  expect(platformPackages({ platform: "win32", arch: "x64", musl: false })).toEqual([
    "@oven/bun-windows-x64",
  ]);
});
