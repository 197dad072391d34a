import { describe, expect, test } from "bun:test";
import { median, percentile, ratios, rounded } from "../../../../bench/support/statistics.ts";

describe("statistics", () => {
  test("the median is the middle value, or the mean of the two in the middle", () => {
    expect(median([9, 1, 5])).toBe(5);
    expect(median([4, 1, 3, 2])).toBe(2.5);
    expect(median([])).toBeNaN();
  });

  test("a percentile is the smallest value that covers its share", () => {
    const values = Array.from({ length: 100 }, (_, index) => 100 - index);
    expect(percentile(values, 0)).toBe(1);
    expect(percentile(values, 0.5)).toBe(50);
    expect(percentile(values, 0.99)).toBe(99);
    expect(percentile(values, 1)).toBe(100);
    expect(percentile([], 0.5)).toBeNaN();
  });

  test("ratios pair the measurements of a round", () => {
    expect(ratios([2, 9], [4, 3])).toEqual([0.5, 3]);
  });

  test("rounding keeps three digits, and all of large numbers", () => {
    expect([1_234_567, 123.4, 12.34, 0.012_34].map(rounded)).toEqual([
      "1,234,567",
      "123",
      "12.3",
      "0.0123",
    ]);
    expect(rounded(Number.NaN)).toBe("-");
  });
});
