import { isStreamError } from "../../base/stream-error.ts";
import type { TopicService } from "../../log/log-types.ts";
import type { TopicInfo } from "../../meta/catalog.ts";
import type { TopicId } from "../../record/types.ts";
import { kafkaErrors } from "../../wire/kafka/error-code.ts";
import { zeroUuid } from "../../wire/kafka/field-table.ts";
import { kafkaCode } from "./error-map.ts";

/** A topic of a request: known, or the error code to answer for all its partitions. */
export type TopicAnswer =
  | { readonly topic: TopicInfo; readonly errorCode: 0 }
  | { readonly topic: undefined; readonly errorCode: number };

/** Finds a topic as versions with topic ids name it. A miss is UNKNOWN_TOPIC_ID. */
export function findTopicById(topics: TopicService, topicId: string): Promise<TopicAnswer> {
  if (topicId === zeroUuid) return Promise.resolve(unknownTopicId);
  return find(topics.byId(topicId as TopicId), unknownTopicId);
}

/**
 * Finds a topic by name. A miss, also of names that none can have, is UNKNOWN_TOPIC_OR_PARTITION.
 */
export function findTopicByName(topics: TopicService, name: string): Promise<TopicAnswer> {
  return find(topics.byName(name), unknownTopicName);
}

/** As a request names it: by id from some version on, else by name. */
export function findTopic(
  topics: TopicService,
  asked: { readonly name: string; readonly topicId: string; readonly byTopicId: boolean },
): Promise<TopicAnswer> {
  return asked.byTopicId
    ? findTopicById(topics, asked.topicId)
    : findTopicByName(topics, asked.name);
}

export const unknownTopicId: TopicAnswer = {
  topic: undefined,
  errorCode: kafkaErrors.UNKNOWN_TOPIC_ID.code,
};

export const unknownTopicName: TopicAnswer = {
  topic: undefined,
  errorCode: kafkaErrors.UNKNOWN_TOPIC_OR_PARTITION.code,
};

async function find(
  lookup: Promise<TopicInfo | undefined>,
  missing: TopicAnswer,
): Promise<TopicAnswer> {
  try {
    const topic = await lookup;
    return topic === undefined ? missing : { topic, errorCode: 0 };
  } catch (error) {
    if (isStreamError(error)) return { topic: undefined, errorCode: kafkaCode(error.code) };
    throw error;
  }
}
