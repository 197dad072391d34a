/**
 * Rows of a kernel's result as an operator's rows: its columns where they lie, and the weight that
 * all of them have.
 */

import type { KernelTable } from "../kernel/state.ts";
import { pickColumns } from "../memory/row-access.ts";
import { RowTable } from "../memory/row-table.ts";
import type { SqliteMemory } from "../sqlite/memory.ts";
import { type RowLayout, tableColumns } from "./row-layout.ts";

export class ChangedRows {
  readonly #layout: RowLayout;
  readonly #table: RowTable;
  /** Two slots: −1, 1. */
  readonly #weights: number;

  constructor(memory: SqliteMemory, layout: RowLayout) {
    this.#layout = layout;
    this.#table = new RowTable(
      memory,
      tableColumns(layout).map(({ kind }) => kind),
    );
    this.#weights = memory.allocateZeroed(16);
    memory.view.setBigInt64(this.#weights, -1n, true);
    memory.view.setBigInt64(this.#weights + 8, 1n, true);
  }

  /** Points at the first columns of `result`, which may have more than the layout. */
  show(result: KernelTable, weight: 1 | -1): RowTable {
    const table = this.#table;
    pickColumns(table, result.address, [...this.#layout.columns.keys()]);
    if (this.#layout.hasWeight) {
      const values = this.#weights + (weight < 0 ? 0 : 8);
      table.point(this.#layout.columns.length, { values, stride: 0 });
    }
    return table;
  }
}
