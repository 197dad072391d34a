/**
 * Looks for publishes while sockets rest in an object that sleeps, by its alarm (ADR 62): the only
 * way to hear of peers that cannot call it, and of a call that was lost. An object that has been
 * put out of memory asks for the change counter alone, and wakes for good when that has moved.
 */
import { changeCounter } from "../../meta/log-index.ts";
import { openLibsqlServer } from "../node/libsql-server.ts";
import { type KeptSocket, restingPositions } from "./object-sockets.ts";
import type { WorkerSettings } from "./settings.ts";

/** Between looks for publishes of peers outside, who cannot call. */
const peersLookMs = 5_000;
/** The same when they have published lately, and for so long then. */
const busyLookMs = 250;
const busyMs = 30_000;
/** Between looks where all who publish call: only a call that was lost is found so. */
const shardsLookMs = 60_000;

const metadataTimeoutMs = 10_000;

type LookSettings = Pick<
  WorkerSettings,
  "hasPeers" | "shardsMax" | "metadataUrl" | "metadataToken"
>;

/** Milliseconds between looks; undefined: nobody publishes without this object's knowledge. */
export function lookMsOf({ hasPeers, shardsMax }: LookSettings): number | undefined {
  if (hasPeers) return peersLookMs;
  return shardsMax > 1 ? shardsLookMs : undefined;
}

/** Whether anything was published since the sockets came to rest; asks without the log. */
export async function hasMoved(
  settings: LookSettings,
  kept: readonly KeptSocket[],
): Promise<boolean> {
  const { metadataUrl: url, metadataToken } = settings;
  const authToken = metadataToken ?? null;
  const database = openLibsqlServer({ url, authToken, timeoutMs: metadataTimeoutMs });
  const { publishPosition } = await changeCounter(database);
  return restingPositions(kept).some((position) => position < publishPosition);
}

export interface RestLooksParts {
  /** As `lookMsOf` says. */
  readonly lookMs: number | undefined;
  /** Has `look` called at this time, or before. */
  readonly wakeAt: (time: number) => void;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Makes known what is published. */
  readonly hear: () => Promise<void>;
  /** Whether a socket has looked before what is known was. */
  readonly isBehind: () => boolean;
  readonly wake: () => void;
}

export class RestLooks {
  readonly #parts: RestLooksParts;
  #movedAt = Number.NEGATIVE_INFINITY;

  constructor(parts: RestLooksParts) {
    this.#parts = parts;
  }

  /** A socket has come to rest. */
  arm(): void {
    const { lookMs, now, wakeAt } = this.#parts;
    if (lookMs !== undefined) wakeAt(now() + lookMs);
  }

  /** The alarm has come, and is set again for sockets that are there still. */
  async look(): Promise<void> {
    const { lookMs, hear, isBehind, wake, wakeAt, now } = this.#parts;
    await hear();
    if (isBehind()) {
      this.#movedAt = now();
      wake();
    }
    const isBusy = now() - this.#movedAt < busyMs && lookMs === peersLookMs;
    if (isBusy) wakeAt(now() + busyLookMs);
  }
}
