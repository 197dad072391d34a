import { isStreamError } from "../../base/stream-error.ts";
import type { TopicInfo } from "../../meta/catalog.ts";
import { kafkaErrors } from "../../wire/kafka/error-code.ts";
import { zeroUuid } from "../../wire/kafka/field-table.ts";
import { kafkaCode } from "./error-map.ts";
import type { KafkaCall } from "./handler.ts";
import { checkLeaderEpochs } from "./leader-epoch-check.ts";
import { findTopic } from "./topic-lookup.ts";

/** What to do for one partition that exists and whose leader epoch the client has right. */
type Act<P, R> = (topic: TopicInfo, partition: number, asked: P) => Promise<R>;

interface AnswerOptions<P, R> {
  readonly partitionOf: (asked: P) => number;
  /** Absent: requests of this kind say no epoch. */
  readonly leaderEpochOf?: (asked: P) => number;
  readonly act: Act<P, R>;
  readonly failed: (asked: P, errorCode: number) => R;
}

/**
 * Answers, in order, the partitions of one topic that a request names: unknown ones and those with
 * a wrong leader epoch with their code, the others by `act`, whose StreamErrors become codes.
 */
export async function answerPartitions<P, R>(
  { name, partitions }: { readonly name: string; readonly partitions: readonly P[] },
  { partitionOf, leaderEpochOf, act, failed }: AnswerOptions<P, R>,
  call: KafkaCall,
): Promise<R[]> {
  const { topic, errorCode } = await findTopic(call.context.topics, {
    ...{ name, topicId: zeroUuid, byTopicId: false },
    partitions: partitions.map(partitionOf),
  });
  if (topic === undefined) return partitions.map((asked) => failed(asked, errorCode));
  const isThere = (asked: P) =>
    partitionOf(asked) >= 0 && partitionOf(asked) < topic.partitionCount;
  const failure = (asked: P, error: unknown) => failed(asked, codeOf(error, call));
  const claims = partitions.filter(isThere).map((asked) => ({
    topic,
    partition: partitionOf(asked),
    currentLeaderEpoch: leaderEpochOf?.(asked) ?? -1,
  }));
  try {
    const verdicts = await checkLeaderEpochs(claims, call.context.log);
    let next = 0;
    const answers = partitions.map((asked) => {
      if (!isThere(asked)) return failed(asked, kafkaCode("partition_unknown"));
      const verdict = verdicts[next++] ?? null;
      if (verdict !== null) return failed(asked, kafkaCode(verdict));
      return act(topic, partitionOf(asked), asked).catch((error: unknown) => failure(asked, error));
    });
    return await Promise.all(answers);
  } catch (error) {
    return partitions.map((asked) => failure(asked, error));
  }
}

function codeOf(error: unknown, call: KafkaCall): number {
  if (isStreamError(error)) return kafkaCode(error.code);
  call.context.platform.log.error("A request for a partition failed", { error });
  return kafkaErrors.UNKNOWN_SERVER_ERROR.code;
}
