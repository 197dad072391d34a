/**
 * Event times of a source's rows: the bound behind which each is late, and what the watermark
 * learns from them. A row without an event time is in error; one too far ahead of the clock is a
 * row, but does not move the watermark: a single wrong clock must not close everybody's windows.
 */
import { boundRows } from "../kernel/lateness.ts";
import { RowBuffer } from "../kernel/row-buffer.ts";
import type { RowTable } from "../memory/row-table.ts";
import type { SqliteHost } from "../sqlite/host.ts";
import { noTime } from "../time/event-time.ts";

export interface EventTimeRun {
  /** Greatest event time of the partition before these rows, or `noTime`. */
  readonly greatest: number;
  /** The least of the other partitions: `EventTime.boundFor`. */
  readonly othersBound: number;
  readonly delayMs: number;
  readonly publishedAt: number;
  /** Event times so far past `publishedAt` do not count. */
  readonly aheadMsMax: number;
}

export interface SeenEventTimes {
  readonly greatest: number;
  /** Rows that do not count because they are too far ahead. */
  readonly aheadCount: number;
}

export class EventTimes {
  readonly #host: SqliteHost;
  readonly #bounds: RowBuffer;
  readonly #good: RowBuffer;
  readonly #bad: RowBuffer;

  constructor(host: SqliteHost) {
    this.#host = host;
    this.#bounds = new RowBuffer(host.memory);
    this.#good = new RowBuffer(host.memory);
    this.#bad = new RowBuffer(host.memory);
  }

  /**
   * Points `boundColumn` at the rows' bounds and leaves rows without an event time out of the
   * table's selection; `onMissing` hears of them by their row. `recordCount`: rows in the columns.
   */
  take(
    table: RowTable,
    columns: { readonly time: number; readonly bound: number; readonly recordCount: number },
    run: EventTimeRun,
    onMissing: (row: number) => void,
  ): SeenEventTimes {
    const { memory } = this.#host;
    const bounds = this.#bounds.reserve(8 * columns.recordCount);
    const good = this.#good.reserve(4 * table.rowCount);
    const bad = this.#bad.reserve(4 * table.rowCount);
    const seen = boundRows(this.#host, {
      ...{ table, timeColumn: columns.time, bounds, good, bad },
      greatestMs: run.greatest === noTime ? null : run.greatest,
      othersMs: run.othersBound,
      delayMs: run.delayMs,
      publishedAtMs: run.publishedAt,
      aheadMs: run.aheadMsMax,
    });
    table.point(columns.bound, { values: bounds });
    if (seen.badCount > 0) {
      table.setRows({ rowCount: seen.goodCount, selection: good });
      for (let index = 0; index < seen.badCount; index++) {
        onMissing(memory.readUint32(bad + 4 * index));
      }
    }
    return { greatest: seen.greatestMs ?? noTime, aheadCount: seen.futureCount };
  }
}
