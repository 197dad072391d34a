/**
 * One worker: store, log, groups, HTTP and Kafka, started and stopped in order. First the sockets,
 * since the log tells peers which ports they have; then the log; then requests are answered.
 */
import { AnswerMemory } from "../../base/answer-memory.ts";
import { ByteBudget } from "../../base/byte-budget.ts";
import { FrameMemory } from "../../base/frame-memory.ts";
import { Metrics } from "../../base/metrics.ts";
import { GroupCoordinator } from "../../group/coordinator.ts";
import type { GroupService } from "../../group/group-service.ts";
import type { WorkerAddress } from "../../group/group-store.ts";
import { Log } from "../../log/log.ts";
import { maintenanceDefaults } from "../../log/maintenance.ts";
import { MetadataAccessTokens } from "../../meta/access-tokens.ts";
import type { SqlDatabase } from "../../meta/sql-database.ts";
import { createHttpSurface } from "../../server/http/app.ts";
import type { HttpContext } from "../../server/http/context.ts";
import { mountGroupCalls } from "../../server/http/group-calls.ts";
import { peerGroups } from "../../server/http/peer-groups.ts";
import type { KafkaContext } from "../../server/kafka/context.ts";
import { createKafkaContext } from "../../server/kafka/create-context.ts";
import { requestBytesMaxDefault } from "../../server/kafka/limits.ts";
import type { ObjectStore } from "../../store/object-store.ts";
import { watchGroupLag } from "../group-lag.ts";
import { MetadataGroupLeases, MetadataGroupStore } from "../group-ports.ts";
import type { HttpListener } from "../http-listener.ts";
import { kafkaTunnels } from "../kafka-tunnels.ts";
import { BlockProducerIds } from "../producer-ids.ts";
import { isLoopback, type Settings } from "../settings.ts";
import { SqlEngine } from "../sql-engine.ts";
import { bind, reachable } from "./bind.ts";
import { readClientScript } from "./client-script.ts";
import { flushPolicy } from "./flush-settings.ts";
import { InflateThread } from "./inflate-thread.ts";
import { KafkaService } from "./kafka-service.ts";
import { MemoryWatch } from "./memory-watch.ts";
import { openStore } from "./open-store.ts";
import { showHostPort } from "./option-kinds.ts";
import type { NodePlatform } from "./platform.ts";
import { residentBytes } from "./resident-bytes.ts";
import type { RunningServer, RuntimeParts } from "./running-server.ts";
import type { SegmentFolder } from "./task-messages.ts";
import { TaskThreads } from "./task-threads.ts";
import { version } from "./version.ts";
import { startViewThread } from "./view-thread.ts";

/** HTTP bodies, compressed or not: sixteen of the largest records that Kafka takes by default. */
const httpRequestBytesMax = 16 * 1024 * 1024;
/** A batch read for JSON readers, decompressed. */
const decompressedBytesMax = 64 * 1024 * 1024;
/** Requests under way at the stop are given so long. */
const drainMsMax = 10_000;
/** Received over Kafka connections and not looked at yet: a quarter of the queue, but not less. */
const unreadBytesMin = 4 * 1024 * 1024;
/** What a worker takes that does nothing, with room for its code to warm up. */
const residentBaseBytes = 150_000_000;
/** Scans and queries without a view that run at a time for clients. */
const statementTasksMax = 32;
/** Between looks for expired offsets of groups. */
const groupSweepMs = 300_000;

/** What a worker is made of; the database and the ring are there before it. */
export interface WorkerParts {
  readonly settings: Settings;
  readonly runtime: RuntimeParts;
  readonly platform: NodePlatform;
  readonly ring: Uint8Array;
  readonly blocks: readonly Uint8Array[];
  readonly frames: Uint8Array;
  readonly database: SqlDatabase;
}

