#!/usr/bin/env node
/**
 * `streamctl` under Node: starts the pinned Bun with main.ts and hands over terminal, signals and
 * exit code. `--run FILE …` starts another script the same way, for `npm test`.
 */
import { spawn } from "node:child_process";
import { constants } from "node:os";
import { resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { engineEnv } from "./engine-env.mjs";
import { findBun } from "./find-bun.mjs";

const given = process.argv.slice(2);
const runsFile = given[0] === "--run" && given[1] !== undefined;
const script = runsFile
  ? resolve(String(given[1]))
  : fileURLToPath(new URL("./main.ts", import.meta.url));
const scriptArguments = runsFile ? given.slice(2) : given;

if (process.versions.bun === undefined) {
  const bun = findBun(import.meta.url);
  if (bun === undefined) refuse();
  else hand(bun);
} else if (runsFile) hand(process.execPath);
else {
  process.argv = [process.execPath, script, ...scriptArguments];
  const main = await import(pathToFileURL(script).href);
  await main.runProcess();
}

function refuse() {
  console.error(
    `streamctl needs Bun and did not find it for ${process.platform}-${process.arch}.\n` +
      "Run `npm ci` in the folder of package.json; optional dependencies must be on\n" +
      "(no --omit=optional), install scripts need not run.",
  );
  process.exitCode = 1;
}

/** @param {string} bun */
function hand(bun) {
  const child = spawn(bun, [script, ...scriptArguments], {
    stdio: "inherit",
    env: { ...engineEnv, ...process.env },
  });
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"];
  for (const signal of signals) process.on(signal, () => child.kill(signal));
  child.on("error", (error) => {
    console.error(`streamctl could not start ${bun}: ${error.message}`);
    process.exit(1);
  });
  child.on("exit", (code, signal) => {
    if (signal === null) process.exit(code ?? 1);
    for (const name of signals) process.removeAllListeners(name);
    // Die of the same signal, so that the shell sees what happened.
    process.kill(process.pid, signal);
    setTimeout(() => process.exit(128 + (constants.signals[signal] ?? 0)), 100);
  });
}
