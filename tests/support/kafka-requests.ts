/** Requests and batches that several tests of the Kafka surface send. */
import { type BatchInput, encodeBatch } from "../../src/record/batch-encode.ts";
import { createTopicsApi } from "../../src/wire/kafka/api/create-topics.ts";
import { type FetchRequest, fetchApi } from "../../src/wire/kafka/api/fetch.ts";
import { type ProduceRequest, produceApi } from "../../src/wire/kafka/api/produce.ts";
import type { KafkaClient as FixtureClient } from "./kafka-fixture.ts";
import { codecs, crc32c } from "./record-tools.ts";

/** A connection, within the process or over TCP. */
type KafkaClient = Pick<FixtureClient, "ask">;

export interface BatchOptions extends Partial<BatchInput> {
  readonly count?: number;
  readonly valueBytes?: number;
  readonly timestamp?: number;
  readonly keyless?: boolean;
}

/** A batch of `count` records of `valueBytes`, now. */
export function batchOf(options: BatchOptions = {}): Uint8Array {
  const { count = 1, valueBytes = 8, timestamp = Date.now(), keyless, ...input } = options;
  const records = Array.from({ length: count }, (_, index) => ({
    timestamp,
    key: keyless ? null : Uint8Array.of(index),
    value: new Uint8Array(valueBytes),
  }));
  return encodeBatch({ records, codec: "none", ...input }, { codecs, crc32c });
}

export interface ProduceOptions {
  readonly topic?: string;
  readonly partition?: number;
  readonly acks?: number;
  readonly timeoutMs?: number;
  readonly transactionalId?: string | null;
}

export function produceRequest(
  records: Uint8Array | null,
  { topic = "orders", partition = 0, ...rest }: ProduceOptions = {},
): ProduceRequest {
  const topicData = [{ name: topic, partitionData: [{ index: partition, records }] }];
  return { acks: -1, timeoutMs: 30_000, topicData, ...rest };
}

/** Produces by name and gives the one partition's answer. */
export async function produce(
  client: KafkaClient,
  records: Uint8Array | null,
  options?: ProduceOptions,
) {
  const answer = await client.ask(produceApi, 12, produceRequest(records, options));
  const partition = answer.responses[0]?.partitionResponses[0];
  if (partition === undefined) throw new Error("No answer for the partition");
  return partition;
}

export interface FetchOptions extends Partial<FetchRequest> {
  readonly topic?: string;
  readonly topicId?: string;
  readonly partition?: number;
  readonly fetchOffset?: number;
  readonly partitionMaxBytes?: number;
}

export function fetchRequest(options: FetchOptions = {}): FetchRequest {
  const { topic = "orders", topicId, partition = 0, fetchOffset = 0, ...rest } = options;
  const { partitionMaxBytes = 1_048_576, ...request } = rest;
  const named = topicId === undefined ? { topic } : { topicId };
  const partitions = [{ partition, fetchOffset, partitionMaxBytes }];
  return {
    maxWaitMs: 0,
    minBytes: 1,
    maxBytes: 1_048_576,
    topics: [{ ...named, partitions }],
    sessionEpoch: -1,
    ...request,
  };
}

/** Fetches by name, without a session, and gives the one partition's answer. */
export async function fetchOne(client: KafkaClient, options?: FetchOptions) {
  const answer = await client.ask(fetchApi, 12, fetchRequest(options));
  const partition = answer.responses[0]?.partitions[0];
  if (partition === undefined) throw new Error("No answer for the partition");
  return partition;
}

export function topicRequest(
  name: string,
  numPartitions = 1,
  config: Readonly<Record<string, string>> = {},
) {
  const configs = Object.entries(config).map(([key, value]) => ({ name: key, value }));
  return { name, numPartitions, replicationFactor: -1, assignments: [], configs };
}

/** Creates a topic and gives its id. */
export async function createTopic(
  client: KafkaClient,
  ...topic: Parameters<typeof topicRequest>
): Promise<string> {
  const answer = await client.ask(createTopicsApi, 7, { topics: [topicRequest(...topic)] });
  const [created] = answer.topics;
  if (created?.errorCode !== 0) throw new Error(`Cannot create: ${created?.errorMessage}`);
  return created.topicId;
}
