import { isStreamError } from "../../base/stream-error.ts";
import type { TopicInfo } from "../../meta/catalog.ts";
import type { KafkaContext } from "./context.ts";

/** Where a partition is served, as Metadata and DescribeTopicPartitions say it. */
export interface PartitionPlace {
  readonly errorCode: 0;
  readonly partitionIndex: number;
  readonly leaderId: number;
  readonly leaderEpoch: number;
  /** The leader alone: copies are the store's business, not the workers'. */
  readonly replicaNodes: readonly number[];
  readonly isrNodes: readonly number[];
  readonly offlineReplicas: readonly number[];
}

/** A range of a topic's partitions. */
export interface PartitionRange {
  readonly topic: TopicInfo;
  readonly first: number;
  readonly count: number;
}

/**
 * Places the partitions of all ranges; the metadata is asked for what is not known here. While that
 * is unavailable leader epochs are unknown (−1) and clients go on without them.
 */
export async function placePartitions(
  ranges: readonly PartitionRange[],
  { log, cluster, platform }: KafkaContext,
): Promise<PartitionPlace[][]> {
  const asked = ranges.flatMap(({ topic, first, count }) =>
    Array.from({ length: count }, (_, index) => ({ topic, partition: first + index })),
  );
  const leaderEpochs = await log.leaderEpochs(asked).catch((error: unknown) => {
    if (!isStreamError(error)) throw error;
    platform.log.warn("Leader epochs are unknown for now", { error });
    return [];
  });
  let next = 0;
  return ranges.map(({ topic, first, count }) =>
    Array.from({ length: count }, (_, index) => {
      const partitionIndex = first + index;
      const leaderId = cluster.leaderOf(topic.topicId, partitionIndex);
      return {
        errorCode: 0,
        partitionIndex,
        leaderId,
        leaderEpoch: leaderEpochs[next++] ?? -1,
        replicaNodes: [leaderId],
        isrNodes: [leaderId],
        offlineReplicas: [],
      };
    }),
  );
}
