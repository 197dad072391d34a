import type { OffsetKey } from "../../group/types.ts";
import {
  type OffsetDeleteRequest,
  type OffsetDeleteRequestTopic,
  type OffsetDeleteResponse,
  offsetDeleteApi,
} from "../../wire/kafka/api/offset-delete.ts";
import type { Decoded } from "../../wire/kafka/field-table.ts";
import { kafkaCode } from "./error-map.ts";
import { groupCode, groupFailureCode } from "./group-errors.ts";
import type { KafkaCall, KafkaHandler } from "./handler.ts";
import { findTopicByName } from "./topic-lookup.ts";

/** OffsetDelete: forgets committed offsets of topics to which the group is not subscribed. */
export const offsetDeleteHandler: KafkaHandler<OffsetDeleteRequest, OffsetDeleteResponse> = {
  api: offsetDeleteApi,
  async handle({ groupId, topics }, call) {
    const placed = await Promise.all(topics.map((topic) => placeTopic(topic, call)));
    const partitions = placed.flat().flatMap(({ key }) => key ?? []);
    try {
      const verdicts = await call.context.groups.deleteOffsets({ groupId, partitions });
      let next = 0;
      const code = ({ key, errorCode }: Placed) =>
        key === undefined ? errorCode : groupCode(verdicts[next++] ?? null);
      const answers = topics.map(({ name }, index) => ({
        name,
        partitions: (placed[index] ?? []).map((each) => ({
          partitionIndex: each.partitionIndex,
          errorCode: code(each),
        })),
      }));
      return { errorCode: 0, topics: answers };
    } catch (error) {
      return { errorCode: groupFailureCode(error, call), topics: [] };
    }
  },
};

interface Placed {
  readonly partitionIndex: number;
  readonly errorCode: number;
  /** Undefined: answered with the error code. */
  readonly key: OffsetKey | undefined;
}

async function placeTopic(
  { name, partitions }: Decoded<OffsetDeleteRequestTopic>,
  call: KafkaCall,
): Promise<Placed[]> {
  const { topic, errorCode } = await findTopicByName(call.context.topics, name);
  return partitions.map(({ partitionIndex }) => {
    if (topic === undefined) return { partitionIndex, errorCode, key: undefined };
    if (partitionIndex < 0 || partitionIndex >= topic.partitionCount) {
      return { partitionIndex, errorCode: kafkaCode("partition_unknown"), key: undefined };
    }
    const key = { topicId: topic.topicId, topicName: topic.name, partition: partitionIndex };
    return { partitionIndex, errorCode: 0, key };
  });
}
