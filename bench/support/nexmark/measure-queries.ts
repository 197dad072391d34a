/** Measures Nexmark's queries on a filled topic, in turn with Flink where that is asked for. */
import { UsageError } from "../../../src/runtime/node/options.ts";
import type { BenchContext } from "../../benchmark.ts";
import type { Broker } from "../broker.ts";
import type { Figure } from "../figures.ts";
import { KafkaBroker } from "../kafka-program.ts";
import { Millrace } from "../millrace.ts";
import { onCore } from "../one-core.ts";
import { median, percentile, ratios, rounded } from "../statistics.ts";
import { type Filled, type FillOptions, fillTopic } from "./fill.ts";
import { FlinkQueries } from "./flink-queries.ts";
import { MillraceQueries } from "./millrace-queries.ts";
import { type NexmarkQuery, nexmarkQueries } from "./queries.ts";
import type { QueryRun, QuerySubject } from "./subject.ts";

/** The worker, or Flink, has the first processor; clients and Kafka's broker have the other. */
const measuredCore = 0;
const otherCore = 1;

export async function measureQueries(
  context: BenchContext,
  fill: FillOptions,
): Promise<readonly Figure[]> {
  const queries = chosen(context.options.queries);
  const closing: (() => Promise<void>)[] = [];
  try {
    const { subjects, filled } = await open(context, fill, closing);
    const figures: Figure[] = [
      { what: "JSON of an event", value: filled.bytes / filled.events, unit: "B" },
    ];
    for (const query of queries) {
      try {
        const runs = await alternated(context, subjects, query);
        figures.push(...figuresOf(query, { subjects, runs, events: filled.events, context }));
      } catch (error) {
        // The others are worth measuring all the same.
        const note = error instanceof Error ? (error.message.split("\n")[0] ?? "") : String(error);
        figures.push({ what: `${query.name}: did not end`, value: Number.NaN, unit: "", note });
      }
    }
    return figures;
  } finally {
    for (const close of closing.reverse()) await close();
  }
}

function chosen(list: string | undefined): readonly NexmarkQuery[] {
  if (list === undefined) return nexmarkQueries;
  return list.split(",").map((name) => {
    const query = nexmarkQueries.find((each) => each.name === name);
    if (query !== undefined) return query;
    const names = nexmarkQueries.map((each) => each.name).join(", ");
    throw new UsageError(`No query "${name}": there are ${names}, and none`);
  });
}

interface Opened {
  readonly subjects: readonly QuerySubject[];
  readonly filled: Filled;
}

/** Ours first; what is to be closed afterwards goes to `closing`, also when this throws. */
async function open(
  context: BenchContext,
  fill: FillOptions,
  closing: (() => Promise<void>)[],
): Promise<Opened> {
  const { options, say } = context;
  const { against } = options;
  const worker = await Millrace.start(options, { launcher: onCore(measuredCore) });
  closing.push(() => worker.stop());
  const filled = await fillBroker(context, worker, fill);
  const subjects: QuerySubject[] = [
    await MillraceQueries.open(worker, { topic: options.topic, events: filled.events }),
  ];
  if (against === undefined) return { subjects, filled };
  if (against !== "flink") throw new UsageError("Queries are measured --against flink alone");
  say("  starting Kafka and Flink");
  const broker = await KafkaBroker.start(options, onCore(otherCore));
  closing.push(() => broker.stop());
  await fillBroker(context, broker, fill);
  const flink = await FlinkQueries.open(options, { broker, launcher: onCore(measuredCore) });
  closing.push(() => flink.stop());
  subjects.push(flink);
  return { subjects, filled };
}

async function fillBroker(
  { options, say }: BenchContext,
  { name, host, port }: Broker,
  fill: FillOptions,
): Promise<Filled> {
  const { topic, partitions, codec, batchEvents } = options;
  say(`  ${name}: appending ${fill.events} events, ${codec === "none" ? "uncompressed" : codec}`);
  return await fillTopic({ host, port, topic, partitions, codec, batchEvents }, fill);
}

/** By subject, then by round. */
async function alternated(
  { options, say }: BenchContext,
  subjects: readonly QuerySubject[],
  query: NexmarkQuery,
): Promise<readonly QueryRun[][]> {
  const runs = subjects.map((): QueryRun[] => []);
  for (let round = 0; round < options.rounds; round++) {
    const shown: string[] = [];
    for (const [index, subject] of subjects.entries()) {
      const run = await subject.run(query);
      runs[index]?.push(run);
      const { seconds, cpuSeconds, rowsOut } = run;
      shown.push(
        `${subject.name} ${rounded(seconds)} s, ${rounded(cpuSeconds)} CPU s` +
          (rowsOut === undefined ? "" : `, ${rowsOut} rows`),
      );
    }
    say(`  ${query.name}, round ${round + 1} of ${options.rounds}: ${shown.join("; ")}`);
  }
  return runs;
}

interface Measured {
  readonly subjects: readonly QuerySubject[];
  readonly runs: readonly (readonly QueryRun[])[];
  readonly events: number;
  readonly context: BenchContext;
}

function figuresOf({ name, goal }: NexmarkQuery, measured: Measured): Figure[] {
  const { subjects, runs, events, context } = measured;
  const figures: Figure[] = [];
  for (const [index, subject] of subjects.entries()) {
    const own = runs[index] ?? [];
    const rates = own.map(({ seconds }) => events / seconds);
    const costs = own.map(({ cpuSeconds }) => (cpuSeconds * 1e6) / events);
    const { codec } = context.options;
    // Only the plain count has a goal of its own, which its codec decides.
    const atLeast = codec === "none" ? 4e6 : 2e6;
    const hasGoal = index === 0 && name === "tumble";
    figures.push(
      {
        ...{ what: `${name}: ${subject.name}`, value: median(rates), unit: "events/s" },
        ...(hasGoal && { goal: { atLeast } }),
        note: spread(rates),
      },
      {
        what: `${name}: ${subject.name}`,
        ...{ value: median(costs), unit: "CPU s/M events", note: spread(costs) },
      },
    );
  }
  const [ours = [], theirs] = runs;
  if (theirs === undefined) return figures;
  const of = (kind: "seconds" | "cpuSeconds", what: string, unit: string): Figure => {
    const all = ratios(
      theirs.map((run) => run[kind]),
      ours.map((run) => run[kind]),
    );
    const figure = { what: `${name}: ${what}`, value: median(all), unit, note: spread(all) };
    return kind === "seconds" ? { ...figure, goal: { atLeast: goal } } : figure;
  };
  return [
    ...figures,
    of("seconds", "events/s to Flink's", "× Flink"),
    of("cpuSeconds", "events per CPU s to Flink's", "× Flink"),
  ];
}

function spread(values: readonly number[]): string {
  if (values.length < 2) return "";
  return `${rounded(percentile(values, 0))} to ${rounded(percentile(values, 1))}`;
}
