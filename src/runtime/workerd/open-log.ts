/**
 * Composes a worker of the log inside a Durable Object: R2, libSQL over HTTP, and the HTTP surface.
 * The requests of an object share one context of input and output, so one flush serves many.
 */
import type { DurableObjectState } from "cloudflare:workers";
import { AnswerMemory } from "../../base/answer-memory.ts";
import { ByteBudget } from "../../base/byte-budget.ts";
import { crc32cReservedBytes } from "../../base/crc32c-kernel.ts";
import type { SocketHandler } from "../../base/message-socket.ts";
import { Metrics } from "../../base/metrics.ts";
import type { Platform } from "../../base/platform.ts";
import { GroupCoordinator } from "../../group/coordinator.ts";
import type { GroupService } from "../../group/group-service.ts";
import { type FlushPolicy, objectFlushPolicy } from "../../log/flush-policy.ts";
import { Log } from "../../log/log.ts";
import { maintenanceDefaults } from "../../log/maintenance.ts";
import { topicNumberOf } from "../../log/partition-slot.ts";
import { MetadataAccessTokens } from "../../meta/access-tokens.ts";
import { createHttpSurface } from "../../server/http/app.ts";
import type { OpenKafka } from "../../server/http/context.ts";
import type { HandedAppends } from "../../server/http/handed-appends.ts";
import { R2Store } from "../../store/r2-store.ts";
import { MetadataGroupLeases, MetadataGroupStore } from "../group-ports.ts";
import { openLibsqlServer } from "../node/libsql-server.ts";
import { version } from "../node/version.ts";
import { BlockProducerIds } from "../producer-ids.ts";
import type { Bindings } from "./bindings.ts";
import { clientText } from "./client-text.ts";
import { createConsoleLogger } from "./console-log.ts";
import { groupsInObjects } from "./group-calls.ts";
import { GroupNews } from "./group-news.ts";
import { ObjectLoad } from "./object-load.ts";
import { firstShard } from "./object-names.ts";
import { ObjectPace } from "./object-pace.ts";
import { groupRole, logRole, type ObjectRole, queryRole, watchMs } from "./object-roles.ts";
import type { ObjectSqlStorage } from "./object-scratch.ts";
import { ObjectSockets, type ObjectSocketsParts } from "./object-sockets.ts";
import { createPlatform } from "./platform.ts";
import { QueryCalls } from "./query-calls.ts";
import { lookMsOf, RestLooks } from "./rest-looks.ts";
import type { WorkerSettings } from "./settings.ts";
import { ShardNews, type ShardNewsParts, shardNameOf } from "./shard-news.ts";
import { openObjectSql } from "./sql.ts";

const MiB = 1024 * 1024;

const requestBytesMax = 8 * MiB;
const decompressedBytesMax = 16 * MiB;
const metadataTimeoutMs = 10_000;
const pageBytes = 65_536;
/** Of an object with readers that wait; one that runs a query only has its alarm. */
const quietPollMs = 1_000;

/** An object that takes more is full; parsing and JSON take some tenths of its processor then. */
const fullBytesPerSecond = 8 * MiB;
/** A full object's share of the bytes that may wait in it. */
const fullShare = 0.5;

export interface ObjectLog {
  answer(request: Request): Response | Promise<Response>;
  readonly appends: HandedAppends;
  readonly sockets: ObjectSockets;
  /** Where the number of shards follows it. */
  readonly load: ObjectLoad | undefined;
  /** What is to be looked for while sockets rest. */
  readonly looks: RestLooks;
  /** Where there may be several shards. */
  readonly news: ShardNews | undefined;
  readonly log: Log;
  /** Another object has published, `from` if it is a shard; whether anybody may wait here. */
  hear(from?: string, topics?: readonly number[]): Promise<boolean>;
  /** Of its own coordinator. */
  readonly groups: GroupService;
  /** Hears what was published and changed, and looks for queries to run where that matters. */
  attend(): Promise<void>;
  /** Looks for queries to run. */
  look(): Promise<void>;
  /** Has the objects of queries attend. */
  ring(): void;
  /** Whether the query of this object is to run, as of the last look; undefined before it. */
  isWanted(): boolean | undefined;
  /** How it runs its query. */
  readonly pace: ObjectPace;
}

