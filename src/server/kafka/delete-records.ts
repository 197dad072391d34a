import {
  type DeleteRecordsPartition,
  type DeleteRecordsPartitionResult,
  type DeleteRecordsRequest,
  type DeleteRecordsResponse,
  deleteRecordsApi,
} from "../../wire/kafka/api/delete-records.ts";
import { kafkaErrors } from "../../wire/kafka/error-code.ts";
import type { KafkaHandler } from "./handler.ts";
import { answerPartitions } from "./topic-partitions.ts";
import { topicRules } from "./topic-rules.ts";

/** DeleteRecords: moves log starts on; −1 deletes all there is. */
export const deleteRecordsHandler: KafkaHandler<DeleteRecordsRequest, DeleteRecordsResponse> = {
  api: deleteRecordsApi,
  async handle(request, call) {
    const { log } = call.context;
    const topics = request.topics.map(async ({ name, partitions }) => {
      const answers = await answerPartitions<DeleteRecordsPartition, DeleteRecordsPartitionResult>(
        { name, partitions },
        {
          partitionOf: ({ partitionIndex }) => partitionIndex,
          async act(topic, partition, asked) {
            if (!topicRules(topic).deletes) return failed(asked, kafkaErrors.POLICY_VIOLATION.code);
            if (asked.offset < -1) return failed(asked, kafkaErrors.OFFSET_OUT_OF_RANGE.code);
            const lowWatermark = await log.deleteRecords(topic, partition, asked.offset);
            return { partitionIndex: partition, lowWatermark, errorCode: 0 };
          },
          failed,
        },
        call,
      );
      return { name, partitions: answers };
    });
    return { topics: await Promise.all(topics) };
  },
};

function failed(
  { partitionIndex }: DeleteRecordsPartition,
  errorCode: number,
): DeleteRecordsPartitionResult {
  return { partitionIndex, lowWatermark: -1, errorCode };
}
