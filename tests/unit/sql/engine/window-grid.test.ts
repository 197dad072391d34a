import { describe, expect, test } from "bun:test";
import {
  lastEndOf,
  neededFrom,
  windowEndingAfter,
} from "../../../../src/sql/engine/window-grid.ts";
import type { GridSpec } from "../../../../src/sql/plan/plan.ts";

const specs: readonly GridSpec[] = [
  { kind: "tumble", sizeMs: 10, offsetMs: 0 },
  { kind: "tumble", sizeMs: 10, offsetMs: 3 },
  { kind: "hop", slideMs: 2, sizeMs: 10, offsetMs: 1 },
  { kind: "hop", slideMs: 4, sizeMs: 10, offsetMs: 0 },
  { kind: "hop", slideMs: 15, sizeMs: 10, offsetMs: 0 },
  { kind: "cumulate", stepMs: 5, sizeMs: 20, offsetMs: 0 },
  { kind: "cumulate", stepMs: 5, sizeMs: 20, offsetMs: -2 },
];

/** Every window of the grid that begins in a range, by the definition of each kind. */
function windowsAround(spec: GridSpec): { startMs: number; endMs: number }[] {
  const windows: { startMs: number; endMs: number }[] = [];
  for (let n = -40; n <= 40; n++) {
    const start = (step: number) => spec.offsetMs + n * step;
    if (spec.kind === "tumble") windows.push(sized(start(spec.sizeMs), spec.sizeMs));
    if (spec.kind === "hop") windows.push(sized(start(spec.slideMs), spec.sizeMs));
    if (spec.kind === "cumulate") {
      for (let length = spec.stepMs; length <= spec.sizeMs; length += spec.stepMs) {
        windows.push(sized(start(spec.sizeMs), length));
      }
    }
  }
  return windows.sort((a, b) => a.endMs - b.endMs);
}

const sized = (startMs: number, length: number) => ({ startMs, endMs: startMs + length });

describe("the grid of windows", () => {
  test("windowEndingAfter finds the window that ends first after a time", () => {
    for (const spec of specs) {
      const windows = windowsAround(spec);
      for (let time = -50; time <= 50; time++) {
        const expected = windows.find(({ endMs }) => endMs > time);
        expect(windowEndingAfter(spec, time)).toEqual(expected as never);
      }
    }
  });

  test("lastEndOf is the last end of the windows that hold a time", () => {
    for (const spec of specs) {
      const windows = windowsAround(spec);
      for (let time = -50; time <= 50; time++) {
        const holding = windows.filter(({ startMs, endMs }) => startMs <= time && time < endMs);
        if (holding.length === 0) continue;
        expect(lastEndOf(spec, time)).toBe(Math.max(...holding.map(({ endMs }) => endMs)));
      }
    }
  });

  test("neededFrom lets go of no row that a later window holds", () => {
    for (const spec of specs) {
      const windows = windowsAround(spec);
      for (const window of windows.filter(({ endMs }) => Math.abs(endMs) < 50)) {
        const later = windows.filter(({ endMs }) => endMs > window.endMs);
        const first = Math.min(...later.map(({ startMs }) => startMs));
        expect(neededFrom(spec, window)).toBeLessThanOrEqual(first);
      }
    }
  });
});
