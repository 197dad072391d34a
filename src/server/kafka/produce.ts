/**
 * Produce: the first step of a record's path. Each partition's batch is checked and given to the
 * log on its own, in the order of the request; the answer leaves when all are stored and published.
 * Batches stay the frame's bytes: nothing is copied here.
 *
 * A batch of an idempotent producer that is refused here although the client will send it again
 * closes the connection after the answer. Those behind it on the connection must not be appended:
 * of a producer that the log does not know the next one would pass for the first, and the batch
 * sent again for a duplicate. On a new connection clients send in order again. What the log itself
 * refuses it remembers (log/failed-sequences.ts).
 *
 * acks 1 and −1 mean the same, stored and published. With acks 0 there is no answer; an error then
 * closes the connection, as Kafka does, so that the client looks up leaders again.
 */
import { StreamError } from "../../base/stream-error.ts";
import type { Appended } from "../../log/log-types.ts";
import { refuseForeignWriter } from "../../log/topic-writer.ts";
import type { TopicInfo } from "../../meta/catalog.ts";
import { readBatchHeader, requireOneBatch, setLogAppendTime } from "../../record/batch.ts";
import { attributeBits, batchHeaderBytes, batchLayout } from "../../record/batch-layout.ts";
import { type ValidBatch, validateBatch } from "../../record/batch-validate.ts";
import {
  type PartitionProduceData,
  type PartitionProduceResponse,
  type ProduceRequest,
  type ProduceResponse,
  produceApi,
  type TopicProduceData,
} from "../../wire/kafka/api/produce.ts";
import { kafkaErrors } from "../../wire/kafka/error-code.ts";
import { kafkaErrorName } from "../../wire/kafka/error-name.ts";
import type { Decoded } from "../../wire/kafka/field-table.ts";
import type { KafkaContext } from "./context.ts";
import { kafkaCode, kafkaFailure } from "./error-map.ts";
import type { KafkaCall, KafkaHandler } from "./handler.ts";
import { type HintedPartition, leaderHints, nodeEndpointsOf } from "./leader-hints.ts";
import { findTopic, type TopicAnswer } from "./topic-lookup.ts";
import { topicRules } from "./topic-rules.ts";

const topicIdsSince = 13;
/** Since then answers say who leads (KIP-951). */
const leaderHintsSince = 10;
/** zstd came with version 7 (KIP-110): older clients could not read what they wrote. */
const zstdSince = 7;
/** As Kafka answers; the one code on which every transactional producer gives up. */
const transactionsRefused = kafkaErrors.TRANSACTIONAL_ID_AUTHORIZATION_FAILED.code;

export const produceHandler: KafkaHandler<ProduceRequest, ProduceResponse> = {
  api: produceApi,
  overlaps: true,
  async handle(request, call) {
    const answers = await produce(request, call);
    if (request.acks === 0) {
      const failed = answers.find(({ response }) => response.errorCode !== 0);
      if (failed !== undefined) call.closeAfter(unacknowledgedFault(failed));
      return undefined;
    }
    return responseOf(answers, call.context);
  },
};

interface PartitionAnswer {
  readonly topicName: string;
  readonly topicId: string;
  readonly response: PartitionProduceResponse;
  /** Set when the client asked the wrong worker. */
  readonly hinted: HintedPartition | undefined;
}

async function produce(
  request: Decoded<ProduceRequest>,
  call: KafkaCall,
): Promise<readonly PartitionAnswer[]> {
  const refusal = refusalOf(request);
  const byTopicId = call.version >= topicIdsSince;
  const topics = refusal === undefined ? await lookUpTopics(request, call, byTopicId) : [];
  const answers: Promise<PartitionAnswer>[] = [];
  for (const [index, data] of request.topicData.entries()) {
    for (const partition of data.partitionData) {
      const found = topics[index] ?? nowhere;
      const appending = appendPartition({ found, partition, request, call, refusal });
      if (leavesGap(appending, partition)) {
        call.closeAfter(
          `a batch of an idempotent producer for partition ${partition.index} failed`,
        );
      }
      answers.push(answerOf(appending, { data, partition, topic: found.topic, call }));
    }
  }
  call.submitted();
  return Promise.all(answers);
}

const nowhere: TopicAnswer = {
  topic: undefined,
  errorCode: kafkaErrors.UNKNOWN_TOPIC_OR_PARTITION.code,
};

