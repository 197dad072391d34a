/** How fast records are taken. */
import type { BenchContext, Benchmark } from "../benchmark.ts";
import {
  type Alternation,
  alternate,
  medianOf,
  ratioTo,
  type Subject,
} from "../support/alternate.ts";
import type { Broker } from "../support/broker.ts";
import { withBrokers } from "../support/brokers.ts";
import { CpuCost } from "../support/cpu-cost.ts";
import type { Figure, Goal } from "../support/figures.ts";
import { deleteTopic, newTopic } from "../support/kafka-client.ts";
import type { BenchOptions } from "../support/options.ts";
import { runProduceLoad } from "../support/produce-load.ts";
import { runProducerPerf } from "../support/producer-perf.ts";
import { runBarePuts } from "../support/store-load.ts";

const KiB = 1024;

interface Load {
  readonly name: string;
  readonly what: string;
  readonly recordBytes: number;
  /** Undefined: the default of the client, 16 KiB. */
  readonly batchBytes: number | undefined;
  readonly fsync: boolean;
  /** Of one measurement by producer-perf. */
  readonly records: number;
  /** What is compared, and the goal that producer-perf's ratio to Kafka has. */
  readonly unit: "MB/s" | "records/s";
  readonly goal: Goal | undefined;
}

const loads: readonly Load[] = [
  {
    name: "large",
    what: "1 KiB records, 256 KiB batches, fsync off",
    ...{ recordBytes: KiB, batchBytes: 256 * KiB, fsync: false, records: 1_500_000 },
    unit: "MB/s",
    goal: { atLeast: 1.2 },
  },
  {
    name: "large-fsync",
    what: "1 KiB records, 256 KiB batches, fsync on",
    ...{ recordBytes: KiB, batchBytes: 256 * KiB, fsync: true, records: 1_500_000 },
    unit: "MB/s",
    goal: { atLeast: 1.0 },
  },
  {
    name: "default",
    what: "1 KiB records, default batches, fsync off",
    ...{ recordBytes: KiB, batchBytes: undefined, fsync: false, records: 1_000_000 },
    unit: "MB/s",
    goal: { atLeast: 0.9 },
  },
  {
    name: "small",
    what: "100 B records, 256 KiB batches, fsync off",
    ...{ recordBytes: 100, batchBytes: 256 * KiB, fsync: false, records: 8_000_000 },
    unit: "records/s",
    goal: { atLeast: 1.0 },
  },
];

export const produceBenchmark: Benchmark = {
  name: "produce",
  summary:
    "acks=all, idempotent; raw client or --tool; --loads, or --record-bytes and --batch-bytes; " +
    "with --store beside bare 8 MiB PUTs",
  async run(context) {
    const figures: Figure[] = [];
    for (const load of chosenLoads(context.options)) {
      context.say(`${load.what}:`);
      const own = { fsync: load.fsync };
      figures.push(
        ...(await withBrokers(context, own, (brokers) => measure(context, load, brokers))),
      );
    }
    return figures;
  },
};

function chosenLoads(options: BenchOptions): readonly Load[] {
  const { recordBytes, batchBytes, fsync } = options;
  if (recordBytes !== undefined || batchBytes !== undefined) {
    const bytes = recordBytes ?? KiB;
    const batch = batchBytes === undefined ? "default" : `${batchBytes} B`;
    const what = `${bytes} B records, ${batch} batches, fsync ${fsync ? "on" : "off"}`;
    const records = Math.ceil(1_500_000_000 / (bytes + 300));
    const own = { name: "own", what, recordBytes: bytes, batchBytes, fsync, records };
    return [{ ...own, unit: "MB/s", goal: undefined }];
  }
  const fallback = options.store === undefined ? loads.map(({ name }) => name) : ["large"];
  const names = options.loads?.split(",") ?? fallback;
  return names.map((name) => {
    const load = loads.find((each) => each.name === name);
    if (load === undefined) {
      throw new Error(`No load "${name}": there are ${loads.map((each) => each.name).join(", ")}`);
    }
    return load;
  });
}

async function measure(
  context: BenchContext,
  load: Load,
  brokers: readonly Broker[],
): Promise<Figure[]> {
  const { options } = context;
  const perRecord = load.unit === "MB/s" ? load.recordBytes / 1e6 : 1;
  const cost = new CpuCost(brokers);
  const subjects: Subject[] = brokers.map((broker) => ({
    name: broker.name,
    measure: async () => {
      const result = await cost.during(broker, () => runLoad(context, load, broker));
      return result.recordsPerSecond * perRecord;
    },
  }));
  const { store } = options;
  const isS3 = store?.startsWith("s3:") === true;
  if (isS3) {
    const putMegabytes = async () => (await runBarePuts(store, options.seconds)) / 1e6;
    subjects.push({ name: "bare PUTs", measure: putMegabytes });
  }
  const alternation = await alternate(context, subjects, load.unit);
  const client = options.tool ? "producer-perf" : "raw client";
  const figures = figuresOf(load, { context, subjects, alternation, isS3 });
  return [...figures, ...cost.figures(`${client}, ${load.what}`)];
}

interface LoadResult {
  readonly recordsPerSecond: number;
  /** Of values. */
  readonly bytes: number;
}

async function runLoad({ options }: BenchContext, load: Load, broker: Broker): Promise<LoadResult> {
  const { partitions } = options;
  const topic = await newTopic(broker, partitions);
  const { recordBytes, batchBytes } = load;
  try {
    if (options.tool) {
      const records = options.records ?? load.records;
      const perf = { topic, records, recordBytes, batchBytes };
      const recordsPerSecond = await runProducerPerf(options, broker, perf);
      return { recordsPerSecond, bytes: records * recordBytes };
    }
    return await runProduceLoad(broker, {
      ...{ topic, partitions, recordBytes, batchBytes: batchBytes ?? 16 * KiB },
      connections: options.connections ?? 1,
      inFlight: options.inFlight,
      seconds: options.seconds,
    });
  } finally {
    await deleteTopic(broker, topic);
  }
}

interface Measured {
  readonly context: BenchContext;
  readonly subjects: readonly Subject[];
  readonly alternation: Alternation;
  readonly isS3: boolean;
}

function figuresOf(load: Load, { context, subjects, alternation, isS3 }: Measured): Figure[] {
  const client = context.options.tool ? "producer-perf" : "raw client";
  const figures: Figure[] = subjects.map(({ name }, index) => ({
    what: `${client}, ${load.what}: ${name}`,
    unit: load.unit,
    ...medianOf(alternation, index),
  }));
  const [own] = figures;
  if (isS3 && own !== undefined && load.name === "large") {
    const value = (own.value * 1e6) / load.recordBytes;
    figures.push({ ...own, value, unit: "records/s", goal: { atLeast: 50_000 }, note: "" });
  }
  for (let index = 1; index < subjects.length; index++) {
    const isBare = isS3 && index === subjects.length - 1;
    const kafkaGoal = context.options.tool && !isS3 ? load.goal : undefined;
    figures.push({
      what: `${client}, ${load.what}: Millrace to ${subjects[index]?.name ?? ""}`,
      unit: "×",
      goal: isBare ? { atLeast: 0.5 } : kafkaGoal,
      ...ratioTo(alternation, index),
    });
  }
  return figures;
}
