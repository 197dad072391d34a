/**
 * Results of groups per assigned window in the form of a window aggregate: keys, accumulators,
 * window_start, window_end, window_time. In the kernel a window is a pane of one millisecond at its
 * end, and its start is the last key: CUMULATE's windows of one end may begin apart.
 */

import type { KernelTable } from "../kernel/state.ts";
import { RowTable } from "../memory/row-table.ts";
import type { SqliteDatabase } from "../sqlite/database.ts";
import type { ValueKind } from "../types/data-type.ts";
import { columnName } from "./row-layout.ts";
import { RowReader } from "./row-reader.ts";

export interface AssignedReaderOptions {
  readonly name: string;
  readonly keyCount: number;
  readonly accumulatorCount: number;
  /** Of the kernel's results. */
  readonly resultKinds: readonly ValueKind[];
  /** Of what comes out, without a weight. */
  readonly outputKinds: readonly ValueKind[];
}

export class AssignedReader {
  readonly #result: RowTable;
  readonly #reader: RowReader;

  constructor(database: SqliteDatabase, options: AssignedReaderOptions) {
    const { name, keyCount, accumulatorCount, resultKinds } = options;
    this.#result = new RowTable(database.host.memory, resultKinds);
    const keys = Array.from({ length: keyCount }, (_, index) => columnName(index));
    const accumulators = Array.from({ length: accumulatorCount }, (_, index) =>
      columnName(keyCount + 1 + index),
    );
    const end = columnName(keyCount + 1 + accumulatorCount);
    const columns = [...keys, ...accumulators, columnName(keyCount), end, `${end} - 1`];
    this.#reader = new RowReader(database, {
      name,
      columns: resultKinds.map((kind, index) => ({ name: columnName(index), kind })),
      sql: (table) => `SELECT ${columns.join(", ")} FROM ${table}`,
      kinds: options.outputKinds,
    });
  }

  /** Fresh rows, good until the next call. */
  read(result: KernelTable): RowTable {
    this.#result.pointToAddress(result.address);
    return this.#reader.read(this.#result, (_, error) => {
      throw error;
    });
  }
}