/** What is wrong with the request as a whole. */
function refusalOf(request: Decoded<ProduceRequest>): KafkaRefusal | undefined {
  const { acks, transactionalId } = request;
  if (acks !== 0 && acks !== 1 && acks !== -1) {
    return refuse(kafkaCode("invalid_required_acks"), `acks is ${acks}: it must be -1, 0 or 1`);
  }
  if (transactionalId === null) return undefined;
  return refuse(
    transactionsRefused,
    `Cannot produce as "${transactionalId}": transactions are not served`,
  );
}

/** Topics in the order of the request. Most requests name one; a hit costs a promise. */
function lookUpTopics(
  request: Decoded<ProduceRequest>,
  { context }: KafkaCall,
  byTopicId: boolean,
): Promise<readonly TopicAnswer[]> {
  return Promise.all(
    request.topicData.map(({ name, topicId, partitionData }) => {
      const partitions = partitionData.map(({ index }) => index);
      return findTopic(context.topics, { name, topicId, byTopicId, partitions });
    }),
  );
}

/** An answer that is decided before the log is asked. */
interface KafkaRefusal {
  readonly errorCode: number;
  readonly errorMessage: string | null;
}

function refuse(errorCode: number, errorMessage: string | null): KafkaRefusal {
  return { errorCode, errorMessage };
}

interface AppendOptions {
  readonly found: TopicAnswer;
  readonly partition: Decoded<PartitionProduceData>;
  readonly request: Decoded<ProduceRequest>;
  readonly call: KafkaCall;
  readonly refusal: KafkaRefusal | undefined;
}

/** Checks and submits one partition's batch, all before it returns its promise. */
function appendPartition(options: AppendOptions): Promise<Appended> | KafkaRefusal | StreamError {
  const { found, partition, request, call, refusal } = options;
  if (refusal !== undefined) return refusal;
  if (found.topic === undefined) return refuse(found.errorCode, null);
  const { topic } = found;
  if (partition.index < 0 || partition.index >= topic.partitionCount) {
    return refuse(kafkaCode("partition_unknown"), null);
  }
  const bytes = partition.records ?? new Uint8Array(0);
  if (isTransactional(bytes)) {
    return refuse(
      transactionsRefused,
      "Cannot append a transactional batch: send its transactional id",
    );
  }
  try {
    const valid = checkBatch(bytes, topic, call);
    const place = { topic, partition: partition.index };
    const appending = call.context.log.append({ ...place, bytes, ...valid });
    call.lend(appending);
    return request.acks === -1 ? within(appending, request.timeoutMs, call.context) : appending;
  } catch (error) {
    if (error instanceof StreamError) return error;
    throw error;
  }
}

/** Whether a batch with a place in its producer's sequence was refused and will be sent again. */
function leavesGap(
  appending: Promise<Appended> | KafkaRefusal | StreamError,
  { records }: Decoded<PartitionProduceData>,
): boolean {
  if (appending instanceof Promise) return false;
  const isRefusal = "errorCode" in appending;
  const errorCode = isRefusal ? appending.errorCode : kafkaCode(appending.code);
  const { retriable } = kafkaErrors[kafkaErrorName(errorCode)];
  if (!retriable || records === null || records.length < batchHeaderBytes) return false;
  const { buffer, byteOffset } = records;
  return new DataView(buffer, byteOffset).getBigInt64(batchLayout.producerId) >= 0n;
}

/** Whether the first batch, if it is whole, claims to belong to a transaction. */
function isTransactional(bytes: Uint8Array): boolean {
  if (bytes.length < batchHeaderBytes) return false;
  return ((bytes[batchLayout.attributes + 1] ?? 0) & attributeBits.transactional) !== 0;
}

/** Refuses what may not be stored; gives the batch its time where the topic says so. */
function checkBatch(bytes: Uint8Array, topic: TopicInfo, call: KafkaCall): ValidBatch {
  const { platform, settings } = call.context;
  refuseForeignWriter(topic);
  const rules = topicRules(topic);
  const sizeBytes = requireOneBatch(bytes);
  if (sizeBytes > rules.messageBytesMax) {
    throw new StreamError(
      "record_too_large",
      `Cannot append a batch of ${sizeBytes} bytes to "${topic.name}": max.message.bytes is ` +
        `${rules.messageBytesMax}`,
    );
  }
  const now = platform.clock.now();
  const slack = rules.timestampSlack;
  const valid = validateBatch(bytes, {
    crc32c: platform.crc32c,
    codecs: platform.codecs,
    decompressedBytesMax: settings.decompressedBytesMax,
    keysRequired: rules.keysRequired,
    timestampBounds: slack ? { min: now - slack.beforeMs, max: now + slack.afterMs } : undefined,
  });
  if (sizeBytes > rules.segmentBytes) {
    throw new StreamError(
      "segment_too_large",
      `Cannot append a batch of ${sizeBytes} bytes to "${topic.name}": segment.bytes is ` +
        `${rules.segmentBytes}`,
    );
  }
  if (valid.header.codec === "zstd" && call.version < zstdSince) {
    throw new StreamError(
      "unsupported_compression",
      `Cannot append a zstd batch by Produce ${call.version}: it needs version ${zstdSince}`,
    );
  }
  if (slack !== null) return valid;
  setLogAppendTime(bytes, now, platform.crc32c);
  return { header: readBatchHeader(bytes), minTimestamp: now };
}

