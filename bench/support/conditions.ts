import { cpus, loadavg, totalmem } from "node:os";
import { version } from "../../src/runtime/node/version.ts";

/** What the figures depend on, in two lines to keep with them. */
export function conditions(argv: readonly string[]): string {
  const [first] = cpus();
  const memory = `${Math.round(totalmem() / 2 ** 30)} GiB`;
  const [load = 0] = loadavg();
  const machine = `${cpus().length} × ${first?.model.trim() ?? "unknown CPU"}, ${memory}`;
  const system = `${process.platform} ${process.arch}, load ${load.toFixed(1)} at the end`;
  const when = new Date().toISOString().slice(0, 16).replace("T", " ");
  return (
    `bench ${argv.join(" ")}\n` +
    `${when} UTC, Millrace ${version}, Bun ${Bun.version}, ${machine}, ${system}\n`
  );
}
