/** Single looks into tables in shared memory, and tables made of another's columns. */
import { assert } from "../../base/assert.ts";
import { columnBytes, columnField, tableField } from "./column-layout.ts";
import type { RowTable } from "./row-table.ts";

/**
 * Points the first columns of `target`, in order, at the `picked` columns of the Table at `source`,
 * and takes over its rows.
 */
export function pickColumns(target: RowTable, source: number, picked: readonly number[]): void {
  assert(picked.length <= target.kinds.length, "every column has a place");
  const { memory } = target;
  const columns = memory.readUint32(source + tableField.columns);
  for (const [index, from] of picked.entries()) {
    const at = columns + columnBytes * from;
    memory.bytes.copyWithin(target.columnAddress(index), at, at + columnBytes);
  }
  target.setRows({
    rowCount: memory.readUint32(source + tableField.rowCount),
    selection: memory.readUint32(source + tableField.selection),
  });
}

/** The row in the columns that stands at `index` of the table: they differ by its selection. */
export function rowAt(table: RowTable, index: number): number {
  const { selection, memory } = table;
  return selection === 0 ? index : memory.readUint32(selection + 4 * index);
}

/** The value of an integer column that is not NULL there, at `index` of the table. */
export function integerAt(table: RowTable, column: number, index: number): bigint {
  return integerOf(table, column, rowAt(table, index));
}

/** As `integerAt`, at a row of the columns. */
export function integerOf(table: RowTable, column: number, row: number): bigint {
  const { view } = table.memory;
  const at = table.columnAddress(column);
  const values = view.getUint32(at + columnField.values, true);
  const stride = view.getUint32(at + columnField.stride, true);
  return view.getBigInt64(values + stride * row, true);
}
