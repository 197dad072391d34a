/**
 * Keyed aggregation on the kernel `wasm/sql/aggregate.ts`: GROUP BY over windows that time cuts
 * (TUMBLE, HOP, CUMULATE), and GROUP BY without windows.
 *
 * Windows. Rows go into panes of `paneMs`; a window's result is its panes merged (`merge`). When
 * the watermark passes its end it is read once, and panes that no later window needs are dropped.
 * To correct a window that a late row changed, keep its result (`merge` with `keep`), merge again,
 * and `compare` the two.
 *
 * Without windows there is one pane. `changes` shows the rows of groups that changed, as they were
 * (weight −1) and as they are (+1), `settle` forgets them. Panes of tumbling windows can be asked
 * for changes just so.
 *
 * All `Accumulator`s of a plan are covered (`state-layout.ts`), so there is no plan that must do
 * without. No result and no order depends on the seed or on how rows are cut into tables: entries
 * stand in the order in which their groups first appeared.
 */

import { assert, present } from "../../base/assert.ts";
import { joinedBytes } from "../../base/joined-bytes.ts";
import type { RowTable } from "../memory/row-table.ts";
import type { GridSpec } from "../plan/plan.ts";
import type { SqliteHost } from "../sqlite/host.ts";
import { AwayPanes } from "./away-panes.ts";
import { type ColdGroupKernel, ColdGroups } from "./cold-groups.ts";
import type { ColdPlace } from "./cold-table.ts";
import { MemberSets, type SetKernel } from "./member-sets.ts";
import { PaneRows } from "./pane-rows.ts";
import type { PieceKernel } from "./piece-merger.ts";
import type { SpillSpace } from "./spill-space.ts";
import { KernelState, type StateOptions, type StateResult } from "./state.ts";
import type { StateSpec } from "./state-layout.ts";
import { WindowPieces } from "./window-pieces.ts";

interface AggregateKernel extends SetKernel, ColdGroupKernel, PieceKernel {
  create(layout: number, size: bigint, offset: bigint, seed: bigint, limit: bigint): number;
  paneEntries(state: number, index: number): number;
  dropBefore(state: number, start: bigint): void;
  add(state: number, table: number, time: number, weight: number): number;
  merge(state: number, start: bigint, end: bigint, isCopy: number): number;
  all(state: number): number;
  changes(state: number, index: number, before: number, after: number): number;
  settle(state: number): number;
  settlePane(state: number, index: number): number;
  isUnsettled(state: number): number;
  compare(state: number, older: number, newer: number): number;
}

export interface PaneSpec {
  readonly sizeMs: number;
  /** Panes start at this and at whole sizes from it. */
  readonly offsetMs: number;
}

/** The widest panes from which all windows of a kind can be put together. */
export function paneSpecOf(window: GridSpec): PaneSpec {
  switch (window.kind) {
    case "tumble":
      return { sizeMs: window.sizeMs, offsetMs: window.offsetMs };
    case "hop":
      return { sizeMs: commonDivisor(window.slideMs, window.sizeMs), offsetMs: window.offsetMs };
    case "cumulate":
      return { sizeMs: window.stepMs, offsetMs: window.offsetMs };
  }
}

function commonDivisor(a: number, b: number): number {
  return b === 0 ? a : commonDivisor(b, a % b);
}

export interface AddedRows {
  readonly table: RowTable;
  /** Column of the event time, needed where there are panes: never NULL. */
  readonly timeColumn?: number;
  /** Column of the weights 1 and −1; absent: all are 1. */
  readonly weightColumn?: number;
}

export interface WindowBounds {
  readonly startMs: number;
  readonly endMs: number;
}

/** The kernel of a host, and whom it calls for panes of a state. */
interface LinkedKernel {
  readonly kernel: AggregateKernel;
  readonly panes: Map<number, AwayPanes>;
}

const kernels = new WeakMap<SqliteHost, LinkedKernel>();

function linkedTo(host: SqliteHost): LinkedKernel {
  const known = kernels.get(host);
  if (known !== undefined) return known;
  const panes = new Map<number, AwayPanes>();
  const kernel = host.link<AggregateKernel>("aggregate", {
    fetchPane: (state: number, pane: number) => panes.get(state)?.fetch(pane),
    leavePane: (state: number, pane: number) => panes.get(state)?.leave(pane),
  });
  const linked = { kernel, panes };
  kernels.set(host, linked);
  return linked;
}

