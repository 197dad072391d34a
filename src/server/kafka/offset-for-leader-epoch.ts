import {
  type EpochEndOffset,
  type OffsetForLeaderEpochRequest,
  type OffsetForLeaderEpochResponse,
  type OffsetForLeaderPartition,
  offsetForLeaderEpochApi,
} from "../../wire/kafka/api/offset-for-leader-epoch.ts";
import type { Decoded } from "../../wire/kafka/field-table.ts";
import type { KafkaHandler } from "./handler.ts";
import { answerPartitions } from "./topic-partitions.ts";

/** OffsetForLeaderEpoch (KIP-101): where an epoch ended, by which a consumer sees a cut log. */
export const offsetForLeaderEpochHandler: KafkaHandler<
  OffsetForLeaderEpochRequest,
  OffsetForLeaderEpochResponse
> = {
  api: offsetForLeaderEpochApi,
  async handle(request, call) {
    const topics = request.topics.map(async ({ topic: name, partitions }) => {
      const answers = await answerPartitions<Decoded<OffsetForLeaderPartition>, EpochEndOffset>(
        { name, partitions },
        {
          partitionOf: ({ partition }) => partition,
          leaderEpochOf: ({ currentLeaderEpoch }) => currentLeaderEpoch,
          async act(topic, partition, { leaderEpoch }) {
            const end = await call.context.log.epochEnd(topic, partition, leaderEpoch);
            return { errorCode: 0, partition, ...end };
          },
          failed: ({ partition }, errorCode) => ({
            errorCode,
            partition,
            leaderEpoch: -1,
            endOffset: -1,
          }),
        },
        call,
      );
      return { topic: name, partitions: answers };
    });
    return { topics: await Promise.all(topics) };
  },
};
