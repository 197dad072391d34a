/**
 * An idempotent Kafka producer for one partition that outlives its server: what was not answered
 * when the connection broke is sent again, the same bytes with the same sequence, to the next one.
 */
import { encodeBatch } from "../../src/record/batch-encode.ts";
import { initProducerIdApi } from "../../src/wire/kafka/api/init-producer-id.ts";
import { produceApi } from "../../src/wire/kafka/api/produce.ts";
import { codecs, crc32c } from "../support/record-tools.ts";
import { TcpKafkaClient } from "../support/tcp-kafka-client.ts";
import type { AckedRecord } from "./acked-records.ts";

interface SentBatch {
  readonly bytes: Uint8Array;
  readonly values: readonly string[];
}

export interface ProducerOptions {
  readonly name: string;
  readonly topic: string;
  readonly partition: number;
  /** Batches sent before the first of them is answered; Java's limit is 5. */
  readonly inFlightMax: number;
  readonly random: () => number;
}

export class IdempotentProducer {
  readonly acked: AckedRecord[] = [];
  readonly #options: ProducerOptions;
  #producerId = -1;
  #sequence = 0;
  #unanswered: SentBatch[] = [];

  constructor(options: ProducerOptions) {
    this.#options = options;
  }

  /** Produces until the connection breaks; then resolves. Any error answer but a break is thrown. */
  async run(address: string): Promise<void> {
    const client = await TcpKafkaClient.connect(address).catch(() => undefined);
    if (client === undefined) return;
    try {
      await this.#identify(client);
      for (;;) await this.#round(client);
    } catch (error) {
      if (!isBreak(error)) throw error;
    } finally {
      client.close();
    }
  }

  /** Sends once more what was not answered, until all of it is. */
  async settle(address: string): Promise<void> {
    const client = await TcpKafkaClient.connect(address);
    if (this.#producerId >= 0) await this.#send(client);
    client.close();
  }

  async #identify(client: TcpKafkaClient): Promise<void> {
    if (this.#producerId >= 0) return;
    const request = { transactionalId: null, transactionTimeoutMs: 0 };
    const answer = await client.ask(initProducerIdApi, 4, request);
    this.#producerId = answer.producerId;
  }

  async #round(client: TcpKafkaClient): Promise<void> {
    const { inFlightMax, random } = this.#options;
    const wanted = 1 + Math.floor(random() * inFlightMax);
    while (this.#unanswered.length < wanted) this.#unanswered.push(this.#nextBatch());
    await this.#send(client);
  }

  #nextBatch(): SentBatch {
    const { name, random } = this.#options;
    const count = 1 + Math.floor(random() * 20);
    const values = Array.from({ length: count }, (_, index) => `${name}:${this.#sequence + index}`);
    const encoder = new TextEncoder();
    const bytes = encodeBatch(
      {
        records: values.map((value) => ({ timestamp: 1, key: null, value: encoder.encode(value) })),
        codec: "none",
        producerId: this.#producerId,
        producerEpoch: 0,
        baseSequence: this.#sequence,
      },
      { codecs, crc32c },
    );
    this.#sequence += count;
    return { bytes, values };
  }

  /** Sends all unanswered batches side by side, and notes the answers in order. */
  async #send(client: TcpKafkaClient): Promise<void> {
    const answers = this.#unanswered.map((batch) => this.#ask(client, batch));
    const results = await Promise.allSettled(answers);
    for (const result of results) {
      if (result.status === "rejected") throw result.reason;
      this.#note(result.value);
    }
  }

  async #ask(client: TcpKafkaClient, batch: SentBatch): Promise<number> {
    const { topic, partition } = this.#options;
    const answer = await client.ask(produceApi, 9, {
      acks: -1,
      timeoutMs: 30_000,
      topicData: [{ name: topic, partitionData: [{ index: partition, records: batch.bytes }] }],
    });
    const { errorCode, baseOffset } = answer.responses[0]?.partitionResponses[0] ?? {};
    if (errorCode !== 0 || baseOffset === undefined) throw new ProduceRefused(errorCode ?? -1);
    return baseOffset;
  }

  #note(baseOffset: number): void {
    const batch = this.#unanswered.shift();
    batch?.values.forEach((value, index) => {
      const { partition } = this.#options;
      this.acked.push({ partition, offset: baseOffset + index, value });
    });
  }
}

/** A server that is going down may refuse; the same batch is sent again to the next one. */
class ProduceRefused extends Error {
  readonly errorCode: number;

  constructor(errorCode: number) {
    super(`The server refused a batch with Kafka error ${errorCode}`);
    this.errorCode = errorCode;
  }
}

function isBreak(error: unknown): boolean {
  return error instanceof Error && !(error instanceof ProduceRefused);
}
