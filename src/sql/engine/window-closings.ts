/**
 * The windows of rows that an operator keeps: which have ended by a watermark, one by one in the
 * order of their ends. A row's window is in its window_end column, an end being exclusive.
 */
import type { SqliteDatabase } from "../sqlite/database.ts";
import type { SqliteStatement } from "../sqlite/statement.ts";
import { noTime } from "../time/event-time.ts";
import { lastMomentOf } from "./window-time.ts";

export class WindowClosings {
  readonly #nextEnd: SqliteStatement;
  readonly #lastEnd: SqliteStatement;
  readonly #drop: readonly SqliteStatement[];
  readonly #zone: string | null;

  constructor(
    database: SqliteDatabase,
    options: {
      /** SQL names of the tables with the rows, each with the name of its end column. */
      readonly tables: readonly { readonly sqlName: string; readonly endColumn: string }[];
      /** Windows end at times of its wall; null: at instants. */
      readonly zone: string | null;
    },
  ) {
    const { tables } = options;
    this.#zone = options.zone;
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

  /**
   * Calls `close` with the end of each window that has ended by `watermark`, then drops its rows.
   */
  closeUntil(watermark: number, close: (end: bigint) => void): void {
    for (;;) {
      const end = this.#nextEnd.all()[0]?.[0];
      if (typeof end !== "bigint" || lastMomentOf(this.#zone, Number(end)) > watermark) return;
      close(end);
      for (const statement of this.#drop) statement.all(end);
    }
  }

  /** End of the last window that has rows, or `noTime`. */
  get lastEnd(): number {
    const end = this.#lastEnd.all()[0]?.[0];
    return typeof end === "bigint" ? lastMomentOf(this.#zone, Number(end)) : noTime;
  }
}
