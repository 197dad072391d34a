/**
 * This worker among its peers. It registers and gets a workerEpoch and a node id; where the
 * metadata is shared it raises its counter, watches those of the others, and closes an epoch whose
 * counter stood still for a time to live of its own monotonic clock. None of this is what keeps the
 * log right: that is the epoch as a condition inside every publish. It decides only how soon a dead
 * worker's leases and its place in Metadata fall.
 */
import type { Platform, TimerHandle } from "../base/platform.ts";
import { isStreamError, StreamError } from "../base/stream-error.ts";
import { readClusterId } from "../meta/cluster-id.ts";
import type { SqlDatabase } from "../meta/sql-database.ts";
import {
  closeWorker,
  epochsToMend,
  leaveWorkers,
  listWorkers,
  raiseCounter,
  registerWorker,
  setDraining,
  type WorkerInfo,
} from "../meta/workers.ts";
import type { WorkerDescription } from "./log-options.ts";
import type { Cluster, ClusterNode } from "./log-types.ts";
import type { WorkerEpoch, WorkerIdentity } from "./worker-identity.ts";

/** Between raises of the counter. */
const beatMs = 500;

/** A counter that stood still for so long belongs to a dead worker: gone from Metadata in 3 s. */
const timeToLiveMs = 2000;

/** Between attempts at what a closed epoch left behind, while the store does not answer. */
const adoptAgainMs = 5000;

/** So long may an attempt that is under way at the end go on. */
const adoptCloseMsMax = 5000;

/** So long may it take until epochs that ended are closed and looked after. */
const mendedMsMax = 60_000;

const mendedPollMs = 50;

export interface WorkerSessionParts {
  readonly platform: Platform;
  readonly database: SqlDatabase;
  readonly shared: boolean;
  readonly worker: WorkerDescription;
  /**
   * Looks after what a closed epoch left behind (epoch-mender.ts). Called again until it resolves,
   * apart from the heartbeat, which must not wait for a store.
   */
  readonly mend: (workerEpoch: number) => Promise<void>;
  /** Called with every beat: what else is to be looked at now and then. */
  readonly onBeat: () => Promise<void>;
  /**
   * Whether the store holds objects of this epoch already: a power loss took the database's memory
   * of having given it away. Such an epoch is left at once, since its object keys are used up.
   */
  readonly isUsedUp: (workerEpoch: number) => Promise<boolean>;
  /** This worker lost its epoch and has another one. */
  readonly onRenewed: () => void;
}

interface Sighting {
  readonly counter: number;
  /** Monotonic milliseconds of when this value was first seen. */
  readonly since: number;
}

export class WorkerSession implements WorkerIdentity {
  readonly #parts: WorkerSessionParts;
  readonly #sightings = new Map<number, Sighting>();
  readonly #stop = new AbortController();
  #epoch: WorkerEpoch = { workerEpoch: -1, nodeId: -1, lastSequence: -1 };
  #workers: readonly WorkerInfo[] = [];
  #clusterId = "";
  /** As `cluster` last said it, and out of which list. */
  #cluster: (Cluster & { readonly workers: readonly WorkerInfo[] }) | undefined;
  #timer: TimerHandle | undefined;
  #beating: Promise<void> | undefined;
  #renewing: Promise<void> | undefined;
  #registration: string | undefined;
  /** The last look at the counters failed: what stood still meanwhile was not watched. */
  #missed = false;
  readonly #orphans = new Set<number>();
  #adopting: Promise<void> | undefined;

  constructor(parts: WorkerSessionParts) {
    this.#parts = parts;
  }

  current(): WorkerEpoch {
    return this.#epoch;
  }

