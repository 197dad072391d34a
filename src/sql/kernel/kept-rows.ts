/**
 * Rows kept on the kernel `wasm/sql/keep.ts`, as long as an open window or a join may need them: a
 * copy of every column, in order of arrival, read as a Table, dropped by time.
 *
 * A checkpoint, little-endian: u32 "MRKR", u16 version 1, u16 flags (1: full), i64 the bound below
 * which rows have expired since the last one, u32 rows, u32 columns, u32 kinds; then the rows as
 * the kernel's `write` has them. A delta holds the rows that came since the last checkpoint.
 */
import { assert, present } from "../../base/assert.ts";
import { StreamError } from "../../base/stream-error.ts";
import { kindCodes, slotBytes } from "../memory/column-layout.ts";
import { RowTable } from "../memory/row-table.ts";
import type { SqliteHost } from "../sqlite/host.ts";
import type { ValueKind } from "../types/data-type.ts";
import type { KernelTable } from "./state.ts";
import { millisOf } from "./times.ts";

export interface KeepKernel {
  create(kinds: number, count: number): number;
  destroy(store: number): void;
  bytesHeld(store: number): number;
  rows(store: number): number;
  append(store: number, table: number): number;
  showAll(store: number): void;
  showBetween(store: number, column: number, from: bigint, to: bigint): void;
  expire(store: number, column: number, bound: bigint, firstRows: number): number;
  firstUnsaved(store: number): number;
  markSaved(store: number): void;
  measure(store: number, first: number): number;
  write(store: number, first: number, target: number): void;
  clear(store: number): void;
  matchRows(
    matches: number,
    left: number,
    right: number,
    pairs: number,
    pairCount: number,
    seed: bigint,
  ): number;
  gatherRows(table: number, list: number, count: number, columns: number): void;
  releaseMatches(matches: number): void;
  pickBest(
    table: number,
    time: number,
    value: number,
    bounds: number,
    isMin: number,
    size: bigint,
    offset: bigint,
    from: bigint,
    to: bigint,
    watermark: bigint,
    bests: number,
    selection: number,
  ): number;
}

const magic = 0x524b524d;
const version = 1;
const headBytes = 24;

const kernels = new WeakMap<SqliteHost, KeepKernel>();

export function keepKernelOf(host: SqliteHost): KeepKernel {
  let kernel = kernels.get(host);
  kernel ??= host.link<KeepKernel>("keep");
  kernels.set(host, kernel);
  return kernel;
}

export class KeptRows implements KernelTable {
  readonly kinds: readonly ValueKind[];
  #address: number;
  readonly #host: SqliteHost;
  readonly #kernel: KeepKernel;
  readonly #timeColumn: number;
  #expiredBelow = millisOf(-Infinity);
  /**
   * Of the first rows, those whose time is before `bound` have expired and are still there: packing
   * copies what is left, so it waits until somebody looks, or half as many have come as were left.
   */
  #expired: { readonly bound: bigint; readonly firstRows: number } | null = null;
  #rowsPacked = 0;

  /** @throws StreamError `sql_memory_exceeded`, as all that follow */
  constructor(
    host: SqliteHost,
    options: { readonly kinds: readonly ValueKind[]; readonly timeColumn: number },
  ) {
    assert(options.kinds[options.timeColumn] === "integer", "times are integers");
    const linked = keepKernelOf(host);
    this.#host = host;
    this.#kernel = linked;
    this.kinds = options.kinds;
    this.#timeColumn = options.timeColumn;
    this.#address = this.#create();
  }

