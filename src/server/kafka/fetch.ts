/**
 * Fetch: record batches from offsets on, waiting for them up to the client's patience. Records pass
 * through as the log gave or lent them: headers and views, no copy.
 */
import { present } from "../../base/assert.ts";
import { type ErrorCode, isStreamError } from "../../base/stream-error.ts";
import type { FetchedPartition, FetchPartition } from "../../log/log-types.ts";
import {
  type FetchableTopicResponse,
  type FetchRequest,
  type FetchResponse,
  fetchApi,
  type PartitionData,
} from "../../wire/kafka/api/fetch.ts";
import { kafkaErrors } from "../../wire/kafka/error-code.ts";
import type { Decoded } from "../../wire/kafka/field-table.ts";
import { kafkaCode } from "./error-map.ts";
import type { FetchPlan, PartitionNews, SessionPartition } from "./fetch-sessions.ts";
import type { KafkaCall, KafkaHandler } from "./handler.ts";
import { type LeaderHint, leaderHints, nodeEndpointsOf } from "./leader-hints.ts";
import { fetchBytesMax, fetchThrottleMs } from "./limits.ts";
import { findTopic, type TopicAnswer } from "./topic-lookup.ts";

const topicIdsSince = 13;
/** Since then answers say who leads (KIP-951), and where that is. */
const leaderHintsSince = 12;
const nodeEndpointsSince = 16;

export const fetchHandler: KafkaHandler<FetchRequest, FetchResponse> = {
  api: fetchApi,
  async handle(request, call) {
    const byTopicId = call.version >= topicIdsSince;
    const { fetchSessions } = call.context;
    const plan = fetchSessions.plan({
      sessionId: request.sessionId,
      sessionEpoch: request.sessionEpoch,
      byTopicId,
      partitions: askedPartitions(request, byTopicId),
      forgotten: forgottenKeys(request, byTopicId),
    });
    if (plan.kind === "refused") {
      return { errorCode: kafkaErrors[plan.fault].code, sessionId: 0, responses: [] };
    }
    const answers = await readPartitions(plan.partitions, { request, call, byTopicId });
    releaseAfterSent(call, answers);
    const { sessionId, told } = settleSession(call, { plan, answers, byTopicId });
    const hints = await hintsFor(call, told);
    return {
      throttleTimeMs: hasUnread(answers) ? fetchThrottleMs : 0,
      errorCode: 0,
      sessionId,
      responses: topicResponses(told, { hints, readCommitted: request.isolationLevel === 1 }),
      nodeEndpoints: call.version < nodeEndpointsSince ? [] : nodeEndpointsOf(call.context, hints),
    };
  },
};

interface PartitionAnswer {
  readonly asked: SessionPartition;
  readonly errorCode: number;
  readonly fetched: FetchedPartition | undefined;
}

function askedPartitions(request: Decoded<FetchRequest>, byTopicId: boolean): SessionPartition[] {
  const asked: SessionPartition[] = [];
  for (const { topic, topicId, partitions } of request.topics) {
    for (const each of partitions) {
      asked.push({
        key: partitionKeyOf(byTopicId ? topicId : topic, each.partition),
        topic,
        topicId,
        partition: each.partition,
        fetchOffset: each.fetchOffset,
        partitionBytesMax: each.partitionMaxBytes,
        currentLeaderEpoch: each.currentLeaderEpoch,
      });
    }
  }
  return asked;
}

function forgottenKeys(request: Decoded<FetchRequest>, byTopicId: boolean): string[] {
  return request.forgottenTopicsData.flatMap(({ topic, topicId, partitions }) =>
    partitions.map((partition) => partitionKeyOf(byTopicId ? topicId : topic, partition)),
  );
}

function partitionKeyOf(topic: string, partition: number): string {
  return `${topic}/${partition}`;
}

interface ReadOptions {
  readonly request: Decoded<FetchRequest>;
  readonly call: KafkaCall;
  readonly byTopicId: boolean;
}