export class Worker implements RunningServer {
  readonly metrics = new Metrics();
  readonly #parts: WorkerParts;
  readonly #shutdown = new AbortController();
  /** HTTP and Kafka share them: the bounds are the worker's. */
  readonly #requestBudget: ByteBudget;
  readonly #answerMemory: AnswerMemory;
  readonly #inflater = new InflateThread();
  /** Undefined where the runtime does not let us collect garbage. */
  readonly #memory: MemoryWatch | undefined;
  #status: "starting" | "ok" | "stopping" = "starting";
  #store: ObjectStore | undefined;
  #http: HttpListener | undefined;
  readonly #kafka: KafkaService;
  #log: Log | undefined;
  #groups: GroupCoordinator | undefined;
  #sql: SqlEngine | undefined;
  #threads: TaskThreads | undefined;
  #answer: (request: Request) => Response | Promise<Response> = () => stillStarting();
  #stopping: Promise<void> | undefined;
  #sweeping: Promise<unknown> | undefined;
  #watching: Promise<void> | undefined;

  constructor(parts: WorkerParts) {
    this.#parts = parts;
    const { queueBytes } = parts.settings;
    this.#requestBudget = new ByteBudget(queueBytes);
    this.#answerMemory = new AnswerMemory(queueBytes);
    this.#memory = memoryWatch(parts, () => this.#threads?.memoryBytes ?? 0);
    this.#kafka = new KafkaService(this.#shutdown.signal);
  }

  get httpPort(): number {
    return this.#http?.port ?? 0;
  }

  get httpUrl(): string {
    const { host } = this.#parts.settings.http;
    return `http://${showHostPort({ host: reachable(host), port: this.httpPort })}`;
  }

  get kafkaPort(): number | undefined {
    return this.#parts.settings.kafka === "off" ? undefined : this.#kafka.port;
  }

  get storeDescription(): string {
    return this.#store?.description ?? "";
  }

  get metadataDescription(): string {
    return this.#parts.database.description;
  }

