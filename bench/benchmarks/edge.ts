/**
 * The Worker of Cloudflare in workerd on this machine: appends, requests, starts, sizes, costs, and
 * what an isolate holds.
 */
import { join } from "node:path";
import { budgetFaults, sizesOf } from "../../deploy/cloudflare/budget.ts";
import { bundleWorker, type WorkerBundle } from "../../deploy/cloudflare/bundle.ts";
import { workerEntry } from "../../deploy/cloudflare/worker-entry.ts";
import type { BenchContext, Benchmark } from "../benchmark.ts";
import { alternate, medianOf } from "../support/alternate.ts";
import { dollarsPerMillion, type EdgeOperations } from "../support/edge-costs.ts";
import { holdKeys } from "../support/edge-keys.ts";
import { EdgePlace } from "../support/edge-place.ts";
import type { Figure } from "../support/figures.ts";
import { type HttpLoad, runHttpLoad } from "../support/http-client.ts";
import { IsolateInspector, watched } from "../support/isolate-memory.ts";
import { cpuSeconds, freePorts, residentBytes } from "../support/processes.ts";
import { median, percentile, rounded } from "../support/statistics.ts";

const clientsDefault = 64;
const warmSeconds = 2;
const linesPerBatch = 100;
/** What a query holds while its isolate is measured: what memory has room for, and far more. */
const held = [
  { query: "groups", keys: 60_000 },
  { query: "windows", keys: 60_000 },
  { query: "groups", keys: 1_000_000 },
  { query: "windows", keys: 300_000 },
] as const;
const measuredEntry = join(import.meta.dir, "../support/measured-worker.ts");

const record = { key: "device-17", value: { temperature: 21.5, at: "2026-01-01T00:00:00Z" } };
const single = {
  contentType: "application/json",
  body: new TextEncoder().encode(JSON.stringify({ records: [record] })),
};
const lines = {
  contentType: "application/x-ndjson",
  body: new TextEncoder().encode(`${JSON.stringify(record.value)}\n`.repeat(linesPerBatch)),
};

export const edgeBenchmark: Benchmark = {
  name: "edge",
  summary: "the Worker in workerd: 64 clients append; starts, sizes, what Cloudflare bills",
  async run(context) {
    const bundle = await bundleWorker({ entry: workerEntry, minify: true });
    return [
      ...sizes(bundle),
      ...(await starts(context, bundle)),
      ...(await appends(context, bundle)),
      ...(await requests(context, bundle)),
      ...(await isolates(context)),
    ];
  },
};

function sizes(bundle: WorkerBundle): Figure[] {
  const { javascript, lazy, wasm } = sizesOf(bundle);
  const note = budgetFaults(bundle).join("; ");
  const unit = "kB";
  return [
    { what: "JavaScript", value: (javascript + lazy) / 1000, unit, goal: { atMost: 1000 }, note },
    { what: "JavaScript that starts with the Worker", value: javascript / 1000, unit },
    { what: "WebAssembly", value: wasm / 1000, unit, goal: { atMost: 1200 } },
  ];
}

/** A Worker that does nothing, beside which the bundle's own part of a start is seen. */
const nothing: WorkerBundle = {
  javascript: new TextEncoder().encode(
    `import { DurableObject } from "cloudflare:workers";
    export class LogObject extends DurableObject {}
    export class GroupObject extends DurableObject {}
    export class QueryObject extends DurableObject {}
    export default { fetch: () => new Response("ok") };`,
  ),
  ...{
    chunks: new Map(),
    wasm: new Map(),
    texts: new Map(),
    metafile: { inputs: {}, outputs: {} },
  },
};

async function starts({ options, say }: BenchContext, bundle: WorkerBundle): Promise<Figure[]> {
  const isolate: number[] = [];
  const object: number[] = [];
  for (let round = 0; round < options.rounds; round++) {
    const empty = await EdgePlace.start({ bundle: nothing });
    await empty.stop();
    const place = await EdgePlace.start({ bundle });
    isolate.push(place.firstAnswerMs - empty.firstAnswerMs);
    const since = performance.now();
    const headers = { "Content-Type": "text/plain" };
    await place.ask("/v1/topics/cold/records", { method: "POST", headers, body: "hello" });
    object.push(performance.now() - since);
    await place.stop();
    const shown = [isolate, object].map((values) => `${rounded(values.at(-1) ?? 0)} ms`);
    say(`  round ${round + 1} of ${options.rounds}: start ${shown.join(", first append ")}`);
  }
  return [
    {
      what: "start of workerd to the first answer, beyond that of an empty Worker",
      unit: "ms",
      goal: { atMost: 150 },
      ...middle(isolate),
    },
    { what: "first append of a new object, acknowledged", unit: "ms", ...middle(object) },
  ];
}

function middle(values: readonly number[]) {
  const [from, to] = [percentile(values, 0), percentile(values, 1)].map(rounded);
  return { value: median(values), note: `${from} to ${to} in ${values.length} rounds` };
}

