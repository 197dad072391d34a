/** `streamctl version`. */

import { oneOf } from "../../runtime/node/option-kinds.ts";
import { version } from "../../runtime/node/version.ts";
import { writeJson } from "../api-client.ts";
import { defineCommand, exitOk } from "../command.ts";

export const versionCommand = defineCommand({
  name: "version",
  summary: "Print the version of Millrace and of its runtime",
  positionals: [],
  options: {
    output: oneOf(["text", "json"], {
      short: "o",
      fallback: "text",
      doc: "text for people, json for programs",
    }),
  },
  examples: [],
  async run({ io, options }) {
    const told = { millrace: version, bun: Bun.version, platform: hostName() };
    if (options.output === "json") await writeJson(io, told);
    else {
      await io.stdout.write(`millrace ${told.millrace} (bun ${told.bun}, ${told.platform})\n`);
    }
    return exitOk;
  },
});

function hostName(): string {
  return `${process.platform}-${process.arch}`;
}
