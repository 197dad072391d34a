/**
 * The Durable Object that appends and reads: Worker → this object → R2, libSQL. It is a worker of
 * the log (ADR 15): what it has acknowledged is in R2 and published, what it has not is in its
 * memory alone. When it is evicted those who wait get an error, and may send again with their
 * producer headers; nothing is replayed.
 */
import { DurableObject, type DurableObjectState } from "cloudflare:workers";
import { responseOfError } from "../../server/http/problem-response.ts";
import { clock } from "../node/platform.ts";
import type { Bindings, GroupAnswer, GroupCall } from "./bindings.ts";
import { answerGroupCall } from "./group-calls.ts";
import { groupRole, logRole, type ObjectRole } from "./object-roles.ts";
import { type ObjectLog, openObjectLog } from "./open-log.ts";
import { createConsoleLogger } from "./platform.ts";
import { readWorkerSettings } from "./settings.ts";

/** Between wake-ups of an object that runs queries: it is put to sleep after a minute or two. */
const alarmMs = 30_000;

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
    return opened.answer(request);
  }

  /** One round of retention and the collector, for cron. */
  async maintain(options: { readonly collectsOrphans: boolean }): Promise<void> {
    const { log } = await this.open();
    await log.maintenance.runOnce(options);
  }

  /** What a Kafka connection in another object asks of the coordinator in this one. */
  async callGroup(call: GroupCall): Promise<GroupAnswer> {
    const { groups } = await this.open();
    return answerGroupCall(groups, call);
  }

  /** Queries go on where the last activation committed them: that it is awake is all it takes. */
  async alarm(): Promise<void> {
    const { runsQueries } = await this.open();
    if (runsQueries) await this.ctx.storage.setAlarm(clock.now() + alarmMs);
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
    const opened = await openObjectLog({
      role: this.role,
      settings: readWorkerSettings(this.env),
      bucket: this.env.BUCKET,
      groupObjects: this.env.GROUPS,
      objectName: this.#objectName,
    });
    if (opened.runsQueries) await this.ctx.storage.setAlarm(clock.now() + alarmMs);
    return opened;
  }
}

/** The coordinator of one consumer group: it appends nothing and reads only ends of the log. */
export class GroupObject extends LogObject {
  protected override readonly role: ObjectRole = groupRole;
}
