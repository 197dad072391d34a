/** How soon a record that one worker took is read at another. */
import { fetchApi } from "../../src/wire/kafka/api/fetch.ts";
import type { Benchmark } from "../benchmark.ts";
import type { Broker } from "../support/broker.ts";
import { walk } from "../support/fetch-load.ts";
import { checkCode, KafkaClient, newTopic } from "../support/kafka-client.ts";
import { makeFrame } from "../support/produce-load.ts";
import { makeBatch } from "../support/record-batches.ts";
import { percentile } from "../support/statistics.ts";
import { withTwoWorkers } from "../support/two-workers.ts";

/** Random pauses between records, so that they do not fall into step with anybody's timer. */
const pauseMsMax = 60;
const fetchVersion = 12;
const longPollMs = 30_000;

export const visibilityBenchmark: Benchmark = {
  name: "visibility",
  summary:
    "produced at one worker, long-polled at another; needs --sqld or --metadata, takes --store",
  async run(context) {
    const { options, say } = context;
    const flags = ["--flush-rate-max", "0"];
    return await withTwoWorkers(context, flags, async (first, second) => {
      const topic = await newTopic(first, 1);
      const trial = await Trial.open({ first, second, topic });
      const seconds = options.seconds * options.rounds;
      say(`  for ${seconds} s`);
      const { fromAck, fromSend } = await trial.run(seconds);
      const note = `${fromAck.length} records`;
      const figure = (what: string, values: readonly number[], share: number) => ({
        what,
        value: percentile(values, share),
        unit: "ms",
      });
      return [
        { ...figure("acknowledged here to read there, p50", fromAck, 0.5), note },
        {
          ...figure("acknowledged here to read there, p99", fromAck, 0.99),
          goal: { atMost: 100 },
        },
        figure("sent here to read there, p50", fromSend, 0.5),
        figure("sent here to read there, p99", fromSend, 0.99),
      ];
    });
  },
};

class Trial {
  readonly #topic: string;
  readonly #producer: KafkaClient;
  readonly #consumer: KafkaClient;
  #nextOffset = 0;

  static async open(place: { first: Broker; second: Broker; topic: string }): Promise<Trial> {
    const producer = await KafkaClient.connect(place.first);
    return new Trial(place.topic, producer, await KafkaClient.connect(place.second));
  }

  private constructor(topic: string, producer: KafkaClient, consumer: KafkaClient) {
    this.#topic = topic;
    this.#producer = producer;
    this.#consumer = consumer;
  }

  /** Milliseconds; a record that is read before its acknowledgement arrives counts as 0 from it. */
  async run(seconds: number): Promise<{ fromAck: number[]; fromSend: number[] }> {
    const fromAck: number[] = [];
    const fromSend: number[] = [];
    const { bytes } = makeFrame(
      this.#topic,
      0,
      makeBatch({ recordBytes: 100, batchBytes: 100 }, -1).bytes,
    );
    const deadline = performance.now() + seconds * 1000;
    while (performance.now() < deadline) {
      const reading = this.#readNext();
      await Bun.sleep(Math.random() * pauseMsMax);
      const sentAt = performance.now();
      const ackedAt = this.#producer.send([bytes]).then(() => performance.now());
      const [acked, read] = await Promise.all([ackedAt, reading]);
      fromAck.push(Math.max(0, read - acked));
      fromSend.push(read - sentAt);
    }
    this.#producer.close();
    this.#consumer.close();
    return { fromAck, fromSend };
  }

  /** When the next record was there. */
  async #readNext(): Promise<number> {
    for (;;) {
      const answer = await this.#consumer.ask(fetchApi, fetchVersion, {
        maxWaitMs: longPollMs,
        minBytes: 1,
        topics: [
          {
            topic: this.#topic,
            partitions: [
              { partition: 0, fetchOffset: this.#nextOffset, partitionMaxBytes: 1024 * 1024 },
            ],
          },
        ],
      });
      const at = performance.now();
      const partition = answer.responses[0]?.partitions[0];
      checkCode(partition?.errorCode ?? -1, "fetch");
      const { count, nextOffset } = walk(partition?.records ?? new Uint8Array(0));
      if (count === 0) continue;
      this.#nextOffset = nextOffset;
      return at;
    }
  }
}
