import { describe, expect, test } from "bun:test";
import { ByteBudget } from "../../../src/base/byte-budget.ts";

describe("ByteBudget", () => {
  test("takes up to its capacity, and one that is larger alone", () => {
    const budget = new ByteBudget(100);
    expect([budget.tryTake(60), budget.tryTake(50), budget.tryTake(40)]).toEqual([
      true,
      false,
      true,
    ]);
    budget.give(100);
    expect(budget.tryTake(500)).toBe(true);
    expect(budget.tryTake(1)).toBe(false);
  });

  test("those who wait are served in order, a small one does not overtake", async () => {
    const budget = new ByteBudget(100);
    budget.tryTake(100);
    const served: number[] = [];
    const takes = [80, 10].map((bytes) => budget.take(bytes).then(() => served.push(bytes)));
    budget.give(50);
    await Promise.resolve();
    expect(served).toEqual([]);
    expect(budget.tryTake(10)).toBe(false);
    budget.give(50);
    await Promise.all(takes);
    expect(served).toEqual([80, 10]);
    expect(budget.takenBytes).toBe(90);
  });

  test("an aborted wait takes nothing and lets the next one through", async () => {
    const budget = new ByteBudget(100);
    budget.tryTake(90);
    const abort = new AbortController();
    const large = budget.take(80, abort.signal);
    const small = budget.take(10);
    abort.abort();
    expect(await large).toBe(false);
    expect(await small).toBe(true);
    expect(budget.takenBytes).toBe(100);
  });
});
