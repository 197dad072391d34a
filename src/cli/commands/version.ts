/** `streamctl version`. */

import manifest from "../../../package.json" with { type: "json" };
import { oneOf } from "../../runtime/node/option-kinds.ts";
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
    const version = { millrace: manifest.version, bun: Bun.version, platform: hostName() };
    if (options.output === "json") await writeJson(io, version);
    else {
      await io.stdout.write(
        `millrace ${version.millrace} (bun ${version.bun}, ${version.platform})\n`,
      );
    }
    return exitOk;
  },
});

function hostName(): string {
  return `${process.platform}-${process.arch}`;
}
