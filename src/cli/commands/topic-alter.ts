/** `streamctl topic alter`. */
import * as z from "zod";
import { count, option } from "../../runtime/node/option-kinds.ts";
import { UsageError } from "../../runtime/node/options.ts";
import { topicDetails } from "../../wire/http/shapes.ts";
import { apiClient, clientOptions, writeJson } from "../api-client.ts";
import { configOption } from "../client-kinds.ts";
import { defineCommand, exitOk } from "../command.ts";
import { topicPath, topicText } from "../topic-view.ts";

const unsetOption = {
  ...option("NAME", "the name of a topic setting", z.string().min(1), {
    doc: "a topic setting to return to its default; may be repeated",
  }),
  repeated: true,
} as const;

export const topicAlterCommand = defineCommand({
  name: "topic alter",
  summary: "Add partitions to a topic or change its settings",
  positionals: [{ name: "TOPIC", doc: "the topic's name" }],
  options: {
    partitions: count(
      "N",
      { min: 1, max: 100_000 },
      { doc: "the new number of partitions, above the present one" },
    ),
    config: configOption,
    unset: unsetOption,
    ...clientOptions,
  },
  examples: [
    "streamctl topic alter orders --partitions 6",
    "streamctl topic alter orders --config retention.ms=86400000 --unset retention.bytes",
  ],
  async run({ io, options, positionals: [name = ""] }) {
    const { partitions, config, unset } = options;
    if (partitions === undefined && config === undefined && unset === undefined) {
      throw new UsageError("Nothing to change: give --partitions, --config or --unset");
    }
    const removed = Object.fromEntries((unset?.split("\n") ?? []).map((each) => [each, null]));
    const changes = { ...config, ...removed };
    const json = {
      ...(partitions && { partitions }),
      ...(Object.keys(changes).length > 0 && { config: changes }),
    };
    const topic = await apiClient(options).call(topicDetails, "PATCH", topicPath(name), { json });
    if (options.output === "json") await writeJson(io, topic);
    else await io.stdout.write(topicText(io.stdout, topic));
    return exitOk;
  },
});
