/**
 * Composes a worker of the log inside a Durable Object: R2, libSQL over HTTP, and the HTTP surface.
 * The requests of an object share one context of input and output, so one flush serves many.
 */
import { AnswerMemory } from "../../base/answer-memory.ts";
import { ByteBudget } from "../../base/byte-budget.ts";
import { crc32cReservedBytes } from "../../base/crc32c-kernel.ts";
import { Metrics } from "../../base/metrics.ts";
import { GroupCoordinator } from "../../group/coordinator.ts";
import { type FlushPolicy, objectFlushPolicy } from "../../log/flush-policy.ts";
import { Log } from "../../log/log.ts";
import { maintenanceDefaults } from "../../log/maintenance.ts";
import { createHttpApp } from "../../server/http/app.ts";
import { type R2Bucket, R2Store } from "../../store/r2-store.ts";
import { MetadataGroupLeases, MetadataGroupStore } from "../group-ports.ts";
import { openLibsqlServer } from "../node/libsql-server.ts";
import { version } from "../node/version.ts";
import { noSql } from "./no-sql.ts";
import { createConsoleLogger, createPlatform } from "./platform.ts";
import type { WorkerSettings } from "./settings.ts";

const MiB = 1024 * 1024;

/**
 * Of an isolate's 128 MB: 32 MiB lie in the memory of the checksum kernel, as much may be requests
 * and answers under way, and the code with its heap takes some 20.
 */
const flushBytes = 4 * MiB;
const blockBytes = 8 * MiB;
const budgetBytes = 16 * MiB;
const requestBytesMax = 8 * MiB;
const decompressedBytesMax = 16 * MiB;
const metadataTimeoutMs = 10_000;
const pageBytes = 65_536;

const flightsMax = objectFlushPolicy.flightsMax;
/** All flights, the segment that fills and the one that waits. */
const ringBytes = flushBytes * (flightsMax + 2);

export interface ObjectLog {
  answer(request: Request): Response | Promise<Response>;
  readonly log: Log;
}

export interface ObjectLogParts {
  readonly settings: WorkerSettings;
  readonly bucket: R2Bucket;
  /** The object among all that share the metadata. */
  readonly objectName: string;
}

/** Opens it; when that fails, opening it once more is safe. */
export async function openObjectLog(parts: ObjectLogParts): Promise<ObjectLog> {
  const { settings, objectName } = parts;
  const pages = Math.ceil((crc32cReservedBytes + ringBytes + blockBytes) / pageBytes);
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
  const logger = createConsoleLogger(settings.logLevel);
  const platform = createPlatform({ log: logger, memory });
  const metrics = new Metrics();
  const database = openLibsqlServer({
    url: settings.metadataUrl,
    authToken: settings.metadataToken ?? null,
    timeoutMs: metadataTimeoutMs,
  });
  const { bucket } = parts;
  const store = new R2Store({ bucket, prefix: settings.storePrefix ?? "", platform });
  const { autoCreateTopics, defaultPartitions: partitionCountDefault } = settings;
  const log = new Log({
    ...{ platform, metrics, store, database },
    shared: settings.hasPeers,
    flush: flushPolicyOf(settings),
    topics: { autoCreateTopics, partitionCountDefault },
    ring: new Uint8Array(memory.buffer, crc32cReservedBytes, ringBytes),
    blockMemory: [new Uint8Array(memory.buffer, crc32cReservedBytes + ringBytes, blockBytes)],
    queueBytesMax: budgetBytes,
    storeMayLoseTail: false,
    maintenance: maintenanceDefaults,
    worker: { kind: "durable_object", objectName, kafkaHost: "", kafkaPort: 0, httpUrl: "" },
    onEpochLost: () => groups.fence(),
  });
  const ports = {
    ...{ database, topics: log.topics, identity: log.session, objectName },
    cluster: () => log.cluster(),
    renew: (closedEpoch: number) => log.session.renew(closedEpoch),
  };
  const groups = new GroupCoordinator({
    platform,
    store: new MetadataGroupStore(ports),
    leases: new MetadataGroupLeases(ports),
  });
  await log.open();
  const app = createHttpApp({
    ...noSql,
    ...{ log, topics: log.topics, groups, platform, metrics },
    bodyBudget: new ByteBudget(budgetBytes),
    answerMemory: new AnswerMemory(budgetBytes),
    settings: {
      ...{ token: settings.token, origins: settings.origins, isLoopback: false },
      ...{ requestBytesMax, decompressedBytesMax, version },
    },
    // Nobody tells an object that it ends.
    shutdown: new AbortController().signal,
    fetch: (url, init) => fetch(url, init),
    status: () => "ok",
  });
  return { answer: (request) => app.fetch(request), log };
}

function flushPolicyOf({ flushAgeMs, flushRateMax }: WorkerSettings): FlushPolicy {
  const { sealBytes, flushBytes: fullBytes } = objectFlushPolicy;
  return {
    ...objectFlushPolicy,
    ...{ flushBytes, flushAgeMs },
    sealBytes: (sealBytes * flushBytes) / fullBytes,
    flushRateMax: flushRateMax ?? objectFlushPolicy.flushRateMax,
  };
}