/** Gives up waiting after the client's time limit; the append itself goes on. */
function within(
  appending: Promise<Appended>,
  timeoutMs: number,
  { platform }: KafkaContext,
): Promise<Appended> {
  return new Promise((resolve, reject) => {
    const timer = platform.timers.after(Math.max(0, timeoutMs), () =>
      reject(new StreamError("timed_out", `Not stored within the ${timeoutMs} ms asked for`)),
    );
    appending.then(resolve, reject).finally(() => timer.cancel());
  });
}

interface AnswerOptions {
  readonly data: Decoded<TopicProduceData>;
  readonly partition: Decoded<PartitionProduceData>;
  readonly topic: TopicInfo | undefined;
  readonly call: KafkaCall;
}

async function answerOf(
  appending: Promise<Appended> | KafkaRefusal | StreamError,
  { data, partition: { index }, topic, call }: AnswerOptions,
): Promise<PartitionAnswer> {
  const { name: topicName, topicId } = data;
  const plain = (response: PartitionProduceResponse): PartitionAnswer => ({
    topicName,
    topicId,
    response,
    hinted: undefined,
  });
  if ("errorCode" in appending) return plain({ index, baseOffset: -1, ...appending });
  try {
    if (appending instanceof StreamError) throw appending;
    const { baseOffset, logAppendTime, logStartOffset } = await appending;
    return plain({
      index,
      errorCode: 0,
      baseOffset,
      logAppendTimeMs: logAppendTime,
      logStartOffset,
    });
  } catch (error) {
    const failure = kafkaFailure(error);
    if (failure.unexpected) {
      call.context.platform.log.error("A produce request failed", {
        topic: topicName,
        index,
        error,
      });
    }
    const response = failureResponse(index, error, failure);
    const isElsewhere = response.errorCode === kafkaErrors.NOT_LEADER_OR_FOLLOWER.code;
    if (topic === undefined || !isElsewhere || call.version < leaderHintsSince)
      return plain(response);
    const hinted = { key: `${topic.topicId}/${index}`, topicId: topic.topicId, partition: index };
    return { ...plain(response), hinted };
  }
}

function failureResponse(
  index: number,
  error: unknown,
  { errorCode, errorMessage }: { errorCode: number; errorMessage: string },
): PartitionProduceResponse {
  const failed = { index, errorCode, baseOffset: -1, errorMessage };
  if (!(error instanceof StreamError)) return failed;
  const { recordIndex } = error.details;
  if (typeof recordIndex !== "number") return failed;
  const recordErrors = [{ batchIndex: recordIndex, batchIndexErrorMessage: errorMessage }];
  return { ...failed, recordErrors };
}

async function responseOf(
  answers: readonly PartitionAnswer[],
  context: KafkaContext,
): Promise<ProduceResponse> {
  const hinted = answers.flatMap((answer) => answer.hinted ?? []);
  const hints = hinted.length === 0 ? new Map() : await leaderHints(context, hinted);
  const responses: (TopicResponse & { partitionResponses: PartitionProduceResponse[] })[] = [];
  for (const { topicName, topicId, response, hinted: wrong } of answers) {
    const currentLeader = wrong && hints.get(wrong.key);
    const told = currentLeader === undefined ? response : { ...response, currentLeader };
    const last = responses.at(-1);
    if (last !== undefined && last.name === topicName && last.topicId === topicId) {
      last.partitionResponses.push(told);
    } else {
      responses.push({ name: topicName, topicId, partitionResponses: [told] });
    }
  }
  return { responses, nodeEndpoints: nodeEndpointsOf(context, hints) };
}

interface TopicResponse {
  readonly name: string;
  readonly topicId: string;
}

function unacknowledgedFault({ topicName, topicId, response }: PartitionAnswer): string {
  const topic = topicName === "" ? topicId : topicName;
  const { errorCode, errorMessage, index } = response;
  const why = errorMessage ?? kafkaErrorName(errorCode);
  return `an unacknowledged produce to "${topic}"/${index} failed: ${why}`;
}
