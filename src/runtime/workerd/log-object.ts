/**
 * The Durable Object that appends and reads: Worker → this object → R2, libSQL. It is a worker of
 * the log (ADR 15): what it has acknowledged is in R2 and published, what it has not is in its
 * memory alone. When it is evicted those who wait get an error, and may send again with their
 * producer headers; nothing is replayed.
 */
import { DurableObject, type DurableObjectState } from "cloudflare:workers";
import { answerOfError, responseOfError } from "../../server/http/problem-response.ts";
import { clock } from "../node/platform.ts";
import { answerAll } from "./append-calls.ts";
import type { Bindings, GroupAnswer, GroupCall } from "./bindings.ts";
import { createConsoleLogger } from "./console-log.ts";
import { answerGroupCall } from "./group-calls.ts";
import { loadHeader } from "./object-load.ts";
import { objectPlaceOf } from "./object-names.ts";
import { groupRole, logRole, type ObjectRole, queryRole, watchMs } from "./object-roles.ts";
import type { KeptSocket } from "./object-sockets.ts";
import type { ObjectLog } from "./open-log.ts";
import { readWorkerSettings } from "./settings.ts";

/** RFC 6455, 7.4: what an endpoint may always say of a close that the other one began. */
const closedWell = 1000;
const ownCodes = 3000;

/** Where the storage of a query's object has the query's id: an alarm tells it no name. */
const queryIdKey = "queryId";

export class LogObject extends DurableObject<Bindings> {
  protected readonly role: ObjectRole = logRole;
  readonly #objectName: string;
  /** Of a group's object that was asked over HTTP: by this name others call it. */
  protected groupId: string | undefined;
  #opening: Promise<ObjectLog> | undefined;
  /** When the alarm goes off, +∞: never; undefined: not known in this activation. */
  #alarmAt: number | undefined;

  constructor(state: DurableObjectState, bindings: Bindings) {
    super(state, bindings);
    this.#objectName = state.id.toString();
  }

  async fetch(request: Request): Promise<Response> {
    let opened: ObjectLog;
    try {
      opened = await this.open();
    } catch (error) {
      return responseOfError(error, createConsoleLogger("info"));
    }
    const { load } = opened;
    if (load === undefined) return opened.answer(request);
    const over = load.took(1, Number(request.headers.get("Content-Length") ?? 0));
    try {
      const response = await opened.answer(request);
      response.headers.set(loadHeader, String(load.percent()));
      return response;
    } finally {
      over();
    }
  }

  /** See AppendCalls. */
  async appendAll(asked: string, bodies: Uint8Array<ArrayBuffer>): Promise<string> {
    let opened: ObjectLog;
    try {
      opened = await this.open();
    } catch (error) {
      const { status, headers, text } = answerOfError(error, createConsoleLogger("info"));
      const refusal = { status, headers: [...headers], text };
      return await answerAll(async () => refusal, { asked, bodies });
    }
    const { appends, load } = opened;
    return await answerAll((request) => appends.answer(request), { asked, bodies }, load);
  }

  /** One round of retention and the collector, for cron. */
  async maintain(options: { readonly collectsOrphans: boolean }): Promise<void> {
    const { log, look, ring } = await this.open();
    // Whoever was told of nothing, and has nothing by which to wake, is so told after all.
    await look();
    ring();
    await log.maintenance.runOnce(options);
  }

  /** Another object has published. */
  async hear(from?: string, topics?: readonly number[]): Promise<boolean> {
    const { hear } = await this.open();
    return await hear(from, topics);
  }

  /** Of the first shard: the one of that name wants to hear. */
  async listen(name: string): Promise<void> {
    const { news } = await this.open();
    await news?.add(name);
  }

  /** The same of a group, which wants to hear of these topics. */
  async listenForGroup(groupId: string, topics: readonly number[]): Promise<void> {
    const { news } = await this.open();
    await news?.addGroup(groupId, topics);
  }

  /** workerd calls these three for sockets that were kept, and makes the object anew for it. */
  async webSocketMessage(socket: KeptSocket, message: string | ArrayBuffer): Promise<void> {
    const { sockets } = await this.open();
    sockets.received(socket, message);
  }

  async webSocketClose(socket: KeptSocket, code: number, reason: string): Promise<void> {
    await this.#closed(socket);
    const isSayable = code === closedWell || code >= ownCodes;
    socket.close(isSayable ? code : closedWell, reason);
  }

  async webSocketError(socket: KeptSocket): Promise<void> {
    await this.#closed(socket);
  }

