/**
 * Session windows on the kernel `wasm/sql/session.ts`: per key, a session takes every row that is
 * at most a gap away from it, and rows that bridge two sessions merge them.
 *
 * `add` rows in log order; after each publish, when the watermark has moved, `close` the sessions
 * that end by it, read what it shows, and `settle`. With an allowed lateness, a session whose row
 * is out still takes rows; what it showed is then taken back and, once the watermark has passed its
 * new end, shown anew. Rows cannot be taken back out of a session (weights −1): the interval that
 * they made would stay, so the checker must refuse sessions over updating inputs.
 *
 * No result and no order depends on the seed or on how rows are cut into tables.
 */
import { assert, present } from "../../base/assert.ts";
import type { RowTable } from "../memory/row-table.ts";
import type { SqliteHost } from "../sqlite/host.ts";
import { type ColdSessionKernel, ColdSessions } from "./cold-sessions.ts";
import type { ColdPlace } from "./cold-table.ts";
import { KernelState, type StateOptions, type StateResult } from "./state.ts";
import type { StateSpec } from "./state-layout.ts";
import { millisOf } from "./times.ts";

interface SessionKernel extends ColdSessionKernel {
  create(layout: number, gap: bigint, lateness: bigint, seed: bigint, limit: bigint): number;
  add(state: number, table: number, time: number, bound: number, watermark: bigint): number;
  lateRows(state: number): number;
  lateCount(state: number): number;
  close(state: number, watermark: bigint, closed: number, taken: number): number;
  settle(state: number): void;
}

export interface SessionRows {
  readonly table: RowTable;
  readonly timeColumn: number;
  /** Column of the rows' lateness bounds; absent: the watermark alone decides. */
  readonly boundColumn?: number;
  /** The operator's watermark before the publish that the rows are of; −Infinity: none yet. */
  readonly watermarkMs: number;
}

/** A selection of rows of the table that was given, in the kernel's memory until the next call. */
export interface RowSelection {
  readonly selection: number;
  readonly rowCount: number;
}

export interface ClosedSessions {
  /** By window end, then by the order in which they began; weights +1. */
  readonly closed: StateResult;
  /** Rows that went out before and are void now; weights −1, to be sent before the others. */
  readonly taken: StateResult;
}

const kernels = new WeakMap<SqliteHost, SessionKernel>();

export class SessionState {
  readonly #kernel: SessionKernel;
  readonly #state: KernelState;
  readonly #shown: ClosedSessions;
  /** Null where sessions stay. */
  readonly #cold: ColdSessions | null;

  /** @throws StreamError `sql_memory_exceeded`, as all that follow */
  constructor(
    host: SqliteHost,
    options: Omit<StateOptions, "spec"> & {
      readonly spec: Pick<StateSpec, "input" | "keys" | "accumulators">;
      readonly gapMs: number;
      readonly allowedLatenessMs: number;
      /** Where sessions go when memory is short; absent: they stay. */
      readonly cold?: ColdPlace;
    },
  ) {
    let kernel = kernels.get(host);
    // Sessions are one pane, which never leaves as it lies.
    kernel ??= host.link<SessionKernel>("session", { fetchPane: () => {}, leavePane: () => {} });
    kernels.set(host, kernel);
    const linked = kernel;
    this.#kernel = linked;
    const gap = BigInt(options.gapMs);
    const lateness = BigInt(options.allowedLatenessMs);
    const spec = { ...options.spec, isRetractable: false, tracksChanges: false, isSession: true };
    this.#state = new KernelState(host, linked, { ...options, spec }, ({ layout, seed, limit }) =>
      linked.create(layout, gap, lateness, seed, limit),
    );
    this.#shown = { closed: this.#state.newResult(), taken: this.#state.newResult() };
    const { spill: space, cold: place } = options;
    const kinds = this.#state.layout.resultKinds;
    const keys = spec.keys.map((column, at) => ({ column, kind: present(kinds[at], "key kind") }));
    const areKept = options.allowedLatenessMs > 0;
    this.#cold =
      space === undefined || place === undefined || keys.length === 0
        ? null
        : new ColdSessions(linked, { state: this.#state, place, keys, space, areKept });
  }

  /** Kinds of the columns of results: keys, accumulators, window start, end and time. */
  get resultKinds(): StateResult["kinds"] {
    return this.#state.layout.resultKinds;
  }

  get bytesHeld(): number {
    return this.#state.bytesHeld;
  }

  /** Adds rows and gives those that are late, which are not added. `spill` comes behind it. */
  add({ table, timeColumn, boundColumn, watermarkMs }: SessionRows): RowSelection {
    this.#cold?.fetchFor(table);
    const bound = boundColumn === undefined ? 0 : boundColumn + 1;
    const { address } = this.#state;
    const watermark = millisOf(watermarkMs);
    const code = this.#kernel.add(address, table.address, timeColumn + 1, bound, watermark);
    this.#state.check(code, "hold the sessions of a query");
    const selection = this.#kernel.lateRows(address);
    return { selection, rowCount: this.#kernel.lateCount(address) };
  }

  /**
   * Times up to the watermark, ascending: sessions are closed by one after the other, each time
   * shown, settled and spilled before the next. Mostly there is one, the watermark. `areAll`: every
   * session ends by it.
   */
  *closings(watermarkMs: number, options: { readonly areAll: boolean }): Generator<number> {
    const watermark = millisOf(watermarkMs);
    for (;;) {
      const until = this.#cold?.fetchDue(watermark, options.areAll) ?? null;
      if (until === null) break;
      yield Number(until);
    }
    yield watermarkMs;
  }

  /** Sessions leave when memory is short, once what was taken back is settled. */
  spill(): void {
    this.#cold?.spill();
  }

  /** Whether sessions wait to leave until what was taken back is read. */
  get awaitsSettling(): boolean {
    const isUnsettled = this.#kernel.isUnsettled(this.#state.address) !== 0;
    return isUnsettled && (this.#cold?.isOver ?? false);
  }

  /** Closes the sessions that end by the watermark. Good until the next `add`. */
  close(watermarkMs: number): ClosedSessions {
    const { closed, taken } = this.#shown;
    const { address } = this.#state;
    const watermark = millisOf(watermarkMs);
    const code = this.#kernel.close(address, watermark, closed.address, taken.address);
    this.#state.check(code, "close the sessions of a query");
    return this.#shown;
  }

  /** What `close` showed was read. */
  settle(): void {
    this.#kernel.settle(this.#state.address);
  }

  /** A full checkpoint, or what changed since the last. What was taken back must be settled. */
  save(options: { readonly full: boolean }): Uint8Array<ArrayBuffer> {
    assert(this.#kernel.isUnsettled(this.#state.address) === 0, "what was taken back is settled");
    return this.#state.save(options.full);
  }

  restore(blob: Uint8Array): void {
    this.#state.restore(blob);
  }

  free(): void {
    this.#shown.closed.free();
    this.#shown.taken.free();
    this.#cold?.free();
    this.#state.free();
  }
}
