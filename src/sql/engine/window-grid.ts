/**
 * Where the windows of TUMBLE, HOP and CUMULATE begin and end. Windows of a kind are known by their
 * ends: they close one by one in that order.
 */
import type { GridSpec } from "../plan/plan.ts";

export interface WindowBounds {
  readonly startMs: number;
  readonly endMs: number;
}

/** Between the ends of windows that follow each other. */
function stepMsOf(spec: GridSpec): number {
  switch (spec.kind) {
    case "tumble":
      return spec.sizeMs;
    case "hop":
      return spec.slideMs;
    case "cumulate":
      return spec.stepMs;
  }
}

/** The window that ends first after `timeMs` (exclusive: one that ends then has ended). */
export function windowEndingAfter(spec: GridSpec, timeMs: number): WindowBounds {
  const step = stepMsOf(spec);
  // All ends are whole steps from this one; CUMULATE's and TUMBLE's sizes are whole steps.
  const anchor = spec.offsetMs + spec.sizeMs;
  const endMs = anchor + (Math.floor((timeMs - anchor) / step) + 1) * step;
  if (spec.kind !== "cumulate") return { startMs: endMs - spec.sizeMs, endMs };
  const { sizeMs, offsetMs } = spec;
  return { startMs: offsetMs + Math.floor((endMs - 1 - offsetMs) / sizeMs) * sizeMs, endMs };
}

/** End of the last window that a row of `timeMs` belongs to. */
export function lastEndOf(spec: GridSpec, timeMs: number): number {
  const { sizeMs, offsetMs } = spec;
  const step = spec.kind === "hop" ? spec.slideMs : sizeMs;
  return offsetMs + Math.floor((timeMs - offsetMs) / step) * step + sizeMs;
}

/** Rows before this are in no window that ends after `window`. */
export function neededFrom(spec: GridSpec, window: WindowBounds): number {
  switch (spec.kind) {
    case "tumble":
      return window.endMs;
    case "hop":
      return window.startMs + spec.slideMs;
    case "cumulate":
      return window.endMs === window.startMs + spec.sizeMs ? window.endMs : window.startMs;
  }
}
