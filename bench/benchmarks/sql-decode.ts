/** The first steps of a query over a topic: records to columns, beside JSON.parse. */

import { readBatchHeader } from "../../src/record/batch.ts";
import { encodeBatch } from "../../src/record/batch-encode.ts";
import { batchHeaderBytes } from "../../src/record/batch-layout.ts";
import { loadSqlModules } from "../../src/runtime/node/wasm-modules.ts";
import type { SummedBatch } from "../../src/sql/kernel/record-walk.ts";
import { SourceDecoder } from "../../src/sql/kernel/source-decoder.ts";
import { SqliteHost } from "../../src/sql/sqlite/host.ts";
import type { DataType } from "../../src/sql/types/data-type.ts";
import type { Benchmark } from "../benchmark.ts";
import { alternate, medianOf, type Subject } from "../support/alternate.ts";
import type { Figure } from "../support/figures.ts";
import { NexmarkGenerator } from "../support/nexmark/generator.ts";
import { platform } from "../support/record-batches.ts";

/** About 1 MB, the largest batch that producers send unless told otherwise. */
const batchRecords = 3000;
const batchCount = 32;
const memoryBytesMax = 512 * 1024 * 1024;

const integer: DataType = { kind: "bigint" };

/** What DESIGN's table of this decode wants: five columns of bids. */
const wanted: readonly (readonly [path: string, type: DataType])[] = [
  ["event_type", { kind: "int" }],
  ["bid.auction", integer],
  ["bid.price", integer],
  ["bid.dateTime", { kind: "timestamp" }],
  ["bid.channel", { kind: "varchar", length: null }],
];

const decoder = new TextDecoder();

export const sqlDecodeBenchmark: Benchmark = {
  name: "sql-decode",
  summary: "records of Nexmark events to columns, by processor time, beside JSON.parse",
  async run({ options, say }) {
    const { batches, values, bytes } = nexmarkBatches(options.seed);
    const host = new SqliteHost({
      modules: loadSqlModules(),
      clock: platform.clock,
      memoryBytesMax,
    });
    const records = batchRecords * batchCount;
    const subject = (name: string, decode: () => void): Subject => ({
      name,
      measure: async () => records / cpuSecondsOf(decode) / 1e6,
    });
    const kernels = (options: Parameters<typeof decoderOf>[1]) => {
      const source = decoderOf(host, options);
      return () => {
        for (const batch of batches) {
          const { errors } = source.decode([batch]);
          if (errors.length > 0) throw new Error(source.describe(errors[0] as never));
        }
      };
    };
    const subjects = [
      subject("shape graph", kernels({ format: "json" })),
      subject("generic parser", kernels({ format: "json", isGeneric: true })),
      subject("copy and walk", kernels({ format: "raw" })),
      subject("JSON.parse", () => parseAndPick(values)),
    ];
    const result = await alternate({ options, say }, subjects, "M records/s");
    const goals = [9, undefined, undefined, undefined];
    const rates = subjects.map(({ name }, index): Figure => {
      const goal = goals[index];
      // Neighbours on the machine take caches away, and only ever slow a round down.
      const value = Math.max(...(result.values[index] ?? []));
      const { note } = medianOf(result, index);
      const figure = { what: `${name}, best round`, value, unit: "M records/s", note };
      return goal === undefined ? figure : { ...figure, goal: { atLeast: goal } };
    });
    const [shaped] = result.values;
    const throughput = (Math.max(...(shaped ?? [])) * bytes) / records;
    rates.push({ what: "shape graph, JSON", value: throughput, unit: "MB/s" });
    return [...rates, { what: "JSON of an event", value: bytes / records, unit: "B" }];
  },
};

interface Prepared {
  readonly batches: readonly SummedBatch[];
  readonly values: readonly Uint8Array[];
  readonly bytes: number;
}

function nexmarkBatches(seed: number): Prepared {
  const generator = new NexmarkGenerator({ seed });
  const values: Uint8Array[] = [];
  const batches = Array.from({ length: batchCount }, (_, index): SummedBatch => {
    const records = Array.from({ length: batchRecords }, () => {
      const value = generator.next().slice();
      values.push(value);
      return { timestamp: generator.eventTimeMs, key: null, value };
    });
    const bytes = encodeBatch({ records, codec: "none" }, platform);
    const { baseTimestamp, recordCount } = readBatchHeader(bytes);
    return {
      partition: 0,
      baseOffset: index * batchRecords,
      recordCount,
      timestamp: baseTimestamp,
      isLogAppendTime: false,
      records: bytes.subarray(batchHeaderBytes),
    };
  });
  return { batches, values, bytes: values.reduce((sum, { length }) => sum + length, 0) };
}

function decoderOf(
  host: SqliteHost,
  { format, isGeneric }: { readonly format: "json" | "raw"; readonly isGeneric?: boolean },
): SourceDecoder {
  const raw = [["value", { kind: "bytes" }]] as const;
  const columns = format === "json" ? wanted : raw;
  return new SourceDecoder({
    host,
    topic: "nexmark",
    format,
    columns: columns.map(([name, type]) => ({ name, type, nullable: true })),
    origins: columns.map(([path]) => ({ from: "value", path: path.split(".") })),
    isGeneric: isGeneric ?? false,
  });
}

interface Event {
  readonly event_type: number;
  readonly bid: Readonly<Record<"auction" | "price" | "dateTime" | "channel", unknown>> | null;
}

/** The same columns as arrays, as a program without kernels would have them. */
function parseAndPick(values: readonly Uint8Array[]): void {
  const columns: unknown[][] = [[], [], [], [], []];
  const [kinds = [], auctions = [], prices = [], times = [], channels = []] = columns;
  for (const value of values) {
    const { event_type: kind, bid } = JSON.parse(decoder.decode(value)) as Event;
    kinds.push(kind);
    auctions.push(bid?.auction);
    prices.push(bid?.price);
    times.push(bid?.dateTime);
    channels.push(bid?.channel);
  }
  if (kinds.length !== values.length) throw new Error("Events are missing");
}

/** Processor time of one run: what else the machine does counts less than in time on the clock. */
function cpuSecondsOf(run: () => void): number {
  const before = process.cpuUsage();
  run();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6;
}
