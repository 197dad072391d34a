/**
 * What keeps the log from growing for ever: retention, the rows of deleted topics, the collector of
 * objects. One worker of the namespace does it, by lease, in bounded slices. The lease only saves
 * work: each step is safe whoever runs it, since it names what it removes by conditions that hold
 * for ever once they hold (a closed epoch, a later sequence, no live row for the grace of readers).
 */
import type { Platform, TimerHandle } from "../base/platform.ts";
import { listTopics, type TopicInfo } from "../meta/catalog.ts";
import { acquireLease, readLease, releaseLease } from "../meta/leases.ts";
import {
  closedWithReceipts,
  epochsWithLive,
  forgetObjects,
  forgetReceipts,
  knownEpochs,
  releasedObjects,
  type StoredKey,
  unreferencedKeys,
} from "../meta/object-index.ts";
import { expireProducers } from "../meta/producers.ts";
import { forgetTicks, forgetWatermarks } from "../meta/publish-order.ts";
import { forgetDeletedTopics, releaseSlice } from "../meta/release.ts";
import { applyRetention } from "../meta/retention.ts";
import type { SqlDatabase } from "../meta/sql-database.ts";
import { epochsToMend } from "../meta/workers.ts";
import {
  parseReceiptKey,
  parseSegmentKey,
  receiptPrefix,
  segmentPrefix,
  workerPrefix,
} from "../store/object-keys.ts";
import type { ObjectStore } from "../store/object-store.ts";
import { adoptReceipts } from "./adopt-receipts.ts";
import { moveReceipts } from "./move-receipts.ts";
import type { WorkerIdentity } from "./worker-identity.ts";

export interface MaintenanceParts {
  readonly platform: Platform;
  readonly database: SqlDatabase;
  readonly store: ObjectStore;
  readonly identity: WorkerIdentity;
  readonly settings: MaintenanceSettings;
  /** Retention has raised log starts, which this worker must not go on reading below. */
  readonly onStartsRaised: () => Promise<void>;
  /** Epochs that ended some time ago, and whoever was to look after their remains did not. */
  readonly onEndedFound: (workerEpochs: readonly number[]) => void;
}

export interface MaintenanceSettings {
  /** Between rounds of retention and of deleting released objects. */
  readonly roundMs: number;
  /** Between walks over the whole store for objects that nothing names. */
  readonly orphanRoundMs: number;
  /** Readers that have read the index may go on reading a released object for so long. */
  readonly graceMs: number;
  /** State of idempotent producers that were silent for so long is forgotten. */
  readonly producerExpiryMs: number;
  /**
   * Slices of a round, and as many of its walk over the store; absent: any number. What is left
   * over is the next round's.
   */
  readonly stepsMax?: number;
}

/** Where a round that took all of its steps left off. */
export interface MaintenancePlace {
  /** Retention has come so far; empty: to the end. */
  readonly topic: string;
  /** So has the writing of closed epochs' receipts; 0: to the end. */
  readonly workerEpoch: number;
  /** The walk over the store goes on behind this key; null: none is under way. */
  readonly key: string | null;
}

/** Kafka's pace where it has one: log.retention.check.interval.ms, file.delete.delay.ms. */
export const maintenanceDefaults: MaintenanceSettings = {
  roundMs: 30_000,
  orphanRoundMs: 3_600_000,
  graceMs: 60_000,
  producerExpiryMs: 86_400_000,
};

/** Bounds of one statement: none holds the database for long. */
const slice = { limitPartitions: 100, limitRows: 1000 };

/** Slices of one kind per round. */
const slicesPerRound = 100;

/** Objects deleted at once. */
const objectsPerSlice = 500;

/** Answers of publishes kept for repeats; a worker has a handful under way. */
const receiptsKept = 2000;
const closedReceiptsMs = 86_400_000;

/** So long has whoever closed an epoch to look after its remains before others do. */
const mendMsMax = 60_000;

const maintenanceLease = { kind: "maintenance", name: "log" } as const;

const retentionMsDefault = 604_800_000;

export class Maintenance {
  readonly #parts: MaintenanceParts;
  #timer: TimerHandle | undefined;
  #running: Promise<void> | undefined;
  #orphansAt: number;
  #place: MaintenancePlace = { topic: "", workerEpoch: 0, key: null };
  #stepsLeft = Number.POSITIVE_INFINITY;
  #closed = false;
  /** Closed epochs whose receipts are known to be in objects. */
  #adopted = new Set<number>();

  constructor(parts: MaintenanceParts) {
    this.#parts = parts;
    this.#orphansAt = parts.platform.clock.monotonic() + parts.settings.orphanRoundMs;
  }

