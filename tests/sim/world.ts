/**
 * What all actors of a run share: the time line, the faults that are switched on, the trace and the
 * violations. Everything asynchronous in a run goes through a timer of this one virtual clock, and
 * between two timers all promises settle, so a seed decides the order of everything.
 */

import { createCrc32c } from "../../src/base/crc32c-kernel.ts";
import type { TimerHandle } from "../../src/base/platform.ts";
import { loadWasmModule } from "../../src/runtime/node/wasm-modules.ts";
import { codecs } from "../support/record-tools.ts";
import { createVirtualPlatform, type VirtualPlatform } from "../support/virtual-platform.ts";
import { Dice } from "./dice.ts";
import { calm, type FaultRates } from "./fault-rates.ts";
import { Trace } from "./trace.ts";

export const crc32c = createCrc32c({ module: loadWasmModule("crc32c") });

export interface WorldOptions {
  readonly seed: number;
  readonly show?: ((line: string) => void) | undefined;
}

export class World {
  readonly seed: number;
  readonly dice: Dice;
  readonly trace: Trace;
  readonly time: VirtualPlatform;
  faults: FaultRates = calm;
  /** Milliseconds that the database's clock is ahead of the common one. */
  databaseSkewMs = 0;
  readonly violations: string[] = [];

  constructor({ seed, show }: WorldOptions) {
    this.seed = seed;
    this.dice = new Dice(seed);
    this.trace = new Trace(show);
    this.time = createVirtualPlatform({ seed: this.dice.below(2 ** 32), crc32c, codecs });
  }

  /** Milliseconds since the run began. */
  get now(): number {
    return this.time.clock.monotonic();
  }

  note(line: string): void {
    this.trace.add(`${this.now.toFixed(3)} ${line}`);
  }

  /** Records that something happened which must never happen. */
  violate(what: string): void {
    // Without the stack of an error, which differs between two runs of one seed.
    this.note(`VIOLATION ${what.split("\n", 1)[0]}`);
    this.violations.push(`at ${this.now.toFixed(0)} ms: ${what}`);
  }

  after(delayMs: number, callback: () => void): TimerHandle {
    return this.time.timers.after(delayMs, callback);
  }

  sleep(delayMs: number): Promise<void> {
    return this.time.timers.sleep(delayMs);
  }
}
