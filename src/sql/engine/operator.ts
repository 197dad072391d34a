/**
 * The contract of operators, the stages of a running query. Rows go down from sources to the sink,
 * a table at a time, and are lent: what an operator keeps of them it copies. Everything happens in
 * one synchronous call per event, in the order that the log gives:
 *
 * - `push`     rows came on an input
 * - `advance`  an input's watermark moved: windows that end by then close, before it goes on down
 * - `flush`    a commit is near: changes that were held back go down
 *
 * An operator with several inputs has the least watermark of those that are not idle, and where all
 * are, the greatest: see `activity`.
 */
import { assert } from "../../base/assert.ts";
import { integerOf, rowAt } from "../memory/row-access.ts";
import type { RowTable } from "../memory/row-table.ts";
import { type Activity, activity, endOfTime, noTime } from "../time/event-time.ts";
import { hiddenIndex, type RowLayout, rowColumn } from "./row-layout.ts";

/** Where the rows of a push come from; null behind an operator that makes rows of its own. */
export interface RowOrigin {
  /** Place of the source among the query's. */
  readonly source: number;
  /** The least watermark of a set of sources, without this one: see `Operator.boundOf`. */
  readonly watermarkBeside: (sources: ReadonlySet<number>) => number;
  /** Greatest event time of the rows' partition, these rows counted; `noTime`: none. */
  readonly greatest: number;
  /** What is said of a row of the source's batch when it is late or in error. */
  readonly describe: (row: number) => OriginRow;
}

export interface OriginRow {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly value: Uint8Array | null;
}

export interface Rows {
  /** Columns as the operator's `layout` has them. */
  readonly table: RowTable;
  readonly origin: RowOrigin | null;
}

/** A row that leaves the query on the side. */
export interface SideRow {
  readonly origin: OriginRow | null;
  readonly reason: string;
}

/** The error row for the row at `index` of `rows`, with its origin where the rows carry it. */
export function errorRowOf(layout: RowLayout, rows: Rows, index: number, reason: string): SideRow {
  return sideRowOf(layout, rows, rowAt(rows.table, index), reason);
}

/** As `errorRowOf`, for a row of the columns. */
export function sideRowOf(
  layout: RowLayout,
  { table, origin }: Rows,
  row: number,
  reason: string,
): SideRow {
  const place = hiddenIndex(layout, rowColumn);
  if (origin === null || place < 0) return { origin: null, reason };
  return { origin: origin.describe(Number(integerOf(table, place, row))), reason };
}

/** What operators take from the task that they run in. */
export interface OperatorContext {
  /** publishedAt of the publish or tick at hand: PROCTIME() of its rows. */
  readonly now: () => number;
  readonly onError: (row: SideRow) => void;
  readonly onLate: (row: SideRow) => void;
  /** Memory is so short that changes go down before a commit: they are to wait for it (ADR 72). */
  readonly onShort: () => void;
}

/** A part of the state as checkpoints carry it. */
export interface StatePart {
  /** Unique in the query, the same in every run of its plan. */
  readonly name: string;
  save(kind: "full" | "delta"): Uint8Array;
  /** A full part and deltas in order, into a fresh operator. */
  restore(parts: readonly { readonly kind: "full" | "delta"; readonly bytes: Uint8Array }[]): void;
}

interface Downstream {
  readonly operator: Operator;
  readonly input: number;
}

export abstract class Operator {
  /** Columns of the rows that come out. */
  abstract readonly layout: RowLayout;
  /** Sources whose rows reach this operator. */
  readonly sources: ReadonlySet<number>;
  readonly #inputWatermarks: number[];
  readonly #inputActivities: Activity[];
  readonly #downstream: Downstream[] = [];
  #watermark = noTime;
  #activity: Activity = activity.awaited;

  constructor(inputs: readonly Operator[], sources?: readonly number[]) {
    this.#inputWatermarks = inputs.map(() => noTime);
    this.#inputActivities = inputs.map(() => activity.awaited);
    this.sources = new Set(sources ?? inputs.flatMap((input) => [...input.sources]));
    for (const [input, operator] of inputs.entries()) {
      operator.#downstream.push({ operator: this, input });
    }
  }

