/** How fast records are taken over HTTP. */
import type { BenchContext, Benchmark } from "../benchmark.ts";
import { alternate, medianOf } from "../support/alternate.ts";
import { withMillrace } from "../support/brokers.ts";
import { type HttpLoad, runHttpLoad } from "../support/http-client.ts";
import { deleteTopic, newTopic } from "../support/kafka-client.ts";
import type { Millrace } from "../support/millrace.ts";
import { randomLetters } from "../support/record-batches.ts";
import { percentile } from "../support/statistics.ts";

const connectionsDefault = 256;
const linesPerBatch = 1000;
const batchConnections = 8;

export const httpBenchmark: Benchmark = {
  name: "http",
  summary: "256 connections with single records; NDJSON batches of 1 000",
  async run(context) {
    return await withMillrace(context, {}, async (worker) => {
      const single = await singleRecords(context, worker);
      const lines = await ndjson(context, worker);
      return [...single, ...lines];
    });
  },
};

async function singleRecords(context: BenchContext, worker: Millrace) {
  const { options, say } = context;
  say("single records:");
  const record = { key: "device-17", value: { temperature: 21.5, at: "2026-01-01T00:00:00Z" } };
  const body = new TextEncoder().encode(JSON.stringify({ records: [record] }));
  const connections = options.connections ?? connectionsDefault;
  const latencies: number[] = [];
  const run = async () => {
    const result = await onNewTopic(context, worker, {
      ...{ contentType: "application/json", body, connections, seconds: options.seconds },
    });
    latencies.push(...result.latencies);
    return result.requestsPerSecond;
  };
  const measured = await alternate(context, [{ name: worker.name, measure: run }], "requests/s");
  const what = `single records, ${connections} connections`;
  return [
    { what, unit: "requests/s", goal: { atLeast: 10_000 }, ...medianOf(measured, 0) },
    { what: `${what}, p50`, value: percentile(latencies, 0.5), unit: "ms" },
    { what: `${what}, p99`, value: percentile(latencies, 0.99), unit: "ms" },
  ];
}

async function ndjson(context: BenchContext, worker: Millrace) {
  const { options, say } = context;
  say("NDJSON batches:");
  const lineBytes = options.recordBytes ?? 100;
  const text = new TextDecoder().decode(randomLetters(Math.max(1, lineBytes - 8)));
  const line = `{"v":"${text}"}\n`;
  const body = new TextEncoder().encode(line.repeat(linesPerBatch));
  const run = async () => {
    const { requestsPerSecond } = await onNewTopic(context, worker, {
      ...{ contentType: "application/x-ndjson", body, seconds: options.seconds },
      connections: batchConnections,
    });
    return requestsPerSecond * linesPerBatch;
  };
  const measured = await alternate(context, [{ name: worker.name, measure: run }], "records/s");
  const what = `NDJSON, ${linesPerBatch} lines of ${lineBytes} B, ${batchConnections} connections`;
  return [{ what, unit: "records/s", goal: { atLeast: 300_000 }, ...medianOf(measured, 0) }];
}

async function onNewTopic(
  { options }: BenchContext,
  worker: Millrace,
  load: Pick<HttpLoad, "contentType" | "body" | "connections" | "seconds">,
) {
  const topic = await newTopic(worker, options.partitions);
  const path = `/v1/topics/${topic}/records`;
  const result = await runHttpLoad({ host: worker.host, port: worker.httpPort, path, ...load });
  await deleteTopic(worker, topic);
  return result;
}
