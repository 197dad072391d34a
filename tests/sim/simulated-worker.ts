/** A worker process of a run: it starts, is paused, killed, stopped and started anew. */
import { Metrics } from "../../src/base/metrics.ts";
import type { FlushPolicy } from "../../src/log/flush-policy.ts";
import { Log } from "../../src/log/log.ts";
import type { MaintenanceSettings } from "../../src/log/maintenance.ts";
import type { SqlDatabase } from "../../src/meta/sql-database.ts";
import type { ObjectStore } from "../../src/store/object-store.ts";
import type { Dice } from "./dice.ts";
import { FaultyDatabase } from "./faulty-database.ts";
import { ProcessGate, processPlatform, type SimulatedPlatform } from "./process-gate.ts";
import type { SimulatedDatabase } from "./simulated-database.ts";
import type { World } from "./world.ts";

/** What runs queries in a process. */
export interface QueryRuntime {
  start(): void;
  close(): Promise<void>;
  fence(): void;
}

export interface WorkerSetup {
  readonly shared: boolean;
  readonly storeMayLoseTail: boolean;
  readonly flush: FlushPolicy;
  readonly ringBytes: number;
  readonly blockCacheBytes: number;
  readonly lentBytesMin: number;
  readonly queueBytesMax: number;
  readonly maintenance: MaintenanceSettings;
  readonly databaseLegMsMax: number;
  /** The store as this process sees it; called for every process anew. */
  readonly openStore: (gate: ProcessGate, dice: Dice) => ObjectStore;
  /** Absent: the worker runs no queries. */
  readonly openQueries?: (parts: {
    readonly platform: SimulatedPlatform;
    readonly database: SqlDatabase;
    readonly log: Log;
  }) => QueryRuntime;
}

export class SimulatedWorker {
  readonly name: string;
  readonly #world: World;
  readonly #dice: Dice;
  readonly #database: SimulatedDatabase;
  readonly #setup: WorkerSetup;
  #incarnation = 0;
  #gate: ProcessGate | undefined;
  #platform: SimulatedPlatform | undefined;
  #log: Log | undefined;
  #store: ObjectStore | undefined;
  #queries: QueryRuntime | undefined;
  #startSkewMs = 0;

  constructor(parts: {
    readonly name: string;
    readonly world: World;
    readonly dice: Dice;
    readonly database: SimulatedDatabase;
    readonly setup: WorkerSetup;
  }) {
    this.name = parts.name;
    this.#world = parts.world;
    this.#dice = parts.dice;
    this.#database = parts.database;
    this.#setup = parts.setup;
  }

  /** The log of the running process; undefined while there is none that takes requests. */
  get log(): Log | undefined {
    return this.#log;
  }

  get gate(): ProcessGate | undefined {
    return this.#gate;
  }

  get isUp(): boolean {
    return this.#log !== undefined && this.#gate?.isDead === false;
  }

  /** Starts a process, as often as it takes; resolves when it serves, or when it was killed. */
  async start(): Promise<void> {
    while (!this.isUp) {
      this.#incarnation += 1;
      const gate = new ProcessGate(this.#world, `${this.name}.${this.#incarnation}`);
      this.#gate = gate;
      this.#world.note(`${gate.name} starts`);
      const log = this.#newLog(gate);
      const opened = await Promise.race([this.#open(log, gate), this.#died(gate)]);
      if (opened) {
        this.#log = log;
        this.#queries?.start();
        this.#world.note(`${gate.name} serves`);
        return;
      }
      gate.kill();
      if (this.#gate !== gate) return;
      await this.#world.sleep(this.#dice.between(50, 500));
    }
  }

  kill(): void {
    this.#world.note(`${this.#gate?.name} is killed`);
    this.#gate?.kill();
    this.#log = undefined;
  }

  /** An orderly stop; after it no process is left. */
  async stop(): Promise<void> {
    const log = this.#log;
    const gate = this.#gate;
    if (log === undefined || gate === undefined) return;
    this.#log = undefined;
    this.#world.note(`${gate.name} stops`);
    const store = this.#store;
    const queries = this.#queries;
    const close = async () => {
      await queries?.close();
      await log.close();
      await store?.close();
    };
    const closed = close().catch((error: unknown) => {
      this.#world.note(`${gate.name} stopped with ${String(error)}`);
    });
    // An operator's patience ends; what does not stop is killed.
    await Promise.race([closed, this.#world.sleep(10_000), this.#died(gate)]);
    this.#world.note(`${gate.name} is gone`);
    gate.kill();
  }

  skewWallClock(byMs: number): void {
    this.#startSkewMs += byMs;
    this.#platform?.skewWallClock(byMs);
  }

  #newLog(gate: ProcessGate): Log {
    const { shared, storeMayLoseTail, flush, ringBytes } = this.#setup;
    const { blockCacheBytes, lentBytesMin, queueBytesMax, maintenance } = this.#setup;
    const seed = this.#dice.below(2 ** 32);
    const platform = processPlatform(this.#world, gate, { seed, startSkewMs: this.#startSkewMs });
    this.#platform = platform;
    const store = this.#setup.openStore(gate, this.#dice.fork());
    this.#store = store;
    const database = new FaultyDatabase({
      ...{ world: this.#world, gate, dice: this.#dice.fork(), database: this.#database },
      ...{ legMsMax: this.#setup.databaseLegMsMax, embedded: !shared },
    });
    const log = new Log({
      platform,
      metrics: new Metrics(),
      store,
      database,
      shared,
      flush,
      topics: { autoCreateTopics: true, partitionCountDefault: 2 },
      ring: new Uint8Array(ringBytes),
      blockMemory: [new Uint8Array(blockCacheBytes)],
      lentBytesMin,
      queueBytesMax,
      storeMayLoseTail,
      maintenance,
      onEpochLost: () => this.#queries?.fence(),
      worker: { kind: "process", kafkaHost: this.name, kafkaPort: 9092, httpUrl: "" },
    });
    this.#queries = this.#setup.openQueries?.({ platform, database, log });
    return log;
  }

  async #open(log: Log, gate: ProcessGate): Promise<boolean> {
    try {
      await log.open();
      return true;
    } catch (error) {
      this.#world.note(`${gate.name} cannot start: ${String(error)}`);
      return false;
    }
  }

  /** Resolves some time after the process has died. */
  async #died(gate: ProcessGate): Promise<false> {
    while (!gate.isDead) await this.#world.sleep(100);
    return false;
  }
}
