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
import { answerGroupCall } from "./group-calls.ts";
import { loadHeader } from "./object-load.ts";
import { groupRole, logRole, type ObjectRole, queryRole } from "./object-roles.ts";
import { type KeptSocket, restingPositions } from "./object-sockets.ts";
import { type ObjectLog, openObjectLog } from "./open-log.ts";
import { createConsoleLogger } from "./platform.ts";
import { hasMoved, lookMsOf } from "./rest-looks.ts";
import { readWorkerSettings } from "./settings.ts";

/**
 * Between wake-ups of an object that runs a query: it is put to sleep after a minute or two. Each
 * also begins a new count of the 30 s of processor time that an invocation may take, so that a
 * query which catches up, and is called by nobody, never comes to the end of one.
 */
const alarmMs = 20_000;

/** RFC 6455, 7.4: what an endpoint may always say of a close that the other one began. */
const closedWell = 1000;
const ownCodes = 3000;

/** Where the storage of a query's object has the query's id: an alarm tells it no name. */
const queryIdKey = "queryId";

export class LogObject extends DurableObject<Bindings> {
  protected readonly role: ObjectRole = logRole;
  readonly #objectName: string;
  #opening: Promise<ObjectLog> | undefined;

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
    const { log } = await this.open();
    await log.maintenance.runOnce(options);
  }

  /** Another object has published. */
  async hear(from?: string): Promise<boolean> {
    const { hear } = await this.open();
    return await hear(from);
  }

  /** Of the first shard: the one of that name wants to hear. */
  async listen(name: string): Promise<void> {
    const { news } = await this.open();
    await news?.add(name);
  }

  /** workerd calls these three for sockets that were kept, and makes the object anew for it. */
  async webSocketMessage(socket: KeptSocket, message: string | ArrayBuffer): Promise<void> {
    const { sockets } = await this.open();
    sockets.received(socket, message);
  }

  async webSocketClose(socket: KeptSocket, code: number, reason: string): Promise<void> {
    const { sockets } = await this.open();
    sockets.closed(socket);
    const isSayable = code === closedWell || code >= ownCodes;
    socket.close(isSayable ? code : closedWell, reason);
  }

  async webSocketError(socket: KeptSocket): Promise<void> {
    const { sockets } = await this.open();
    sockets.closed(socket);
  }

  /** What a Kafka connection in another object asks of the coordinator in this one. */
  async callGroup(call: GroupCall): Promise<GroupAnswer> {
    const { groups } = await this.open();
    return answerGroupCall(groups, call);
  }

  /** Looks for news while sockets rest; see RestLooks. */
  async alarm(): Promise<void> {
    const kept = this.ctx.getWebSockets();
    if (kept.length === 0) return;
    const settings = readWorkerSettings(this.env);
    const lookMs = lookMsOf(settings);
    if (lookMs === undefined) return;
    if (this.#opening === undefined) {
      await this.ctx.storage.setAlarm(clock.now() + lookMs);
      if (!(await hasMoved(settings, restingPositions(kept)))) return;
    }
    const { looks } = await this.open();
    await looks.look();
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
    return await openObjectLog({
      role: this.role,
      state: this.ctx,
      settings: readWorkerSettings(this.env),
      bindings: this.env,
      objectName: this.#objectName,
      queryId: await this.ctx.storage.get<string>(queryIdKey),
    });
  }
}

/** The coordinator of one consumer group: it appends nothing and reads only ends of the log. */
export class GroupObject extends LogObject {
  protected override readonly role: ObjectRole = groupRole;
}

/**
 * Runs one continuous query (ADR 32). Its state is in the log, so eviction is a restart from the
 * newest commit; the alarm replays nothing, it only opens the log again, for windows that close by
 * time. When the query is gone the object sleeps for good.
 */
export class QueryObject extends LogObject {
  protected override readonly role: ObjectRole = queryRole;

  async run(queryId: string): Promise<void> {
    if ((await this.ctx.storage.get(queryIdKey)) !== queryId) {
      await this.ctx.storage.put(queryIdKey, queryId);
      await this.ctx.storage.setAlarm(clock.now() + alarmMs);
    }
    const { log, look } = await this.open();
    await Promise.all([log.hear(), look()]);
  }

  override async alarm(): Promise<void> {
    const { storage } = this.ctx;
    // First, since an alarm that fails too often is not called again.
    await storage.setAlarm(clock.now() + alarmMs);
    const { look, isWanted } = await this.open();
    await look();
    if (isWanted()) return;
    await storage.put(queryIdKey, "");
    await storage.deleteAlarm();
  }
}
