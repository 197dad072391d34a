import { StreamError } from "../../base/stream-error.ts";
import type { TopicInfo } from "../../meta/catalog.ts";
import {
  type CreatePartitionsRequest,
  type CreatePartitionsResponse,
  type CreatePartitionsTopic,
  type CreatePartitionsTopicResult,
  createPartitionsApi,
} from "../../wire/kafka/api/create-partitions.ts";
import type { Decoded } from "../../wire/kafka/field-table.ts";
import { kafkaFailure } from "./error-map.ts";
import type { KafkaCall, KafkaHandler } from "./handler.ts";
import { checkAssignedNodes } from "./replica-assignment.ts";
import { findTopicByName } from "./topic-lookup.ts";

type Asked = Decoded<CreatePartitionsTopic>;

/** CreatePartitions: each topic on its own; a name that comes twice is refused. */
export const createPartitionsHandler: KafkaHandler<
  CreatePartitionsRequest,
  CreatePartitionsResponse
> = {
  api: createPartitionsApi,
  async handle({ topics, validateOnly }, call) {
    const results = new Map<string, CreatePartitionsTopicResult>();
    for (const asked of topics) {
      const isRepeated = topics.filter(({ name }) => name === asked.name).length > 1;
      if (results.has(asked.name)) continue;
      results.set(asked.name, await addPartitions(asked, { isRepeated, validateOnly, call }));
    }
    return { results: [...results.values()] };
  },
};

interface AddOptions {
  readonly isRepeated: boolean;
  readonly validateOnly: boolean;
  readonly call: KafkaCall;
}

async function addPartitions(
  asked: Asked,
  { isRepeated, validateOnly, call }: AddOptions,
): Promise<CreatePartitionsTopicResult> {
  const { name, count } = asked;
  try {
    if (isRepeated) throw new StreamError("invalid_request", "Duplicate topic name.");
    const { topic, errorCode } = await findTopicByName(call.context.topics, name);
    if (topic === undefined) return { name, errorCode, errorMessage: null };
    check(asked, topic, call);
    if (!validateOnly) await call.context.topics.addPartitions(topic.topicId, count);
    return { name, errorCode: 0, errorMessage: null };
  } catch (error) {
    const { errorCode, errorMessage, unexpected } = kafkaFailure(error);
    if (unexpected) call.context.platform.log.error("Adding partitions failed", { name, error });
    return { name, errorCode, errorMessage };
  }
}

function check({ name, count, assignments }: Asked, topic: TopicInfo, call: KafkaCall): void {
  const { partitionCount } = topic;
  if (count === partitionCount) {
    const message = `Topic already has ${partitionCount} partition(s).`;
    throw new StreamError("invalid_partition_count", message);
  }
  if (count < partitionCount) {
    throw new StreamError(
      "invalid_partition_count",
      `The topic ${name} currently has ${partitionCount} partition(s); ` +
        `${count} would not be an increase.`,
    );
  }
  if (assignments === null) return;
  const added = count - partitionCount;
  if (assignments.length !== added) {
    throw new StreamError(
      "invalid_assignment",
      `Attempted to add ${added} additional partition(s), but only ${assignments.length} ` +
        "assignment(s) were specified.",
    );
  }
  const nodeIds = new Set(call.context.cluster.cluster().nodes.map(({ nodeId }) => nodeId));
  for (const { brokerIds } of assignments) checkAssignedNodes(brokerIds, nodeIds);
}
