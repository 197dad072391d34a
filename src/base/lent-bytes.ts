/**
 * Views of memory that will be used for something else: slots of the ring, blocks of the cache. A
 * reader's answer is lent such views in place of a copy. Whoever wants the memory back recalls it:
 * what is lent of it and has not left is copied then. So a fast reader costs no copy, a slow one
 * costs the copy that it would have cost at once, and none of them holds anybody up.
 *
 * A view that was recalled shows other bytes afterwards. Who holds lent views therefore reads them
 * through `current`, anew after each await.
 */
import type { BufferPool } from "./buffer-pool.ts";

/** How whoever sends lent views reads them. */
export interface CurrentBytes {
  /** The bytes that `view` was lent for; what was never lent is itself. */
  current(view: Uint8Array): Uint8Array;
}

/** Memory of which views may be lent: as much of it as is recalled at a time. */
export class Lendable {
  /** What is lent of it and was not recalled. */
  readonly views = new Set<Uint8Array>();
}

interface Loan {
  /** What the view lies in; may be several neighbours. */
  readonly sources: readonly Lendable[];
  /** Once it was recalled. */
  copy: Uint8Array | undefined;
}

export class LentBytes implements CurrentBytes {
  readonly #pool: BufferPool;
  readonly #loans = new WeakMap<Uint8Array, Loan>();

  constructor(pool: BufferPool) {
    this.#pool = pool;
  }

  /** Lends `view`, all of which lies in `sources`, until it is given back. */
  lend(view: Uint8Array, sources: readonly Lendable[]): void {
    this.#loans.set(view, { sources, copy: undefined });
    for (const { views } of sources) views.add(view);
  }

  current(view: Uint8Array): Uint8Array {
    return this.#loans.get(view)?.copy ?? view;
  }

  /** The memory is about to be overwritten: readers keep a copy of what they have not sent. */
  recall(source: Lendable): void {
    for (const view of source.views) {
      const loan = this.#loans.get(view);
      if (loan === undefined) continue;
      loan.copy = this.#pool.take(view.length);
      loan.copy.set(view);
      for (const { views } of loan.sources) views.delete(view);
    }
  }

  /** The reader is done with it. False: it was never lent, or was given back before. */
  giveBack(view: Uint8Array): boolean {
    const loan = this.#loans.get(view);
    if (loan === undefined) return false;
    this.#loans.delete(view);
    for (const { views } of loan.sources) views.delete(view);
    if (loan.copy !== undefined) this.#pool.give(loan.copy);
    return true;
  }
}
