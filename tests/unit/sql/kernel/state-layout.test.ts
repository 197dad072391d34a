import { describe, expect, test } from "bun:test";
import { planState, relocate, type StateSpec } from "../../../../src/sql/kernel/state-layout.ts";
import type { Accumulator } from "../../../../src/sql/plan/plan.ts";

const of = (kind: Accumulator["kind"], column: number | null, isDistinct = false): Accumulator => ({
  kind,
  column,
  filter: null,
  isDistinct,
});

const spec: StateSpec = {
  input: ["integer", "real", "text", "wide"],
  keys: [0],
  accumulators: [of("count", null), of("sum", 0)],
  isRetractable: false,
  tracksChanges: false,
  isSession: false,
};

describe("planState", () => {
  test("keeps one integer key, a count and a sum within a cache line", () => {
    expect(planState(spec).entryBytes).toBeLessThanOrEqual(64);
  });

  test("names the kinds of keys, accumulators and the window", () => {
    const { resultKinds } = planState({
      ...spec,
      keys: [2, 3],
      accumulators: [of("sum", 0), of("sum", 1), of("max", 2), of("approxCountDistinct", 2)],
    });
    const accumulated = ["wide", "real", "text", "integer"] as const;
    const window = ["integer", "integer", "integer"] as const;
    expect(resultKinds).toEqual(["text", "wide", ...accumulated, ...window]);
  });

  test("gives specifications that lie differently in memory different fingerprints", () => {
    const others: StateSpec[] = [
      { ...spec, keys: [1] },
      { ...spec, keys: [] },
      { ...spec, accumulators: [of("sum", 0), of("count", null)] },
      { ...spec, accumulators: [of("count", null), of("sum", 0, true)] },
      { ...spec, isRetractable: true },
      { ...spec, tracksChanges: true },
      { ...spec, isSession: true },
    ];
    const fingerprints = [spec, ...others].map((each) => planState(each).fingerprint);
    expect(new Set(fingerprints).size).toBe(fingerprints.length);
    expect(planState({ ...spec }).fingerprint).toBe(planState(spec).fingerprint);
  });

  test("refuses sums of text, which the checker lets nobody ask for", () => {
    const wrong = { ...spec, accumulators: [of("sum", 2)] };
    expect(() => planState(wrong)).toThrow("sum has a number as argument");
  });
});

test("relocate moves the addresses of a layout and nothing else", () => {
  const layout = planState(spec);
  const words = new Uint32Array(relocate(layout, 4096).buffer);
  const moved = [...words.keys()].filter((word) => words[word] !== layout.words[word]);
  expect(moved).toEqual([6, 7, 8, 9]);
  for (const word of moved) expect(words[word]).toBe((layout.words[word] ?? 0) + 4096);
});
