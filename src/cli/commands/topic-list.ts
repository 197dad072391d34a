/** `streamctl topic list`. */
import { toggle } from "../../runtime/node/option-kinds.ts";
import { topicList } from "../../wire/http/shapes.ts";
import { apiClient, clientOptions, writeJson } from "../api-client.ts";
import { defineCommand, exitOk } from "../command.ts";
import { humanTime } from "../numbers.ts";
import { renderTable } from "../table.ts";

export const topicListCommand = defineCommand({
  name: "topic list",
  summary: "List topics",
  positionals: [],
  options: {
    internal: toggle({ doc: "list the server's own topics too, such as checkpoints" }),
    ...clientOptions,
  },
  examples: ["streamctl topic list", "streamctl topic list -o json"],
  async run({ io, options }) {
    const query = options.internal ? { internal: "true" } : {};
    const { topics } = await apiClient(options).call(topicList, "GET", "/v1/topics", { query });
    if (options.output === "json") await writeJson(io, { topics });
    else if (topics.length === 0) {
      await io.stdout.write("No topics. Make one with `streamctl topic create NAME`.\n");
    } else {
      const columns = [
        { title: "TOPIC" },
        { title: "PARTITIONS", align: "right" },
        { title: "CREATED" },
        { title: "CONFIG" },
      ] as const;
      const rows = topics.map((topic) => [
        topic.name,
        topic.partitions,
        humanTime(topic.createdAt),
        Object.entries(topic.config)
          .map(([name, value]) => `${name}=${value}`)
          .join(" ") || null,
      ]);
      await io.stdout.write(renderTable(io.stdout, columns, rows));
    }
    return exitOk;
  },
});