export interface ObjectLogParts {
  readonly role: ObjectRole;
  readonly settings: WorkerSettings;
  readonly bindings: Pick<Bindings, "BUCKET" | "LOG" | "GROUPS" | "QUERIES">;
  readonly state: ObjectSocketsParts["state"] & {
    readonly storage: { readonly sql: ObjectSqlStorage };
  };
  readonly storage: Pick<DurableObjectState["storage"], "get" | "put">;
  /** Has the object's `alarm` called at this time, or before. */
  readonly wakeAt: (time: number) => void;
  /** The object among all that share the metadata. */
  readonly objectName: string;
  /** The group that it coordinates, where it was asked for it over HTTP. */
  readonly groupId: () => string | undefined;
  /** The query that it runs, where that is its role. */
  readonly queryId: string | undefined;
}

/** Where a log object's storage has which queries' objects it has told of them. */
const toldKey = "toldQueries";

/** Opens it; when that fails, opening it once more is safe. */
export async function openObjectLog(parts: ObjectLogParts): Promise<ObjectLog> {
  const { role, settings, objectName } = parts;
  const { memory, ring, blocks } = recordMemoryOf(role);
  const queries = settings.queries ? role.queries : "none";
  const logger = createConsoleLogger(settings.logLevel);
  const platform = createPlatform({ log: logger, memory });
  const { clock, timers } = platform;
  const metrics = new Metrics();
  const database = openLibsqlServer({
    url: settings.metadataUrl,
    authToken: settings.metadataToken ?? null,
    timeoutMs: metadataTimeoutMs,
  });
  const { BUCKET: bucket } = parts.bindings;
  const store = new R2Store({ bucket, prefix: settings.storePrefix ?? "", platform });
  const { autoCreateTopics, defaultPartitions: partitionCountDefault } = settings;
  const log = new Log({
    ...{ platform, metrics, store, database },
    ...peersOf(settings, role),
    onPublished: ({ topicNumbers, catalogVersion }) => {
      calls.ring(topicNumbers);
      news?.tell(topicNumbers);
      sockets.wake();
      // Queries were made meanwhile, maybe, that read it: whom to ring is known by looks.
      if (isQuiet && catalogVersion > log.catalogVersion) void hearSafely();
    },
    onWait: (slots) => {
      news?.listen();
      groupNews?.listen(new Set(slots.map(topicNumberOf)));
      if (!hasNews) return;
      hasNews = false;
      void hearSafely();
    },
    onTopicChanged: (topicNumber) => calls.ring([topicNumber]),
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
  const calls = new QueryCalls({
    ...{ log: logger, timers, queries, bindings: parts.bindings },
    own: parts.queryId,
    told: (await parts.storage.get<string[]>(toldKey)) ?? [],
    keep: (queryIds) => parts.storage.put(toldKey, queryIds),
    lookAgain: () => parts.wakeAt(clock.now() + watchMs),
  });
  const isQuiet = isRung(settings, role);
  const pace = new ObjectPace({ clock, timers, wakeAt: parts.wakeAt, mayRest: isQuiet });
  const sql = openObjectSql(
    { platform, metrics, database, log },
    {
      ...{ queries, queryId: parts.queryId, objectName, looksWhenTold: isQuiet, pace, settings },
      ...{ storage: parts.state.storage.sql, mayHaveScratch: role.queries !== "none" },
      onWanted: (wanted) => calls.noteWanted(wanted),
    },
  );
  const { manager } = sql.engine;
  /** Something was published while nobody waited. */
  let hasNews = false;
  let looking = Promise.resolve();
  const look = () => {
    looking = manager.look();
    return looking;
  };
  const hearSafely = () =>
    log.hear().catch((error: unknown) => {
      logger.debug("Changes were not heard of; the next publish asks again", { error });
    });
  const isAwaited = () => log.isAwaited || sockets.areThere;
  const catchUp = async () => {
    await log.hear();
    sockets.wake();
  };
  const listening = { isAwaited, look: catchUp, log: logger, clock, timers };
  const news = newsOf(parts, listening);
  const groupNews = groupNewsOf(parts, listening);
  await news?.open();
  await log.open();
  if (queries !== "none") {
    if (isQuiet) {
      log.onCatalogChange(() => void look());
      void look();
    } else manager.start();
  }
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
        groups: groupsInObjects(parts.bindings.GROUPS, groups),
        producerIds: new BlockProducerIds(database),
        settings: {
          ...{ token: settings.token ?? null, autoCreateTopics, partitionCountDefault },
          ...{ requestBytesMax, decompressedBytesMax },
        },
      },
      shutdown,
    );
  };
  const load = role === logRole ? loadOf(settings, platform) : undefined;
  const position = () => log.knownPosition;
  const { state } = parts;
  const sockets = new ObjectSockets({
    ...{ state, log: logger, position },
    onRest: () => {
      news?.listen();
      looks.arm();
    },
    resume: (state) => surface.sockets.resume(state),
  });
  const looks = new RestLooks({
    lookMs: lookMsOf(settings),
    wakeAt: parts.wakeAt,
    now: () => clock.now(),
    ...{ hear: () => log.hear(), wake: () => sockets.wake() },
    isBehind: () => sockets.isBehind(position()),
  });
  const surface = createHttpSurface({
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
    upgradeSocket: sockets.upgrade,
    carriesStreams: true,
    openKafka: async (tunnel) => {
      kafka ??= openKafka();
      const handler = await (await kafka)(tunnel);
      return load === undefined ? handler : loading(handler, load);
    },
    fetch: (url, init) => fetch(url, init),
    status: () => "ok",
  });
  return {
    ...{
      answer: (request) => surface.app.fetch(request),
      appends: surface.appends,
      ...{ sockets, load, looks, news, log, groups },
    },
    async hear(from, topics) {
      const wants = news?.heard(from, topics) ?? groupNews?.heard() ?? true;
      if (isAwaited()) await catchUp();
      else hasNews = true;
      return wants;
    },
    attend: async () => {
      await log.hear();
      await looking;
      const isRunning = manager.running().has(parts.queryId ?? "");
      if (!isQuiet || !isRunning) await look();
    },
    look,
    ring: () => calls.ringAll(),
    isWanted: () => {
      const isWanted = calls.isWanted(parts.queryId ?? "");
      return isWanted === undefined ? undefined : queries === "runs" && isWanted;
    },
    pace,
  };
}

