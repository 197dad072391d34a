/**
 * What operators over session windows share: rows go into the kernel's sessions, those that are
 * late leave on the side, and sessions close by the watermark or by the time of publishing.
 */
import { type RowSelection, SessionState } from "../kernel/session.ts";
import type { SpillSpace } from "../kernel/spill-space.ts";
import type { Accumulator } from "../plan/plan.ts";
import type { SqliteDatabase } from "../sqlite/database.ts";
import { endOfTime, noTime } from "../time/event-time.ts";
import {
  Operator,
  type OperatorContext,
  type Rows,
  type StatePart,
  sideRowOf,
} from "./operator.ts";
import { boundColumn, hiddenIndex, type RowLayout, tableColumns } from "./row-layout.ts";
import { kernelPart, numberPart } from "./state-part.ts";
import type { WindowTime } from "./window-time.ts";

export interface SessionOptions {
  readonly name: string;
  readonly gapMs: number;
  readonly time: WindowTime;
  readonly database: SqliteDatabase;
  readonly context: OperatorContext;
  readonly seed: bigint;
  readonly stateBytesMax: number;
  readonly spill?: SpillSpace;
}

/** What is kept of a session. */
export interface SessionContent {
  readonly keys: readonly number[];
  readonly accumulators: readonly Accumulator[];
  readonly allowedLatenessMs: number;
}

export abstract class SessionOperator extends Operator {
  protected readonly sessions: SessionState;
  readonly #options: SessionOptions;
  readonly #input: RowLayout;
  readonly #boundIndex: number;
  readonly #part: StatePart;
  /** Greatest end of a session that a row made: an upper bound while one is open. */
  #lastEnd = noTime;

  constructor(input: Operator, options: SessionOptions, content: SessionContent) {
    super([input]);
    const { keys, accumulators, allowedLatenessMs } = content;
    this.#options = options;
    this.#input = input.layout;
    this.#boundIndex = hiddenIndex(input.layout, boundColumn);
    const kinds = tableColumns(input.layout).map(({ kind }) => kind);
    this.sessions = new SessionState(options.database.host, {
      spec: { input: kinds, keys, accumulators },
      ...{ gapMs: options.gapMs, allowedLatenessMs, seed: options.seed },
      ...{ bytesMax: options.stateBytesMax, spill: options.spill },
      cold: { database: options.database, name: options.name },
    });
    this.#part = kernelPart(options.name, this.sessions);
  }

  push(_input: number, rows: Rows): void {
    const { time, database, context, gapMs } = this.#options;
    const { floor, ceiling } = this.boundOf(rows.origin);
    const hasBound =
      !time.isProcessing && this.#boundIndex >= 0 && rows.origin !== null && ceiling === endOfTime;
    const late = this.sessions.add({
      ...{ table: rows.table, timeColumn: time.column },
      watermarkMs: time.isProcessing ? Number.NEGATIVE_INFINITY : floor,
      ...(hasBound && { boundColumn: this.#boundIndex }),
    });
    for (let index = 0; index < late.rowCount; index++) {
      const row = database.host.memory.readUint32(late.selection + 4 * index);
      const reason = "late: the session that it belongs to has ended";
      context.onLate(sideRowOf(this.#input, rows, row, reason));
    }
    this.onRows(rows, late);
    this.sessions.spill();
    const seen = time.isProcessing ? context.now() : (rows.origin?.greatest ?? floor);
    this.#lastEnd = Math.max(this.#lastEnd, seen + gapMs);
  }

  /** Rows are in their sessions, save those that are late. */
  protected onRows(_rows: Rows, _late: RowSelection): void {}

  /** Shows the sessions that end by a time. */
  protected abstract showClosed(until: number): void;

  protected closeUntil(until: number): void {
    const areAll = this.#lastEnd !== noTime && this.#lastEnd <= until;
    for (const part of this.sessions.closings(until, { areAll })) {
      this.showClosed(part);
      this.sessions.settle();
      this.sessions.spill();
    }
    if (this.#lastEnd <= until) this.#lastEnd = noTime;
  }

  override onTime(publishedAt: number): void {
    if (this.#options.time.isProcessing) this.closeUntil(publishedAt);
  }

  protected override onWatermark(): void {
    if (this.#options.time.isProcessing && !this.hasEnded) return;
    this.closeUntil(this.watermark);
  }

  override get lastWindowEnd(): number {
    return this.#options.time.isProcessing ? noTime : this.#lastEnd;
  }

  override get nextTickAt(): number | undefined {
    const { time } = this.#options;
    return time.isProcessing && this.#lastEnd !== noTime ? this.#lastEnd : undefined;
  }

  override get awaitsCommit(): boolean {
    return this.sessions.awaitsSettling;
  }

  override get state(): readonly StatePart[] {
    return [
      this.#part,
      numberPart(`${this.#part.name}.end`, {
        get: () => this.#lastEnd,
        set: (value) => {
          this.#lastEnd = value;
        },
      }),
    ];
  }
}