  async start(): Promise<void> {
    const { settings, platform, database, runtime } = this.#parts;
    const { signal } = this.#shutdown;
    const store = await openStore(settings, platform, runtime.storeFetch);
    this.#store = store;
    await this.#listen();
    const log = new Log(this.#logOptions(store));
    await log.open();
    this.#log = log;
    const ports = {
      database,
      topics: log.topics,
      identity: log.session,
      cluster: () => log.cluster(),
    };
    const groups = new GroupCoordinator({
      platform,
      store: new MetadataGroupStore(ports),
      leases: new MetadataGroupLeases(ports),
    });
    this.#groups = groups;
    const threads = new TaskThreads(platform.timers, this.#segmentFolder());
    this.#threads = threads;
    const sql = new SqlEngine({
      ...{ platform, metrics: this.metrics, database, log, statementTasksMax },
      startTask: threads.start,
      prepareTask: () => threads.prepare(),
      startViews: startViewThread,
      viewSettings: {
        memoryBytesMax: settings.viewMemoryBytes,
        idleMs: settings.viewIdleMs,
        changesMax: settings.viewChangesMax,
      },
    });
    this.#sql = sql;
    const kafka = this.#kafkaContext(log, groups);
    this.#serveHttp({ log, groups, sql, kafka });
    this.#kafka.serve(kafka);
    this.#sweeping = Promise.all([this.#sweep(groups), this.#memory?.run(platform.timers, signal)]);
    this.#watching = watchGroupLag({ platform, database, metrics: this.metrics }, signal);
    void this.#checkStore(store);
    sql.manager.start();
    this.#status = "ok";
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  /** Gives back what a start that failed has taken. */
  async abandon(): Promise<void> {
    this.#shutdown.abort();
    await Promise.allSettled([this.#http?.close(), this.#kafka.close()]);
    this.#inflater.close();
    await this.#parts.database.close();
    await this.#store?.close();
  }

  async #listen(): Promise<void> {
    const { settings, runtime } = this.#parts;
    const { host, port } = settings.http;
    this.#http = await bind("HTTP", settings.http, () =>
      runtime.listenHttp({
        host,
        port,
        requestBytesMax: httpRequestBytesMax,
        fetch: (request) => this.#answer(request),
      }),
    );
    const { kafka } = settings;
    if (kafka === "off") return;
    const unreadBytesMax = Math.max(unreadBytesMin, settings.queueBytes / 4);
    const { host: kafkaHost, port: kafkaPort } = kafka;
    const onReceived = (bytes: number) => this.#memory?.received(bytes);
    const tcp = { host: kafkaHost, port: kafkaPort, unreadBytesMax, onReceived };
    await bind("Kafka", kafka, () => this.#kafka.listen(runtime.listenTcp, tcp));
  }

  /** Whose segments queries' threads read by themselves (ADR 57). */
  #segmentFolder(): SegmentFolder | null {
    const { settings, runtime } = this.#parts;
    // Elsewhere reads go through buffers of the runtime's, and are copied.
    if (settings.store.kind !== "folder" || !runtime.copiesPlainKernelMemory) return null;
    return { directory: settings.store.directory };
  }

  #logOptions(store: ObjectStore): ConstructorParameters<typeof Log>[0] {
    const { settings, platform, database, ring, blocks } = this.#parts;
    const { kafka, kafkaAdvertised } = settings;
    const kafkaHost = kafkaAdvertised?.host ?? (kafka === "off" ? "" : reachable(kafka.host));
    return {
      platform,
      metrics: this.metrics,
      store,
      database,
      shared: settings.metadata.kind === "server",
      hasThreads: true,
      threadsSum: true,
      inflater: this.#inflater,
      flush: flushPolicy(settings),
      topics: {
        autoCreateTopics: settings.autoCreateTopics,
        partitionCountDefault: settings.defaultPartitions,
      },
      ring,
      blockMemory: blocks,
      queueBytesMax: settings.queueBytes,
      storeMayLoseTail: settings.store.kind === "folder",
      maintenance: maintenanceDefaults,
      onEpochLost: () => {
        this.#groups?.fence();
        this.#sql?.manager.fence();
      },
      worker: {
        kind: "process",
        kafkaHost,
        kafkaPort: kafkaAdvertised?.port ?? this.kafkaPort ?? 0,
        httpUrl: this.httpUrl,
      },
    };
  }

  #serveHttp(parts: {
    readonly log: Log;
    readonly groups: GroupCoordinator;
    readonly sql: SqlEngine;
    readonly kafka: KafkaContext;
  }): void {
    const { settings, platform, database } = this.#parts;
    const { log, groups, sql, kafka } = parts;
    const context: HttpContext = {
      clientScript: readClientScript,
      log,
      topics: log.topics,
      groups,
      tokens: new MetadataAccessTokens(database),
      sql: sql.service,
      queries: sql.queries,
      platform,
      metrics: this.metrics,
      bodyBudget: this.#requestBudget,
      answerMemory: this.#answerMemory,
      settings: {
        token: settings.token,
        origins: settings.origins,
        publicTopics: settings.publicTopics,
        isLoopback: isLoopback(settings.http.host),
        requestBytesMax: httpRequestBytesMax,
        decompressedBytesMax,
        version,
      },
      shutdown: this.#shutdown.signal,
      upgradeSocket: this.#http?.upgradeSocket,
      openKafka: kafkaTunnels(
        // Whose client has one address for all workers.
        { ...kafka, groups: this.#peerGroups({ log, groups }, () => true) },
        (duplex, own) => this.#kafka.accept(duplex, own),
      ),
      fetch: (url, init) => fetch(url, init),
      status: () => this.#status,
    };
    const surface = createHttpSurface(context);
    mountGroupCalls(surface, context);
    this.#answer = (request) => surface.app.fetch(request);
  }

  #peerGroups(
    { log, groups }: { readonly log: Log; readonly groups: GroupCoordinator },
    passesTo: (worker: WorkerAddress) => boolean,
  ): GroupService {
    const { platform, settings } = this.#parts;
    return peerGroups({
      ...{ local: groups, log, platform, token: settings.token, passesTo },
      shutdown: this.#shutdown.signal,
      fetch: (url, init) => fetch(url, init),
    });
  }

