/**
 * Nexmark: its queries from topic to topic; or its events into a file, into a topic, or nowhere, and
 * how fast they are made.
 */
import { UsageError } from "../../src/runtime/node/options.ts";
import type { Benchmark } from "../benchmark.ts";
import type { Figure } from "../support/figures.ts";
import { nexmarkEvents } from "../support/nexmark/delays.ts";
import { type Filled, type FillOptions, fillFile, fillTopic } from "../support/nexmark/fill.ts";
import { measureQueries } from "../support/nexmark/measure-queries.ts";
import type { BenchOptions } from "../support/options.ts";

const generatorGoal = 300_000;

export const nexmarkBenchmark: Benchmark = {
  name: "nexmark",
  summary: "Nexmark's --queries, topic to topic; or its --events into --out FILE or --broker",
  async run(context) {
    const { options, say } = context;
    const fill: FillOptions = {
      events: options.events,
      seed: options.seed,
      outOfOrderGroupSize: options.disorder,
      delayProbability: options.delayed / 100,
    };
    if (options.out !== undefined && options.broker !== undefined) {
      throw new UsageError("--out and --broker exclude each other: give one");
    }
    const isFilling = options.out !== undefined || options.broker !== undefined;
    if (!isFilling && options.queries !== "none") return await measureQueries(context, fill);
    const since = performance.now();
    const cpu = process.cpuUsage();
    const filled = await fillAs(options, fill);
    const seconds = (performance.now() - since) / 1000;
    const { user, system } = process.cpuUsage(cpu);
    const to = options.broker === undefined ? "nowhere: the generator alone" : options.topic;
    say(`  ${filled.events} events to ${options.out ?? to}`);
    return figuresOf(filled, {
      ...{ seconds, cpuSeconds: (user + system) / 1e6, isAlone: !isFilling },
    });
  },
};

async function fillAs(options: BenchOptions, fill: FillOptions): Promise<Filled> {
  if (options.out !== undefined) return await fillFile(options.out, fill);
  if (options.broker === undefined) return discard(fill);
  const { topic, partitions, codec, batchEvents } = options;
  return await fillTopic({ ...options.broker, topic, partitions, codec, batchEvents }, fill);
}

/** Neither file nor broker: the generator alone. */
function discard(fill: FillOptions): Filled {
  let bytes = 0;
  for (const { json } of nexmarkEvents(fill, fill.events)) bytes += json.length;
  return { events: fill.events, bytes };
}

function figuresOf(
  { events, bytes }: Filled,
  run: { readonly seconds: number; readonly cpuSeconds: number; readonly isAlone: boolean },
): Figure[] {
  return [
    { what: "events", value: events, unit: "events" },
    { what: "JSON of an event", value: bytes / events, unit: "B" },
    { what: "events written", value: events / run.seconds, unit: "events/s" },
    {
      what: "events by processor time",
      value: events / run.cpuSeconds,
      unit: "events/s",
      goal: run.isAlone ? { atLeast: generatorGoal } : undefined,
    },
  ];
}