  /**
   * Registers. Where the database is this process's alone, every epoch still open belongs to a
   * process that died. `mendFirst` is given what ended without taking leave and must be checked
   * before anything is served; where there are peers, they serve already. All else that such epochs
   * left behind is looked after beside: a store that does not answer keeps nobody from starting.
   */
  async open(
    mendFirst: (workerEpochs: readonly number[]) => Promise<void> = async () => {},
  ): Promise<void> {
    const { database, shared } = this.#parts;
    if (this.#isObject) {
      const opening = Promise.all([readClusterId(database), this.#openObject()]);
      [this.#clusterId] = await opening;
      return;
    }
    this.#clusterId = await readClusterId(database);
    for (const { workerEpoch, counter } of shared ? [] : await listWorkers(database)) {
      await closeWorker(database, { workerEpoch, observedCounter: counter });
    }
    const ended = await epochsToMend(database);
    if (!shared && ended.length > 0) await mendFirst(ended);
    await this.#register();
    this.adopt(ended);
    if (shared) this.#arm();
  }

  /**
   * A Durable Object closes what its earlier activations left open and nothing else, whoever shares
   * the metadata, and no beat keeps it awake. Its metadata may be far away, and somebody waits for
   * this: what needs nothing of each other is asked at once.
   */
  async #openObject(): Promise<void> {
    await this.#register({
      takesOver: true,
      beside: async () => this.adopt(await epochsToMend(this.#parts.database)),
    });
  }

  get #isObject(): boolean {
    return this.#parts.worker.objectName !== undefined;
  }

  /**
   * Resolves when every epoch that was open before is known to live, or has ended and been looked
   * after. For a store that may lose what is young: what is appended behind lost bytes would be cut
   * with them. Errors: `store_unavailable` when that takes too long.
   */
  async awaitMended(): Promise<void> {
    const { platform, database } = this.#parts;
    const { clock, timers } = platform;
    const deadline = clock.monotonic() + mendedMsMax;
    const met = new Map<number, number>();
    for (const { workerEpoch, counter } of await listWorkers(database)) {
      if (workerEpoch !== this.#epoch.workerEpoch) met.set(workerEpoch, counter);
    }
    for (;;) {
      const open = await listWorkers(database);
      const isSilent = open.some(({ workerEpoch, counter }) => met.get(workerEpoch) === counter);
      if (!isSilent && (await epochsToMend(database)).length === 0) return;
      if (clock.monotonic() >= deadline) break;
      await timers.sleep(mendedPollMs, this.#stop.signal);
    }
    throw new StreamError(
      "store_unavailable",
      "Cannot start: files of workers that have ended are not looked through yet. Start again " +
        "when the store answers.",
    );
  }

  /** Tells peers to send nothing new here. */
  async drain(): Promise<void> {
    if (this.#parts.shared) await setDraining(this.#parts.database, this.#epoch.workerEpoch);
  }

  /** Leaves the worker list, after the last publish. */
  async close(options: { readonly isMended: boolean }): Promise<void> {
    this.#stop.abort();
    this.#timer?.cancel();
    await this.#beating;
    await this.#adoptedInTime();
    await leaveWorkers(this.#parts.database, this.#epoch.workerEpoch, options);
  }

  /** Takes care of what these closed epochs left behind. */
  adopt(workerEpochs: readonly number[]): void {
    if (workerEpochs.length === 0) return;
    for (const workerEpoch of workerEpochs) this.#orphans.add(workerEpoch);
    this.#adopting ??= this.#adoptAll().finally(() => {
      this.#adopting = undefined;
    });
  }

  /** What is not done at the end is left to whoever comes next. */
  async #adoptedInTime(): Promise<void> {
    if (this.#adopting === undefined) return;
    const late = new AbortController();
    const patience = this.#parts.platform.timers.sleep(adoptCloseMsMax, late.signal);
    await Promise.race([this.#adopting, patience]);
    late.abort();
  }

  /** Takes a new epoch after a peer has closed this one. Joined while one is under way. */
  renew(lostEpoch: number): Promise<void> {
    if (lostEpoch !== this.#epoch.workerEpoch) return Promise.resolve();
    this.#renewing ??= this.#register()
      .then(() => this.#parts.onRenewed())
      .finally(() => {
        this.#renewing = undefined;
      });
    return this.#renewing;
  }

  /** Live workers as of the last beat; a draining one is left out, unless it is the only one. */
  cluster(): Cluster {
    const workers = this.#workers;
    const { nodeId: selfNodeId } = this.#epoch;
    // Metadata asks once per partition, and the list changes once per beat at most.
    if (this.#cluster?.workers === workers && this.#cluster.selfNodeId === selfNodeId) {
      return this.#cluster;
    }
    const live = workers.filter((worker) => !worker.isDraining);
    const nodes = (live.length > 0 ? live : workers).map(clusterNode);
    this.#cluster = { clusterId: this.#clusterId, selfNodeId, nodes, workers };
    return this.#cluster;
  }

  /** `beside` is done when the epoch is there, while the list of workers is read. */
  async #register({
    takesOver = false,
    beside = async () => {},
  }: {
    readonly takesOver?: boolean;
    readonly beside?: () => Promise<void>;
  } = {}): Promise<void> {
    const { platform, database, isUsedUp } = this.#parts;
    let info = await this.#registerOnce(takesOver);
    while (await isUsedUp(info.workerEpoch)) {
      const { workerEpoch } = info;
      platform.log.error("worker epoch given away twice: the metadata lost it", { workerEpoch });
      await leaveWorkers(database, workerEpoch);
      info = await this.#registerOnce(takesOver);
    }
    this.#epoch = { workerEpoch: info.workerEpoch, nodeId: info.nodeId, lastSequence: 0 };
    // The next beat brings the others if this question is not answered.
    const listing = listWorkers(database).catch(() => [info]);
    [this.#workers] = await Promise.all([listing, beside()]);
    platform.log.debug("worker registered", { workerEpoch: info.workerEpoch, nodeId: info.nodeId });
  }

  async #registerOnce(takesOver: boolean): Promise<WorkerInfo> {
    const { platform, database, worker } = this.#parts;
    // The same until it is answered: when only the answer was lost, the epoch is there already.
    this.#registration ??= platform.random.bytes(16).toHex();
    const info = await registerWorker(database, {
      registration: this.#registration,
      kind: worker.kind,
      nodeId: worker.nodeId ?? (this.#epoch.nodeId >= 0 ? this.#epoch.nodeId : null),
      kafkaHost: worker.kafkaPort === 0 ? null : worker.kafkaHost,
      kafkaPort: worker.kafkaPort === 0 ? null : worker.kafkaPort,
      httpUrl: worker.httpUrl,
      object: worker.objectName === undefined ? undefined : { name: worker.objectName, takesOver },
    }).catch((error: unknown) => {
      if (isStreamError(error, "worker_fenced")) this.#registration = undefined;
      throw error;
    });
    this.#registration = undefined;
    return info;
  }

  #arm(): void {
    if (this.#stop.signal.aborted) return;
    this.#timer = this.#parts.platform.timers.after(beatMs, () => {
      this.#beating = this.#beat().finally(() => this.#arm());
    });
  }

  async #beat(): Promise<void> {
    const { platform, database, onBeat } = this.#parts;
    try {
      const workers = await raiseCounter(database, this.#epoch.workerEpoch);
      // While nobody could raise a counter, standing still says nothing.
      if (this.#missed) this.#sightings.clear();
      this.#missed = false;
      this.#noteGone(workers);
      this.#workers = workers;
      await this.#closeSilent();
      await onBeat();
    } catch (error) {
      if (isStreamError(error, "worker_fenced")) {
        platform.log.warn("worker epoch lost, registering anew", { error: error.message });
        await this.renew(this.#epoch.workerEpoch).catch(() => {});
        return;
      }
      this.#missed = true;
      platform.log.warn("heartbeat failed", { error: String(error) });
    }
  }

  #noteGone(workers: readonly WorkerInfo[]): void {
    const open = new Set(workers.map(({ workerEpoch }) => workerEpoch));
    for (const workerEpoch of this.#sightings.keys()) {
      if (!open.has(workerEpoch)) this.#sightings.delete(workerEpoch);
    }
  }

  async #closeSilent(): Promise<void> {
    const { platform, database } = this.#parts;
    const now = platform.clock.monotonic();
    for (const { workerEpoch, counter, kind } of this.#workers) {
      // A Durable Object hibernates without a counter; its next activation closes it.
      if (workerEpoch === this.#epoch.workerEpoch || kind === "durable_object") continue;
      const seen = this.#sightings.get(workerEpoch);
      if (seen?.counter !== counter) {
        this.#sightings.set(workerEpoch, { counter, since: now });
        continue;
      }
      if (now - seen.since < timeToLiveMs) continue;
      const closed = await closeWorker(database, { workerEpoch, observedCounter: counter });
      if (!closed) continue;
      platform.log.warn("closed a silent worker", { workerEpoch, counter });
      this.#workers = this.#workers.filter((worker) => worker.workerEpoch !== workerEpoch);
      this.adopt([workerEpoch]);
    }
  }

  async #adoptAll(): Promise<void> {
    const { platform, mend } = this.#parts;
    while (this.#orphans.size > 0) {
      for (const workerEpoch of [...this.#orphans]) {
        try {
          await mend(workerEpoch);
          this.#orphans.delete(workerEpoch);
        } catch (error) {
          const why = String(error);
          platform.log.warn("remains of a closed worker not looked after yet", {
            workerEpoch,
            why,
          });
        }
      }
      if (this.#orphans.size === 0) return;
      if (this.#stop.signal.aborted) return;
      await platform.timers.sleep(adoptAgainMs, this.#stop.signal);
    }
  }
}

function clusterNode(worker: WorkerInfo): ClusterNode {
  return {
    nodeId: worker.nodeId,
    kafkaHost: worker.kafkaHost ?? "",
    kafkaPort: worker.kafkaPort ?? 0,
    httpUrl: worker.httpUrl ?? "",
  };
}
