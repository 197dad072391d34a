/** A column that is 1 in every row: one slot, and a stride of 0. */
import type { RowTable } from "../memory/row-table.ts";
import type { SqliteMemory } from "../sqlite/memory.ts";

export class OnesColumn {
  readonly #slot: number;

  constructor(memory: SqliteMemory) {
    this.#slot = memory.allocateZeroed(8);
    memory.view.setBigInt64(this.#slot, 1n, true);
  }

  /** Makes a column of `table` all ones. */
  point(table: RowTable, column: number): void {
    table.point(column, { values: this.#slot, stride: 0 });
  }
}
