/**
 * Composes a worker of the log inside a Durable Object: R2, libSQL over HTTP, and the HTTP surface.
 * The requests of an object share one context of input and output, so one flush serves many.
 */
import { AnswerMemory } from "../../base/answer-memory.ts";
import { ByteBudget } from "../../base/byte-budget.ts";
import { crc32cReservedBytes } from "../../base/crc32c-kernel.ts";
import { Metrics } from "../../base/metrics.ts";
import { GroupCoordinator } from "../../group/coordinator.ts";
import type { GroupService } from "../../group/group-service.ts";
import { type FlushPolicy, objectFlushPolicy } from "../../log/flush-policy.ts";
import { Log } from "../../log/log.ts";
import { maintenanceDefaults } from "../../log/maintenance.ts";
import { MetadataAccessTokens } from "../../meta/access-tokens.ts";
import { createHttpApp } from "../../server/http/app.ts";
import type { OpenKafka } from "../../server/http/context.ts";
import { type R2Bucket, R2Store } from "../../store/r2-store.ts";
import { MetadataGroupLeases, MetadataGroupStore } from "../group-ports.ts";
import { openLibsqlServer } from "../node/libsql-server.ts";
import { version } from "../node/version.ts";
import { BlockProducerIds } from "../producer-ids.ts";
import type { LogObjects } from "./bindings.ts";
import { clientText } from "./client-text.ts";
import { groupsInObjects } from "./group-calls.ts";
import type { ObjectRole } from "./object-roles.ts";
import { createConsoleLogger, createPlatform } from "./platform.ts";
import type { WorkerSettings } from "./settings.ts";
import { openObjectSql } from "./sql.ts";
import { upgradeSocket } from "./upgrade-socket.ts";

const MiB = 1024 * 1024;

const requestBytesMax = 8 * MiB;
const decompressedBytesMax = 16 * MiB;
const metadataTimeoutMs = 10_000;
const pageBytes = 65_536;

export interface ObjectLog {
  answer(request: Request): Response | Promise<Response>;
  readonly log: Log;
  /** Of its own coordinator. */
  readonly groups: GroupService;
  /** It must be woken when it was put to sleep. */
  readonly runsQueries: boolean;
}

export interface ObjectLogParts {
  readonly role: ObjectRole;
  readonly settings: WorkerSettings;
  readonly bucket: R2Bucket;
  readonly groupObjects: LogObjects;
  /** The object among all that share the metadata. */
  readonly objectName: string;
}

/** Opens it; when that fails, opening it once more is safe. */
export async function openObjectLog(parts: ObjectLogParts): Promise<ObjectLog> {
  const { role, settings, objectName } = parts;
  const { memory, ring, blocks } = recordMemoryOf(role);
  const runsQueries = role.runsQueries && settings.queries;
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
    shared: settings.hasPeers || role.hasPeers,
    flush: flushPolicyOf(settings, role),
    topics: { autoCreateTopics, partitionCountDefault },
    ring,
    blockMemory: [blocks],
    queueBytesMax: role.budgetBytes,
    storeMayLoseTail: false,
    maintenance: maintenanceDefaults,
    worker: { kind: "durable_object", objectName, kafkaHost: "", kafkaPort: 0, httpUrl: "" },
    onEpochLost: () => {
      groups.fence();
      sql.engine.manager.fence();
    },
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
  const sql = openObjectSql({ platform, metrics, database, log }, { runsQueries });
  await log.open();
  if (runsQueries) sql.engine.manager.start();
  const shared = {
    ...{ log, topics: log.topics, platform, metrics },
    answerMemory: new AnswerMemory(role.budgetBytes),
  };
  const requestBudget = new ByteBudget(role.budgetBytes);
  // Nobody tells an object that it ends.
  const shutdown = new AbortController().signal;
  let kafka: Promise<OpenKafka> | undefined;
  const openKafka = async () => {
    const { openObjectKafka } = await import("./kafka.ts");
    return openObjectKafka(
      {
        ...{ ...shared, requestBudget },
        groups: groupsInObjects(parts.groupObjects, groups),
        producerIds: new BlockProducerIds(database),
        settings: {
          ...{ token: settings.token ?? null, autoCreateTopics, partitionCountDefault },
          ...{ requestBytesMax, decompressedBytesMax },
        },
      },
      shutdown,
    );
  };
  const app = createHttpApp({
    clientScript: clientText,
    ...sql.http,
    ...{ ...shared, groups, shutdown },
    tokens: new MetadataAccessTokens(database),
    bodyBudget: requestBudget,
    settings: {
      ...{ token: settings.token, origins: settings.origins, isLoopback: false },
      publicTopics: settings.publicTopics,
      ...{ requestBytesMax, decompressedBytesMax, version },
    },
    upgradeSocket,
    openKafka: async (tunnel) => {
      kafka ??= openKafka();
      return (await kafka)(tunnel);
    },
    fetch: (url, init) => fetch(url, init),
    status: () => "ok",
  });
  return { answer: (request) => app.fetch(request), log, groups, runsQueries };
}

/** Ring and blocks lie in the memory of the checksum kernel, which so sums them in place. */
function recordMemoryOf({ flushBytes, blockBytes }: ObjectRole) {
  // All flights, the segment that fills and the one that waits.
  const ringBytes = flushBytes * (objectFlushPolicy.flightsMax + 2);
  const pages = Math.ceil((crc32cReservedBytes + ringBytes + blockBytes) / pageBytes);
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
  const ring = new Uint8Array(memory.buffer, crc32cReservedBytes, ringBytes);
  const blocks = new Uint8Array(memory.buffer, crc32cReservedBytes + ringBytes, blockBytes);
  return { memory, ring, blocks };
}

function flushPolicyOf(
  { flushAgeMs, flushRateMax }: WorkerSettings,
  { flushBytes }: ObjectRole,
): FlushPolicy {
  const { sealBytes, flushBytes: fullBytes } = objectFlushPolicy;
  return {
    ...objectFlushPolicy,
    ...{ flushBytes, flushAgeMs },
    sealBytes: (sealBytes * flushBytes) / fullBytes,
    flushRateMax: flushRateMax ?? objectFlushPolicy.flushRateMax,
  };
}
