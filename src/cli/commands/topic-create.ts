/** `streamctl topic create`. */
import { count } from "../../runtime/node/option-kinds.ts";
import { topicDetails } from "../../wire/http/shapes.ts";
import { apiClient, clientOptions, writeJson } from "../api-client.ts";
import { configOption } from "../client-kinds.ts";
import { defineCommand, exitOk } from "../command.ts";
import { counted } from "../numbers.ts";

export const topicCreateCommand = defineCommand({
  name: "topic create",
  summary: "Create a topic",
  positionals: [{ name: "TOPIC", doc: "the topic's name" }],
  options: {
    partitions: count(
      "N",
      { min: 1, max: 100_000 },
      { doc: "number of partitions", fallbackShown: "the worker's setting" },
    ),
    config: configOption,
    ...clientOptions,
  },
  examples: [
    "streamctl topic create orders --partitions 3",
    "streamctl topic create clicks --config retention.ms=86400000 --config cleanup.policy=delete",
  ],
  async run({ io, options, positionals: [name = ""] }) {
    const { partitions, config } = options;
    const json = { name, ...(partitions && { partitions }), ...(config && { config }) };
    const topic = await apiClient(options).call(topicDetails, "POST", "/v1/topics", { json });
    if (options.output === "json") await writeJson(io, topic);
    else {
      const made = counted(topic.partitions, "partition");
      await io.stdout.write(`Created topic ${topic.name} with ${made}\n`);
    }
    return exitOk;
  },
});
