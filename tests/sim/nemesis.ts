/**
 * What goes wrong with processes and clocks: pauses short and long (longer than every time to live),
 * crashes, orderly stops, clock jumps, power losses, and spells in which store or database fail.
 */
import type { Dice } from "./dice.ts";
import { calm, type FaultRates } from "./fault-rates.ts";
import type { SimulatedWorker } from "./simulated-worker.ts";
import type { World } from "./world.ts";

export interface NemesisOptions {
  readonly world: World;
  readonly dice: Dice;
  readonly workers: readonly SimulatedWorker[];
  readonly base: FaultRates;
  readonly until: number;
  readonly pauseMsMax: number;
  /** Undefined: this run has no power loss. Resolves when the workers are to be started anew. */
  readonly losePower: (() => Promise<void>) | undefined;
  /** Undefined: no machine loses its power alone. What its worker had not synced is gone. */
  readonly losePowerOf: ((worker: SimulatedWorker) => void) | undefined;
}

/** Producers' state, which expires by this clock, must not. */
const databaseSkewMsMax = 100_000_000;

export class Nemesis {
  readonly #options: NemesisOptions;
  /** Restarts under way. */
  readonly #mending = new Set<Promise<void>>();

  constructor(options: NemesisOptions) {
    this.#options = options;
  }

  async run(): Promise<void> {
    const { world, dice, until, pauseMsMax, base } = this.#options;
    world.faults = base;
    while (world.now < until && world.violations.length === 0) {
      await world.sleep(dice.between(50, pauseMsMax));
      await this.#strike();
    }
  }

  /** Ends all faults; resolves when every worker serves again. */
  async heal(): Promise<void> {
    const { world, workers } = this.#options;
    world.faults = calm;
    world.note("all faults end");
    await Promise.all(this.#mending);
    for (const worker of workers) {
      worker.gate?.resume();
      if (!worker.isUp) await worker.start();
    }
  }

  async #strike(): Promise<void> {
    const { dice, workers, losePower, losePowerOf } = this.#options;
    const worker = dice.pick(workers);
    const strikes: (() => Promise<void>)[] = [
      () => this.#pause(worker, dice.between(10, 1_500)),
      () => this.#pause(worker, dice.between(2_000, 6_000)),
      () => this.#crash(worker),
      () => this.#restart(worker),
      () => this.#skew(worker),
      () => this.#spell(dice.between(100, 2_000)),
    ];
    if (losePowerOf !== undefined) {
      const strike = () => this.#losePowerOf(worker, losePowerOf);
      strikes.push(strike, strike);
    }
    if (losePower !== undefined) strikes.push(() => this.#losePower(losePower));
    await dice.pick(strikes)();
  }

  async #pause(worker: SimulatedWorker, durationMs: number): Promise<void> {
    const { world } = this.#options;
    const { gate } = worker;
    if (!worker.isUp || gate === undefined) return;
    world.note(`${gate.name} pauses for ${durationMs} ms`);
    gate.pause();
    world.after(durationMs, () => {
      world.note(`${gate.name} goes on`);
      gate.resume();
    });
  }

  async #crash(worker: SimulatedWorker): Promise<void> {
    if (!worker.isUp) return;
    worker.kill();
    this.#startLater(worker);
  }

  /** Its peers go on, and so do the clients. */
  async #losePowerOf(
    worker: SimulatedWorker,
    losePowerOf: (worker: SimulatedWorker) => void,
  ): Promise<void> {
    if (!worker.isUp) return;
    worker.kill();
    losePowerOf(worker);
    this.#startLater(worker);
  }

  #startLater(worker: SimulatedWorker): void {
    const { world, dice } = this.#options;
    const downMs = dice.chance(0.5) ? dice.between(0, 300) : dice.between(300, 4_000);
    this.#mend(world.sleep(downMs).then(() => worker.start()));
  }

  async #restart(worker: SimulatedWorker): Promise<void> {
    if (!worker.isUp || worker.gate?.isRunning !== true) return;
    this.#mend(worker.stop().then(() => worker.start()));
  }

  async #skew(worker: SimulatedWorker): Promise<void> {
    const { world, dice } = this.#options;
    const byMs = dice.pick([-3_600_000, -5_000, 250, 40_000, 86_400_000]);
    if (dice.chance(0.5)) worker.skewWallClock(byMs);
    else if (Math.abs(world.databaseSkewMs + byMs) < databaseSkewMsMax) {
      world.databaseSkewMs += byMs;
    }
    world.note(`clocks jump by ${byMs}`);
  }

  /** For a while everything fails far more often. */
  async #spell(durationMs: number): Promise<void> {
    const { world, dice, base } = this.#options;
    const worse = (rate: number) => Math.min(0.3, rate * dice.between(1, 12));
    world.faults = Object.fromEntries(
      Object.entries(base).map(([name, rate]) => [name, worse(rate)]),
    ) as unknown as FaultRates;
    world.note(`bad spell of ${durationMs} ms`);
    await world.sleep(durationMs);
    world.faults = base;
  }

  async #losePower(losePower: () => Promise<void>): Promise<void> {
    const { workers } = this.#options;
    if (workers.some((worker) => !worker.isUp)) return;
    await losePower();
  }

  #mend(mending: Promise<void>): void {
    const kept = mending.finally(() => this.#mending.delete(kept));
    this.#mending.add(kept);
  }
}
