/** That PUTs depend on flushes only: the same load over 1, 100 and 1 000 partitions. */
import type { Benchmark } from "../benchmark.ts";
import { withMillrace } from "../support/brokers.ts";
import type { Figure } from "../support/figures.ts";
import { deleteTopic, KafkaClient, newTopic } from "../support/kafka-client.ts";
import { makeFrame } from "../support/produce-load.ts";
import { makeBatch } from "../support/record-batches.ts";

const partitionCounts = [1, 100, 1000];
/** Requests a second, the same for all, each to the next partition. */
const requestsPerSecond = 500;
const tickMs = 20;

export const requestsBenchmark: Benchmark = {
  name: "requests",
  summary: "flushes (PUTs on S3) of one load over 1, 100 and 1 000 partitions",
  async run(context) {
    const { options, say } = context;
    return await withMillrace(context, {}, async (worker) => {
      const figures: Figure[] = [];
      for (const partitions of partitionCounts) {
        const topic = await newTopic(worker, partitions);
        const before = await worker.metric("millrace_flushes_total");
        const since = performance.now();
        const sent = await steadyLoad(await KafkaClient.connect(worker), {
          ...{ topic, partitions, seconds: options.seconds },
        });
        const seconds = (performance.now() - since) / 1000;
        const flushes = (await worker.metric("millrace_flushes_total")) - before;
        say(`  ${partitions} partitions: ${sent} requests, ${flushes} flushes`);
        figures.push({
          what: `flushes over ${partitions} partitions`,
          value: flushes / seconds,
          unit: "flushes/s",
          note: `${flushes} for ${sent} produce requests in ${seconds.toFixed(1)} s`,
        });
        await deleteTopic(worker, topic);
      }
      return figures;
    });
  },
};

interface SteadyLoad {
  readonly topic: string;
  readonly partitions: number;
  readonly seconds: number;
}

/** Sends at a fixed rate whether or not answers came; resolves to how many when all have. */
async function steadyLoad(client: KafkaClient, load: SteadyLoad): Promise<number> {
  const { topic, partitions, seconds } = load;
  const batch = makeBatch({ recordBytes: 1000, batchBytes: 1000 }, -1).bytes;
  const frames = Array.from({ length: partitions }, (_, partition) =>
    makeFrame(topic, partition, batch),
  );
  const answers: Promise<Uint8Array>[] = [];
  const since = performance.now();
  let elapsedMs = 0;
  while (elapsedMs < seconds * 1000) {
    const due = Math.floor((elapsedMs / 1000) * requestsPerSecond);
    while (answers.length < due) {
      const frame = frames[answers.length % frames.length];
      if (frame !== undefined) answers.push(client.send([frame.bytes]));
    }
    await Bun.sleep(tickMs);
    elapsedMs = performance.now() - since;
  }
  await Promise.all(answers);
  client.close();
  return answers.length;
}