  #kafkaContext(log: Log, groups: GroupCoordinator): KafkaContext {
    const { settings, platform, database } = this.#parts;
    // Behind one address, as of a balancer, a client cannot go to a coordinator by itself, nor to
    // one that does not listen for Kafka.
    const isOutOfReach = ({ host, port }: WorkerAddress) => {
      const { nodes, selfNodeId } = log.cluster();
      const self = nodes.find(({ nodeId }) => nodeId === selfNodeId);
      return host === "" || (self?.kafkaHost === host && self.kafkaPort === port);
    };
    return createKafkaContext({
      platform,
      metrics: this.metrics,
      log,
      topics: log.topics,
      groups: this.#peerGroups({ log, groups }, isOutOfReach),
      producerIds: new BlockProducerIds(database),
      settings: {
        requestBytesMax: Math.min(requestBytesMaxDefault, settings.queueBytes),
        token: settings.token ?? null,
        autoCreateTopics: settings.autoCreateTopics,
        partitionCountDefault: settings.defaultPartitions,
        decompressedBytesMax,
      },
      requestBudget: this.#requestBudget,
      answerMemory: this.#answerMemory,
      frameBuffers: new FrameMemory(this.#parts.frames),
    });
  }

  /** A wrong bucket or key shows now, not at the first record. The worker lives on: it may pass. */
  async #checkStore(store: ObjectStore): Promise<void> {
    if (this.#parts.settings.store.kind !== "s3") return;
    try {
      await store.sizeOf("start-up-check");
    } catch (error) {
      this.#parts.platform.log.warn("The store does not answer; records cannot be stored", {
        error,
      });
    }
  }

  async #sweep(groups: GroupCoordinator): Promise<void> {
    const { timers, log } = this.#parts.platform;
    const { signal } = this.#shutdown;
    for (;;) {
      await timers.sleep(groupSweepMs, signal);
      if (signal.aborted) return;
      await groups.sweep().catch((error: unknown) => {
        log.warn("Cannot look for expired offsets of groups; the next round will", { error });
      });
    }
  }

  async #stop(): Promise<void> {
    const { platform, database } = this.#parts;
    this.#status = "stopping";
    const http = this.#http?.drain();
    const kafka = this.#kafka.stopAccepting();
    this.#shutdown.abort();
    const drained = Promise.allSettled([
      http,
      kafka,
      this.#kafka.drained(),
      this.#sweeping,
      this.#watching,
    ]);
    const late = new AbortController();
    const deadline = platform.timers.sleep(drainMsMax, late.signal);
    await Promise.race([drained, deadline]);
    late.abort();
    await Promise.allSettled([this.#http?.close(), this.#kafka.close()]);
    // Peers hear of it first: groups that are given up must not be sent here again.
    // Queries publish what they have made, so they end before the log does.
    for (const leave of [
      () => this.#log?.session.drain(),
      () => this.#groups?.close(),
      () => this.#sql?.close(),
    ]) {
      await leave()?.catch((error: unknown) => {
        platform.log.warn("Cannot take leave of peers; they will notice", { error });
      });
    }
    this.#threads?.close();
    await this.#log?.close();
    this.#inflater.close();
    await database.close();
    await this.#store?.close();
  }
}

/**
 * Garbage may take what the base and half of the queues leave, or else what lives leaves.
 * `tasksBytes`: what queries hold, which is bounded by their settings. To collect here for it would
 * free nothing, again and again.
 */
function memoryWatch(
  { settings, runtime }: WorkerParts,
  tasksBytes: () => number,
): MemoryWatch | undefined {
  const { cacheBytes, queueBytes } = settings;
  if (runtime.collectGarbage === undefined) return undefined;
  return new MemoryWatch({
    limitBytes: residentBaseBytes + cacheBytes + queueBytes / 2,
    boundBytes: residentBaseBytes + cacheBytes + queueBytes * 2,
    resident: () => residentBytes() - tasksBytes(),
    collect: runtime.collectGarbage,
  });
}

function stillStarting(): Response {
  return Response.json({ status: "starting" }, { status: 503, headers: { "Retry-After": "1" } });
}
