/** Batches sent by our raw client for a while: the broker's limit, with little work for the client. */
import { produceApi } from "../../src/wire/kafka/api/produce.ts";
import { decodeResponse, encodeRequestFrame } from "../../src/wire/kafka/request-header.ts";
import type { Broker } from "./broker.ts";
import { checkCode, KafkaClient, newProducerId } from "./kafka-client.ts";
import { type BatchShape, makeBatch, platform, setSequence } from "./record-batches.ts";

/** Names in place of topic ids, which every broker understands. */
const produceVersion = 9;

export interface ProduceLoad extends BatchShape {
  readonly topic: string;
  readonly partitions: number;
  readonly connections: number;
  /** Requests under way on each connection; each holds one batch for one partition. */
  readonly inFlight: number;
  /** Ends the load, whichever comes first. */
  readonly seconds?: number;
  readonly bytes?: number;
}

export interface ProduceResult {
  readonly bytesPerSecond: number;
  readonly recordsPerSecond: number;
  readonly bytes: number;
  readonly records: number;
  readonly requests: number;
  /** Milliseconds from sending a request to its answer, in order of the answers. */
  readonly latencies: readonly number[];
}

export async function runProduceLoad(broker: Broker, load: ProduceLoad): Promise<ProduceResult> {
  const share = { ...load, bytes: (load.bytes ?? Number.POSITIVE_INFINITY) / load.connections };
  const producers = await Promise.all(
    Array.from({ length: load.connections }, () => Producer.open(broker, share)),
  );
  const since = performance.now();
  await Promise.all(producers.map((producer) => producer.run()));
  const seconds = (performance.now() - since) / 1000;
  for (const producer of producers) producer.close();
  const sum = (of: (producer: Producer) => number) =>
    producers.reduce((total, producer) => total + of(producer), 0);
  const bytes = sum((producer) => producer.bytes);
  const records = sum((producer) => producer.records);
  return {
    bytes,
    records,
    bytesPerSecond: bytes / seconds,
    recordsPerSecond: records / seconds,
    requests: sum((producer) => producer.latencies.length),
    latencies: producers.flatMap((producer) => producer.latencies),
  };
}

interface Frame {
  readonly bytes: Uint8Array;
  readonly batch: Uint8Array;
  readonly partition: number;
}

/** One connection with one producer id. */
class Producer {
  readonly latencies: number[] = [];
  bytes = 0;
  records = 0;
  readonly #client: KafkaClient;
  readonly #load: ProduceLoad;
  readonly #recordCount: number;
  /** In turn over the partitions; more than are under way, so that none is touched while sent. */
  readonly #frames: readonly Frame[];
  readonly #sequences: number[];
  #turn = 0;

  static async open(broker: Broker, load: ProduceLoad): Promise<Producer> {
    const client = await KafkaClient.connect(broker);
    return new Producer(client, load, await newProducerId(client));
  }

  private constructor(client: KafkaClient, load: ProduceLoad, producerId: number) {
    this.#client = client;
    this.#load = load;
    const batch = makeBatch(load, producerId);
    this.#recordCount = batch.recordCount;
    const count = load.partitions * Math.ceil(load.inFlight / load.partitions);
    this.#frames = Array.from({ length: count }, (_, index) =>
      makeFrame(load.topic, index % load.partitions, batch.bytes),
    );
    this.#sequences = new Array<number>(load.partitions).fill(0);
  }

  async run(): Promise<void> {
    const deadline = performance.now() + (this.#load.seconds ?? 86_400) * 1000;
    const lane = async () => {
      while (performance.now() < deadline && this.bytes < (this.#load.bytes ?? 0)) {
        await this.#sendOne();
      }
    };
    await Promise.all(Array.from({ length: this.#load.inFlight }, lane));
  }

  close(): void {
    this.#client.close();
  }

  async #sendOne(): Promise<void> {
    const frame = this.#frames[this.#turn++ % this.#frames.length] as Frame;
    const sequence = this.#sequences[frame.partition] ?? 0;
    this.#sequences[frame.partition] = (sequence + this.#recordCount) % 2 ** 31;
    setSequence(frame.batch, sequence, platform.crc32c);
    const since = performance.now();
    const answer = await this.#client.send([frame.bytes]);
    this.latencies.push(performance.now() - since);
    const { responses } = decodeResponse(produceApi, produceVersion, answer);
    checkCode(responses[0]?.partitionResponses[0]?.errorCode ?? -1, "produce");
    this.bytes += this.#recordCount * this.#load.recordBytes;
    this.records += this.#recordCount;
  }
}

/** A whole Produce frame of one batch, in one buffer of its own. */
export function makeFrame(topic: string, partition: number, batch: Uint8Array): Frame {
  const envelope = { apiVersion: produceVersion, correlationId: 1, clientId: "millrace-bench" };
  const { chunks } = encodeRequestFrame(produceApi, envelope, {
    acks: -1,
    timeoutMs: 30_000,
    topicData: [{ name: topic, partitionData: [{ index: partition, records: batch }] }],
  });
  const bytes = Buffer.concat(chunks);
  const position = bytes.indexOf(batch);
  return { bytes, batch: bytes.subarray(position, position + batch.length), partition };
}
