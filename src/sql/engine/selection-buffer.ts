/** Row numbers for a table's selection, in a buffer that grows and is used again. */
import { rowAt, slotsOf } from "../memory/row-access.ts";
import type { RowTable } from "../memory/row-table.ts";
import type { SqliteMemory } from "../sqlite/memory.ts";

export class SelectionBuffer {
  readonly #memory: SqliteMemory;
  #address = 0;
  #capacity = 0;

  constructor(memory: SqliteMemory) {
    this.#memory = memory;
  }

  /**
   * The rows of `table` that stand at the indexes in the one column of `found`, as a selection;
   * valid until the next call.
   */
  fill(found: RowTable, table: RowTable): number {
    const { rowCount } = found;
    this.#reserve(rowCount);
    const indexes = slotsOf(found, 0);
    const { view } = this.#memory;
    const selects = table.selection !== 0;
    for (let n = 0; n < rowCount; n++) {
      const index = view.getUint32(indexes + 8 * n, true);
      view.setUint32(this.#address + 4 * n, selects ? rowAt(table, index) : index, true);
    }
    return this.#address;
  }

  #reserve(rows: number): void {
    if (rows <= this.#capacity) return;
    this.#memory.free(this.#address);
    this.#capacity = Math.max(rows, 2 * this.#capacity, 1024);
    this.#address = this.#memory.allocate(4 * this.#capacity);
  }
}
