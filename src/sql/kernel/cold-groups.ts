/**
 * Groups without windows that left memory: rows of a table of the task's database, by key, whose
 * pages go to scratch disk and to checkpoints as those of any other (ADR 23). A group is either in
 * the kernel or here. When memory is short, all groups leave together, after their changes were
 * read (of a query that ends: at any time); before rows are added, the groups that they need come
 * back.
 *
 * What must hold: keys are compared here by SQLite, which may find more groups than the kernel
 * would (0.0 and -0.0), never fewer. One that comes back too early does no harm.
 *
 * An image is, little-endian, what a checkpoint has of one entry (`wasm/sql/parts/image.ts`):
 *   u32 count of nodes, the entry's fields one after the other, its name if it has one, its nodes
 * The table has it beside the key, and as many tables as layouts of entries: their names end with
 * the fingerprint of the layout.
 */
import type { RowTable } from "../memory/row-table.ts";
import {
  type ColdKernel,
  type ColdKey,
  type ColdOrder,
  type ColdPlace,
  ColdTable,
} from "./cold-table.ts";
import type { SpillSpace } from "./spill-space.ts";
import type { KernelState } from "./state.ts";

export interface ColdGroupKernel extends ColdKernel {
  panes(state: number): number;
  paneEntries(state: number, index: number): number;
}

/** Groups that hold less than this part of what all may hold are not what memory is short of. */
const smallShare = 1 / 32;

/** Rows that are added without a look at memory, and what each may take of it, with its group. */
const rowsMin = 4_096;
const bytesPerRow = 512;

/** Groups of a query that ends which come out together, and their part of what all may hold. */
const comingOutMax = 16_384;
const comingOutShare = 1 / 8;

export class ColdGroups {
  readonly #kernel: ColdGroupKernel;
  readonly #state: KernelState;
  readonly #place: ColdPlace;
  readonly #keys: readonly ColdKey[];
  readonly #space: SpillSpace | null;
  readonly #order: ColdOrder;
  #table: ColdTable | null = null;

  constructor(
    kernel: ColdGroupKernel,
    options: {
      readonly state: KernelState;
      readonly place: ColdPlace;
      readonly keys: readonly ColdKey[];
      readonly space: SpillSpace | null;
      /** "name": all come out by their order, at the end. */
      readonly order: ColdOrder;
    },
  ) {
    this.#kernel = kernel;
    this.#state = options.state;
    this.#keys = options.keys;
    this.#space = options.space;
    this.#order = options.order;
    const { database, name } = options.place;
    this.#place = { database, name: `${name}_cold_${options.state.layout.fingerprint}` };
    if (ColdTable.isThere(this.#place)) this.#table = this.#open();
  }

  /** Whether groups would leave at the next `spill`, as far as they are settled. */
  get isOver(): boolean {
    const space = this.#space;
    if (space === null || space.bytesOver <= 0) return false;
    return this.#state.bytesHeld >= space.bytesMax * smallShare && this.#count > 0;
  }

  /** Whether they would, and there is hardly room for more until then. */
  get isFarOver(): boolean {
    return this.isOver && (this.#space?.bytesUnderFar ?? 0) < 0;
  }

  /** Rows that surely have room, whatever groups they make, or a few. */
  get rowsWithRoom(): number {
    if (this.#space === null) return Number.POSITIVE_INFINITY;
    return Math.max(rowsMin, Math.floor(this.#space.bytesUnderFar / bytesPerRow));
  }

  get #count(): number {
    const { address } = this.#state;
    return this.#kernel.panes(address) === 0 ? 0 : this.#kernel.paneEntries(address, 0);
  }

  /** All groups leave when memory is short. Changes are settled. @throws `sql_memory_exceeded` */
  spill(): void {
    if (this.isOver) this.#sendAll();
  }

  #sendAll(): void {
    this.#table ??= this.#open();
    this.#table.sendAll(this.#kernel, this.#state, "send groups to scratch disk");
    this.#space?.noteLeft();
  }

  /** The groups of these rows come back. @throws `sql_memory_exceeded` */
  fetchFor(rows: RowTable): void {
    if (this.#table === null) return;
    this.#table.fetchFor(rows, this.#kernel, { state: this.#state, keys: this.#keys });
  }

  /**
   * Calls `show` when groups are in the kernel that come out next, until all did: those that left
   * go in parts. @throws `sql_memory_exceeded`
   */
  bringOut(show: () => void): void {
    if (this.#table === null) {
      show();
      return;
    }
    this.#sendAll();
    const bytesMax = Math.floor((this.#space?.bytesMax ?? 0) * comingOutShare);
    for (const images of this.#table.names.parts({ rowsMax: comingOutMax, bytesMax })) {
      this.#kernel.readGroups(this.#state.address, images.address);
      this.#check("fetch groups from scratch disk");
      show();
      this.#kernel.forgetGroups(this.#state.address);
    }
  }

  #check(act: string): void {
    this.#state.check(this.#kernel.failure(this.#state.address), act);
  }

  free(): void {
    this.#table?.free();
    this.#table = null;
  }

  #open(): ColdTable {
    const kinds = this.#keys.map(({ kind }) => kind);
    const { isNamed } = this.#state.layout;
    const shown = this.#state.newResult();
    return new ColdTable(this.#place, { shown, kinds, isNamed, order: this.#order });
  }
}
