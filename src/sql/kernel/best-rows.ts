/**
 * Which rows a join with the greatest (or least) value of their own tumbling window need keep: a
 * row that another one of its window has beaten can never equal that value (Nexmark q7: of
 * thousands of bids a few).
 *
 * Only rows that the aggregate counts beat others: those that come late for their window do not.
 * Nothing of this is state: what a restore forgets costs rows that are kept in vain.
 */
import type { RowTable } from "../memory/row-table.ts";
import type { SqliteHost } from "../sqlite/host.ts";
import { type KeepKernel, keepKernelOf } from "./kept-rows.ts";
import { RowBuffer } from "./row-buffer.ts";
import { millisOf } from "./times.ts";

export interface BestRowsOptions {
  /** Integer columns of the rows: event time, and what is compared. */
  readonly timeColumn: number;
  readonly valueColumn: number;
  readonly extreme: "min" | "max";
  readonly sizeMs: number;
  readonly offsetMs: number;
  /** A row of time t meets windows that end in [t + fromMs, t + toMs]. */
  readonly fromMs: number;
  readonly toMs: number;
}

/** Bests of as many windows as the kernel remembers. */
const bestsBytes = 8 + 64 * 16;

export class BestRows {
  readonly #options: BestRowsOptions;
  readonly #kernel: KeepKernel;
  readonly #bests: number;
  readonly #selection: RowBuffer;

  constructor(host: SqliteHost, options: BestRowsOptions) {
    this.#options = options;
    this.#kernel = keepKernelOf(host);
    this.#bests = host.memory.allocateZeroed(bestsBytes);
    this.#selection = new RowBuffer(host.memory);
  }

  /**
   * Selects the rows of a table that are worth keeping; the selection is good until the next call.
   * `watermark` is the aggregate's before these rows, `boundColumn` that of the rows' own bounds.
   */
  pick(
    table: RowTable,
    late: { readonly watermark: number; readonly boundColumn: number | null },
  ): { readonly rowCount: number; readonly selection: number } {
    const { timeColumn, valueColumn, extreme, sizeMs, offsetMs, fromMs, toMs } = this.#options;
    const selection = this.#selection.reserve(4 * Math.max(1, table.rowCount));
    const rowCount = this.#kernel.pickBest(
      table.address,
      table.columnAddress(timeColumn),
      table.columnAddress(valueColumn),
      late.boundColumn === null ? 0 : table.columnAddress(late.boundColumn),
      extreme === "min" ? 1 : 0,
      BigInt(sizeMs),
      BigInt(offsetMs),
      BigInt(fromMs),
      BigInt(toMs),
      millisOf(late.watermark),
      this.#bests,
      selection,
    );
    return { rowCount, selection };
  }
}
