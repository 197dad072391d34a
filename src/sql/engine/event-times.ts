/**
 * Event times of a source's rows: the bound behind which each is late, and what the watermark learns
 * from them. A row without an event time is in error; one too far ahead of the clock is a row, but
 * does not move the watermark: a single wrong clock must not close everybody's windows.
 */

import { RowBuffer } from "../kernel/row-buffer.ts";
import { columnField } from "../memory/column-layout.ts";
import { integerAt, rowAt } from "../memory/row-access.ts";
import type { RowTable } from "../memory/row-table.ts";
import type { SqliteMemory } from "../sqlite/memory.ts";
import { noTime } from "../time/event-time.ts";

export interface EventTimeRun {
  /** Greatest event time of the partition before these rows. */
  readonly greatest: number;
  /** The least of the other partitions: `EventTime.boundFor`. */
  readonly othersBound: number;
  readonly delayMs: number;
  /** Event times beyond it do not count. */
  readonly latestMs: number;
}

export interface SeenEventTimes {
  readonly greatest: number;
  /** Rows that do not count because they are too far ahead. */
  readonly aheadCount: number;
}

export class EventTimes {
  readonly #memory: SqliteMemory;
  readonly #bounds: RowBuffer;
  readonly #selection: RowBuffer;

  constructor(memory: SqliteMemory) {
    this.#memory = memory;
    this.#bounds = new RowBuffer(memory);
    this.#selection = new RowBuffer(memory);
  }

  /**
   * Points `boundColumn` at the rows' bounds and leaves rows without an event time out of the
   * table's selection; `onMissing` hears of them by their place in it. `recordCount`: rows in the columns.
   */
  take(
    table: RowTable,
    columns: { readonly time: number; readonly bound: number; readonly recordCount: number },
    run: EventTimeRun,
    onMissing: (row: number) => void,
  ): SeenEventTimes {
    const { view } = this.#memory;
    const { rowCount } = table;
    const bounds = this.#bounds.reserve(8 * columns.recordCount);
    const hasNulls = this.#nullsOf(table, columns.time) !== 0;
    const selection = hasNulls ? this.#selection.reserve(4 * rowCount) : 0;
    let { greatest } = run;
    let aheadCount = 0;
    let kept = 0;
    for (let index = 0; index < rowCount; index++) {
      const row = rowAt(table, index);
      if (hasNulls && this.#isNull(table, columns.time, row)) {
        onMissing(index);
        continue;
      }
      if (hasNulls) this.#memory.writeUint32(selection + 4 * kept++, row);
      const own = greatest === noTime ? noTime : greatest - run.delayMs;
      view.setBigInt64(bounds + 8 * row, BigInt(Math.min(own, run.othersBound)), true);
      const time = Number(integerAt(table, columns.time, index));
      if (time > run.latestMs) aheadCount += 1;
      else if (time > greatest) greatest = time;
    }
    table.point(columns.bound, { values: bounds });
    if (hasNulls) table.setRows({ rowCount: kept, selection });
    return { greatest, aheadCount };
  }

  #nullsOf(table: RowTable, column: number): number {
    return this.#memory.readUint32(table.columnAddress(column) + columnField.nulls);
  }

  #isNull(table: RowTable, column: number, row: number): boolean {
    const stride = this.#memory.readUint32(table.columnAddress(column) + columnField.nullStride);
    return this.#memory.bytes[this.#nullsOf(table, column) + stride * row] !== 0;
  }
}
