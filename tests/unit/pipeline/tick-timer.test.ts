import { describe, expect, test } from "bun:test";
import { TickTimer } from "../../../src/pipeline/tick-timer.ts";

describe("TickTimer", () => {
  test("counts by the database's clock, not by ours", () => {
    const monotonic = 5_000;
    const ticks = new TickTimer({ monotonic: () => monotonic }, { databaseNow: () => 1_000_000 });
    expect(ticks.delayMs(1_000_250)).toBe(250);
    expect(ticks.delayMs(999_000)).toBeLessThanOrEqual(0);
  });

  test("never ticks before it has seen that clock", () => {
    const reader = { databaseNow: () => Number.NEGATIVE_INFINITY };
    expect(new TickTimer({ monotonic: () => 1 }, reader).delayMs(0)).toBe(Number.POSITIVE_INFINITY);
  });

  test("keeps ticks a tenth of a second apart, however late they are", () => {
    let monotonic = 5_000;
    const ticks = new TickTimer({ monotonic: () => monotonic }, { databaseNow: () => 1_000_000 });
    ticks.published();
    expect(ticks.delayMs(0)).toBe(100);
    monotonic += 60;
    expect(ticks.delayMs(0)).toBe(40);
    monotonic += 40;
    expect(ticks.delayMs(0)).toBeLessThanOrEqual(0);
  });
});
