/** A SELECT over what a topic holds: a filtered count over JSON, asked for over HTTP. */
import type { Benchmark } from "../benchmark.ts";
import type { Figure } from "../support/figures.ts";
import { Millrace } from "../support/millrace.ts";
import { NexmarkGenerator } from "../support/nexmark/generator.ts";
import { onCore } from "../support/one-core.ts";
import { cpuSeconds } from "../support/processes.ts";
import { QueryClient } from "../support/query-client.ts";
import { SqlClient } from "../support/sql-client.ts";
import { median, percentile, rounded } from "../support/statistics.ts";

const recordsDefault = 4_000_000;
const batchRecords = 1000;
/** Batches that are made before and sent again and again. */
const preparedCount = 64;
const requestsAtOnce = 4;
const priceAbove = 1000;
const goal = 5_000_000;

export const adhocBenchmark: Benchmark = {
  name: "adhoc",
  summary: "SELECT COUNT(*) … WHERE over --records of JSON in a topic, one processor",
  async run({ options, say }) {
    const worker = await Millrace.start(options, { launcher: onCore(0) });
    try {
      const client = new QueryClient(worker.httpUrl);
      await client.run(
        "CREATE TABLE bids (auction BIGINT, bidder BIGINT, price BIGINT, channel STRING, " +
          "url STRING, `dateTime` TIMESTAMP(3), extra STRING) " +
          "WITH ('topic' = 'bids', 'format' = 'json', 'partitions' = '1')",
      );
      const count = Math.ceil((options.records ?? recordsDefault) / batchRecords);
      say(`  appending ${count * batchRecords} bids`);
      const filled = await fill(worker, count);
      const runs: { readonly seconds: number; readonly cpuSeconds: number }[] = [];
      for (let round = 0; round < options.rounds; round++) {
        const cpu = await cpuSeconds(worker.pid ?? 0);
        const since = performance.now();
        const sql = `SELECT COUNT(*) AS n FROM bids WHERE price > ${priceAbove}`;
        const [[row] = []] = await client.run(sql);
        const seconds = (performance.now() - since) / 1000;
        if (row?.["n"] !== filled.matching) {
          throw new Error(`Counted ${JSON.stringify(row)}, not ${filled.matching}`);
        }
        runs.push({ seconds, cpuSeconds: (await cpuSeconds(worker.pid ?? 0)) - cpu });
        say(`  round ${round + 1} of ${options.rounds}: ${rounded(seconds)} s`);
      }
      return figuresOf(filled, runs);
    } finally {
      await worker.stop();
    }
  },
};

interface Filled {
  readonly records: number;
  readonly bytes: number;
  /** Records above the price. */
  readonly matching: number;
}

/** Bids of Nexmark, without the event around them. */
async function fill(worker: Millrace, batchCount: number): Promise<Filled> {
  const generator = new NexmarkGenerator({ seed: 1 });
  const client = await SqlClient.open(worker);
  const batches = Array.from({ length: preparedCount }, () => {
    const values = bidsOf(generator, batchRecords);
    const matching = values.filter((value) => priceOf(value) > priceAbove).length;
    const bytes = values.reduce((sum, value) => sum + value.length, 0);
    return { request: client.request("bids", values), matching, bytes };
  });
  let bytes = 0;
  let matching = 0;
  const waiting: Promise<void>[] = [];
  for (let index = 0; index < batchCount; index++) {
    const batch = batches[index % preparedCount] as (typeof batches)[number];
    bytes += batch.bytes;
    matching += batch.matching;
    waiting.push(client.append(batch.request));
    if (waiting.length >= requestsAtOnce) await waiting.shift();
  }
  await Promise.all(waiting);
  client.close();
  return { records: batchCount * batchRecords, bytes, matching };
}

function bidsOf(generator: NexmarkGenerator, count: number): string[] {
  const bids: string[] = [];
  const decoder = new TextDecoder();
  while (bids.length < count) {
    const event = decoder.decode(generator.next());
    const start = event.indexOf('"bid":{');
    if (start >= 0) bids.push(event.slice(start + 6, -1));
  }
  return bids;
}

function priceOf(bid: string): number {
  return (JSON.parse(bid) as { readonly price: number }).price;
}

function figuresOf(
  { records, bytes, matching }: Filled,
  runs: readonly { readonly seconds: number; readonly cpuSeconds: number }[],
): Figure[] {
  const rates = runs.map(({ seconds }) => records / seconds);
  const costs = runs.map((run) => (run.cpuSeconds * 1e6) / records);
  const rate = median(rates);
  const spread = (values: readonly number[]) =>
    `${rounded(percentile(values, 0))} to ${rounded(percentile(values, 1))}`;
  return [
    { what: "JSON of a record", value: bytes / records, unit: "B" },
    { what: "records that match", value: (matching / records) * 100, unit: "%" },
    {
      ...{ what: "filtered count", value: rate, unit: "records/s", goal: { atLeast: goal } },
      note: spread(rates),
    },
    { what: "filtered count", value: (rate * bytes) / records / 1e6, unit: "MB/s" },
    { what: "filtered count", value: median(costs), unit: "CPU s/M records", note: spread(costs) },
  ];
}
