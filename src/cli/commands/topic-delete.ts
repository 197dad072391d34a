/** `streamctl topic delete`. */
import { apiClient, clientOptions, writeJson } from "../api-client.ts";
import { defineCommand, exitOk } from "../command.ts";
import { topicPath } from "../topic-view.ts";

export const topicDeleteCommand = defineCommand({
  name: "topic delete",
  summary: "Delete a topic and its records",
  positionals: [{ name: "TOPIC", doc: "the topic's name" }],
  options: clientOptions,
  examples: ["streamctl topic delete orders"],
  async run({ io, options, positionals: [name = ""] }) {
    await apiClient(options).send("DELETE", topicPath(name));
    if (options.output === "json") await writeJson(io, { deleted: name });
    else await io.stdout.write(`Deleted topic ${name}\n`);
    return exitOk;
  },
});
