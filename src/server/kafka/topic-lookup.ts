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

/** A topic as a request names it. */
export interface AskedTopic {
  readonly name: string;
  readonly topicId: string;
  /** Named by id from some version on, else by name. */
  readonly byTopicId: boolean;
  /** Those that the request names: what is cached here denies none of them. */
  readonly partitions: readonly number[];
}

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

/** Finds a topic with all partitions that the request names, unless they do not exist. */
export async function findTopic(topics: TopicService, asked: AskedTopic): Promise<TopicAnswer> {
  const { name, topicId, byTopicId, partitions } = asked;
  const answer = await (byTopicId ? findTopicById(topics, topicId) : findTopicByName(topics, name));
  const { topic } = answer;
  if (topic === undefined) return answer;
  let greatest = -1;
  for (const partition of partitions) greatest = Math.max(greatest, partition);
  if (greatest < topic.partitionCount) return answer;
  return find(topics.withPartition(topic, greatest), byTopicId ? unknownTopicId : unknownTopicName);
}

const unknownTopicId: TopicAnswer = {
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
