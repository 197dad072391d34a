/** Draws of one seeded generator. Each actor has dice of its own, so that one more draw of one does
 * not change what all others do. */
import type { Random } from "../../src/base/platform.ts";
import { createRandom } from "../support/virtual-platform.ts";

export class Dice {
  readonly random: Random;

  constructor(seed: number) {
    this.random = createRandom(seed);
  }

  /** Dice that depend on these and on nothing that is drawn from them later. */
  fork(): Dice {
    return new Dice(this.below(2 ** 32));
  }

  /** A whole number from 0 to `end` - 1. */
  below(end: number): number {
    return Math.floor(this.random.uniform() * end);
  }

  /** A whole number from `first` to `last`, both included. */
  between(first: number, last: number): number {
    return first + this.below(last - first + 1);
  }

  chance(probability: number): boolean {
    return this.random.uniform() < probability;
  }

  pick<T>(items: readonly T[]): T {
    if (items.length === 0) throw new Error("nothing to pick from");
    return items[this.below(items.length)] as T;
  }
}
