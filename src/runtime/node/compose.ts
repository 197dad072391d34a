/**
 * A worker put together from its settings: store, metadata, log, groups, HTTP and Kafka. Shared by
 * Bun and Deno, which bring their sockets; both have node's APIs for the rest.
 *
 * Order of the start: the metadata first, since a second process must be refused before it touches
 * anything; then the sockets, since the log tells peers which ports they have; then the log.
 */
import { hostname } from "node:os";
import { AnswerMemory } from "../../base/answer-memory.ts";
import { ByteBudget } from "../../base/byte-budget.ts";
import type { Logger } from "../../base/log.ts";
import { Metrics } from "../../base/metrics.ts";
import { isStreamError } from "../../base/stream-error.ts";
import { GroupCoordinator } from "../../group/coordinator.ts";
import { type FlushPolicy, folderFlushPolicy, objectFlushPolicy } from "../../log/flush-policy.ts";
import { Log } from "../../log/log.ts";
import { maintenanceDefaults } from "../../log/maintenance.ts";
import type { SqlDatabase } from "../../meta/sql-database.ts";
import { createHttpApp } from "../../server/http/app.ts";
import type { KafkaContext } from "../../server/kafka/context.ts";
import { createKafkaContext } from "../../server/kafka/create-context.ts";
import { requestBytesMaxDefault } from "../../server/kafka/limits.ts";
import type { ObjectStore } from "../../store/object-store.ts";
import { watchGroupLag } from "../group-lag.ts";
import { MetadataGroupLeases, MetadataGroupStore } from "../group-ports.ts";
import type { HttpListener, ListenHttp } from "../http-listener.ts";
import { BlockProducerIds } from "../producer-ids.ts";
import { isLoopback, type Settings } from "../settings.ts";
import { StartupError } from "../startup-error.ts";
import type { TcpListener, TcpListenOptions } from "../tcp-listener.ts";
import { KafkaService } from "./kafka-service.ts";
import { MemoryWatch } from "./memory-watch.ts";
import { openDatabase } from "./open-database.ts";
import { openStore } from "./open-store.ts";
import { type HostPort, showHostPort } from "./option-kinds.ts";
import { createPlatform, type NodePlatform } from "./platform.ts";
import { recordMemory } from "./record-memory.ts";
import { residentBytes } from "./resident-bytes.ts";
import { version } from "./version.ts";

/** What a runtime brings. */
export interface RuntimeParts {
  readonly listenHttp: ListenHttp;
  /**
   * Files are read into plain WebAssembly memory, and written from it, through buffers of the
   * runtime, but directly where that memory is shared.
   */
  readonly copiesPlainKernelMemory?: boolean;
  readonly listenTcp: (options: TcpListenOptions) => Promise<TcpListener>;
  /** Collects garbage now, all of it; absent where the runtime does not let us. */
  readonly collectGarbage?: () => void;
}

/** A worker that takes requests. */
export interface RunningServer {
  readonly httpUrl: string;
  readonly httpPort: number;
  /** Undefined when Kafka is off. */
  readonly kafkaPort: number | undefined;
  /** For start-up lines; they hold no secret. */
  readonly storeDescription: string;
  readonly metadataDescription: string;
  readonly metrics: Metrics;
  /**
   * Stops accepting, flushes, acknowledges, leaves the worker list and closes. Idempotent. Requests
   * that take longer than ten seconds are broken off.
   */
  stop(): Promise<void>;
}

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
/** Between looks for expired offsets of groups. */
const groupSweepMs = 300_000;

/**
 * Starts a worker; resolves when it takes requests.
 * @throws StartupError with what to do about it.
 */
export async function startServer(
  settings: Settings,
  runtime: RuntimeParts,
  logger: Logger,
): Promise<RunningServer> {
  const { memory, ring, blocks } = recordMemory(settings.cacheBytes, {
    policy: flushPolicy(settings),
    shared: runtime.copiesPlainKernelMemory === true && settings.store.kind === "folder",
  });
  const platform = createPlatform({ log: logger, memory });
  const database = await startDatabase(settings);
  const worker = new Worker({ settings, runtime, platform, ring, blocks, database });
  try {
    await worker.start();
  } catch (error) {
    await worker.abandon();
    throw startupError(error);
  }
  return worker;
}

