/** `streamctl bench`: hands over to the programs in bench/, which have options of their own. */
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { type Command, CommandError, heading } from "../command.ts";

const benchMain = fileURLToPath(new URL("../../../bench/main.ts", import.meta.url));

export const benchCommand: Command = {
  name: "bench",
  summary: "Measure: each figure beside its goal",
  help: (output) =>
    `${benchCommand.summary}\n\n${heading(output, "Usage")}  streamctl bench [NAME] [options]\n\n` +
    "`streamctl bench` alone lists what there is to measure.\n",
  async execute(argv, io) {
    if (!existsSync(benchMain)) {
      throw new CommandError(
        "bench_missing",
        "The benchmarks are not part of this installation",
        "Run them from a checkout of the repository",
      );
    }
    const child = Bun.spawn([process.execPath, benchMain, ...argv], {
      stdio: ["inherit", "inherit", "inherit"],
      env: io.env as Record<string, string>,
      signal: io.signal,
    });
    return await child.exited;
  },
};
