import { StreamError } from "../../base/stream-error.ts";
import type { TopicInfo } from "../../meta/catalog.ts";
import { topicConfigList, topicConfigs, topicConfigValue } from "../../meta/topic-config.ts";
import type { AlteredConfigs } from "../../wire/kafka/altered-configs.ts";
import {
  type AlterableConfig,
  type IncrementalAlterConfigsRequest,
  incrementalAlterConfigsApi,
} from "../../wire/kafka/api/incremental-alter-configs.ts";
import type { Decoded } from "../../wire/kafka/field-table.ts";
import { alterResources } from "./alter-topic-config.ts";
import type { KafkaHandler } from "./handler.ts";

const operations = ["SET", "DELETE", "APPEND", "SUBTRACT"] as const;

/** IncrementalAlterConfigs (KIP-339): sets, deletes, appends to and subtracts from lists. */
export const incrementalAlterConfigsHandler: KafkaHandler<
  IncrementalAlterConfigsRequest,
  AlteredConfigs
> = {
  api: incrementalAlterConfigsApi,
  async handle(request, call) {
    const responses = await alterResources(
      request,
      ({ configs }, topic) => {
        const changes: Record<string, string | null> = {};
        for (const config of configs) {
          if (Object.hasOwn(changes, config.name)) {
            throw new StreamError("invalid_request", "Error due to duplicate config keys");
          }
          changes[config.name] = changeOf(config, topic);
        }
        return changes;
      },
      call,
    );
    return { responses };
  },
};

/** The value that an operation leaves behind; null: the default. */
function changeOf(
  { name, configOperation, value }: Decoded<AlterableConfig>,
  topic: TopicInfo,
): string | null {
  const operation = operations[configOperation];
  if (operation === undefined) {
    throw new StreamError("invalid_request", `Unknown config operation ${configOperation}`);
  }
  if (operation === "DELETE") return null;
  if (value === null) {
    throw new StreamError("invalid_request", `Null value not supported for : ${name}`);
  }
  if (operation === "SET") return value;
  const spec = topicConfigs.get(name);
  if (spec === undefined) {
    throw new StreamError("invalid_config", `Unknown topic config name: ${name}`);
  }
  if (spec.type !== "list") {
    const message = `Can't ${operation} to key ${name} because its type is not LIST.`;
    throw new StreamError("invalid_config", message);
  }
  const before = topicConfigList(topicConfigValue(topic.config, name) ?? "");
  const named = topicConfigList(value);
  const after =
    operation === "APPEND"
      ? [...before, ...named.filter((item) => !before.includes(item))]
      : before.filter((item) => !named.includes(item));
  return after.join(",");
}
