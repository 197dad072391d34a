/**
 * DescribeTopicPartitions (KIP-966): partitions page by page. Topics are in the order of their
 * names; `cursor` says where the page begins, `nextCursor` where the next one would.
 */
import { present } from "../../base/assert.ts";
import type { TopicInfo } from "../../meta/catalog.ts";
import { isInternalTopic, topicNameFault } from "../../record/topic-name.ts";
import {
  type Cursor,
  type DescribeTopicPartitionsRequest,
  type DescribeTopicPartitionsResponse,
  type DescribeTopicPartitionsResponseTopic,
  describeTopicPartitionsApi,
} from "../../wire/kafka/api/describe-topic-partitions.ts";
import { kafkaErrors } from "../../wire/kafka/error-code.ts";
import { type Decoded, zeroUuid } from "../../wire/kafka/field-table.ts";
import { topicOperations } from "./authorized-operations.ts";
import type { KafkaCall, KafkaHandler } from "./handler.ts";
import { describedPartitionsMax } from "./limits.ts";
import { type PartitionRange, placePartitions } from "./partition-place.ts";
import { findTopicByName } from "./topic-lookup.ts";

export const describeTopicPartitionsHandler: KafkaHandler<
  DescribeTopicPartitionsRequest,
  DescribeTopicPartitionsResponse
> = {
  api: describeTopicPartitionsApi,
  async handle(request, call) {
    const { cursor, responsePartitionLimit } = request;
    if (cursor !== null && cursor.partitionIndex < 0) return refuseCursor(request);
    const found = await findTopics(request, call);
    const wanted = Math.max(1, Math.min(responsePartitionLimit, describedPartitionsMax));
    const page = pageOf(found, cursor, wanted);
    const places = await placePartitions(page.ranges, call.context);
    let next = 0;
    const topics = page.topics.map((each) => {
      if (each.topic === undefined) return failedTopic(each.name, each.errorCode);
      const partitions = present(places[next++], "places of a topic").map((place) => ({
        ...place,
        eligibleLeaderReplicas: [],
        lastKnownElr: [],
      }));
      return {
        errorCode: 0,
        name: each.name,
        topicId: each.topic.topicId,
        isInternal: isInternalTopic(each.name),
        partitions,
        topicAuthorizedOperations: topicOperations,
      };
    });
    return { topics, nextCursor: page.nextCursor };
  },
};

interface FoundTopic {
  readonly name: string;
  readonly errorCode: number;
  readonly topic: TopicInfo | undefined;
}

/** Topics by name from the cursor's on: those asked for, or all. */
async function findTopics(
  { topics, cursor }: Decoded<DescribeTopicPartitionsRequest>,
  { context }: KafkaCall,
): Promise<FoundTopic[]> {
  const from = cursor?.topicName ?? "";
  if (topics.length === 0) {
    const all = await context.topics.list();
    return all
      .filter(({ name }) => name >= from)
      .sort((a, b) => (a.name < b.name ? -1 : 1))
      .map((topic) => ({ name: topic.name, errorCode: 0, topic }));
  }
  const names = [...new Set(topics.map(({ name }) => name))].filter((name) => name >= from).sort();
  return Promise.all(
    names.map(async (name) => {
      if (topicNameFault(name) !== undefined) {
        return { name, errorCode: kafkaErrors.INVALID_TOPIC_EXCEPTION.code, topic: undefined };
      }
      return { name, ...(await findTopicByName(context.topics, name)) };
    }),
  );
}

interface Page {
  readonly topics: readonly FoundTopic[];
  /** One for each of the page's topics that exist, in order. */
  readonly ranges: readonly PartitionRange[];
  readonly nextCursor: Cursor | null;
}

function pageOf(
  found: readonly FoundTopic[],
  cursor: Decoded<Cursor> | null,
  countMax: number,
): Page {
  const topics: FoundTopic[] = [];
  const ranges: PartitionRange[] = [];
  let left = countMax;
  for (const each of found) {
    const { name, topic } = each;
    if (topic === undefined) {
      topics.push(each);
      continue;
    }
    const first = cursor?.topicName === name ? cursor.partitionIndex : 0;
    if (left === 0)
      return { topics, ranges, nextCursor: { topicName: name, partitionIndex: first } };
    const count = Math.min(left, Math.max(0, topic.partitionCount - first));
    topics.push(each);
    ranges.push({ topic, first, count });
    left -= count;
    if (first + count < topic.partitionCount) {
      return { topics, ranges, nextCursor: { topicName: name, partitionIndex: first + count } };
    }
  }
  return { topics, ranges, nextCursor: null };
}

function failedTopic(name: string, errorCode: number): DescribeTopicPartitionsResponseTopic {
  return {
    errorCode,
    name,
    topicId: zeroUuid,
    partitions: [],
    topicAuthorizedOperations: topicOperations,
  };
}

function refuseCursor({
  topics,
}: Decoded<DescribeTopicPartitionsRequest>): DescribeTopicPartitionsResponse {
  const errorCode = kafkaErrors.INVALID_REQUEST.code;
  const refused = topics.map(({ name }) => ({
    errorCode,
    name,
    topicId: zeroUuid,
    partitions: [],
  }));
  return { topics: refused, nextCursor: null };
}
