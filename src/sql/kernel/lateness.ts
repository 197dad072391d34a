/**
 * Event time of rows on the kernel `wasm/sql/lateness.ts`, which has no state: what a source says
 * of each row (`boundRows`), which rows come too late for their windows (`lateSplit`), and the
 * windows that a row is in (`assignWindows`).
 *
 * A row's bound is min(its partition's greatest event time before it − delay, what all other
 * partitions and inputs allowed before this publish). A row is late when all its windows have
 * ended, allowed lateness added, by the greater of its bound and the operator's watermark. Both
 * come from the log alone, so that every run finds the same rows late.
 *
 * Results are written where the caller has room for them: row numbers of 4 bytes, times of 8.
 */
import { assert } from "../../base/assert.ts";
import type { RowTable } from "../memory/row-table.ts";
import type { GridSpec } from "../plan/plan.ts";
import type { SqliteHost } from "../sqlite/host.ts";
import { millisOf } from "./times.ts";

interface LatenessKernel {
  readonly greatest: { readonly value: bigint };
  readonly badRows: { readonly value: number };
  readonly futureRows: { readonly value: number };
  readonly lateRows: { readonly value: number };
  boundRows(
    table: number,
    time: number,
    top: bigint,
    others: bigint,
    delay: bigint,
    publishedAt: bigint,
    ahead: bigint,
    bounds: number,
    good: number,
    bad: number,
  ): number;
  lateSplit(
    table: number,
    time: number,
    bounds: number,
    kind: number,
    step: bigint,
    size: bigint,
    offset: bigint,
    lateness: bigint,
    watermark: bigint,
    keep: number,
    late: number,
  ): number;
  assign(
    table: number,
    time: number,
    kind: number,
    step: bigint,
    size: bigint,
    offset: bigint,
    rows: number,
    starts: number,
    ends: number,
    times: number,
  ): number;
}

const never = -(2n ** 63n);

export interface SourceRows {
  /** Rows of one partition of one publish, in order. */
  readonly table: RowTable;
  readonly timeColumn: number;
  /** Greatest event time of the partition before these rows; null: it had none yet. */
  readonly greatestMs: number | null;
  /** Least bound of all other awaited partitions and inputs; Infinity: there are none. */
  readonly othersMs: number;
  readonly delayMs: number;
  readonly publishedAtMs: number;
  /** How far past `publishedAt` a time may lie and count for the greatest; null: any. */
  readonly aheadMs: number | null;
  /** Room for a time per row of the table, selected or not: row r's bound goes to 8 × r. */
  readonly bounds: number;
  /** Room for the numbers of rows with an event time, and of those without. */
  readonly good: number;
  readonly bad: number;
}

export interface BoundRows {
  readonly goodCount: number;
  /** Rows whose event time is NULL: error rows. */
  readonly badCount: number;
  /** Rows too far past `publishedAt`, which are among the good ones. */
  readonly futureCount: number;
  readonly greatestMs: number | null;
}

export interface TimedRows {
  readonly table: RowTable;
  readonly timeColumn: number;
  readonly window: GridSpec;
}

const kernels = new WeakMap<SqliteHost, LatenessKernel>();

function kernelOf(host: SqliteHost): LatenessKernel {
  let kernel = kernels.get(host);
  kernel ??= host.link<LatenessKernel>("lateness");
  kernels.set(host, kernel);
  return kernel;
}

/** Gives each row its bound and moves the partition's greatest event time. */
export function boundRows(host: SqliteHost, rows: SourceRows): BoundRows {
  const kernel = kernelOf(host);
  const { table, greatestMs, aheadMs } = rows;
  const goodCount = kernel.boundRows(
    table.address,
    table.columnAddress(rows.timeColumn),
    greatestMs === null ? never : BigInt(greatestMs),
    millisOf(rows.othersMs),
    BigInt(rows.delayMs),
    BigInt(rows.publishedAtMs),
    aheadMs === null ? -1n : BigInt(aheadMs),
    rows.bounds,
    rows.good,
    rows.bad,
  );
  const greatest = kernel.greatest.value;
  return {
    goodCount,
    badCount: kernel.badRows.value,
    futureCount: kernel.futureRows.value,
    greatestMs: greatest === never ? null : Number(greatest),
  };
}

/**
 * Parts rows into those that are in time, whose numbers go to `keep`, and late ones, which go to
 * `late`. Event times are not NULL; `boundColumn` absent: the watermark alone decides.
 */
export function lateSplit(
  host: SqliteHost,
  rows: TimedRows & {
    readonly boundColumn?: number;
    readonly allowedLatenessMs: number;
    /** The operator's watermark before the publish that the rows are of; −Infinity: none yet. */
    readonly watermarkMs: number;
    readonly keep: number;
    readonly late: number;
  },
): { readonly keptCount: number; readonly lateCount: number } {
  const kernel = kernelOf(host);
  const { table, boundColumn } = rows;
  const { kind, stepMs, sizeMs, offsetMs } = cutOf(rows.window);
  const keptCount = kernel.lateSplit(
    table.address,
    table.columnAddress(rows.timeColumn),
    boundColumn === undefined ? 0 : table.columnAddress(boundColumn),
    kind,
    stepMs,
    sizeMs,
    offsetMs,
    BigInt(rows.allowedLatenessMs),
    millisOf(rows.watermarkMs),
    rows.keep,
    rows.late,
  );
  return { keptCount, lateCount: kernel.lateRows.value };
}

/** How many windows the rows are in, all together. */
export function countWindows(host: SqliteHost, rows: TimedRows): number {
  return assign(host, rows, { rows: 0, starts: 0, ends: 0, times: 0 });
}

/**
 * Writes a row per row and window: the input row's number, window_start, window_end and
 * window_time; room for `countWindows` of each. Rows whose time is NULL are in no window.
 */
export function assignWindows(
  host: SqliteHost,
  rows: TimedRows,
  to: {
    readonly rows: number;
    readonly starts: number;
    readonly ends: number;
    readonly times: number;
  },
): number {
  assert(to.ends !== 0, "there is room for the windows");
  return assign(host, rows, to);
}

function assign(
  host: SqliteHost,
  { table, timeColumn, window }: TimedRows,
  to: { rows: number; starts: number; ends: number; times: number },
): number {
  const { kind, stepMs, sizeMs, offsetMs } = cutOf(window);
  const { rows, starts, ends, times } = to;
  const time = table.columnAddress(timeColumn);
  const kernel = kernelOf(host);
  const { address } = table;
  return kernel.assign(address, time, kind, stepMs, sizeMs, offsetMs, rows, starts, ends, times);
}

function cutOf(window: GridSpec): {
  readonly kind: number;
  readonly stepMs: bigint;
  readonly sizeMs: bigint;
  readonly offsetMs: bigint;
} {
  const sizeMs = BigInt(window.sizeMs);
  const offsetMs = BigInt(window.offsetMs);
  if (window.kind === "tumble") return { kind: 0, stepMs: sizeMs, sizeMs, offsetMs };
  if (window.kind === "hop") return { kind: 1, stepMs: BigInt(window.slideMs), sizeMs, offsetMs };
  return { kind: 2, stepMs: BigInt(window.stepMs), sizeMs, offsetMs };
}
