/** What tests of shared code use of the global `Bun`, on Deno. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import process from "node:process";
import { Readable } from "node:stream";
import { isDeepStrictEqual } from "node:util";

interface Served {
  readonly hostname: string;
  readonly port: number;
  fetch(request: Request): Promise<Response>;
}

declare const Deno: {
  serve(
    options: { readonly hostname: string; readonly port: number; onListen(): void },
    answer: (request: Request) => Promise<Response>,
  ): { readonly addr: { readonly port: number }; shutdown(): Promise<void> };
};

function serve({ hostname, port, fetch }: Served) {
  const server = Deno.serve({ hostname, port, onListen() {} }, fetch);
  return { port: server.addr.port, stop: () => server.shutdown() };
}

/** A program of a test's own is run with its rights. */
function start([program = "", ...words]: readonly string[]) {
  const rights = program === process.execPath ? ["run", "-A", "--no-check"] : [];
  const child = spawn(program, [...rights, ...words], { stdio: ["ignore", "pipe", "inherit"] });
  return {
    stdout: Readable.toWeb(child.stdout),
    exited: once(child, "exit"),
    kill: (signal: number) => process.kill(child.pid ?? 0, signal),
  };
}

Object.assign(globalThis, {
  Bun: {
    serve,
    spawn: start,
    sleep: (ms: number) => new Promise((resolve) => setTimeout(resolve, ms)),
    deepEquals: (one: unknown, other: unknown) => isDeepStrictEqual(one, other),
    write: async (path: string, text: string) => writeFileSync(path, text),
  },
});