  #create(): number {
    const { memory } = this.#host;
    const address = memory.withScratch(4 * this.kinds.length, (at) => {
      for (const [index, kind] of this.kinds.entries()) {
        memory.writeUint32(at + 4 * index, kindCodes[kind]);
      }
      return this.#kernel.create(at, this.kinds.length);
    });
    if (address === 0) throw memory.exceeded("keep rows");
    return address;
  }

  /** Of the Table; another one after `handOver`. */
  get address(): number {
    return this.#address;
  }

  /** Forgets all rows, which somebody else keeps from here on, and gives their memory back. */
  handOver(): void {
    this.#kernel.destroy(this.#address);
    this.#address = this.#create();
    this.#expired = null;
    this.#rowsPacked = 0;
    // In checkpoints they have expired.
    this.#expiredBelow = millisOf(Infinity);
  }

  get rowCount(): number {
    this.#pack();
    return this.#kernel.rows(this.address);
  }

  /** Whether there may be rows: false is certain. */
  get mayHaveRows(): boolean {
    return this.#kernel.rows(this.address) > 0;
  }

  get bytesHeld(): number {
    return this.#kernel.bytesHeld(this.address);
  }

  /** Appends copies of a table's rows. After a failure nothing was appended. */
  append(table: RowTable): void {
    assert(table.kinds.join() === this.kinds.join(), "the table has the columns that are kept");
    if (this.#kernel.append(this.address, table.address) === 0) {
      throw this.#host.memory.exceeded(`keep ${table.rowCount} rows`);
    }
  }

  /** Makes the Table at `address` show all rows; good until the next call of any other method. */
  showAll(): void {
    this.#pack();
    this.#kernel.showAll(this.address);
  }

  /** As `showAll`, rows whose time is in [from, to). */
  showBetween(fromMs: number, toMs: number): void {
    const [from, to] = [millisOf(fromMs), millisOf(toMs)];
    this.#pack();
    this.#kernel.showBetween(this.address, this.#timeColumn, from, to);
  }

  /** Drops rows whose time is before `boundMs`. */
  expire(boundMs: number): void {
    const bound = millisOf(boundMs);
    const firstRows = this.#kernel.rows(this.address);
    if (this.#expired !== null && bound < this.#expired.bound) this.#pack();
    this.#expired = { bound, firstRows };
    if (bound > this.#expiredBelow) this.#expiredBelow = bound;
    if (2 * firstRows >= 3 * this.#rowsPacked) this.#pack();
  }

  /** Drops all rows. A checkpoint does not say so: for rows that are none of its. */
  clear(): void {
    this.#expired = null;
    this.#rowsPacked = 0;
    this.#kernel.clear(this.address);
  }

  /** Packs what is left after the last `expire`, which took what all before it did. */
  #pack(): void {
    if (this.#expired === null) return;
    const { bound, firstRows } = this.#expired;
    this.#expired = null;
    this.#rowsPacked = this.#kernel.expire(this.address, this.#timeColumn, bound, firstRows);
  }

  /** A full checkpoint, or what changed since the last. */
  save(options: { readonly full: boolean }): Uint8Array<ArrayBuffer> {
    this.#pack();
    const { memory } = this.#host;
    const first = options.full ? 0 : this.#kernel.firstUnsaved(this.address);
    const bytes = this.#kernel.measure(this.address, first);
    const head = headBytes + 4 * this.kinds.length;
    const blob = new Uint8Array(head + bytes);
    const view = new DataView(blob.buffer);
    view.setUint32(0, magic, true);
    view.setUint16(4, version, true);
    view.setUint16(6, options.full ? 1 : 0, true);
    view.setBigInt64(8, this.#expiredBelow, true);
    view.setUint32(16, this.rowCount - first, true);
    view.setUint32(20, this.kinds.length, true);
    for (const [index, kind] of this.kinds.entries()) {
      view.setUint32(headBytes + 4 * index, kindCodes[kind], true);
    }
    memory.withScratch(bytes, (at) => {
      this.#kernel.write(this.address, first, at);
      blob.set(memory.bytes.subarray(at, at + bytes), head);
    });
    this.#kernel.markSaved(this.address);
    this.#expiredBelow = millisOf(-Infinity);
    return blob;
  }

  /**
   * Reads a checkpoint into a store that is empty (full) or as the one before left it (delta).
   * @throws StreamError `corrupt_state`, `sql_memory_exceeded`
   */
  restore(blob: Uint8Array): void {
    const view = new DataView(blob.buffer, blob.byteOffset, blob.byteLength);
    const head = headBytes + 4 * this.kinds.length;
    if (blob.length < head || view.getUint32(0, true) !== magic) throw corrupt("is not one");
    if (view.getUint16(4, true) !== version) throw corrupt("was written by a newer version");
    const isSame =
      view.getUint32(20, true) === this.kinds.length &&
      this.kinds.every(
        (kind, index) => view.getUint32(headBytes + 4 * index, true) === kindCodes[kind],
      );
    if (!isSame) throw corrupt("is of other columns");
    const { memory } = this.#host;
    const at = memory.place(blob);
    const table = new RowTable(memory, this.kinds);
    try {
      const end = this.#point(table, at + head, view.getUint32(16, true));
      if (end !== at + blob.length) throw corrupt("ends too early or too late");
      this.#pack();
      this.#expired = { bound: view.getBigInt64(8, true), firstRows: this.rowCount };
      this.#pack();
      this.append(table);
      this.#kernel.markSaved(this.address);
    } finally {
      table.free();
      memory.free(at);
    }
  }

  /** Points a table to rows of a checkpoint; gives the address behind them. */
  #point(table: RowTable, start: number, rowCount: number): number {
    let at = start;
    for (const index of this.kinds.keys()) {
      const kind = present(this.kinds[index], "kind of a column");
      const values = at;
      const nulls = at + rowCount * slotBytes(kind);
      at = nulls + rowCount;
      if (kind === "text" || kind === "blob") {
        const base = at + 4;
        at = base + table.memory.readUint32(at);
        table.point(index, { values, nulls, base });
      } else table.point(index, { values, nulls });
    }
    table.setRows({ rowCount });
    return at;
  }

  free(): void {
    this.#kernel.destroy(this.address);
  }
}

function corrupt(what: string): StreamError {
  return new StreamError("corrupt_state", `Cannot restore kept rows: their checkpoint ${what}`);
}
