/** Kafka's producer-perf and consumer-perf as loads. */
import type { Broker } from "./broker.ts";
import { runKafkaTool } from "./kafka-program.ts";
import type { BenchOptions } from "./options.ts";

export interface ProducerPerfLoad {
  readonly topic: string;
  readonly records: number;
  readonly recordBytes: number;
  /** Undefined: the client's own default. */
  readonly batchBytes: number | undefined;
}

/** Records per second that Kafka's producer-perf reports; acks=all, idempotent. */
export async function runProducerPerf(
  options: BenchOptions,
  broker: Broker,
  load: ProducerPerfLoad,
): Promise<number> {
  const output = await runKafkaTool(options, "producerPerf", [
    ...["--topic", load.topic, "--num-records", String(load.records)],
    ...["--record-size", String(load.recordBytes), "--throughput", "-1"],
    ...["--bootstrap-server", `${broker.host}:${broker.port}`],
    ...["--command-property", "acks=all", "enable.idempotence=true"],
    ...(load.batchBytes === undefined ? [] : [`batch.size=${load.batchBytes}`]),
  ]);
  // The last line is the total; those before it are progress.
  const totals = [...output.matchAll(/(\d+) records sent, ([\d.]+) records\/sec/g)];
  const [, sent, perSecond] = totals.at(-1) ?? [];
  if (Number(sent) !== load.records) throw new Error(`producer-perf sent ${sent}:\n${output}`);
  return Number(perSecond);
}

export interface ConsumerPerfLoad {
  readonly topic: string;
  readonly records: number;
  readonly recordBytes: number;
}

/** Bytes of values per second that Kafka's consumer-perf fetches, its rebalance not counted. */
export async function runConsumerPerf(
  options: BenchOptions,
  broker: Broker,
  load: ConsumerPerfLoad,
): Promise<number> {
  const output = await runKafkaTool(options, "consumerPerf", [
    ...["--topic", load.topic, "--num-records", String(load.records), "--hide-header"],
    ...["--bootstrap-server", `${broker.host}:${broker.port}`],
    ...["--group", `bench-${crypto.randomUUID().slice(0, 8)}`, "--timeout", "60000"],
  ]);
  const row = output.split("\n").findLast((line) => line.split(",").length >= 10) ?? "";
  const columns = row.split(",").map((text) => text.trim());
  if (Number(columns[4]) < load.records) throw new Error(`consumer-perf fell short:\n${output}`);
  return Number(columns[9]) * load.recordBytes;
}
