/** How fast records are given out: from memory, and after a restart from the store. */
import { join } from "node:path";
import type { BenchContext, Benchmark } from "../benchmark.ts";
import { alternate, medianOf, ratioTo, type Subject } from "../support/alternate.ts";
import type { Broker } from "../support/broker.ts";
import { withBrokers } from "../support/brokers.ts";
import { CpuCost } from "../support/cpu-cost.ts";
import { runFetchLoad } from "../support/fetch-load.ts";
import type { Figure, Goal } from "../support/figures.ts";
import { deleteTopic, newTopic } from "../support/kafka-client.ts";
import { Millrace, ownPrefix } from "../support/millrace.ts";
import { runProduceLoad } from "../support/produce-load.ts";
import { runConsumerPerf } from "../support/producer-perf.ts";
import { openStoreUrl, runRangeReads } from "../support/store-load.ts";

const KiB = 1024;
const MiB = 1024 * KiB;
const GiB = 1024 * MiB;

/** Bytes of values when `--records` does not say. */
const datasetBytes = GiB;
/** The ring takes three quarters of the cache; segments carry a little more than values. */
const cacheShare = 1.5;

interface Dataset {
  readonly topic: string;
  readonly records: number;
  readonly recordBytes: number;
}

export const fetchBenchmark: Benchmark = {
  name: "fetch",
  summary:
    "1 GiB read from memory (tail), and after a restart (cold) beside bare ranges of the store; " +
    "raw client or --tool",
  async run(context) {
    const { options } = context;
    const recordBytes = options.recordBytes ?? KiB;
    const records = options.records ?? Math.floor(datasetBytes / recordBytes);
    const bytes = records * recordBytes;
    const cacheBytes = Math.min(2.5 * GiB, Math.ceil((bytes * cacheShare) / MiB) * MiB);
    const store = options.store === undefined ? undefined : ownPrefix(options.store);
    const own = { ...(store === undefined ? {} : { store }) };
    const wide: BenchContext = { ...context, options: { ...options, cacheBytes } };
    return await withBrokers(wide, own, async (brokers) => {
      const datasets = new Map<Broker, Dataset>();
      for (const broker of brokers) {
        context.say(`  writing ${Math.round(bytes / 1e6)} MB to ${broker.name}`);
        datasets.set(broker, await writeDataset(wide, broker, { records, recordBytes }));
      }
      const read = (broker: Broker, cost: CpuCost) =>
        readDataset(wide, broker, { dataset: datasets.get(broker), cost });
      const figures = [
        ...(await tail(wide, brokers, read)),
        ...(await cold(wide, brokers, { read, store })),
      ];
      for (const broker of brokers) {
        await deleteTopic(broker, datasets.get(broker)?.topic ?? "");
      }
      return figures;
    });
  },
};

async function writeDataset(
  { options }: BenchContext,
  broker: Broker,
  { records, recordBytes }: Pick<Dataset, "records" | "recordBytes">,
): Promise<Dataset> {
  const { partitions, inFlight } = options;
  const topic = await newTopic(broker, partitions);
  const written = await runProduceLoad(broker, {
    ...{ topic, partitions, inFlight, recordBytes, connections: 1 },
    batchBytes: options.batchBytes ?? 256 * KiB,
    bytes: records * recordBytes,
  });
  return { topic, recordBytes, records: written.records };
}

type Read = (broker: Broker, cost: CpuCost) => Promise<number>;

/** MB of values per second. */
async function readDataset(
  { options }: BenchContext,
  broker: Broker,
  { dataset, cost }: { readonly dataset: Dataset | undefined; readonly cost: CpuCost },
): Promise<number> {
  if (dataset === undefined) throw new Error(`Nothing was written to ${broker.name}`);
  const { partitions, connections = 1 } = options;
  const { bytesPerSecond } = await cost.during(broker, async () => {
    if (!options.tool) return await runFetchLoad(broker, { ...dataset, partitions, connections });
    const bytes = dataset.records * dataset.recordBytes;
    return { bytes, bytesPerSecond: await runConsumerPerf(options, broker, dataset) };
  });
  return bytesPerSecond / 1e6;
}

async function tail(
  context: BenchContext,
  brokers: readonly Broker[],
  read: Read,
): Promise<Figure[]> {
  context.say("tail:");
  const cost = new CpuCost(brokers);
  const subjects = brokers.map((broker) => ({
    name: broker.name,
    measure: () => read(broker, cost),
  }));
  return await compare(context, { what: "tail", subjects, goals: [{ atLeast: 1.5 }], cost });
}

interface ColdParts {
  readonly read: Read;
  readonly store: string | undefined;
}

async function cold(
  context: BenchContext,
  brokers: readonly Broker[],
  { read, store }: ColdParts,
): Promise<Figure[]> {
  context.say("cold:");
  const cost = new CpuCost(brokers);
  const subjects: Subject[] = brokers.map((broker) => ({
    name: broker.name,
    measure: async () => {
      if (!(await broker.restart())) context.say(`  ${broker.name} was not restarted`);
      return await read(broker, cost);
    },
  }));
  const [own] = brokers;
  const goals: Goal[] = brokers.slice(1).map(() => ({ atLeast: 1 }));
  if (!context.options.tool && own instanceof Millrace) {
    const url = store ?? `file:${join(own.dataFolder, "objects")}`;
    subjects.push({ name: "bare ranges", measure: () => bareRanges(url) });
    goals.push({ atLeast: 0.8 });
  }
  return await compare(context, { what: "cold", subjects, goals, cost });
}

async function bareRanges(url: string): Promise<number> {
  const store = await openStoreUrl(url);
  try {
    return (await runRangeReads(store)) / 1e6;
  } finally {
    await store.close();
  }
}

interface Comparison {
  readonly what: string;
  readonly subjects: readonly Subject[];
  /** Of the ratio to each subject after the first. */
  readonly goals: readonly Goal[];
  readonly cost: CpuCost;
}

/** The figures of all subjects, and ours as a ratio to each other one with its goal. */
async function compare(
  context: BenchContext,
  { what, subjects, goals, cost }: Comparison,
): Promise<Figure[]> {
  const client = context.options.tool ? "consumer-perf" : "raw client";
  const alternation = await alternate(context, subjects, "MB/s");
  const values = subjects.map(({ name }, index) => ({
    what: `${client}, ${what}: ${name}`,
    unit: "MB/s",
    ...medianOf(alternation, index),
  }));
  const ratios = subjects.slice(1).map(({ name }, index) => ({
    what: `${client}, ${what}: Millrace to ${name}`,
    unit: "×",
    // The goals against Kafka are goals of consumer-perf.
    goal: context.options.tool || name === "bare ranges" ? goals[index] : undefined,
    ...ratioTo(alternation, index + 1),
  }));
  return [...values, ...ratios, ...cost.figures(`${client}, ${what}`)];
}
