import { describe, expect, test } from "bun:test";
import { RecordRate } from "../../../../src/server/http/record-rate.ts";

describe("RecordRate", () => {
  test("saves up ten seconds' worth and no more", () => {
    const rate = new RecordRate(2, 0);
    expect(rate.burst).toBe(20);
    expect(rate.waitMs(20, 1_000_000)).toBe(0);
    rate.take(20);
    expect(rate.waitMs(1, 1_000_000)).toBe(500);
    expect(rate.waitMs(3, 1_000_500)).toBe(1000);
    expect(rate.waitMs(1, 1_000_500)).toBe(0);
  });

  test("lets one record come however slow it is", () => {
    const rate = new RecordRate(0.01, 0);
    expect(rate.burst).toBe(1);
    expect(rate.waitMs(1, 0)).toBe(0);
    rate.take(1);
    expect(rate.waitMs(1, 50_000)).toBe(50_000);
  });
});
