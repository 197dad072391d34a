/**
 * A worker of the log on workerd: the HTTP surface in a Durable Object, over a store in memory and
 * metadata in libSQL over HTTP. An object's requests share one context of input and output, so a
 * flush may serve several of them, and the log's timers outlive each.
 */
import { DurableObject, type DurableObjectState } from "cloudflare:workers";
import { AnswerMemory } from "../../../src/base/answer-memory.ts";
import { ByteBudget } from "../../../src/base/byte-budget.ts";
import { crc32cReservedBytes } from "../../../src/base/crc32c-kernel.ts";
import { Metrics } from "../../../src/base/metrics.ts";
import { GroupCoordinator } from "../../../src/group/coordinator.ts";
import { folderFlushPolicy } from "../../../src/log/flush-policy.ts";
import { Log } from "../../../src/log/log.ts";
import { maintenanceDefaults } from "../../../src/log/maintenance.ts";
import { MetadataAccessTokens } from "../../../src/meta/access-tokens.ts";
import { readBatchHeader } from "../../../src/record/batch.ts";
import { validateBatch } from "../../../src/record/batch-validate.ts";
import { MetadataGroupLeases, MetadataGroupStore } from "../../../src/runtime/group-ports.ts";
import { openLibsqlServer } from "../../../src/runtime/node/libsql-server.ts";
import { createConsoleLogger } from "../../../src/runtime/workerd/console-log.ts";
import { createPlatform } from "../../../src/runtime/workerd/platform.ts";
import { createHttpApp } from "../../../src/server/http/app.ts";
import { MemoryStore } from "../../../src/store/memory-store.ts";
import { noSql } from "../../support/no-sql.ts";
import { sqlCheck } from "./sql-check.ts";

interface Bindings {
  readonly METADATA_URL: string;
  readonly LOG: { getByName(name: string): { fetch(request: Request): Promise<Response> } };
}

const ringBytes = 16 * 1024 * 1024;
const budgetBytes = 16 * 1024 * 1024;
const pageBytes = 65_536;

type Answer = (request: Request) => Response | Promise<Response>;

export class LogObject extends DurableObject<Bindings> {
  readonly #opened: Promise<Answer>;

  constructor(state: DurableObjectState, bindings: Bindings) {
    super(state, bindings);
    this.#opened = openLog(bindings);
  }

  async fetch(request: Request): Promise<Response> {
    const answer = await this.#opened;
    return answer(request);
  }
}

async function openLog(bindings: Bindings): Promise<Answer> {
  const pages = (crc32cReservedBytes + ringBytes) / pageBytes;
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
  const platform = createPlatform({ log: createConsoleLogger("info"), memory });
  const metrics = new Metrics();
  const database = openLibsqlServer({
    url: bindings.METADATA_URL,
    authToken: null,
    timeoutMs: 10_000,
  });
  const log = new Log({
    platform,
    metrics,
    store: new MemoryStore(),
    database,
    shared: true,
    flush: { ...folderFlushPolicy, flushBytes: 1024 * 1024 },
    topics: { autoCreateTopics: false, partitionCountDefault: 1 },
    ring: new Uint8Array(memory.buffer, crc32cReservedBytes),
    blockMemory: [new Uint8Array(4 * 1024 * 1024)],
    queueBytesMax: budgetBytes,
    storeMayLoseTail: false,
    maintenance: maintenanceDefaults,
    worker: { kind: "durable_object", kafkaHost: "", kafkaPort: 0, httpUrl: "" },
  });
  await log.open();
  const ports = {
    database,
    topics: log.topics,
    identity: log.session,
    cluster: () => log.cluster(),
  };
  const app = createHttpApp({
    clientScript: () => "",
    ...noSql,
    log,
    topics: log.topics,
    groups: new GroupCoordinator({
      platform,
      store: new MetadataGroupStore(ports),
      leases: new MetadataGroupLeases(ports),
    }),
    tokens: new MetadataAccessTokens(database),
    platform,
    metrics,
    bodyBudget: new ByteBudget(budgetBytes),
    answerMemory: new AnswerMemory(budgetBytes),
    settings: {
      token: undefined,
      origins: [],
      publicTopics: [],
      isLoopback: true,
      requestBytesMax: 8 * 1024 * 1024,
      decompressedBytesMax: 16 * 1024 * 1024,
      version: "0.0.0",
    },
    shutdown: new AbortController().signal,
    upgradeSocket: undefined,
    fetch: (url, init) => fetch(url, init),
    status: () => "ok",
  });
  const validation = { ...platform, decompressedBytesMax: 16 * 1024 * 1024 };
  return async (request) => {
    const { pathname } = new URL(request.url);
    if (pathname === "/sql-check") return Response.json(sqlCheck());
    const batchTopic = /^\/batches\/([^/]+)$/.exec(pathname)?.[1];
    if (batchTopic === undefined) return app.fetch(request);
    // A record batch as a Kafka client sends it: workerd has no Kafka listener of its own yet.
    const topic = await log.topics.byName(batchTopic);
    if (topic === undefined) return new Response("no such topic", { status: 404 });
    const bytes = new Uint8Array(await request.arrayBuffer());
    validateBatch(bytes, validation);
    const batch = { topic, partition: 0, bytes, header: readBatchHeader(bytes) };
    return Response.json(await log.append(batch));
  };
}

export default {
  fetch(request: Request, { LOG }: Bindings): Promise<Response> {
    return LOG.getByName("the log").fetch(request);
  },
};