  start(): void {
    if (this.#closed) return;
    this.#timer = this.#parts.platform.timers.after(this.#parts.settings.roundMs, () => {
      this.#running = this.#round().finally(() => this.start());
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#timer?.cancel();
    await this.#running;
  }

  /**
   * One round for a worker that is woken for it and may sleep for ever then: the lease is given
   * back. `collectsOrphans`: a walk over the whole store begins. Goes on at `place`, which is what
   * the last such round returned, wherever that was.
   */
  async runOnce(options: {
    readonly collectsOrphans: boolean;
    readonly place?: MaintenancePlace | undefined;
  }): Promise<MaintenancePlace> {
    const { database, identity } = this.#parts;
    if (options.place !== undefined) this.#place = options.place;
    const isWalking = options.collectsOrphans || this.#place.key !== null;
    this.#orphansAt = isWalking ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
    await this.run();
    const lease = await readLease(database, maintenanceLease);
    if (lease !== null && lease.workerEpoch === identity.current().workerEpoch) {
      await releaseLease(database, lease);
    }
    return this.#place;
  }

  /** One round, if this worker has or gets the lease. */
  async run(): Promise<void> {
    const { database, identity, platform, settings } = this.#parts;
    const { workerEpoch } = identity.current();
    const lease = await acquireLease(database, { ...maintenanceLease, workerEpoch });
    if (lease.workerEpoch !== workerEpoch) return;
    this.#mayTake(settings.stepsMax);
    this.#parts.onEndedFound(await epochsToMend(database, { closedMs: mendMsMax }));
    await this.#release();
    await this.#retain();
    await this.#release();
    while (this.#step() && (await forgetDeletedTopics(database, 10)) > 0);
    await this.#forgetTicks();
    await this.#collectReleased();
    const { producerExpiryMs: idleMs } = settings;
    await expireProducers(database, { idleMs, limitRows: slice.limitRows });
    await this.#adoptClosed();
    await this.#forgetReceipts();
    if (platform.clock.monotonic() < this.#orphansAt) return;
    this.#orphansAt = platform.clock.monotonic() + settings.orphanRoundMs;
    await this.collectOrphans();
  }

  /**
   * Walks the store and deletes what no index row names, nor ever will; goes on where a walk was
   * cut off.
   */
  async collectOrphans(): Promise<void> {
    this.#mayTake(this.#parts.settings.stepsMax);
    const from = this.#place.key ?? "";
    const isAmongReceipts = from.startsWith(receiptPrefix);
    const isThrough =
      (isAmongReceipts ||
        (await this.#walk(segmentPrefix, from, (keys) => this.#deleteOrphans(keys)))) &&
      (await this.#walk(receiptPrefix, isAmongReceipts ? from : "", (keys) =>
        this.#deleteReceipts(keys),
      ));
    if (isThrough) this.#place = { ...this.#place, key: null };
  }

  /** In slices; false: cut off, and the place says where. */
  async #walk(
    prefix: string,
    from: string,
    act: (keys: readonly string[]) => Promise<void>,
  ): Promise<boolean> {
    let keys: string[] = [];
    for await (const { key } of this.#parts.store.list(prefix, from)) {
      keys.push(key);
      if (keys.length < objectsPerSlice) continue;
      if (!this.#step()) return false;
      await act(keys);
      this.#place = { ...this.#place, key };
      keys = [];
    }
    if (keys.length === 0) return !this.#closed;
    if (!this.#step()) return false;
    await act(keys);
    this.#place = { ...this.#place, key: keys.at(-1) ?? null };
    return true;
  }

  #mayTake(steps = Number.POSITIVE_INFINITY): void {
    this.#stepsLeft = steps;
  }

  /** Whether another slice may be worked at, which is counted. */
  #step(): boolean {
    if (this.#closed || this.#stepsLeft <= 0) return false;
    this.#stepsLeft -= 1;
    return true;
  }

  async #round(): Promise<void> {
    try {
      await this.run();
    } catch (error) {
      this.#parts.platform.log.warn("maintenance will be tried again", { error: String(error) });
    }
  }

  async #release(): Promise<void> {
    for (let round = 0; round < slicesPerRound && this.#step(); round++) {
      if ((await releaseSlice(this.#parts.database, slice)) === 0) return;
    }
  }

  async #retain(): Promise<void> {
    const { topics } = await listTopics(this.#parts.database);
    let raised = 0;
    let topic = "";
    const left = topics.filter(({ name }) => name > this.#place.topic);
    for (const each of left) {
      const rule = retentionRule(each);
      if (rule.retentionMs < 0 && rule.retentionBytes < 0) continue;
      for (let round = 0; round < slicesPerRound && this.#step(); round++) {
        const changed = await applyRetention(this.#parts.database, rule, slice);
        raised += changed;
        if (changed === 0) break;
      }
      if (this.#stepsLeft > 0) continue;
      topic = each.name;
      break;
    }
    this.#place = { ...this.#place, topic };
    if (raised > 0) await this.#parts.onStartsRaised();
  }

  /**
   * Who closed an epoch may have died before its receipts were written, and a worker may leave
   * while the store does not answer. What the metadata still holds of closed epochs is therefore
   * written again by each process once: mostly the same objects, which are there already.
   */
  async #adoptClosed(): Promise<void> {
    const closed = await closedWithReceipts(this.#parts.database);
    const adopted = new Set(closed.filter((workerEpoch) => this.#adopted.has(workerEpoch)));
    this.#adopted = adopted;
    const left = closed.filter((workerEpoch) => workerEpoch > this.#place.workerEpoch);
    for (const workerEpoch of left.toSorted((one, other) => one - other)) {
      if (adopted.has(workerEpoch)) continue;
      if (!this.#step()) return;
      await adoptReceipts(this.#parts, workerEpoch);
      adopted.add(workerEpoch);
      this.#place = { ...this.#place, workerEpoch };
    }
    this.#place = { ...this.#place, workerEpoch: 0 };
  }

  /**
   * Only what objects hold: of closed epochs by `#adoptClosed`; of an open one all but the last few
   * are in footers, since each flush carries what was not yet written.
   */
  async #forgetReceipts(): Promise<void> {
    const { database } = this.#parts;
    for (let round = 0; round < slicesPerRound && this.#step(); round++) {
      const forgotten = await forgetReceipts(database, {
        keepPerWorker: receiptsKept,
        closedMs: closedReceiptsMs,
        limit: slice.limitRows,
      });
      if (forgotten < slice.limitRows) return;
    }
  }

  /** Queries leave a row each time that silence alone moves them on, and with many commits. */
  async #forgetTicks(): Promise<void> {
    const { limitRows } = slice;
    for (let round = 0; round < slicesPerRound && this.#step(); round++) {
      const ticks = await forgetTicks(this.#parts.database, { limitRows });
      const watermarks = await forgetWatermarks(this.#parts.database, { limitRows });
      if (Math.max(ticks, watermarks) < limitRows) return;
    }
  }

  async #collectReleased(): Promise<void> {
    const { database, store, settings, platform } = this.#parts;
    for (let round = 0; round < slicesPerRound && this.#step(); round++) {
      const limit = Math.min(objectsPerSlice, Math.max(1, this.#stepsLeft));
      const found = await releasedObjects(database, { graceMs: settings.graceMs, limit });
      if (found.length === 0) return;
      const keys = found.map(({ key }) => key);
      this.#stepsLeft -= await moveReceipts(this.#parts, keys);
      await store.delete(keys);
      await forgetObjects(
        database,
        found.map(({ objectId }) => objectId),
      );
      platform.log.debug("objects deleted", { count: found.length });
      if (found.length < limit) return;
    }
  }

  async #deleteOrphans(walked: readonly string[]): Promise<void> {
    const { database, store, platform } = this.#parts;
    const page = walked.flatMap((key): StoredKey[] => {
      const parsed = parseSegmentKey(key);
      if (parsed === undefined) return [];
      const { workerEpoch } = parsed;
      // A rolling file can hold any segment of its worker: only the worker's end releases it.
      const sequence = parsed.kind === "segment" ? parsed.sequence : Number.MAX_SAFE_INTEGER;
      return [{ key, workerEpoch, sequence }];
    });
    const keys = await unreferencedKeys(database, page);
    if (keys.length === 0) return;
    // An orphan was never published, but its footer may hold the proof of what was.
    this.#stepsLeft -= await moveReceipts(this.#parts, keys);
    await store.delete(keys);
    platform.log.info("unreferenced objects deleted", { count: keys.length });
  }

  /**
   * Receipt objects go with the last live object of their worker. They are listed before the index
   * is read: what they prove was published by then, so none is missed that is live. Those of
   * workers that this database does not know are another's.
   */
  async #deleteReceipts(walked: readonly string[]): Promise<void> {
    const { database, store } = this.#parts;
    const keysOf = Map.groupBy(walked, (key) => parseReceiptKey(key)?.workerEpoch ?? -1);
    const epochs = [...keysOf.keys()];
    const known = await knownEpochs(database, epochs);
    const asked = epochs.map((workerEpoch) => ({
      ...{ workerEpoch, prefix: workerPrefix(Math.max(0, workerEpoch)) },
    }));
    const live = await epochsWithLive(database, asked);
    for (const [workerEpoch, keys] of keysOf) {
      if (live.has(workerEpoch) || !known.has(workerEpoch)) continue;
      await store.delete(keys);
    }
  }
}

function retentionRule({ topicNumber, config }: TopicInfo) {
  const deletes = (config["cleanup.policy"] ?? "delete").split(",").includes("delete");
  if (!deletes) return { topicNumber, retentionMs: -1, retentionBytes: -1 };
  return {
    topicNumber,
    retentionMs: numberOr(config["retention.ms"], retentionMsDefault),
    retentionBytes: numberOr(config["retention.bytes"], -1),
  };
}

function numberOr(text: string | undefined, otherwise: number): number {
  return text === undefined ? otherwise : Number(text);
}
