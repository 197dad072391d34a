/**
 * Panes of windows on scratch disk (`wasm/sql/parts/away.ts`). When memory is short the oldest go,
 * save the one that the last row was of. A row, a window that closes or a checkpoint that needs one
 * brings it back as it was; a pane that has not changed since the last checkpoint stays away.
 */
import type { SpilledRun, SpillSpace } from "./spill-space.ts";
import type { KernelState, StateKernel } from "./state.ts";

export interface PaneKernel extends StateKernel {
  panes(state: number): number;
  paneStart(state: number, index: number): bigint;
  paneAt(state: number, index: number): number;
  blockAddress(pane: number, block: number): number;
  blockBytes(state: number, pane: number, block: number): number;
  forgetBlocks(state: number, pane: number): void;
  placeBlocks(state: number, pane: number): number;
  packRegisters(state: number, pane: number): number;
  unpackRegisters(state: number, pane: number): number;
}

/** `wasm/sql/parts/fields.ts` and `away.ts`: keep in step. */
const blockCount = 11;
const lastPaneField = 76;
const field = { start: 0, touchedCount: 72, away: 164, hasPieces: 180 } as const;

export class AwayPanes {
  readonly #kernel: PaneKernel;
  readonly #state: KernelState;
  readonly #space: SpillSpace | null;
  /** By the pane's address. */
  readonly #away = new Map<number, readonly SpilledRun[]>();

  /** `space` null: everything stays. */
  constructor(kernel: PaneKernel, state: KernelState, space: SpillSpace | null) {
    this.#kernel = kernel;
    this.#state = state;
    this.#space = space;
  }

  get awayCount(): number {
    return this.#away.size;
  }

  /** Sends the oldest panes to scratch disk until memory is enough. */
  spill(): void {
    const space = this.#space;
    if (space === null || space.bytesOver <= 0) return;
    const { address, memory } = this.#state;
    const last = memory.readUint32(address + lastPaneField);
    for (let index = 0; index < this.#kernel.panes(address); index++) {
      if (space.bytesOver <= 0) return;
      const pane = this.#kernel.paneAt(address, index);
      // Of one that has pieces elsewhere, what is here follows them (window-pieces.ts).
      const hasPieces = memory.readUint32(pane + field.hasPieces) !== 0;
      if (pane !== last && !hasPieces && !this.#isAway(pane)) this.leave(pane);
    }
  }

  leave(pane: number): void {
    const space = this.#space;
    if (space === null) return;
    const { address } = this.#state;
    this.#forget(pane);
    if (this.#kernel.packRegisters(address, pane) === 0) {
      throw this.#state.exceeded("send a window's groups to scratch disk");
    }
    const runs: SpilledRun[] = [];
    for (let block = 0; block < blockCount; block++) {
      const at = this.#kernel.blockAddress(pane, block);
      runs.push(space.write(at, this.#kernel.blockBytes(address, pane, block)));
    }
    this.#away.set(pane, runs);
    this.#kernel.forgetBlocks(address, pane);
  }

  /** @throws StreamError `sql_memory_exceeded`, or as `SpillSpace.read` */
  fetch(pane: number): void {
    if (!this.#isAway(pane)) return;
    if (this.#kernel.placeBlocks(this.#state.address, pane) === 0) {
      throw this.#state.exceeded("fetch a window's groups");
    }
    for (const [block, run] of (this.#away.get(pane) ?? []).entries()) {
      this.#space?.read(run, this.#kernel.blockAddress(pane, block));
    }
    if (this.#kernel.unpackRegisters(this.#state.address, pane) === 0) {
      throw this.#state.exceeded("fetch a window's groups");
    }
    this.#forget(pane);
  }

  /** Fetches the panes from `start` to before `end`. */
  fetchBetween(start: number, end: number): void {
    if (this.#away.size === 0) return;
    for (const pane of this.#away.keys()) {
      const at = this.#startOf(pane);
      if (at >= start && at < end) this.fetch(pane);
    }
  }

  /** Calls `settle` for each pane that is away with changes to be settled, where it is back. */
  settleTouched(settle: (index: number) => void): void {
    if (this.#away.size === 0) return;
    const { address, memory } = this.#state;
    for (let index = 0; index < this.#kernel.panes(address); index++) {
      const pane = this.#kernel.paneAt(address, index);
      if (!this.#isAway(pane) || memory.readUint32(pane + field.touchedCount) === 0) continue;
      this.fetch(pane);
      settle(index);
      this.spill();
    }
  }

  fetchAt(index: number): void {
    if (this.#away.size > 0) this.fetch(this.#kernel.paneAt(this.#state.address, index));
  }

  /** Panes that start before this will be dropped. */
  forgetBefore(start: number): void {
    for (const pane of this.#away.keys()) {
      if (this.#startOf(pane) < start) this.#forget(pane);
    }
  }

  /** Forgets panes that went with a checkpoint that does not list them. */
  prune(): void {
    if (this.#away.size === 0) return;
    const { address } = this.#state;
    const live = new Set<number>();
    for (let index = 0; index < this.#kernel.panes(address); index++) {
      const pane = this.#kernel.paneAt(address, index);
      if (this.#isAway(pane)) live.add(pane);
    }
    for (const pane of this.#away.keys()) {
      if (!live.has(pane)) this.#forget(pane);
    }
  }

  /** Gives the disk back. */
  free(): void {
    for (const pane of this.#away.keys()) this.#forget(pane);
  }

  #isAway(pane: number): boolean {
    return this.#state.memory.readUint32(pane + field.away) !== 0;
  }

  #startOf(pane: number): number {
    return Number(this.#state.memory.view.getBigInt64(pane + field.start, true));
  }

  #forget(pane: number): void {
    for (const run of this.#away.get(pane) ?? []) this.#space?.free(run);
    this.#away.delete(pane);
  }
}
