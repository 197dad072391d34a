/** How long one record takes to its acknowledgement when nothing else is under way. */
import type { Benchmark } from "../benchmark.ts";
import type { Broker } from "../support/broker.ts";
import { withBrokers } from "../support/brokers.ts";
import type { Figure, Goal } from "../support/figures.ts";
import { deleteTopic, newTopic } from "../support/kafka-client.ts";
import { runProduceLoad } from "../support/produce-load.ts";
import { percentile } from "../support/statistics.ts";

/** Answers left out at the start: connections are made and code is compiled then. */
const warmUpAnswers = 50;

export const latencyBenchmark: Benchmark = {
  name: "latency",
  summary: "acks=all, one record at a time, no flush ceiling; on a folder, or on --store",
  async run(context) {
    const { options } = context;
    const isS3 = options.store?.startsWith("s3:") === true;
    const place = isS3 ? "S3" : `folder, fsync ${options.fsync ? "on" : "off"}`;
    const goals: readonly (readonly [share: number, name: string, goal: Goal | undefined])[] = [
      [0.5, "p50", { atMost: isS3 ? 12 : 5 }],
      [0.99, "p99", isS3 ? { atMost: 40 } : undefined],
    ];
    const measure = async (broker: Broker, collected: number[]) => {
      const topic = await newTopic(broker, options.partitions);
      const { latencies } = await runProduceLoad(broker, {
        ...{ topic, partitions: options.partitions, connections: 1, inFlight: 1 },
        recordBytes: options.recordBytes ?? 1024,
        batchBytes: 100,
        seconds: options.seconds,
      });
      collected.push(...latencies.slice(warmUpAnswers));
      await deleteTopic(broker, topic);
    };
    const own = { flags: ["--flush-rate-max", "0"] };
    return await withBrokers(context, own, async (brokers) => {
      const collected = brokers.map((): number[] => []);
      for (let round = 0; round < options.rounds; round++) {
        for (const [index, broker] of brokers.entries()) {
          context.say(`  round ${round + 1} of ${options.rounds}: ${broker.name}`);
          await measure(broker, collected[index] ?? []);
        }
      }
      return brokers.flatMap((broker, index) =>
        goals.map(([share, name, goal]): Figure => {
          const all = collected[index] ?? [];
          return {
            what: `ack latency, ${broker === brokers[0] ? place : "its log"}, ${name}: ${broker.name}`,
            value: percentile(all, share),
            unit: "ms",
            goal: broker === brokers[0] ? goal : undefined,
            note: `${all.length} records`,
          };
        }),
      );
    });
  },
};