async function readPartitions(
  asked: readonly SessionPartition[],
  { request, call, byTopicId }: ReadOptions,
): Promise<readonly PartitionAnswer[]> {
  const { log, answerMemory: memory } = call.context;
  const topics = await lookUpTopics(asked, { call, byTopicId });
  const readable: FetchPartition[] = [];
  for (const each of asked) {
    const { topic } = topics.get(topicNameOf(each, byTopicId)) ?? {};
    if (topic === undefined || !isPartition(each.partition, topic.partitionCount)) continue;
    readable.push({
      topicId: topic.topicId,
      partition: each.partition,
      fetchOffset: each.fetchOffset,
      partitionBytesMax: Math.max(0, each.partitionBytesMax),
      currentLeaderEpoch: each.currentLeaderEpoch,
    });
  }
  const bytesMax = Math.min(request.maxBytes, fetchBytesMax);
  const limits = {
    bytesMin: Math.max(0, Math.min(request.minBytes, bytesMax)),
    bytesMax: Math.max(0, bytesMax),
    waitMsMax: Math.max(0, request.maxWaitMs),
  };
  const fetched =
    readable.length === 0
      ? []
      : await log
          .fetch({ partitions: readable, ...limits, memory, lends: call.maySendLent }, call.signal)
          .catch((error: unknown) => readable.map((each) => unread(each, error)));
  let next = 0;
  return asked.map((each) => {
    const answer = topics.get(topicNameOf(each, byTopicId));
    if (answer?.topic === undefined) {
      return { asked: each, errorCode: answer?.errorCode ?? 0, fetched: undefined };
    }
    if (!isPartition(each.partition, answer.topic.partitionCount)) {
      return { asked: each, errorCode: kafkaCode("partition_unknown"), fetched: undefined };
    }
    const found = fetched[next++];
    const code = found?.error === undefined ? 0 : partitionErrorCode(found.error, byTopicId);
    return { asked: each, errorCode: code, fetched: found };
  });
}

/** The log could not be read at all: each partition says so. */
function unread({ topicId, partition }: FetchPartition, error: unknown): FetchedPartition {
  if (!isStreamError(error)) throw error;
  const nothing = { highOffset: -1, lastStableOffset: -1, logStartOffset: -1 };
  return { topicId, partition, error: error.code, ...nothing, chunks: [], bytes: 0 };
}

function partitionErrorCode(error: ErrorCode, byTopicId: boolean): number {
  // A topic deleted since it was looked up.
  if (error === "topic_id_unknown" && !byTopicId) return kafkaCode("topic_unknown");
  if (error === "topic_unknown" && byTopicId) return kafkaCode("topic_id_unknown");
  return kafkaCode(error);
}

function isPartition(partition: number, partitionCount: number): boolean {
  return partition >= 0 && partition < partitionCount;
}

function topicNameOf(asked: SessionPartition, byTopicId: boolean): string {
  return byTopicId ? asked.topicId : asked.topic;
}

async function lookUpTopics(
  asked: readonly SessionPartition[],
  { call, byTopicId }: Pick<ReadOptions, "call" | "byTopicId">,
): Promise<ReadonlyMap<string, TopicAnswer>> {
  const { topics } = call.context;
  const byName = Map.groupBy(asked, (each) => topicNameOf(each, byTopicId));
  const found = await Promise.all(
    [...byName].map(async ([key, all]) => {
      const { topic: name, topicId } = present(all[0], "partition asked");
      const partitions = all.map(({ partition }) => partition);
      const answer = await findTopic(topics, { name, topicId, byTopicId, partitions });
      return [key, answer] as const;
    }),
  );
  return new Map(found);
}

/** The answer's records count as memory until they have left. */
function releaseAfterSent({ context, afterSent }: KafkaCall, answers: readonly PartitionAnswer[]) {
  const fetched = answers.flatMap((answer) => answer.fetched ?? []);
  afterSent(() => {
    context.answerMemory.release(fetched);
    context.log.release(fetched);
  });
}

