/**
 * A Table and its Columns in shared memory, as `column-layout.ts` has them, written from the host.
 * It owns the descriptors, never the rows: what it points to must live as long as it is read.
 */
import { assert } from "../../base/assert.ts";
import type { SqliteMemory } from "../sqlite/memory.ts";
import type { ValueKind } from "../types/data-type.ts";
import {
  columnBytes,
  columnField,
  kindCodes,
  slotBytes,
  tableBytes,
  tableField,
} from "./column-layout.ts";

/** Where a column's rows lie; see `column-layout.ts`. */
export interface ColumnPlace {
  readonly values: number;
  /** Default 0: no NULLs. */
  readonly nulls?: number;
  /** Default: slots side by side. */
  readonly stride?: number;
  /** Default 1. */
  readonly nullStride?: number;
  /** Default 0: pointers of text and blob are addresses. */
  readonly base?: number;
}

export class RowTable {
  readonly memory: SqliteMemory;
  readonly kinds: readonly ValueKind[];
  /** Address of the Table, for kernels. */
  readonly address: number;
  readonly #columns: number;

  /** A Table without rows. */
  constructor(memory: SqliteMemory, kinds: readonly ValueKind[]) {
    this.memory = memory;
    this.kinds = kinds;
    this.address = memory.allocateZeroed(tableBytes + columnBytes * kinds.length);
    this.#columns = this.address + tableBytes;
    memory.writeUint32(this.address + tableField.columns, this.#columns);
    memory.writeUint32(this.address + tableField.columnCount, kinds.length);
    for (const index of kinds.keys()) this.point(index, { values: 0 });
  }

  /** Points one column at its rows. What was prepared over the table stays valid. */
  point(index: number, place: ColumnPlace): void {
    const kind = this.kinds[index];
    assert(kind !== undefined, `the table has a column ${index}`);
    const at = this.columnAddress(index);
    const { view } = this.memory;
    view.setUint32(at + columnField.kind, kindCodes[kind], true);
    view.setUint32(at + columnField.values, place.values, true);
    view.setUint32(at + columnField.nulls, place.nulls ?? 0, true);
    view.setUint32(at + columnField.stride, place.stride ?? slotBytes(kind), true);
    view.setUint32(at + columnField.nullStride, place.nullStride ?? 1, true);
    view.setUint32(at + columnField.base, place.base ?? 0, true);
  }

  /** Points one column where a Column of another table, of the same kind, points. */
  pointColumn(index: number, column: number): void {
    this.memory.bytes.copyWithin(this.columnAddress(index), column, column + columnBytes);
  }

  /** Points every column where `source` points: rows that another operator or kernel made. */
  pointTo(source: RowTable): void {
    assert(this.kinds.join() === source.kinds.join(), "both tables have the same columns");
    this.pointToAddress(source.address);
  }

  /** As `pointTo`, for a Table that a kernel wrote. */
  pointToAddress(table: number): void {
    const { memory } = this;
    const from = memory.readUint32(table + tableField.columns);
    memory.bytes.copyWithin(this.#columns, from, from + columnBytes * this.kinds.length);
    this.setRows({
      rowCount: memory.readUint32(table + tableField.rowCount),
      selection: memory.readUint32(table + tableField.selection),
    });
  }

  /** How many rows there are, or how many `selection` selects; `first` is where scans begin. */
  setRows(rows: {
    readonly rowCount: number;
    readonly selection?: number;
    readonly first?: number;
  }): void {
    const { view } = this.memory;
    view.setUint32(this.address + tableField.rowCount, rows.rowCount, true);
    view.setUint32(this.address + tableField.selection, rows.selection ?? 0, true);
    view.setUint32(this.address + tableField.first, rows.first ?? 0, true);
    view.setUint32(this.address + tableField.current, rows.first ?? 0, true);
  }

  columnAddress(index: number): number {
    return this.#columns + columnBytes * index;
  }

  get rowCount(): number {
    return this.memory.readUint32(this.address + tableField.rowCount);
  }

  get selection(): number {
    return this.memory.readUint32(this.address + tableField.selection);
  }

  get first(): number {
    return this.memory.readUint32(this.address + tableField.first);
  }

  /** Lets scans begin at `row`: behind the one that failed. */
  set first(row: number) {
    this.memory.writeUint32(this.address + tableField.first, row);
    // An error before the scan has begun, in an expression of constants, is this row's.
    this.memory.writeUint32(this.address + tableField.current, row);
  }

  /** The row that the last scan stands on. */
  get current(): number {
    return this.memory.readUint32(this.address + tableField.current);
  }

  /** Frees the descriptors. */
  free(): void {
    this.memory.free(this.address);
  }
}
