/**
 * The time that windows are over, as an operator sees it. Windows of a TIMESTAMP_LTZ begin at times
 * of a clock on the wall: then rows are grouped by wall time, and a window has passed when the last
 * instant at which the clock showed its end has passed (an hour is shown twice when clocks go
 * back). Processing time is publishedAt.
 */
import { present } from "../../base/assert.ts";
import type { ClosingTime, WindowOf } from "../plan/plan.ts";
import { toInstant, toWall, zoneOffset } from "../types/time-zone.ts";

const dayMs = 86_400_000;

export class WindowTime {
  readonly isProcessing: boolean;
  readonly zone: string | null;
  readonly #column: number | null;

  /** A ClosingTime: of windows that rows bring with them, which have no time column. */
  constructor(window: WindowOf | ClosingTime) {
    const { time, timeZone } = window;
    this.#column = "timeColumn" in window ? window.timeColumn : null;
    this.isProcessing = time === "proctime";
    this.zone = timeZone === null || timeZone === "UTC" ? null : timeZone;
  }

  get column(): number {
    return present(this.#column, "windows are over a time column");
  }

  /** The time on the wall at an instant. */
  wallOf(instantMs: number): number {
    return this.zone === null ? instantMs : toWall(this.zone, instantMs);
  }

  /** The last instant at which the wall shows this time. */
  momentOf(wallMs: number): number {
    return lastMomentOf(this.zone, wallMs);
  }
}

/** The last instant at which the wall of `zone` shows a time; null: times are instants. */
export function lastMomentOf(zone: string | null, wallMs: number): number {
  if (zone === null) return wallMs;
  // The clock changes at most once within the two days around.
  const offsets = [zoneOffset(zone, wallMs - dayMs), zoneOffset(zone, wallMs + dayMs)];
  for (const offset of offsets.sort((a, b) => a - b)) {
    if (zoneOffset(zone, wallMs - offset) === offset) return wallMs - offset;
  }
  // The clock jumps over this time.
  return toInstant(zone, wallMs);
}