/** There are records and none was read: there was no room among the answers. */
function hasUnread(answers: readonly PartitionAnswer[]): boolean {
  if (answers.some(({ fetched }) => (fetched?.bytes ?? 0) > 0)) return false;
  return answers.some(
    ({ asked, errorCode, fetched }) =>
      errorCode === 0 && fetched !== undefined && fetched.highOffset > asked.fetchOffset,
  );
}

interface Outcome {
  readonly plan: Exclude<FetchPlan, { readonly kind: "refused" }>;
  readonly answers: readonly PartitionAnswer[];
  readonly byTopicId: boolean;
}

/** Which answers the client gets, and under which session. */
function settleSession(
  { context: { fetchSessions } }: KafkaCall,
  { plan, answers, byTopicId }: Outcome,
): { sessionId: number; told: readonly PartitionAnswer[] } {
  if (plan.kind === "incremental") {
    const told = answers.filter((answer) => fetchSessions.report(plan.session, newsOf(answer)));
    return { sessionId: plan.session.id, told };
  }
  if (!plan.mayBegin) return { sessionId: 0, told: answers };
  const news = answers.map(newsOf);
  return { sessionId: fetchSessions.begin(plan.partitions, news, byTopicId), told: answers };
}

function newsOf({ asked, errorCode, fetched }: PartitionAnswer): PartitionNews {
  return {
    key: asked.key,
    failed: errorCode !== 0,
    hasRecords: (fetched?.bytes ?? 0) > 0,
    highOffset: fetched?.highOffset ?? -1,
    logStartOffset: fetched?.logStartOffset ?? -1,
  };
}

/** Kafka tells the current leader to clients that were wrong about it (KIP-951). */
async function hintsFor(
  call: KafkaCall,
  told: readonly PartitionAnswer[],
): Promise<ReadonlyMap<string, LeaderHint>> {
  if (call.version < leaderHintsSince) return new Map();
  const wrong = told.filter(
    ({ errorCode }) =>
      errorCode === kafkaErrors.NOT_LEADER_OR_FOLLOWER.code ||
      errorCode === kafkaErrors.FENCED_LEADER_EPOCH.code,
  );
  const partitions = wrong.flatMap(({ asked, fetched }) =>
    fetched ? [{ key: asked.key, topicId: fetched.topicId, partition: fetched.partition }] : [],
  );
  return leaderHints(call.context, partitions);
}

interface ResponseOptions {
  readonly hints: ReadonlyMap<string, LeaderHint>;
  readonly readCommitted: boolean;
}

/** Neighbours of one topic share an entry; the order of partitions stays. */
function topicResponses(
  told: readonly PartitionAnswer[],
  options: ResponseOptions,
): FetchableTopicResponse[] {
  const responses: (FetchableTopicResponse & { partitions: PartitionData[] })[] = [];
  for (const answer of told) {
    const { topic, topicId } = answer.asked;
    const last = responses.at(-1);
    const data = partitionData(answer, options);
    if (last !== undefined && last.topic === topic && last.topicId === topicId) {
      last.partitions.push(data);
    } else {
      responses.push({ topic, topicId, partitions: [data] });
    }
  }
  return responses;
}

const noRecords = new Uint8Array(0);

function partitionData(
  { asked, errorCode, fetched }: PartitionAnswer,
  { hints, readCommitted }: ResponseOptions,
): PartitionData {
  const hint = hints.get(asked.key);
  const currentLeader = hint && { leaderId: hint.leaderId, leaderEpoch: hint.leaderEpoch };
  const common = {
    partitionIndex: asked.partition,
    errorCode,
    ...(currentLeader === undefined ? {} : { currentLeader }),
  };
  if (errorCode !== 0 || fetched === undefined) {
    // As Kafka: an empty list when the partition was not found, null when it could not be read.
    const abortedTransactions = fetched === undefined ? [] : null;
    return { ...common, highWatermark: -1, abortedTransactions, records: noRecords };
  }
  return {
    ...common,
    highWatermark: fetched.highOffset,
    lastStableOffset: fetched.lastStableOffset,
    logStartOffset: fetched.logStartOffset,
    // Nothing is aborted until there are transactions.
    abortedTransactions: readCommitted ? [] : null,
    records: fetched.chunks,
  };
}