  /** An object out of memory has nothing of it; to open the log would be for nothing. */
  async #closed(socket: KeptSocket): Promise<void> {
    const opened = await this.#opening?.catch(() => undefined);
    opened?.sockets.closed(socket);
  }

  /** What a Kafka connection in another object asks of the coordinator in this one. */
  async callGroup(call: GroupCall): Promise<GroupAnswer> {
    const { groups } = await this.open();
    return answerGroupCall(groups, call);
  }

  /**
   * Sockets that rest may have missed something (RestLooks), and queries' objects may not have been
   * told of what the catalog says (ToldQueries).
   */
  async alarm(): Promise<void> {
    this.alarmWentOff();
    // With the rest of what objects have, which the Worker in front does not load.
    const { hasMoved, lookMsOf } = await import("./rest-looks.ts");
    const settings = readWorkerSettings(this.env);
    const kept = this.ctx.getWebSockets();
    const lookMs = kept.length > 0 ? lookMsOf(settings) : undefined;
    // First, since an alarm that fails too often is not called again.
    if (lookMs !== undefined) await this.wakeAt(clock.now() + lookMs);
    if (this.#opening === undefined && !settings.queries) {
      if (lookMs === undefined || !(await hasMoved(settings, kept))) return;
    }
    const { look, looks } = await this.open();
    if (lookMs !== undefined) await looks.look();
    if (settings.queries) await look();
  }

  protected alarmWentOff(): void {
    this.#alarmAt = Number.POSITIVE_INFINITY;
  }

  /** Has `alarm` called at this time, or before. */
  protected async wakeAt(time: number): Promise<void> {
    const { storage } = this.ctx;
    const stored = this.#alarmAt ?? (await storage.getAlarm()) ?? Number.POSITIVE_INFINITY;
    this.#alarmAt ??= stored;
    if (this.#alarmAt <= time) return;
    this.#alarmAt = time;
    try {
      await storage.setAlarm(time);
    } catch (error) {
      this.#alarmAt = undefined;
      throw error;
    }
  }

  protected async sleepForGood(): Promise<void> {
    const { storage } = this.ctx;
    this.#alarmAt = Number.POSITIVE_INFINITY;
    await Promise.all([storage.put(queryIdKey, ""), storage.deleteAlarm()]);
  }

  /** The activation's log; the next request tries again where the metadata did not answer. */
  protected open(): Promise<ObjectLog> {
    this.#opening ??= this.#openOnce().catch((error: unknown) => {
      this.#opening = undefined;
      throw error;
    });
    return this.#opening;
  }

  async #openOnce(): Promise<ObjectLog> {
    // The Worker in front of the objects needs none of it, and starts in a fraction of the time.
    const { openObjectLog } = await import("./open-log.ts");
    return await openObjectLog({
      role: this.role,
      state: this.ctx,
      storage: this.ctx.storage,
      wakeAt: (time) => {
        this.wakeAt(time).catch((error: unknown) => {
          createConsoleLogger("info").warn("An alarm was not set", { error: String(error) });
        });
      },
      settings: readWorkerSettings(this.env),
      bindings: this.env,
      objectName: this.#objectName,
      groupId: () => this.groupId,
      queryId: await this.ctx.storage.get<string>(queryIdKey),
    });
  }
}

/** The coordinator of one consumer group: it appends nothing and reads only ends of the log. */
export class GroupObject extends LogObject {
  protected override readonly role: ObjectRole = groupRole;

  override fetch(request: Request): Promise<Response> {
    const place = objectPlaceOf(request, new URL(request.url).pathname);
    if (place.kind === "group") this.groupId = place.name;
    return super.fetch(request);
  }
}

/**
 * Runs one continuous query (ADR 32). Its state is in the log, so eviction is a restart from the
 * newest commit. It is called when something was published or changed, and by its alarm: for
 * windows that close by time, for a new count of processor time, and now and then, since a call may
 * be lost (ADR 59). An alarm replays nothing. When the query is gone or paused the object sleeps
 * for good.
 */
export class QueryObject extends LogObject {
  protected override readonly role: ObjectRole = queryRole;
  #attendedAt = Number.NEGATIVE_INFINITY;

  async run(queryId: string): Promise<void> {
    await this.#keepAwake(queryId);
    const { pace } = await this.open();
    pace.renew();
    await this.#attend(queryId);
  }

  override async alarm(): Promise<void> {
    const queryId = (await this.ctx.storage.get<string>(queryIdKey)) ?? "";
    // First, since an alarm that fails too often is not called again.
    this.alarmWentOff();
    await this.wakeAt(clock.now() + watchMs);
    const { log, pace } = await this.open();
    const wasAwaited = pace.renew();
    if (wasAwaited && clock.monotonic() - this.#attendedAt < watchMs) return;
    await this.#attend(queryId);
    log.wake();
  }

  /** It is to run until somebody says otherwise, whatever becomes of this activation. */
  async #keepAwake(queryId: string): Promise<void> {
    const { storage } = this.ctx;
    if ((await storage.get(queryIdKey)) !== queryId) await storage.put(queryIdKey, queryId);
    await this.wakeAt(clock.now() + watchMs);
  }

  async #attend(queryId: string): Promise<void> {
    const { attend, isWanted } = await this.open();
    await attend();
    this.#attendedAt = clock.monotonic();
    if (isWanted() === false) await this.sleepForGood();
    // It may have been resumed while it lay down.
    else await this.#keepAwake(queryId);
  }
}