async function startDatabase(settings: Settings): Promise<SqlDatabase> {
  try {
    return await openDatabase(settings);
  } catch (error) {
    throw startupError(error);
  }
}

interface WorkerParts {
  readonly settings: Settings;
  readonly runtime: RuntimeParts;
  readonly platform: NodePlatform;
  readonly ring: Uint8Array;
  readonly blocks: readonly Uint8Array[];
  readonly database: SqlDatabase;
}

class Worker implements RunningServer {
  readonly metrics = new Metrics();
  readonly #parts: WorkerParts;
  readonly #shutdown = new AbortController();
  /** HTTP and Kafka share them: the bounds are the worker's. */
  readonly #requestBudget: ByteBudget;
  readonly #answerMemory: AnswerMemory;
  /** Undefined where the runtime does not let us collect garbage. */
  readonly #memory: MemoryWatch | undefined;
  #status: "starting" | "ok" | "stopping" = "starting";
  #store: ObjectStore | undefined;
  #http: HttpListener | undefined;
  #kafka: KafkaService | undefined;
  #log: Log | undefined;
  #groups: GroupCoordinator | undefined;
  #answer: (request: Request) => Response | Promise<Response> = () => stillStarting();
  #stopping: Promise<void> | undefined;
  #sweeping: Promise<unknown> | undefined;
  #watching: Promise<void> | undefined;

  constructor(parts: WorkerParts) {
    this.#parts = parts;
    const { queueBytes } = parts.settings;
    this.#requestBudget = new ByteBudget(queueBytes);
    this.#answerMemory = new AnswerMemory(queueBytes);
    this.#memory = memoryWatch(parts);
  }

  get httpPort(): number {
    return this.#http?.port ?? 0;
  }

  get httpUrl(): string {
    const { host } = this.#parts.settings.http;
    return `http://${showHostPort({ host: reachable(host), port: this.httpPort })}`;
  }

  get kafkaPort(): number | undefined {
    return this.#kafka?.port;
  }

  get storeDescription(): string {
    return this.#store?.description ?? "";
  }

  get metadataDescription(): string {
    return this.#parts.database.description;
  }

