/**
 * Index rows that were read from the metadata, by partition. It may only say yes: what it does not
 * hold is asked for, and when an object turns out to be gone the partition is asked for again.
 */
import { type Extent, extentsFrom, type PartitionState } from "../meta/log-index.ts";
import type { SqlDatabase } from "../meta/sql-database.ts";
import { type PartitionSlot, partitionSlot } from "./partition-slot.ts";

/** Rows per question to the metadata: a sequential reader asks once for about so many segments. */
const pageRows = 256;
const pageBytes = 256 * 1024 * 1024;

/** Rows kept over all partitions; about 200 bytes each. */
const rowsMax = 100_000;

export class ExtentCache {
  readonly #database: SqlDatabase;
  readonly #onState: (slot: PartitionSlot, state: PartitionState) => boolean;
  /** Insertion order is order of use. */
  readonly #pages = new Map<PartitionSlot, readonly Extent[]>();
  #rows = 0;

  /**
   * `onState` hears the partition's state that each question brings along, and says whether it is
   * of the newest leader epoch known: else the rows with it were asked for before a cut.
   */
  constructor(
    database: SqlDatabase,
    onState: (slot: PartitionSlot, state: PartitionState) => boolean,
  ) {
    this.#database = database;
    this.#onState = onState;
  }

  /**
   * Extents in offset order, the first of which holds `offset` or begins after it; empty when the
   * log ends there. `fresh`: do not believe what is held.
   */
  async from(
    where: { readonly topicNumber: number; readonly partition: number; readonly offset: number },
    fresh = false,
  ): Promise<readonly Extent[]> {
    const slot = partitionSlot(where.topicNumber, where.partition);
    if (fresh) this.forget(slot);
    const held = this.#held(slot, where.offset);
    if (held.length > 0) return held;
    const { state, extents } = await extentsFrom(this.#database, {
      ...where,
      limitRows: pageRows,
      limitBytes: pageBytes,
    });
    if (state !== null && this.#onState(slot, state)) this.#hold(slot, extents);
    return extents;
  }

  forget(slot: PartitionSlot): void {
    this.#rows -= this.#pages.get(slot)?.length ?? 0;
    this.#pages.delete(slot);
  }

  #held(slot: PartitionSlot, offset: number): readonly Extent[] {
    const page = this.#pages.get(slot);
    const first = page?.[0];
    if (page === undefined || first === undefined || offset < first.baseOffset) return [];
    let low = 0;
    let high = page.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((page[middle] as Extent).lastOffset < offset) low = middle + 1;
      else high = middle;
    }
    return page.slice(low);
  }

  #hold(slot: PartitionSlot, extents: readonly Extent[]): void {
    this.forget(slot);
    if (extents.length === 0) return;
    this.#pages.set(slot, extents);
    this.#rows += extents.length;
    for (const oldest of this.#pages.keys()) {
      if (this.#rows <= rowsMax) return;
      this.forget(oldest);
    }
  }
}
