/** A whole log in one process, over a memory store and a passing database, for tests of `log/`. */
import { silentLogger } from "../../src/base/log.ts";
import { Metrics } from "../../src/base/metrics.ts";
import type { Platform } from "../../src/base/platform.ts";
import { folderFlushPolicy } from "../../src/log/flush-policy.ts";
import { Log } from "../../src/log/log.ts";
import type { LogOptions } from "../../src/log/log-options.ts";
import type { AppendBatch } from "../../src/log/log-types.ts";
import { maintenanceDefaults } from "../../src/log/maintenance.ts";
import type { TopicInfo } from "../../src/meta/catalog.ts";
import type { SqlDatabase } from "../../src/meta/sql-database.ts";
import { readBatchHeader } from "../../src/record/batch.ts";
import { encodeBatch } from "../../src/record/batch-encode.ts";
import { LibsqlConnection } from "../../src/runtime/node/libsql-connection.ts";
import { createPlatform } from "../../src/runtime/node/platform.ts";
import { MemoryStore } from "../../src/store/memory-store.ts";
import type { ObjectStore } from "../../src/store/object-store.ts";

export interface LogStack {
  readonly log: Log;
  readonly platform: Platform;
  readonly store: ObjectStore;
  readonly database: SqlDatabase;
  readonly metrics: Metrics;
}

/** libSQL in memory, answering on the spot: every batch is one transaction, as the port says. */
export function memoryDatabase(): SqlDatabase {
  const connection = new LibsqlConnection({ path: ":memory:", fsync: false });
  return {
    description: "libSQL in memory",
    batch: async (statements, mode) => connection.batch(statements, mode),
    close: async () => connection.close(),
  };
}

export async function openStack(parts: Partial<LogOptions> = {}): Promise<LogStack> {
  const platform = parts.platform ?? createPlatform({ log: silentLogger });
  const store = parts.store ?? new MemoryStore();
  const database = parts.database ?? memoryDatabase();
  const metrics = parts.metrics ?? new Metrics();
  const log = new Log({
    shared: false,
    flush: folderFlushPolicy,
    topics: { autoCreateTopics: true, partitionCountDefault: 1 },
    ring: new Uint8Array(1024 * 1024),
    blockMemory: [new Uint8Array(8 * 1024 * 1024)],
    queueBytesMax: 16 * 1024 * 1024,
    storeMayLoseTail: false,
    maintenance: maintenanceDefaults,
    worker: { kind: "process", kafkaHost: "127.0.0.1", kafkaPort: 9092, httpUrl: "" },
    ...parts,
    platform,
    store,
    database,
    metrics,
  });
  await log.open();
  return { log, platform, store, database, metrics };
}

/** For a log whose records soon lie in blocks alone, which queries in threads can hold. */
export function lentBlocks(): Partial<LogOptions> {
  return {
    ...{ ring: new Uint8Array(128 * 1024), hasThreads: true, lentBytesMin: 1 },
    blockMemory: [new Uint8Array(new SharedArrayBuffer(8 * 1024 * 1024))],
  };
}

/** The same, whose tasks walk and sum stored batches themselves. */
export function storedStretches(): Partial<LogOptions> {
  return { ...lentBlocks(), threadsSum: true };
}

/** Of blocks that queries hold now. */
export function lentBytes({ metrics }: Pick<LogStack, "metrics">): number {
  metrics.print();
  return metrics.gauge({ name: "millrace_block_cache_lent_bytes", help: "" }).value;
}

export interface BatchOptions {
  readonly partition?: number;
  readonly producer?: { id: number; epoch?: number; sequence: number };
  readonly timestamp?: number;
  readonly valueBytes?: number;
}

/** A batch of one record per value, whose bytes are its own. */
export function batchOf(
  stack: Pick<LogStack, "platform">,
  topic: TopicInfo,
  values: readonly string[],
  options: BatchOptions = {},
): AppendBatch {
  const encoder = new TextEncoder();
  const timestamp = options.timestamp ?? 1_000;
  const bytes = encodeBatch(
    {
      records: values.map((value, index) => ({
        timestamp: timestamp + index,
        key: null,
        value: encoder.encode(value.padEnd(options.valueBytes ?? 0, ".")),
      })),
      codec: "none",
      ...(options.producer && {
        producerId: options.producer.id,
        producerEpoch: options.producer.epoch ?? 0,
        baseSequence: options.producer.sequence,
      }),
    },
    stack.platform,
  );
  return { topic, partition: options.partition ?? 0, bytes, header: readBatchHeader(bytes) };
}
