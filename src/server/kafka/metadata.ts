/**
 * Metadata: workers, topics and who leads their partitions. A topic asked for by name may be
 * created on the way, where the setting and the client allow it; Kafka answers
 * UNKNOWN_TOPIC_OR_PARTITION first and has it the next time, here it is there at once.
 */

import { present } from "../../base/assert.ts";
import { isStreamError } from "../../base/stream-error.ts";
import type { TopicInfo } from "../../meta/catalog.ts";
import { isInternalTopic, topicNameFault } from "../../record/topic-name.ts";
import {
  type MetadataRequest,
  type MetadataResponse,
  type MetadataResponseTopic,
  metadataApi,
} from "../../wire/kafka/api/metadata.ts";
import { kafkaErrors } from "../../wire/kafka/error-code.ts";
import { type Decoded, zeroUuid } from "../../wire/kafka/field-table.ts";
import { clusterOperations, operationsNotAsked, topicOperations } from "./authorized-operations.ts";
import { controllerIdOf } from "./controller-id.ts";
import { kafkaCode } from "./error-map.ts";
import type { KafkaCall, KafkaHandler } from "./handler.ts";
import { autoCreatedTopicsMax } from "./limits.ts";
import { placePartitions } from "./partition-place.ts";
import { findTopicById, findTopicByName, unknownTopicName } from "./topic-lookup.ts";

/** Before, an empty list asks for all topics. */
const emptyMeansNoneSince = 1;
/** Ids in requests; versions 10 and 11 have the field and refuse it. */
const topicIdsSince = 12;

export const metadataHandler: KafkaHandler<MetadataRequest, MetadataResponse> = {
  api: metadataApi,
  async handle(request, call) {
    const asked = request.topics ?? [];
    const namesIds = asked.some(({ name, topicId }) => name === null || topicId !== zeroUuid);
    if (namesIds && call.version < topicIdsSince) return refuseTopicIds(asked);
    const wantsAll =
      request.topics === null || (asked.length === 0 && call.version < emptyMeansNoneSince);
    const found = await findTopics(request, { wantsAll, call });
    const cluster = call.context.cluster.cluster();
    const { clusterId, nodes } = cluster;
    const brokers = nodes.map(({ nodeId, kafkaHost, kafkaPort }) => ({
      nodeId,
      host: kafkaHost,
      port: kafkaPort,
    }));
    return {
      brokers,
      clusterId,
      controllerId: controllerIdOf(cluster),
      topics: await describeTopics(found, request, call),
      clusterAuthorizedOperations: request.includeClusterAuthorizedOperations
        ? clusterOperations
        : operationsNotAsked,
      errorCode: 0,
    };
  },
};

interface FoundTopic {
  readonly name: string | null;
  readonly topicId: string;
  readonly errorCode: number;
  readonly topic: TopicInfo | undefined;
}

async function findTopics(
  request: Decoded<MetadataRequest>,
  { wantsAll, call }: { readonly wantsAll: boolean; readonly call: KafkaCall },
): Promise<FoundTopic[]> {
  const { topics } = call.context;
  if (wantsAll) return (await topics.list()).map(knownTopic);
  const asked = request.topics ?? [];
  const ids = asked.map(({ topicId }) => topicId).filter((topicId) => topicId !== zeroUuid);
  // As Kafka: once one topic is asked for by id, names are not looked at.
  if (ids.length > 0) {
    return Promise.all(
      [...new Set(ids)].map(async (topicId) => {
        const { topic, errorCode } = await findTopicById(topics, topicId);
        return topic === undefined ? { name: null, topicId, errorCode, topic } : knownTopic(topic);
      }),
    );
  }
  const names = [...new Set(asked.map(({ name }) => name ?? ""))];
  const found = await Promise.all(names.map((name) => findNamed(name, call)));
  if (!request.allowAutoTopicCreation || !call.context.settings.autoCreateTopics) return found;
  return createMissing(found, call);
}

async function findNamed(name: string, { context }: KafkaCall): Promise<FoundTopic> {
  if (topicNameFault(name) !== undefined) {
    const errorCode = kafkaErrors.INVALID_TOPIC_EXCEPTION.code;
    return { name, topicId: zeroUuid, errorCode, topic: undefined };
  }
  const { topic, errorCode } = await findTopicByName(context.topics, name);
  return topic === undefined ? { name, topicId: zeroUuid, errorCode, topic } : knownTopic(topic);
}

async function createMissing(found: readonly FoundTopic[], call: KafkaCall): Promise<FoundTopic[]> {
  let created = 0;
  const answers: FoundTopic[] = [];
  for (const each of found) {
    const isMissing = each.errorCode === unknownTopicName.errorCode;
    if (!isMissing || ++created > autoCreatedTopicsMax) answers.push(each);
    else answers.push(await createTopic(each, call));
  }
  return answers;
}

async function createTopic(missing: FoundTopic, { context }: KafkaCall): Promise<FoundTopic> {
  try {
    const topic = await context.topics.autoCreate(present(missing.name, "topic name"));
    return topic === undefined ? missing : knownTopic(topic);
  } catch (error) {
    if (!isStreamError(error)) throw error;
    // Somebody else was faster: the client's next question finds the topic.
    if (error.code === "topic_exists") return missing;
    return { ...missing, errorCode: kafkaCode(error.code) };
  }
}

function knownTopic(topic: TopicInfo): FoundTopic {
  return { name: topic.name, topicId: topic.topicId, errorCode: 0, topic };
}

async function describeTopics(
  found: readonly FoundTopic[],
  request: Decoded<MetadataRequest>,
  call: KafkaCall,
): Promise<MetadataResponseTopic[]> {
  const topics = found.flatMap(({ topic }) => topic ?? []);
  const ranges = topics.map((topic) => ({ topic, first: 0, count: topic.partitionCount }));
  const places = await placePartitions(ranges, call.context);
  let next = 0;
  return found.map(({ name, topicId, errorCode, topic }) => ({
    errorCode,
    name,
    topicId,
    isInternal: name !== null && isInternalTopic(name),
    partitions: topic === undefined ? [] : present(places[next++], "places of a topic"),
    topicAuthorizedOperations:
      request.includeTopicAuthorizedOperations && name !== null
        ? topicOperations
        : operationsNotAsked,
  }));
}

/** As Kafka: each topic is refused and nothing else is said. */
function refuseTopicIds(
  asked: Exclude<Decoded<MetadataRequest>["topics"], null>,
): MetadataResponse {
  const errorCode = kafkaErrors.INVALID_REQUEST.code;
  const topics = asked.map(({ name, topicId }) => ({
    errorCode,
    name: name ?? "",
    topicId,
    partitions: [],
  }));
  return { brokers: [], topics };
}
