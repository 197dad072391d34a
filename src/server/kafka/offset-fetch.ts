/**
 * OffsetFetch: what groups have committed. Versions up to 7 ask for one group, 8 and up for
 * several, 10 names topics by id. Partitions of which nothing is known are answered with offset −1.
 */
import type { FetchedOffset, OffsetKey } from "../../group/types.ts";
import type { TopicInfo } from "../../meta/catalog.ts";
import type { TopicName } from "../../record/types.ts";
import {
  type OffsetFetchRequest,
  type OffsetFetchResponse,
  type OffsetFetchResponseGroup,
  offsetFetchApi,
} from "../../wire/kafka/api/offset-fetch.ts";
import { kafkaErrors } from "../../wire/kafka/error-code.ts";
import { zeroUuid } from "../../wire/kafka/field-table.ts";
import { groupCode, groupFailureCode } from "./group-errors.ts";
import type { KafkaCall, KafkaHandler } from "./handler.ts";
import { findTopic } from "./topic-lookup.ts";

const groupErrorSince = 2;
const groupsSince = 8;
const topicIdsSince = 10;

export const offsetFetchHandler: KafkaHandler<OffsetFetchRequest, OffsetFetchResponse> = {
  api: offsetFetchApi,
  async handle(request, call) {
    const { requireStable } = request;
    if (call.version >= groupsSince) {
      const groups = await Promise.all(
        request.groups.map(({ groupId, topics }) =>
          fetchGroup({ groupId, topics, requireStable }, call),
        ),
      );
      return { groups };
    }
    const topics = request.topics?.map((topic) => ({ ...topic, topicId: zeroUuid })) ?? null;
    const group = await fetchGroup({ groupId: request.groupId, topics, requireStable }, call);
    if (call.version >= groupErrorSince || group.errorCode === 0) return group;
    // Version 1 has no place for the group's error but its partitions.
    const { errorCode } = group;
    const failed = (topics ?? []).map(({ name, partitionIndexes }) => ({
      name,
      partitions: partitionIndexes.map((index) => nothingCommitted(index, errorCode)),
    }));
    return { topics: failed };
  },
};

interface AskedTopic {
  readonly name: string;
  readonly topicId: string;
  readonly partitionIndexes: readonly number[];
}

interface GroupQuery {
  readonly groupId: string;
  /** null: all that is committed. */
  readonly topics: readonly AskedTopic[] | null;
  readonly requireStable: boolean;
}

interface GroupAnswer extends OffsetFetchResponseGroup {
  readonly errorCode: number;
}

async function fetchGroup(query: GroupQuery, call: KafkaCall): Promise<GroupAnswer> {
  const { groupId, requireStable } = query;
  try {
    const asked = query.topics === null ? null : await lookUp(query.topics, call);
    const partitions = asked?.flatMap(({ keys }) => keys) ?? null;
    const found = await call.context.groups.fetchOffsets({ groupId, partitions, requireStable });
    const topics = asked === null ? everyTopic(found) : askedTopics(asked, found);
    return { groupId, topics, errorCode: 0 };
  } catch (error) {
    return { groupId, topics: [], errorCode: groupFailureCode(error, call) };
  }
}

interface LookedUp {
  readonly asked: AskedTopic;
  readonly topic: TopicInfo | undefined;
  /** For all partitions, when the topic is unknown by id. */
  readonly errorCode: number;
  readonly keys: readonly OffsetKey[];
}

function lookUp(topics: readonly AskedTopic[], call: KafkaCall): Promise<LookedUp[]> {
  const byTopicId = call.version >= topicIdsSince;
  return Promise.all(
    topics.map(async (asked) => {
      const { topic, errorCode } = await findTopic(call.context.topics, {
        ...{ ...asked, byTopicId },
        // What no partition has committed is answered alike, whether it exists or not.
        partitions: [],
      });
      if (topic === undefined) {
        // Kafka does not look whether a name exists: nothing is committed for it, that is all.
        const isUnknownName = errorCode === kafkaErrors.UNKNOWN_TOPIC_OR_PARTITION.code;
        return { asked, topic, errorCode: isUnknownName ? 0 : errorCode, keys: [] };
      }
      const keys = asked.partitionIndexes.map((partition) => keyOf(topic, partition));
      return { asked, topic, errorCode: 0, keys };
    }),
  );
}

function keyOf(topic: TopicInfo, partition: number): OffsetKey {
  return { topicId: topic.topicId, topicName: topic.name, partition };
}

/** Answers in the order asked. */
function askedTopics(asked: readonly LookedUp[], found: readonly FetchedOffset[]) {
  let next = 0;
  return asked.map(({ asked: { name, topicId, partitionIndexes }, topic, errorCode }) => ({
    name,
    topicId,
    partitions: partitionIndexes.map((index) => {
      const offset = topic === undefined ? undefined : found[next++];
      return offset === undefined ? nothingCommitted(index, errorCode) : committed(offset);
    }),
  }));
}

function everyTopic(found: readonly FetchedOffset[]) {
  const topics = new Map<TopicName, { topicId: string; partitions: FetchedOffset[] }>();
  for (const offset of found) {
    const topic = topics.get(offset.topicName) ?? { topicId: offset.topicId, partitions: [] };
    topic.partitions.push(offset);
    topics.set(offset.topicName, topic);
  }
  return [...topics].map(([name, { topicId, partitions }]) => ({
    name,
    topicId,
    partitions: partitions.map(committed),
  }));
}

function committed({ partition, offset, leaderEpoch, metadata, error }: FetchedOffset) {
  return {
    partitionIndex: partition,
    committedOffset: offset,
    committedLeaderEpoch: leaderEpoch,
    metadata,
    errorCode: groupCode(error),
  };
}

function nothingCommitted(partitionIndex: number, errorCode: number) {
  return { partitionIndex, committedOffset: -1, committedLeaderEpoch: -1, metadata: "", errorCode };
}