export class AggregateState {
  readonly #kernel: AggregateKernel;
  readonly #state: KernelState;
  readonly #panesByState: Map<number, AwayPanes>;
  readonly #panes: AwayPanes;
  readonly #sets: MemberSets;
  /** Null where groups stay or leave as panes. */
  readonly #cold: ColdGroups | null;
  /** Null where windows show changes, or where nothing leaves memory. */
  readonly #pieces: WindowPieces | null;
  /** Null where panes leave in pieces, or not at all. */
  readonly #paneRows: PaneRows | null;
  readonly #isFinal: boolean;
  readonly #paneMs: number;
  readonly #before: StateResult | null;
  readonly #after: StateResult | null;

  /**
   * `panes` null: one pane, whatever the time.
   * @throws StreamError `sql_memory_exceeded`, as all that follow
   */
  constructor(
    host: SqliteHost,
    options: Omit<StateOptions, "spec"> & {
      readonly spec: Omit<StateSpec, "isSession">;
      readonly panes: PaneSpec | null;
      /** Where groups go; absent: those without windows stay, windows leave as panes only. */
      readonly cold?: ColdPlace;
      /** Groups without windows are read once, at the end (`bringOut`), and may leave before. */
      readonly isFinal?: boolean;
    },
  ) {
    const { kernel: linked, panes } = linkedTo(host);
    this.#kernel = linked;
    this.#panesByState = panes;
    const sizeMs = BigInt(options.panes?.sizeMs ?? 0);
    const offsetMs = BigInt(options.panes?.offsetMs ?? 0);
    const { isFinal = false } = options;
    this.#paneMs = options.panes?.sizeMs ?? 0;
    const hasKeys = options.cold !== undefined && options.spec.keys.length > 0;
    const mayLeave = hasKeys && options.panes === null;
    const names = mayLeave ? ({ names: isFinal ? "all" : "sets" } as const) : {};
    const spec = { ...options.spec, ...names, isSession: false };
    this.#state = new KernelState(host, linked, { ...options, spec }, ({ layout, seed, limit }) =>
      linked.create(layout, sizeMs, offsetMs, seed, limit),
    );
    const space = options.spill ?? null;
    this.#panes = new AwayPanes(linked, this.#state, options.panes === null ? null : space);
    panes.set(this.#state.address, this.#panes);
    this.#sets = new MemberSets(linked, { state: this.#state, panes: this.#panes, space });
    this.#isFinal = isFinal;
    this.#cold = mayLeave ? this.#coldOf(spec, { place: options.cold, space }) : null;
    this.#pieces = hasKeys && options.panes !== null ? this.#piecesOf(spec, options) : null;
    const own = { state: this.#state, panes: this.#panes };
    this.#paneRows =
      options.panes !== null && space !== null && this.#pieces === null
        ? new PaneRows(linked, { ...own, space, ...options.panes })
        : null;
    this.#before = spec.tracksChanges ? this.#state.newResult() : null;
    this.#after = spec.tracksChanges ? this.#state.newResult() : null;
  }

  /** Kinds of the columns of results: keys, accumulators, window start, end and time. */
  get resultKinds(): StateResult["kinds"] {
    return this.#state.layout.resultKinds;
  }

  get bytesHeld(): number {
    return this.#state.bytesHeld;
  }

  add(rows: AddedRows): void {
    const { table, timeColumn } = rows;
    if (timeColumn === undefined || !(this.#paneRows?.areTooMany(table, timeColumn) ?? false)) {
      this.#add(rows);
      return;
    }
    for (const part of this.#paneRows?.byPane(table, timeColumn) ?? []) {
      this.#add({ ...rows, table: part });
    }
  }

  #add({ table, timeColumn, weightColumn }: AddedRows): void {
    this.#cold?.fetchFor(table);
    if (timeColumn !== undefined) {
      this.#pieces?.makeRoom(table, { timeColumn, paneMs: this.#paneMs });
    }
    const time = timeColumn === undefined ? 0 : timeColumn + 1;
    const weight = weightColumn === undefined ? 0 : weightColumn + 1;
    const code = this.#kernel.add(this.#state.address, table.address, time, weight);
    this.#state.check(code, "group rows");
    this.#panes.spill();
    this.#sets.spill();
    this.#pieces?.spill();
    if (this.#isFinal) this.#spillGroups();
  }

  #spillGroups(): void {
    if (!(this.#cold?.isOver ?? false)) return;
    // What has waited is counted in groups that are here.
    this.#sets.settle();
    this.#cold?.spill();
  }

  /** Shows all groups by the order of their first rows, in parts, each good while it is shown. */
  bringOut(show: (groups: StateResult) => void): void {
    assert(this.#isFinal, "nothing was read of the groups before");
    this.#sets.settle();
    const showAll = () => {
      const groups = this.all();
      try {
        show(groups);
      } finally {
        groups.free();
      }
    };
    if (this.#cold === null) showAll();
    else this.#cold.bringOut(showAll);
  }

  /** Starts of the panes that hold rows, ascending. */
  paneStarts(): number[] {
    const count = this.#kernel.panes(this.#state.address);
    return Array.from({ length: count }, (_, index) => this.paneStart(index) ?? 0);
  }

  /** Start of a pane counted from the oldest; undefined: there are fewer. */
  paneStart(index: number): number | undefined {
    if (index >= this.#kernel.panes(this.#state.address)) return undefined;
    return Number(this.#kernel.paneStart(this.#state.address, index));
  }

  /** How many groups a pane holds. */
  paneGroups(index: number): number {
    return this.#kernel.paneEntries(this.#state.address, index);
  }

  /** Drops the panes that start before `startMs`, and gives their memory back. */
  dropBefore(startMs: number): void {
    this.#panes.forgetBefore(startMs);
    this.#sets.forgetBefore(startMs);
    this.#pieces?.dropBefore(startMs);
    this.#kernel.dropBefore(this.#state.address, BigInt(startMs));
  }

  /**
   * Shows the rows of a window that closes: at once, or in parts where memory has no room for them,
   * in the same order; each part is good while it is shown.
   */
  close(window: WindowBounds, show: (groups: StateResult) => void): void {
    if (this.#pieces?.isNeededFor(window) ?? false) {
      this.#pieces?.close(window, show);
      return;
    }
    const groups = this.merge(window);
    try {
      show(groups);
    } finally {
      groups.free();
    }
  }

  /**
   * The rows of a window. Unless `keep`, they are good until the next `add`, `dropBefore` or
   * `restore`. To be freed.
   */
  merge(window: WindowBounds, options: { readonly keep?: boolean } = {}): StateResult {
    const { startMs, endMs } = window;
    this.#sets.settle();
    this.#panes.fetchBetween(startMs, endMs);
    // A window of one pane shows its entries: nobody asks for members.
    if (options.keep === true || this.#paneCount(startMs, endMs) > 1) {
      this.#sets.fetch(startMs, endMs);
    }
    const address = this.#kernel.merge(
      this.#state.address,
      BigInt(startMs),
      BigInt(endMs),
      options.keep === true ? 1 : 0,
    );
    return this.#state.result(address, "merge the groups of a window");
  }

  /** All groups of a state without panes, as they are; good until the next `add`. To be freed. */
  all(): StateResult {
    this.#sets.settle();
    return this.#state.result(this.#kernel.all(this.#state.address), "read the groups");
  }

  /**
   * Rows of the groups of a pane that changed since `settle`: as they were, and as they are. Groups
   * that look as before are left out. Good until this is asked of another pane, or `settle`, which
   * comes before the next `add`.
   */
  changes(pane = 0): { readonly before: StateResult; readonly after: StateResult } | null {
    assert(this.#before !== null && this.#after !== null, "the state tracks changes");
    if (pane >= this.#kernel.panes(this.#state.address)) return null;
    this.#sets.settle();
    // Those that were asked for before may go again.
    this.#panes.spill();
    this.#panes.fetchAt(pane);
    const { address } = this.#state;
    const code = this.#kernel.changes(address, pane, this.#before.address, this.#after.address);
    this.#state.check(code, "compare groups");
    return { before: this.#before, after: this.#after };
  }

  settle(): void {
    this.#panes.settleTouched((pane) => {
      const code = this.#kernel.settlePane(this.#state.address, pane);
      this.#state.check(code, "settle groups");
    });
    this.#state.check(this.#kernel.settle(this.#state.address), "settle groups");
    this.#spillGroups();
  }

  /**
   * Selects in two results of one window what changed: in `older`, which was kept, rows that have
   * gone or look different, in `newer` those that are new or look different.
   */
  compare(older: StateResult, newer: StateResult): void {
    const code = this.#kernel.compare(this.#state.address, older.address, newer.address);
    this.#state.check(code, "compare the results of a window");
  }

  /** A full checkpoint, or what changed since the last. Changes must be settled. */
  save(options: { readonly full: boolean }): Uint8Array<ArrayBuffer> {
    assert(this.#kernel.isUnsettled(this.#state.address) === 0, "changes are settled");
    this.#sets.settle();
    this.#pieces?.beforeSave(options.full);
    const groups = this.#state.save(options.full);
    return joinBytes([groups, ...this.#sets.save(options.full)]);
  }

  restore(blob: Uint8Array): void {
    const length = groupsLength(blob);
    this.#state.restore(blob.subarray(0, length));
    this.#panes.prune();
    this.#pieces?.restored();
    this.#sets.restore(blob.subarray(length));
  }

  free(): void {
    this.#before?.free();
    this.#after?.free();
    this.#cold?.free();
    this.#pieces?.free();
    this.#sets.free();
    this.#panes.free();
    this.#panesByState.delete(this.#state.address);
    this.#state.free();
  }

  /** Whether groups wait for their changes to be read, to leave memory that is short. */
  get awaitsSettling(): boolean {
    return this.#cold?.isOver ?? false;
  }

  /** Whether they cannot wait for a commit. */
  get mustSettle(): boolean {
    return this.#cold?.isFarOver ?? false;
  }

  /** How many rows are to be added before another look at that. */
  get rowsWithRoom(): number {
    return this.#cold?.rowsWithRoom ?? Number.POSITIVE_INFINITY;
  }

  #coldOf(
    spec: StateSpec,
    { place, space }: { readonly place: ColdPlace | undefined; readonly space: SpillSpace | null },
  ): ColdGroups | null {
    const state = this.#state;
    if (place === undefined) return null;
    assert(spec.tracksChanges || this.#isFinal, "groups leave when they are settled");
    const kinds = state.layout.resultKinds;
    const keys = spec.keys.map((column, at) => ({ column, kind: present(kinds[at], "key kind") }));
    const order = this.#isFinal ? "name" : null;
    return new ColdGroups(this.#kernel, { state, place, keys, space, order });
  }

  #piecesOf(
    spec: StateSpec,
    options: {
      readonly cold?: ColdPlace;
      readonly spill?: SpillSpace | undefined;
      readonly seed: bigint;
    },
  ): WindowPieces | null {
    const { cold: place, spill: space, seed } = options;
    if (place === undefined || space === undefined) return null;
    if (spec.tracksChanges || spec.isRetractable) return null;
    const common = { state: this.#state, panes: this.#panes, sets: this.#sets };
    return new WindowPieces(this.#kernel, { ...common, space, place, seed });
  }

  #paneCount(startMs: number, endMs: number): number {
    return this.paneStarts().filter((start) => start >= startMs && start < endMs).length;
  }
}

const versionAt = 4;
const groupsLengthAt = 32;

/** Bytes of a checkpoint before the sets, of which version 1 has none. */
function groupsLength(blob: Uint8Array): number {
  const view = new DataView(blob.buffer, blob.byteOffset, blob.length);
  if (blob.length < groupsLengthAt + 8 || view.getUint16(versionAt, true) === 1) return blob.length;
  return Math.min(blob.length, view.getUint32(groupsLengthAt, true));
}

function joinBytes(parts: readonly Uint8Array<ArrayBuffer>[]): Uint8Array<ArrayBuffer> {
  const [first] = parts;
  if (parts.length === 1 && first !== undefined) return first;
  return joinedBytes(parts);
}