/** Without the ceiling, so that what holds it up is the Worker itself. */
async function appends(context: BenchContext, bundle: WorkerBundle): Promise<Figure[]> {
  const variables = { MILLRACE_FLUSH_RATE_MAX: "0" };
  return await withPlace({ bundle, variables }, async (place) => {
    const load = await loadOf(context, place);
    await runHttpLoad({ ...load, ...single, seconds: warmSeconds });
    const latencies: number[] = [];
    const cpu: number[] = [];
    const measure = async () => {
      const before = await cpuOf(place);
      const result = await runHttpLoad({ ...load, ...single });
      cpu.push(((await cpuOf(place)) - before) * (1e6 / result.latencies.length));
      latencies.push(...result.latencies);
      return result.requestsPerSecond;
    };
    const measured = await alternate(context, [{ name: "workerd", measure }], "appends/s");
    const what = `appends, ${load.connections} clients, no flush ceiling`;
    return [
      { what, unit: "appends/s", goal: { atLeast: 3000 }, ...medianOf(measured, 0) },
      { what: `${what}, p50`, value: percentile(latencies, 0.5), unit: "ms" },
      { what: `${what}, p99`, value: percentile(latencies, 0.99), unit: "ms" },
      { what: `${what}, CPU of workerd`, unit: "CPU ms/1 000", ...middle(cpu) },
      await memory(place),
    ];
  });
}

async function memory({ pid }: EdgePlace): Promise<Figure> {
  const bytes = pid === undefined ? Number.NaN : (await residentBytes(pid)).peak;
  const note = "the whole of workerd, with the simulators of R2 and of the objects' storage";
  return { what: "resident memory under load", value: bytes / 1e6, unit: "MB", note };
}

/** What Cloudflare counts, of an isolate that has a log object, a query's and the front. */
async function isolates({ say }: BenchContext): Promise<Figure[]> {
  const bundle = await bundleWorker({ entry: measuredEntry, minify: true });
  const figures: Figure[] = [];
  for (const { query, keys } of held) {
    const [inspectorPort = 0] = await freePorts(1);
    const variables = { MILLRACE_QUERIES: "on", MILLRACE_FLUSH_RATE_MAX: "0" };
    await withPlace({ bundle, variables, inspectorPort }, async (place) => {
      const inspector = await IsolateInspector.connect(inspectorPort);
      const hold = () => holdKeys(place, { query, keys });
      const { most, longestStepMs } = await watched(place, inspector, hold);
      inspector.close();
      const parts = [most.heapBytes, most.bufferBytes, most.wasmBytes].map((each) => each / 1e6);
      const [heap, buffers, wasm] = parts.map(rounded);
      const note = `heap ${heap}, buffers ${buffers}, WebAssembly ${wasm}`;
      const what = `an isolate whose query holds ${keys} keys in ${query}`;
      const value = most.totalBytes / 1e6;
      figures.push({ what, value, unit: "MB", goal: { atMost: 128 }, note });
      figures.push({ what: `${what}, longest step`, value: longestStepMs, unit: "ms" });
    });
    say(`  memory with a query of ${keys} keys in ${query}`);
  }
  return figures;
}

async function cpuOf({ pid }: EdgePlace): Promise<number> {
  return pid === undefined ? Number.NaN : await cpuSeconds(pid);
}

/** As it is deployed: what is asked of R2 and of the metadata, and what that costs. */
async function requests(context: BenchContext, bundle: WorkerBundle): Promise<Figure[]> {
  return await withPlace({ bundle }, async (place) => {
    const load = await loadOf(context, place);
    // The ceiling lets a burst go by first.
    await runHttpLoad({ ...load, ...single, seconds: warmSeconds });
    const alone = await counted(place, { ...load, ...single });
    const together = await counted(place, { ...load, ...lines });
    const per1000 = 1000 / alone.requests;
    const what = `of 1 000 appends, ${load.connections} clients`;
    const cost = (operations: EdgeOperations, events: number) =>
      dollarsPerMillion(operations, events);
    return [
      {
        what: `PUTs ${what}`,
        value: alone.puts * per1000,
        unit: "PUTs",
        goal: { atMost: 50 },
      },
      { what: `requests to the metadata ${what}`, value: alone.metadata * per1000, unit: "" },
      {
        what: "a million events, one a request",
        value: cost(alone, alone.requests),
        unit: "$",
        note: "by Cloudflare's price list; the database is billed by its host",
      },
      {
        what: `a million events, ${linesPerBatch} a request`,
        value: cost(together, together.requests * linesPerBatch),
        unit: "$",
      },
    ];
  });
}

async function counted(place: EdgePlace, load: HttpLoad): Promise<EdgeOperations> {
  const puts = await place.metric("millrace_flushes_total");
  const metadata = place.metadata.pipelines;
  const cpu = await cpuOf(place);
  const since = performance.now();
  const { latencies } = await runHttpLoad(load);
  return {
    requests: latencies.length,
    seconds: (performance.now() - since) / 1000,
    cpuSeconds: (await cpuOf(place)) - cpu,
    puts: (await place.metric("millrace_flushes_total")) - puts,
    metadata: place.metadata.pipelines - metadata,
  };
}

async function loadOf({ options }: BenchContext, place: EdgePlace) {
  const topic = await place.newTopic(options.partitions);
  return {
    ...{ host: place.host, port: place.port, headers: place.headers },
    path: `/v1/topics/${topic}/records`,
    connections: options.connections ?? clientsDefault,
    seconds: options.seconds,
  };
}

async function withPlace<T>(
  options: Parameters<typeof EdgePlace.start>[0],
  act: (place: EdgePlace) => Promise<T>,
): Promise<T> {
  const place = await EdgePlace.start(options);
  try {
    return await act(place);
  } finally {
    await place.stop();
  }
}
