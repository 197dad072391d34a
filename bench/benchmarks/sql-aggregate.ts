/** What a row costs in the kernels that hold a query's groups and sessions, by key and aggregate. */
import { loadSqlModules } from "../../src/runtime/node/wasm-modules.ts";
import { AggregateState } from "../../src/sql/kernel/aggregate.ts";
import { SessionState } from "../../src/sql/kernel/session.ts";
import { RowTable } from "../../src/sql/memory/row-table.ts";
import type { Accumulator } from "../../src/sql/plan/plan.ts";
import { SqliteHost } from "../../src/sql/sqlite/host.ts";
import type { Benchmark } from "../benchmark.ts";
import type { Figure } from "../support/figures.ts";

const rowCount = 1_000_000;
const batchRows = 4096;
const kinds = ["integer", "integer", "integer", "text"] as const;
const time = 0;
const key = 1;
const value = 2;
const text = 3;

const count: Accumulator = { kind: "count", column: null, filter: null, isDistinct: false };
const of = (kind: Accumulator["kind"], column: number, isDistinct = false): Accumulator => ({
  kind,
  column,
  filter: null,
  isDistinct,
});

interface Input {
  readonly host: SqliteHost;
  /** Tables of `batchRows` rows over the same columns. */
  readonly batches: readonly RowTable[];
}

/** Rows of ten per millisecond with Nexmark's auctions: half of them go to one hot auction. */
function makeInput(keyOf: (row: number, random: () => number) => number): Input {
  const clock = { now: () => 0, monotonic: () => 0 };
  const host = new SqliteHost({ modules: loadSqlModules(), clock, memoryBytesMax: 2 ** 31 });
  const { memory } = host;
  const random = randomOf(1);
  const columns = kinds.map(() => memory.allocate(8 * rowCount));
  const bytes = memory.allocate(16 * rowCount);
  const [times, keys, values, texts] = columns.map((at) => at / 8);
  const { buffer } = memory.bytes;
  const integers = new BigInt64Array(buffer);
  const words = new Uint32Array(buffer);
  const encoder = new TextEncoder();
  const base = Date.UTC(2026, 0, 1);
  for (let row = 0; row < rowCount; row++) {
    const group = keyOf(row, random);
    integers[(times ?? 0) + row] = BigInt(base + Math.floor(row / 10));
    integers[(keys ?? 0) + row] = BigInt(group);
    integers[(values ?? 0) + row] = BigInt(row % 1000);
    const at = bytes + 16 * row;
    const { written } = encoder.encodeInto(`user-${group}`, memory.bytes.subarray(at, at + 16));
    words[((texts ?? 0) + row) * 2] = at;
    words[((texts ?? 0) + row) * 2 + 1] = written;
  }
  const batches: RowTable[] = [];
  for (let from = 0; from < rowCount; from += batchRows) {
    const table = new RowTable(memory, kinds);
    for (const [index, at] of columns.entries()) table.point(index, { values: at + 8 * from });
    table.setRows({ rowCount: Math.min(batchRows, rowCount - from) });
    batches.push(table);
  }
  return { host, batches };
}

function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

function auctionOf(row: number, random: () => number): number {
  const last = Math.floor(row / 50) * 3 + 2;
  const isHot = random() < 0.5;
  const auction = isHot ? Math.floor(last / 100) * 100 : last - Math.floor(random() * 100);
  return 1000 + Math.max(0, auction);
}

interface Case {
  readonly what: string;
  readonly keys: readonly number[];
  readonly accumulators: readonly Accumulator[];
  readonly paneMs: number | null;
  readonly tracksChanges?: boolean;
}

const cases: readonly Case[] = [
  { what: "count, 10 s panes", keys: [key], accumulators: [count], paneMs: 10_000 },
  {
    what: "count and sum, 10 s panes",
    keys: [key],
    accumulators: [count, of("sum", value)],
    paneMs: 10_000,
  },
  {
    what: "count and sum, 2 s panes",
    keys: [key],
    accumulators: [count, of("sum", value)],
    paneMs: 2000,
  },
  {
    what: "count, sum, min and max, 10 s panes",
    keys: [key],
    accumulators: [count, of("sum", value), of("min", value), of("max", value)],
    paneMs: 10_000,
  },
  { what: "text key, count, 10 s panes", keys: [text], accumulators: [count], paneMs: 10_000 },
  { what: "two keys, count, 10 s panes", keys: [key, text], accumulators: [count], paneMs: 10_000 },
  {
    what: "count distinct, 10 s panes",
    keys: [key],
    accumulators: [of("count", value, true)],
    paneMs: 10_000,
  },
  {
    what: "approximate count, 10 s panes",
    keys: [key],
    accumulators: [of("approxCountDistinct", value)],
    paneMs: 10_000,
  },
  {
    what: "no windows, changes read per batch",
    keys: [key],
    accumulators: [count],
    paneMs: null,
    tracksChanges: true,
  },
];

/** Nanoseconds per row of the best of some runs. */
function best(runs: number, run: () => void): number {
  let least = Number.POSITIVE_INFINITY;
  for (let index = 0; index < runs; index++) {
    const since = performance.now();
    run();
    least = Math.min(least, performance.now() - since);
  }
  return (least * 1e6) / rowCount;
}

function aggregateRun({ host, batches }: Input, each: Case): () => void {
  return () => {
    const { keys, accumulators, paneMs, tracksChanges = false } = each;
    const state = new AggregateState(host, {
      spec: { input: kinds, keys, accumulators, isRetractable: false, tracksChanges },
      seed: 0x9e3779b97f4a7c15n,
      bytesMax: 0,
      panes: paneMs === null ? null : { sizeMs: paneMs, offsetMs: 0 },
    });
    for (const table of batches) {
      state.add({ table, timeColumn: time });
      if (!tracksChanges) continue;
      state.changes();
      state.settle();
    }
    state.free();
  };
}

function sessionRun({ host, batches }: Input): () => void {
  return () => {
    const state = new SessionState(host, {
      spec: { input: kinds, keys: [key], accumulators: [count] },
      seed: 0x9e3779b97f4a7c15n,
      bytesMax: 0,
      gapMs: 10_000,
      allowedLatenessMs: 0,
    });
    let watermarkMs = Number.NEGATIVE_INFINITY;
    for (const [index, table] of batches.entries()) {
      state.add({ table, timeColumn: time, watermarkMs });
      watermarkMs = Date.UTC(2026, 0, 1) + Math.floor((index * batchRows) / 10) - 4000;
      state.close(watermarkMs);
      state.settle();
    }
    state.free();
  };
}

export const sqlAggregateBenchmark: Benchmark = {
  name: "sql-aggregate",
  summary: "the kernels that hold groups and sessions, per row",
  async run({ say }) {
    const inputs = [
      { name: "Nexmark's auctions", input: makeInput(auctionOf) },
      { name: "10 K keys", input: makeInput((_, random) => Math.floor(random() * 10_000)) },
      { name: "1 M keys", input: makeInput((_, random) => Math.floor(random() * 1_000_000)) },
    ];
    const figures: Figure[] = [];
    for (const { name, input } of inputs) {
      say(`  ${name}`);
      for (const each of cases) {
        const nanos = best(5, aggregateRun(input, each));
        figures.push({ what: `${name}: ${each.what}`, value: nanos, unit: "ns/row" });
      }
      const nanos = best(5, sessionRun(input));
      figures.push({ what: `${name}: sessions, count`, value: nanos, unit: "ns/row" });
    }
    return figures;
  },
};