  /** Least watermark of the inputs, as far as it has been worked through. */
  get watermark(): number {
    return this.#watermark;
  }

  /** All inputs have ended, as those of a bounded read do. */
  get hasEnded(): boolean {
    return this.#watermark >= endOfTime;
  }

  abstract push(input: number, rows: Rows): void;

  /**
   * The watermark moved from `before` to `this.watermark`; called before those below hear of it.
   */
  protected onWatermark(_before: number): void {}

  /** A commit is near. Called in order from sources to sink. */
  flush(): void {}

  /** Parts of state; none for an operator without. */
  get state(): readonly StatePart[] {
    return [];
  }

  /** End of the last window that has rows, or `noTime`: silence moves time no further. */
  get lastWindowEnd(): number {
    return noTime;
  }

  /** publishedAt at which a tick would make something happen here by processing time. */
  get nextTickAt(): number | undefined {
    return undefined;
  }

  /** Time passed by a publish or a tick, before its rows. */
  onTime(_publishedAt: number): void {}

  advance(input: number, watermark: number): void {
    const known = this.#inputWatermarks[input];
    assert(known !== undefined, "the input exists");
    if (watermark > known) this.#inputWatermarks[input] = watermark;
    this.settle();
  }

  /**
   * Moves on to what its inputs allow: others may hold it now than did before. Of a source, and of
   * what has one input, nothing changes by this.
   */
  settle(): void {
    if (this.#inputWatermarks.length === 0) return;
    const isIdle = this.#activity === activity.idle;
    let found = isIdle ? noTime : endOfTime;
    for (const [input, watermark] of this.#inputWatermarks.entries()) {
      if (isIdle) found = Math.max(found, watermark);
      else if (this.#inputActivities[input] !== activity.idle) found = Math.min(found, watermark);
    }
    this.#raise(found);
  }

  /** Whether it holds those below: idle where all of its inputs are. */
  get activity(): Activity {
    return this.#activity;
  }

  /** What is promised of the rows that come out from now on: none lies before. */
  get outputWatermark(): number {
    return this.#passedOn;
  }

  /** For sources. Nothing moves by it until all have been told: see `settle`. */
  protected become(now: Activity): void {
    if (now === this.#activity) return;
    this.#activity = now;
    for (const { operator, input } of this.#downstream) {
      operator.#inputActivities[input] = now;
      operator.become(Math.max(...operator.#inputActivities) as Activity);
    }
  }

  /** For sources, whose watermark comes from outside. */
  protected advanceTo(watermark: number): void {
    this.#raise(watermark);
  }

  /** After a restore: watermarks are part of the task's state, and nothing closes by it. */
  resume(watermarkOf: (operator: Operator) => number): void {
    this.#watermark = watermarkOf(this);
    for (const { operator, input } of this.#downstream) {
      operator.#inputWatermarks[input] = this.#passedOn;
    }
  }

  #raise(watermark: number): void {
    if (watermark <= this.#watermark) return;
    const before = this.#watermark;
    this.#watermark = watermark;
    this.onWatermark(before);
    for (const { operator, input } of this.#downstream) operator.advance(input, this.#passedOn);
  }

  /** How far event times of the rows that come out may lie behind the watermark. */
  protected get delayMs(): number {
    return 0;
  }

  get #passedOn(): number {
    const isTime = this.#watermark !== noTime && this.#watermark < endOfTime;
    return isTime ? this.#watermark - this.delayMs : this.#watermark;
  }

  /** Whether memory is short, and a commit would let some of this operator's state leave it. */
  get awaitsCommit(): boolean {
    return false;
  }

  protected emit(rows: Rows): void {
    if (rows.table.rowCount === 0) return;
    for (const { operator, input } of this.#downstream) operator.push(input, rows);
  }

  /**
   * Behind which event time rows of a push are late in any case, whatever their own bound says, and
   * what their own bound counts for at most: `late = max(floor, min(own, ceiling))` (DESIGN,
   * "Late").
   */
  protected boundOf(origin: RowOrigin | null): {
    readonly floor: number;
    readonly ceiling: number;
  } {
    const floor = this.#watermark;
    const ceiling = origin === null ? endOfTime : origin.watermarkBeside(this.sources);
    return { floor, ceiling };
  }
}
