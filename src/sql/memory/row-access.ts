/** Single looks into tables in shared memory, and tables made of another's columns. */
import { assert } from "../../base/assert.ts";
import { columnBytes, columnField, tableField } from "./column-layout.ts";
import type { RowTable } from "./row-table.ts";

/** Points the columns of `target`, in order, at the `picked` columns of `source`, and its rows. */
export function pickColumns(target: RowTable, source: RowTable, picked: readonly number[]): void {
  assert(picked.length === target.kinds.length, "every column is picked from somewhere");
  const { memory } = target;
  for (const [index, from] of picked.entries()) {
    const at = source.columnAddress(from);
    memory.bytes.copyWithin(target.columnAddress(index), at, at + columnBytes);
  }
  target.setRows({ rowCount: source.rowCount, selection: source.selection });
}

/** The row in the columns that stands at `index` of the table: they differ by its selection. */
export function rowAt(table: RowTable, index: number): number {
  const { selection, memory } = table;
  return selection === 0 ? index : memory.readUint32(selection + 4 * index);
}

/** The value of an integer column that is not NULL there. */
export function integerAt(table: RowTable, column: number, index: number): bigint {
  const { view } = table.memory;
  const at = table.columnAddress(column);
  const values = view.getUint32(at + columnField.values, true);
  const stride = view.getUint32(at + columnField.stride, true);
  return view.getBigInt64(values + stride * rowAt(table, index), true);
}

/** Address of the values of a column whose slots lie side by side. */
export function slotsOf(table: RowTable, column: number): number {
  return table.memory.readUint32(table.columnAddress(column) + columnField.values);
}

/** Number of rows that a kernel wrote into a Table. */
export function setRowCount(table: RowTable, rowCount: number): void {
  table.memory.writeUint32(table.address + tableField.rowCount, rowCount);
}
