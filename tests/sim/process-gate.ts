/**
 * Whether a simulated process runs. Everything that could wake it (timers, answers, requests) comes
 * through here: a paused process gets it all when it goes on, a dead one never.
 */

import { silentLogger } from "../../src/base/log.ts";
import type { Clock, Platform, TimerHandle } from "../../src/base/platform.ts";
import { Dice } from "./dice.ts";
import type { World } from "./world.ts";

export class ProcessGate {
  readonly name: string;
  readonly #world: World;
  #state: "running" | "paused" | "dead" = "running";
  #held: (() => void)[] = [];

  constructor(world: World, name: string) {
    this.#world = world;
    this.name = name;
  }

  get isDead(): boolean {
    return this.#state === "dead";
  }

  get isRunning(): boolean {
    return this.#state === "running";
  }

  /** Runs `callback` in the process: now, when it goes on, or never. */
  enter(callback: () => void): void {
    if (this.#state === "running") callback();
    else if (this.#state === "paused") this.#held.push(callback);
  }

  pause(): void {
    if (this.#state === "running") this.#state = "paused";
  }

  resume(): void {
    if (this.#state !== "paused") return;
    this.#state = "running";
    const held = this.#held;
    this.#held = [];
    for (const callback of held) this.#world.after(0, () => this.enter(callback));
  }

  kill(): void {
    this.#state = "dead";
    this.#held = [];
  }

  /**
   * Work outside of the process on its behalf: starts after `thereMs` whatever becomes of the
   * process, and the answer enters it after `backMs` more.
   */
  ask<T>(legs: { thereMs: number; backMs: number }, work: () => Promise<T> | T): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const answer = (deliver: () => void) =>
        this.#world.after(legs.backMs, () => this.enter(deliver));
      this.#world.after(legs.thereMs, async () => {
        try {
          const result = await work();
          answer(() => resolve(result));
        } catch (error) {
          answer(() => reject(error));
        }
      });
    });
  }
}

export interface SimulatedPlatform extends Platform {
  /** Makes this process's wall clock jump. */
  skewWallClock(byMs: number): void;
}

/** The Platform of one process on the common time line. */
export function processPlatform(
  world: World,
  gate: ProcessGate,
  options: { readonly seed: number; readonly startSkewMs: number },
): SimulatedPlatform {
  let skewMs = options.startSkewMs;
  const clock: Clock = {
    now: () => Math.floor(world.time.clock.now() + skewMs),
    monotonic: () => world.time.clock.monotonic(),
  };
  const after = (delayMs: number, callback: () => void): TimerHandle => {
    let cancelled = false;
    const timer = world.after(delayMs, () =>
      gate.enter(() => {
        if (!cancelled) callback();
      }),
    );
    return {
      cancel() {
        cancelled = true;
        timer.cancel();
      },
    };
  };
  return {
    clock,
    random: new Dice(options.seed).random,
    codecs: world.time.codecs,
    crc32c: world.time.crc32c,
    log: silentLogger,
    timers: { after, sleep: (delayMs, signal) => sleep(after, delayMs, signal) },
    skewWallClock(byMs) {
      skewMs += byMs;
    },
  };
}

function sleep(
  after: (delayMs: number, callback: () => void) => TimerHandle,
  delayMs: number,
  signal?: AbortSignal,
): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    const wake = () => {
      timer.cancel();
      signal?.removeEventListener("abort", wake);
      resolve();
    };
    const timer = after(delayMs, wake);
    signal?.addEventListener("abort", wake, { once: true });
  });
}
