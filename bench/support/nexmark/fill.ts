/** Puts Nexmark events where a benchmark reads them: into a file of lines, or a topic. */
import { once } from "node:events";
import { createWriteStream } from "node:fs";
import type { CodecName } from "../../../src/base/codecs.ts";
import { encodeBatch, type RecordInput } from "../../../src/record/batch-encode.ts";
import type { HostPort } from "../../../src/runtime/node/option-kinds.ts";
import { createTopicsApi } from "../../../src/wire/kafka/api/create-topics.ts";
import { produceApi } from "../../../src/wire/kafka/api/produce.ts";
import { decodeResponse } from "../../../src/wire/kafka/request-header.ts";
import { checkCode, KafkaClient, newProducerId, waitForLeaders } from "../kafka-client.ts";
import { makeFrame } from "../produce-load.ts";
import { platform } from "../record-batches.ts";
import { type DelayedOptions, nexmarkEvents } from "./delays.ts";
import type { NexmarkOptions } from "./generator.ts";

export type FillOptions = NexmarkOptions & Partial<DelayedOptions> & { readonly events: number };

export interface Filled {
  readonly events: number;
  /** Of the events' JSON. */
  readonly bytes: number;
}

const chunkBytes = 1024 * 1024;
const newline = 10;

/** Writes one event a line. */
export async function fillFile(path: string, options: FillOptions): Promise<Filled> {
  const out = createWriteStream(path);
  let chunk = new Uint8Array(chunkBytes);
  let used = 0;
  let bytes = 0;
  const flush = async () => {
    if (!out.write(chunk.subarray(0, used))) await once(out, "drain");
    chunk = new Uint8Array(chunkBytes);
    used = 0;
  };
  for (const { json } of nexmarkEvents(options, options.events)) {
    if (used + json.length + 1 > chunkBytes) await flush();
    chunk.set(json, used);
    used += json.length;
    chunk[used++] = newline;
    bytes += json.length;
  }
  await flush();
  out.end();
  await once(out, "close");
  return { events: options.events, bytes };
}

export interface TopicOptions extends HostPort {
  readonly topic: string;
  readonly partitions: number;
  /** Events of one batch; batches go to the partitions in turn. */
  readonly batchEvents: number;
  readonly codec: CodecName;
}

/** Kafka's code for a topic that is there already. */
const topicExists = 36;
const produceVersion = 9;
const requestsAtOnce = 4;

/**
 * Makes the topic, if it is not there, and appends the events; their times are the records'. One
 * idempotent producer, whose requests are answered in order.
 */
export async function fillTopic(to: TopicOptions, options: FillOptions): Promise<Filled> {
  const client = await KafkaClient.connect(to);
  try {
    await makeTopic(client, to);
    return await new TopicFiller(client, to, await newProducerId(client)).fill(options);
  } finally {
    client.close();
  }
}

class TopicFiller {
  readonly #client: KafkaClient;
  readonly #to: TopicOptions;
  readonly #producerId: number;
  readonly #sequences: number[];
  readonly #answers: Promise<void>[] = [];
  #batches = 0;

  constructor(client: KafkaClient, to: TopicOptions, producerId: number) {
    this.#client = client;
    this.#to = to;
    this.#producerId = producerId;
    this.#sequences = new Array<number>(to.partitions).fill(0);
  }

  async fill(options: FillOptions): Promise<Filled> {
    let records: RecordInput[] = [];
    let bytes = 0;
    for (const { json, eventTimeMs } of nexmarkEvents(options, options.events)) {
      records.push({ timestamp: eventTimeMs, key: null, value: json.slice() });
      bytes += json.length;
      if (records.length < this.#to.batchEvents) continue;
      await this.#send(records);
      records = [];
    }
    if (records.length > 0) await this.#send(records);
    await Promise.all(this.#answers);
    return { events: options.events, bytes };
  }

  async #send(records: readonly RecordInput[]): Promise<void> {
    const { topic, partitions, codec } = this.#to;
    const partition = this.#batches++ % partitions;
    const baseSequence = this.#sequences[partition] ?? 0;
    this.#sequences[partition] = (baseSequence + records.length) % 2 ** 31;
    const batch = encodeBatch(
      { records, codec, producerId: this.#producerId, producerEpoch: 0, baseSequence },
      platform,
    );
    const answer = this.#client.send([makeFrame(topic, partition, batch).bytes]);
    const produced = answer.then(checkProduced);
    // A failure is met where the answer is waited for; those behind it never are.
    produced.catch(() => {});
    this.#answers.push(produced);
    if (this.#answers.length >= requestsAtOnce) await this.#answers.shift();
  }
}

function checkProduced(answer: Uint8Array): void {
  const { responses } = decodeResponse(produceApi, produceVersion, answer);
  checkCode(responses[0]?.partitionResponses[0]?.errorCode ?? -1, "produce");
}

async function makeTopic(client: KafkaClient, { topic, partitions }: TopicOptions): Promise<void> {
  const made = await client.ask(createTopicsApi, 5, {
    topics: [
      {
        name: topic,
        numPartitions: partitions,
        replicationFactor: 1,
        assignments: [],
        // The events are years old: retention by time would take them away at once.
        configs: [{ name: "retention.ms", value: "-1" }],
      },
    ],
    timeoutMs: 30_000,
  });
  const code = made.topics[0]?.errorCode ?? -1;
  if (code !== topicExists) checkCode(code, `create the topic ${topic}`);
  await waitForLeaders(client, topic);
}
