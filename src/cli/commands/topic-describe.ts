/** `streamctl topic describe`. */
import { topicDetails } from "../../wire/http/shapes.ts";
import { apiClient, clientOptions, writeJson } from "../api-client.ts";
import { defineCommand, exitOk } from "../command.ts";
import { topicPath, topicText } from "../topic-view.ts";

export const topicDescribeCommand = defineCommand({
  name: "topic describe",
  summary: "Show a topic, its settings and its partitions",
  positionals: [{ name: "TOPIC", doc: "the topic's name" }],
  options: clientOptions,
  examples: ["streamctl topic describe orders"],
  async run({ io, options, positionals: [name = ""] }) {
    const topic = await apiClient(options).call(topicDetails, "GET", topicPath(name));
    if (options.output === "json") await writeJson(io, topic);
    else await io.stdout.write(topicText(io.stdout, topic));
    return exitOk;
  },
});