/** Whether all who publish, and all who change queries, ring the object. */
function isRung({ hasPeers, queries }: WorkerSettings, role: ObjectRole): boolean {
  return queries && role.queries !== "none" && !hasPeers;
}

/** Where all who publish call, objects ask the metadata only now and then. */
function peersOf(settings: WorkerSettings, role: ObjectRole) {
  const { hasPeers, shardsMax } = settings;
  if (hasPeers) return { shared: true };
  // One that appends alone, and is told of nothing, knows of everything.
  const isAlone = role === logRole && shardsMax === 1 && !isRung(settings, role);
  if (isAlone) return { shared: false };
  const hasReaders = role !== queryRole;
  return { shared: true, peerPollMs: hasReaders ? quietPollMs : Number.POSITIVE_INFINITY };
}

type Listening = Pick<ShardNewsParts, "isAwaited" | "look" | "log" | "clock" | "timers">;

/** Shards tell each other of their publishes, and groups. */
function newsOf(
  { role, bindings, storage, objectName }: ObjectLogParts,
  options: Listening,
): ShardNews | undefined {
  const { LOG: shards, GROUPS: groups } = bindings;
  const name = role === logRole ? shardNameOf(shards, objectName) : undefined;
  if (name === undefined) return undefined;
  return new ShardNews({ ...options, name, shards, groups, storage });
}

/** Where peers publish who cannot call, groups ask by themselves. */
function groupNewsOf(
  { role, settings, bindings, groupId }: ObjectLogParts,
  options: Listening,
): GroupNews | undefined {
  if (role !== groupRole || settings.hasPeers) return undefined;
  const first = bindings.LOG.getByName(firstShard);
  const ask = async (topics: readonly number[]) => {
    const name = groupId();
    if (name !== undefined) await first.listenForGroup(name, topics);
  };
  return new GroupNews({ ...options, ask });
}

function loadOf(settings: WorkerSettings, { clock }: Platform): ObjectLoad | undefined {
  const { shards, shardsMax, shardRateMax: rateMax } = settings;
  if (shardsMax === shards) return undefined;
  const waitingBytesMax = fullShare * logRole.budgetBytes;
  return new ObjectLoad({ rateMax, bytesPerSecondMax: fullBytesPerSecond, waitingBytesMax }, clock);
}

/** What comes on a connection is load as requests are. */
function loading(handler: SocketHandler, load: ObjectLoad): SocketHandler {
  return {
    opened: (socket) => handler.opened(socket),
    received(message) {
      load.took(1, message.length)();
      handler.received(message);
    },
    closed: () => handler.closed(),
  };
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
