import { isStreamError, StreamError } from "../../base/stream-error.ts";
import type { TopicInfo } from "../../meta/catalog.ts";
import { validateTopicConfig } from "../../meta/topic-config.ts";
import type { AlteredResource } from "../../wire/kafka/altered-configs.ts";
import { kafkaErrors } from "../../wire/kafka/error-code.ts";
import { configResources } from "./config-resources.ts";
import { kafkaFailure } from "./error-map.ts";
import type { KafkaCall } from "./handler.ts";
import { findTopicByName } from "./topic-lookup.ts";

export type ConfigChanges = Readonly<Record<string, string | null>>;

export interface ResourceToAlter {
  readonly resourceType: number;
  readonly resourceName: string;
}

/**
 * What AlterConfigs and IncrementalAlterConfigs share: each resource once, topics only; `changesOf`
 * says what to set (null: back to the default) or throws StreamError. All changes of a topic or
 * none.
 */
export async function alterResources<R extends ResourceToAlter>(
  { resources, validateOnly }: { readonly resources: readonly R[]; readonly validateOnly: boolean },
  changesOf: (resource: R, topic: TopicInfo) => ConfigChanges,
  call: KafkaCall,
): Promise<AlteredResource[]> {
  const times = new Map<string, number>();
  for (const each of resources) times.set(keyOf(each), (times.get(keyOf(each)) ?? 0) + 1);
  const answers: AlteredResource[] = [];
  for (const resource of resources) {
    const { resourceType, resourceName } = resource;
    try {
      if ((times.get(keyOf(resource)) ?? 0) > 1) {
        throw new StreamError("invalid_request", "Each resource must appear at most once.");
      }
      const topic = await topicOf(resource, call);
      const changes = changesOf(resource, topic);
      validateTopicConfig(changes);
      if (!validateOnly) await call.context.topics.alterConfig(topic.topicId, changes);
      answers.push({ resourceType, resourceName, errorCode: 0, errorMessage: null });
    } catch (error) {
      answers.push({ resourceType, resourceName, ...answerOf(error, call) });
    }
  }
  return answers;
}

function keyOf({ resourceType, resourceName }: ResourceToAlter): string {
  return `${resourceType}/${resourceName}`;
}

async function topicOf(
  { resourceType, resourceName }: ResourceToAlter,
  call: KafkaCall,
): Promise<TopicInfo> {
  if (resourceType === configResources.broker) {
    throw new StreamError(
      "invalid_request",
      "Configs of a broker are the worker's settings: change them and start it again",
    );
  }
  if (resourceType !== configResources.topic) {
    throw new StreamError("invalid_request", `Unknown resource type ${resourceType}`);
  }
  const { topic, errorCode } = await findTopicByName(call.context.topics, resourceName);
  if (topic !== undefined) return topic;
  if (errorCode === kafkaErrors.UNKNOWN_TOPIC_OR_PARTITION.code) {
    throw new StreamError("topic_unknown", `The topic '${resourceName}' does not exist.`);
  }
  throw new StreamError("metadata_unavailable", `Cannot look up topic '${resourceName}'`);
}

function answerOf(error: unknown, call: KafkaCall) {
  const { errorCode, errorMessage } = kafkaFailure(error);
  if (!isStreamError(error)) {
    call.context.platform.log.error("Altering configs failed", { error });
  }
  return { errorCode, errorMessage };
}