  async start(): Promise<void> {
    const { settings, platform, database } = this.#parts;
    const { signal } = this.#shutdown;
    const store = await openStore(settings, platform);
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
    this.#serveHttp(log, groups);
    this.#kafka?.serve(this.#kafkaContext(log, groups));
    this.#sweeping = Promise.all([this.#sweep(groups), this.#memory?.run(platform.timers, signal)]);
    this.#watching = watchGroupLag({ platform, database, metrics: this.metrics }, signal);
    void this.#checkStore(store);
    this.#status = "ok";
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  /** Gives back what a start that failed has taken. */
  async abandon(): Promise<void> {
    this.#shutdown.abort();
    await Promise.allSettled([this.#http?.close(), this.#kafka?.close()]);
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
    const service = new KafkaService(this.#shutdown.signal);
    const unreadBytesMax = Math.max(unreadBytesMin, settings.queueBytes / 4);
    const { host: kafkaHost, port: kafkaPort } = kafka;
    const onReceived = (bytes: number) => this.#memory?.received(bytes);
    const tcp = { host: kafkaHost, port: kafkaPort, unreadBytesMax, onReceived };
    await bind("Kafka", kafka, () => service.listen(runtime.listenTcp, tcp));
    this.#kafka = service;
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
      onEpochLost: () => this.#groups?.fence(),
      worker: {
        kind: "process",
        kafkaHost,
        kafkaPort: kafkaAdvertised?.port ?? this.kafkaPort ?? 0,
        httpUrl: this.httpUrl,
      },
    };
  }

  #serveHttp(log: Log, groups: GroupCoordinator): void {
    const { settings, platform } = this.#parts;
    const app = createHttpApp({
      log,
      topics: log.topics,
      groups,
      platform,
      metrics: this.metrics,
      bodyBudget: this.#requestBudget,
      answerMemory: this.#answerMemory,
      settings: {
        token: settings.token,
        origins: settings.origins,
        isLoopback: isLoopback(settings.http.host),
        requestBytesMax: httpRequestBytesMax,
        decompressedBytesMax,
        version,
      },
      shutdown: this.#shutdown.signal,
      fetch: (url, init) => fetch(url, init),
      status: () => this.#status,
    });
    this.#answer = (request) => app.fetch(request);
  }

  #kafkaContext(log: Log, groups: GroupCoordinator): KafkaContext {
    const { settings, platform, database } = this.#parts;
    return createKafkaContext({
      platform,
      metrics: this.metrics,
      log,
      topics: log.topics,
      groups,
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
    const kafka = this.#kafka?.stopAccepting();
    this.#shutdown.abort();
    const drained = Promise.allSettled([
      http,
      kafka,
      this.#kafka?.drained(),
      this.#sweeping,
      this.#watching,
    ]);
    const late = new AbortController();
    const deadline = platform.timers.sleep(drainMsMax, late.signal);
    await Promise.race([drained, deadline]);
    late.abort();
    await Promise.allSettled([this.#http?.close(), this.#kafka?.close()]);
    // Peers hear of it first: groups that are given up must not be sent here again.
    for (const leave of [() => this.#log?.session.drain(), () => this.#groups?.close()]) {
      await leave()?.catch((error: unknown) => {
        platform.log.warn("Cannot take leave of peers; they will notice", { error });
      });
    }
    await this.#log?.close();
    await database.close();
    await this.#store?.close();
  }
}

/** Garbage may take what the base and half of the queues leave, or else what lives leaves. */
function memoryWatch({ settings, runtime }: WorkerParts): MemoryWatch | undefined {
  const { cacheBytes, queueBytes } = settings;
  if (runtime.collectGarbage === undefined) return undefined;
  return new MemoryWatch({
    limitBytes: residentBaseBytes + cacheBytes + queueBytes / 2,
    boundBytes: residentBaseBytes + cacheBytes + queueBytes * 2,
    resident: residentBytes,
    collect: runtime.collectGarbage,
  });
}

function flushPolicy(settings: Settings): FlushPolicy {
  const { flushBytes, flushAgeMs, flushRateMax, store } = settings;
  const isS3 = store.kind === "s3";
  const base = isS3 ? objectFlushPolicy : folderFlushPolicy;
  // What goes while another flush is under way is what costs nothing of the ceiling.
  const scale = isS3 ? flushBytes / base.flushBytes : 1;
  const sealBytes = Math.min(base.sealBytes * scale, flushBytes);
  return { ...base, flushBytes, sealBytes, flushAgeMs, flushRateMax };
}

/** A wildcard address is where one listens, not where one is reached. */
function reachable(host: string): string {
  return host === "0.0.0.0" || host === "::" ? hostname() : host;
}

async function bind<T>(
  what: "HTTP" | "Kafka",
  address: HostPort,
  listen: () => Promise<T>,
): Promise<T> {
  try {
    return await listen();
  } catch (error) {
    throw bindError(what, address, error);
  }
}

function bindError(what: "HTTP" | "Kafka", address: HostPort, cause: unknown): StartupError {
  const flag = what === "HTTP" ? "--http" : "--kafka";
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : "";
  const place = showHostPort(address);
  // Deno says it by the error's name.
  if (code === "EADDRINUSE" || (cause instanceof Error && cause.name === "AddrInUse")) {
    return new StartupError(
      "port_in_use",
      `Cannot listen for ${what} on ${place}: port ${address.port} is in use`,
      `Stop the program that has it, or choose another with ${flag} HOST:PORT`,
      { cause },
    );
  }
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new StartupError(
    "cannot_listen",
    `Cannot listen for ${what} on ${place}: ${reason}`,
    `Choose an address of this machine with ${flag} HOST:PORT`,
    { cause },
  );
}

function startupError(error: unknown): unknown {
  if (!isStreamError(error)) return error;
  const advice =
    error.details["owned"] === true
      ? "Stop the other worker, or give this one a folder of its own with --data"
      : "Check --store and --metadata; `streamctl server --help` tells what they may be";
  return new StartupError(error.code, error.message, advice, { cause: error });
}

function stillStarting(): Response {
  return Response.json({ status: "starting" }, { status: 503, headers: { "Retry-After": "1" } });
}
