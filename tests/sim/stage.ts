/** The cast of a run, drawn from its seed. */
import { silentLogger } from "../../src/base/log.ts";
import type { FlushPolicy } from "../../src/log/flush-policy.ts";
import { FolderStore } from "../../src/store/folder-store.ts";
import { MemoryStore } from "../../src/store/memory-store.ts";
import type { ObjectStore } from "../../src/store/object-store.ts";
import type { Dice } from "./dice.ts";
import { calm, type FaultRates } from "./fault-rates.ts";
import { FaultyStore } from "./faulty-store.ts";
import { ProcessGate } from "./process-gate.ts";
import { SimulatedDisk } from "./simulated-file-system.ts";
import type { WorkerSetup } from "./simulated-worker.ts";
import type { World } from "./world.ts";

export interface Stage {
  readonly kind: string;
  readonly workerCount: number;
  readonly setup: WorkerSetup;
  readonly topics: readonly string[];
  readonly recordBytesMax: number;
  readonly pauseMsMax: number;
  readonly activeMs: number;
  readonly strikePauseMsMax: number;
  readonly faults: FaultRates;
  readonly losesPower: boolean;
  /** Each worker has a machine, which may lose its power while the others go on. */
  readonly machinesLosePower: boolean;
  readonly fsync: boolean;
  readonly disk: SimulatedDisk | undefined;
  /** The store without faults, for checks. */
  readonly bareStore: ObjectStore;
}

interface Storage
  extends Pick<
    Stage,
    "kind" | "losesPower" | "machinesLosePower" | "fsync" | "disk" | "bareStore" | "workerCount"
  > {
  /** Several workers use it, and a server has the metadata. */
  readonly shared: boolean;
  readonly openStore: WorkerSetup["openStore"];
}

/** From here on every seed is of machines that share a folder and lose their power alone. */
export const firstMachinesSeed = 1_000_000;

export function stageOf(world: World): Stage {
  const { dice } = world;
  const ofMachines = world.seed >= firstMachinesSeed;
  const isShared = dice.chance(0.65) && !ofMachines;
  const storage = isShared ? sharedStorage(world) : folderStorage(world, ofMachines);
  const flush = flushPolicy(dice);
  const { openStore, shared } = storage;
  return {
    ...storage,
    setup: {
      shared,
      openStore,
      storeMayLoseTail: storage.disk !== undefined,
      flush,
      // Room for all flights, the one that fills and one that waits; a little more at times.
      ringBytes: flush.flushBytes * (flush.flightsMax + 2) + 65_536 * dice.between(1, 4),
      blockCacheBytes: dice.pick([0, 300_000, 1_200_000, 4_000_000]),
      lentBytesMin: dice.pick([1, 65_536]),
      queueBytesMax: dice.pick([20_000, 1_000_000]),
      databaseLegMsMax: shared ? 3 : 0.5,
      maintenance: {
        roundMs: dice.pick([700, 3_000, 30_000]),
        orphanRoundMs: dice.pick([2_000, 3_600_000]),
        graceMs: dice.pick([2_000, 5_000]),
        producerExpiryMs: 400_000_000,
      },
    },
    topics: dice.pick([["orders"], ["orders", "trimmed"], ["orders", "trimmed", "churn"]]),
    recordBytesMax: dice.pick([60, 400, 3_000]),
    pauseMsMax: dice.pick([10, 50, 300]),
    activeMs: dice.between(2_500, 6_000),
    strikePauseMsMax: dice.pick([600, 1_500, 4_000]),
    faults: faultRates(dice),
  };
}

function sharedStorage(world: World): Storage {
  const store = new MemoryStore();
  return {
    kind: "shared",
    shared: true,
    workerCount: world.dice.between(2, 3),
    losesPower: false,
    machinesLosePower: false,
    fsync: true,
    disk: undefined,
    bareStore: store,
    openStore: (gate, dice) => new FaultyStore({ world, gate, dice, store, legMsMax: 8 }),
  };
}

function folderStorage(world: World, ofMachines: boolean): Storage {
  const losesPower = world.dice.chance(0.7) && !ofMachines;
  const fsync = world.dice.chance(0.5) && !ofMachines;
  const disk = new SimulatedDisk(world, { dice: world.dice.fork(), syncFails: fsync });
  const fileBytesMax = fsync || !losesPower ? world.dice.pick([65_536, 1_000_000]) : 10_000_000;
  // Not by the dice, so that other seeds keep their meaning.
  const shared = ofMachines || world.seed % 5 === 0;
  const open = (gate: ProcessGate) =>
    new FolderStore({
      fileSystem: disk.mount(gate),
      directory: "/data",
      fsync: fsync ? "on" : "off",
      fileBytesMax,
      log: silentLogger,
    });
  return {
    kind:
      `${shared ? "shared folder" : "folder"}, fsync ${fsync ? "on" : "off"}` +
      (losesPower ? ", power losses" : "") +
      (ofMachines ? ", machines lose power alone" : ""),
    shared,
    workerCount: ofMachines ? world.dice.between(2, 3) : shared ? 2 : 1,
    losesPower,
    machinesLosePower: ofMachines,
    fsync,
    disk,
    bareStore: open(new ProcessGate(world, "checker")),
    openStore: open,
  };
}

function flushPolicy(dice: Dice): FlushPolicy {
  return {
    flushBytes: dice.pick([8_192, 65_536]),
    sealBytes: dice.pick([1_000, 8_000]),
    sealGrowth: 2,
    flushAgeMs: dice.pick([5, 50]),
    flightsMax: dice.between(1, 4),
    flushRateMax: dice.pick([0, 0, 10]),
    flushBurst: 5,
  };
}

function faultRates(dice: Dice): FaultRates {
  if (dice.chance(0.15)) return calm;
  const rate = () => dice.pick([0, 0.005, 0.02, 0.05]);
  return {
    storeRefused: rate(),
    storeReplyLost: rate(),
    storeWrittenLate: rate(),
    storeReadFails: rate(),
    slow: rate(),
    databaseRequestLost: rate(),
    databaseReplyLost: rate(),
    databaseRepeated: rate(),
    clientReplyLost: rate(),
  };
}
