/** `streamctl bench NAME`: measures, and prints each figure beside its goal. */

import { nearest } from "../src/base/near.ts";
import { entries, heading, optionRow } from "../src/cli/command.ts";
import { processIo } from "../src/cli/process-io.ts";
import { parseOptions, UsageError } from "../src/runtime/node/options.ts";
import type { Benchmark } from "./benchmark.ts";
import { adhocBenchmark } from "./benchmarks/adhoc.ts";
import { crcBenchmark } from "./benchmarks/crc.ts";
import { edgeBenchmark } from "./benchmarks/edge.ts";
import { fetchBenchmark } from "./benchmarks/fetch.ts";
import { httpBenchmark } from "./benchmarks/http.ts";
import { latencyBenchmark } from "./benchmarks/latency.ts";
import { memoryBenchmark } from "./benchmarks/memory.ts";
import { nexmarkBenchmark } from "./benchmarks/nexmark.ts";
import { produceBenchmark } from "./benchmarks/produce.ts";
import { publishBenchmark } from "./benchmarks/publish.ts";
import { requestsBenchmark } from "./benchmarks/requests.ts";
import { segmentBenchmark } from "./benchmarks/segment.ts";
import { sqlAggregateBenchmark } from "./benchmarks/sql-aggregate.ts";
import { sqlDecodeBenchmark } from "./benchmarks/sql-decode.ts";
import { sqlKernelsBenchmark } from "./benchmarks/sql-kernels.ts";
import { startupBenchmark } from "./benchmarks/startup.ts";
import { takeoverBenchmark } from "./benchmarks/takeover.ts";
import { viewsBenchmark } from "./benchmarks/views.ts";
import { visibilityBenchmark } from "./benchmarks/visibility.ts";
import { conditions } from "./support/conditions.ts";
import { figureTable } from "./support/figures.ts";
import { benchOptions } from "./support/options.ts";

const benchmarks: readonly Benchmark[] = [
  produceBenchmark,
  fetchBenchmark,
  latencyBenchmark,
  httpBenchmark,
  publishBenchmark,
  visibilityBenchmark,
  takeoverBenchmark,
  segmentBenchmark,
  crcBenchmark,
  sqlAggregateBenchmark,
  sqlKernelsBenchmark,
  startupBenchmark,
  requestsBenchmark,
  memoryBenchmark,
  nexmarkBenchmark,
  adhocBenchmark,
  viewsBenchmark,
  sqlDecodeBenchmark,
  edgeBenchmark,
];

const command = "streamctl bench";
const { stdout, stderr } = processIo();

async function run(argv: readonly string[]): Promise<number> {
  const [name, ...rest] = argv;
  if (name === undefined || argv.includes("--help") || argv.includes("-h")) {
    await stdout.write(helpText());
    return 0;
  }
  const benchmark = benchmarks.find((each) => each.name === name);
  if (benchmark === undefined) throw unknownBenchmark(name);
  const { values, positionals } = parseOptions(benchOptions, {
    argv: rest,
    env: process.env,
    command,
  });
  if (positionals[0] !== undefined) {
    throw new UsageError(`"${positionals[0]}" is one word too many. See ${command} --help`);
  }
  const say = (line: string) => void stderr.write(`${line}\n`);
  const figures = await benchmark.run({ options: values, say });
  await stdout.write(`${conditions(argv)}\n${figureTable(figures)}`);
  return 0;
}

function unknownBenchmark(name: string): UsageError {
  const names = benchmarks.map((each) => each.name);
  const near = nearest(name, names);
  const hint = near === null ? "" : ` Did you mean ${near}?`;
  return new UsageError(`No benchmark "${name}": there are ${names.join(", ")}.${hint}`);
}

function helpText(): string {
  const rows = Object.entries(benchOptions).map(([key, each]) => optionRow(key, each));
  return [
    "Measures Millrace; each figure is printed beside its goal\n",
    `${heading(stdout, "Usage")}  ${command} NAME [options]\n`,
    `${heading(stdout, "Benchmarks")}`,
    entries(
      stdout,
      benchmarks.map(({ name, summary }) => [name, summary]),
    ),
    `${heading(stdout, "Options")}`,
    entries(stdout, rows),
    "How to read the figures: docs/BENCHMARKS.md\n",
  ].join("\n");
}

try {
  process.exitCode = await run(process.argv.slice(2));
} catch (error) {
  const message = error instanceof Error ? error.message : String(error);
  await stderr.write(`${command}: ${message}\n`);
  process.exitCode = error instanceof UsageError ? 2 : 1;
}
// Sockets of brokers that went away must not hold the process.
process.exit();
