/**
 * Sessions that left memory: rows of a table of the task's database (`cold-table.ts`), whose pages
 * go to scratch disk and to checkpoints (ADR 41). When memory is short all sessions leave together;
 * before rows are added, the sessions of their keys come back, and before sessions close, those
 * that do.
 *
 * What must hold: of a key either all sessions are in the kernel or none is, save that those which
 * close by a watermark come back alone where they end with that.
 */
import type { RowTable } from "../memory/row-table.ts";
import { type ColdKernel, type ColdKey, type ColdPlace, ColdTable } from "./cold-table.ts";
import { partLimits } from "./cold-times.ts";
import type { SpillSpace } from "./spill-space.ts";
import type { KernelState } from "./state.ts";

export interface ColdSessionKernel extends ColdKernel {
  sessionCount(state: number): number;
  isUnsettled(state: number): number;
}

/** Sessions that hold less than this part of what all may hold are not what memory is short of. */
const smallShare = 1 / 32;
/** Part of what all may hold that sessions which close together may take, with their copies. */
const closingShare = 1 / 8;
/** Sessions that come back to close together. */
const closingMax = 4096;

export class ColdSessions {
  readonly #kernel: ColdSessionKernel;
  readonly #state: KernelState;
  readonly #place: ColdPlace;
  readonly #keys: readonly ColdKey[];
  readonly #space: SpillSpace;
  /** Sessions take rows after they came out: then a key's come back together. */
  readonly #areKept: boolean;
  #table: ColdTable | null = null;

  constructor(
    kernel: ColdSessionKernel,
    options: {
      readonly state: KernelState;
      readonly place: ColdPlace;
      readonly keys: readonly ColdKey[];
      readonly space: SpillSpace;
      readonly areKept: boolean;
    },
  ) {
    this.#kernel = kernel;
    this.#state = options.state;
    this.#keys = options.keys;
    this.#space = options.space;
    this.#areKept = options.areKept;
    const { database, name } = options.place;
    this.#place = { database, name: `${name}_cold_${options.state.layout.fingerprint}` };
    if (ColdTable.isThere(this.#place)) this.#table = this.#open();
  }

  /** Whether sessions would leave, were what was taken back read. */
  get isOver(): boolean {
    if (this.#space.bytesOver <= 0 || !this.#hasSessions) return false;
    return this.#state.bytesHeld >= this.#space.bytesMax * smallShare;
  }

  get #hasSessions(): boolean {
    return this.#kernel.sessionCount(this.#state.address) > 0;
  }

  /** All sessions leave when memory is short. @throws `sql_memory_exceeded` */
  spill(): void {
    if (this.isOver) this.#sendAll();
  }

  #sendAll(): void {
    if (this.#kernel.isUnsettled(this.#state.address) !== 0) return;
    this.#table ??= this.#open();
    const act = "send sessions to scratch disk";
    this.#table.sendAll(this.#kernel, this.#state, act);
    this.#space.noteLeft();
  }

  /** The sessions of the keys of these rows come back. @throws `sql_memory_exceeded` */
  fetchFor(rows: RowTable): void {
    const place = { state: this.#state, keys: this.#keys };
    this.#table?.fetchFor(rows, this.#kernel, place);
  }

  /**
   * Fetches what is to be closed next, and gives the time by which sessions may close now; null:
   * all that are due are here. `areAll`: every session ends by `until`.
   * @throws `sql_memory_exceeded`
   */
  fetchDue(until: bigint, areAll: boolean): bigint | null {
    const { bytesMax } = this.#space;
    // With their copies, and what is made of them, they would take several times as much.
    if (areAll && this.#state.bytesHeld > bytesMax * closingShare && this.#hasSessions) {
      this.#sendAll();
    }
    if (this.#table === null || !this.#table.times.hasDue(until)) return null;
    const limits = partLimits({ rowsMax: closingMax, bytesMax: bytesMax * closingShare });
    const { times } = this.#table;
    let part = times.partOf(until, limits);
    if (part !== null && !part.isLast && !this.#areKept && this.#hasSessions) {
      // Some of those in memory may belong between this part and the next.
      this.#sendAll();
      part = times.partOf(until, limits);
    }
    if (part === null) return null;
    const images = this.#areKept ? times.takeKeys(part.due) : times.take(part);
    this.#kernel.readGroups(this.#state.address, images.address);
    const failure = this.#kernel.failure(this.#state.address);
    this.#state.check(failure, "fetch sessions from scratch disk");
    return part.isLast ? null : part.due;
  }

  free(): void {
    this.#table?.free();
    this.#table = null;
  }

  #open(): ColdTable {
    const kinds = this.#keys.map(({ kind }) => kind);
    const shown = this.#state.newResult();
    return new ColdTable(this.#place, { shown, kinds, order: "due" });
  }
}
