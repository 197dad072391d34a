import { StreamError } from "../../base/stream-error.ts";
import type { CreateTopic } from "../../log/log-types.ts";
import type { TopicInfo } from "../../meta/catalog.ts";
import {
  type CreatableTopic,
  type CreatableTopicResult,
  type CreateTopicsRequest,
  type CreateTopicsResponse,
  createTopicsApi,
} from "../../wire/kafka/api/create-topics.ts";
import { type Decoded, zeroUuid } from "../../wire/kafka/field-table.ts";
import { kafkaFailure } from "./error-map.ts";
import type { KafkaCall, KafkaHandler } from "./handler.ts";
import { checkAssignedNodes } from "./replica-assignment.ts";
import { topicConfigEntries } from "./topic-config-entries.ts";

type Asked = Decoded<CreatableTopic>;

/** CreateTopics: each topic on its own; a name that comes twice is refused. */
export const createTopicsHandler: KafkaHandler<CreateTopicsRequest, CreateTopicsResponse> = {
  api: createTopicsApi,
  async handle({ topics, validateOnly }, call) {
    const results = new Map<string, CreatableTopicResult>();
    for (const asked of topics) {
      const isRepeated = topics.filter(({ name }) => name === asked.name).length > 1;
      if (results.has(asked.name)) continue;
      results.set(asked.name, await create(asked, { isRepeated, validateOnly, call }));
    }
    return { topics: [...results.values()] };
  },
};

interface CreateOptions {
  readonly isRepeated: boolean;
  readonly validateOnly: boolean;
  readonly call: KafkaCall;
}

async function create(
  asked: Asked,
  { isRepeated, validateOnly, call }: CreateOptions,
): Promise<CreatableTopicResult> {
  const { topics, cluster } = call.context;
  const { name } = asked;
  try {
    if (isRepeated) throw new StreamError("invalid_request", "Duplicate topic name.");
    const nodeIds = cluster.cluster().nodes.map(({ nodeId }) => nodeId);
    const request = requestOf(asked, new Set(nodeIds));
    const topic = await (validateOnly ? topics.checkCreate(request) : topics.create(request));
    return { name, topicId: topic.topicId, errorCode: 0, errorMessage: null, ...described(topic) };
  } catch (error) {
    const { errorCode, errorMessage, unexpected } = kafkaFailure(error);
    if (unexpected) call.context.platform.log.error("Creating a topic failed", { name, error });
    const nothing = { numPartitions: -1, replicationFactor: -1, configs: [] };
    return { name, topicId: zeroUuid, errorCode, errorMessage, ...nothing };
  }
}

function requestOf(asked: Asked, nodeIds: ReadonlySet<number>): CreateTopic {
  const config: Record<string, string> = {};
  for (const { name, value } of asked.configs) {
    if (value === null) {
      throw new StreamError(
        "invalid_config",
        `Null value not supported for topic configs: ${name}`,
      );
    }
    config[name] = value;
  }
  const { name, numPartitions, replicationFactor, assignments } = asked;
  if (assignments.length === 0) {
    return { name, partitionCount: numPartitions, replicationFactor, config };
  }
  const first = "A manual partition assignment was specified, but ";
  if (numPartitions !== -1) {
    throw new StreamError("invalid_request", `${first}numPartitions was not set to -1.`);
  }
  if (replicationFactor !== -1) {
    throw new StreamError("invalid_request", `${first}replication factor was not set to -1.`);
  }
  const sorted = [...assignments].sort((a, b) => a.partitionIndex - b.partitionIndex);
  if (sorted.some(({ partitionIndex }, index) => partitionIndex !== index)) {
    throw new StreamError(
      "invalid_assignment",
      "partitions should be a consecutive 0-based integer sequence",
    );
  }
  for (const { brokerIds } of sorted) checkAssignedNodes(brokerIds, nodeIds);
  const replicas = sorted[0]?.brokerIds.length ?? 1;
  return { name, partitionCount: sorted.length, replicationFactor: replicas, config };
}

function described(topic: TopicInfo) {
  const options = { includeSynonyms: false, includeDocumentation: false };
  const configs = topicConfigEntries(topic.config, null, options).map(
    ({ name, value, readOnly, configSource, isSensitive }) => ({
      name,
      value,
      readOnly,
      ...(configSource === undefined ? {} : { configSource }),
      isSensitive,
    }),
  );
  const { partitionCount: numPartitions, replicationFactor } = topic;
  return { numPartitions, replicationFactor, configs };
}
