/** Long-polls that wait for partitions to grow. Waking is cheap when nobody waits. */
import type { Timers } from "../base/platform.ts";
import type { PartitionSlot } from "./partition-slot.ts";

export class Waiters {
  readonly #timers: Timers;
  readonly #bySlot = new Map<PartitionSlot, Set<() => void>>();
  #count = 0;
  #wakesOfAll = 0;
  /** Called when a waiter comes: whoever must look for news elsewhere starts then. */
  onWait: (slots: readonly PartitionSlot[]) => void = () => {};

  constructor(timers: Timers) {
    this.#timers = timers;
  }

  /** Waits that are under way. */
  get count(): number {
    return this.#count;
  }

  /** Changes with every `wakeAll`: who has looked before it looks again rather than waits. */
  get wakesOfAll(): number {
    return this.#wakesOfAll;
  }

  /** Resolves when one of `slots` grows, after `waitMs` (+∞: never), or when `signal` aborts. */
  wait(slots: readonly PartitionSlot[], waitMs: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const done = () => {
        timer?.cancel();
        signal?.removeEventListener("abort", done);
        for (const slot of slots) this.#leave(slot, done);
        this.#count -= 1;
        resolve();
      };
      const timer = Number.isFinite(waitMs) ? this.#timers.after(waitMs, done) : undefined;
      signal?.addEventListener("abort", done, { once: true });
      for (const slot of slots) this.#join(slot, done);
      this.#count += 1;
      this.onWait(slots);
    });
  }

  wake(slot: PartitionSlot): void {
    const waiting = this.#bySlot.get(slot);
    if (waiting === undefined) return;
    for (const done of [...waiting]) done();
  }

  /** Wakes everyone: partitions came or went, or the worker stops. */
  wakeAll(): void {
    this.#wakesOfAll += 1;
    for (const slot of [...this.#bySlot.keys()]) this.wake(slot);
  }

  #join(slot: PartitionSlot, done: () => void): void {
    const waiting = this.#bySlot.get(slot);
    if (waiting === undefined) this.#bySlot.set(slot, new Set([done]));
    else waiting.add(done);
  }

  #leave(slot: PartitionSlot, done: () => void): void {
    const waiting = this.#bySlot.get(slot);
    waiting?.delete(done);
    if (waiting?.size === 0) this.#bySlot.delete(slot);
  }
}
