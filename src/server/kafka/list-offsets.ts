import type { FoundOffset, OffsetQuery } from "../../log/log-types.ts";
import type { TopicInfo } from "../../meta/catalog.ts";
import {
  type ListOffsetsPartition,
  type ListOffsetsPartitionResponse,
  type ListOffsetsRequest,
  type ListOffsetsResponse,
  listOffsetsApi,
} from "../../wire/kafka/api/list-offsets.ts";
import { kafkaErrors } from "../../wire/kafka/error-code.ts";
import type { Decoded } from "../../wire/kafka/field-table.ts";
import type { KafkaCall, KafkaHandler } from "./handler.ts";
import { answerPartitions } from "./topic-partitions.ts";

/** Kafka's special timestamps, each with the version that brought it. */
const latest = -1;
const earliest = -2;
const maxTimestamp = -3;
const earliestLocal = -4;
const latestTiered = -5;
const earliestPendingUpload = -6;

const sinceOf: ReadonlyMap<number, number> = new Map([
  [latest, 1],
  [earliest, 1],
  [maxTimestamp, 7],
  [earliestLocal, 8],
  [latestTiered, 9],
  [earliestPendingUpload, 11],
]);

/** Older answers have no place for a leader epoch. */
const leaderEpochSince = 4;

type Asked = Decoded<ListOffsetsPartition>;

/** ListOffsets: offsets by time, confirmed by the metadata. */
export const listOffsetsHandler: KafkaHandler<ListOffsetsRequest, ListOffsetsResponse> = {
  api: listOffsetsApi,
  async handle(request, call) {
    const topics = request.topics.map(async ({ name, partitions }) => {
      const repeated = repeatedPartitions(partitions);
      const once = partitions.filter(
        ({ partitionIndex }, index) =>
          partitions.findIndex((other) => other.partitionIndex === partitionIndex) === index,
      );
      const answers = await answerPartitions(
        { name, partitions: once },
        {
          partitionOf: ({ partitionIndex }) => partitionIndex,
          leaderEpochOf: ({ currentLeaderEpoch }) => currentLeaderEpoch,
          act: (topic, _partition, asked) =>
            repeated.has(asked.partitionIndex)
              ? Promise.resolve(failed(asked, kafkaErrors.INVALID_REQUEST.code))
              : find(topic, asked, call),
          failed,
        },
        call,
      );
      return { name, partitions: answers };
    });
    return { topics: await Promise.all(topics) };
  },
};

function repeatedPartitions(partitions: readonly Asked[]): ReadonlySet<number> {
  const seen = new Set<number>();
  const repeated = new Set<number>();
  for (const { partitionIndex } of partitions) {
    if (seen.has(partitionIndex)) repeated.add(partitionIndex);
    seen.add(partitionIndex);
  }
  return repeated;
}

async function find(
  topic: TopicInfo,
  asked: Asked,
  { version, context: { log } }: KafkaCall,
): Promise<ListOffsetsPartitionResponse> {
  const { partitionIndex: partition, timestamp } = asked;
  const since = sinceOf.get(timestamp);
  if (timestamp < 0 && (since === undefined || version < since)) {
    return failed(asked, kafkaErrors.UNSUPPORTED_VERSION.code);
  }
  switch (timestamp) {
    case latest:
      return withoutTime(asked, await findOffset("latest"));
    case earliest:
    case earliestLocal:
      return withoutTime(asked, await findOffset("earliest"));
    case latestTiered:
    case earliestPendingUpload:
      // Storage has one tier, and nothing waits to be copied into another.
      return failed(asked, 0);
    case maxTimestamp:
      return withTime(asked, await findOffset("maxTimestamp"));
    default:
      return withTime(asked, await findOffset({ timestamp }));
  }

  async function findOffset(query: OffsetQuery): Promise<FoundOffset> {
    const found = await log.findOffset(topic, partition, query);
    return version < leaderEpochSince ? { ...found, leaderEpoch: -1 } : found;
  }
}

/** Ends of the log have no time, as Kafka answers. */
function withoutTime(
  { partitionIndex }: Asked,
  { offset, leaderEpoch }: FoundOffset,
): ListOffsetsPartitionResponse {
  return { partitionIndex, errorCode: 0, timestamp: -1, offset, leaderEpoch };
}

function withTime(asked: Asked, found: FoundOffset): ListOffsetsPartitionResponse {
  if (found.offset < 0) return failed(asked, 0);
  const { partitionIndex } = asked;
  return { partitionIndex, errorCode: 0, ...found };
}

function failed({ partitionIndex }: Asked, errorCode: number): ListOffsetsPartitionResponse {
  return { partitionIndex, errorCode, timestamp: -1, offset: -1, leaderEpoch: -1 };
}
