/** `streamctl server`: runs a worker until it is told to stop. */
import type { OptionTable } from "../../runtime/node/options.ts";
import { readSettings, settingChapters } from "../../runtime/settings.ts";
import { type Command, entries, exitOk, heading, optionRow } from "../command.ts";
import type { Output } from "../io.ts";

export const serverCommand: Command = {
  name: "server",
  summary: "Run a worker: HTTP and the Kafka protocol on one log",
  help: serverHelp,
  async execute(argv, io) {
    const settings = readSettings(argv, io.env);
    const { runServer } = await import("../../runtime/bun/main.ts");
    await runServer(settings, io.signal);
    return exitOk;
  },
};

function serverHelp(output: Output): string {
  const chapters = Object.entries(settingChapters).map(([chapter, table]) => {
    const rows = Object.entries(table as OptionTable).map(([key, each]) => optionRow(key, each));
    return `${heading(output, chapter)}\n${entries(output, rows)}`;
  });
  return [
    `${serverCommand.summary}\n`,
    `${heading(output, "Usage")}  streamctl server [options]\n`,
    ...chapters,
    "A flag wins over its variable. BYTES are 8MiB, 64MB or plain bytes. SIGTERM and SIGINT let a\n" +
      "worker finish what it has accepted; a second one ends it at once.\n",
  ].join("\n");
}
