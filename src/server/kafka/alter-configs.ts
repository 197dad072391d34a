import { StreamError } from "../../base/stream-error.ts";
import type { AlteredConfigs } from "../../wire/kafka/altered-configs.ts";
import { type AlterConfigsRequest, alterConfigsApi } from "../../wire/kafka/api/alter-configs.ts";
import { alterResources } from "./alter-topic-config.ts";
import type { KafkaHandler } from "./handler.ts";

/** AlterConfigs: what is listed becomes all that is set; everything else returns to its default. */
export const alterConfigsHandler: KafkaHandler<AlterConfigsRequest, AlteredConfigs> = {
  api: alterConfigsApi,
  async handle(request, call) {
    const responses = await alterResources(
      request,
      ({ configs }, topic) => {
        const changes: Record<string, string | null> = {};
        for (const name of Object.keys(topic.config)) changes[name] = null;
        const names = new Set<string>();
        for (const { name, value } of configs) {
          if (value === null) {
            throw new StreamError("invalid_request", `Null value not supported for : ${name}`);
          }
          if (names.has(name)) {
            throw new StreamError("invalid_request", "Error due to duplicate config keys");
          }
          names.add(name);
          changes[name] = value;
        }
        return changes;
      },
      call,
    );
    return { responses };
  },
};
