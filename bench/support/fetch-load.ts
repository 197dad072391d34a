/** A topic read from its beginning by our raw client, as fast as the broker gives it. */
import { batchLayout, batchPrefixBytes } from "../../src/record/batch-layout.ts";
import { readInt32, readInt64 } from "../../src/record/big-endian.ts";
import type { Broker } from "./broker.ts";
import { FetchClient } from "./fetch-stream.ts";

/** As Java's consumer asks: fetch.max.bytes and max.partition.fetch.bytes. */
const bytesMax = 50 * 1024 * 1024;
const partitionBytesMax = 1024 * 1024;

export interface FetchLoad {
  readonly topic: string;
  readonly partitions: number;
  /** Each reads its share of the partitions, one request under way. */
  readonly connections: number;
  /** Records that are there. */
  readonly records: number;
}

export interface FetchResult {
  readonly bytesPerSecond: number;
  readonly bytes: number;
  readonly requests: number;
}

export async function runFetchLoad(broker: Broker, load: FetchLoad): Promise<FetchResult> {
  const connections = Math.min(load.connections, load.partitions);
  const progress = { records: 0, bytes: 0, requests: 0 };
  const clients = await Promise.all(
    Array.from({ length: connections }, () => FetchClient.connect(broker)),
  );
  const since = performance.now();
  await Promise.all(
    clients.map(async (client, number) => {
      const next = new Map<number, number>();
      for (let each = number; each < load.partitions; each += connections) next.set(each, 0);
      while (progress.records < load.records) await fetchOnce(client, load.topic, next, progress);
    }),
  );
  const seconds = (performance.now() - since) / 1000;
  for (const client of clients) client.close();
  const { bytes, requests } = progress;
  return { bytes, requests, bytesPerSecond: bytes / seconds };
}

interface Progress {
  records: number;
  bytes: number;
  requests: number;
}

async function fetchOnce(
  client: FetchClient,
  topic: string,
  next: Map<number, number>,
  progress: Progress,
): Promise<void> {
  const partitions = await client.fetch({
    maxWaitMs: 100,
    minBytes: 1,
    maxBytes: bytesMax,
    topics: [
      {
        topic,
        partitions: Array.from(next, ([partition, fetchOffset]) => ({
          partition,
          fetchOffset,
          partitionMaxBytes: partitionBytesMax,
        })),
      },
    ],
  });
  progress.requests += 1;
  for (const { partition, bytes, records, nextOffset } of partitions) {
    progress.records += records;
    progress.bytes += bytes;
    if (records === 0) continue;
    next.delete(partition);
    // Served last the next time, as consumers do for fairness.
    next.set(partition, nextOffset);
  }
}

/** The whole batches of a record set; a broker may cut the last one. */
export function walk(bytes: Uint8Array): { nextOffset: number; count: number } {
  let nextOffset = -1;
  let count = 0;
  let position = 0;
  while (position + batchLayout.records <= bytes.length) {
    const end = position + batchPrefixBytes + readInt32(bytes, position + batchLayout.batchLength);
    if (end > bytes.length) break;
    const lastDelta = readInt32(bytes, position + batchLayout.lastOffsetDelta);
    nextOffset = readInt64(bytes, position) + lastDelta + 1;
    count += lastDelta + 1;
    position = end;
  }
  return { nextOffset, count };
}
