import type { OffsetToCommit } from "../../group/types.ts";
import {
  type OffsetCommitRequest,
  type OffsetCommitRequestTopic,
  type OffsetCommitResponse,
  type OffsetCommitResponsePartition,
  offsetCommitApi,
} from "../../wire/kafka/api/offset-commit.ts";
import type { Decoded } from "../../wire/kafka/field-table.ts";
import { kafkaCode } from "./error-map.ts";
import { groupCode, groupFailureCode } from "./group-errors.ts";
import type { KafkaCall, KafkaHandler } from "./handler.ts";
import { findTopic } from "./topic-lookup.ts";

const topicIdsSince = 10;

/**
 * OffsetCommit: partitions that exist go to the coordinator together, the others are answered here.
 */
export const offsetCommitHandler: KafkaHandler<OffsetCommitRequest, OffsetCommitResponse> = {
  api: offsetCommitApi,
  async handle(request, call) {
    const placed = await placePartitions(request.topics, call);
    const codes = await commit(request, placed, call);
    let next = 0;
    const code = (each: Placed) => (each.offset === undefined ? each.errorCode : codes[next++]);
    const answers = placed.map((each) => ({ ...each, errorCode: code(each) ?? 0 }));
    const topics = request.topics.map(({ name, topicId }, index) => ({
      name,
      topicId,
      partitions: answers.filter((each) => each.topicIndex === index).map(partitionResponse),
    }));
    return { topics };
  },
};

interface Placed {
  readonly topicIndex: number;
  readonly partitionIndex: number;
  readonly errorCode: number;
  /** Undefined: answered with the error code. */
  readonly offset: OffsetToCommit | undefined;
}

function partitionResponse({ partitionIndex, errorCode }: Placed): OffsetCommitResponsePartition {
  return { partitionIndex, errorCode };
}

async function placePartitions(
  topics: readonly Decoded<OffsetCommitRequestTopic>[],
  { context, version }: KafkaCall,
): Promise<Placed[]> {
  const byTopicId = version >= topicIdsSince;
  const placed = await Promise.all(
    topics.map(async ({ name, topicId, partitions }, topicIndex) => {
      const { topic, errorCode } = await findTopic(context.topics, {
        ...{ name, topicId, byTopicId },
        partitions: partitions.map(({ partitionIndex }) => partitionIndex),
      });
      return partitions.map((each): Placed => {
        const { partitionIndex, committedOffset, committedLeaderEpoch, committedMetadata } = each;
        const place = { topicIndex, partitionIndex };
        if (topic === undefined) return { ...place, errorCode, offset: undefined };
        if (partitionIndex < 0 || partitionIndex >= topic.partitionCount) {
          return { ...place, errorCode: kafkaCode("partition_unknown"), offset: undefined };
        }
        const offset = {
          topicId: topic.topicId,
          topicName: topic.name,
          partition: partitionIndex,
          offset: committedOffset,
          leaderEpoch: committedLeaderEpoch,
          metadata: committedMetadata ?? "",
        };
        return { ...place, errorCode: 0, offset };
      });
    }),
  );
  return placed.flat();
}

/** A code per placed partition that has an offset, in order. */
async function commit(
  request: Decoded<OffsetCommitRequest>,
  placed: readonly Placed[],
  call: KafkaCall,
): Promise<readonly number[]> {
  const offsets = placed.flatMap(({ offset }) => offset ?? []);
  try {
    const verdicts = await call.context.groups.commitOffsets({
      groupId: request.groupId,
      memberId: request.memberId,
      groupInstanceId: request.groupInstanceId,
      generationId: request.generationIdOrMemberEpoch,
      retentionMs: request.retentionTimeMs === -1 ? null : request.retentionTimeMs,
      offsets,
    });
    return verdicts.map(groupCode);
  } catch (error) {
    const code = groupFailureCode(error, call);
    return offsets.map(() => code);
  }
}
