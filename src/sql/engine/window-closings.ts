/**
 * The windows of rows that an operator keeps: which have ended by a watermark, one by one in the
 * order of their ends. A row's window is in its window_end column, an end being exclusive.
 */
import type { SqliteDatabase } from "../sqlite/database.ts";
import type { SqliteStatement } from "../sqlite/statement.ts";
import { noTime } from "../time/event-time.ts";
import type { WindowTime } from "./window-time.ts";

export class WindowClosings {
  readonly #nextEnd: SqliteStatement;
  readonly #lastEnd: SqliteStatement;
  readonly #drop: readonly SqliteStatement[];
  readonly #time: WindowTime;
  /** First and last end of the rows that are kept; undefined: to be looked up. */
  #ends: { readonly next: bigint | null; readonly last: bigint | null } | undefined;

  constructor(
    database: SqliteDatabase,
    options: {
      /** SQL names of the tables with the rows, each with the name of its end column. */
      readonly tables: readonly { readonly sqlName: string; readonly endColumn: string }[];
      readonly time: WindowTime;
    },
  ) {
    const { tables } = options;
    this.#time = options.time;
    const ends = (choose: "min" | "max") =>
      tables
        .map(({ sqlName, endColumn }) => `SELECT ${choose}(${endColumn}) AS e FROM ${sqlName}`)
        .join(" UNION ALL ");
    this.#nextEnd = database.prepare(`SELECT min(e) FROM (${ends("min")})`);
    this.#lastEnd = database.prepare(`SELECT max(e) FROM (${ends("max")})`);
    this.#drop = tables.map(({ sqlName, endColumn }) =>
      database.prepare(`DELETE FROM ${sqlName} WHERE ${endColumn} = ?1`),
    );
  }

  /** Rows were added to a table: watermarks move far more often. */
  noteRows(): void {
    this.#ends = undefined;
  }

  /** Whether no row is kept. */
  get isEmpty(): boolean {
    return this.#known().next === null;
  }

  /** Calls `close` with the end of each window that has ended by `until`, then drops its rows. */
  closeUntil(until: number, close: (end: bigint) => void): void {
    for (;;) {
      const { next: end } = this.#known();
      if (end === null || this.#time.momentOf(Number(end)) > until) return;
      close(end);
      for (const statement of this.#drop) statement.change(end);
      this.#ends = undefined;
    }
  }

  /** End of the last window that has rows, or `noTime`: as `Operator.lastWindowEnd`. */
  get lastEnd(): number {
    const { last } = this.#known();
    if (last === null || this.#time.isProcessing) return noTime;
    return this.#time.momentOf(Number(last));
  }

  /** Where windows are of processing time, the end of the first: as `Operator.nextTickAt`. */
  get nextTickAt(): number | undefined {
    const next = this.#time.isProcessing ? this.#known().next : null;
    return next === null ? undefined : this.#time.momentOf(Number(next));
  }

  #known(): { readonly next: bigint | null; readonly last: bigint | null } {
    this.#ends ??= { next: endOf(this.#nextEnd), last: endOf(this.#lastEnd) };
    return this.#ends;
  }
}

function endOf(statement: SqliteStatement): bigint | null {
  const end = statement.all()[0]?.[0];
  return typeof end === "bigint" ? end : null;
}
